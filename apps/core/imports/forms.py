"""Choosing the file. Sources with options have a form of their own on top of this one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from apps.core.imports.reading import Limits


class ImportUploadForm(forms.Form):
    """`options()` gives what the source takes as its options."""

    file = forms.FileField(
        label=_("File"),
        help_text=_(
            "A table as CSV or XLSX, just as you got it. Nothing is changed before you have seen what would change."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.xlsx,text/csv,text/plain"}),
        error_messages={"required": _("Please choose a file.")},
    )

    def __init__(self, *args: Any, limits: Limits, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.limits = limits

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        if file.size and file.size > self.limits.file_bytes:
            raise ValidationError(
                _("The file is larger than %(megabytes)s MB. Please choose a smaller file.")
                % {"megabytes": self.limits.file_bytes // 1024 // 1024}
            )
        return file

    def options(self) -> dict[str, str]:
        return {}
