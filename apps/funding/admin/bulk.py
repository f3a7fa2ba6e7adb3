"""Several applications at once: first what it would do to the budgets and quotas, then how each one came out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.functional import Promise, cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.errors import DomainError
from apps.core.form_layout import collect_errors
from apps.core.mail import Letter
from apps.funding import selectors, services
from apps.funding.admin import reads
from apps.funding.admin.verbs import VERBS, Verb, rehearse
from apps.funding.admin_forms import BulkForm
from apps.funding.calculations import LineDecision, SeveralPreview, Step, needs_own_share
from apps.funding.choices import ApplicationState, ReasonKind
from apps.funding.models import Budget, EquipmentApplication, ReasonTemplate
from apps.quotas.calculations import Effect

if TYPE_CHECKING:
    from apps.funding.admin.queue import EquipmentApplicationAdmin

LIMIT = 100
FOLDER = "admin/funding/equipmentapplication"
Rows = Sequence[EquipmentApplication]


@dataclass(frozen=True)
class BulkAction:
    """What is done to several: its right, its words, whether it needs a budget, a text, a look before."""

    name: str
    permission: str
    heading: str | Promise
    what: str | Promise
    button: str | Promise
    done: str | Promise
    verb: Verb | None
    budgets: bool

    @property
    def kind(self) -> ReasonKind | None:
        return self.verb.kind if self.verb else None


ACTIONS: dict[str, BulkAction] = {
    action.name: action
    for action in (
        BulkAction(
            "approve",
            "funding.approve_application",
            _("Approve several applications"),
            _("Budgets and reason"),
            _("Approve and send the mails"),
            _("approved"),
            VERBS["approve"],
            budgets=True,
        ),
        BulkAction(
            "reserve",
            "funding.reserve_budget",
            _("Pencil in several applications"),
            _("Budget"),
            _("Pencil in"),
            _("pencilled in"),
            None,
            budgets=True,
        ),
        BulkAction(
            "return",
            "funding.return_application",
            _("Return several applications with a question"),
            _("Question"),
            _("Return and send the mails"),
            _("returned"),
            VERBS["return"],
            budgets=False,
        ),
        BulkAction(
            "reject",
            "funding.reject_application",
            _("Reject several applications"),
            _("Reason"),
            _("Reject and send the mails"),
            _("rejected"),
            VERBS["reject"],
            budgets=False,
        ),
    )
}


@dataclass(frozen=True)
class Result:
    """How one application came out; `message` is the refusal."""

    application: EquipmentApplication
    done: bool
    message: str = ""


@dataclass(frozen=True)
class Row:
    """One application of the preview; `obstacle` says why it will be left out."""

    application: Any
    obstacle: str
    step: Step | None = None
    effect: Effect | None = None

    @property
    def is_short(self) -> bool:
        return self.step is not None and not self.step.affordable


@dataclass(frozen=True)
class Single:
    """What a verb needs to know about one application of several, in the shape of the desk's form."""

    revision: int | None
    lines: Sequence[LineDecision]
    reason: str

    def decisions(self) -> Sequence[LineDecision]:
        return self.lines

    def text(self, name: str) -> str:
        return "" if name == "overrun_reason" else self.reason


