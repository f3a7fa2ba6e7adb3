"""Rows without domain knowledge: job runs, staged imports, the portal's own texts, messages of the contact form."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.core.choices import StateChoices, Tone
from apps.core.querysets import ReferenceQuerySet, ScopedQuerySet


class JobState(StateChoices):
    """A job that is due waits as `queued`; beat finds it when the nudge was lost."""

    QUEUED = "queued", _("waiting")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    BROKEN_OFF = "broken_off", _("broken off")

    @classmethod
    def _tones(cls) -> dict[str, Tone]:
        return {"running": Tone.INFO, "done": Tone.SUCCESS, "failed": Tone.DANGER, "broken_off": Tone.WARNING}


class JobQuerySet(ScopedQuerySet["Job"]):
    def _visible_to(self, user):  # type: ignore[no-untyped-def]  # typed in the base
        return self.all() if user.has_perm("core.view_job") else self.none()


class Job(models.Model):
    """One run of work outside a request, with its progress and outcome.

    `kind` names the work ("quotas.recalculate_stale"); `result` holds its figures for people and pages. While it
    runs its worker renews `beat_at`; one that falls silent has died. `requested` holds the kind while a run that a
    person asked for waits: it is unique, so that asking twice asks once.
    """

    kind = models.CharField(_("kind"), max_length=64)
    state = models.CharField(_("state"), max_length=16, choices=JobState, default=JobState.QUEUED)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    beat_at = models.DateTimeField(_("last sign of life"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    requested = models.CharField(max_length=64, null=True, blank=True, unique=True, editable=False)
    done = models.PositiveIntegerField(_("steps done"), default=0)
    total = models.PositiveIntegerField(_("steps in all"), default=0)
    result = models.JSONField(_("result"), default=dict, blank=True)
    error = models.TextField(_("reason of failure"), blank=True)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("started by"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ("-pk",)
        indexes = [models.Index(fields=["kind", "-id"], name="core_job_kind")]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class Heartbeat(models.Model):
    """When a part of the portal that answers no requests was last seen at work."""

    class Part(models.TextChoices):
        BEAT = "beat", _("scheduler")
        WORKER = "worker", _("worker")

    part = models.CharField(_("part"), max_length=16, choices=Part, primary_key=True)
    at = models.DateTimeField(_("last sign of life"))

    class Meta:
        verbose_name = _("sign of life")
        verbose_name_plural = _("signs of life")

    def __str__(self) -> str:
        return f"{self.part}: {self.at.isoformat()}"


class ImportState(StateChoices):
    """`checking` and `applying` are due work: the job row says whether a worker has begun it."""

    CHECKING = "checking", _("being checked")
    CHECKED = "checked", _("checked, not applied yet")
    APPLYING = "applying", _("being applied")
    APPLIED = "applied", _("applied")
    DISCARDED = "discarded", _("discarded")
    UNREADABLE = "unreadable", _("unreadable")
    FAILED = "failed", _("failed")

    @classmethod
    def _tones(cls) -> dict[str, Tone]:
        return {
            "checking": Tone.INFO,
            "checked": Tone.WARNING,
            "applying": Tone.INFO,
            "applied": Tone.SUCCESS,
            "unreadable": Tone.DANGER,
            "failed": Tone.DANGER,
        }


class RowAction(StateChoices):
    """What an import would do with a row of its file. What is `missing` has no line: nothing happens to it."""

    WRONG = "wrong", _("faulty")
    NEW = "new", pgettext_lazy("row of an import", "new")
    CHANGED = "changed", _("changed")
    MISSING = "missing", _("on file but not in this file")
    UNCHANGED = "unchanged", _("unchanged")
    LEFT_OUT = "left_out", _("left out")

    @classmethod
    def _tones(cls) -> dict[str, Tone]:
        return {"wrong": Tone.DANGER, "new": Tone.SUCCESS, "changed": Tone.WARNING, "missing": Tone.INFO}


class ImportRunQuerySet(ScopedQuerySet["ImportRun"]):
    def _visible_to(self, user):  # type: ignore[no-untyped-def]  # typed in the base
        """Imports of the sources that this person may run; all of them for those who audit."""
        if user.has_perm("core.see_all_imports"):
            return self.all()
        return self.filter(permission__in=user.get_all_permissions())


class ImportRowQuerySet(ScopedQuerySet["ImportRow"]):
    def _visible_to(self, user):  # type: ignore[no-untyped-def]  # typed in the base
        return self.filter(run__in=ImportRun.objects.visible_to(user))


class ImportRun(models.Model):
    """One file on its way in: checked row by row, shown, and written in one go or discarded.

    `counts` holds the rows per action, `reasons` those left out per reason. `permission` is copied from the source.
    """

    source = models.CharField(_("kind of file"), max_length=40)
    permission = models.CharField(max_length=80, editable=False)
    file_name = models.CharField(_("file"), max_length=160)
    file = models.FileField(upload_to="imports/", blank=True, editable=False)
    options = models.JSONField(_("options"), default=dict, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=ImportState, default=ImportState.CHECKING)
    encoding = models.CharField(_("character encoding"), max_length=16, blank=True)
    counts = models.JSONField(_("rows by what happens to them"), default=dict, blank=True)
    reasons = models.JSONField(_("rows left out by reason"), default=dict, blank=True)
    error = models.TextField(_("reason of failure"), blank=True)
    job = models.ForeignKey(
        Job, verbose_name=_("job"), null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(_("uploaded at"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("uploaded by"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    applied_at = models.DateTimeField(_("applied at"), null=True, blank=True)
    applied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("applied by"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )

    objects = ImportRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.file_name


class ImportRow(models.Model):
    """One row of the file of an import.

    `data` holds the cells by column as text, `changes` per field the old and the new value, `errors` and `hints`
    a list of `{"column", "message", "params"}`: the message is a translatable text.
    """

    run = models.ForeignKey(ImportRun, verbose_name=_("import"), on_delete=models.CASCADE, related_name="rows")
    line = models.PositiveIntegerField(_("line"), null=True, blank=True)
    key = models.CharField(_("number"), max_length=80, blank=True)
    label = models.CharField(_("name"), max_length=160, blank=True)
    action = models.CharField(_("what happens"), max_length=16, choices=RowAction)
    reason = models.CharField(_("reason for being left out"), max_length=40, blank=True)
    data = models.JSONField(_("cells"), default=dict, blank=True)
    changes = models.JSONField(_("changes"), default=dict, blank=True)
    errors = models.JSONField(_("faults"), default=list, blank=True)
    hints = models.JSONField(_("hints"), default=list, blank=True)

    objects = ImportRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("row of an import")
        verbose_name_plural = _("rows of an import")
        ordering = ("run", "line")
        constraints = [models.UniqueConstraint(fields=["run", "line"], name="core_import_line_once")]
        indexes = [models.Index(fields=["run", "action", "line"], name="core_import_rows")]

    def __str__(self) -> str:
        return f"{self.line}: {self.key}"


class ImportMappingQuerySet(ScopedQuerySet["ImportMapping"]):
    def _visible_to(self, user):  # type: ignore[no-untyped-def]  # typed in the base
        if user.has_perm("core.see_all_imports"):
            return self.all()
        return self.filter(permission__in=user.get_all_permissions())


class ImportMapping(models.Model):
    """Which column of a list goes where, as somebody put it right: used again for files with the same header.

    `header` holds the names in the file, `fields` at each place what the column goes to (empty: not taken),
    `signature` is made of the header, `options` are those of the import that matter with it.
    """

    source = models.CharField(_("kind of file"), max_length=40)
    permission = models.CharField(max_length=80, editable=False)
    name = models.CharField(_("name"), max_length=80)
    signature = models.CharField(max_length=64, editable=False)
    header = models.JSONField(_("columns of the file"), default=list)
    fields = models.JSONField(_("goes to"), default=list)
    options = models.JSONField(_("options"), default=dict, blank=True)
    saved_at = models.DateTimeField(_("saved at"), auto_now=True)
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("saved by"), null=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = ImportMappingQuerySet.as_manager()

    class Meta:
        verbose_name = _("column assignment")
        verbose_name_plural = _("column assignments")
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(fields=["source", "name"], name="core_mapping_name_once"),
            models.UniqueConstraint(fields=["source", "signature"], name="core_mapping_header_once"),
        ]

    def __str__(self) -> str:
        return self.name


class PortalText(models.Model):
    """A text of the portal that the city words itself, e.g. the accessibility statement. Plain paragraphs."""

    class Key(models.TextChoices):
        ACCESSIBILITY = "accessibility", _("accessibility statement")
        PRIVACY = "privacy", _("privacy notice")

    key = models.CharField(_("page"), max_length=32, choices=Key)
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES)
    text = models.TextField(_("text"))
    reviewed_on = models.DateField(_("last reviewed on"))

    objects = ReferenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("portal text")
        verbose_name_plural = _("portal texts")
        ordering = ("key", "language")
        constraints = [models.UniqueConstraint(fields=["key", "language"], name="core_one_text_per_page")]

    def __str__(self) -> str:
        return f"{self.get_key_display()} ({self.language})"


class ContactMessageQuerySet(ScopedQuerySet["ContactMessage"]):
    def _visible_to(self, user):  # type: ignore[no-untyped-def]  # typed in the base
        return self.all() if user.has_perm("core.view_contactmessage") else self.none()


class ContactMessage(models.Model):
    """A barrier or question reported through the contact form (BITVNRW § 5); sent on by mail as well."""

    name = models.CharField(_("name"), max_length=120, blank=True)
    email = models.EmailField(_("e-mail address"))
    page = models.CharField(_("page concerned"), max_length=200, blank=True)
    text = models.TextField(_("message"))
    created_at = models.DateTimeField(_("received at"), auto_now_add=True)
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)

    objects = ContactMessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact message")
        verbose_name_plural = _("contact messages")
        ordering = ("-pk",)
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="core_contact_message_has_text")]

    def __str__(self) -> str:
        return f"{self.email}: {self.text[:40]}"


class OwnFilterQuerySet(ScopedQuerySet["SavedFilter"]):
    def _visible_to(self, user):  # type: ignore[no-untyped-def]  # typed in the base
        return self.filter(user=user)


class SavedFilter(models.Model):
    """A person's own name for filters, search and sorting of a list. Nobody else sees it.

    `query` is the address behind the question mark, without page; one of a list may open with the list itself.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("person"), on_delete=models.CASCADE, related_name="+"
    )
    list_name = models.CharField(_("list"), max_length=32)
    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(_("filter"), max_length=1000)
    is_default = models.BooleanField(_("opens with the list"), default=False)

    objects = OwnFilterQuerySet.as_manager()

    class Meta:
        verbose_name = _("saved filter")
        verbose_name_plural = _("saved filters")
        ordering = ("name", "pk")
        constraints = [
            models.UniqueConstraint(fields=["user", "list_name", "name"], name="core_saved_filter_once"),
            models.UniqueConstraint(
                fields=["user", "list_name"], condition=Q(is_default=True), name="core_one_default_filter"
            ),
        ]

    def __str__(self) -> str:
        return self.name
