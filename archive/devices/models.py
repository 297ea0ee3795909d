"""Enrolled boxes, and the last word of each."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Box(models.Model):
    """An enrolled box: what it is trusted for is decided by its keys alone."""

    id = models.CharField(primary_key=True, max_length=36)
    """`box-` and random characters."""
    public_keys = models.JSONField(default=list)
    """List of `ed25519:...`; several after a key was replaced."""
    room = models.ForeignKey("rooms.Room", null=True, blank=True, on_delete=models.PROTECT, related_name="boxes")
    enrolled_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    """Since when nothing new is taken from it."""

    class Meta:
        """By identifier."""

        ordering: ClassVar = ["id"]
        verbose_name_plural = "boxes"

    def __str__(self) -> str:
        """Return the identifier."""
        return self.id


class BoxStatus(models.Model):
    """What a box last said over MQTT, as the listener keeps it; archive.devices.state judges it."""

    box = models.OneToOneField(Box, primary_key=True, on_delete=models.CASCADE, related_name="status")
    session = models.BigIntegerField(default=0)
    """Greatest session number seen: an older one's Will is void."""
    online = models.BooleanField(default=False)
    """What the `online` topic said for that session."""
    heard_at = models.DateTimeField(null=True, blank=True)
    """Arrival of the last message about the recorder that was not a retained one."""
    recorder = models.JSONField(null=True, blank=True)
    """The last `state/recorder` message (RecorderStatus or SilentStatus)."""
    recorder_live = models.BooleanField(default=False)
    """Whether that message arrived live; False for one that the broker had kept."""
    about = models.JSONField(null=True, blank=True)
    """The last `state/about` message."""
    faults = models.JSONField(default=dict)
    """Amber codes that hold: {code: since_ns}."""


class Listening(models.Model):
    """The listener's own sign of life: one row. Without it, silence would be blamed on the boxes."""

    alive_at = models.DateTimeField(null=True)
    """When the listener last said that it runs."""
    connected = models.BooleanField(default=False)
    """Whether it was connected to the broker then."""
