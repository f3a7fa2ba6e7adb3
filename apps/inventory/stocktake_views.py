"""Pages of the stocktake: begin, overview, what was found, settle, close."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.generic import FormView, TemplateView, View

from apps.core.errors import DomainError
from apps.core.exports import file_name
from apps.core.list_views import PortalListView
from apps.core.pages import PageMixin
from apps.core.tables import PortalTable
from apps.inventory import services
from apps.inventory import stocktake_selectors as selectors
from apps.inventory.models import Stocktake, StocktakeItem
from apps.inventory.stocktake_choices import SETTLES, Outcome, Settlement, StocktakeState
from apps.inventory.stocktake_forms import ReasonForm, StartForm
from apps.inventory.stocktake_losses import losses_of
from apps.inventory.stocktake_report import report_pdf
from apps.inventory.stocktake_tables import ItemFilters, ItemTable, StocktakeFilters, StocktakeTable
from apps.schools.models import School

Text = str | Promise
MOST_AT_ONCE = 500


@dataclass(frozen=True)
class Way:
    """One way to settle findings, as people see it. `ask`: a page asks first, with a reason."""

    how: Settlement
    label: Text
    ask: bool = False
    danger: bool = False
    hint: Text = ""


_ALL_WAYS = (
    Way(Settlement.ROOM_TAKEN_OVER, _("Take over the room"),
        hint=_("They are then recorded in the rooms in which they were found.")),
    Way(Settlement.MOVED_HERE, _("Move here"),
        hint=_("They then belong to the school of this stocktake and count there.")),
    Way(Settlement.AWAY, _("Is on loan or in repair")),
    Way(Settlement.FOUND_BY_HAND, _("Found without scanning"), ask=True,
        hint=_("For devices that are there, but whose label cannot be read.")),
    Way(Settlement.REPORTED_LOST, _("Report as lost"), ask=True, danger=True,
        hint=_("They then no longer count for the school. Their history stays.")),
    Way(Settlement.RECORDED, _("Is recorded now")),
    Way(Settlement.IGNORED, _("Leave as it is"), ask=True,
        hint=_("Nothing about the devices changes. The reason stands in the result.")),
)  # fmt: skip
WAYS = {way.how.value: way for way in _ALL_WAYS}


class StocktakePageMixin(PermissionRequiredMixin, PageMixin):
    """Signed in and allowed, or sent to the sign-in, or 403; stocktakes outside the scope are 404."""

    permission_required: str | Sequence[str] = "inventory.view_stocktake"

    def get_breadcrumbs(self) -> list[tuple[Text, str]]:
        crumbs: list[tuple[Text, str]] = [(_("Inventory"), reverse("inventory:list"))]
        crumbs.append((_("Stocktakes"), reverse("inventory:stocktakes")))
        if "pk" in self.kwargs:
            crumbs.append((str(self.stocktake), self.stocktake.get_absolute_url()))
        return crumbs

    @cached_property
    def stocktake(self) -> Stocktake:
        rows: Any = Stocktake.objects.select_related("school", "site", "started_by", "closed_by")
        return rows.get_visible_or_404(self.request.user, pk=self.kwargs["pk"])

    @property
    def may_run(self) -> bool:
        return self.request.user.has_perm("inventory.run_stocktake") and self.stocktake.is_open

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        if "pk" in self.kwargs:
            kwargs |= {"stocktake": self.stocktake, "may_run": self.may_run, "states": StocktakeState}
        return super().get_context_data(**kwargs)

    def overview(self) -> HttpResponse:
        return redirect(self.stocktake)


class RunMixin(StocktakePageMixin):
    """For those who run stocktakes; of one that is closed the overview says so."""

    permission_required = "inventory.run_stocktake"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.has_permission() and "pk" in kwargs and not self.stocktake.is_open and self.needs_open:
            messages.info(request, _("This stocktake is closed. Nothing about it changes any more."))
            return self.overview()
        return super().dispatch(request, *args, **kwargs)

    needs_open = True


class StocktakeListView(StocktakePageMixin, PortalListView):
    template_name = "inventory/stocktakes/list.html"
    table_class = StocktakeTable
    filterset_class = StocktakeFilters
    heading = _("Stocktakes")
    default_order = ("-started_at",)

    def get_breadcrumbs(self) -> list[tuple[Text, str]]:
        return super().get_breadcrumbs()[:-1]

    def get_queryset(self) -> QuerySet[Any]:
        rows: Any = Stocktake.objects.visible_to(self.request.user)
        expected = Q(items__expected=True) & ~selectors.away("items__")
        return rows.select_related("school", "site").annotate(
            expected=Count("items", filter=expected),
            found=Count("items", filter=expected & ~Q(items__outcome=Outcome.MISSING)),
        )

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.may_start = request.user.has_perm("inventory.run_stocktake")
        self.empty_text = _("There has been no stocktake yet.")
        if self.may_start:
            self.empty_action = ("inventory:stocktake_start", _("Begin stocktake"))
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(may_start=self.may_start, **kwargs)


class StocktakeStartView(RunMixin, FormView):
    template_name = "inventory/stocktakes/start.html"
    form_class = StartForm
    heading = _("Begin stocktake")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.request.user, "cancel_url": reverse("inventory:stocktakes")}

    def get_initial(self) -> dict[str, Any]:
        schools: Any = School.objects.visible_to(self.request.user)
        school = schools.filter(number=self.request.GET.get("school", "")).first()
        return {"school": school} if school else {}

    def form_valid(self, form: StartForm) -> HttpResponse:
        try:
            stocktake = services.start_stocktake(by=self.request.user, **form.cleaned_data)
        except DomainError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
            return self.form_invalid(form)
        messages.success(self.request, _("The stocktake has begun. Others may scan along."))
        return redirect("inventory:stocktake_scan", pk=stocktake.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(running=selectors.running_stocktakes(self.request.user), **kwargs)


class StocktakeView(StocktakePageMixin, TemplateView):
    """How far it is, room by room, and what is to be settled."""

    template_name = "inventory/stocktakes/detail.html"

    def get_heading(self) -> str:
        return self.stocktake.place

    def get_breadcrumbs(self) -> list[tuple[Text, str]]:
        return super().get_breadcrumbs()[:-1]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        progress = selectors.progress_of(self.stocktake)
        return super().get_context_data(
            progress=progress,
            tasks=[self._task(outcome, progress) for outcome in Outcome if outcome != Outcome.FOUND],
            lent_url=self._items_of(selectors.ON_LOAN),
            gone_url=self._items_of(selectors.GONE),
            rooms=[(row, self._room_address(row)) for row in selectors.rooms_of(self.stocktake)],
            **kwargs,
        )

    def _items_of(self, kind: str) -> str:
        return f"{reverse('inventory:stocktake_items', args=[self.stocktake.pk])}?outcome={kind}"

    def _task(self, outcome: Outcome, progress: selectors.Progress) -> dict[str, Any]:
        items = reverse("inventory:stocktake_items", args=[self.stocktake.pk])
        still = progress.unsettled[outcome]
        query = urlencode({"outcome": outcome.value, **({"settled": "no"} if still else {})})
        return {"outcome": outcome, "number": progress.numbers[outcome], "open": still, "url": f"{items}?{query}"}

    def _room_address(self, row: selectors.RoomProgress) -> str:
        page = "inventory:stocktake_scan" if self.may_run else "inventory:stocktake_items"
        query = {"room": row.room, **({"site": row.site_id} if row.site_id and self.may_run else {})}
        return f"{reverse(page, args=[self.stocktake.pk])}?{urlencode(query)}"


class StocktakeItemsView(StocktakePageMixin, PortalListView):
    """What was found or not, with the ways to settle what the filter shows."""

    template_name = "inventory/stocktakes/items.html"
    table_class = ItemTable
    filterset_class = ItemFilters
    heading = _("Findings")
    default_order = ("code",)
    empty_text = _("Nothing was found yet.")
    rows_per_page = 200

    def get_queryset(self) -> QuerySet[Any]:
        rows = StocktakeItem.objects.filter(stocktake=self.stocktake)
        return selectors.with_ends(rows.select_related("device__product", "school", "site", "found_site"))

    @cached_property
    def shown(self) -> str:
        """The outcome that the filter shows; "" for all."""
        filters = self.filterset
        return filters.form.cleaned_data["outcome"] if filters.is_bound and filters.form.is_valid() else ""

    def get_bulk_actions(self) -> Sequence[tuple[str, Text]]:
        if not self.may_run or self.shown == Outcome.FOUND:
            return ()
        ways = [way for way in _ALL_WAYS if self.shown in SETTLES[way.how] or not self.shown]
        return [(self._settle(way.how), way.label) for way in ways]

    def _settle(self, how: Settlement) -> str:
        return reverse("inventory:stocktake_settle", args=[self.stocktake.pk, how.value])

    def _unpaged_table(self, rows: Any) -> PortalTable:
        self.count_exactly = True
        return super()._unpaged_table(rows)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        if self.may_run and self.shown and self.shown != Outcome.FOUND:
            context["all_open"] = selectors.still_open(self.stocktake).filter(outcome=self.shown).count()
        if self.shown == Outcome.UNKNOWN and self.may_run and self.request.user.has_perm("inventory.add_device"):
            still = [row.record for row in context["table"].paginated_rows if not row.record.settlement]
            context["to_add"] = [(item, self._add_address(item)) for item in still]
        return context

    def _add_address(self, item: StocktakeItem) -> str:
        known = {"school": self.stocktake.school.number, "serial": item.code, "room": item.found_room}
        return f"{reverse('inventory:add')}?{urlencode(known)}"


class StocktakeSettleView(RunMixin, FormView):
    """Settles findings in one way: chosen ones (`ids`), or those of a kind that are open (`all`: the outcome).

    What destroys, needs a reason or takes all asks first, and then sends the `ids` that were shown.
    """

    template_name = "inventory/stocktakes/settle.html"
    form_class = ReasonForm

    @cached_property
    def way(self) -> Way:
        if self.kwargs["how"] not in WAYS:
            raise Http404
        return WAYS[self.kwargs["how"]]

    @cached_property
    def items(self) -> list[StocktakeItem]:
        rows = StocktakeItem.objects.filter(stocktake=self.stocktake)
        kind = self.request.POST.get("all", "")
        if kind:
            still = selectors.still_open(self.stocktake)
            rows = still.filter(outcome=kind) if kind in SETTLES[self.way.how] else rows.none()
        else:
            ids = self.request.POST.getlist("ids")[:MOST_AT_ONCE]
            rows = rows.filter(pk__in=[number for number in ids if number.isdecimal() and len(number) < 19])
        return list(rows.select_related("device__product", "school").order_by("code")[:MOST_AT_ONCE])

    def get_heading(self) -> Text:
        return self.way.label

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Nothing links here: people come back to this address after they had to sign in again."""
        _known = self.way
        return self._back()

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.items:
            messages.warning(request, _("Nothing was chosen. Please choose one or more rows."))
            return self._back()
        if (self.way.ask and "reason" not in request.POST) or "all" in request.POST:
            return self.render_to_response(self.get_context_data(form=self._form(bound=False)))
        return self._settle(request.POST.get("reason", "") if self.way.ask else "")

    def _form(self, *, bound: bool) -> ReasonForm:
        return ReasonForm(
            self.request.POST if bound else None,
            submit=self.way.label,
            cancel_url=self._list_address(),
            required=self.way.how in services.NEEDS_REASON if self.way.ask else None,
            danger=self.way.danger,
        )

    def _settle(self, reason: str) -> HttpResponse:
        try:
            result = services.settle_items(
                stocktake=self.stocktake, items=self.items, how=self.way.how, by=self.request.user, reason=reason
            )
        except DomainError as error:
            if error.code == "closed":
                messages.error(self.request, str(error))
                return self.overview()
            form = self._form(bound=True)
            form.is_valid()
            if not form.errors:
                form.add_error("reason", str(error))
            return self.render_to_response(self.get_context_data(form=form), status=422)
        self._say(result)
        return self._back()

    def _say(self, result: services.Settled) -> None:
        if result.number:
            said = ngettext("%(number)d finding is settled.", "%(number)d findings are settled.", result.number)
            messages.success(self.request, said % {"number": result.number})
        for code, why in result.refused[:10]:
            messages.error(self.request, f"{code}: {why}")
        more = len(result.refused) - 10
        if more > 0:
            said = ngettext("%(number)d more could not be settled.", "%(number)d more could not be settled.", more)
            messages.error(self.request, said % {"number": more})

    def _list_address(self) -> str:
        outcomes = sorted(SETTLES[self.way.how])
        query = {"settled": "no", **({"outcome": outcomes[0]} if len(outcomes) == 1 else {})}
        return f"{reverse('inventory:stocktake_items', args=[self.stocktake.pk])}?{urlencode(query)}"

    def _back(self) -> HttpResponse:
        return redirect(self._list_address())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        words = selectors.Words(self.request.user, self.items)
        losses = losses_of(self.items) if self.way.how == Settlement.REPORTED_LOST else None
        items = self.items if losses is None else losses.items
        shown = [(item, item.device.product if words.shows(item) and item.device else "") for item in items]
        homes = Counter(words.belongs(item) for item in items if item.outcome == Outcome.ELSEWHERE)
        more = {"losses": losses, "back_url": self._list_address(), "homes": homes.most_common()}
        return super().get_context_data(items=shown, way=self.way, **more, **kwargs)


