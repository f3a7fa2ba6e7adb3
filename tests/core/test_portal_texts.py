"""The texts that the portal comes with."""

import pytest
from django.utils import translation

from apps.core.models import PortalText
from apps.core.portal_texts import portal_text

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("language", "number"), [("de", "Leihnummer"), ("en", "loan number")])
def test_the_privacy_notice_says_what_is_kept_of_loans(language: str, number: str) -> None:
    with translation.override(language):
        blocks, _day = portal_text(PortalText.Key.PRIVACY)

    kept = next(block for block in blocks if block.kind == "list").lines
    assert len(kept) == 5
    assert number in kept[3]
    assert any(("Rückgabe" if language == "de" else "return") in line for block in blocks for line in block.lines)
