"""Addresses and texts of a stocktake's pages."""

import re

import pypdfium2
from django.urls import reverse


def address(page, stocktake, *more):
    return reverse(f"inventory:{page}", args=[stocktake.pk, *more])


def text(response) -> str:
    """What stands in the main part, without tags."""
    main = response.content.decode().partition("<main")[2]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def pdf_text(response) -> str:
    assert response["Content-Type"] == "application/pdf"
    pages = pypdfium2.PdfDocument(response.content)
    assert pages.is_tagged()
    return " ".join(" ".join(page.get_textpage().get_text_bounded().split()) for page in pages)
