"""Recordings that another archive sealed. The recording itself is a row as any other; what is special stands here."""

from __future__ import annotations

from typing import ClassVar, Final

from django.conf import settings
from django.db import models

from appliance.contract.ids import new_recording_id
from archive.records.outside_recordings.either import OfEither, of_one_recording
from archive.records.outside_recordings.in_pieces import FileInPieces, PieceOfFile

NAME_LENGTH: Final = 200
"""Most characters of a district's name."""


class TakenIn(OfEither):
    """Where a recording came from. It stays when the recording is destroyed: it names nobody."""

    id = models.CharField(primary_key=True, max_length=32)
    """The recording's identifier, which is the same in both archives."""
    district = models.CharField(max_length=NAME_LENGTH)
    """Whose archive sealed it, as the operator here called it."""
    archive_key = models.CharField(max_length=60)
    """The key with which that archive signed receipt and package, `ed25519:...`; believed for this recording alone."""
    box_key = models.CharField(max_length=60, blank=True)
    """The key with which its box signed header and ledger; believed for this recording alone. Empty where no box made
    it."""
    evidence_sha256 = models.CharField(max_length=64)
    """Digest of the evidence package that it came in."""
    taken_at = models.DateTimeField()
    """When it was taken in."""

    class Meta:
        """By recording."""

        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [of_one_recording("taken_in_is_one_recording")]

    def __str__(self) -> str:
        """Return the identifier."""
        return self.id


class TakenInDocument(models.Model):
    """A file that came with it: custody entries with their proof, meetings, statements, consents. Kept as it came."""

    taken_in = models.ForeignKey(TakenIn, on_delete=models.CASCADE, related_name="documents")
    name = models.CharField(max_length=300)
    """Its path in the evidence package's bag."""
    data = models.BinaryField()
    """Its bytes, of which the other archive signed the digest."""

    class Meta:
        """By name."""

        ordering: ClassVar = ["taken_in", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["taken_in", "name"], name="one_document_of_a_name"),
        ]

    def __str__(self) -> str:
        """Return the path."""
        return self.name


class State(models.TextChoices):
    """Where an evidence package that is sent is on its way."""

    ARRIVING = "arriving", "not all of it has arrived"
    ARRIVED = "arrived", "all of it arrived; it is being checked"
    TAKEN_IN = "taken-in", "taken in"
    REFUSED = "refused", "not taken in"
    GIVEN_UP = "given-up", "given up"


OPEN: Final = (State.ARRIVING, State.ARRIVED)
"""Where a package may still be taken in."""


class Upload(FileInPieces):
    """An evidence package that somebody sends by the pages, and what they say about it."""

    id = models.CharField(primary_key=True, max_length=32, default=new_recording_id, editable=False)
    """32 hexadecimal digits, apart from the recording's identifier, which only the package tells."""
    district = models.CharField(max_length=NAME_LENGTH)
    """Whose archive it is from, as whoever sends it says."""
    key_ring = models.TextField()
    """That archive's keys, as JSON (docs/format.md section 4)."""
    came_by = models.TextField()
    """Who handed over what, and how: said by whoever takes it in, and never changed. Empty, as the keys are, once it
    was given up, and some time after it was refused."""
    begun_at = models.DateTimeField()
    begun_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    state = models.CharField(max_length=8, choices=State.choices, default=State.ARRIVING)
    key = models.BinaryField(default=b"")
    """What opens its pieces, encrypted to this archive; empty once they are dropped."""
    arrived_at = models.DateTimeField(null=True, blank=True)
    completed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    """Who said that all of it is here; None before, and once that account was erased."""
    tried_at = models.DateTimeField(null=True, blank=True)
    """When it could last not be looked at; None if it always could."""
    ended_at = models.DateTimeField(null=True, blank=True)
    """When it was taken in, refused or given up."""
    problem = models.TextField(blank=True)
    """Why it was refused, or cannot be looked at for now; empty otherwise."""
    stored = models.CharField(max_length=32, blank=True)
    """The recording whose key and package a run for this one put into the stores; empty before, once its row says that
    it is here, and once nothing of it is left there."""
    taken_in = models.ForeignKey(TakenIn, null=True, blank=True, on_delete=models.PROTECT, related_name="uploads")
    """What it was, once it is taken in."""

    class Meta:
        """Newest first."""

        ordering: ClassVar = ["-begun_at", "-pk"]

    def __str__(self) -> str:
        """Return the identifier."""
        return self.id


class UploadPiece(PieceOfFile):
    """A piece of one; dropped once it was looked at."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="pieces")

    class Meta:
        """In order; each once."""

        ordering: ClassVar = ["upload", "number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["upload", "number"], name="upload_piece_once")]
