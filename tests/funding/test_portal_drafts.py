"""The draft form: German input, lines without JavaScript, saving by hand and by itself, sending twice."""

from decimal import Decimal

import pytest
from django.urls import reverse

from apps.funding.choices import ApplicationState
from apps.funding.differences import line_in_words
from apps.funding.models import EquipmentApplication
from apps.funding.services import save_draft
from tests.factories import (
    CoordinatorFactory,
    DeviceFactory,
    DeviceKindFactory,
    ProductFactory,
    SchoolFactory,
)
from tests.funding.factories import make_application
from tests.funding.portal import client_of, form_data, hidden, messages_of, texts
from tests.quotas.factories import count_pupils, make_plan

pytestmark = pytest.mark.django_db
NEW = reverse("funding:create")
AUTOSAVE = {"HTTP_X_AUTOSAVE": "1"}


@pytest.fixture
def school():
    return SchoolFactory(short_name="Bodelschwinghschule")


@pytest.fixture
def coordinator(school):
    return CoordinatorFactory(schools=[school])


@pytest.fixture
def client(coordinator):
    return client_of(coordinator)


@pytest.fixture
def tablet():
    return ProductFactory(manufacturer="Muster", model="Tab 10", gross_price=Decimal("1449.50"))


def line(product, quantity="1", **more):
    return {"product": product.pk, "quantity": quantity, **more}


def test_a_draft_is_saved_with_german_numbers(client, coordinator, school, tablet):
    page = client.get(NEW)
    rows = [line(tablet, "1.200", reason="Klassen 5a bis 5z", replaces_quantity="1.000", replaces="Geräte von 2015")]
    answer = client.post(NEW, form_data(page, rows, action="save"))
    application = EquipmentApplication.objects.get()
    assert answer.url == reverse("funding:edit", args=[application.pk])
    assert (application.title, application.reason) == ("Tablets für Klasse 5", "Siehe Medienkonzept, Seite 12.")
    assert (application.school, application.created_by) == (school, coordinator)
    assert (application.state, application.revision) == (ApplicationState.DRAFT, 1)
    saved = application.lines.get()
    assert (saved.product, saved.quantity, saved.unit_price) == (tablet, 1200, Decimal("1449.50"))
    assert (saved.reason, saved.replaces_quantity, saved.replaces) == ("Klassen 5a bis 5z", 1000, "Geräte von 2015")
    shown = client.get(answer.url)
    assert messages_of(shown)[0].startswith("Gespeichert um ")
    assert 'value="1.200"' in shown.content.decode()
    assert "Summe: 1.739.400,00 €" in texts(shown)


@pytest.mark.parametrize("quantity", ["0", "-3", "2,5", "viele", ""])
def test_a_faulty_quantity_is_named_and_everything_is_kept(client, tablet, quantity):
    page = client.get(NEW)
    data = form_data(page, [line(tablet, quantity, reason="für Raum 104")], title="Mein Titel", action="save")
    answer = client.post(NEW, data)
    assert answer.status_code == 422
    assert EquipmentApplication.objects.count() == 0
    assert answer.context["draft"].line_forms.forms[0].errors.keys() == {"quantity"}
    shown = answer.content.decode()
    assert 'value="Mein Titel"' in shown
    assert 'value="für Raum 104"' in shown
    assert hidden(answer, "form_key") == data["form_key"]


def test_a_line_is_added_without_javascript_and_without_blame(client, tablet):
    page = client.get(NEW)
    answer = client.post(NEW, form_data(page, [line(tablet, "")], title="Neu", **{"lines-add": "1"}))
    assert answer.status_code == 200
    assert hidden(answer, "lines-TOTAL_FORMS") == "2"
    assert 'value="Neu"' in answer.content.decode()
    assert "Bitte prüfen" not in texts(answer)
    assert EquipmentApplication.objects.count() == 0


def test_an_added_line_that_stays_empty_is_no_line(client, tablet):
    added = client.post(NEW, form_data(client.get(NEW), [line(tablet, "2")], **{"lines-add": "1"}))
    assert hidden(added, "lines-1-quantity") == "1"
    for quantity in ("1", ""):
        client.post(NEW, form_data(added, [line(tablet, "2"), {"product": "", "quantity": quantity}], action="save"))
        assert EquipmentApplication.objects.get().lines.count() == 1
    refused = client.post(NEW, form_data(added, [line(tablet, "2"), {"product": "", "quantity": "5"}], action="save"))
    assert "Position 2, Produkt: Bitte füllen Sie dieses Feld aus." in texts(refused)
    assert "Was das Portal zuletzt selbst gespeichert hat, bleibt erhalten." in texts(refused)
    assert "data_wide" not in refused.content.decode()


