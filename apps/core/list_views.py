"""List pages: scope, filters, sorting, paging, export."""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.mixins import PermissionRequiredMixin
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView
from django_tables2.config import RequestConfig

from apps.core import saved_filter_answers, saved_filters
from apps.core.exports import FORMATS, lines_response, xlsx_response
from apps.core.filters import PortalFilterSet
from apps.core.pages import PageMixin
from apps.core.tables import ROWS_PER_PAGE, PortalTable

Text = str | Promise


class PortalListView(PermissionRequiredMixin, PageMixin, TemplateView):
    """A list of rows that the person may see.

    Subclasses give `table_class`, `heading`, `get_queryset()` (from `visible_to`), and may give `filterset_class`,
    `permission_required`, `empty_text`, `empty_hint`, `empty_action` ((url or url name, label)), `export_name`
    (offers CSV and XLSX of the filtered rows), `bulk_actions` ((url name, label) pairs that get POSTed `ids`),
    `default_order` (column names), `count_exactly`, `count_up_to` and `known_count` (see `PortalTable`), `saved_as`
    (the list's name for people's own filters, which are sent to the list's own address). Anonymous people are sent to
    the sign-in, others without permission get 403.
    """

    template_name = "core/list_page.html"
    table_class: type[PortalTable]
    filterset_class: type[PortalFilterSet] | None = None
    permission_required: str | Sequence[str] = ()
    caption: Text = ""
    empty_text: Text = _("There is nothing here yet.")
    empty_hint: Text = ""
    empty_action: tuple[str, Text] | None = None
    export_name: str | None = None
    bulk_actions: Sequence[tuple[str, Text]] = ()
    default_order: Sequence[str] = ()
    rows_per_page = ROWS_PER_PAGE
    count_exactly = False
    count_up_to: int | None = None
    known_count: int | None = None
    saved_as = ""

    def has_permission(self) -> bool:
        """Signed in, and granted what `permission_required` names."""
        return bool(self.request.user.is_authenticated) and super().has_permission()

    def get_permission_required(self) -> Sequence[str]:
        needed = self.permission_required
        return (needed,) if isinstance(needed, str) else needed

    def get_queryset(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must start from visible_to(self.request.user)")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.filterset = self.get_filterset()
        self.own_filters = self._own_filters()
        first = next((own.row.query for own in self.own_filters if own.row.is_default), "")
        if first and not request.GET:
            return redirect(f"{request.path}?{first}")
        if first and self.filterset is not None:
            self.filterset.plain_address = f"?{saved_filters.PLAIN}=none"
        rows = self.filterset.qs if self.filterset is not None else self.get_queryset()
        kind = request.GET.get("export")
        if kind:
            return self._export(kind, rows)
        return self.render_to_response(self.get_context_data(table=self.get_table(rows), **kwargs))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """One of the person's own filters is kept, renamed, put first or forgotten."""
        if not self.saved_as:
            return self.http_method_not_allowed(request)
        self.filterset = self.get_filterset()
        return saved_filter_answers.answer(request, list_name=self.saved_as, query=self._known_query())

    def _known_query(self) -> str:
        fields = self.filterset.form.fields if self.filterset is not None else ()
        return saved_filters.known_query(self.request.GET, fields)

    def _own_filters(self) -> list[saved_filters.OwnFilter]:
        if not self.saved_as:
            return []
        return saved_filters.own_filters(self.request.user, self.saved_as, self._known_query())

    def get_filterset(self) -> PortalFilterSet | None:
        if self.filterset_class is None:
            return None
        return self.filterset_class(self.request.GET or None, queryset=self.get_queryset(), request=self.request)

    def get_table(self, rows: Any) -> PortalTable:
        table = self._unpaged_table(rows)
        table.count_exactly, table.count_up_to = self.count_exactly, self.count_up_to
        table.known_count = self.known_count
        return RequestConfig(self.request, paginate={"per_page": self.rows_per_page}).configure(table)

    def _unpaged_table(self, rows: Any) -> PortalTable:
        filtered = self.filterset is not None and bool(self.filterset.chips())
        return self.table_class(
            rows,
            caption=self.caption,
            selectable=bool(self.get_bulk_actions()),
            order_by=tuple(self.default_order) or None,
            empty_text=_("Nothing matches these filters.") if filtered else self.empty_text,
            empty_hint="" if filtered else self.empty_hint,
            empty_action=self._empty_action(filtered=filtered),
        )

    def _empty_action(self, *, filtered: bool) -> tuple[str, Text] | None:
        if filtered and self.filterset is not None:
            return self.filterset.reset_address(), _("Show all")
        if self.empty_action is None:
            return None
        target, label = self.empty_action
        return resolved(target), label

    def get_bulk_actions(self) -> Sequence[tuple[str, Text]]:
        """What the chosen rows can be sent to; override to depend on the person's permissions."""
        return self.bulk_actions

    def _export(self, kind: str, rows: Any) -> HttpResponseBase:
        if self.export_name is None or kind not in FORMATS:
            raise Http404
        table = self._unpaged_table(rows)
        RequestConfig(self.request, paginate=False).configure(table)
        records = table.data.data
        if kind == "csv":
            return lines_response(self.export_name, table.csv_file(records))
        if hasattr(records, "iterator"):
            records = records.iterator(chunk_size=2000)
        return xlsx_response(self.export_name, table.export_header(), table.export_rows(records))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kwargs.setdefault("filterset", self.filterset)
        kwargs.setdefault("saved_as", self.saved_as)
        kwargs.setdefault("own_filters", self.own_filters)
        kwargs.setdefault("can_keep", bool(self.saved_as) and bool(self._known_query()))
        kwargs.setdefault("export_formats", FORMATS if self.export_name else ())
        kwargs.setdefault("bulk_actions", [(resolved(name), label) for name, label in self.get_bulk_actions()])
        return super().get_context_data(**kwargs)


def resolved(target: str) -> str:
    """An address as it is, or the address of a url name."""
    try:
        return target if target.startswith(("/", "?")) else reverse(target)
    except NoReverseMatch:
        return target
