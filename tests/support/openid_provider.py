"""A real OpenID provider on loopback (oidc-provider-mock: Authlib's server), honest or lying in one thing at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from unittest.mock import patch

import jwt
import oidc_provider_mock
import requests
from oidc_provider_mock import _app

from archive.configuration.sign_in import Provider

CLIENT = "plain-sight"
Lie = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass
class OpenIDProvider:
    """A running provider."""

    issuer: str
    lie: Lie | None = None
    """Changes the claims of an ID token before it is signed."""
    key: Any = None
    """Signs ID tokens instead of the provider's own key."""
    headers: dict[str, str] = field(default_factory=dict)
    """Members of an ID token's header that are other than they should be."""

    def settings(self, folder: Path, **members: Any) -> Provider:
        """The archive's settings for it."""
        secret = folder / "provider.secret"
        secret.write_text("only for tests\n")
        return Provider.model_validate(
            {"issuer": self.issuer, "client_id": CLIENT, "secret_file": secret, "label": "District sign-in", **members}
        )

    def know(self, subject: str, **claims: Any) -> None:
        """Make a person known, with what the provider says of them."""
        answer = requests.put(f"{self.issuer}/users/{subject}", json=claims, timeout=60)
        assert answer.ok, answer.text

    def agree(self, page: str, subject: str) -> str:
        """Follow the archive's page to the provider and sign in there; return where the provider sends back to."""
        address = unescape(page.split('content="0; url=')[1].split('"', maxsplit=1)[0])
        answer = requests.post(address, data={"sub": subject}, allow_redirects=False, timeout=60)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def refuse(self, page: str) -> str:
        """Go there, and turn the archive down."""
        address = unescape(page.split('content="0; url=')[1].split('"', maxsplit=1)[0])
        return requests.post(address, data={"action": "deny"}, allow_redirects=False, timeout=60).headers["Location"]

    def _signed(self, token: str) -> str:
        claims = jwt.decode(token, options={"verify_signature": False})
        header = {**jwt.get_unverified_header(token), **self.headers}
        if self.lie is not None:
            claims = self.lie(claims)
        own = jwt.PyJWK(_app.storage.jwk.as_dict(True)).key
        key: Any = None if header["alg"] == "none" else self.key or own
        return jwt.encode(claims, key, algorithm=header["alg"], headers=header)


@contextmanager
def openid_provider() -> Iterator[OpenIDProvider]:
    """Run a provider that asks for a nonce; it listens on loopback until the end of the context."""
    made = OpenIDProvider("")
    sign = _app.OpenIDCode.encode_id_token

    def signed(self: Any, *arguments: Any, **options: Any) -> str:
        return made._signed(sign(self, *arguments, **options))

    with (
        patch.object(_app.OpenIDCode, "encode_id_token", signed),
        patch.dict("os.environ", AUTHLIB_INSECURE_TRANSPORT="1"),
        oidc_provider_mock.run_server_in_thread(require_nonce=True) as server,
    ):
        made.issuer = f"http://localhost:{server.server_port}"
        yield made
