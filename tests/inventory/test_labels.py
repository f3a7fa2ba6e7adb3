"""Labels from the list and from a device: what is printed for whom, and that each printed code leads to its device."""

import pypdfium2
import pytest
import zxingcpp
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.clock import today
from apps.inventory import labels, services
from apps.inventory.label_sheets import SHEETS, label_box, place_after, places_on
from tests import factories

pytestmark = pytest.mark.django_db
PAGE = "/inventory/labels/"
ADDRESS = "https://medien.stadt-beispiel.example"
DPI = 300


@pytest.fixture(autouse=True)
def _portal(settings):
    settings.PORTAL_URL = ADDRESS
    settings.CITY_NAME = "Hamm"


@pytest.fixture
def school():
    return factories.SchoolFactory()


@pytest.fixture
def coordinator(client, school):
    person = factories.CoordinatorFactory(schools=[school])
    client.force_login(person)
    return person


def add(quantity, school=None):
    clerk = factories.ClerkFactory()
    return services.add_devices(product=factories.ProductFactory(), quantity=quantity, school=school, by=clerk)


def pdf_of(response):
    assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
    return pypdfium2.PdfDocument(response.content, autoclose=True)


def codes(page, sheet="l6011"):
    """What the code of each label of a page says, by place, as a printer's 300 dots would show it.

    Each label is cut out and read alone: what stands elsewhere is not found.
    """
    bitmap = page.render(scale=DPI / 72, grayscale=True)
    image, found = bytes(bitmap.buffer), {}
    for place in range(1, places_on(SHEETS[sheet]) + 1):
        box = label_box(SHEETS[sheet], place)
        left, top, right, bottom = (round(float(edge) / 25.4 * DPI) for edge in (box.x, box.y, box.right, box.bottom))
        rows = [image[row * bitmap.stride + left : row * bitmap.stride + right] for row in range(top, bottom)]
        if any(set(row) != {255} for row in rows):
            part = memoryview(b"".join(rows)).cast("B", (len(rows), len(rows[0])))
            found[place] = [code.text for code in zxingcpp.read_barcodes(part, formats=zxingcpp.BarcodeFormat.QRCode)]
    return found


def address_of(device):
    return f"{ADDRESS}/d/{device.tag}"


def texts(document):
    return [page.get_textpage().get_text_range().split() for page in document]


@pytest.mark.parametrize(
    ("sheet", "start", "quantity", "pages"),
    [("l4731", 1, 200, 2), ("l4731", 180, 12, 2), ("l6011", 26, 31, 3), ("roll62", 1, 2, 2)],
)
def test_each_printed_code_leads_to_its_device_and_lies_where_it_should(client, sheet, start, quantity, pages):
    client.force_login(factories.SupportFactory())
    devices = add(quantity)

    document = pdf_of(client.post(PAGE, {"sheet": sheet, f"start_{sheet}": start}))

    expected = [{} for _page in range(pages)]
    for index, device in enumerate(devices):
        number, place = place_after(SHEETS[sheet], start, index)
        expected[number - 1][place] = [address_of(device)]
    assert [codes(page, sheet) for page in document] == expected


@pytest.mark.parametrize(("sheet", "size"), [("l4731", (210, 297)), ("l6011", (210, 297)), ("roll62", (62, 29))])
def test_a_page_has_the_size_of_the_paper(client, sheet, size):
    client.force_login(factories.ClerkFactory())
    add(1)

    page = pdf_of(client.post(PAGE, {"sheet": sheet}))[0]

    assert tuple(round(side * 25.4 / 72, 1) for side in page.get_size()) == size


def test_the_label_names_tag_city_product_and_serial_number(client):
    client.force_login(factories.ClerkFactory())
    product = factories.ProductFactory(manufacturer="Musterwerk", model="Brett #1 *neu*")
    factories.DeviceFactory(tag="HAM-7", serial="SN0O", product=product)

    document = pdf_of(client.post(PAGE, {"sheet": "l6011"}))

    assert texts(document) == [["HAM-7", "Hamm", "Brett", "#1", "*neu*", "SN0O"]]


def test_the_file_says_what_it_is(client):
    client.force_login(factories.ClerkFactory())
    add(1)

    response = client.post(PAGE, {"sheet": "l4731"})

    assert response["Content-Disposition"] == f'attachment; filename="etiketten-{today():%Y-%m-%d}.pdf"'
    document = pdf_of(response)
    assert document.get_metadata_value("Title") == "Etiketten für Hamm"
    assert document.is_tagged()
    assert b"/Lang(de)" in response.content.replace(b" ", b"")


def test_the_list_sends_the_chosen_rows_and_the_form_sends_them_on(client, school, coordinator):
    first, _second, third = add(3, school)

    page = client.post(PAGE, {"ids": [first.pk, third.pk]})
    hidden = [field.value() for field in page.context["form"].hidden_fields()]
    document = pdf_of(client.post(PAGE, {"ids": hidden[0], "sheet": "l6011", "start_l6011": 3}))

    assert hidden == [[str(first.pk), str(third.pk)]]
    assert "2 Geräte sind ausgewählt." in page.content.decode()
    assert codes(document[0]) == {3: [address_of(first)], 4: [address_of(third)]}


