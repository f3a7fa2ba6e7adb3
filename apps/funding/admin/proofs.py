"""Proofs of use: what is missing, report in words, figures, handing in, and the proof as files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import NoReverseMatch, path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core import formats
from apps.core.errors import DomainError
from apps.core.form_layout import collect_errors, refuse
from apps.core.templatetags.portal import badge, state_badge
from apps.core.text import as_key
from apps.funding import proof_lists as lists
from apps.funding import proof_report as report
from apps.funding import services
from apps.funding.admin.filters import ALL
from apps.funding.admin.papers import KEEP, PaperAdmin, Step, first_rows
from apps.funding.choices import ProofState
from apps.funding.drawdown_selectors import draft_of
from apps.funding.handings_in import in_words, numbered, shown_of
from apps.funding.models import ProofOfUse
from apps.funding.proof_figures import TEXTS, Gap, ProofFigures
from apps.funding.proof_forms import HandInForm, NewProofForm, ReasonForm, TextsForm
from apps.funding.proof_keeping import Comparison, came_or_went, sums_from_json
from apps.funding.proof_marks import differences_of, moved_proofs
from apps.funding.proof_selectors import as_handed_in, figures_of, shown_figures
from apps.funding.proof_words import (
    TEXT_LABELS,
    devices_in_words,
    difference_in_words,
    facts_in_words,
    gap_label,
    gap_subject,
    gap_verb,
    planned_in_words,
    sums_in_words,
    vouchers_in_words,
)

HAND_IN = "funding.hand_in_proof"
PAST = "handed_in"
"""In the address: the key of the handing-in whose figures are shown, on the page and in its files."""
VOUCHERS_ON_A_PHONE = (0, 3, 4, 5, 7)
"""Number, subject, school, amount, paid by the grant."""
DEVICES_ON_A_PHONE = (0, 1, 2, 3)
"""Inventory number, serial number, product, school."""
EXPLAINED = ("outside_period", "gone")
"""Gaps that no entry mends: the report explains them."""
_FIELDS = {"no_lucom": "#id_lucom_number", "no_contact": "#id_contact"}
"""Where on the grant's page a gap is mended."""
_DEVICE_PAGES = {"no_serial": "inventory:edit", "unbound": "inventory:binding"}
_PAGES = {"grant": "grant", "budget": "budget", "invoice": "invoice", "order": "order"}
_LISTS = {"invoices": ("invoice", {"state": ALL}), "drawdowns": ("drawdown", {})}
"""Lists that are searched for the grant's file reference, and what else they are asked for."""


@dataclass(frozen=True)
class ShownGap:
    subject: str
    subject_url: str
    verb: str
    url: str


