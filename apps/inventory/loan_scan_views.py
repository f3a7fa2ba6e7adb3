"""Handing out to a class and taking back by scanning: each sending is one device; the answer says what came of it.

Every page works as a plain form that loads again; `static/js/loan-desk.js` only sends it without leaving the field. It
gets JSON: what came of the scan in words, and the page anew; the parts marked `data-scan-part` go in their places.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView

from apps.core.errors import DomainError
from apps.inventory import loan_selectors, services
from apps.inventory.choices import Condition
from apps.inventory.loan_choices import LoanState
from apps.inventory.loan_forms import ClassForm, ScanBackForm, ScanForm, ShelfForm
from apps.inventory.loan_views import LoanPageMixin
from apps.inventory.models import Loan


@dataclass(frozen=True)
class Outcome:
    """What became of the last number. `loan`: what was done, and can be undone."""

    tone: str
    title: str
    text: str = ""
    loan: Loan | None = None
    parts: tuple[Loan, ...] = ()
    """The loans of parts of the kit that went or came with it; one click leaves a part out."""


class ScanView(LoanPageMixin, TemplateView):
    """Base of both directions. `last` in the address names the loan that the sending before has written."""

    permission_required = "inventory.keep_loans"
    scan_form_class: type[ScanForm] = ScanForm
    undo_step, without_words = "", _("leave out")
    other_desk: tuple[str, Any] = ("", "")
    """Address and heading of the other direction, whose scans may wait on this device, too."""
    outcome: Outcome | None = None

    @property
    def is_ready(self) -> bool:
        """Whether all is chosen that has to be chosen before the first device."""
        return True

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.GET.get("last"):
            self.outcome = self._done(request.GET["last"])
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.is_ready:
            return self._not_ready(**kwargs)
        try:
            if "undo" in request.POST:
                return self._undo(request.POST["undo"])
            form = self.scan_form_class(request.POST)
            if not form.is_valid():
                raise DomainError(" ".join(str(error) for errors in form.errors.values() for error in errors))
            loan = self.write(form.cleaned_data)
        except DomainError as error:
            self.outcome = Outcome("danger", gettext("Not done"), str(error))
            return self._told() if self.wants_json() else self.render_to_response(self.get_context_data(**kwargs))
        if self.wants_json():
            self.outcome = self._done(loan.number)
            return self._told()
        return redirect(self._address(last=loan.number))

    def wants_json(self) -> bool:
        return self.request.headers.get("Accept", "") == "application/json"

    def _not_ready(self, **kwargs: Any) -> HttpResponse:
        """What was scanned for terms that hold no longer, such as a due date that has passed meanwhile."""
        if not self.wants_json():
            return self.render_to_response(self.get_context_data(**kwargs))
        text = gettext("What was chosen for this hand-out no longer holds. Please choose it again and scan once more.")
        return JsonResponse({"tone": "danger", "text": text, "words": text, "page": ""})

    def _told(self) -> HttpResponse:
        outcome = self.outcome or Outcome("info", "")
        page = render_to_string(self.template_name or "", self.get_context_data(), self.request)
        words = ". ".join(filter(None, (str(outcome.title), str(outcome.text))))
        return JsonResponse({"tone": outcome.tone, "text": outcome.text, "words": words, "page": page})

    def write(self, sent: dict[str, Any]) -> Loan:
        raise NotImplementedError

    def words_of(self, loan: Loan) -> Outcome:
        raise NotImplementedError

    def _undo(self, number: str) -> HttpResponse:
        rows: Any = self.loans()
        loan = rows.get_visible_or_404(self.request.user, number=number)
        getattr(services, self.undo_step)(loan=loan, by=self.request.user)
        return redirect(self._address(last=(loan.main or loan).number))

    def _done(self, number: str) -> Outcome | None:
        rows = loan_selectors.with_parts(self.loans())
        loan = rows.filter(number=number).first()
        return None if loan is None else self.words_of(loan)

    def _address(self, **changes: str) -> str:
        query = self.request.GET.copy()
        query.pop("last", None)
        query.update(changes)
        return f"{self.request.path}?{query.urlencode()}"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kwargs.setdefault("scan_form", self.scan_form_class())
        return super().get_context_data(
            outcome=self.outcome,
            without_words=self.without_words,
            states=LoanState,
            scan_url=self._address(),
            is_ready=self.is_ready,
            other_desk={"url": reverse(self.other_desk[0]), "heading": self.other_desk[1]},
            **kwargs,
        )


class HandOutView(ScanView):
    """Step one chooses school, class and terms, which stand in the address from then on; step two scans."""

    template_name = "inventory/hand_out.html"
    heading = _("Hand out devices")
    undo_step, without_words = "undo_hand_out", _("leave out")
    other_desk = ("inventory:take_back", _("Take devices back"))

    @cached_property
    def terms(self) -> ClassForm:
        chosen = "due" in self.request.GET
        return ClassForm(
            self.request.GET if chosen else None,
            initial={name: self.request.GET[name] for name in ("school", "group") if name in self.request.GET},
            user=self.request.user,
            cancel_url=reverse("inventory:loans"),
        )

    @property
    def is_ready(self) -> bool:
        return self.terms.is_bound and self.terms.is_valid()

    def write(self, sent: dict[str, Any]) -> Loan:
        device = loan_selectors.device_of_code(sent["code"], self.request.user)
        return services.hand_out(device=device, by=self.request.user, key=sent["key"], **self.terms.cleaned_data)

    def words_of(self, loan: Loan) -> Outcome:
        words = {"tag": loan.device.tag, "product": loan.device.product, "number": loan.number, "group": loan.group}
        if loan.state == LoanState.CANCELLED:
            return Outcome("info", gettext("%(tag)s is not handed out after all.") % words)
        if not loan.is_open:
            return Outcome("info", gettext("%(tag)s is back already.") % words)
        user: Any = self.request.user
        text = gettext("%(product)s, loan number %(number)s") % words
        if stayed := [row.tag for row in loan_selectors.left_out(loan, user)]:
            text += ". " + gettext("Parts of the kit that stay here: %(tags)s") % {"tags": ", ".join(stayed)}
        parts = tuple(part for part in loan.parts.all() if part.is_open)
        return Outcome("success", gettext("%(tag)s is handed out") % words, text, loan, parts)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        if self.is_ready:
            chosen = self.terms.cleaned_data
            school, group = chosen["school"], chosen["group"].strip()
            rows = list(loan_selectors.handed_out_today(self.request.user, school, group))
            kwargs |= {
                "chosen": chosen,
                "condition": Condition(chosen["condition"]).label if chosen["condition"] else "",
                "rows": rows,
                "query": urlencode({"school": school.number, "group": group, "state": LoanState.OUT.value}),
            }
        return super().get_context_data(terms=self.terms, **kwargs)


class TakeBackView(ScanView):
    """Takes back any device of the person's schools; school and class in the address show what is still missing."""

    template_name = "inventory/take_back.html"
    heading = _("Take devices back")
    scan_form_class = ScanBackForm
    undo_step, without_words = "undo_take_back", _("is missing")
    other_desk = ("inventory:hand_out", _("Hand out devices"))

    @cached_property
    def shelf(self) -> ShelfForm:
        return ShelfForm(self.request.GET if "school" in self.request.GET else None, user=self.request.user)

    def write(self, sent: dict[str, Any]) -> Loan:
        user: Any = self.request.user
        if (earlier := loan_selectors.loan_of_scan(sent["key"], user)) is not None:
            return earlier
        loan = loan_selectors.loan_to_take_back(sent["code"], user)
        facts = {name: sent[name] for name in ("key", "condition", "damage")}
        return services.take_back(loan=loan, by=user, **facts)

    def words_of(self, loan: Loan) -> Outcome:
        words = {"tag": loan.device.tag, "number": loan.number, "group": loan.group or gettext("no class named")}
        if loan.is_open:
            return Outcome("info", gettext("%(tag)s stays on loan.") % words)
        condition = Condition(loan.condition_back).label if loan.condition_back else gettext("not known")
        text = gettext("Loan number %(number)s, %(group)s, condition: %(condition)s") % {
            **words,
            "condition": condition,
        }
        if missing := [part.device.tag for part in loan.parts.all() if part.is_open]:
            text += ". " + gettext("Parts of the kit that are missing: %(tags)s") % {"tags": ", ".join(missing)}
        parts = tuple(part for part in loan.parts.all() if part.state == LoanState.RETURNED)
        tone = "warning" if missing else "success"
        return Outcome(tone, gettext("%(tag)s is back") % words, text, loan, parts)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user: Any = self.request.user
        missing = None
        if self.shelf.is_bound and self.shelf.is_valid():
            chosen = self.shelf.cleaned_data
            missing = list(loan_selectors.still_out(user, chosen["school"], chosen["group"].strip()))
        return super().get_context_data(
            shelf=self.shelf, missing=missing, rows=list(loan_selectors.taken_back_today(user)), **kwargs
        )
