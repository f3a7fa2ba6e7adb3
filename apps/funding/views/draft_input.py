"""What stands in the draft form: head and lines together, typed or stored."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.forms.utils import ErrorDict, ErrorList
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core.formats import moment
from apps.funding.calculations import LineInput
from apps.funding.choices import ApplicationState
from apps.funding.differences import Content, Difference, differences, line_in_words
from apps.funding.forms import BaseLineFormSet, Catalogue, DraftForm, LineFormSet
from apps.funding.models import ApplicationLine, ApplicationRound, EquipmentApplication
from apps.funding.round_selectors import rounds_to_choose
from apps.funding.selectors import application_lines
from apps.schools.models import School


class DraftInput:
    """The form and its lines. Build it with `stored` or `posted`. `round_kept`: where the form does not ask for it."""

    def __init__(
        self,
        form: DraftForm,
        lines: BaseLineFormSet,
        catalogue: Catalogue,
        data: Any = None,
        round_kept: ApplicationRound | None = None,
    ) -> None:
        self.form = form
        self.round_kept = round_kept
        self.line_forms = lines
        self.catalogue = catalogue
        self._data = data or {}
        self._lines: list[LineInput] | None = None
        self._missing: list[int] = []

    @classmethod
    def stored(cls, school: School, application: EquipmentApplication | None, catalogue: Catalogue) -> DraftInput:
        """The form as it stands in the database; a new one has one empty line."""
        if application is None:
            initial: dict[str, Any] = {"form_key": uuid.uuid4()}
        else:
            initial = {
                "title": application.title,
                "reason": application.reason,
                "revision": application.revision,
                "form_key": application.form_key,
            }
            if application.round is not None:
                initial["in_round"] = application.round
        rows = [] if application is None else [_initial_of(line) for line in application_lines(application)]
        line_forms = LineFormSet(initial=rows, prefix="lines", catalogue=catalogue, school=school)
        line_forms.extra = 0 if rows else 1
        return cls(DraftForm(initial=initial, rounds=rounds_of(application)), line_forms, catalogue)

    @classmethod
    def posted(
        cls,
        data: QueryDict,
        school: School,
        application: EquipmentApplication | None,
        catalogue: Catalogue,
        *,
        complete: bool = False,
    ) -> DraftInput:
        """The form as it was sent. `complete`: it is to be handed in, so nothing may be missing."""
        line_forms = LineFormSet(data, prefix="lines", catalogue=catalogue, school=school, complete=complete)
        form = DraftForm(data, rounds=rounds_of(application), complete=complete)
        return cls(form, line_forms, catalogue, data, application.round if application else None)

    def is_valid(self) -> bool:
        """Both parts, so that all errors show at once."""
        return all([self.form.is_valid(), self.line_forms.is_valid()])

    def without_errors(self) -> DraftInput:
        """Shown again before anybody wanted to save: what is missing is no error yet."""
        self.lines()
        for form in (self.form, *self.line_forms.forms):
            form._errors = ErrorDict()
        self.line_forms._errors = []
        self.line_forms._non_form_errors = ErrorList()
        return self

    # What was typed

    @property
    def title(self) -> str:
        return str(self.form.cleaned_data.get("title", ""))

    @property
    def reason(self) -> str:
        return str(self.form.cleaned_data.get("reason", ""))

    @property
    def in_round(self) -> ApplicationRound | None:
        return self.form.cleaned_data.get("in_round")

    @property
    def form_key(self) -> uuid.UUID | None:
        return self.form.cleaned_data.get("form_key")

    @property
    def revision(self) -> int | None:
        """What this tab has read; None before the first save."""
        return self.form.cleaned_data.get("revision")

    @property
    def accepted_revision(self) -> int | None:
        """The saved state that the person has seen beside their own and chose to replace."""
        typed = str(self._data.get("accepted_revision", ""))
        return int(typed) if typed.isdecimal() else self.revision

    def lines(self) -> list[LineInput]:
        """The lines that are complete."""
        if self._lines is None:
            self._lines = self._stored_inputs() if not self.line_forms.is_bound else self.line_forms.inputs()
            self._missing = self.line_forms.unfinished_numbers() if self.line_forms.is_bound else []
        return self._lines

    def missing_lines(self) -> list[int]:
        """Positions, as the page counts them, of the lines that `lines` leaves out because they are not complete."""
        self.lines()
        return self._missing

    def _stored_inputs(self) -> list[LineInput]:
        return [
            LineInput(
                product_id=form.initial["product"],
                quantity=form.initial["quantity"],
                replaces_quantity=form.initial["replaces_quantity"] or 0,
            )
            for form in self.line_forms.initial_forms
        ]

    def lines_for(self, row: EquipmentApplication | None) -> list[LineInput]:
        """The lines to save over `row`: one that is not complete yet keeps what is stored of it.

        Lines that are no longer stored are added anew; whether that is wanted, the revision has decided before.
        """
        stored = {} if row is None else {line.pk: line for line in application_lines(row)}
        typed = [line if line.line_id in stored else replace(line, line_id=None) for line in self.lines()]
        unfinished = {form.stored_id for form in self.line_forms.unfinished()}
        return typed + [_input_of(line) for key, line in stored.items() if key in unfinished]

    def values_after(self, saved: EquipmentApplication) -> dict[str, str]:
        """Hidden fields of the form once it is saved: what this tab now knows, and which line is which row."""
        values = {"revision": str(saved.revision)}
        stored = [line.pk for line in application_lines(saved)]
        named = {form.stored_id for form in self.line_forms.wanted()}
        added = iter([pk for pk in stored if pk not in named])
        for form in self.line_forms.wanted():
            if form.is_valid() and form.stored_id not in stored:
                values[form.add_prefix("line_id")] = str(next(added, ""))
        return values

    def content(self) -> Content:
        """What was typed, in words."""
        words = [
            (
                line.line_id,
                line_in_words(
                    str(self.catalogue.products[line.product_id]),
                    line.quantity,
                    reason=line.reason,
                    replaced=line.replaces_quantity,
                    replaces=line.replaces,
                    tags=self.line_forms.tags_of(line),
                ),
            )
            for line in self.lines()
        ]
        in_round = self.in_round if "in_round" in self.form.fields else self.round_kept
        return Content(self.title, self.reason.strip(), tuple(words), str(in_round or ""))


def rounds_of(application: EquipmentApplication | None) -> Sequence[ApplicationRound]:
    """What the form offers; nothing once it was handed in, because it stays in its round."""
    if application is not None and application.state != ApplicationState.DRAFT:
        return ()
    return rounds_to_choose(application)


def _initial_of(line: ApplicationLine) -> dict[str, Any]:
    return {
        "line_id": line.pk,
        "product": line.product_id,
        "quantity": line.quantity,
        "reason": line.reason,
        "replaces_quantity": line.replaces_quantity or None,
        "replaces": line.replaces,
        "replaced_tags": ", ".join(_tags_of(line)),
    }


def _input_of(line: ApplicationLine) -> LineInput:
    return LineInput(
        product_id=line.product_id,
        quantity=line.quantity,
        reason=line.reason,
        replaces=line.replaces,
        replaces_quantity=line.replaces_quantity,
        replaced_device_ids=tuple(row.device_id for row in line.replaced_devices.all()),
        line_id=line.pk,
    )


def _tags_of(line: ApplicationLine) -> list[str]:
    return sorted(row.device.tag for row in line.replaced_devices.all())


def _content_of(application: EquipmentApplication) -> Content:
    words = [
        (
            line.pk,
            line_in_words(
                str(line.product),
                line.quantity,
                reason=line.reason,
                replaced=line.replaces_quantity,
                replaces=line.replaces,
                tags=_tags_of(line),
            ),
        )
        for line in application_lines(application)
    ]
    return Content(application.title, application.reason, tuple(words), str(application.round or ""))


@dataclass(frozen=True)
class Conflict:
    """What somebody saved since this tab was loaded."""

    differences: Sequence[Difference]
    revision: int
    sentence: str
    url: str


def conflict_of(current: EquipmentApplication, draft: DraftInput) -> Conflict:
    """What was typed against what is saved now; no differences: the same was sent twice."""
    last = current.history.select_related("history_user").first()
    return Conflict(
        differences=differences(draft.content(), _content_of(current)),
        revision=current.revision,
        url=reverse("funding:edit", args=[current.pk]),
        sentence=_("%(person)s saved this application on %(moment)s, after you had opened it here.")
        % {
            "person": (last and last.history_user) or _("Somebody"),
            "moment": moment(last.history_date if last else None),
        },
    )