def test_a_line_is_removed_without_javascript(client, coordinator, school):
    application = make_application(ApplicationState.DRAFT, school=school, lines=[("10.00", 1), ("20.00", 2)])
    address = reverse("funding:edit", args=[application.pk])
    page = client.get(address)
    first, second = application.lines.order_by("pk")
    rows = [
        {**line(first.product), "line_id": first.pk, "DELETE": "on"},
        {**line(second.product, "5"), "line_id": second.pk},
    ]
    client.post(address, form_data(page, rows, action="save"))
    assert [(row.pk, row.quantity) for row in application.lines.all()] == [(second.pk, 5)]


def test_sums_and_effect_without_and_with_javascript(client, school, tablet):
    make_plan()
    count_pupils(school, 100)
    old = DeviceFactory.create_batch(20, product=tablet, school=school)[0]
    printer = ProductFactory(kind=DeviceKindFactory(printer=True), gross_price=Decimal("100.00"))
    rows = [
        line(tablet, "12", replaces_quantity="2", replaced_tags=old.tag.lower()),
        line(printer, "3"),
        line(tablet, ""),
    ]
    data = form_data(client.get(NEW), rows, action="recalculate")
    whole = texts(client.post(NEW, data))
    part = client.post(NEW, data, HTTP_HX_REQUEST="true")
    for shown in (whole, texts(part)):
        assert "Position 3 ist noch nicht vollständig und fehlt in der Summe. Summe: 17.694,00 €" in shown
        assert "Heute 20,0 % (1 : 5,0), danach 30,0 % (1 : 3,3), Ziel 20,0 % (1 : 5)." in shown
        assert "Danach 30 Geräte für Schülerinnen und Schüler, das Ziel verlangt 20. Ziel erreicht" in shown
    assert "<form" not in part.content.decode()
    assert EquipmentApplication.objects.count() == 0


def test_a_school_without_a_quota_says_so(client, tablet):
    assert "Für diese Schule gibt es keine Gerätequote." in texts(client.get(NEW))


def test_checking_asks_for_what_is_missing_and_then_shows_the_whole(client, tablet):
    page = client.get(NEW)
    refused = client.post(NEW, form_data(page, [], title=" ", action="check"))
    assert refused.status_code == 422
    assert "Bitte geben Sie einen Titel ein." in texts(refused)
    assert "Bitte tragen Sie mindestens eine Position ein" in texts(refused)
    answer = client.post(NEW, form_data(page, [line(tablet, "2")], action="check"), follow=True)
    application = EquipmentApplication.objects.get()
    assert answer.redirect_chain == [(reverse("funding:detail", args=[application.pk]), 302)]
    assert "Antrag einreichen" in texts(answer)
    assert application.state == ApplicationState.DRAFT


def test_a_draft_needs_no_title(client, tablet):
    client.post(NEW, form_data(client.get(NEW), [line(tablet)], title="", action="save"))
    assert EquipmentApplication.objects.get().title.startswith("Antrag vom ")


def test_replaced_devices_are_those_of_the_school(client, school, tablet):
    own = DeviceFactory(school=school, product=tablet)
    foreign = DeviceFactory(school=SchoolFactory(), product=tablet)
    page = client.get(NEW)
    refused = client.post(NEW, form_data(page, [line(tablet, "2", replaced_tags=f"{own.tag}, {foreign.tag}")]))
    assert refused.status_code == 422
    assert f"An dieser Schule gibt es kein Gerät {foreign.tag}." in texts(refused)
    client.post(NEW, form_data(page, [line(tablet, "2", replaced_tags=own.tag)]))
    saved = EquipmentApplication.objects.get().lines.get()
    assert saved.replaces_quantity == 1
    assert [row.device for row in saved.replaced_devices.all()] == [own]


@pytest.mark.parametrize(
    ("replaced", "tags", "sentence"),
    [
        ("3", "", "Bitte geben Sie höchstens die beantragte Anzahl ein."),
        ("1", "HAM-1, HAM-2", "Sie nennen mehr Inventarnummern, als Geräte ersetzt werden."),
    ],
)
def test_what_is_replaced_fits_the_quantity(client, tablet, replaced, tags, sentence):
    rows = [line(tablet, "2", replaces_quantity=replaced, replaced_tags=tags)]
    assert sentence in texts(client.post(NEW, form_data(client.get(NEW), rows)))


