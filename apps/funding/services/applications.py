"""What a school does with its applications: draft, save, submit, withdraw, answer."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.core import clock
from apps.core.errors import DomainError
from apps.core.history import bulk_update_by, delete_by, save_by
from apps.core.querysets import ensure_still_visible
from apps.funding.calculations import LineInput
from apps.funding.choices import ApplicationState
from apps.funding.models import (
    ApplicationLine,
    ApplicationMessage,
    ApplicationRound,
    EquipmentApplication,
    ReplacedDevice,
)
from apps.funding.services.rounds import ensure_fits, newest_concept
from apps.funding.services.steps import (
    change_state,
    ensure_may,
    ensure_revision,
    lock_application,
    lock_for,
    required_text,
    validated,
)
from apps.funding.workflow import EDITABLE_STATES
from apps.inventory.models import Device, Product
from apps.inventory.selectors import prices_on
from apps.schools.models import School

_DRAFT = "funding.draft_application"


@transaction.atomic
def create_draft(
    *,
    by: User,
    school: School,
    title: str,
    reason: str = "",
    lines: Sequence[LineInput] = (),
    in_round: ApplicationRound | None = None,
    form_key: UUID | None = None,
) -> EquipmentApplication:
    """A new draft of a school in the person's scope; lines carry the catalogue's present prices.

    `form_key` names the form that was sent: a second draft with the same key is an `IntegrityError`.
    """
    ensure_may(by, _DRAFT)
    application = EquipmentApplication(
        school=school, title=title.strip(), reason=reason.strip(), round=in_round, created_by=by, form_key=form_key
    )
    validated(application, exclude=("school", "round", "created_by", "submitted_by"))
    save_by(application, by=by)
    _write_lines(application, lines, by=by)
    ensure_still_visible(application, by)
    return application


@transaction.atomic
def save_draft(
    *,
    application: EquipmentApplication,
    revision: int,
    by: User,
    title: str,
    reason: str,
    lines: Sequence[LineInput],
    in_round: ApplicationRound | None = None,
) -> EquipmentApplication:
    """Replaces title, reason, lines and, of a draft, round; raises its revision.

    An application that came back with a question stays in the round in which it was handed in.

    Lines with a `line_id` are changed in place, lines that are not named are removed.
    `StaleError` when another tab or person has saved since `revision` was read: nothing is overwritten.
    """
    row = lock_application(application, by=by, permission=_DRAFT)
    _ensure_editable(row)
    ensure_revision(row, revision)
    row.title, row.reason, row.revision = title.strip(), reason.strip(), row.revision + 1
    if row.state == ApplicationState.DRAFT:
        row.round = in_round
    validated(row, exclude=("school", "round", "created_by", "submitted_by"))
    save_by(row, by=by, update_fields=["title", "reason", "round", "revision"])
    _write_lines(row, lines, by=by)
    return row


@transaction.atomic
def discard_draft(*, application: EquipmentApplication, by: User) -> None:
    """Deletes a draft that was never submitted, with its lines; their history stays."""
    row = lock_application(application, by=by, permission=_DRAFT)
    if row.state != ApplicationState.DRAFT:
        raise DomainError(_("Only drafts can be deleted. Please withdraw this application instead."))
    for line in row.lines.all():
        delete_by(line, by=by)
    delete_by(row, by=by)


@transaction.atomic
def submit(*, application: EquipmentApplication, by: User, revision: int | None = None) -> EquipmentApplication:
    """Hands an application to the office and freezes its prices from the catalogue.

    Refuses empty applications, products that can no longer be applied for, by name, and what its round asks for and
    is not there (see `rounds.ensure_fits`). After the round closed it is still handed in, and marked as late; what was
    handed in before and came back with a question keeps its mark and its day: the office's question costs no place in
    the queue. The school's newest media concept stays with it.
    With `revision`: `StaleError` when the person submits something else than they saw.
    """
    row = lock_for("submit", application, by=by)
    ensure_revision(row, revision)
    ensure_fits(row, clock.today())
    _freeze_prices(row, by=by)
    if row.state == ApplicationState.DRAFT:
        row.is_late = row.round is not None and row.round.is_over(clock.today())
        row.submitted_by, row.submitted_at = by, clock.now()
    change_state(row, "submit", ApplicationState.SUBMITTED, by=by)
    row.concept, row.revision = newest_concept(row), row.revision + 1
    save_by(row, by=by, update_fields=["state", "concept", "is_late", "submitted_by", "submitted_at", "revision"])
    return row


@transaction.atomic
def withdraw(*, application: EquipmentApplication, by: User, reason: str = "") -> EquipmentApplication:
    """The school takes back what is not decided yet. There is no way on from here; its media concept is free again."""
    row = lock_for("withdraw", application, by=by)
    change_state(row, "withdraw", ApplicationState.WITHDRAWN, by=by, reason=reason.strip())
    row.concept = None
    return save_by(row, by=by, update_fields=["state", "concept"])


@transaction.atomic
def answer(*, application: EquipmentApplication, by: User, text: str) -> ApplicationMessage:
    """The school's answer to a question. The state stays until the application is submitted again."""
    row = lock_application(application, by=by, permission=_DRAFT)
    if row.state != ApplicationState.RETURNED:
        raise DomainError(_("There is no open question about this application. Please load the page again."))
    text = required_text(text, _("Please write an answer."), field="text")
    return ApplicationMessage.objects.create(application=row, by=by, text=text)


