"""The page of one application, for everybody who may see it; its buttons are those of this person in this state."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.generic import TemplateView

from apps.core.pages import Crumb
from apps.core.panels import rendered_panels
from apps.core.stash import stash_token
from apps.funding.calculations import sum_of_lines
from apps.funding.choices import ApplicationState
from apps.funding.forms import TextForm
from apps.funding.models import ApplicationLine, EquipmentApplication, LineAllocation, Reservation
from apps.funding.round_selectors import round_state
from apps.funding.selectors import OPEN_STATES, application_effect, application_lines
from apps.funding.services.rounds import KEEP as KEEP_CONCEPT
from apps.funding.views.actions import AnswerView
from apps.funding.views.shared import ApplicationMixin, list_crumb
from apps.funding.workflow import EDITABLE_STATES, GRANTED_STATES, TRANSITIONS
from apps.inventory.selectors import prices_on
from apps.quotas.selectors import figure_status

DESK = "admin:funding_equipmentapplication_change"


@dataclass(frozen=True)
class LineRow:
    """A line as the page shows it; `record_url` leads to recording the approved devices."""

    line: ApplicationLine
    tags: list[str]
    allocations: list[LineAllocation]
    record_url: str


class ApplicationView(ApplicationMixin, TemplateView):
    template_name = "funding/detail.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.find(pk)
        return self.render_to_response(self.get_context_data())

    def get_heading(self) -> str:
        return self.application.title

    def get_breadcrumbs(self) -> list[Crumb]:
        return [list_crumb()]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        application, user = self.application, self.request.user
        is_open = application.state in OPEN_STATES
        rows = self._line_rows()
        return super().get_context_data(
            application=application,
            state=ApplicationState(application.state),
            states=ApplicationState,
            rows=rows,
            is_approved=application.state in GRANTED_STATES,
            amount=sum_of_lines((row.line.unit_price, row.line.quantity) for row in rows),
            approved_amount=sum_of_lines((row.line.unit_price, row.line.approved_quantity or 0) for row in rows),
            is_open=is_open,
            effect=application_effect(application) if is_open else None,
            figure_status=figure_status() if is_open else None,
            conversation=application.messages.select_related("by"),
            status_changes=application.status_changes.select_related("by"),
            reservation=Reservation.objects.visible_to(user).filter(application=application).first(),
            panels=rendered_panels("funding.application", self.request, application),
            **self._round(application, user),
            **self._actions(application, user),
            **kwargs,
        )

    def _round(self, application: EquipmentApplication, user: Any) -> dict[str, Any]:
        """What its round means for who submits it now, and the way to the media concepts."""
        submits = application.state in EDITABLE_STATES and user.has_perm("funding.submit_application")
        address = reverse("funding:concepts", args=[application.school.number])
        return {
            "round_state": round_state(application) if submits else None,
            "concepts_url": f"{address}?application={application.pk}" if user.has_perm(KEEP_CONCEPT) else "",
        }

    def _actions(self, application: EquipmentApplication, user: Any) -> dict[str, Any]:
        """What this person may do in this state."""
        drafts = user.has_perm("funding.draft_application")
        may = {
            name: TRANSITIONS.allowed(name, source=application.state)
            and user.has_perm(TRANSITIONS.transitions[name].permission)
            for name in ("submit", "withdraw")
        }
        may_answer = drafts and application.state == ApplicationState.RETURNED
        return {
            "may_edit": drafts and application.state in EDITABLE_STATES,
            "may_submit": may["submit"],
            "may_withdraw": may["withdraw"],
            "may_discard": drafts and application.state == ApplicationState.DRAFT,
            "answer_form": TextForm(label=AnswerView.text_label) if may_answer else None,
            "stash_token": stash_token(user),
            "desk_url": reverse(DESK, args=[application.pk]) if user.has_perm("funding.work_queue") else "",
        }

    def _lines(self) -> list[ApplicationLine]:
        """The lines; until it is handed in with the catalogue's present prices, which submitting will freeze."""
        lines = application_lines(self.application)
        if self.application.state in EDITABLE_STATES:
            prices = prices_on(line.product_id for line in lines)
            for line in lines:
                line.unit_price = prices.get(line.product_id, line.unit_price)
        return lines

    def _line_rows(self) -> list[LineRow]:
        allocations: defaultdict[int, list[LineAllocation]] = defaultdict(list)
        visible = LineAllocation.objects.visible_to(self.request.user).filter(line__application=self.application)
        for row in visible.select_related("budget").order_by("pk"):
            allocations[row.line_id].append(row)
        records = self.request.user.has_perm("inventory.add_device")
        return [
            LineRow(
                line=line,
                tags=sorted(row.device.tag for row in line.replaced_devices.all()),
                allocations=allocations[line.pk],
                record_url=self._record_url(line) if records and line.approved_quantity else "",
            )
            for line in self._lines()
        ]

    def _record_url(self, line: ApplicationLine) -> str:
        known = {
            "school": self.application.school.number,
            "product": line.product_id,
            "quantity": line.approved_quantity,
            "price": line.unit_price,
        }
        return f"{reverse('inventory:add')}?{urlencode(known)}"