class MovedFilter(admin.SimpleListFilter):
    """Handed-in proofs by whether their figures are still those of today."""

    title = _("since it was handed in")
    parameter_name = "since"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("moved", _("figures have changed")), ("same", _("figures are the same"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("moved", "same"):
            return queryset
        keys = [row.proof.pk for row in moved_proofs(request.user)]  # type: ignore[arg-type]  # signed in
        if self.value() == "moved":
            return queryset.filter(pk__in=keys)
        return queryset.filter(state=ProofState.HANDED_IN).exclude(pk__in=keys)


@admin.register(ProofOfUse)
class ProofAdmin(PaperAdmin):
    folder = "proofofuse"
    list_display = ("name", "school_shown", "state_shown", "since_then", "due", "handed_in")
    list_display_links = ("name",)
    list_filter = ("state", MovedFilter)
    list_select_related = ("grant__programme", "school")
    ordering = ("-pk",)
    sortable_by = ()
    search_fields = ("grant__file_reference", "grant__programme__name")
    search_help_text = _("Searches file references and programmes.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The figures as handed in are long; lists do without them."""
        rows: QuerySet[Any] = super().get_queryset(request).select_related("grant__programme", "school")
        return (
            rows if request.resolver_match and "object_id" in request.resolver_match.kwargs else rows.defer("figures")
        )

    @admin.display(description=_("grant"))
    def name(self, row: ProofOfUse) -> str:
        return str(row.grant)

    @admin.display(description=_("school"))
    def school_shown(self, row: ProofOfUse) -> str:
        return gettext("all schools") if row.school is None else str(row.school)

    @admin.display(description=_("state"))
    def state_shown(self, row: ProofOfUse) -> str:
        return state_badge(row.state, ProofState)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The rows of the page, each with what has moved."""
        changelist = super().get_changelist_instance(request)
        rows: Any = changelist.result_list
        found = differences_of(rows)
        for row in rows:
            row.differences = found[row.pk]
        return changelist

    @admin.display(description=_("since it was handed in"))
    def since_then(self, row: Any) -> str:
        if row.state != ProofState.HANDED_IN:
            return "–"
        return badge(gettext("figures have changed"), "warning") if row.differences else gettext("figures are the same")

    @admin.display(description=_("due on"))
    def due(self, row: ProofOfUse) -> str:
        return formats.day(row.grant.proof_due_on)

    @admin.display(description=_("handed in on"))
    def handed_in(self, row: ProofOfUse) -> str:
        return formats.day(row.handed_in_on) if row.handed_in_on else gettext("not yet")

    # Pages

    def row_of(self, request: HttpRequest, object_id: str) -> Any:
        """As it is, or where the address asks for it, as it was at one of the times that it was handed in."""
        row = super().row_of(request, object_id)
        asked = request.GET.get(PAST, "")
        if not asked or request.method == "POST":
            return row
        past = row.handings_in.select_related("proof__grant__programme", "proof__school", "by")
        return as_handed_in(get_object_or_404(past, pk=as_key(asked)))

    def new_page(self, request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        earlier = None
        form = NewProofForm(user, request.POST if request.method == "POST" else None, initial=request.GET.dict())
        if form.is_valid():
            try:
                proof = services.create_proof(
                    grant=form.cleaned_data["grant"], school=form.cleaned_data["school"], by=user
                )
                return self.done(request, proof, gettext("The proof of use is begun."))
            except DomainError as error:
                refuse(form, error)
                same = {name: form.cleaned_data[name] for name in ("grant", "school")}
                earlier = ProofOfUse.objects.visible_to(user).filter(**same).first()
        title = gettext("New proof of use")
        return self.page(request, "add.html", title, form=form, errors=collect_errors(form), earlier=earlier)

    def row_page(self, request: HttpRequest, row: ProofOfUse, **context: Any) -> HttpResponse:
        figures = shown_figures(row)
        draft = row.state == ProofState.DRAFT
        initial = {name: getattr(row, name) for name in TEXTS} | {"revision": row.revision}
        may_write = draft and request.user.has_perm(KEEP)
        past = request.GET.get(PAST, "") if request.method != "POST" else ""
        handings_in = _handings_in(row)
        shown = shown_of(row)
        own = {
            "original": row,
            "is_row_page": True,
            "draft": draft,
            "state": ProofState(row.state),
            "figures": figures,
            "facts": list(facts_in_words(figures.facts)),
            "gaps": _grouped(figures.gaps),
            "planned_in_words": planned_in_words(figures),
            "financing": first_rows(*lists.financing(figures)),
            "money": lists.money(figures),
            "spending": first_rows(*lists.spending(figures)),
            "agreement": first_rows(*lists.agreement(figures)),
            "vouchers_title": vouchers_in_words(len(figures.vouchers)),
            "vouchers": first_rows(*lists.vouchers_in_short(figures), brief=VOUCHERS_ON_A_PHONE),
            "devices": first_rows(*lists.devices(figures), brief=DEVICES_ON_A_PHONE),
            "devices_in_words": devices_in_words(figures),
            "texts": [(TEXT_LABELS[name], figures.texts.get(name, "")) for name in TEXTS],
            "changes": _changes(row, draft=draft),
            "moved": None if past else _moved(row, figures),
            "past": past,
            "past_query": f"?{urlencode({PAST: past})}" if past else "",
            "handing_in": in_words(shown) if shown and len(handings_in) > 1 else "",
            "handings_in": handings_in if past or draft or len(handings_in) > 1 else [],
            "may_write": may_write,
            "draft_drawdown": draft_of(row.grant, request.user),  # type: ignore[arg-type]  # signed in
            "may_draw": request.user.has_perm(KEEP) and not past,
            "may_decide": request.user.has_perm(HAND_IN) and not past,
            "texts_form": TextsForm(initial=initial) if may_write else None,
            "hand_in_form": _hand_in_form(row),
            "reopen_form": ReasonForm(),
            "errors": [],
        }
        return self.page(request, "change.html", str(row), **(own | context))

    def steps(self) -> dict[str, Step]:
        return {"save": self._save, "hand_in": self._hand_in, "reopen": self._reopen}

    def _save(self, request: HttpRequest, row: ProofOfUse) -> HttpResponse:
        """What was typed beside it, about handing in, is kept on the page."""
        form, despite = TextsForm(request.POST), request.POST.get("despite", "")
        if form.is_valid():
            try:
                saved = _save_texts(row, form, by=request.user)
            except DomainError as error:
                refuse(form, error)
            else:
                if not despite.strip():
                    return self.done(request, row, gettext("The report is saved."))
                messages.success(request, gettext("The report is saved."))
                return self.row_page(request, saved, hand_in_form=_hand_in_form(saved, despite))
        row.refresh_from_db()
        hand_in_form = _hand_in_form(row, despite)
        return self.row_page(request, row, texts_form=form, hand_in_form=hand_in_form, errors=collect_errors(form))

    def _hand_in(self, request: HttpRequest, row: ProofOfUse) -> HttpResponse:
        """With the report as it was typed, saved or not."""
        form, texts = HandInForm(request.POST), _typed_texts(request)
        if form.is_valid() and (texts is None or texts.is_valid()):
            typed = texts if texts is not None and _differs(row, texts) else None
            try:
                services.hand_in(
                    proof=row,
                    revision=form.cleaned_data["seen"] if typed is None else typed.cleaned_data["revision"],
                    by=request.user,  # type: ignore[arg-type]  # signed in
                    despite=form.cleaned_data["despite"],
                    texts=None if typed is None else _texts_of(typed),
                )
                return self.done(request, row, gettext("The proof of use is handed in. Its figures stay as they are."))
            except DomainError as error:
                refuse(form, error)
        row.refresh_from_db()
        shown = {"hand_in_form": form} | ({"texts_form": texts} if texts is not None else {})
        return self.row_page(request, row, **shown, errors=collect_errors(form))

    def _reopen(self, request: HttpRequest, row: ProofOfUse) -> HttpResponse:
        form = ReasonForm(request.POST)
        if form.is_valid():
            try:
                services.reopen(proof=row, by=request.user, reason=form.cleaned_data["reason"])  # type: ignore[arg-type]
                return self.done(request, row, gettext("The proof of use is a draft again."))
            except DomainError as error:
                refuse(form, error)
        row.refresh_from_db()
        return self.row_page(request, row, reopen_form=form, errors=collect_errors(form))

    # Files

    def pdf(self, row: ProofOfUse) -> bytes:
        return report.proof_pdf(row, shown_figures(row))

    def xlsx(self, row: ProofOfUse) -> Any:
        return report.proof_xlsx(row, shown_figures(row))

    def get_urls(self) -> list[Any]:
        wrap, name = self.admin_site.admin_view, "funding_proofofuse"
        own = [
            path("<path:object_id>/vouchers/csv/", wrap(self.vouchers_csv_view), name=f"{name}_vouchers_csv"),
            path("<path:object_id>/devices/csv/", wrap(self.devices_csv_view), name=f"{name}_devices_csv"),
        ]
        return own + super().get_urls()

    def vouchers_csv_view(self, request: HttpRequest, object_id: str) -> Any:
        row = self.row_of(request, object_id)
        return report.vouchers_csv(row, shown_figures(row))

    def devices_csv_view(self, request: HttpRequest, object_id: str) -> Any:
        row = self.row_of(request, object_id)
        return report.devices_csv(row, shown_figures(row))

    def stem(self, row: ProofOfUse) -> str:
        return report.file_stem(row)


def _hand_in_form(row: ProofOfUse, despite: str = "") -> HandInForm:
    return HandInForm(initial={"seen": row.revision, "despite": despite})


def _typed_texts(request: HttpRequest) -> TextsForm | None:
    """None where the report was not sent along."""
    is_sent = all(name in request.POST for name in ("revision", *TEXTS))
    return TextsForm(request.POST) if is_sent else None


def _differs(row: ProofOfUse, form: TextsForm) -> bool:
    """Whether somebody typed something; browsers send line ends of their own."""
    typed = {name: form.cleaned_data[name].replace("\r\n", "\n") for name in TEXTS}
    return any(typed[name] != getattr(row, name).replace("\r\n", "\n") for name in TEXTS)


def _save_texts(row: ProofOfUse, form: TextsForm, *, by: Any) -> ProofOfUse:
    return services.save_texts(proof=row, revision=form.cleaned_data["revision"], by=by, texts=_texts_of(form))


def _texts_of(form: TextsForm) -> dict[str, str]:
    return {name: form.cleaned_data[name] for name in TEXTS}


def _grouped(gaps: Sequence[Gap]) -> list[dict[str, Any]]:
    """By kind, each with the way to where it is mended."""
    groups: dict[str, list[ShownGap]] = {}
    for gap in gaps:
        url = _url(gap.target)
        groups.setdefault(gap_label(gap), []).append(ShownGap(gap_subject(gap), url, gap_verb(gap), _mend(gap, url)))
    return [{"label": label, "gaps": found, "count": len(found)} for label, found in groups.items()]


def _mend(gap: Gap, url: str) -> str:
    """Where it is mended; `url`: the page of what it is about."""
    if gap.kind in EXPLAINED:
        return "#id_deviations"
    if gap.kind in _DEVICE_PAGES:
        return reverse(_DEVICE_PAGES[gap.kind], args=[gap.target.partition(":")[2]])
    return f"{url}{_FIELDS.get(gap.kind, '')}" if url else ""


def _url(target: str) -> str:
    """The page of what a gap is about; "" where there is none."""
    kind, _colon, key = target.partition(":")
    if kind == "text":
        return f"#id_{key}"
    if kind == "device":
        return reverse("inventory:detail", args=[key])
    if kind in _LISTS:
        model, asked = _LISTS[kind]
        return f"{reverse(f'admin:funding_{model}_changelist')}?{urlencode({'q': key} | asked)}"
    page = _PAGES.get(kind)
    try:
        return reverse(f"admin:funding_{page}_change", args=[key]) if page else ""
    except NoReverseMatch:
        return ""


def _moved(proof: ProofOfUse, handed_in: ProofFigures) -> dict[str, Any] | None:
    """What differs today from what was handed in; None for a draft, and where nothing does."""
    found = differences_of([proof])[proof.pk]
    if not found:
        return None
    vouchers, devices = came_or_went(handed_in, figures_of(proof))
    return {"sums": [difference_in_words(row) for row in found], "vouchers": vouchers, "devices": devices}


def _handings_in(proof: ProofOfUse) -> list[dict[str, Any]]:
    """Each time that it was handed in, the newest first, with the sums of that day."""
    rows = proof.handings_in.select_related("by").defer("figures").order_by("-at", "-pk")
    numbers = {row.key: row.number for row in numbered(proof)}
    return [
        {
            "row": row,
            "number": numbers[row.pk],
            "query": urlencode({PAST: row.pk}),
            "sums": list(sums_in_words(sums_from_json(row.sums))),
        }
        for row in rows
    ]


def _changes(proof: ProofOfUse, *, draft: bool) -> dict[str, Any] | None:
    """What has changed since it was handed in, for a draft that was reopened."""
    found: Comparison | None = services.changes_since(proof) if draft else None
    if found is None:
        return None
    return {
        "any": bool(found),
        "sums": [difference_in_words(row) for row in found.sums],
        "vouchers": found.vouchers,
        "devices": found.devices,
        "texts": [TEXT_LABELS[name] for name in found.texts],
    }
