"""What was typed for a look before a decision, and how it came out: kept in the session between POST and GET.

Every page that follows a button is then shown by a GET, so that neither the way back nor a reload asks to send a form
again, and the form that one comes back to holds what was typed.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseRedirect, QueryDict

KEY = "desk_kept"
LAST_BUDGETS = "desk_last_budgets"
MOST = 10
"""How many things are kept at a time; the one untouched for longest goes first."""
ASKED = ("preview", "mend", "outcome", "show")
"""What the address asks for beside the thing itself. What is to be mended has an address of its own, so that the way
back from the preview leads to the form."""
NOT_TYPED = ("csrfmiddlewaretoken", "step", "show", "seen")


class Kept:
    """What the session holds about one thing: an application on the desk, or a selection of several."""

    def __init__(self, request: HttpRequest, about: str) -> None:
        self._request = request
        self._about = about

    @property
    def typed(self) -> QueryDict | None:
        """What was typed last; None where nothing was."""
        kept = self._all().get(self._about, {}).get("typed")
        return None if kept is None else QueryDict(kept)

    @property
    def outcome(self) -> Any:
        """What `keep_outcome` took; None before it."""
        return self._all().get(self._about, {}).get("outcome")

    def keep_typed(self, posted: QueryDict) -> None:
        typed = posted.copy()
        for name in NOT_TYPED:
            typed.pop(name, None)
        self._write({"typed": typed.urlencode()})

    def keep_outcome(self, outcome: Any) -> None:
        """Takes what JSON can hold; what was typed is used up by then."""
        self._write({"outcome": outcome})

    def drop(self) -> None:
        self._request.session[KEY] = {about: kept for about, kept in self._all().items() if about != self._about}

    @property
    def last_budgets(self) -> dict[str, int]:
        """The budgets of the last decision of this session: those that the next one begins with."""
        last: dict[str, int] = self._request.session.get(LAST_BUDGETS, {})
        return last

    def keep_budgets(self, budget_id: int | None, own_share_budget_id: int | None) -> None:
        chosen = {"budget": budget_id, "own_share_budget": own_share_budget_id}
        self._request.session[LAST_BUDGETS] = {name: value for name, value in chosen.items() if value}

    def asked(self) -> tuple[str, str]:
        """Which page is asked for and about what, such as ("preview", "approve"); two empty texts for the form."""
        given = self._request.GET
        return next(((name, given[name]) for name in ASKED if given.get(name)), ("", ""))

    def look(self, **asked: str) -> HttpResponseRedirect:
        """Leads to the GET that shows it: the same address, `asked` in place of what it asked for so far."""
        query = self._request.GET.copy()
        for name in ASKED:
            query.pop(name, None)
        query.update(asked)
        path = self._request.path
        return HttpResponseRedirect(f"{path}?{query.urlencode(safe=',')}" if query else path)

    def _all(self) -> dict[str, dict[str, Any]]:
        kept: dict[str, dict[str, Any]] = self._request.session.get(KEY, {})
        return kept

    def _write(self, kept: dict[str, Any]) -> None:
        others = [(about, rest) for about, rest in self._all().items() if about != self._about]
        self._request.session[KEY] = dict([*others[1 - MOST :], (self._about, kept)])
