"""Recordings as they arrive and as they are kept. Sealed bytes live in the store; these rows find and describe them."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property

from appliance.contract.errors import OrderError
from appliance.contract.header import Header
from appliance.contract.times import wall
from archive.custody.actors import ActorType
from archive.devices.models import Box
from archive.rooms.models import Room


class State(models.TextChoices):
    """Where a recording is on its way (docs/format.md section 3)."""

    RECEIVING = "receiving", "receiving"
    CLOSED = "closed", "closed, not yet sealed"
    SEALED = "sealed", "sealed"
    REFUSED = "refused", "refused"


class Outcome(models.TextChoices):
    """How a recording ended (docs/format.md section 5.3)."""

    COMPLETE = "complete", "complete"
    INTERRUPTED = "interrupted", "interrupted"
    INCOMPLETE = "incomplete", "incomplete"


class Recording(models.Model):
    """One recording."""

    id = models.CharField(primary_key=True, max_length=32)
    """32 hexadecimal digits."""
    box = models.ForeignKey(Box, on_delete=models.PROTECT, related_name="recordings")
    room = models.ForeignKey(Room, null=True, blank=True, on_delete=models.PROTECT, related_name="recordings")
    """Where it was made: where the box stood then, whatever becomes of the box. None if that is not known."""
    header = models.BinaryField()
    """The signed header line, as the box sent it."""
    created_at = models.DateTimeField()
    """When the button was pressed, by the box's clock."""
    arrived_at = models.DateTimeField()
    """When the header arrived."""
    listed_at = models.DateTimeField()
    """By what moment it is listed (archive.recordings.dating), to the millisecond."""
    dated = models.BooleanField(default=True)
    """Whether that is when the button was pressed; False where only the arrival is known."""
    continues = models.CharField(max_length=32, blank=True)
    """The recording that this one goes on from, or empty."""
    rate = models.PositiveIntegerField()
    """Frames in a second."""
    panel = models.CharField(max_length=12)
    """`gpio` or `simulated`."""
    lamp = models.CharField(max_length=12)
    """`verified` or `unverified`."""

    state = models.CharField(max_length=12, choices=State.choices, default=State.RECEIVING)
    next_line = models.PositiveIntegerField(default=0)
    """Ledger lines that the archive has."""
    checker = models.TextField(blank=True)
    """Where the ledger's checker stands (LedgerChecker.snapshot), so that no line is read twice; empty at the end."""
    next_arrival = models.PositiveIntegerField(default=0)
    """Lines of the arrival log."""
    last_arrival_sha256 = models.CharField(max_length=64, blank=True)
    """Line digest of the last of them."""
    frames = models.PositiveBigIntegerField(default=0)
    """Frames in the segments that it has."""
    lost_frames = models.PositiveBigIntegerField(default=0)
    """Frames that the ledger says were lost and are silence."""
    taken_bytes = models.PositiveBigIntegerField(default=0)
    """For its box's quota: bytes of its segments, its tail's that are to come included; once sealed, its package's."""
    last_arrival_at = models.DateTimeField(null=True, blank=True)
    """When the last batch arrived."""
    end_reason = models.CharField(max_length=20, blank=True)
    """The closing record's reason, or empty."""
    closed_at = models.DateTimeField(null=True, blank=True)
    """When the closing record arrived, or sealing as incomplete was asked for."""
    key_verdict = models.CharField(max_length=40, blank=True)
    """Empty until key.age arrived; then `ok`, or the code of what is wrong with it."""
    key_arrived = models.BooleanField(default=False)
    """Whether key.age is (or once was) in the key store; it is never taken twice."""

    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    """Empty until it is decided."""
    damaged_segments = models.PositiveIntegerField(default=0)
    """Segments that could not be opened or decoded when they arrived; counted by the seal."""
    tail_segments = models.PositiveIntegerField(default=0)
    """Segments of the unverified tail; counted by the seal."""
    sealing_at = models.DateTimeField(null=True, blank=True)
    """The moment that the package carries as its time of sealing, to the millisecond; set once, so that a second
    attempt makes the same bytes."""
    sealed_at = models.DateTimeField(null=True, blank=True)
    """When the seal was complete."""
    destroyed_at = models.DateTimeField(null=True, blank=True)
    """When two people's decision to destroy it was carried out; the row is its tombstone from then on."""
    problem = models.TextField(blank=True)
    """Why sealing fails, in words; empty if it does not."""
    package = models.CharField(max_length=100, blank=True)
    """The package's name in the store; empty until sealed."""
    package_size = models.PositiveBigIntegerField(default=0)
    """Its size in bytes."""
    package_sha256 = models.CharField(max_length=64, blank=True)
    """Its digest."""
    receipt = models.BinaryField(null=True, blank=True)
    """The signed receipt line."""

    class Meta:
        """Newest first; each way to choose from the list has an index of its own."""

        ordering: ClassVar = ["-listed_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["listed_at", "id"], name="listed"),
            models.Index(fields=["state", "listed_at", "id"], name="listed_by_state"),
            models.Index(fields=["room", "listed_at", "id"], name="listed_by_room"),
            models.Index(fields=["box", "listed_at", "id"], name="listed_by_box"),
            models.Index(fields=["continues"], name="continued_by"),
        ]

    def __str__(self) -> str:
        """Return the identifier."""
        return self.id

    @cached_property
    def signed_header(self) -> Header:
        """Return what the header says; its signature is checked once for each row that is loaded."""
        return Header.read_own(bytes(self.header))

    @property
    def sealing_text(self) -> str:
        """The time of sealing as the package carries it."""
        if self.sealing_at is None:
            raise OrderError(f"nobody began to seal recording {self.id}")
        return wall(self.sealing_at)

    @property
    def seconds(self) -> float:
        """Length of the audio in seconds."""
        return self.frames / self.rate


