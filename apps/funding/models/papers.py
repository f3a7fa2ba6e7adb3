"""Papers about money: invoices, drawdowns of grants and proofs of use. All amounts in euros (`CentsField`)."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core import clock, formats
from apps.core.money import CentsField
from apps.funding.choices import DrawdownState, InvoiceKind, InvoiceState, ProofState
from apps.funding.models.grants import Grant
from apps.funding.models.purchasing import Order, OrderLine
from apps.funding.querysets import MoneyQuerySet
from apps.schools.models import School


class Invoice(models.Model):
    """An invoice or credit note about an order. One person records it, another orders its payment (KomHVO § 31).

    `oddities`: what its payer read as unusual (see the services), None of what was paid before that was kept.
    """

    order = models.ForeignKey(Order, verbose_name=_("order"), on_delete=models.PROTECT, related_name="invoices")
    form_key = models.UUIDField(null=True, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=16, choices=InvoiceKind, default=InvoiceKind.INVOICE)
    number = models.CharField(_("invoice number"), max_length=60)
    voucher_number = models.CharField(
        _("voucher number"), max_length=40, help_text=_("Under which the city keeps it (Belegnummer).")
    )
    dated_on = models.DateField(_("date of the invoice"))
    payee = models.CharField(_("payee"), max_length=160)
    state = models.CharField(
        _("state"), max_length=16, choices=InvoiceState, default=InvoiceState.RECORDED, editable=False
    )
    paid_on = models.DateField(_("paid on"), null=True, editable=False)
    booking_reference = models.CharField(_("booking reference"), max_length=60, blank=True)
    remark = models.CharField(_("remark"), max_length=300, blank=True)
    oddities = models.JSONField(null=True, editable=False)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("recorded by"), on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField(_("recorded at"), auto_now_add=True)
    paid_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("payment ordered by"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
    )

    objects = MoneyQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["form_key", "oddities"])

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        ordering = ("-dated_on", "-pk")
        constraints = [
            models.UniqueConstraint(
                fields=["voucher_number"],
                condition=~Q(state="cancelled"),
                name="funding_voucher_number_once",
                violation_error_message=_("An invoice with this voucher number is recorded already."),
            ),
            models.UniqueConstraint(
                fields=["order", "number"],
                condition=~Q(state="cancelled"),
                name="funding_invoice_once",
                violation_error_message=_("This invoice of the order is recorded already."),
            ),
            models.CheckConstraint(
                condition=~Q(state="paid") | Q(paid_on__isnull=False, paid_by__isnull=False),
                name="funding_invoice_paid_on",
            ),
            models.CheckConstraint(
                condition=Q(paid_by__isnull=True) | ~Q(paid_by=F("recorded_by")),
                name="funding_invoice_two_persons",
                violation_error_message=_("Another person orders the payment."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.voucher_number} ({self.number})"


class InvoiceLine(models.Model):
    """What an invoice asks for a line of the order; negative on a credit note.

    `eligible_amount`: the part that the grant recognises. `grant_amount` and `own_amount` are frozen at the payment.
    """

    invoice = models.ForeignKey(Invoice, verbose_name=_("invoice"), on_delete=models.CASCADE, related_name="lines")
    order_line = models.ForeignKey(
        OrderLine,
        verbose_name=pgettext_lazy("of an order", "line"),
        on_delete=models.PROTECT,
        related_name="invoice_lines",
    )
    quantity = models.IntegerField(_("quantity"))
    amount = CentsField(_("amount gross"))
    eligible_amount = CentsField(_("eligible amount"))
    grant_amount = CentsField(_("paid by the grant"), null=True, editable=False)
    own_amount = CentsField(_("paid by the city"), null=True, editable=False)

    objects = MoneyQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = pgettext_lazy("of an invoice", "line")
        verbose_name_plural = pgettext_lazy("of an invoice", "lines")
        ordering = ("invoice", "pk")
        constraints = [
            models.UniqueConstraint(fields=["invoice", "order_line"], name="funding_invoice_line_once"),
            models.CheckConstraint(condition=~Q(amount=0), name="funding_invoice_line_not_zero"),
            models.CheckConstraint(
                condition=Q(amount__gt=0, eligible_amount__gte=0, eligible_amount__lte=F("amount"))
                | Q(amount__lt=0, eligible_amount__lte=0, eligible_amount__gte=F("amount")),
                name="funding_invoice_line_eligible",
                violation_error_message=_("The eligible amount is a part of the amount."),
            ),
            models.CheckConstraint(
                condition=Q(grant_amount__isnull=True, own_amount__isnull=True)
                | Q(amount=F("grant_amount") + F("own_amount")),
                name="funding_invoice_line_parts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.invoice}: {self.order_line}"


class Drawdown(models.Model):
    """Money called from a grant (Mittelabruf), with what it was paid for. References are copied when requested."""

    grant = models.ForeignKey(Grant, verbose_name=_("grant"), on_delete=models.PROTECT, related_name="drawdowns")
    number = models.PositiveSmallIntegerField(_("number"), editable=False)
    state = models.CharField(
        _("state"), max_length=16, choices=DrawdownState, default=DrawdownState.DRAFT, editable=False
    )
    file_reference = models.CharField(_("file reference"), max_length=80, blank=True, editable=False)
    lucom_number = models.CharField(_("Lucom number"), max_length=40, blank=True, editable=False)
    requested_on = models.DateField(_("requested on"), null=True, editable=False)
    received_on = models.DateField(_("received on"), null=True, editable=False)
    remark = models.CharField(_("remark"), max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("by"), on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("at"), auto_now_add=True)

    objects = MoneyQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("drawdown")
        verbose_name_plural = _("drawdowns")
        ordering = ("grant", "number")
        constraints = [
            models.UniqueConstraint(fields=["grant", "number"], name="funding_drawdown_number_once"),
            models.CheckConstraint(
                condition=~Q(state__in=["requested", "received"])
                | Q(requested_on__isnull=False) & ~Q(file_reference=""),
                name="funding_drawdown_requested",
            ),
            models.CheckConstraint(
                condition=~Q(state="received") | Q(received_on__isnull=False), name="funding_drawdown_received"
            ),
        ]

    def __str__(self) -> str:
        return f"{gettext('Drawdown %(number)s') % {'number': self.number}}, {self.grant}"


class DrawdownItem(models.Model):
    """A paid invoice line in a drawdown, with the grant's share of it; each line is drawn down once."""

    drawdown = models.ForeignKey(Drawdown, on_delete=models.CASCADE, related_name="items")
    invoice_line = models.OneToOneField(
        InvoiceLine,
        verbose_name=pgettext_lazy("of an invoice", "line"),
        on_delete=models.PROTECT,
        related_name="drawdown_item",
    )
    amount = CentsField(_("amount"))

    objects = MoneyQuerySet.as_manager()

    class Meta:
        verbose_name = _("item of a drawdown")
        verbose_name_plural = _("items of a drawdown")
        ordering = ("drawdown", "pk")

    def __str__(self) -> str:
        return f"{self.drawdown}: {self.invoice_line}"


