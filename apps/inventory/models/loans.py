"""Who has borrowed which device, without saying who: borrowers go by a loan number that no name can be read from."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core import clock
from apps.core.money import CentsField
from apps.core.querysets import ReferenceQuerySet
from apps.core.transitions import StatusChange
from apps.inventory.choices import Condition
from apps.inventory.loan_choices import Borrower, LoanState, ReminderStage
from apps.inventory.models.devices import Device
from apps.inventory.querysets import LoanPartQuerySet, LoanQuerySet
from apps.schools.models import School


class LoanRules(models.Model):
    """What the city has decided about loans from a day on; see `loan_selectors.rules_on`."""

    valid_from = models.DateField(
        _("valid from"), unique=True, error_messages={"unique": _("There are rules from this day on already.")}
    )
    names_allowed = models.BooleanField(
        _("store the borrowers' names"),
        default=False,
        help_text=_(
            "Off: the portal knows borrowers by their loan number only, and the receipt has a line for writing the name"
            " by hand; the receipt stays at the school. On: schools may enter the name; they, IT support and the office"
            " see it until it is deleted. Talk to the data protection officer before you switch this on. When you"
            " switch it off again, the next nightly run deletes all names."
        ),
    )
    keep_months = models.PositiveSmallIntegerField(
        _("delete personal details so many months after the return"),
        default=6,
        validators=[MinValueValidator(1), MaxValueValidator(120)],
        help_text=_(
            "Name, class and remark of a loan, its past versions included. What remains are device, school, days and"
            " condition. 6 months: so long the lender can claim damages (§ 606 BGB)."
        ),
    )
    remind_days_before = models.PositiveSmallIntegerField(
        _("remind so many days before the due date"),
        default=14,
        validators=[MaxValueValidator(120)],
        help_text=_("The school's coordinators get one mail, and another one once a loan is overdue. 0: only then."),
    )
    source = models.CharField(_("source"), max_length=200, blank=True)

    objects = ReferenceQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("rules for loans")
        verbose_name_plural = _("rules for loans")
        ordering = ("-valid_from",)

    def __str__(self) -> str:
        return f"{self.valid_from:%d.%m.%Y}"


class Loan(models.Model):
    """One device in the hands of one borrower, from `since` to `ended_on`. Only services write it.

    `number` is drawn by lot. `school` is that of the device when it was handed out, where it stays for the loan's time.
    `main`: the loan that this one, of another part of the same kit, went out with.
    `value` is the device's acquisition cost then. `ended_on`: when it came back, was lost or was called off.
    """

    number = models.CharField(_("loan number"), max_length=16, unique=True, editable=False)
    main = models.ForeignKey(
        "self",
        verbose_name=_("handed out together with"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="parts",
    )
    device = models.ForeignKey(Device, verbose_name=_("device"), on_delete=models.PROTECT, related_name="loans")
    school = models.ForeignKey(School, verbose_name=_("school"), on_delete=models.PROTECT, related_name="loans")
    state = models.CharField(_("state"), max_length=16, choices=LoanState, default=LoanState.OUT, editable=False)
    borrower = models.CharField(_("borrower"), max_length=16, choices=Borrower, blank=True)
    borrower_name = models.CharField(_("name"), max_length=120, blank=True)
    group = models.CharField(_("class or group"), max_length=40, blank=True)
    since = models.DateField(_("handed out on"))
    due_on = models.DateField(_("due on"), null=True, blank=True)
    until_school_year_ends = models.BooleanField(_("until the end of the school year"), default=False)
    ended_on = models.DateField(_("returned on"), null=True, blank=True)
    condition_out = models.CharField(_("condition at hand-out"), max_length=16, choices=Condition, blank=True)
    condition_back = models.CharField(_("condition at return"), max_length=16, choices=Condition, blank=True)
    damage_out = models.TextField(_("damage at hand-out"), blank=True)
    damage_back = models.TextField(_("damage at return"), blank=True)
    accessories = models.CharField(_("accessories"), max_length=200, blank=True)
    value = CentsField(_("value"), null=True, blank=True)
    remark = models.TextField(_("remark"), blank=True)
    created_at = models.DateTimeField(_("recorded at"), auto_now_add=True)
    cleared_on = models.DateField(_("personal details deleted on"), null=True, blank=True, editable=False)

    objects = LoanQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("loan")
        verbose_name_plural = _("loans")
        ordering = ("-pk",)
        indexes = [
            models.Index(fields=["state", "due_on"], name="inventory_loan_due"),
            models.Index(fields=["school", "state", "due_on"], name="inventory_loan_school"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["device"],
                condition=Q(state="out"),
                name="inventory_one_open_loan",
                violation_error_message=_("This device is on loan already. Please take it back first."),
            ),
            models.CheckConstraint(
                condition=Q(state="out", ended_on__isnull=True) | (~Q(state="out") & Q(ended_on__isnull=False)),
                name="inventory_ended_loans_have_a_day",
                violation_error_message=_("A loan that has ended has the day on which it ended."),
            ),
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True) | Q(ended_on__gte=F("since")),
                name="inventory_loan_ends_after_start",
                violation_error_message=_("A loan ends on the day of its hand-out or later."),
            ),
            models.CheckConstraint(
                condition=Q(due_on__isnull=True) | Q(due_on__gte=F("since")),
                name="inventory_loan_due_after_start",
                violation_error_message=_("A loan is due on the day of its hand-out or later."),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("inventory:loan", args=[self.number])

    @property
    def is_open(self) -> bool:
        return self.state == LoanState.OUT

    @property
    def is_overdue(self) -> bool:
        return self.is_open and self.due_on is not None and self.due_on < clock.today()


class LoanChange(StatusChange):
    """What happened to a loan; `step` is the service's name. The portal itself has no `by`.

    `key` is that of the scan that did it, so that one which is sent again does it once.
    """

    loan = models.ForeignKey(Loan, on_delete=models.CASCADE, related_name="changes")
    step = models.CharField(_("step"), max_length=32)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("by"), null=True, on_delete=models.PROTECT, related_name="+"
    )

    key = models.UUIDField(_("key"), null=True, unique=True, editable=False)

    objects = LoanPartQuerySet.as_manager()

    class Meta(StatusChange.Meta):
        verbose_name = _("change of a loan")
        verbose_name_plural = _("changes of loans")

    def __str__(self) -> str:
        return f"{self.loan}: {self.step}"


class LoanReminder(models.Model):
    """A loan that the school's coordinators were told of: once for each stage of a due date."""

    loan = models.ForeignKey(Loan, on_delete=models.CASCADE, related_name="reminders")
    stage = models.CharField(_("stage"), max_length=16, choices=ReminderStage)
    due_on = models.DateField(_("due on"))
    at = models.DateTimeField(_("at"), auto_now_add=True)

    objects = LoanPartQuerySet.as_manager()

    class Meta:
        verbose_name = _("reminder of a loan")
        verbose_name_plural = _("reminders of loans")
        constraints = [
            models.UniqueConstraint(fields=["loan", "stage", "due_on"], name="inventory_reminded_once_per_stage")
        ]

    def __str__(self) -> str:
        return f"{self.loan}: {self.stage}"
