"""Forms of the inventory: one for each thing that can be done with a device."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.clock import today
from apps.core.form_fields import EuroField, GermanDateField, GermanIntegerField
from apps.core.form_layout import Fieldset, KernFormHelper, Layout
from apps.inventory.binding import bound_words, is_bound
from apps.inventory.choices import LENT_OWNERSHIPS, Condition, Disposal, Ownership
from apps.inventory.models import Device, DeviceKind, Kit, Product
from apps.inventory.services.attachments import MOST_BYTES
from apps.inventory.services.kits import KIT_HAS_NO_PRICE
from apps.schools.models import School, Site

AT_ONCE = 500


class SiteChoice(forms.ModelChoiceField):
    """A site, named with its school where several schools can be chosen."""

    with_school = True

    def label_from_instance(self, obj: Site) -> str:
        return f"{obj.school} – {obj.name}" if self.with_school else obj.name


class PlaceMixin(forms.Form):
    """School, site and room within the person's scope. Nobody chooses what there is only one of."""

    single_school: School | None = None

    def choose_place(self, user: User, *, school_optional: bool) -> None:
        """Narrows `school` and `site`; hides a single school and drops `site` where no school has several."""
        schools = School.objects.visible_to(user).order_by("sort_key")
        school, site = self.fields["school"], self.fields["site"]
        school.queryset = schools
        school.required = not school_optional
        first_two = list(schools[:2])
        single = len(first_two) == 1 and not school_optional
        if single:
            school.initial = self.initial["school"] = first_two[0]
            school.widget = forms.HiddenInput()
            self.single_school = first_two[0]
        several = schools.annotate(places=Count("sites")).filter(places__gt=1).order_by()
        site.queryset = Site.objects.filter(school__in=several.values("pk")).select_related("school")
        site.with_school = not single
        if not site.queryset.exists():
            del self.fields["site"]


