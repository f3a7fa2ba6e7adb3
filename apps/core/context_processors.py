"""What every page's frame needs."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from apps.core.navigation import navigation_for


def frame(request: HttpRequest) -> dict[str, Any]:
    """City, navigation and whether this is a demonstration."""
    return {
        "city_name": settings.CITY_NAME,
        "is_demo": settings.IS_DEMO,
        "navigation": navigation_for(request),
        "support_email": settings.SUPPORT_EMAIL,
    }
