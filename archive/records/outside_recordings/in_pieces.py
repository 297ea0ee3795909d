"""Columns of a file that arrives in pieces, and of its pieces, whatever it is a file of."""

from __future__ import annotations

from django.db import models


class FileInPieces(models.Model):
    """A file that arrives."""

    size = models.PositiveBigIntegerField(default=0)
    """Of the file in bytes; 0 before its first piece arrived."""
    received = models.PositiveBigIntegerField(default=0)
    """Bytes of it that are here."""

    class Meta:
        """No table of its own."""

        abstract = True


class PieceOfFile(models.Model):
    """A piece that arrived; dropped once nobody needs it."""

    number = models.PositiveIntegerField()
    stored = models.CharField(max_length=100)
    """The object in the store that holds it, encrypted."""
    size = models.PositiveIntegerField()
    """Of that object, in bytes."""
    sha256 = models.CharField(max_length=64)
    """Of that object."""
    plain_sha256 = models.CharField(max_length=64)
    """Of the piece itself, so that one that is sent again is known, and another file's is refused."""

    class Meta:
        """No table of its own."""

        abstract = True
