"""How columns read that several of the office's lists have."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from apps.core import formats


def euros(amount: Any) -> str:
    """An amount as it stands in a column."""
    return format_html('<span class="desk-number">{}</span>', formats.euro(amount))


class DatedRows:
    """Append-only rows, the newest first, with their moment as on the portal's pages."""

    ordering = ("-at", "-pk")

    @admin.display(description=_("When"), ordering="at")
    def when(self, row: Any) -> str:
        return formats.moment(row.at)