def test_a_product_that_is_no_longer_offered_cannot_be_chosen(client, tablet):
    old = ProductFactory(is_active=False, model="Altgerät")
    page = client.get(NEW)
    assert "Altgerät" not in texts(page)
    assert client.post(NEW, form_data(page, [line(old)])).status_code == 422


def test_a_form_that_is_sent_twice_makes_one_draft(client, tablet):
    data = form_data(client.get(NEW), [line(tablet, "2")], action="save")
    first, second = client.post(NEW, data), client.post(NEW, data)
    application = EquipmentApplication.objects.get()
    assert first.url == second.url == reverse("funding:edit", args=[application.pk])
    assert application.lines.count() == 1


def test_an_existing_draft_sent_twice_is_saved_once(client, school, tablet):
    application = make_application(ApplicationState.DRAFT, school=school)
    address = reverse("funding:edit", args=[application.pk])
    data = form_data(client.get(address), [line(tablet, "7")], title="Zweimal", action="save")
    assert [client.post(address, data).status_code for _attempt in range(2)] == [302, 302]
    application.refresh_from_db()
    assert (application.title, application.revision, application.lines.count()) == ("Zweimal", 2, 1)


def test_a_new_draft_saves_itself_and_goes_on_at_its_own_address(client, tablet):
    data = form_data(client.get(NEW), [line(tablet, "2")])
    answer = client.post(NEW, data, **AUTOSAVE)
    application = EquipmentApplication.objects.get()
    saved = answer.json()
    assert saved == {
        "saved_at": saved["saved_at"],
        "values": {"revision": "1", "lines-0-line_id": str(application.lines.get().pk)},
        "url": reverse("funding:edit", args=[application.pk]),
    }
    again = client.post(NEW, data | saved["values"] | {"title": "Anders"}, **AUTOSAVE).json()
    assert again["values"] == {"revision": "2"}
    assert EquipmentApplication.objects.get().title == "Anders"


def test_saving_by_itself_keeps_what_is_stored_of_a_line_that_is_not_complete(client, school, tablet):
    application = make_application(ApplicationState.DRAFT, school=school, lines=[("10.00", 4)])
    stored = application.lines.get()
    address = reverse("funding:edit", args=[application.pk])
    rows = [{**line(stored.product, ""), "line_id": stored.pk}, line(tablet, "3"), line(tablet, "x")]
    answer = client.post(address, form_data(client.get(address), rows), **AUTOSAVE).json()
    assert answer["message"].endswith("außer Position 1, 3: Sie ist noch nicht vollständig.")
    assert sorted(application.lines.values_list("product", "quantity")) == sorted(
        [(stored.product_id, 4), (tablet.pk, 3)]
    )
    added = application.lines.exclude(pk=stored.pk).get()
    assert answer["values"] == {"revision": "2", "lines-1-line_id": str(added.pk)}


def test_after_saving_by_itself_the_form_saves_on_by_hand(client, tablet):
    data = form_data(client.get(NEW), [line(tablet, "2")])
    values = client.post(NEW, data, **AUTOSAVE).json()["values"]
    answer = client.post(NEW, data | values | {"action": "save", "lines-0-quantity": "9"})
    application = EquipmentApplication.objects.get()
    assert answer.url == reverse("funding:edit", args=[application.pk])
    assert application.lines.get().quantity == 9


def test_a_submitted_application_is_not_edited(client, coordinator, school, tablet):
    application = make_application(ApplicationState.SUBMITTED, school=school)
    address = reverse("funding:edit", args=[application.pk])
    shown = client.get(address, follow=True)
    assert shown.redirect_chain == [(reverse("funding:detail", args=[application.pk]), 302)]
    assert messages_of(shown) == ["Dieser Antrag ist eingereicht und kann nicht mehr geändert werden."]


def test_typing_on_while_a_colleague_submits_loses_nothing(client, school, tablet):
    application = make_application(ApplicationState.DRAFT, school=school)
    address = reverse("funding:edit", args=[application.pk])
    data = form_data(client.get(address), [line(tablet)], title="Noch getippt", action="save")
    EquipmentApplication.objects.filter(pk=application.pk).update(state=ApplicationState.SUBMITTED)
    answer = client.post(address, data)
    assert answer.status_code == 422
    assert 'value="Noch getippt"' in answer.content.decode()
    assert "kann nicht mehr geändert werden" in texts(answer)