class Batch:
    """One request about several applications of the person's scope."""

    def __init__(self, site: EquipmentApplicationAdmin, request: HttpRequest, action: BulkAction, rows: Rows) -> None:
        self.site = site
        self.request = request
        self.user: User = request.user  # type: ignore[assignment]  # the admin lets in signed-in people only
        self.action = action
        self.applications = rows

    @cached_property
    def budgets(self) -> Sequence[Budget]:
        return reads.budgets_to_choose(self.user)

    @cached_property
    def form(self) -> BulkForm:
        kind = self.action.kind
        templates = ReasonTemplate.objects.visible_to(self.user).filter(kind=kind) if kind else []
        typed = self.request.POST.dict() if self.request.method == "POST" else {}
        judged = typed.get("step") not in (None, "edit", "insert")
        return BulkForm(
            typed if judged else None,
            initial=typed,
            budgets=self.budgets,
            templates=list(templates),
            with_budgets=self.action.budgets,
            with_own_share=self.action.name == "approve",
            text_required=self.action.verb.required if self.action.verb else None,
        )

    def obstacle(self, application: EquipmentApplication) -> str:
        """Why this one cannot be part of it; "" where nothing stands in the way."""
        if application.state != ApplicationState.SUBMITTED:
            return gettext("The state is now “%(state)s”.") % {"state": application.get_state_display()}
        own = self.user.pk in (application.submitted_by_id, application.created_by_id)
        if self.action.name == "approve" and own:
            return gettext("You drafted or submitted it yourself; another person decides.")
        return ""

    @cached_property
    def possible(self) -> Rows:
        return [row for row in self.applications if not self.obstacle(row)]

    # Steps

    def answer(self) -> HttpResponse:
        step = self.request.POST.get("step", "")
        if self.request.method != "POST" or step == "edit":
            return self._choose()
        if step == "insert":
            self.form.insert_template()
            return self._choose()
        if not self.form.is_valid():
            return self._choose()
        if step == "confirm" or self.action.verb is None:
            return self._outcome(self._run())
        return self._preview()

    def _choose(self) -> HttpResponse:
        rows = [Row(row, self.obstacle(row)) for row in self.applications]
        return self._page("bulk.html", {"rows": rows, "errors": collect_errors(self.form)})

    def _preview(self) -> HttpResponse:
        preview = self._money() if self.action.name == "approve" else None
        if self.action.name == "approve" and preview is None:
            return self._choose()
        shown = self._shown()
        context = {
            "rows": self._rows(preview),
            "preview": preview,
            "blocked": self._blocked(preview),
            "shown": shown,
            "letters": self._letters(shown) if shown else (),
            "typed": self.form.typed(),
        }
        return self._page("bulk_preview.html", context)

    def _blocked(self, preview: SeveralPreview | None) -> str:
        """Why nothing at all would happen, so that no button promises it; "" where something would."""
        if not self.possible:
            return gettext("None of these applications can be decided. The list says why.")
        if preview is not None and not preview.affordable:
            return gettext("The money is not enough for any of these applications. Please choose another budget.")
        return ""

    def _money(self) -> SeveralPreview | None:
        budget, own = self.form.chosen()
        try:
            return selectors.decision_preview(self.possible, budget, own)
        except DomainError as error:
            self.form.refuse(error)
            return None

    def _rows(self, preview: SeveralPreview | None) -> list[Row]:
        steps = {step.application_id: step for step in preview.steps} if preview else {}
        effects = self._effects(steps) if preview else {}
        return [Row(row, self.obstacle(row), steps.get(row.pk), effects.get(row.pk)) for row in self.applications]

    def _effects(self, steps: Mapping[int, Step]) -> dict[int, Effect]:
        """Each school's quota before and after; the second application of a school starts where the first ended."""
        single = selectors.application_effects(self.possible)
        reached: dict[int, int] = {}
        effects = {}
        for row in self.possible:
            if row.pk not in single:
                continue
            effect = single[row.pk]
            devices = reached.get(row.school_id, effect.before.devices)
            after = devices + effect.devices_after - effect.before.devices
            effects[row.pk] = Effect(dataclasses.replace(effect.before, devices=devices), after)
            if steps[row.pk].affordable:
                reached[row.school_id] = after
        return effects

    def _shown(self) -> EquipmentApplication | None:
        """The application whose mail is shown: the one asked for, else the first."""
        asked = self.request.POST.get("show", "")
        return next((row for row in self.possible if str(row.pk) == asked), self.possible[0] if self.possible else None)

    def _letters(self, application: EquipmentApplication) -> tuple[Letter, ...]:
        """The mail exactly as it would go out; none where the decision would be refused."""
        verb = self.action.verb
        if verb is None:
            return ()
        try:
            return rehearse(verb, application, by=self.user, typed=self._single(application)).letters
        except DomainError:
            return ()

    def _single(self, application: EquipmentApplication) -> Single:
        if self.action.name != "approve":
            return Single(None, (), self.form.cleaned_data["reason"])
        budget, own = self.form.chosen()
        own_id = own.pk if own is not None and needs_own_share(budget.rate) else None
        lines = application.lines.values_list("pk", "quantity")
        decisions = [LineDecision(pk, quantity, budget.pk, own_id) for pk, quantity in lines]
        return Single(None, decisions, self.form.cleaned_data["reason"])

    def _run(self) -> list[Result]:
        """Does it, each application in a transaction of its own; a refusal does not keep the next from it."""
        if self.action.name == "approve":
            budget, own = self.form.chosen()
            outcomes = services.decide_several(
                applications=self.applications,
                by=self.user,
                budget=budget,
                own_share_budget=own,
                reason=self.form.cleaned_data["reason"],
            )
            return [Result(row.application, row.approved, row.message) for row in outcomes]
        return [self._run_one(row) for row in self.applications]

    def _run_one(self, application: EquipmentApplication) -> Result:
        run: Callable[[], Any]
        if self.action.verb is None:
            budget, _own = self.form.chosen()
            run = lambda: services.reserve(application=application, budget=budget, by=self.user)  # noqa: E731
        else:
            verb = self.action.verb
            run = lambda: verb.run(application, self.user, self._single(application))  # noqa: E731
        try:
            run()
        except DomainError as error:
            return Result(application, done=False, message=str(error))
        return Result(application, done=True)

    def _outcome(self, results: Sequence[Result]) -> HttpResponse:
        return self._page(
            "bulk_outcome.html",
            {
                "title": _("What happened"),
                "done": [result for result in results if result.done],
                "refused": [result for result in results if not result.done],
                "budgets": selectors.budget_rows(self.user).filter(pk__in=self.form.chosen_ids()),
            },
        )

    def _page(self, template: str, context: dict[str, Any]) -> HttpResponse:
        shared = {
            **self.site.admin_site.each_context(self.request),
            "opts": self.site.opts,
            "title": self.action.heading,
            "action": self.action,
            "batch": self,
            "form": self.form,
            "list_url": self.site.list_url(self.request),
        }
        return TemplateResponse(self.request, f"{FOLDER}/{template}", {**shared, **context})