def test_foreign_devices_are_left_out_as_unknown(client, school, coordinator):
    own, foreign = add(1, school)[0], add(1, factories.SchoolFactory())[0]
    ids = [own.pk, foreign.pk, "999999", "x", "9" * 30, "{{ form }}"]

    page = client.post(PAGE, {"ids": ids})
    document = pdf_of(client.post(PAGE, {"ids": ids, "sheet": "l6011"}))

    assert "5 der ausgewählten Geräte sind hier unbekannt und werden ausgelassen." in page.content.decode()
    assert '<input type="hidden" name="ids" value="{{ form }}"' in page.content.decode()
    assert codes(document[0]) == {1: [address_of(own)]}
    assert foreign.tag not in str(texts(document))


@pytest.mark.parametrize("data", [{}, {"ids": []}, {"ids": ["999999"]}, {"ids": ["999999"], "sheet": "l6011"}])
def test_without_devices_the_page_says_so(client, school, coordinator, data):
    add(2, school)

    response = client.post(PAGE, data)

    assert "Es ist kein Gerät ausgewählt" in response.content.decode()
    assert "start_l4731" not in response.content.decode()


def test_the_filters_of_the_list_choose(client, school, coordinator):
    kept = add(2, school)
    services.report_lost(device=add(1, school)[0], by=coordinator)
    address = f"{PAGE}?status=in_use"

    page = client.get(address)
    document = pdf_of(client.post(address, {"sheet": "l6011"}))

    assert "2 Geräte sind ausgewählt." in page.content.decode()
    assert page.context["list_url"] == "/inventory/?status=in_use"
    assert codes(document[0]) == {1: [address_of(kept[0])], 2: [address_of(kept[1])]}


def test_a_filter_that_cannot_be_read_prints_nothing(client, school, coordinator):
    add(1, school)

    assert "Es ist kein Gerät ausgewählt" in client.get(f"{PAGE}?status=alles").content.decode()


def test_at_most_500_at_once(client, school, coordinator):
    add(labels.AT_ONCE, school)
    assert "500 Geräte sind ausgewählt." in client.get(PAGE).content.decode()

    add(1, school)
    for response in (client.get(PAGE), client.post(PAGE, {"sheet": "l4731"})):
        assert "Es werden höchstens 500 Etiketten auf einmal gedruckt." in response.content.decode()


def test_one_device_from_its_page(client, school, coordinator):
    device = add(2, school)[0]
    address = f"{PAGE}?tag={device.tag}"

    assert address in client.get(device.get_absolute_url()).content.decode()
    page = client.get(address)
    assert page.context["list_url"] == device.get_absolute_url()
    assert codes(pdf_of(client.post(address, {"sheet": "roll62"}))[0], "roll62") == {1: [address_of(device)]}


def test_a_foreign_tag_is_not_found(client, school, coordinator):
    foreign = add(1, factories.SchoolFactory())[0]

    assert client.get(f"{PAGE}?tag={foreign.tag}").status_code == 404
    assert client.post(f"{PAGE}?tag={foreign.tag}", {"sheet": "l6011"}).status_code == 404
    assert client.get(f"{PAGE}?tag=GIBTESNICHT").status_code == 404


@pytest.mark.parametrize("data", [{"sheet": "l9999"}, {"sheet": "l4731", "start_l4731": "190"},
                                  {"sheet": "l6011", "start_l6011": "0"}, {"sheet": ""}])  # fmt: skip
def test_a_sheet_or_place_that_does_not_exist_is_refused(client, school, coordinator, data):
    add(1, school)

    response = client.post(PAGE, data)

    assert response["Content-Type"].startswith("text/html")
    assert response.context["form"].errors


def test_the_place_of_another_sheet_is_not_read(client, school, coordinator):
    device = add(1, school)[0]

    document = pdf_of(client.post(PAGE, {"sheet": "l6011", "start_l6011": "2", "start_l4731": "100"}))

    assert codes(document[0]) == {2: [address_of(device)]}


def test_the_printed_code_opens_the_device(client, school, coordinator, settings):
    device = add(1, school)[0]
    [address] = codes(pdf_of(client.post(PAGE, {"sheet": "l4731"}))[0], "l4731")[1]

    assert client.get(address.removeprefix(settings.PORTAL_URL)).url == device.get_absolute_url()


@pytest.mark.parametrize("factory", [factories.HeadFactory, factories.AuditorFactory, factories.AdminFactory])
def test_who_only_reads_is_not_offered_labels(client, factory):
    device = add(1)[0]
    client.force_login(factory())

    assert client.get(PAGE).status_code == 403
    for address in ("/inventory/", device.get_absolute_url()):
        assert PAGE not in client.get(address).content.decode()


def test_the_list_offers_labels_for_its_filters(client, school, coordinator):
    add(1, school)

    text = client.get("/inventory/?status=in_use&page=1").content.decode()

    assert f'formaction="{PAGE}"' in text
    assert f'href="{PAGE}?status=in_use"' in text


def test_labels_take_as_many_queries_for_60_devices_as_for_6(client, school, coordinator):
    used = []
    for quantity in (6, 54):
        add(quantity, school)
        with CaptureQueriesContext(connection) as queries:
            pdf_of(client.post(PAGE, {"sheet": "l4731"}))
        used.append(len(queries))

    assert used[0] == used[1]