class ProductSelect(forms.Select):
    """Each option knows the price of the day, which the page's script offers below; see `static/js/forms.js`."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        price = value.instance.gross_price if isinstance(value, forms.models.ModelChoiceIteratorValue) else None
        if price is not None:
            option["attrs"]["data-price"] = EuroField().prepare_value(price)
        return option


class KitMixin(forms.Form):
    """Either a product or a kit."""

    product = forms.ModelChoiceField(
        Product.objects.none(),
        label=_("Product"),
        widget=ProductSelect(attrs={"data-offers": "price"}),
        help_text=_("The office keeps the list of products."),
    )
    kit = forms.ModelChoiceField(
        Kit.objects.none(),
        label=_("Or a kit"),
        required=False,
        help_text=_("Each of its parts becomes a device of its own; cases, pens and the like are only noted."),
    )

    def offer_products(self, user: User, *, present: Kit | None = None) -> None:
        """Nobody is asked for a kit where there is none; `present` stays though it is no longer offered."""
        self.fields["product"].queryset = Product.objects.visible_to(user).filter(kind__tracked_singly=True).priced()
        kits = Kit.objects.visible_to(user).filter(Q(is_active=True) | Q(pk=present.pk if present else None))
        if not kits.exists():
            del self.fields["kit"]
            return
        self.fields["kit"].queryset = kits
        self.fields["kit"].empty_label = _("No kit")
        self.fields["product"].required = False
        self.fields["product"].hint_says_when_required = self.fields["kit"].hint_says_when_required = True

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "kit" in self.fields and "product" in cleaned and bool(cleaned["product"]) == bool(cleaned.get("kit")):
            self.add_error("product", _("Please choose either a product or a kit."))
        if cleaned.get("kit") and cleaned.get("price") is not None:
            self.add_error("price", KIT_HAS_NO_PRICE)
        return cleaned


class AddForm(KitMixin, PlaceMixin):
    """One device or many alike."""

    token = forms.UUIDField(widget=forms.HiddenInput)
    quantity = GermanIntegerField(label=_("Quantity"), min_value=1, max_value=AT_ONCE, initial=1)
    tag = forms.CharField(
        label=_("Inventory number"),
        required=False,
        max_length=32,
        help_text=_("For a single device that has a label already. Otherwise the portal gives running numbers."),
    )
    serials = forms.CharField(
        label=_("Serial numbers"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=_("One per line. You can scan them one after the other."),
    )
    school = forms.ModelChoiceField(School.objects.none(), label=_("School"))
    site = SiteChoice(Site.objects.none(), label=_("Site"), required=False)
    room = forms.CharField(label=_("Room"), required=False, max_length=60)
    since = GermanDateField(label=_("Stands there since"), required=False, help_text=_("Counts from this day on."))
    ownership = forms.ChoiceField(label=_("Ownership"), choices=Ownership.choices, initial=Ownership.BOUGHT)
    price = EuroField(label=_("Acquisition cost per device"), required=False, min_value=0)
    bought_on = GermanDateField(label=_("Bought on"), required=False)
    note = forms.CharField(label=_("Note"), required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, user: User, cancel_url: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("token", uuid.uuid4())
        self.initial.setdefault("since", today())
        self.offer_products(user)
        depot = user.has_perm("inventory.use_depot")
        self.choose_place(user, school_optional=depot)
        if depot:
            self.fields["school"].empty_label = _("None yet: into the depot")
        what = [name for name in ("product", "kit", "quantity", "tag", "serials") if name in self.fields]
        place = [name for name in ("school", "site", "room", "since") if name in self.fields]
        self.helper = KernFormHelper(self, submit=_("Add devices"), cancel_url=cancel_url, keep="inventory-add")
        self.helper.layout = Layout(
            "token",
            Fieldset(_("What"), *what),
            Fieldset(_("Where"), *place),
            Fieldset(_("Purchase"), "ownership", "price", "bought_on", "note"),
        )

    def clean_serials(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data["serials"].splitlines() if line.strip()]

    def clean(self) -> dict[str, Any]:
        """The service takes lists of numbers, and either a product or a kit."""
        cleaned = super().clean()
        tag = cleaned.pop("tag", "").strip()
        if tag and cleaned.get("quantity", 1) > 1:
            self.add_error("tag", _("Only a single device can be given its number. Please leave this field empty."))
        if tag and cleaned.get("kit"):
            self.add_error("tag", _("The devices of a kit get running numbers. Please leave this field empty."))
        cleaned["tags"] = [tag] if tag else []
        return cleaned


class ActionForm(forms.Form):
    """Base: the day of the change and the person's words, as the action needs them."""

    submit: Any = _("Save")
    submit_kind = "primary"

    def __init__(self, *args: Any, user: User, device: Device, cancel_url: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.device = user, device
        if "on" in self.fields:
            self.initial.setdefault("on", today())
        self.prepare()
        self.helper = KernFormHelper(
            self, submit=self.submit, submit_kind=self.submit_kind, cancel_url=cancel_url, keep=""
        )

    def prepare(self) -> None:
        """Narrows choices and fills in what is known."""


class OnField(GermanDateField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(label=_("From this day on"), help_text=_("Today, or an earlier day if it is noted late."))


class ReasonField(forms.CharField):
    def __init__(self, label: Any, *, required: bool = False) -> None:
        super().__init__(label=label, required=required, widget=forms.Textarea(attrs={"rows": 3}), max_length=1000)


class MoveForm(PlaceMixin, ActionForm):
    """The room that is filled in is that of the present school: it does not come along to another one.

    `static/js/forms.js` empties it there and says by an empty `filled_in` that what it sends is meant; without a
    script `clean` drops it.
    """

    submit = _("Move device")
    school = forms.ModelChoiceField(School.objects.none(), label=_("School"))
    site = SiteChoice(Site.objects.none(), label=_("Site"), required=False)
    room = forms.CharField(label=_("Room"), required=False, max_length=60)
    on = OnField()
    filled_in = forms.CharField(required=False, widget=forms.HiddenInput())

    def prepare(self) -> None:
        for name in ("school", "site", "room"):
            self.initial.setdefault(name, getattr(self.device, name))
        self.initial["filled_in"] = self.device.room
        self.choose_place(self.user, school_optional=False)
        if self.device.school_id is not None:
            here = {"data-room-of": self.device.school_id, "data-room-here": self.device.room}
            self.fields["school"].widget.attrs |= here

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        filled_in = cleaned.pop("filled_in", "")
        if cleaned.get("school") != self.device.school and cleaned.get("room") == filled_in:
            cleaned["room"] = ""
        return cleaned


class StockForm(ActionForm):
    submit = _("Take into the depot")
    on = OnField()


class ConditionField(forms.ChoiceField):
    """The condition, left as it was where nothing is chosen."""

    def __init__(self, *, required: bool = False) -> None:
        first = _("Please choose") if required else _("As it was")
        super().__init__(label=_("Condition"), required=required, choices=[("", first), *Condition.choices])


class DisposalMixin(forms.Form):
    """Where a device goes. The reason against a binding is asked only where a grant binds the device."""

    disposal = forms.ChoiceField(label=_("Where it goes"), required=False)
    proceeds = EuroField(label=_("Proceeds"), required=False, min_value=0, help_text=_("Only where it is sold."))
    binding_reason = ReasonField(_("Why it goes although a grant binds it"), required=True)

    device: Device

    def ask_disposal(self) -> None:
        """Offers only what fits the ownership."""
        others = self.device.ownership in LENT_OWNERSHIPS
        ways = [way for way in Disposal if way != Disposal.SUPPLIER]
        fitting = [(way.value, way.label) for way in ways if (way == Disposal.RETURNED) == others]
        first = _("Please choose") if self.fields["disposal"].required else _("Not known yet")
        self.fields["disposal"].choices = [("", first), *fitting]
        if others:
            del self.fields["proceeds"]
        if not is_bound(self.device, today()):
            del self.fields["binding_reason"]
        else:
            self.fields["binding_reason"].help_text = _("Bound until %(bound)s. This stays in the history.") % {
                "bound": bound_words(self.device)
            }


class RetireForm(DisposalMixin, ActionForm):
    submit, submit_kind = _("Retire device"), "danger"
    reason = ReasonField(_("Reason"), required=True)
    condition = ConditionField()
    on = OnField()

    field_order = ("reason", "condition", "disposal", "proceeds", "binding_reason", "on")

    def prepare(self) -> None:
        self.ask_disposal()


class DisposalForm(DisposalMixin, ActionForm):
    submit = _("Save whereabouts")
    on = GermanDateField(label=_("Left on"))

    field_order = ("disposal", "proceeds", "binding_reason", "on")

    def prepare(self) -> None:
        self.fields["disposal"].required = True
        self.ask_disposal()
        for name in ("disposal", "proceeds"):
            if name in self.fields:
                self.initial.setdefault(name, getattr(self.device, name))
        if self.device.disposed_on:
            self.initial["on"] = self.device.disposed_on


class LostForm(ActionForm):
    submit, submit_kind = _("Report as lost"), "danger"
    reason = ReasonField(_("What is known"))
    on = OnField()


class StolenForm(LostForm):
    submit = _("Report as stolen")


class RepairForm(ActionForm):
    submit = _("Send to repair")
    reason = ReasonField(_("What is broken"))


class RepairedForm(ActionForm):
    submit = _("Take back from repair")
    reason = ReasonField(_("What was done"))
    condition = ConditionField()


class OwnershipForm(ActionForm):
    submit = _("Change ownership")
    ownership = forms.ChoiceField(label=_("Ownership"), choices=Ownership.choices)
    on = OnField()

    def prepare(self) -> None:
        self.initial.setdefault("ownership", self.device.ownership)


class KindForm(ActionForm):
    submit = _("Change kind")
    kind = forms.ModelChoiceField(
        DeviceKind.objects.none(), label=_("Device kind"), help_text=_("Decides what the device counts as.")
    )
    on = OnField()

    def prepare(self) -> None:
        self.fields["kind"].queryset = DeviceKind.objects.visible_to(self.user)
        self.initial.setdefault("kind", self.device.kind)


class DetailsForm(ActionForm):
    submit = _("Save details")
    serial = forms.CharField(label=_("Serial number"), required=False, max_length=80)
    price = EuroField(label=_("Acquisition cost"), required=False, min_value=0)
    bought_on = GermanDateField(label=_("Bought on"), required=False)
    use_until = GermanDateField(
        label=_("Planned end of use"), required=False, help_text=_("Empty: after the planned years of use.")
    )
    note = forms.CharField(label=_("Note"), required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def prepare(self) -> None:
        for name in self.fields:
            self.initial.setdefault(name, getattr(self.device, name))


class ConditionForm(ActionForm):
    submit = _("Change condition")
    condition = ConditionField(required=True)
    reason = ReasonField(_("Note"))

    def prepare(self) -> None:
        self.initial.setdefault("condition", self.device.condition)


class BindingForm(ActionForm):
    submit = _("Save binding")
    until = GermanDateField(
        label=_("Bound until"),
        required=False,
        help_text=_("The last day of the binding as the grant notice says. Empty: no grant binds the device."),
    )
    file_reference = forms.CharField(label=_("File reference of the grant"), required=False, max_length=120)
    reason = ReasonField(_("Reason"))

    def prepare(self) -> None:
        self.initial.setdefault("until", self.device.bound_until)
        self.initial.setdefault("file_reference", self.device.bound_by)
        if is_bound(self.device, today()):
            self.fields["reason"].help_text = _("Needed where the binding ends earlier than so far.")


class AttachForm(ActionForm):
    submit = _("Add file")
    file = forms.FileField(
        label=_("File"),
        allow_empty_file=True,
        help_text=_("PDF, JPEG or PNG of at most %(megabytes)s MB. Please show no pupils.")
        % {"megabytes": MOST_BYTES // 1024 // 1024},
        widget=forms.FileInput(attrs={"accept": ".pdf,.jpg,.jpeg,.png,application/pdf,image/jpeg,image/png"}),
        error_messages={"required": _("Please choose a file.")},
    )
    description = forms.CharField(
        label=_("What it shows"), required=False, max_length=200, help_text=_("For example: report to the police.")
    )
