"""One change of many devices: chosen, shown, confirmed, and written in one transaction or not at all."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core import formats, jobs
from apps.core.clock import now
from apps.core.errors import DomainError, StaleError
from apps.core.models import Job, JobState
from apps.inventory.bulk import (
    LEAVES_SCHOOL,
    LOSSES,
    SHOWN_ROWS,
    TARGETS,
    Plan,
    Wish,
    make_plan,
    mark_of,
    permission_of,
)
from apps.inventory.choices import ENDED_STATUSES, BulkAction, BulkState
from apps.inventory.models import BulkChange, BulkItem, Device
from apps.inventory.services.batches import BATCH, Entry, lock_devices, write_batch
from apps.inventory.services.common import ensure_may, reason_of_loss, spot_at
from apps.inventory.undoing import Undo, facts_of, item_of, make_undo_plan
from apps.schools.services import raise_inputs_version

if TYPE_CHECKING:
    from apps.accounts.models import User

logger = logging.getLogger(__name__)
MOST = 10_000
"""As many devices can be changed at once: a whole school many times over, and still one transaction of seconds."""
AT_ONCE = 200
"""More devices than this are left to the worker."""
KEPT = datetime.timedelta(days=30)
BULK_JOB = "inventory.change_many"


def choose_devices(*, ids: Iterable[int], query: str, by: User) -> BulkChange:
    """Keeps the choice of rows; ids outside the person's scope are left out."""
    wanted = sorted(set(ids))
    if len(wanted) > MOST:
        raise DomainError(_("These are too many devices for one change. Please narrow the list down by its filters."))
    seen = Device.objects.visible_to(by)
    chosen = [
        pk
        for start in range(0, len(wanted), BATCH)
        for pk in seen.filter(pk__in=wanted[start : start + BATCH]).order_by("pk").values_list("pk", flat=True)
    ]
    if not chosen:
        raise DomainError(_("No device is chosen. Please choose at least one."))
    return BulkChange.objects.create(by=by, ids=chosen, query=query)


@transaction.atomic
def show_change(*, token: UUID, action: str, values: Mapping[str, Any], by: User) -> BulkChange:
    """Keeps what is to happen and how the devices are now, for the preview. Nothing else is written."""
    change = _locked(token, by)
    if change.undoes_id or change.state not in (BulkState.CHOSEN, BulkState.SHOWN):
        raise StaleError(_("This change is already under way or done."))
    wish = Wish.of(action, values)
    _ensure_allowed(wish, by)
    change.action, change.values, change.state = action, dict(values), BulkState.SHOWN
    change.seen = {str(device.pk): mark_of(device) for batch in _batches(change, by) for device in batch}
    change.revision += 1
    change.save(update_fields=["action", "values", "state", "seen", "revision"])
    return change


@transaction.atomic
def begin_undo(*, token: UUID, by: User) -> BulkChange:
    """The change that sets back what another one did, ready for its preview; begun twice, it is the same.

    Raises `StaleError` where there is nothing to undo.
    """
    change = _locked(token, by)
    ids = list(change.items.order_by("device").values_list("device", flat=True))
    if change.undoes_id or change.state != BulkState.DONE or not ids:
        raise StaleError(_("There is nothing here that could be undone."))
    ensure_may(by, permission_of(change.action))
    return change.undoing(begun=True) or BulkChange.objects.create(
        by=by, undoes=change, ids=ids, query=change.query, action=change.action, state=BulkState.SHOWN, revision=1
    )


@transaction.atomic
def try_again(*, token: UUID, by: User) -> BulkChange:
    """A new change like one that came to nothing, ready for its preview: the same devices, the same entries."""
    change = _locked(token, by)
    if change.state != BulkState.FAILED:
        raise StaleError(_("This change is already under way or done."))
    if change.undoes is not None:
        return begin_undo(token=change.undoes.token, by=by)
    again = choose_devices(ids=change.ids, query=change.query, by=by)
    return show_change(token=again.token, action=change.action, values=change.values, by=by)


def forget_changes() -> None:
    """Deletes what is older than KEPT, with what undid it; a change that is or was undone lately stays with that."""
    old = BulkChange.objects.filter(at__lt=now() - KEPT).exclude(state=BulkState.WAITING)
    needed = BulkChange.objects.filter(undoes__isnull=False).exclude(pk__in=old)
    old.exclude(pk__in=needed.values("undoes")).delete()


