"""Proofs of use: drafted by the office, handed in by those who approve, and reopened with what changed since."""

from __future__ import annotations

from collections.abc import Mapping

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import clock
from apps.core.errors import DomainError, StaleError
from apps.core.formats import euro
from apps.core.history import save_by
from apps.funding.choices import ProofState
from apps.funding.models import Budget, Grant, ProofHandingIn, ProofOfUse
from apps.funding.proof_figures import TEXTS
from apps.funding.proof_keeping import Comparison, as_json, compare, from_json, sums_as_json
from apps.funding.proof_selectors import figures_of
from apps.funding.services.steps import ensure_may, money_transaction, required_text, validated
from apps.funding.workflow import PROOF_TRANSITIONS
from apps.schools.models import School

_KEEP = "funding.keep_proofs"


def create_proof(*, grant: Grant, by: User, school: School | None = None) -> ProofOfUse:
    """A draft for a school, or for all (None); there is one of each."""
    ensure_may(by, _KEEP)
    with money_transaction():
        locked = get_object_or_404(Grant.objects.visible_to(by), pk=grant.pk)
        if ProofOfUse.objects.filter(grant=locked, school=school).exists():
            raise DomainError(
                _("There is a proof of use for this grant and school already. Please go on with that one."),
                code="exists",
            )
        return save_by(ProofOfUse(grant=locked, school=school), by=by)


def save_texts(*, proof: ProofOfUse, revision: int, by: User, texts: Mapping[str, str]) -> ProofOfUse:
    """The report in words of a draft. `revision`: what the writer has read; `StaleError` when it is another by now."""
    ensure_may(by, _KEEP)
    with money_transaction():
        row = _locked(proof, by=by)
        if row.state != ProofState.DRAFT:
            raise DomainError(
                _("This proof has been handed in. Whoever wants to change it reopens it first."),
                code="illegal_transition",
            )
        _ensure_revision(row, revision)
        return _write_texts(row, texts, by=by)


def hand_in(
    *, proof: ProofOfUse, revision: int, by: User, despite: str = "", texts: Mapping[str, str] | None = None
) -> ProofOfUse:
    """Keeps the figures as they are now; later changes move them no more, nor does handing in once more.

    `texts`: the report where it was changed along with it; `revision` is then what its writer has read. Refused
    unless the proof agrees with the ledger to the cent. What else is missing refuses, too, unless `despite` says why it
    is handed in all the same.
    """
    with money_transaction():
        row = _lock_for("hand_in", proof, by=by)
        _ensure_revision(row, revision)
        if texts is not None:
            ensure_may(by, _KEEP)
            _write_texts(row, texts, by=by)
        _hold_payments(row.grant)
        figures = figures_of(row)
        if not figures.agrees:
            raise DomainError(
                _("The proof differs from the ledger by %(difference)s. Please look at the line of the difference.")
                % {"difference": euro(figures.difference)},
                code="difference",
            )
        if figures.gaps and not despite.strip():
            raise DomainError(
                _("Something is missing or has to be explained. Please mend it, or say why you hand in all the same."),
                code="gaps",
                field="despite",
            )
        row.figures = as_json(figures) | {"despite": despite.strip()}
        row.sums = sums_as_json(figures)
        row.handed_in_on, row.handed_in_by = clock.today(), by
        ProofHandingIn.objects.create(proof=row, by=by, figures=row.figures, sums=row.sums)
        fields = ["figures", "sums", "handed_in_on", "handed_in_by"]
        return _change_state(row, "hand_in", fields, by=by, reason=despite.strip())


def reopen(*, proof: ProofOfUse, by: User, reason: str) -> ProofOfUse:
    """A draft again, whose page says what has changed since it was handed in; a reason is needed."""
    reason = required_text(reason, _("Please say why the proof is reopened."), field="reason")
    with money_transaction():
        row = _lock_for("reopen", proof, by=by)
        row.handed_in_on = row.handed_in_by = None
        return _change_state(row, "reopen", ["handed_in_on", "handed_in_by"], by=by, reason=reason)


def changes_since(proof: ProofOfUse) -> Comparison | None:
    """What has changed since the proof was handed in last; None when it never was."""
    return None if proof.figures is None else compare(from_json(proof.figures), figures_of(proof))


def _locked(proof: ProofOfUse, *, by: User) -> ProofOfUse:
    rows = ProofOfUse.objects.visible_to(by).select_for_update(of=("self",), no_key=True)
    row: ProofOfUse = get_object_or_404(rows.select_related("grant__programme", "school"), pk=proof.pk)
    return row


def _lock_for(action: str, proof: ProofOfUse, *, by: User) -> ProofOfUse:
    transition = PROOF_TRANSITIONS.transitions[action]
    ensure_may(by, transition.permission)
    row = _locked(proof, by=by)
    PROOF_TRANSITIONS.ensure(action, source=row.state, target=min(transition.targets))
    return row


def _write_texts(row: ProofOfUse, texts: Mapping[str, str], *, by: User) -> ProofOfUse:
    for name in TEXTS:
        setattr(row, name, texts.get(name, getattr(row, name)).strip())
    row.revision += 1
    validated(row, exclude=("grant", "school"))
    return save_by(row, by=by, update_fields=[*TEXTS, "revision"])


def _hold_payments(grant: Grant) -> None:
    """Locks the grant's budgets: a payment out of them waits until the figures are kept."""
    list(Budget.objects.select_for_update(of=("self",), no_key=True).filter(grant=grant).order_by("pk"))


def _ensure_revision(row: ProofOfUse, revision: int) -> None:
    if row.revision != revision:
        raise StaleError(
            _("Somebody has changed this proof in the meantime. Please load the page again."), code="stale"
        )


def _change_state(row: ProofOfUse, action: str, fields: list[str], *, by: User, reason: str) -> ProofOfUse:
    """The only place that assigns a proof's state."""
    (row.state,) = PROOF_TRANSITIONS.transitions[action].targets
    row.revision += 1
    return save_by(row, by=by, update_fields=["state", "revision", *fields], reason=reason)
