"""Enrolled boxes, and the last word of each."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from archive.configuration.brokers import MAIN


class Box(models.Model):
    """An enrolled box: what it is trusted for is decided by its keys alone."""

    id = models.CharField(primary_key=True, max_length=36)
    """`box-` and random characters."""
    enrolled_at = models.DateTimeField(auto_now_add=True)
    """When it was first made known."""
    retired_at = models.DateTimeField(null=True, blank=True)
    """Since when nothing new is taken from it."""
    elsewhere = models.BooleanField(default=False)
    """Whether it is another district's, of which a recording was taken in; it was never enrolled here."""
    successor = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="predecessors")
    """The box in whose board its card goes on now, the last of several; it hands in what this one had recorded."""
    broker = models.CharField(max_length=40, default=MAIN)
    """Name of the broker that it was told last to report to; one that the settings no longer have is the first."""

    class Meta:
        """By identifier."""

        ordering: ClassVar = ["id"]
        verbose_name_plural = "boxes"

    def __str__(self) -> str:
        """Return the identifier."""
        return self.id

    @property
    def is_silent(self) -> bool:
        """Whether nothing new is taken of it any more: it was retired, and no box hands in what it had recorded."""
        if self.retired_at is None:
            return False
        return self.successor is None or self.successor.retired_at is not None

    def believes(self, public_key: str) -> bool:
        """Tell whether what is signed with `public_key` is taken as this box's word now."""
        return (
            self.retired_at is None
            and self.keys.filter(public_key=public_key, use=BoxKey.Use.RECORDER, revoked_at=None).exists()
        )


class BoxKey(models.Model):
    """A box's signing key. One key is one box's, for ever: the constraint refuses it for another."""

    class Use(models.TextChoices):
        """What a key may sign."""

        RECORDER = "recorder", "recordings"
        COURIER = "courier", "requests"

    box = models.ForeignKey(Box, on_delete=models.PROTECT, related_name="keys")
    public_key = models.CharField(max_length=60, unique=True)
    """`ed25519:...`"""
    use = models.CharField(max_length=10, choices=Use, default=Use.RECORDER)
    """The recorder's signs recordings, the courier's only requests: it is in the part of a box that talks."""
    enrolled_at = models.DateTimeField(auto_now_add=True)
    """Since when it is believed."""
    revoked_at = models.DateTimeField(null=True, blank=True)
    """Since when nothing new is taken that it signs; what it signed before stays verifiable."""

    class Meta:
        """Oldest first."""

        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        """Return box and key."""
        return f"{self.box_id} {self.public_key}"


class BoxStatus(models.Model):
    """What a box last said over MQTT, as the listener keeps it; archive.devices.state reads it."""

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
    health = models.JSONField(default=dict, blank=True)
    """Source (commissioning, doctor): the last report of it (HealthReport)."""
    about = models.JSONField(null=True, blank=True)
    """The last `state/about` message."""
    faults = models.JSONField(default=dict)
    """Amber codes that hold: {code: since_ns}."""


class Listening(models.Model):
    """The listener's own sign of life, for each broker. Without it, silence would be blamed on the boxes."""

    broker = models.CharField(primary_key=True, max_length=40)
    """The broker's name."""
    alive_at = models.DateTimeField(null=True)
    """When the listener last said that it runs."""
    connected = models.BooleanField(default=False)
    """Whether it was connected to this broker then."""