class StocktakeCloseView(RunMixin, TemplateView):
    """Says what closing means, or what is still open."""

    template_name = "inventory/stocktakes/close.html"
    heading = _("Close stocktake")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        progress = selectors.progress_of(self.stocktake)
        still = [(outcome, number) for outcome, number in progress.unsettled.items() if number]
        return super().get_context_data(progress=progress, still=still, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            services.close_stocktake(stocktake=self.stocktake, by=request.user)
        except DomainError as error:
            messages.error(request, str(error))
            return redirect("inventory:stocktake_close", pk=self.stocktake.pk)
        messages.success(request, _("The stocktake is closed. Its result is ready."))
        return self.overview()


class StocktakeCancelView(RunMixin, FormView):
    template_name = "inventory/stocktakes/cancel.html"
    heading = _("Cancel stocktake")

    def get_form(self, form_class: Any = None) -> ReasonForm:
        data = self.request.POST if self.request.method == "POST" else None
        url = self.stocktake.get_absolute_url()
        return ReasonForm(data, submit=_("Cancel stocktake"), cancel_url=url, required=True, danger=True)

    def form_valid(self, form: ReasonForm) -> HttpResponse:
        try:
            services.cancel_stocktake(
                stocktake=self.stocktake, by=self.request.user, reason=form.cleaned_data["reason"]
            )
        except DomainError as error:
            form.add_error("reason" if error.field else None, str(error))
            return self.form_invalid(form)
        messages.success(self.request, _("The stocktake is cancelled."))
        return self.overview()


class StocktakeResultView(StocktakePageMixin, View):
    """The result as PDF; of a running stocktake as far as it is."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        response = HttpResponse(report_pdf(self.stocktake, request.user), content_type="application/pdf")
        name = file_name(f"{_('stocktake')}-{self.stocktake.school.number}", "pdf")
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response