def plan_of(change: BulkChange, by: User) -> Plan:
    """What would happen if it were confirmed now."""
    whole, found = Plan(), 0
    for batch in _batches(change, by):
        found += len(batch)
        _add(whole, _means(change, batch, by).plan)
    whole.gone = len(change.ids) - found
    wish = Wish.of(change.action, change.values)
    if not change.undoes_id and wish.action in LEAVES_SCHOOL:
        whole.left_behind = _left_behind([row for row in whole.devices if row.school != wish.school], by)
    return whole


@dataclass(frozen=True)
class _Means:
    """What happens to the devices of one batch, from which day on, and what their history says of it."""

    plan: Plan
    facts: Callable[[Device], dict[str, Any]]
    on: datetime.date
    reason: str


def _means(change: BulkChange, batch: Sequence[Device], by: User) -> _Means:
    if change.undoes is not None:
        undo = Undo.of(change.undoes, batch, by)
        return _Means(make_undo_plan(batch, undo), undo.facts, undo.on, undo.reason)
    wish = Wish.of(change.action, change.values)
    reason = reason_of_loss(TARGETS[wish.action], wish.on, wish.reason) if wish.action in LOSSES else wish.reason
    return _Means(make_plan(batch, wish, seen=change.seen), wish.facts, wish.on, reason)


def _left_behind(leaving: Sequence[Device], by: User) -> list[str]:
    """The inventory numbers of what came in a kit with devices that leave a place, and stays there."""
    gone = {device.pk for device in leaving}
    places = {(device.kit_set_id, device.school_id) for device in leaving if device.kit_set_id is not None}
    kits = sorted({kit for kit, _school in places})
    rows: Any = Device.objects.visible_to(by).exclude(status__in=ENDED_STATUSES).order_by("tag")
    return [
        tag
        for start in range(0, len(kits), BATCH)
        for pk, tag, kit, school in rows.filter(kit_set__in=kits[start : start + BATCH]).values_list(
            "pk", "tag", "kit_set", "school"
        )
        if pk not in gone and (kit, school) in places
    ]


@transaction.atomic
def confirm_change(*, token: UUID, revision: int, by: User, promised: int | None = None) -> BulkChange:
    """Writes what was shown, or leaves it to the worker where it is much. Sent twice, the second time does nothing.

    `promised`: how many devices the preview said would change; so many the worker is said to have before it.
    Raises `StaleError` when another preview was made meanwhile.
    """
    change = _locked(token, by)
    if change.state in (BulkState.WAITING, BulkState.DONE, BulkState.FAILED):
        return change
    if change.state != BulkState.SHOWN or change.revision != revision:
        raise StaleError(_("This change was altered in another window. Please check what would happen now."))
    _ensure_allowed(Wish.of(change.action, change.values), by, undoes=change.undoes_id is not None)
    if len(change.ids) > AT_ONCE:
        change.state = BulkState.WAITING
        total = min(promised, len(change.ids)) if promised else len(change.ids)
        change.job = jobs.queue_job(BULK_JOB, started_by=by, total=total)
        change.save(update_fields=["state", "job"])
        return change
    return _write(change, by)


def run_waiting() -> int:
    """Writes all changes that wait, and gives up those whose worker died. Returns how many it began."""
    begun = 0
    for change in BulkChange.objects.filter(state=BulkState.WAITING).select_related("job", "by").order_by("at"):
        if change.job is not None and jobs.begin_job(change.job):
            _run(change, change.job)
            begun += 1
        elif change.job is None or jobs.is_broken_off(change.job) or change.job.state == JobState.FAILED:
            _fail(change, str(_("The worker was interrupted before the end. Please try it again.")))
    return begun


def _run(change: BulkChange, waiting: Job) -> None:
    try:
        with jobs.running(BULK_JOB, waiting=waiting) as job, transaction.atomic():
            locked = _locked(change.token, change.by)
            if locked.state == BulkState.WAITING:
                undoes = locked.undoes_id is not None
                _ensure_allowed(Wish.of(locked.action, locked.values), change.by, undoes=undoes)
                job.result = {"changed": _write(locked, change.by, job).result["changed"]}
    except DomainError as error:
        _fail(change, str(error))
    except Exception:
        _fail(change, str(_("Something went wrong in the portal. Nothing was changed.")))
        raise


