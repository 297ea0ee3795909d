"""Whether an ID token may be believed (OpenID Connect Core 1.0, section 3.1.3.7). Pure: no network, no database.

allauth takes a token from the token endpoint without its signature and knows no nonce; both are checked here.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any, Final

import jwt

from appliance.contract.errors import PlainSightError

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a key of the provider's own; never `none`, and none by the secret that both sides know."""
LEEWAY_S: Final = 60.0
"""How far the clocks of provider and archive may be apart, in seconds."""
MAX_SUBJECT: Final = 255
"""Most characters of a subject (OpenID Connect Core 1.0, section 2)."""


class ProviderAnswerError(PlainSightError):
    """The provider's answer is not to be believed, or cannot be understood."""

    code = "provider-answer"
    status = 502


@dataclass(frozen=True)
class Expected:
    """What the token must say."""

    issuer: str
    """The provider, exactly as the settings have it."""
    client_id: str
    """The archive, as the provider knows it."""
    nonce: str
    """Made for this one sign-in, kept in its session."""


def check(token: str, keys: jwt.PyJWKSet, expected: Expected) -> dict[str, Any]:
    """Return the claims of `token`; raise ProviderAnswerError that says what is wrong with it."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            _key(jwt.get_unverified_header(token), keys),
            algorithms=list(ALGORITHMS),
            issuer=expected.issuer,
            audience=expected.client_id,
            leeway=LEEWAY_S,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except (jwt.PyJWTError, TypeError, ValueError) as error:
        raise ProviderAnswerError(
            f"the provider's ID token is not to be believed: {error}", field="id_token"
        ) from error
    nonce = claims.get("nonce")
    if (
        not expected.nonce
        or not isinstance(nonce, str)
        or not hmac.compare_digest(nonce.encode(), expected.nonce.encode())
    ):
        raise ProviderAnswerError("the provider's ID token is for another sign-in", field="nonce")
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else expected.client_id) != expected.client_id:
        raise ProviderAnswerError("the provider's ID token was made for another client", field="azp")
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT or not subject.isprintable():
        raise ProviderAnswerError("the provider's ID token has no subject that can be kept", field="sub")
    return claims


def _key(header: dict[str, Any], keys: jwt.PyJWKSet) -> jwt.PyJWK:
    """Return the key that `header` names; the only one there is, if it names none."""
    fitting = [key for key in keys.keys if header.get("kid") in (None, key.key_id)]
    if len(fitting) != 1:
        raise ValueError(f"no one key of the provider has the identifier {header.get('kid')!r}")
    return fitting[0]
