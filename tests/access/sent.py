"""What people send: good data for everything that can be sent, so that only the right to send it can be missing."""

import json
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.accounts.choices import Role
from apps.core import clock
from apps.funding.drawdown_selectors import drawable_lines
from apps.schools.models import School
from tests.access.plain_data import PLAIN, REASON, Data
from tests.access.purchase_data import PURCHASES
from tests.access.visits import client_of
from tests.access.world import Place, World, foreign_to
from tests.factories import photo_file
from tests.funding.factories import pdf_file
from tests.schools.files import school, schuldaten


def data_for(title: str, world: World, row: Any, role: Role | None) -> Data:
    """What is sent to an address; `title` is the address with the label of the line."""
    address, _mark, label = title.partition("#")
    if address == "tickets:action":
        return _ticket_verb(label, world)
    if address.startswith("admin:funding_equipmentapplication_"):
        return _decision(address, label, world, row)
    if title in PLAIN:
        return PLAIN[title] | ({"on": f"{clock.today():%d.%m.%Y}"} if address.startswith("inventory:") else {})
    return _MADE[title](world, row, role)


# The portal


def _foreign_school(world: World, role: Role | None) -> School:
    found: School = world.row("school", foreign_to(role or Role.COORDINATOR))
    return found


def _add(world: World, row: School, _role: Role | None) -> Data:
    return {
        "token": uuid.uuid4(),
        "product": world.row("product").pk,
        "quantity": 1,
        "school": row.pk if row else "",
        "ownership": "bought",
        "since": clock.today().isoformat(),
    }


def _draft(world: World, row: Any, _role: Role | None) -> Data:
    line = getattr(row, "lines", None) and row.lines.get()
    return {
        "title": "Neuer Titel",
        "reason": "Neuer Grund",
        "form_key": uuid.uuid4(),
        "revision": getattr(row, "revision", ""),
        "lines-TOTAL_FORMS": 1,
        "lines-INITIAL_FORMS": 1 if line else 0,
        "lines-0-line_id": line.pk if line else "",
        "lines-0-product": world.row("product").pk,
        "lines-0-quantity": 7,
    }


def _replacing(tag: str) -> Callable[[World, Any, Role | None], Data]:
    """A draft that names a device of the foreign school as one to be replaced."""

    def made(world: World, row: Any, role: Role | None) -> Data:
        foreign = world.row("device", foreign_to(role or Role.COORDINATOR))
        return _draft(world, row, role) | {"lines-0-replaces_quantity": 1, f"lines-0-{tag}": foreign.tag}

    return made


def _stocktake(world: World, _row: Any, _role: Role | None) -> Data:
    """At the city's other school: at the own one there is a stocktake already."""
    return {"school": world.row("school", Place.CITY).pk}


def _scan(*_unused: Any) -> Data:
    return {"id": uuid.uuid4(), "code": "NEU-GESCANNT", "room": "1"}


def _scans(*_unused: Any) -> Data:
    return {"scans": json.dumps([{"id": str(uuid.uuid4()), "code": "NEU-GESCANNT", "room": "1"}])}


def _findings(outcome: str) -> Callable[[World, Any, Role | None], Data]:
    return lambda _world, row, _role: {"ids": [row.items.filter(outcome=outcome).first().pk]} | REASON


def _report(world: World, row: School, role: Role | None) -> Data:
    return {"school": row.pk, "title": "Kein Bild", "text": "Alles schwarz."}


def _report_foreign_device(world: World, row: School, role: Role | None) -> Data:
    return _report(world, row, role) | {"device": world.row("device", foreign_to(role or Role.COORDINATOR)).tag}


def _ticket_verb(verb: str, world: World) -> Data:
    if verb == "hand_over":
        return {"hand_over-responsible": world.people[Role.OFFICE_CLERK].pk}
    return {f"{verb}-text": "Ein Satz dazu."}


# The admin


