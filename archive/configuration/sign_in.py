"""Signing in: sessions, second factors, and the district's OpenID Connect provider."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from .fields import LOCAL, SecretFile, Section


def _issuer(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL):
        return url
    raise ValueError("write https://..., exactly as the provider's discovery document has it")


class Provider(Section):
    """The district's OpenID Connect provider. Accounts are known by its issuer and their subject, by nothing else."""

    issuer: Annotated[str, Field(max_length=255), AfterValidator(_issuer)]
    """Its issuer, exactly as its discovery document (ISSUER/.well-known/openid-configuration) has it."""
    client_id: Annotated[str, Field(min_length=1, max_length=191)]
    """Identifier that the provider gave the archive."""
    secret_file: SecretFile
    """A file that holds the secret that the provider gave the archive."""
    label: Annotated[str, Field(min_length=1, max_length=80)] = "Sign in with your district account"
    """What the button says."""
    groups_claim: Annotated[str, Field(max_length=80)] = "groups"
    """Member of the ID token that lists a person's groups; empty: groups mean nothing."""
    roles: dict[str, str] = Field(default={})
    """Group: the role that a custodian is offered to grant to whoever is in it. Of several that fit, the first on which
    nobody decided is shown."""
    second_factor: bool = True
    """Whether the provider itself asks people for a second factor, so that the archive need not."""


class SignIn(Section):
    """Signing in."""

    second_factor: Literal["required", "optional"] = "required"
    """`required`: an account that may hear recordings, hand them out or look after accounts reaches nothing but its own
    sign-in page until it has an authenticator app or a passkey. Whoever has one is always asked for it."""
    idle_min: Annotated[int, Field(ge=5, le=480)] = 60
    """A session ends after so long without a request, in minutes; after 8 hours it ends in any case."""
    provider: Provider | None = None
    """The district's OpenID Connect provider; None: people sign in with passwords only."""