def test_several_schools_are_asked_for_and_one_is_not():
    schools = [SchoolFactory(short_name=name) for name in ("Ahornschule", "Birkenschule")]
    SchoolFactory(short_name="Fremde Schule")
    client = client_of(CoordinatorFactory(schools=schools))
    asked = client.get(NEW)
    assert "Für welche Schule" in texts(asked)
    assert "Birkenschule" in texts(asked)
    assert "Fremde Schule" not in texts(asked)
    chosen = client.get(f"{NEW}?school={schools[1].number}")
    assert "Birkenschule" in texts(chosen)
    assert client.post(NEW, form_data(chosen)).status_code == 404


def test_somebody_without_a_school_is_told_whom_to_ask():
    assert "Sie sind noch keiner Schule zugeordnet." in texts(client_of(CoordinatorFactory()).get(NEW))


# Two tabs


@pytest.fixture
def draft(school, tablet):
    return make_application(ApplicationState.DRAFT, school=school, lines=[("10.00", 4)], title="Alt")


def test_a_stale_tab_shows_both_versions_and_overwrites_nothing(client, draft, school, tablet):
    address = reverse("funding:edit", args=[draft.pk])
    page = client.get(address)
    colleague = CoordinatorFactory(schools=[school], name="Kim Kollege")
    save_draft(application=draft, revision=1, by=colleague, title="Von Kim", reason="", lines=[])
    stored = draft.lines.first()
    assert stored is None
    typed = form_data(page, [line(tablet, "3")], title="Von mir", action="save")
    answer = client.post(address, typed)
    assert answer.status_code == 409
    shown = texts(answer)
    assert "Nicht gespeichert: Der Antrag wurde an anderer Stelle geändert" in shown
    assert "Kim Kollege hat diesen Antrag am" in shown
    rows = [(str(row.label), row.mine, row.theirs) for row in answer.context["conflict"].differences]
    assert rows == [
        ("Titel", "Von mir", "Von Kim"),
        ("Begründung", "Siehe Medienkonzept, Seite 12.", "(nichts)"),
        ("Position 1", "3 × Muster Tab 10", "(nichts)"),
    ]
    assert 'value="Von mir"' in answer.content.decode()
    assert "data-autosave" not in answer.content.decode()
    draft.refresh_from_db()
    assert (draft.title, draft.revision) == ("Von Kim", 2)


def test_my_version_is_saved_when_i_choose_it(client, coordinator, draft, tablet):
    address = reverse("funding:edit", args=[draft.pk])
    stored = draft.lines.get()
    rows = [{**line(stored.product, "5"), "line_id": stored.pk}]
    data = form_data(client.get(address), rows, title="Von mir", action="save")
    save_draft(application=draft, revision=1, by=coordinator, title="Anderer Tab", reason="", lines=[])
    conflict = client.post(address, data)
    accepted = {"action": "mine", "accepted_revision": hidden(conflict, "accepted_revision")}
    assert client.post(address, data | accepted).status_code == 302
    draft.refresh_from_db()
    assert (draft.title, draft.revision) == ("Von mir", 3)
    assert [row.quantity for row in draft.lines.all()] == [5]
    assert client.post(address, data | accepted | {"title": "Dritter Tab"}).status_code == 409


def test_a_stale_tab_stops_saving_by_itself(client, coordinator, draft):
    address = reverse("funding:edit", args=[draft.pk])
    page = client.get(address)
    save_draft(application=draft, revision=1, by=coordinator, title="Anderer Tab", reason="", lines=[])
    answer = client.post(address, form_data(page, title="Dieser Tab"), **AUTOSAVE)
    assert answer.status_code == 409
    assert answer.json()["stop"] is True
    assert answer.json()["message"].startswith(f"{coordinator.name} hat diesen Antrag am")
    draft.refresh_from_db()
    assert draft.title == "Anderer Tab"


def test_large_quantities_are_compared_with_their_points():
    words = line_in_words("Muster Tab 10", 2000, replaced=1500, replaces="alte Tablets")
    assert words == "2.000 × Muster Tab 10; ersetzt 1.500: alte Tablets"
