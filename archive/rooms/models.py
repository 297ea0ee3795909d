"""Rooms. Their names live here and nowhere else (promise 7)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Room(models.Model):
    """A room that people know by name."""

    name = models.CharField(max_length=120, unique=True)

    class Meta:
        """By name."""

        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        """Return the name."""
        return self.name