def _form(page: str, editor: Role, **changes: Any) -> Callable[[World, Any, Role | None], Data]:
    """The form as the editor's browser would send it, with changes. Pages of rows are asked for this row."""

    def made(world: World, row: Any, role: Role | None) -> Data:
        address = reverse(f"admin:{page}", args=[row.pk] if page.endswith("_change") else [])
        context = client_of(world.people[editor]).get(address).context
        forms = [context["adminform"].form]
        for inline in context["inline_admin_formsets"]:
            forms += [inline.formset.management_form, *inline.formset.forms]
        sent = {field.html_name: _value(field.value()) for form in forms for field in form}
        later = {name: value(world, row, role) if callable(value) else value for name, value in changes.items()}
        return {name: value for name, value in (sent | later).items() if value is not None and value is not False}

    return made


def _previewed(**typed: Any) -> Data:
    """What was typed, with the mark of its preview."""
    return typed | {"previewed": urlencode(typed)}


def _value(value: Any) -> Any:
    if isinstance(value, list):
        return [_value(entry) for entry in value]
    return "on" if value is True else getattr(value, "pk", value)


def _decision(address: str, label: str, world: World, row: Any) -> Data:
    """On the desk (`label` is the step), for several at once (`label` is the action), or as a change list's action."""
    budget = world.row("budget").pk
    if label == "keep":
        return {"keep": "1", "name": "Meine"}
    if address.endswith("_changelist"):
        return {"action": f"{label}_selected", "_selected_action": [row.pk]}
    if address.endswith("_bulk"):
        seen = f"{row.pk}:{row.revision}"
        if label == "approve_proposed":
            seen = f"{seen}:{row.proposal.pk}"
        return {"step": "confirm", "budget": budget, "reason": "Weil es so ist.", "seen": seen}
    texts = {"reason": "Gut.", "question": "Wofür?", "rejection": "Kein Bedarf."}
    lines = {f"line-{line.pk}-approved_quantity": line.quantity for line in row.lines.all()}
    step = "cancel_reservation" if label == "cancel" else label
    return {"step": step, "budget": budget, "revision": row.revision, **texts, **lines}


def _upload(*_unused: Any) -> Data:
    return {"file": SimpleUploadedFile("schulen.csv", schuldaten([school("100009")])), "authority": "10315"}


def _people(action: str) -> Callable[..., Data]:
    return lambda world, _row, _role: {"action": action, "_selected_action": [world.row("user").pk]}


def _own_school(world: World, _row: Any, _role: Role | None) -> Any:
    return world.row("school").pk


def _foreign_key(world: World, _row: Any, role: Role | None) -> Any:
    return _foreign_school(world, role).pk


def _move(school: Callable[..., Any]) -> Callable[..., Data]:
    return lambda *known: {"school": school(*known), "room": "Neu", "on": f"{clock.today():%d.%m.%Y}"}


def _own_site(world: World, *_: Any) -> int:
    key: int = world.row("site").pk
    return key


def _foreign_site(world: World, _row: Any, role: Role | None) -> int:
    key: int = world.row("site", foreign_to(role or Role.COORDINATOR)).pk
    return key


def _platform(world: World, *_: Any) -> int:
    key: int = world.row("platform").pk
    return key