def _ensure_editable(application: EquipmentApplication) -> None:
    if application.state not in EDITABLE_STATES:
        raise DomainError(
            _("This application can no longer be changed: its state is now “%(state)s”. Please load the page again.")
            % {"state": application.get_state_display()},
            code="not_editable",
        )


def _write_lines(application: EquipmentApplication, lines: Sequence[LineInput], *, by: User) -> None:
    """Brings the stored lines to what was typed: changes, adds, removes."""
    stored = {line.pk: line for line in application.lines.all()}
    kept = [line.line_id for line in lines if line.line_id is not None]
    if len(set(kept)) != len(kept) or not set(kept) <= set(stored):
        raise DomainError(_("A line was removed in the meantime. Please load the page again."), code="stale")
    products = Product.objects.priced().in_bulk({line.product_id for line in lines})
    written = []
    for number, typed in enumerate(lines, start=1):
        line = ApplicationLine(application=application) if typed.line_id is None else stored.pop(typed.line_id)
        if _take_over(line, typed, products.get(typed.product_id), number):
            save_by(line, by=by)
        written.append((line, typed))
    for line in stored.values():
        delete_by(line, by=by)
    _write_replaced_devices(application, written)


def _write_replaced_devices(
    application: EquipmentApplication, lines: Sequence[tuple[ApplicationLine, LineInput]]
) -> None:
    """Names the devices that each line replaces; they stand at the school of the application."""
    wanted = {(line.pk, device_id) for line, typed in lines for device_id in typed.replaced_device_ids}
    ids = {device_id for _line_id, device_id in wanted}
    if Device.objects.filter(school_id=application.school_id, pk__in=ids).count() != len(ids):
        raise DomainError(_("A device to be replaced no longer stands at this school. Please check the lines."))
    stored = ReplacedDevice.objects.filter(line__application=application)
    present = set(stored.values_list("line_id", "device_id"))
    gone = [row.pk for row in stored if (row.line_id, row.device_id) not in wanted]
    ReplacedDevice.objects.filter(pk__in=gone).delete()
    ReplacedDevice.objects.bulk_create(
        ReplacedDevice(line_id=line_id, device_id=device_id) for line_id, device_id in sorted(wanted - present)
    )


def _take_over(line: ApplicationLine, typed: LineInput, product: Product | None, number: int) -> bool:
    """Puts what was typed into the line, with the catalogue's price; whether anything is new."""
    price = None if product is None else product.gross_price
    if product is None or price is None:
        raise DomainError(
            _("Line %(number)s: please choose a product of the catalogue.") % {"number": number}, field="product"
        )
    _ensure_quantities(typed, number)
    values = {
        "product_id": product.pk,
        "quantity": typed.quantity,
        "unit_price": price,
        "reason": typed.reason.strip(),
        "replaces": typed.replaces.strip(),
        "replaces_quantity": typed.replaces_quantity,
    }
    is_new = line._state.adding or any(getattr(line, name) != value for name, value in values.items())
    for name, value in values.items():
        setattr(line, name, value)
    validated(line, exclude=("application", "product"))
    return is_new


def _ensure_quantities(typed: LineInput, number: int) -> None:
    if typed.quantity < 1:
        raise DomainError(
            _("Line %(number)s: please enter a quantity of at least 1.") % {"number": number}, field="quantity"
        )
    if not len(set(typed.replaced_device_ids)) <= typed.replaces_quantity <= typed.quantity:
        raise DomainError(
            _("Line %(number)s: it replaces at least the devices it names, and at most as many as it asks for.")
            % {"number": number},
            field="replaces_quantity",
        )


def _freeze_prices(application: EquipmentApplication, *, by: User) -> None:
    lines = list(application.lines.select_related("product"))
    if not lines:
        raise DomainError(_("Please add at least one product before you submit the application."), code="empty")
    prices = prices_on(line.product_id for line in lines)
    gone = [str(line.product) for line in lines if not line.product.is_active or line.product_id not in prices]
    if gone:
        raise DomainError(
            ngettext(
                "“%(products)s” can no longer be applied for. Please choose another product.",
                "These products can no longer be applied for: %(products)s. Please choose others.",
                len(gone),
            )
            % {"products": ", ".join(gone)},
            code="inactive_product",
        )
    moved = [line for line in lines if line.unit_price != prices[line.product_id]]
    for line in moved:
        line.unit_price = prices[line.product_id]
    bulk_update_by(moved, ["unit_price"], by=by)
