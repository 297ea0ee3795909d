"""People. Their names live here and nowhere else (promise 7), so that a tombstone without names is possible."""

from __future__ import annotations

import uuid
from datetime import date
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Language(models.TextChoices):
    """A language in which the district writes letters and shows pages."""

    ENGLISH = "en", _("English")
    SPANISH = "es", _("Spanish")


class Sourced(models.Model):
    """Something that may come from a roster. An import finds it again by its source, and never deletes it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    """Opaque, as it stands in addresses and in the custody log."""
    source = models.CharField(max_length=40, blank=True)
    """Where it came from (`csv`, `oneroster`); empty for what a person typed."""
    source_id = models.CharField(max_length=200, blank=True)
    """Its identifier there."""
    corrected = models.JSONField(default=list, blank=True)
    """Names of the fields that people corrected here: an import keeps what they hold."""
    version = models.PositiveIntegerField(default=0)
    """Counts changes, so that of two people who edit at once the second one is told."""

    @property
    def corrected_words(self) -> list[str]:
        """The corrected fields, as people call them."""
        return [str(self._meta.get_field(name).verbose_name) for name in self.corrected]  # type: ignore[union-attr]

    class Meta:
        """Once for each source."""

        abstract = True
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source", "source_id"], condition=~Q(source=""), name="%(class)s_once_a_source"
            )
        ]


class School(Sourced):
    """A school of the district."""

    name = models.CharField(max_length=200)

    class Meta(Sourced.Meta):
        """By name."""

        ordering: ClassVar = ["name", "pk"]

    def __str__(self) -> str:
        """Return the name."""
        return self.name


class Student(Sourced):
    """A student."""

    given_name = models.CharField(max_length=100)
    family_name = models.CharField(max_length=100, blank=True)
    local_id = models.CharField(max_length=60, blank=True, db_index=True)
    """The district's own number of the student."""
    birth_date = models.DateField(null=True, blank=True)
    """None if the district's roster does not say."""
    school = models.ForeignKey(School, null=True, blank=True, on_delete=models.PROTECT, related_name="students")
    left_on = models.DateField(null=True, blank=True)
    """When the student left the district; the records stay."""
    rights_decided_on = models.DateField(null=True, blank=True)
    """When a person decided what follows from the 18th birthday (34 CFR 99.5, 300.625); None while the task is open."""
    rights_decision = models.TextField(blank=True)
    """What was decided, and on what basis."""

    class Meta(Sourced.Meta):
        """By name."""

        ordering: ClassVar = ["family_name", "given_name", "pk"]
        indexes: ClassVar = [
            models.Index(fields=["family_name", "given_name", "id"], name="students_by_name"),
            models.Index(
                fields=["birth_date"],
                name="students_not_decided_on",
                condition=Q(rights_decided_on=None, left_on=None),
            ),
        ]

    def __str__(self) -> str:
        """Return the name as people say it."""
        return f"{self.given_name} {self.family_name}".strip()


class PersonKind(models.TextChoices):
    """What somebody is to the district, roughly; what they may do follows from rights and grants alone."""

    FAMILY = "family", _("parent, guardian or another rights-holder")
    STAFF = "staff", _("staff")
    OTHER = "other", _("somebody else, such as an interpreter or an advocate")


class Person(Sourced):
    """An adult: a parent or another rights-holder, staff, an interpreter, an agent."""

    given_name = models.CharField(max_length=100)
    family_name = models.CharField(max_length=100, blank=True)
    kind = models.CharField(max_length=8, choices=PersonKind.choices)
    position = models.CharField(max_length=120, blank=True)
    """Of staff: the position (34 CFR 300.623(d))."""
    email = models.EmailField(blank=True)
    """Where letters may go; never what somebody signs in with."""
    phone = models.CharField(max_length=40, blank=True)
    address = models.TextField(blank=True)
    """Postal address, in lines."""
    language = models.CharField(max_length=2, choices=Language.choices, default=Language.ENGLISH)
    """In which letters and pages reach this person."""
    interpreter = models.CharField(max_length=120, blank=True)
    """Language and mode of an interpreter that this person needs, or empty (34 CFR 300.322(e))."""
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="person"
    )
    """The person's account, if there is one: of a rights-holder the one that one-time links open."""
    work_user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="person_at_work"
    )
    """The account with which a rights-holder works for the district, entered by a person: a court order that bars the
    person bars this account too (34 CFR 99.4)."""

    class Meta(Sourced.Meta):
        """By name."""

        ordering: ClassVar = ["family_name", "given_name", "pk"]
        indexes: ClassVar = [models.Index(fields=["family_name", "given_name", "id"], name="persons_by_name")]

    def __str__(self) -> str:
        """Return the name as people say it."""
        return f"{self.given_name} {self.family_name}".strip()