class StoredArrival(models.Model):
    """Something that arrived, and all that is kept of it before the seal; dropped once the package holds it."""

    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="arrivals")
    n = models.PositiveIntegerField()
    """Its place in the arrival log."""
    line = models.BinaryField()
    """Its signed line of the arrival log."""
    first_line = models.PositiveIntegerField(null=True, blank=True)
    """Of a batch, the number of its first ledger line; None of anything else."""
    ledger = models.BinaryField(default=b"")
    """Of a batch, its ledger lines as they were sent."""
    stored = models.CharField(max_length=100, blank=True)
    """Of a batch, the object in the store that holds its segments, one behind the other; empty if it has none."""
    verdicts = models.JSONField(default=dict)
    """Of a batch, the segments that were not found ok: {number: verdict}; an empty verdict is not known yet."""

    class Meta:
        """In order; each once, and each ledger line once."""

        ordering: ClassVar = ["recording", "n"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["recording", "n"], name="arrival_once"),
            models.UniqueConstraint(fields=["recording", "first_line"], name="line_once"),
        ]


class TailSegment(models.Model):
    """One segment that the closing record lists as unverified tail; dropped once the package holds it."""

    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="tail")
    number = models.PositiveIntegerField()
    size = models.PositiveIntegerField()
    """Size of its file in bytes, as signed."""
    sha256 = models.CharField(max_length=64)
    """Its digest, as signed."""
    arrived_at = models.DateTimeField(null=True, blank=True)
    """When it arrived; None until then."""
    stored = models.CharField(max_length=100, blank=True)
    """The object in the store that holds it; empty until it arrived."""
    frames = models.PositiveIntegerField(default=0)
    """Length in frames that its own bytes tell; 0 as long as nobody knows."""
    verdict = models.CharField(max_length=40, blank=True)
    """Empty until judged; `ok`, or the code of what is wrong with it."""

    class Meta:
        """In order; each once."""

        ordering: ClassVar = ["recording", "number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["recording", "number"], name="tail_once")]


class PackageIndex(models.Model):
    """Where each segment lies in a sealed package, made again from the package when it is lost."""

    recording = models.OneToOneField(Recording, primary_key=True, on_delete=models.CASCADE, related_name="index")
    first_byte = models.PositiveBigIntegerField()
    """Where the first segment's local header begins, in bytes."""
    segment_frames = models.PositiveIntegerField()
    """Frames in a whole segment."""
    sizes = models.BinaryField()
    """Size in bytes of each segment: audio_index.packed, little more than a byte a segment."""
    short = models.BinaryField()
    """Segments that are not whole: pairs of number and frames, 32-bit integers, little-endian."""

    def __str__(self) -> str:
        """Return the recording's identifier."""
        return self.recording_id


class BucketLock(models.Model):
    """How a package in a bucket was last seen to be locked, whoever made its recording; made again by looking."""

    recording = models.CharField(primary_key=True, max_length=32)
    """The recording, of whatever kind: no reference, since not all of them are rows of one table."""
    bucket = models.CharField(max_length=63)
    """Where it was seen; of another bucket it says nothing."""
    package = models.CharField(max_length=100)
    """The package's name there."""
    until = models.DateTimeField(null=True, blank=True)
    """When its lock ends; None where it has none, or was not seen."""
    compliance = models.BooleanField(default=False)
    """Whether nobody at all ends its lock early, whatever mode the settings name by now."""
    renews = models.BooleanField(default=True)
    """Whether its lock is renewed; False where it may end, since the recording may be destroyed."""
    held = models.BooleanField(default=False)
    """Whether a legal hold is set on it."""
    looked_at = models.DateTimeField()
    """When it was last looked at, or that was tried."""
    due_at = models.DateTimeField(db_index=True)
    """When it is looked at again."""
    problem = models.TextField(blank=True)
    """Why it could not be brought in line then; empty if it was."""

    def __str__(self) -> str:
        """Return the recording's identifier."""
        return self.recording


class Waveform(models.Model):
    """How loud each part of a sealed recording is; made again from the package when it is lost."""

    recording = models.OneToOneField(Recording, primary_key=True, on_delete=models.CASCADE, related_name="waveform")
    encrypted = models.BinaryField()
    """One byte a point (waveform.py), encrypted to the recording's own key."""

    def __str__(self) -> str:
        """Return the recording's identifier."""
        return self.recording_id


class Verification(models.Model):
    """The last check of a sealed package: asked for, running, or done; its result holds for one digest only."""

    recording = models.OneToOneField(Recording, primary_key=True, on_delete=models.CASCADE, related_name="verification")
    asked_at = models.DateTimeField()
    """When somebody asked for it."""
    asked_by_type = models.CharField(max_length=10, choices=ActorType.choices)
    """What kind of actor asked."""
    asked_by_id = models.CharField(max_length=36, blank=True)
    """Which one, as the custody log knows actors."""
    working_at = models.DateTimeField(null=True, blank=True)
    """When the worker that makes it last said so; None while none does."""
    step = models.CharField(max_length=20, blank=True)
    """What is being checked now; empty before it began."""
    done = models.PositiveIntegerField(default=0)
    """Parts of this step that are checked."""
    of = models.PositiveIntegerField(default=0)
    """Parts that this step has."""
    finished_at = models.DateTimeField(null=True, blank=True, db_index=True)
    """When it was done; None before."""
    package_sha256 = models.CharField(max_length=64, blank=True)
    """Digest of the file that was checked."""
    verdict = models.CharField(max_length=20, blank=True)
    """What was found, as the report has it; it stands until another check is done. Empty before the first."""
    damaged = models.BooleanField(default=False)
    """Whether that is not what was sealed."""
    report = models.JSONField(default=dict)
    """What was found: a Report's members."""

    class Meta:
        """Damaged ones are found among all that are not."""

        indexes: ClassVar = [models.Index(fields=["recording"], name="checks_with_damage", condition=Q(damaged=True))]

    def __str__(self) -> str:
        """Return the recording's identifier."""
        return self.recording_id


class PageView(models.Model):
    """One opening of a recording's page by one user; the address of its player carries the token."""

    token = models.CharField(primary_key=True, max_length=32)
    """128 random bits in hexadecimal."""
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="+")
    opened_at = models.DateTimeField(auto_now_add=True, db_index=True)
    """When the page was made."""
    heard_at = models.DateTimeField(null=True, blank=True)
    """When its first audio was asked for; from then on its `listen` entry is in the custody log."""
    entry = models.PositiveBigIntegerField(null=True, blank=True)
    """Number of that entry."""
    once = models.BooleanField(default=False)
    """Whether it stands for one request to the address of the audio, which no page made."""
    spans = models.JSONField(default=list, blank=True)
    """What was sent and is not entered yet, as pairs of frames: first one, and first one behind."""
    sent_at = models.DateTimeField(null=True, blank=True, db_index=True)
    """When the last of that was sent; None where all is entered."""
    entries = models.PositiveSmallIntegerField(default=0)
    """How many entries say what was sent."""

    class Meta:
        """Oldest first, as they are dropped."""

        ordering: ClassVar = ["opened_at"]

    def __str__(self) -> str:
        """Return the token."""
        return self.token


class Sending(models.Model):
    """An answer of audio on its way, and how far its sound may have gone. It is gone when the answer has ended."""

    view = models.ForeignKey(PageView, on_delete=models.CASCADE, related_name="sendings")
    first_frame = models.PositiveBigIntegerField()
    last_frame = models.PositiveBigIntegerField()
    """First frame behind what may have gone out by now."""
    at = models.DateTimeField(auto_now=True, db_index=True)
    """When that was noted."""

    class Meta:
        """Oldest first."""

        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        """Return what it may be."""
        return f"{self.view_id} {self.first_frame} to {self.last_frame}"
