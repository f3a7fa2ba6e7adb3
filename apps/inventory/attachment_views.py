"""Files of a device: fetched and removed. They are added like any other action on a device."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView, View

from apps.core.errors import DomainError
from apps.inventory import services
from apps.inventory.models import Attachment
from apps.inventory.services.attachments import FOREIGN
from apps.inventory.views import DevicePageMixin, Text


class AttachmentMixin(DevicePageMixin):
    def attachment(self) -> Attachment:
        rows: Any = Attachment.objects.select_related("device__product", "device__school", "by")
        user = self.request.user  # type: ignore[attr-defined]
        found: Attachment = rows.get_visible_or_404(
            user,
            device__tag=self.kwargs["tag"],  # type: ignore[attr-defined]
            pk=self.kwargs["pk"],  # type: ignore[attr-defined]
        )
        return found


class AttachmentView(AttachmentMixin, View):
    """Hands the file out for saving: no browser shows it, guesses another kind, or runs what may hide in it."""

    def get(self, request: HttpRequest, tag: str, pk: int) -> HttpResponseBase:
        row = self.attachment()
        try:
            content = row.file.open("rb")
        except FileNotFoundError:
            messages.error(request, _("The file is no longer there. Please add it once more."))
            return redirect(row.device)
        response = FileResponse(content, as_attachment=True, filename=row.name, content_type=row.content_type)
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
        response["Cache-Control"] = "private, no-store"
        return response


class RemoveAttachmentView(AttachmentMixin, TemplateView):
    """Asks once, naming what is lost."""

    permission_required = "inventory.change_device"
    template_name = "inventory/remove_attachment.html"
    heading = _("Remove file")

    def get_breadcrumbs(self) -> list[tuple[Text, str]]:
        device = self.row.device
        return [*super().get_breadcrumbs(), (device.tag, device.get_absolute_url())]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.row = self.attachment()
        if not Attachment.objects.removable_by(request.user).filter(pk=self.row.pk).exists():
            messages.error(request, FOREIGN)
            return redirect(self.row.device)
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(attachment=self.row, device=self.row.device, **kwargs)

    def post(self, request: HttpRequest, tag: str, pk: int) -> HttpResponse:
        row = self.attachment()
        device = row.device
        try:
            services.remove_attachment(attachment=row, by=request.user)
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("The file “%(name)s” is removed.") % {"name": row.name})
        return redirect(device)
