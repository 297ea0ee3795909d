"""Grants: who may do what, and for how long."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from archive.custody.clock import has_come

from .deeds import Deed
from .scopes import Scope, ScopeType


class GrantQuerySet(models.QuerySet["Grant"]):
    """Grants by time. A grant ends with its own time or with its account, whichever comes first."""

    def in_time(self, moment: datetime) -> GrantQuerySet:
        """Return the grants whose own time holds `moment`; by a clock that was put back, none that had ended does."""
        ends = Q(valid_until__gt=moment) & Q(valid_until__gt=has_come())
        return self.filter(Q(valid_until=None) | ends, valid_from__lte=moment)

    def at(self, moment: datetime) -> GrantQuerySet:
        """Return the grants that hold at `moment`: an account that has ended takes what was granted to it along."""
        ends = Q(user__active_until__gt=moment) & Q(user__active_until__gt=has_come())
        return self.in_time(moment).filter(Q(user__active_until=None) | ends)

    def cut_short(self) -> GrantQuerySet:
        """Return the grants that end, or ended, before their own time, with their account."""
        longer = Q(valid_until=None) | Q(valid_until__gt=F("user__active_until"))
        return self.filter(longer, valid_from__lte=F("user__active_until"))

    def over(self, scope: Scope) -> GrantQuerySet:
        """Return the grants that reach just `scope`."""
        return self.filter(scope_type=scope.type, scope_id=scope.id)


class Grant(models.Model):
    """One person may do one deed, as far as a scope reaches. It is ended, never deleted, while the account is there."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="grants")
    deed = models.CharField(max_length=12, choices=Deed.choices)
    scope_type = models.CharField(max_length=12, choices=ScopeType.choices, default=ScopeType.DISTRICT)
    """How far it reaches."""
    scope_id = models.CharField(max_length=64, blank=True)
    """Identifier of the school, student or recording; empty for the district."""
    purpose = models.TextField(blank=True)
    """Legitimate educational interest, or other basis, in the words of who granted it (34 CFR 99.31(a)(1))."""
    position = models.CharField(max_length=120, blank=True)
    """Position of the person, as the public list of those with access names it (34 CFR 300.623(d))."""
    trained_on = models.DateField(null=True, blank=True)
    """When the person was trained in confidentiality (34 CFR 300.623(c)); None if that is not on record."""
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    """Who granted it; None for an operator at the archive's host."""
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
                fields=["user", "deed", "scope_type", "scope_id"],
                condition=Q(valid_until=None),
                name="one_open_grant_for_each_deed",
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")), name="grant_ends_after_its_begin"
            ),
            models.CheckConstraint(condition=Q(deed__in=Deed.values), name="grant_of_a_known_deed"),
            models.CheckConstraint(
                condition=Q(scope_type=ScopeType.DISTRICT, scope_id="")
                | ~Q(scope_type=ScopeType.DISTRICT) & ~Q(scope_id=""),
                name="grant_names_what_it_reaches",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["scope_type", "scope_id"], name="grants_by_scope")]

    def __str__(self) -> str:
        """Return one line for logs and shells."""
        return f"{self.user_id} {self.deed} {self.scope_type} {self.scope_id} {self.valid_from} to {self.valid_until}"

    @property
    def scope(self) -> Scope:
        """How far it reaches."""
        return Scope(ScopeType(self.scope_type), self.scope_id)

    @property
    def ends_at(self) -> datetime | None:
        """First moment at which it no longer holds, by itself or with its account; None means without an end."""
        ends = [one for one in (self.valid_until, self.user.active_until) if one is not None]
        return min(ends) if ends else None

    @property
    def ends_with_account(self) -> bool:
        """Tell whether it ends, or ended, before its own time, with its account."""
        return self.user.active_until is not None and self.ends_at != self.valid_until
