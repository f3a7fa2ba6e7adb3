"""Which step a device may take from which status. Each name is a function of `services`.

Decisions: a device on loan or in repair comes back before it moves, so that nobody forgets it elsewhere. What was
found again goes to a school or the depot; what was retired by mistake comes back through the depot.
"""

from apps.core.transitions import TransitionTable, transition
from apps.inventory.choices import DeviceStatus

ORDERED, IN_STOCK, IN_USE, ON_LOAN, IN_REPAIR, LOST, STOLEN, RETIRED = DeviceStatus

TRANSITIONS = TransitionTable(
    DeviceStatus,
    {
        "move_device": transition({ORDERED, IN_STOCK, IN_USE, LOST, STOLEN}, IN_USE, "inventory.move_device"),
        "send_to_repair": transition({IN_USE}, IN_REPAIR, "inventory.change_device"),
        "return_from_repair": transition({IN_REPAIR}, IN_USE, "inventory.change_device"),
        "lend_device": transition({IN_USE}, ON_LOAN, "inventory.change_device"),
        "return_loan": transition({ON_LOAN}, IN_USE, "inventory.change_device"),
        "take_to_stock": transition({ORDERED, IN_USE, LOST, STOLEN, RETIRED}, IN_STOCK, "inventory.use_depot"),
        "report_lost": transition({IN_STOCK, IN_USE, ON_LOAN, IN_REPAIR}, LOST, "inventory.change_device"),
        "report_stolen": transition({IN_STOCK, IN_USE, ON_LOAN, IN_REPAIR, LOST}, STOLEN, "inventory.change_device"),
        "retire_device": transition({IN_STOCK, IN_USE, IN_REPAIR, LOST, STOLEN}, RETIRED, "inventory.retire_device"),
        "record_disposal": transition({RETIRED}, RETIRED, "inventory.retire_device"),
    },
)
