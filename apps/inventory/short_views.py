"""Where the QR code on a device leads."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.generic import View

from apps.inventory.codes import way_for
from apps.inventory.views import DevicePageMixin
from apps.schools.querysets import serves_all


class ShortView(DevicePageMixin, View):
    """To the device; those who see no devices go where they report what is wrong with it.

    Whether the device exists outside the person's scope is not told.
    """

    def has_permission(self) -> bool:
        return self.request.user.is_authenticated

    def get(self, request: HttpRequest, tag: str) -> HttpResponse:
        user: Any = request.user
        tag = tag.upper()
        if user.has_perm(self.permission_required):
            device = self.devices().filter(tag=tag).first()
            address = device.get_absolute_url() if device is not None else ""
        else:
            address = way_for(user, tag)
        if address:
            return redirect(address)
        known = {"tag": tag[:32], "serves_all": serves_all(user)}
        return render(request, "inventory/unknown_label.html", known, status=404)
