"""Rules with a date in the admin: only days ahead, nothing that holds is changed, two people set the rule of two."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.urls import reverse

from apps.accounts.models import User
from apps.core import clock, formats
from apps.core.errors import DomainError, StaleError
from apps.funding import services
from apps.funding.choices import RuleKind
from apps.funding.deadlines import DeadlineKind, deadlines
from apps.funding.models import AwardThreshold, DatedRule
from apps.funding.rules import rule_on
from tests.factories import ApproverFactory, AuditorFactory
from tests.funding.factories import two_approve_from
from tests.funding.portal import client_of, hidden, texts

pytestmark = pytest.mark.django_db
D = Decimal
TWO = RuleKind.SECOND_APPROVER_FROM
DAY = datetime.timedelta(days=1)
ADD = reverse("admin:funding_datedrule_add")
AHEAD = "Die Regel kann frühestens morgen beginnen"


def tomorrow() -> datetime.date:
    return clock.today() + DAY


def page(row: Any, name: str = "change") -> str:
    return reverse(f"admin:funding_{row._meta.model_name}_{name}", args=[row.pk])


def post_rule(user: User, kind: str = TWO, day: datetime.date | None = None, value: str = "9999999") -> HttpResponse:
    data = {"kind": kind, "valid_from": f"{day or tomorrow():%d.%m.%Y}", "value": value, "source": "Dienstanweisung"}
    return client_of(user).post(ADD, data)


def proposed(by: User, value: str = "9999999") -> DatedRule:
    assert post_rule(by, value=value).status_code == 302
    return DatedRule.objects.get(kind=TWO, valid_from=tomorrow())


@pytest.mark.parametrize("kind", [TWO, RuleKind.VAT_RATE])
@pytest.mark.parametrize("days", [-400, 0])
def test_a_new_rule_begins_tomorrow_at_the_earliest(kind: str, days: int) -> None:
    response = post_rule(ApproverFactory(), kind=kind, day=clock.today() + days * DAY)
    assert (response.status_code, AHEAD in texts(response)) == (200, True)
    assert post_rule(ApproverFactory(), kind=kind, value="25").status_code == 302


@pytest.mark.parametrize(
    ("typed", "value"), [("10.000", "10000.00"), ("1,5", "1.50"), ("1.234,56", "1234.56"), ("0.5", "0.50"), ("", None)]
)
def test_a_value_is_read_as_people_write_numbers(typed: str, value: str | None) -> None:
    kind = RuleKind.LOW_VALUE_ASSET_LIMIT
    assert post_rule(ApproverFactory(), kind=kind, value=typed).status_code == 302
    row = DatedRule.objects.get(kind=kind, valid_from=tomorrow())
    assert row.value == (None if value is None else D(value))
    shown = client_of(ApproverFactory()).get(page(row)).context["adminform"].form["value"].value()
    assert shown == (None if value is None else formats.number(row.value, 2))


@pytest.mark.parametrize("typed", ["1e5", "viel", "1,2345"])
def test_a_value_that_is_no_number_is_refused_at_its_field(typed: str) -> None:
    refused = post_rule(ApproverFactory(), kind=RuleKind.VAT_RATE, value=typed)
    assert (refused.status_code, list(refused.context["adminform"].form.errors)) == (200, ["value"])


def test_a_step_of_the_award_rules_begins_tomorrow_at_the_earliest() -> None:
    client, url = client_of(ApproverFactory()), reverse("admin:funding_awardthreshold_add")
    data = {"procedure": "Direktauftrag", "source": "Satzung", "up_to": ""}
    refused = client.post(url, data | {"valid_from": f"{clock.today():%d.%m.%Y}"})
    assert (refused.status_code, AHEAD in texts(refused)) == (200, True)
    assert client.post(url, data | {"valid_from": f"{tomorrow():%d.%m.%Y}"}).status_code == 302


def test_what_holds_is_neither_changed_nor_deleted() -> None:
    rows = [
        two_approve_from("25000", clock.today()),
        DatedRule.objects.create(kind=RuleKind.VAT_RATE, valid_from=clock.today(), value=D(19), source="x"),
        AwardThreshold.objects.create(valid_from=clock.today(), procedure="Direktauftrag", source="x"),
    ]
    client = client_of(ApproverFactory())
    for row in rows:
        assert client.get(page(row)).status_code == 200
        assert client.post(page(row), {"source": "y"}).status_code == 403
        assert client.post(page(row, "delete"), {"post": "yes"}).status_code == 403


def test_another_rule_ahead_is_changed_but_for_its_kind() -> None:
    row = DatedRule.objects.create(kind=RuleKind.VAT_RATE, valid_from=tomorrow(), value=D(19), source="x")
    data = {"kind": TWO, "valid_from": f"{tomorrow():%d.%m.%Y}", "value": "20", "source": "y"}
    client_of(ApproverFactory()).post(page(row), data)
    row.refresh_from_db()
    assert (row.kind, row.value, row.proposed_by) == (RuleKind.VAT_RATE, 20, None)


def test_one_approver_alone_does_not_switch_the_second_off() -> None:
    two_approve_from("25000")
    one, other = ApproverFactory(), ApproverFactory()
    row = proposed(one)
    assert (row.proposed_by, row.confirmed_by, rule_on(TWO, tomorrow())) == (one, None, 25000)
    with pytest.raises(DomainError, match="andere Person"):
        services.confirm_rule(rule=row, by=one, seen=row.content)
    services.confirm_rule(rule=row, by=other, seen=row.content)
    assert (rule_on(TWO, clock.today()), rule_on(TWO, tomorrow())) == (25000, 9999999)


def test_what_is_confirmed_is_what_was_read() -> None:
    one, other = ApproverFactory(), ApproverFactory()
    row = proposed(one, "30000")
    seen = row.content
    client_of(one).post(page(row), {"valid_from": f"{tomorrow():%d.%m.%Y}", "value": "9999999", "source": "x"})
    with pytest.raises(StaleError):
        services.confirm_rule(rule=row, by=other, seen=seen)


def test_whoever_changes_a_proposal_proposes_it() -> None:
    one, other = ApproverFactory(), ApproverFactory()
    row = proposed(one)
    client_of(other).post(page(row), {"valid_from": f"{tomorrow():%d.%m.%Y}", "value": "7", "source": "x"})
    row.refresh_from_db()
    assert (row.value, row.proposed_by, row.confirmed_by) == (7, other, None)


def test_what_is_confirmed_is_read_only_and_confirmed_once() -> None:
    one, other = ApproverFactory(), ApproverFactory()
    row = proposed(one)
    services.confirm_rule(rule=row, by=other, seen=row.content)
    assert client_of(one).post(page(row), {"source": "y"}).status_code == 403
    with pytest.raises(DomainError, match="schon bestätigt"):
        services.confirm_rule(rule=row, by=ApproverFactory(), seen=row.content)


def test_a_proposal_whose_day_has_come_is_not_confirmed_any_more() -> None:
    row = DatedRule.objects.create(
        kind=TWO, valid_from=clock.today(), value=None, source="x", proposed_by=ApproverFactory()
    )
    other = ApproverFactory()
    with pytest.raises(DomainError, match="Der Tag der Regel ist gekommen"):
        services.confirm_rule(rule=row, by=other, seen=row.content)
    assert deadlines(other) == []


def test_the_database_wants_two_people() -> None:
    person = ApproverFactory()
    for people in ({"proposed_by": person, "confirmed_by": person}, {"confirmed_by": person}):
        with pytest.raises(IntegrityError), transaction.atomic():
            DatedRule.objects.create(kind=TWO, valid_from=tomorrow(), value=None, source="x", **people)


def test_the_other_approver_finds_it_on_the_start_page_and_confirms() -> None:
    two_approve_from("25000")
    one, other = ApproverFactory(name="Anna Vorschlag"), ApproverFactory()
    row = proposed(one, "30000")
    assert [deadline.kind for deadline in deadlines(other)] == [DeadlineKind.RULE_WAITS]
    assert deadlines(one) == []
    start = client_of(other).get(reverse("summaries:start"))
    assert page(row) in start.content.decode()
    assert page(row, "confirm") in client_of(other).get(page(row)).content.decode()
    shown = client_of(other).get(page(row, "confirm"))
    for words in ("Anna Vorschlag", "30.000,00", "25.000,00", f"{tomorrow():%d.%m.%Y}", "Dienstanweisung"):
        assert words in texts(shown)
    answer = client_of(other).post(page(row, "confirm"), {"seen": hidden(shown, "seen")})
    assert answer.status_code == 302
    row.refresh_from_db()
    assert row.confirmed_by == other
    assert row.history.latest().history_user == other
    assert deadlines(other) == []


def test_the_proposer_is_refused_on_the_page_and_in_a_sentence() -> None:
    one = ApproverFactory()
    row = proposed(one)
    assert page(row, "confirm") not in client_of(one).get(page(row)).content.decode()
    answer = client_of(one).post(page(row, "confirm"), {"seen": row.content}, follow=True)
    assert (answer.status_code, "andere Person" in texts(answer)) == (200, True)
    assert "vorgeschlagen, wartet auf eine andere Person" in texts(
        client_of(one).get(reverse("admin:funding_datedrule_changelist"))
    )


def test_another_person_declines_with_a_reason_and_the_day_is_free_again() -> None:
    two_approve_from("25000")
    one, other = ApproverFactory(name="Anna Vorschlag"), ApproverFactory(name="Otto Nein")
    row = proposed(one)
    assert "Regel ablehnen" in texts(client_of(other).get(page(row)))
    shown = client_of(other).get(page(row, "decline"))
    for words in ("9.999.999,00", "Anna Vorschlag", f"{tomorrow():%d.%m.%Y}", "Es bleibt beim bisherigen Wert"):
        assert words in texts(shown)

    empty = client_of(other).post(page(row, "decline"), {"reason": " "})
    assert (empty.status_code, "Regel ablehnen" in texts(empty)) == (200, True)
    answer = client_of(other).post(page(row, "decline"), {"reason": "Dann prüft niemand mehr."}, follow=True)

    assert "Die Regel ist abgelehnt." in texts(answer)
    row.refresh_from_db()
    assert (row.declined_by, row.decline_reason, row.is_waiting, row.is_open) == (
        other, "Dann prüft niemand mehr.", False, False,
    )  # fmt: skip
    assert "Otto Nein" in texts(client_of(one).get(page(row)))
    assert "abgelehnt" in texts(client_of(one).get(reverse("admin:funding_datedrule_changelist")))
    history = texts(client_of(AuditorFactory()).get(page(row, "history")))
    for words in ("Dann prüft niemand mehr.", "Otto Nein"):
        assert words in history
    assert (deadlines(other), rule_on(TWO, tomorrow())) == ([], 25000)

    again = post_rule(one, value="30000")
    assert again.status_code == 302
    anew = DatedRule.objects.get(kind=TWO, valid_from=tomorrow(), declined_by=None)
    services.confirm_rule(rule=anew, by=other, seen=anew.content)
    assert rule_on(TWO, tomorrow()) == 30000
    taken = post_rule(one, value="7")
    assert (taken.status_code, "schon einen Wert" in texts(taken)) == (200, True)


def test_the_proposer_withdraws_and_nobody_decides_it_again() -> None:
    one, other = ApproverFactory(), ApproverFactory()
    row = proposed(one)
    assert "Vorschlag zurückziehen" in texts(client_of(one).get(page(row)))
    answer = client_of(one).post(page(row, "decline"), {"reason": "Vertippt"}, follow=True)
    assert "Der Vorschlag ist zurückgezogen." in texts(answer)
    assert "zurückgezogen" in texts(client_of(one).get(reverse("admin:funding_datedrule_changelist")))
    row.refresh_from_db()
    assert row.is_withdrawn
    for step in (
        lambda: services.confirm_rule(rule=row, by=other, seen=row.content),
        lambda: services.decline_rule(rule=row, by=other, reason="Nein"),
    ):
        with pytest.raises(DomainError, match="abgelehnt oder zurückgezogen"):
            step()
    assert client_of(one).post(page(row), {"source": "y"}).status_code == 403
    assert client_of(other).get(page(row, "decline")).status_code == 302


def test_what_is_confirmed_is_not_declined_and_what_came_too_late_still_is() -> None:
    one, other = ApproverFactory(), ApproverFactory()
    row = proposed(one)
    services.confirm_rule(rule=row, by=other, seen=row.content)
    with pytest.raises(DomainError, match="schon bestätigt"):
        services.decline_rule(rule=row, by=other, reason="Doch nicht")
    late = DatedRule.objects.create(kind=TWO, valid_from=clock.today() - DAY, value=None, source="x", proposed_by=one)
    assert "Regel ablehnen" in texts(client_of(other).get(page(late)))
    services.decline_rule(rule=late, by=other, reason="Zu spät")
    late.refresh_from_db()
    assert late.declined_by == other


def test_the_database_wants_a_reason_and_no_confirmation_beside_it() -> None:
    one, other = ApproverFactory(), ApproverFactory()
    for facts in (
        {"proposed_by": one, "declined_by": other},
        {"declined_by": other, "decline_reason": "x"},
        {"proposed_by": one, "confirmed_by": other, "declined_by": other, "decline_reason": "x"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            DatedRule.objects.create(kind=TWO, valid_from=tomorrow(), value=None, source="x", **facts)


def test_the_list_says_which_value_holds_which_is_replaced_and_which_comes() -> None:
    DatedRule.objects.filter(kind=RuleKind.VAT_RATE).delete()
    for days, value in ((-400, "16.00"), (-30, "19.00"), (30, "20.00")):
        DatedRule.objects.create(
            kind=RuleKind.VAT_RATE, valid_from=clock.today() + days * DAY, value=D(value), source="UStG"
        )
    page = client_of(AuditorFactory()).get(reverse("admin:funding_datedrule_changelist"), {"kind": RuleKind.VAT_RATE})
    shown = texts(page)
    assert "20,00 UStG gilt künftig" in shown
    assert "19,00 UStG gilt " in shown
    assert "16,00 UStG abgelöst" in shown
    assert "gilt oder galt" not in shown
    assert 'class="field-state_now"' in page.content.decode()


def test_the_calendar_offers_no_day_that_is_refused() -> None:
    for kind in ("datedrule", "awardthreshold"):
        shown = client_of(ApproverFactory()).get(reverse(f"admin:funding_{kind}_add")).content.decode()
        field = re.search(r'<input[^>]*name="valid_from"[^>]*>', shown)
        assert field is not None
        assert 'type="date"' in field[0]
        assert f'min="{tomorrow().isoformat()}"' in field[0]
        assert "vDateField" not in field[0]


def test_whoever_proposes_is_told_who_may_confirm() -> None:
    one, other = ApproverFactory(name="Anna Ahrens"), ApproverFactory(name="Bernd Boll")
    ApproverFactory(name="Carla Conrad")
    first = client_of(one)
    data = {"kind": TWO, "valid_from": tomorrow().isoformat(), "value": "30000", "source": "Dienstanweisung"}
    answer = first.post(ADD, data, follow=True)
    row = DatedRule.objects.get(kind=TWO, valid_from=tomorrow())
    assert answer.redirect_chain == [(page(row), 302)]
    words = (
        f"Die Regel ist vorgeschlagen. Sie gilt ab {formats.day(tomorrow())}, sobald eine andere Person sie bestätigt"
        " hat. Diese Personen dürfen sie bestätigen: "
    )
    assert [str(message) for message in answer.context["messages"]] == [f"{words}Bernd Boll, Carla Conrad."]
    answer = client_of(other).post(page(row), data | {"value": "20000"}, follow=True)
    assert [str(message) for message in answer.context["messages"]] == [f"{words}Anna Ahrens, Carla Conrad."]


def test_a_refused_rule_is_announced_with_the_way_to_its_field() -> None:
    shown = post_rule(ApproverFactory(), day=clock.today(), value="viel").content.decode()
    summary = shown.split("data-error-summary", 1)[1].split("</ul>", 1)[0]
    assert 'role="alert" tabindex="-1" data-error-summary' in shown
    assert 'href="#id_valid_from">Gilt ab: Die Regel kann frühestens morgen beginnen' in summary
    assert 'href="#id_value">Wert: ' in summary
    field = re.search(r'<input[^>]*name="value"[^>]*>', shown)
    assert field is not None
    assert 'aria-invalid="true"' in field[0]
    assert "id_value_error" in field[0]
    assert shown.count('id="id_value_error"') == 1


def test_people_are_named_without_a_way_to_accounts_that_stay_shut() -> None:
    two_approve_from("25000")
    row = proposed(ApproverFactory(name="Anna Ahrens"))
    shown = client_of(ApproverFactory()).get(page(row))
    assert "Vorgeschlagen von: Anna Ahrens" in texts(shown)
    assert "/admin/accounts/user/" not in shown.content.decode()


def test_the_list_of_award_thresholds_says_why_it_may_be_empty() -> None:
    shown = texts(client_of(AuditorFactory()).get(reverse("admin:funding_awardthreshold_changelist")))
    assert "gibt das Land den Kommunen keine Vergabegrenzen mehr vor (§ 75a GO NRW)" in shown
    assert "ohne sie nennt jede Bestellung ihr Vergabeverfahren selbst." in shown


@pytest.mark.parametrize(
    ("kind", "typed", "sentence"),
    [
        (RuleKind.VAT_RATE, "100,01", "Ein Prozentsatz beträgt höchstens 100."),
        (RuleKind.VAT_RATE, "-1", "Der Wert darf nicht negativ sein."),
        (TWO, "-0,01", "Der Wert darf nicht negativ sein."),
    ],
)
def test_a_value_out_of_its_range_is_refused_at_its_field(kind: str, typed: str, sentence: str) -> None:
    refused = post_rule(ApproverFactory(), kind=kind, value=typed)
    assert refused.context["adminform"].form.errors == {"value": [sentence]}
    assert not DatedRule.objects.filter(valid_from=tomorrow()).exists()


@pytest.mark.parametrize(("kind", "typed"), [(RuleKind.VAT_RATE, "100"), (RuleKind.WEIGHT_NEED, "1000")])
def test_the_limit_of_percentages_is_theirs_alone(kind: str, typed: str) -> None:
    assert post_rule(ApproverFactory(), kind=kind, value=typed).status_code == 302


def test_a_percentage_ahead_is_not_changed_beyond_a_hundred() -> None:
    row = DatedRule.objects.create(kind=RuleKind.VAT_RATE, valid_from=tomorrow(), value=D(19), source="x")
    data = {"valid_from": f"{tomorrow():%d.%m.%Y}", "value": "1000", "source": "y"}
    refused = client_of(ApproverFactory()).post(page(row), data)
    assert list(refused.context["adminform"].form.errors) == ["value"]


def test_a_day_that_is_taken_is_refused_at_the_day() -> None:
    proposed(ApproverFactory())
    errors = post_rule(ApproverFactory()).context["adminform"].form.errors
    assert errors == {"valid_from": ["Für diese Regel gibt es ab diesem Tag schon einen Wert."]}


def test_a_step_that_is_there_already_is_refused_at_its_sum() -> None:
    AwardThreshold.objects.create(valid_from=tomorrow(), procedure="Direktauftrag", source="x", up_to=D("5000.00"))
    data = {"procedure": "Vergabe", "source": "y", "up_to": "5.000", "valid_from": f"{tomorrow():%d.%m.%Y}"}
    refused = client_of(ApproverFactory()).post(reverse("admin:funding_awardthreshold_add"), data)
    assert list(refused.context["adminform"].form.errors) == ["up_to"]


def test_a_round_that_ends_before_it_begins_is_refused_at_its_end() -> None:
    data = {"name": "Frühjahr", "opens_on": "01.03.2027", "closes_on": "01.02.2027", "remind_days": "14"}
    refused = client_of(ApproverFactory()).post(reverse("admin:funding_applicationround_add"), data)
    assert list(refused.context["adminform"].form.errors) == ["closes_on"]
    assert 'aria-invalid="true"' in refused.content.decode()


def test_nobody_is_never_called_none() -> None:
    row = proposed(ApproverFactory())
    shown = texts(client_of(ApproverFactory()).get(page(row)))
    assert "None" not in shown
    assert re.search("Bestätigt von:? keine Angabe", shown, re.IGNORECASE)