_SITE = {"name": "Turnhalle"}
_FIBRE = {"since": "01.02.2021", "mbits": 500}
_ROOMS = {"counted_on": "01.02.2021", "rooms": 9, "rooms_with_lan": 8, "rooms_with_wifi": 7}
_COUNT = {"school_year": "2019/20", "counted_on": "15.10.2019", "pupils": 90}
_MADE: dict[str, Callable[[World, Any, Role | None], Data]] = {
    "inventory:add": _add,
    "inventory:add#depot": _add,
    "inventory:add#kit": lambda *known: _add(*known) | {"product": "", "kit": known[0].row("kit").pk},
    "inventory:attach": lambda *_: {"file": photo_file(), "description": "Bruch"},
    "inventory:scan_start": _add,
    "inventory:scan_start#depot": _add,
    "inventory:scan": lambda *_: {"key": uuid.uuid4(), "serial": "NEU-0001"},
    "inventory:scan_change": lambda world, row, role: _add(world, row.school, role),
    "inventory:scan_change#away": lambda world, _row, role: _add(world, _foreign_school(world, role), role),
    "inventory:scan_remove": lambda _world, row, _role: {"scan": row.scans.get().pk},
    "inventory:bulk": lambda _world, row, _role: {"ids": row.pk},
    "inventory:move": _move(_own_school),
    "inventory:move#away": _move(_foreign_key),
    "inventory:stocktake_start": _stocktake,
    "inventory:stocktake_scan": _scan,
    "inventory:stocktake_scan#script": _scans,
    "inventory:stocktake_settle#reported_lost": _findings("missing"),
    "inventory:stocktake_settle#moved_here": _findings("elsewhere"),
    "inventory:hand_out": lambda _world, row, _role: {"code": row.tag},
    "inventory:take_back": lambda _world, row, _role: {"code": row.tag},
    "inventory:receipts": lambda _world, row, _role: {"ids": row.pk},
    "inventory:kind": lambda world, *_: {"kind": world.row("other_kind").pk, "on": f"{clock.today():%d.%m.%Y}"},
    "funding:concepts": lambda *_: {"file": pdf_file(), "dated_on": f"{clock.today():%d.%m.%Y}"},
    "funding:create": _draft,
    "funding:create#replacing": _replacing("replaced_tags"),
    "funding:edit": _draft,
    "funding:edit#replacing": _replacing("replaced_tags"),
    "tickets:create": _report,
    "tickets:create#foreign_device": _report_foreign_device,
    "admin:core_portaltext_add": lambda *_: {
        "key": "accessibility",
        "language": "en",
        "text": "x",
        "reviewed_on": "01.02.2026",
    },
    "admin:core_portaltext_change": _form("core_portaltext_change", Role.ADMIN, text="Neu."),
    "admin:core_contactmessage_change": lambda *_: {"settled_at": "2026-02-01T10:00"},
    "admin:accounts_user_add": _form(
        "accounts_user_add", Role.ADMIN, name="Neu", email="n@stadt.example", role="coordinator"
    ),
    "admin:accounts_user_change": _form("accounts_user_change", Role.ADMIN, name="Neuer Name"),
    "admin:accounts_user_changelist#deactivate": _people("deactivate"),
    "admin:accounts_user_changelist#send_password_link": _people("send_password_link"),
    "admin:core_importrun_upload": _upload,
    "admin:schools_school_add": _form(
        "schools_school_add", Role.ADMIN, number="100008", short_name="Neu", official_name="Neu", school_type="02",
        authority=lambda world, *_: world.row("authority").pk,
    ),
    "admin:schools_school_change": _form("schools_school_change", Role.ADMIN, phone="02381 1"),
    "admin:schools_school_change#give_away": _form(
        "schools_school_change", Role.ADMIN,
        authority=lambda world, *_: School.objects.exclude(authority__is_own=True).first().authority_id,
    ),
    "admin:schools_schoolauthority_add": _form("schools_schoolauthority_add", Role.ADMIN, number="20", name="Neu"),
    "admin:schools_schoolauthority_change": _form("schools_schoolauthority_change", Role.ADMIN, name="Neu"),
    "admin:schools_schooltype_add": _form("schools_schooltype_add", Role.ADMIN, key="99", name="Neu"),
    "admin:schools_schooltype_change": _form("schools_schooltype_change", Role.ADMIN, name="Neu"),
    "admin:schools_site_add": _form("schools_site_add", Role.ADMIN, school=_own_school, **_SITE),
    "admin:schools_site_add#foreign": _form("schools_site_add", Role.ADMIN, school=_foreign_key, **_SITE),
    "admin:schools_site_change": _form("schools_site_change", Role.ADMIN, city="Hamm"),
    "admin:schools_site_change#foreign": _form("schools_site_change", Role.ADMIN, school=_foreign_key),
    "admin:schools_pupilcount_add": _form("schools_pupilcount_add", Role.ADMIN, school=_own_school, **_COUNT),
    "admin:schools_pupilcount_add#foreign": _form("schools_pupilcount_add", Role.ADMIN, school=_foreign_key, **_COUNT),
    "admin:schools_pupilcount_change": _form("schools_pupilcount_change", Role.ADMIN, pupils=77),
    "admin:schools_fibreline_add": _form("schools_fibreline_add", Role.ADMIN, site=_own_site, **_FIBRE),
    "admin:schools_fibreline_add#foreign": _form("schools_fibreline_add", Role.ADMIN, site=_foreign_site, **_FIBRE),
    "admin:schools_fibreline_change": _form("schools_fibreline_change", Role.ADMIN, mbits=77),
    "admin:schools_roomnetwork_add": _form("schools_roomnetwork_add", Role.ADMIN, site=_own_site, **_ROOMS),
    "admin:schools_roomnetwork_add#foreign": _form("schools_roomnetwork_add", Role.ADMIN, site=_foreign_site, **_ROOMS),
    "admin:schools_roomnetwork_change": _form("schools_roomnetwork_change", Role.ADMIN, rooms=77),
    "admin:schools_platformstatus_add": _form(
        "schools_platformstatus_add", Role.ADMIN, school=_own_school, platform=_platform, since="01.02.2021"
    ),
    "admin:schools_platformstatus_add#foreign": _form(
        "schools_platformstatus_add", Role.ADMIN, school=_foreign_key, platform=_platform, since="01.02.2021"
    ),
    "admin:schools_platformstatus_change": _form("schools_platformstatus_change", Role.ADMIN, state="ended"),
    "admin:schools_platform_add": _form("schools_platform_add", Role.ADMIN, name="Neu"),
    "admin:schools_platform_change": _form("schools_platform_change", Role.ADMIN, name="Neu"),
    "admin:schools_itstaffing_add": _form("schools_itstaffing_add", Role.ADMIN, year=2021, full_time_posts="2,5"),
    "admin:schools_itstaffing_change": _form("schools_itstaffing_change", Role.ADMIN, full_time_posts="2,5"),
    "admin:inventory_devicekind_add": _form(
        "inventory_devicekind_add", Role.ADMIN, code="neu", name="Neu", years_of_use=5
    ),
    "admin:inventory_devicekind_change": _form("inventory_devicekind_change", Role.ADMIN, name="Neu"),
    "admin:inventory_loanrules_add": _form("inventory_loanrules_add", Role.ADMIN, valid_from="01.02.2021"),
    "admin:inventory_loanrules_change": _form("inventory_loanrules_change", Role.ADMIN, keep_months="3"),
    "admin:inventory_product_add": _form(
        "inventory_product_add", Role.ADMIN, manufacturer="Neu", model="Neu",
        kind=lambda world, *_: world.row("devicekind").pk, **{"prices-0-gross_price": "1,00"},
    ),
    "admin:inventory_product_change": _form(
        "inventory_product_change", Role.ADMIN, **{"prices-0-gross_price": "1,00"}
    ),
    "admin:inventory_kit_add": _form(
        "inventory_kit_add", Role.ADMIN, name="Neu",
        **{"parts-0-product": lambda world, *_: world.row("product").pk, "parts-0-quantity": 2},
    ),
    "admin:inventory_kit_change": _form("inventory_kit_change", Role.ADMIN, name="Neu"),
    "admin:inventory_serialpattern_add": _form(
        "inventory_serialpattern_add", Role.ADMIN, manufacturer="Neu", pattern="[A-Z]{4}", example="ABCD"
    ),
    "admin:inventory_serialpattern_change": _form("inventory_serialpattern_change", Role.ADMIN, manufacturer="Neu"),
    "admin:quotas_mediadevelopmentplan_add": _form(
        "quotas_mediadevelopmentplan_add", Role.ADMIN, name="Neu", starts_on="01.01.2036", ends_on="31.12.2040"
    ),
    "admin:quotas_mediadevelopmentplan_change": _form("quotas_mediadevelopmentplan_change", Role.ADMIN, name="Neu"),
    "admin:quotas_targetgroup_add": _form(
        "quotas_targetgroup_add", Role.ADMIN, name="Neu", plan=lambda world, *_: world.row("plan").pk
    ),
    "admin:quotas_targetgroup_change": _form("quotas_targetgroup_change", Role.ADMIN, name="Neu"),
    "admin:funding_budget_add": _form(
        "funding_budget_add", Role.OFFICE_APPROVER, name="Neu", fiscal_year=2030, appropriation="5,00",
        change_reason="X",
    ),
    "admin:funding_budget_virement": lambda world, *_: _previewed(
        counterpart=world.row("sister_budget").pk, amount="1,00", **REASON
    ),
    "admin:funding_budget_carry_over": lambda world, *_: {
        f"chosen_{world.row('last_budget').pk}": "on", f"amount_{world.row('last_budget').pk}": "1,00", **REASON,
    },
    "admin:funding_grant_notice": lambda world, *_: {
        "notice_on": "01.02.2026", "rate": "90", "amount": "2.000.000", **REASON,
    },
    "admin:funding_datedrule_add": _form(
        "funding_datedrule_add", Role.OFFICE_APPROVER, kind="vat_rate", valid_from="01.02.2030", value="20", source="X"
    ),
    "admin:funding_datedrule_change": _form("funding_datedrule_change", Role.OFFICE_APPROVER, source="Neu"),
    "admin:funding_datedrule_confirm": lambda _world, row, _role: {"seen": row.content},
    "admin:funding_datedrule_decline": lambda *_: {"reason": "Zu früh."},
    "admin:funding_awardthreshold_add": _form(
        "funding_awardthreshold_add", Role.OFFICE_APPROVER, valid_from="01.02.2030", procedure="Neu", source="X"
    ),
    "admin:funding_awardthreshold_change": _form("funding_awardthreshold_change", Role.OFFICE_APPROVER, source="Neu"),
    "admin:funding_budget_change": _form("funding_budget_change", Role.OFFICE_APPROVER, name="Neu", change_reason="X"),
    "admin:funding_fundingprogramme_add": _form(
        "funding_fundingprogramme_add", Role.OFFICE_APPROVER, code="neu", name="Neu"
    ),
    "admin:funding_fundingprogramme_change": _form("funding_fundingprogramme_change", Role.OFFICE_APPROVER, name="Neu"),
    "admin:funding_grant_add": _form(
        "funding_grant_add", Role.OFFICE_APPROVER, file_reference="Neu", notice_on="01.02.2026", amount="5,00",
        rate="90", programme=lambda world, *_: world.row("programme").pk,
    ),
    "admin:funding_grant_change": _form("funding_grant_change", Role.OFFICE_APPROVER, file_reference="Neu"),
    "admin:funding_applicationround_add": _form(
        "funding_applicationround_add", Role.OFFICE_APPROVER, name="Neu", opens_on="01.02.2026", closes_on="01.03.2026"
    ),
    "admin:funding_applicationround_change": _form("funding_applicationround_change", Role.OFFICE_APPROVER, name="Neu"),
    "admin:funding_drawdown_add": lambda _world, row, _role: {"lines": [line.pk for line in drawable_lines(row)]},
    "admin:funding_drawdown_change#choose": lambda _world, row, _role: {
        "step": "choose", "lines": [item.invoice_line_id for item in row.items.all()], "remark": "Neu",
    },
    "admin:funding_proofofuse_add": lambda world, *_: {
        "grant": world.row("grant").pk, "school": world.row("school").pk,
    },
    "admin:funding_proofofuse_change#save": lambda _world, row, _role: {
        "step": "save", "revision": row.revision, "course": "Neu",
    },
    "admin:funding_proofofuse_change#hand_in": lambda _world, row, _role: {
        "step": "hand_in", "seen": row.revision, "despite": "Folgt.",
    },
    "admin:funding_reasontemplate_add": _form(
        "funding_reasontemplate_add", Role.OFFICE_APPROVER, name="Neu", kind="reject", text="Neu"
    ),
    "admin:funding_supplier_add": _form("funding_supplier_add", Role.OFFICE_CLERK, name="Neu"),
    "admin:funding_supplier_change": _form("funding_supplier_change", Role.OFFICE_CLERK, name="Neu"),
    "admin:funding_frameworkcontract_add": _form(
        "funding_frameworkcontract_add", Role.OFFICE_CLERK, reference="Neu", title="Neu", valid_from="01.02.2026",
        supplier=lambda world, *_: world.row("supplier").pk,
    ),
    "admin:funding_frameworkcontract_change": _form("funding_frameworkcontract_change", Role.OFFICE_CLERK, title="Neu"),
    **PURCHASES,
    "admin:funding_reasontemplate_change": _form("funding_reasontemplate_change", Role.OFFICE_APPROVER, text="Neu"),
}  # fmt: skip