def words_of_change(result: Mapping[str, Any]) -> str:
    """The outcome of such a job in words."""
    return gettext("%(number)s changed") % {"number": formats.number(int(result.get("changed", 0)))}


def _fail(change: BulkChange, reason: str) -> None:
    waiting = BulkChange.objects.filter(pk=change.pk, state=BulkState.WAITING)
    waiting.update(state=BulkState.FAILED, result={"error": reason})


def _write(change: BulkChange, by: User, job: Job | None = None) -> BulkChange:
    """Inside the caller's transaction: locks in primary-key order, checks again, writes, raises the versions once."""
    whole, touched, found = Plan(), set[int](), 0
    lock_devices(change.ids)
    for batch in _batches(change, by):
        found += len(batch)
        means = _means(change, batch, by)
        _add(whole, means.plan)
        touched |= _write_batch(change, means, by)
        if job is not None:
            job.done = len(whole.devices)
    _ensure_still_visible(whole.devices, by)
    change.state = BulkState.DONE
    change.result = {
        "changed": len(whole.devices),
        "tags": [device.tag for device in whole.devices[:SHOWN_ROWS]],
        "refused": [[reason, number, tags] for reason, number, tags in whole.refusals],
        "gone": len(change.ids) - found,
        "written_at": now().isoformat(),
    }
    change.save(update_fields=["state", "result"])
    raise_inputs_version(touched)
    logger.info("Changed many devices: %s, %s of %s", change.action, len(whole.devices), len(change.ids))
    return change


def _write_batch(change: BulkChange, means: _Means, by: User) -> set[int]:
    """Writes the devices of one batch and keeps what they were; returns the schools whose figures moved."""
    devices = means.plan.devices
    if not devices:
        return set()
    before = [facts_of(device) for device in devices]
    entries = [Entry(device, means.facts(device), means.on) for device in devices]
    touched = write_batch(entries, by=by, reason=means.reason, permission=permission_of(change.action))
    BulkItem.objects.bulk_create(
        [item_of(change, device, was) for device, was in zip(devices, before, strict=True)], batch_size=BATCH
    )
    return touched


def _ensure_allowed(wish: Wish, by: User, *, undoes: bool = False) -> None:
    ensure_may(by, permission_of(wish.action))
    if undoes:
        return
    if wish.action == BulkAction.MOVE:
        if wish.school is None:
            raise DomainError(_("The school is no longer there. Please choose another one."), field="school")
        spot_at(wish.school, None, wish.room, by=by)
    if wish.action == BulkAction.RETIRE and not wish.reason.strip():
        raise DomainError(_("Please say why the device is retired."), field="reason")


def _ensure_still_visible(devices: Sequence[Device], by: User) -> None:
    for start in range(0, len(devices), BATCH):
        keys = [device.pk for device in devices[start : start + BATCH]]
        if Device.objects.visible_to(by).filter(pk__in=keys).count() != len(keys):
            raise DomainError(_("You may not do this for the chosen school. Please choose one of your schools."))


def _batches(change: BulkChange, by: User) -> Iterator[list[Device]]:
    """The chosen devices that the person still sees, in primary-key order."""
    rows = Device.objects.visible_to(by).select_related("product", "kind", "school", "site", "last_school")
    for start in range(0, len(change.ids), BATCH):
        yield list(rows.filter(pk__in=change.ids[start : start + BATCH]).order_by("pk"))


def _add(whole: Plan, part: Plan) -> None:
    whole.devices += part.devices
    whole.bound += part.bound
    whole.ends_loans += part.ends_loans
    whole.one_way += part.one_way
    whole.from_where += part.from_where
    whole.rows += part.rows[: SHOWN_ROWS - len(whole.rows)]
    for reason, tags in part.refused.items():
        whole.refused[reason] += tags


def _locked(token: UUID, by: User) -> BulkChange:
    change: BulkChange | None = (
        BulkChange.objects.visible_to(by)
        .select_for_update(of=("self",))
        .select_related("undoes")
        .filter(token=token)
        .first()
    )
    if change is None:
        raise DomainError(_("This change is no longer there. Please choose the devices again."))
    return change
