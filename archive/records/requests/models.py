"""Access requests, amendments with their statements, and how parents reach their own pages."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from archive.recordings.models import Recording
from archive.records.outside_recordings.either import OfEither, of_one_recording
from archive.records.people.models import Person, Student


class Wish(models.TextChoices):
    """How a parent wants to inspect (34 CFR 99.10)."""

    LISTEN = "listen", _("listen at the office")
    COPY = "copy", _("a copy")
    LINK = "link", _("listen through a link")


class AccessRequest(models.Model):
    """A rights-holder asks to inspect a student's recordings (34 CFR 99.10, 300.613)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    student = models.ForeignKey(Student, on_delete=models.PROTECT, related_name="access_requests")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="access_requests")
    wish = models.CharField(max_length=8, choices=Wish.choices)
    received_on = models.DateField()
    """The day from which the 45 days count."""
    hearing_on = models.DateField(null=True, blank=True)
    """A hearing before which it must be answered, if there is one (34 CFR 300.613(a))."""
    text = models.TextField(blank=True)
    """What exactly is asked for."""
    explanation_asked = models.BooleanField(default=False)
    """Whether an explanation is asked for (34 CFR 99.10(c))."""
    explained_at = models.DateTimeField(null=True, blank=True)
    explanation = models.TextField(blank=True)
    """Who explained what."""
    closed_at = models.DateTimeField(null=True, blank=True)
    outcome = models.TextField(blank=True)
    """How it was answered; empty while it is open."""
    logged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    """Who entered it here: whoever handles requests, or a facilitator to whom the parent said it."""
    version = models.PositiveIntegerField(default=0)

    class Meta:
        """Oldest first."""

        ordering: ClassVar = ["received_on", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(closed_at=None, outcome="") | Q(closed_at__isnull=False) & ~Q(outcome=""),
                name="closed_request_has_an_outcome",
            )
        ]


class SupervisedListening(models.Model):
    """A rights-holder listened at the office, with staff beside."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(AccessRequest, on_delete=models.PROTECT, related_name="listenings")
    recording = models.ForeignKey(Recording, on_delete=models.PROTECT, related_name="+")
    began_at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    """Who sat beside."""

    class Meta:
        """Oldest first."""

        ordering: ClassVar = ["began_at", "pk"]


class AmendmentState(models.TextChoices):
    """Where an amendment stands (34 CFR 99.20 to 99.22, 300.618 to 300.621)."""

    ASKED = "asked", _("asked for")
    AMENDED = "amended", _("amended")
    REFUSED = "refused", _("refused; a hearing can be asked for")
    NO_HEARING = "no-hearing", _("refused; no hearing was asked for, and one still can be")
    HEARING = "hearing", _("a hearing is held")
    HEARING_AMENDED = "hearing-amended", _("amended after the hearing")
    HEARING_REFUSED = "hearing-refused", _("not amended after the hearing; a statement may be placed")


class NoHearing(models.TextChoices):
    """Why an amendment that was refused is over without a hearing: a person says so, no clock does."""

    SAID = "said", _("the parent said that they want none")
    TIME = "time", _("the time that the district gave has passed")
    NO_RIGHTS = "no-rights", _("the person holds no rights over the record any more, or a court order bars them")


class Amendment(OfEither):
    """A rights-holder says that a record is inaccurate, misleading or violates privacy; any recording."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    student = models.ForeignKey(Student, on_delete=models.PROTECT, related_name="amendments")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="amendments")
    received_on = models.DateField()
    text = models.TextField()
    """What should be amended, and why."""
    state = models.CharField(max_length=16, choices=AmendmentState.choices, default=AmendmentState.ASKED)
    decided_at = models.DateTimeField(null=True, blank=True)
    decision = models.TextField(blank=True)
    """The decision with its reasons."""
    hearing_days = models.PositiveSmallIntegerField(null=True, blank=True)
    """How long the district waits for the parent to ask for a hearing, from the delivery of the refusal's letter, which
    says so. No section sets a time, so none ends the right to ask."""
    no_hearing = models.CharField(max_length=9, choices=NoHearing.choices, blank=True)
    """Why it was over without a hearing; it stays where one is asked for later."""
    no_hearing_on = models.DateField(null=True, blank=True)
    """As of which day."""
    no_hearing_how = models.TextField(blank=True)
    """How that is known: who said it to whom, or which letter."""
    hearing_on = models.DateField(null=True, blank=True)
    hearing_officer = models.CharField(max_length=200, blank=True)
    """Somebody without a direct interest in the outcome (34 CFR 99.22(c))."""
    hearing_outcome = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        """Oldest first."""

        ordering: ClassVar = ["received_on", "pk"]
        constraints: ClassVar = [
            of_one_recording("amendment_is_of_one_recording"),
            models.CheckConstraint(
                condition=~Q(state="no-hearing")
                | (~Q(no_hearing="") & Q(no_hearing_on__isnull=False) & ~Q(no_hearing_how="")),
                name="no_hearing_has_its_reason",
            ),
        ]


class Statement(OfEither):
    """A rights-holder's statement: kept with the recording, disclosed with every copy of it (34 CFR 99.21(c))."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    amendment = models.ForeignKey(Amendment, on_delete=models.PROTECT, related_name="statements")
    text = models.TextField()
    placed_at = models.DateTimeField()

    class Meta:
        """Oldest first."""

        ordering: ClassVar = ["placed_at", "pk"]
        constraints: ClassVar = [of_one_recording("statement_is_of_one_recording")]


class ParentLink(models.Model):
    """A link that works once, with a code that staff hand over; what it opens is a sign-in of the person's account."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="links")
    request = models.ForeignKey(AccessRequest, null=True, blank=True, on_delete=models.PROTECT, related_name="links")
    token_digest = models.CharField(max_length=64, unique=True)
    """SHA-256 of the link's token."""
    code_digest = models.CharField(max_length=200)
    """The code, as a password is kept."""
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)
    """Wrong codes so far."""
    kiosk = models.BooleanField(default=False)
    """Whether it was made for the kiosk in the office."""

    class Meta:
        """Newest first."""

        ordering: ClassVar = ["-made_at", "pk"]
