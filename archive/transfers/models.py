"""Recordings that another archive sealed. The recording itself is a row as any other; what is special stands here."""

from __future__ import annotations

from typing import ClassVar, Final

from django.db import models

from archive.recordings.models import Recording

NAME_LENGTH: Final = 200
"""Most characters of a district's name."""


class TakenIn(models.Model):
    """Where a recording came from. It stays when the recording is destroyed: it names nobody."""

    recording = models.OneToOneField(Recording, primary_key=True, on_delete=models.PROTECT, related_name="taken_in")
    district = models.CharField(max_length=NAME_LENGTH)
    """Whose archive sealed it, as the operator here called it."""
    archive_key = models.CharField(max_length=60)
    """The key with which that archive signed receipt and package, `ed25519:...`; believed for this recording alone."""
    box_key = models.CharField(max_length=60)
    """The key with which its box signed header and ledger; believed for this recording alone."""
    evidence_sha256 = models.CharField(max_length=64)
    """Digest of the evidence package that it came in."""
    taken_at = models.DateTimeField()
    """When it was taken in."""

    class Meta:
        """By recording."""

        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        """Return the identifier."""
        return self.recording_id


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
