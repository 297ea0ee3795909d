"""Grants: who may do what, and for how long."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from .deeds import Deed


class GrantQuerySet(models.QuerySet["Grant"]):
    """Grants by time."""

    def at(self, moment: datetime) -> GrantQuerySet:
        """Return the grants that hold at `moment`."""
        return self.filter(Q(valid_until=None) | Q(valid_until__gt=moment), valid_from__lte=moment)


class Grant(models.Model):
    """One person may do one deed, with every recording. It is ended, never deleted, as long as the account is there."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="grants")
    deed = models.CharField(max_length=12, choices=Deed.choices)
    valid_from = models.DateTimeField(default=timezone.now)
    """First moment at which it holds."""
    valid_until = models.DateTimeField(null=True, blank=True)
    """First moment at which it no longer holds; None means without an end."""

    objects: ClassVar = GrantQuerySet.as_manager()

    class Meta:
        """Oldest first; at most one without an end for each deed of a person."""

        ordering: ClassVar = ["valid_from", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "deed"], condition=Q(valid_until=None), name="one_open_grant_for_each_deed"
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")), name="grant_ends_after_its_begin"
            ),
            models.CheckConstraint(condition=Q(deed__in=Deed.values), name="grant_of_a_known_deed"),
        ]

    def __str__(self) -> str:
        """Return one line for logs and shells."""
        return f"{self.user_id} {self.deed} from {self.valid_from} until {self.valid_until}"