class BulkMixin:
    """The change list's actions; each leads to a page of its own before anything happens."""

    actions = ("approve_selected", "reserve_selected", "return_selected", "reject_selected")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.bulk_view)  # type: ignore[attr-defined]
        own = [path("bulk/<slug:name>/", view, name="funding_equipmentapplication_bulk")]
        return own + super().get_urls()  # type: ignore[misc,no-any-return]

    def bulk_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """Rows outside the scope: 404, as if they did not exist."""
        action = ACTIONS.get(name)
        if action is None:
            raise Http404
        if not request.user.has_perm(action.permission):
            raise PermissionDenied(action.permission)
        ids = _ids_of(request)
        rows = list(self.get_queryset(request).filter(pk__in=ids).order_by("submitted_at", "pk"))  # type: ignore[attr-defined]
        if not ids or len(rows) != len(ids):
            raise Http404
        return Batch(self, request, action, rows).answer()  # type: ignore[arg-type]

    @admin.action(description=_("Approve selection …"), permissions=["approve"])
    def approve_selected(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        return self._to_bulk(request, "approve", rows)

    @admin.action(description=_("Pencil selection into a budget …"), permissions=["reserve"])
    def reserve_selected(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        return self._to_bulk(request, "reserve", rows)

    @admin.action(description=_("Return selection with a question …"), permissions=["return"])
    def return_selected(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        return self._to_bulk(request, "return", rows)

    @admin.action(description=_("Reject selection …"), permissions=["reject"])
    def reject_selected(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        return self._to_bulk(request, "reject", rows)

    def has_approve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ACTIONS["approve"].permission)

    def has_reserve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ACTIONS["reserve"].permission)

    def has_return_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ACTIONS["return"].permission)

    def has_reject_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ACTIONS["reject"].permission)

    def _to_bulk(self, request: HttpRequest, name: str, rows: QuerySet[Any]) -> HttpResponse | None:
        ids = list(rows.values_list("pk", flat=True)[: LIMIT + 1])
        if len(ids) > LIMIT:
            sentence = gettext("Please choose at most %(limit)s applications at once.") % {"limit": LIMIT}
            messages.warning(request, sentence)
            return None
        query = [("ids", ",".join(map(str, ids)))]
        if request.GET:
            query.append(("_changelist_filters", request.GET.urlencode()))
        url = reverse("admin:funding_equipmentapplication_bulk", args=[name])
        return HttpResponseRedirect(f"{url}?{urlencode(query)}")


def _ids_of(request: HttpRequest) -> list[int]:
    """The chosen rows, each once; an id that is no number is none of ours."""
    texts = request.GET.get("ids", "").split(",")[:LIMIT]
    return sorted({int(text) if text.isdecimal() else 0 for text in texts if text})
