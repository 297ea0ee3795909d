"""Consents, who was recorded, and what left the archive for whom. Erased with the recording, never before."""

from __future__ import annotations

import uuid
from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from archive.records.outside_recordings.either import OfEither, of_one_recording
from archive.records.people.models import Person, Student
from archive.records.redactions.models import Redaction

from .papers.words import BASES, COPIES


class Basis(models.TextChoices):
    """By what a disclosure passes the FERPA gate."""

    CONSENT = "consent", BASES["consent"]
    OWN = "own", BASES["own"]
    OFFICIAL = "official", BASES["official"]
    TRANSFER = "transfer", BASES["transfer"]
    AUDIT = "audit", BASES["audit"]
    COMPELLED = "compelled", BASES["compelled"]
    EMERGENCY = "emergency", BASES["emergency"]


class Exempt(models.TextChoices):
    """When a disclosure needs no notice to the parent before.

    34 CFR 99.31(a)(9)(ii)(A) to (C), 99.34(a)(1). That of orders in cases about children stands in the statute alone,
    20 USC 1232g(b)(2)(B). It speaks of an order, and of a parent who is a party to the case: of a subpoena, and where
    another parent is no party, notice is given.
    """

    GRAND_JURY = "grand-jury", _("a federal grand jury subpoena that a court ordered not to be told of (A)")
    LAW_ENFORCEMENT = "law-enforcement", _("a subpoena for law enforcement that was ordered not to be told of (B)")
    EX_PARTE = "ex-parte", _("an ex parte order that the Attorney General obtained about terrorism (C)")
    DEPENDENCY = (
        "dependency",
        _(
            "a court order in a case about child abuse, neglect or dependency to which the parents are parties "
            "(20 USC 1232g(b)(2)(B))"
        ),
    )
    PARENT_ASKED = "parent-asked", _("the parent or the student began the transfer (99.34(a)(1)(i))")
    ANNUAL_NOTICE = "annual-notice", _("the annual notice says that records follow a student (99.34(a)(1)(ii))")


EXEMPT_OF: Final = {
    Basis.COMPELLED: (Exempt.GRAND_JURY, Exempt.LAW_ENFORCEMENT, Exempt.EX_PARTE, Exempt.DEPENDENCY),
    Basis.TRANSFER: (Exempt.PARENT_ASKED, Exempt.ANNUAL_NOTICE),
}
"""Which of them there are for a ground; for any other, no notice is needed at all."""


class HowSigned(models.TextChoices):
    """How a consent was given."""

    PAPER = "paper", _("signed on paper")
    ELECTRONIC = "electronic", _("electronically: the person was identified and approved it (99.30(d))")


