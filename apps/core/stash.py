"""What a person typed survives the end of their session.

A form that is sent after the session ended would be lost at the sign-in page. `StashMixin` keeps the posted data
in the (then anonymous) session, sends the person to sign in and hands the data back to the same form. The form
carries who loaded it in a signed field: nobody else gets the data. Bounded in number, size and time.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.utils.translation import gettext as _

from apps.core import clock

FIELD = "stash"
SALT = "apps.core.stash"
SESSION_KEY = "stashed_input"
FORM_AGE = 7 * 24 * 60 * 60
"""Seconds that a loaded form may be sent into the stash."""
KEEP_AGE = 2 * 60 * 60
"""Seconds that typed data waits for its person."""
MAX_FORMS = 5
MAX_CHARACTERS = 100_000
_NOT_KEPT = frozenset({"csrfmiddlewaretoken", FIELD})


def stash_token(user: Any) -> str:
    """Value of the hidden field `stash`: who loaded the form, signed."""
    return signing.dumps(user.pk, salt=SALT)


def keep(request: HttpRequest) -> bool:
    """Keeps the posted data for the person who loaded the form; False when there is no proof or no room."""
    owner = _owner(request)
    if owner is None or (request.user.is_authenticated and request.user.pk != owner):
        return False
    values = {name: found for name, found in request.POST.lists() if name not in _NOT_KEPT}
    if sum(len(name) + sum(map(len, found)) for name, found in values.items()) > MAX_CHARACTERS:
        return False
    entries = _fresh_entries(request)
    entries.pop(_key(request), None)
    while len(entries) >= MAX_FORMS:
        del entries[min(entries, key=lambda address: entries[address]["at"])]
    entries[_key(request)] = {"user": owner, "at": _seconds(), "values": values}
    request.session[SESSION_KEY] = entries
    return True


def stashed(request: HttpRequest) -> QueryDict | None:
    """What this person typed into the form at this address before their session ended."""
    entry = _fresh_entries(request).get(_key(request))
    if entry is None or entry["user"] != request.user.pk:
        return None
    data = QueryDict(mutable=True)
    for name, found in entry["values"].items():
        data.setlist(name, found)
    return data


def forget(request: HttpRequest) -> None:
    """The typed data of this address has been saved or is not wanted any more."""
    entries = request.session.get(SESSION_KEY, {})
    if _key(request) in entries:
        del entries[_key(request)]
        request.session[SESSION_KEY] = entries


def rescue(request: HttpRequest) -> HttpResponse | None:
    """Answer to a form whose security token grew old, e.g. by signing in again in a second tab.

    Only with the signed field, which no foreign site can know; the data is shown again, never saved from here.
    """
    if request.method != "POST" or not keep(request):
        return None
    if _is_autosave(request):
        return JsonResponse({"message": _("Not saved. Please load the page again.")}, status=403)
    if not request.user.is_authenticated:
        return _to_sign_in(request)
    return HttpResponseRedirect(request.get_full_path())


class StashMixin:
    """For views whose GET and POST share an address. Stands before the access mixins.

    The template puts `{{ stash_token }}` into a hidden field `stash`; GET fills its form from `stashed_input()`;
    POST calls `forget_input()` once the data is saved.
    """

    request: HttpRequest

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            _drop_foreign(request)
        elif request.method == "POST":
            return self._answer_signed_out(request)
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc,no-any-return]  # a mixin for views

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kwargs.setdefault("stash_token", stash_token(self.request.user))
        return super().get_context_data(**kwargs)  # type: ignore[misc,no-any-return]  # a mixin for views

    def stashed_input(self) -> QueryDict | None:
        return stashed(self.request)

    def forget_input(self) -> None:
        forget(self.request)

    @staticmethod
    def _answer_signed_out(request: HttpRequest) -> HttpResponse:
        if _is_autosave(request):
            message = _("Not saved: you are signed out. Send the form, and you can sign in without losing anything.")
            return JsonResponse({"message": message}, status=401)
        if request.headers.get("HX-Request") == "true":
            return HttpResponse(status=401)
        keep(request)
        return _to_sign_in(request)


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    if _key(request) in request.session.get(SESSION_KEY, {}):
        messages.warning(request, _("Your session had ended. Please sign in: what you typed is kept for two hours."))
    return redirect_to_login(request.get_full_path())


def _key(request: HttpRequest) -> str:
    """The form's address with its query, e.g. for which school a new application is."""
    return request.get_full_path()


def _is_autosave(request: HttpRequest) -> bool:
    return request.headers.get("X-Autosave") == "1"


def _owner(request: HttpRequest) -> int | None:
    try:
        owner = signing.loads(request.POST.get(FIELD, ""), salt=SALT, max_age=FORM_AGE)
    except signing.BadSignature:
        return None
    return owner if isinstance(owner, int) else None


def _seconds() -> int:
    return int(clock.now().timestamp())


def _fresh_entries(request: HttpRequest) -> dict[str, Any]:
    oldest = _seconds() - KEEP_AGE
    return {address: entry for address, entry in request.session.get(SESSION_KEY, {}).items() if entry["at"] >= oldest}


def _drop_foreign(request: HttpRequest) -> None:
    """Whoever signs in next in this browser finds nothing of the person before, and nothing that is too old."""
    entries = request.session.get(SESSION_KEY)
    if not entries:
        return
    own = {address: entry for address, entry in _fresh_entries(request).items() if entry["user"] == request.user.pk}
    if len(own) != len(entries):
        request.session[SESSION_KEY] = own
