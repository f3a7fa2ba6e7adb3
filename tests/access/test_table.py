"""The access matrix is complete: each address of the resolver has its line, each line its address."""

from django.conf import settings
from django.test import Client

from apps.accounts.choices import Role
from tests.access.addresses import addresses, forwarding_addresses
from tests.access.admin_pages import ADMIN_PAGES
from tests.access.admin_posts import ADMIN_POSTS
from tests.access.lines import COLUMNS, WROTE, read
from tests.access.pages import PAGES
from tests.access.posts import POSTS

LINES = read(PAGES) + read(ADMIN_PAGES, prefix="admin:")
SENT = read(POSTS) + read(ADMIN_POSTS, prefix="admin:")
NEVER_STORED = {
    "account_logout",  # only ends the session, as the next three only change it
    "admin:logout",
    "account_reauthenticate",
    "set_language",
    "account_signup",  # closed
    "account_set_password",  # for people without a password, who come by a link
    "account_reset_password_from_key",  # the link's own test stands in tests/accounts
    "admin:login",  # leads to the portal's sign-in
    "inventory:labels",  # answers with a file
    "inventory:stocktake_close",  # not while a difference is open; tests/inventory closes one
    "inventory:receipts",  # the same
    "admin:quotas_mediadevelopmentplan_delete",  # not while figures of the plan are stored
}


def test_every_address_has_a_line() -> None:
    missing = sorted(set(addresses()) - {line.address for line in LINES})
    assert missing == [], f"Say in tests/access who may open: {missing}"


def test_every_line_has_an_address() -> None:
    gone = sorted({line.address for line in LINES + SENT} - set(addresses()))
    assert gone == [], f"No such address any more: {gone}"


def test_no_line_stands_twice() -> None:
    for table in (LINES, SENT):
        titles = [line.title for line in table]
        assert sorted({title for title in titles if titles.count(title) > 1}) == []


def test_every_address_that_somebody_sends_to_is_proven_to_write_for_somebody() -> None:
    """A line for sending that never writes would prove nothing, unless nobody can write there at all."""
    idle = {line.address for line in SENT} - {
        line.address for line in SENT if any(cell.endswith(WROTE) for pair in line.cells.values() for cell in pair)
    }
    assert idle == NEVER_STORED


def test_every_role_has_a_column() -> None:
    assert set(COLUMNS) == {None, *Role}


def test_every_export_has_a_line() -> None:
    """A list that offers files does so for each format."""
    offered = {
        (name, kind)
        for name, address in addresses().items()
        if getattr(address.view_class, "export_name", None)
        for kind in ("csv", "xlsx")
    }
    assert offered - {(line.address, line.export) for line in LINES} == set()
    assert offered != set()


def test_the_admins_old_addresses_of_rows_are_those_of_its_models() -> None:
    """They forward to the change form, which has its own line."""
    models = {f"admin/{name[6:-11].replace('_', '/', 1)}/" for name in addresses() if name.endswith("_changelist")}
    assert {route.removesuffix("<path:object_id>/") for route in forwarding_addresses()} == models


def test_kept_files_have_no_address(client: Client) -> None:
    """Uploads of imports lie in MEDIA_ROOT, which nobody serves."""
    assert settings.MEDIA_URL in ("", "/")
    assert client.get("/files/imports/kept.csv").status_code == 404
