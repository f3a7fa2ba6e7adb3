"""What a person does with their own filters of a list, in the portal and in the admin: both send the same forms."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from apps.core import saved_filters
from apps.core.errors import DomainError
from apps.core.models import SavedFilter

ACTIONS = ("keep", "rename", "first", "forget")


def answer(request: HttpRequest, *, list_name: str, query: str) -> HttpResponse:
    """Keeps, renames, puts first or forgets; `query` is what the list shows now. A refusal is shown on the list."""
    try:
        return _change(request, list_name, query)
    except DomainError as error:
        messages.error(request, str(error))
        return redirect(request.get_full_path())


def _change(request: HttpRequest, list_name: str, query: str) -> HttpResponse:
    name = request.POST.get("name", "")
    if "keep" in request.POST:
        row = saved_filters.keep_filter(user=request.user, list_name=list_name, name=name, query=query)
        messages.success(request, _("The filter “%(name)s” is kept.") % {"name": row.name})
        return redirect(f"{request.path}?{row.query}")
    key = request.POST.get("own", "")
    own = SavedFilter.objects.filter(list_name=list_name)
    row = own.get_visible_or_404(request.user, pk=int(key) if key.isdecimal() and len(key) < 19 else 0)
    if "rename" in request.POST:
        saved_filters.rename_filter(row=row, name=name)
    elif "first" in request.POST:
        saved_filters.open_first(row=row, first=request.POST["first"] == "yes")
    elif "forget" in request.POST:
        saved_filters.forget_filter(row=row)
        messages.success(request, _("The filter “%(name)s” is deleted.") % {"name": row.name})
    return redirect(f"{request.path}?{query or f'{saved_filters.PLAIN}=none'}")
