"""What the tests of the start page and the summary share."""

import pytest

from tests.browser.city import make_city


@pytest.fixture
def city():
    return make_city()
