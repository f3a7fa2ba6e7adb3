"""Which step a stocktake may take from which state. Each name is a function of `services`."""

from apps.core.transitions import TransitionTable, transition
from apps.inventory.stocktake_choices import StocktakeState

OPEN, CLOSED, CANCELLED = StocktakeState

STOCKTAKE_TRANSITIONS = TransitionTable(
    StocktakeState,
    {
        "close_stocktake": transition({OPEN}, CLOSED, "inventory.run_stocktake"),
        "cancel_stocktake": transition({OPEN}, CANCELLED, "inventory.run_stocktake"),
    },
)
