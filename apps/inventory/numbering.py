"""Inventory numbers and serial numbers: no two devices share one, also when several people add at once."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

import apps.core.lookups  # noqa: F401 - `any_of`
from apps.core.errors import DomainError
from apps.inventory.models import Device, TagSequence, tag_validator


def tag_of(number: int) -> str:
    """A running number as it stands on the label ("HAM-000001")."""
    return f"{settings.TAG_PREFIX}-{number:06d}"


def is_running_tag(text: str) -> bool:
    """Whether it reads as a running number of this portal does."""
    return re.fullmatch(rf"{re.escape(settings.TAG_PREFIX)}-[0-9]{{6,}}", text) is not None


def running_tag(text: str) -> str:
    """The running number that somebody means who leaves zeros, hyphen or capitals away ("ham7"); else empty."""
    solid = tidy(text).upper().replace(" ", "")
    read = re.fullmatch(rf"{re.escape(settings.TAG_PREFIX)}-?([0-9]{{1,9}})", solid)
    return tag_of(int(read[1])) if read else ""


def next_tags(quantity: int) -> list[str]:
    """The next free running numbers ("HAM-000001"). Locks the sequence's row until the transaction ends.

    Numbers that somebody typed or imported already are passed over.
    """
    if quantity == 0:
        return []
    prefix: str = settings.TAG_PREFIX
    TagSequence.objects.get_or_create(prefix=prefix)
    sequence = TagSequence.objects.select_for_update().get(prefix=prefix)
    tags: list[str] = []
    while len(tags) < quantity:
        first = sequence.last + 1
        sequence.last += quantity - len(tags)
        candidates = [tag_of(number) for number in range(first, sequence.last + 1)]
        taken = set(Device.objects.filter(tag__any_of=candidates).values_list("tag", flat=True))
        tags += [tag for tag in candidates if tag not in taken]
    sequence.save(update_fields=["last"])
    return tags


def tidy(text: str) -> str:
    """Without blanks around, and single ones inside."""
    return " ".join(text.split())


def ensure_new_tags(tags: Sequence[str]) -> None:
    """Refuses malformed inventory numbers and such that are taken."""
    try:
        for tag in tags:
            tag_validator(tag)
    except ValidationError as error:
        raise DomainError(error.message, field="tag") from None
    taken = set(Device.objects.filter(tag__in=tags).values_list("tag", flat=True))
    if taken or len(set(tags)) < len(tags):
        raise DomainError(
            _("The inventory number is taken. Please choose another one, or leave the field empty."),
            code="taken",
            field="tag",
        )


def ensure_new_serials(serials: Sequence[str], *, but: Device | None = None) -> None:
    """Names the serial numbers that appear twice or belong to another device already."""
    given = [serial for serial in serials if serial]
    known = Device.objects.filter(serial__in=given).exclude(pk=but.pk if but else None)
    double = {serial for serial in given if given.count(serial) > 1} | set(known.values_list("serial", flat=True))
    if double:
        raise DomainError(
            _("These serial numbers are taken or appear twice: %(serials)s. Please correct them.")
            % {"serials": ", ".join(sorted(double))},
            code="taken",
            field="serial" if but else "serials",
        )
