"""People who sign in. Their names stand here and nowhere else, so that they can be erased (promise 7)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import make_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

MAX_USERNAME = 150
"""Longest name to sign in with, in characters; the sign-in form takes no longer one."""


def normalize(username: str) -> str:
    """Return the one form in which a name is stored and compared: Unicode NFKC, lower case, no outer space."""
    return AbstractBaseUser.normalize_username(username).strip().lower()


class UserManager(BaseUserManager["User"]):
    """Makes users, and finds them by whatever form of their name was typed."""

    def create_user(
        self, username: str | None, password: str | None = None, *, hashed: str | None = None, **fields: Any
    ) -> User:
        """Return a new user; raise django's ValidationError that names the field that is wrong.

        Without `password` nobody can sign in with one; in a deed it is given as `hashed` before, since that takes a
        while on purpose. Without `username` only a provider can tell who it is.
        """
        if username is not None and not normalize(username):
            raise ValidationError({"username": "type a name to sign in with"})
        user = self.model(username=None if username is None else normalize(username), **fields)
        user.password = hashed or make_password(password)
        user.full_clean()
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        """Return the user that this name means; raise User.DoesNotExist."""
        return self.get(username=normalize(username or ""))


class User(AbstractBaseUser):
    """A person who can sign in. It carries no right at all: rights are grants, and archive.access decides.

    There are no superusers, staff flags or groups, so that nothing can be had from being one.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    """Opaque; the custody log names the person by it."""
    username = models.CharField(
        max_length=MAX_USERNAME,
        null=True,
        blank=True,
        unique=True,
        validators=[UnicodeUsernameValidator(message="use letters, digits and @ . + - _ only, without spaces")],
        error_messages={"unique": "there is an account with this name already"},
    )
    """Name to sign in with and a password, as `normalize` has it; None for who signs in through a provider only."""
    oidc_issuer = models.CharField(max_length=255, null=True, blank=True)
    """Identity provider (OpenID Connect `iss`), or None."""
    oidc_subject = models.CharField(max_length=255, null=True, blank=True)
    """The provider's own identifier of the person (`sub`); people are never matched by e-mail."""
    display_name = models.CharField(max_length=200, blank=True)
    """Name as colleagues read it; empty shows the username."""
    active_until = models.DateTimeField(null=True, blank=True)
    """From this moment on no sign-in works and every session ends; None means without an end."""
    created_at = models.DateTimeField(auto_now_add=True)
    """When the account was made."""

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        """By name; a provider's subject belongs to one person, and is never half given."""

        ordering: ClassVar = ["username"]
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("username"), name="username_once_in_any_case"),
            models.CheckConstraint(condition=~Q(username=""), name="username_is_none_or_something"),
            models.UniqueConstraint(fields=["oidc_issuer", "oidc_subject"], name="oidc_subject_once"),
            models.CheckConstraint(
                condition=Q(oidc_issuer=None, oidc_subject=None)
                | Q(oidc_issuer__isnull=False, oidc_subject__isnull=False),
                name="oidc_issuer_with_subject",
            ),
        ]

    def __str__(self) -> str:
        """Return the name as people read it."""
        return self.display_name or self.username or str(self.id)

    def active_at(self, moment: datetime) -> bool:
        """Tell whether the account works at `moment`."""
        return self.active_until is None or moment < self.active_until

    @property
    def is_active(self) -> bool:  # type: ignore[override]  # Django's base has a constant
        """Tell whether the account works now; Django's session and sign-in ask for it."""
        return self.active_at(timezone.now())


class Invitation(models.Model):
    """A link by which somebody sets the password of an account, once. It is forgotten when it was used or replaced."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="invitation")
    digest = models.CharField(max_length=64, unique=True)
    """SHA-256 of the text in the link: whoever reads the database cannot follow it."""
    valid_until = models.DateTimeField()
    """First moment at which it no longer works."""


class ProviderSubject(models.Model):
    """Somebody whom the provider signed in, whether or not there is an account: people who tried, and what is offered.

    It is no right and no account; a custodian makes one of it (archive.access.offers).
    """

    issuer = models.CharField(max_length=255)
    """The provider (`iss`)."""
    subject = models.CharField(max_length=255)
    """Its identifier of the person (`sub`)."""
    name = models.CharField(max_length=200, blank=True)
    """Name as the provider last gave it, for the custodian to recognize; nothing is matched by it."""
    roles = models.JSONField(default=list, blank=True)
    """Roles that the groups of this person offer, in the order of the settings; what they were, while the groups are
    not told."""
    roles_settled = models.JSONField(default=list, blank=True)
    """Those of them that a custodian accepted or turned down: none is shown again while it goes on being offered."""
    groups_missing = models.BooleanField(default=False)
    """Whether the last sign-in came without the claim that lists groups."""
    first_at = models.DateTimeField(auto_now_add=True)
    """First sign-in at the provider."""
    last_at = models.DateTimeField()
    """Last one."""
    dismissed = models.BooleanField(default=False)
    """Whether a custodian took the person off the list of those who tried."""

    class Meta:
        """Last seen first."""

        ordering: ClassVar = ["-last_at", "-pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["issuer", "subject"], name="provider_subject_once")]

    @property
    def role(self) -> str:
        """The first of these roles; empty where none is offered."""
        return self.roles[0] if self.roles else ""

    def user(self) -> User | None:
        """Return the account of this person, or None."""
        return User.objects.filter(oidc_issuer=self.issuer, oidc_subject=self.subject).first()


class SignInAttempt(models.Model):
    """A sign-in that failed, or is being tried; kept as long as it counts (archive.accounts.throttle)."""

    account = models.CharField(max_length=64)
    """Keyed digest of the name that was typed (it may be a password, or nobody's), or of whose second factor it is."""
    address = models.CharField(max_length=45)
    """Client's address."""
    browser = models.CharField(max_length=32, blank=True)
    """Identifier in the browser's device cookie, if it is one of this account; else empty."""
    at = models.DateTimeField(db_index=True)
    """When."""

    class Meta:
        """As the throttle asks."""

        indexes: ClassVar = [
            models.Index(fields=["account", "browser", "at"], name="attempts_by_account"),
            models.Index(fields=["address", "browser", "at"], name="attempts_by_address"),
        ]