class RightKind(models.TextChoices):
    """On what ground somebody holds rights over a student's records (34 CFR 99.3 "parent", 300.30, 300.519)."""

    PARENT = "parent", _("parent")
    GUARDIAN = "guardian", _("legal guardian")
    SURROGATE = "surrogate", _("surrogate parent")
    FOSTER = "foster", _("foster parent")
    ADULT_STUDENT = "adult-student", _("the student, as an adult")
    AGENT = "agent", _("agent whom the parent named")


class Right(models.Model):
    """A person holds rights over a student's records from one day to another. It is ended, never deleted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="rights")
    student = models.ForeignKey(Student, on_delete=models.PROTECT, related_name="rights")
    kind = models.CharField(max_length=16, choices=RightKind.choices)
    named_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="rights_of_agents"
    )
    """Of an agent: who named them, and through whom alone they hold rights (34 CFR 300.613(b)(3): the parent's
    representative); None of everybody else."""
    basis = models.TextField()
    """On what document or fact it rests."""
    valid_from = models.DateField()
    """First day."""
    valid_to = models.DateField(null=True, blank=True)
    """Last day; None without an end."""

    class Meta:
        """Oldest first; one without an end for each ground, and for each who named an agent."""

        ordering: ClassVar = ["valid_from", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="right_ends_after_its_begin"
            ),
            models.CheckConstraint(condition=~Q(basis=""), name="right_has_a_basis"),
            models.CheckConstraint(
                condition=Q(kind=RightKind.AGENT, named_by__isnull=False) | ~Q(kind=RightKind.AGENT) & Q(named_by=None),
                name="only_an_agent_is_named_by_somebody",
            ),
            models.UniqueConstraint(
                fields=["person", "student", "kind"],
                condition=Q(valid_to=None, named_by=None),
                name="one_open_right_of_a_kind",
            ),
            models.UniqueConstraint(
                fields=["person", "student", "named_by"],
                condition=Q(valid_to=None, named_by__isnull=False),
                name="one_open_right_of_an_agent",
            ),
        ]

    def holds_on(self, day: date) -> bool:
        """Tell whether it holds on `day`."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class Bar(models.Model):
    """A court order bars a person from a student's records: from then on nothing reaches that one (34 CFR 99.4)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="bars")
    student = models.ForeignKey(Student, on_delete=models.PROTECT, related_name="bars")
    basis = models.TextField()
    """Court, date and number of the order."""
    valid_from = models.DateField()
    """First day."""
    valid_to = models.DateField(null=True, blank=True)
    """Last day; None without an end."""

    class Meta:
        """Oldest first; one without an end for each pair."""

        ordering: ClassVar = ["valid_from", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="bar_ends_after_its_begin"
            ),
            models.CheckConstraint(condition=~Q(basis=""), name="bar_has_a_basis"),
            models.UniqueConstraint(fields=["person", "student"], condition=Q(valid_to=None), name="one_open_bar"),
        ]


class ImportRun(models.Model):
    """A roster or calendar that was taken in, or looked at in a dry run."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.CharField(max_length=40)
    """Its format: `csv`, `oneroster`, `icalendar`."""
    sha256 = models.CharField(max_length=64)
    """Digest of the file: what is taken in is what was looked at."""
    data = models.BinaryField(null=True)
    """The file between dry run and import; None afterwards."""
    looked_at = models.DateTimeField(auto_now_add=True)
    """When the dry run was shown."""
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    taken_at = models.DateTimeField(null=True, blank=True)
    """When it was taken in; None for a dry run."""
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    kept = models.PositiveIntegerField(default=0)
    """Rows where what people corrected was kept."""
    missing = models.PositiveIntegerField(default=0)
    """Rows that are here and no longer in the file; nothing is deleted."""
    refused = models.PositiveIntegerField(default=0)
    """Rows that made no sense, each told with its line."""
    joined = models.PositiveIntegerField(default=0)
    """Events of a calendar that are meetings which were here already."""
    asked = models.PositiveIntegerField(default=0)
    """Events of a calendar that were left out until somebody says which meeting they are."""

    class Meta:
        """Newest first."""

        ordering: ClassVar = ["-looked_at", "pk"]

    @property
    def format(self) -> str:
        """The file's format, as people call it."""
        return {"csv": "CSV file", "oneroster": "OneRoster export"}.get(self.source, self.source)