class Consent(OfEither):
    """A rights-holder's consent: signed, dated, with records, purpose and party (34 CFR 99.30(b))."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    student = models.ForeignKey(Student, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    """Who signed it."""
    records = models.TextField()
    """Which records it names."""
    purpose = models.TextField()
    party = models.CharField(max_length=200)
    """To whom they may go."""
    signed_on = models.DateField()
    how = models.CharField(max_length=10, choices=HowSigned.choices)
    proof = models.TextField()
    """Of paper: where it is kept. Otherwise: how the person was identified and authenticated (99.30(d)(1))."""
    approval = models.TextField(blank=True)
    """Of one that was given electronically: what shows that the person approved what it says (99.30(d)(2))."""
    copy_wanted = models.BooleanField(default=False)
    """Whether whoever signed it asked for a copy of what is disclosed (99.30(c))."""
    scan = models.BinaryField(null=True, blank=True)
    """The scanned paper, as PDF, PNG or JPEG."""
    scan_sha256 = models.CharField(max_length=64, blank=True)
    entered_at = models.DateTimeField()
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    withdrawn_on = models.DateField(null=True, blank=True)

    class Meta:
        """Newest first."""

        ordering: ClassVar = ["-signed_on", "pk"]
        constraints: ClassVar = [
            of_one_recording("consent_is_of_one_recording"),
            models.CheckConstraint(
                condition=~Q(records="") & ~Q(purpose="") & ~Q(party="") & ~Q(proof=""), name="consent_has_every_field"
            ),
            models.CheckConstraint(
                condition=Q(how="paper") | ~Q(approval=""), name="electronic_consent_shows_the_approval"
            ),
        ]


class Recorded(OfEither):
    """Somebody who was recorded, and whether that person consented in writing to passing it on (the policy's note)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    """Name and part in the meeting."""
    consented_on = models.DateField(null=True, blank=True)
    """When that person signed; None while nobody has the paper."""
    proof = models.TextField(blank=True)
    """Where the paper is."""

    class Meta:
        """By name; each once."""

        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [
            of_one_recording("recorded_is_in_one_recording"),
            models.UniqueConstraint(fields=["recording", "name"], name="recorded_once"),
            models.UniqueConstraint(fields=["outside", "name"], name="recorded_once_in_what_was_brought"),
        ]


class Copy(models.TextChoices):
    """What is handed over."""

    AUDIO = "audio", COPIES["audio"]
    PACKAGE = "package", COPIES["package"]
    EVIDENCE = "evidence", COPIES["evidence"]
    TRANSFER = "transfer", COPIES["transfer"]
    FILE = "file", COPIES["file"]
    """Of a recording that no box made, and of no other."""


OF_BOX: Final = (Copy.AUDIO, Copy.PACKAGE, Copy.EVIDENCE, Copy.TRANSFER)
"""What is handed over of a box's recording."""
OF_BROUGHT: Final = (Copy.FILE, Copy.EVIDENCE, Copy.TRANSFER)
"""What is handed over of a recording that no box made: all of it, with or without what shows that it has not changed
since."""


class Disclosure(OfEither):
    """A copy that leaves, or left, the archive."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    """Opaque, as it stands in addresses, in the custody log, and on the receipt."""
    what = models.CharField(max_length=8, choices=Copy.choices)
    redaction = models.ForeignKey(
        Redaction, null=True, blank=True, on_delete=models.PROTECT, related_name="disclosures"
    )
    """The redacted copy that is handed over instead of the recording's own audio; None: the recording's own."""
    recipient = models.CharField(max_length=62, blank=True)
    """Of a transfer: the other archive's age recipient."""
    party = models.CharField(max_length=200)
    """To whom."""
    purpose = models.TextField()
    basis = models.CharField(max_length=10, choices=Basis.choices)
    explanation = models.TextField(blank=True)
    """Why the exception holds here: court, number and day of an order; the emergency; the contract."""
    waits_until = models.DateField(null=True, blank=True)
    """Last day on which parents may still act against a compelled production. It is only moved later."""
    exempt = models.CharField(max_length=16, choices=Exempt.choices, blank=True)
    """Why parents need not be told; empty where they must be."""
    prepared_at = models.DateTimeField()
    prepared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    handed_at = models.DateTimeField(null=True, blank=True)
    """When a whole copy had been taken out for the first time."""
    handed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    sha256 = models.CharField(max_length=64, blank=True)
    """Digest of that file."""
    size = models.PositiveBigIntegerField(default=0)
    """Its size in bytes."""
    silent = models.TextField(blank=True)
    """Where its audio is silent, as the paper in the file says it, beside the passages of a redacted copy."""
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Newest first."""

        ordering: ClassVar = ["-prepared_at", "pk"]
        constraints: ClassVar = [
            of_one_recording("disclosure_is_of_one_recording"),
            models.CheckConstraint(
                condition=Q(outside=None) & ~Q(what=Copy.FILE)
                | Q(outside__isnull=False, what__in=OF_BROUGHT, redaction=None),
                name="file_that_was_brought_is_handed_over_whole",
            ),
            models.CheckConstraint(
                condition=Q(handed_at=None, sha256="") | Q(handed_at__isnull=False) & ~Q(sha256=""),
                name="disclosed_copy_has_a_digest",
            ),
        ]


class NoticeGiven(models.Model):
    """The parents of one of its students were told of a compelled production or a transfer.

    A telling stays as it was entered. Another day is another row, and the last one counts for how long it waits: what
    was entered too early is mended by that, and a day that is entered later opens nothing sooner.
    """

    disclosure = models.ForeignKey(Disclosure, on_delete=models.CASCADE, related_name="told")
    student = models.ForeignKey(Student, on_delete=models.PROTECT, related_name="+")
    told_on = models.DateField()

    class Meta:
        """In order of the days; each student and day once."""

        ordering: ClassVar = ["told_on", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["disclosure", "student", "told_on"], name="disclosure_told_once_a_day"),
        ]