class FreedItem(models.Model):
    """What a drawdown had called when it was cancelled: the line is free for another, and counts nowhere."""

    drawdown = models.ForeignKey(Drawdown, on_delete=models.CASCADE, related_name="freed_items")
    invoice_line = models.ForeignKey(
        InvoiceLine,
        verbose_name=pgettext_lazy("of an invoice", "line"),
        on_delete=models.PROTECT,
        related_name="freed_items",
    )
    amount = CentsField(_("amount"))

    objects = MoneyQuerySet.as_manager()

    class Meta:
        verbose_name = _("item of a cancelled drawdown")
        verbose_name_plural = _("items of cancelled drawdowns")
        ordering = ("drawdown", "pk")
        constraints = [
            models.UniqueConstraint(fields=["drawdown", "invoice_line"], name="funding_freed_item_once"),
        ]

    def __str__(self) -> str:
        return f"{self.drawdown}: {self.invoice_line}"


class ProofOfUse(models.Model):
    """A proof of use (Verwendungsnachweis) of a grant, for one school or (None) for all.

    Figures are computed while it is a draft; `figures` keeps what was handed in, `sums` what lists compare of it. The
    texts are the narrative report (Sachbericht). `shown_handing_in`, not stored: the key of the one that a copy shows.
    """

    shown_handing_in: int | None = None

    grant = models.ForeignKey(Grant, verbose_name=_("grant"), on_delete=models.PROTECT, related_name="proofs")
    school = models.ForeignKey(
        School, verbose_name=_("school"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(_("state"), max_length=16, choices=ProofState, default=ProofState.DRAFT, editable=False)
    revision = models.PositiveIntegerField(default=1, editable=False)
    purpose = models.TextField(_("what was planned and why"), blank=True)
    course = models.TextField(_("what was done"), blank=True)
    result = models.TextField(_("what it brought to teaching"), blank=True)
    deviations = models.TextField(_("where it differs from the plan, and why"), blank=True)
    award_note = models.TextField(_("how contracts were awarded"), blank=True)
    figures = models.JSONField(_("figures as handed in"), null=True, editable=False)
    sums = models.JSONField(null=True, editable=False)
    handed_in_on = models.DateField(_("handed in on"), null=True, editable=False)
    handed_in_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("handed in by"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
    )

    objects = MoneyQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["figures", "sums", "revision"])

    class Meta:
        verbose_name = _("proof of use")
        verbose_name_plural = _("proofs of use")
        ordering = ("grant", "school", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=["grant", "school"],
                name="funding_proof_once",
                violation_error_message=_("There is a proof of use for this grant and school already."),
            ),
            models.UniqueConstraint(
                fields=["grant"],
                condition=Q(school__isnull=True),
                name="funding_proof_of_all_schools_once",
                violation_error_message=_("There is a proof of use for all schools already."),
            ),
            models.CheckConstraint(
                condition=Q(state="draft", handed_in_on__isnull=True)
                | Q(state="handed_in", handed_in_on__isnull=False, figures__isnull=False),
                name="funding_proof_handed_in",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.grant}: {self.school or self._meta.verbose_name}"


class ProofHandingIn(models.Model):
    """Each time that a proof of use was handed in, with the figures of that day; rows are only added.

    `figures` and `sums` as in `ProofOfUse`, which holds those of the last time.
    """

    proof = models.ForeignKey(ProofOfUse, on_delete=models.CASCADE, related_name="handings_in")
    at = models.DateTimeField(_("handed in on"), default=clock.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("handed in by"), on_delete=models.PROTECT, related_name="+"
    )
    figures = models.JSONField(_("figures as handed in"))
    sums = models.JSONField()

    objects = MoneyQuerySet.as_manager()

    class Meta:
        verbose_name = _("handing in of a proof of use")
        verbose_name_plural = _("handings in of proofs of use")
        ordering = ("proof", "at", "pk")

    def __str__(self) -> str:
        return f"{self.proof}, {formats.moment(self.at)}"
