"""The signature that a box puts on each of its requests (docs/format.md section 3).

HTTP message signatures (RFC 9421) with Ed25519 in one fixed shape, over method, path and the body's digest (RFC 9530).
The archive's last nonce stands in it instead of a time, because a box whose clock is wrong must not be locked out.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .errors import SignatureError
from .ids import BOX_PATTERN
from .keys import SigningKey, signature_fits

NONCE: Final = "Plainsight-Nonce"
"""The header in which the archive's answers carry the next nonce."""
_COVERED: Final = '("@method" "@path" "content-digest")'
_BOX: Final = BOX_PATTERN.strip("^$")
_INPUT: Final = re.compile(
    rf'box=({re.escape(_COVERED)};keyid="({_BOX})";nonce="([A-Za-z0-9:_.-]{{0,120}})";alg="ed25519")'
)
_SIGNATURE: Final = re.compile(r"box=:([A-Za-z0-9+/]{86}==):")
_DIGEST: Final = re.compile(r"sha-256=:[A-Za-z0-9+/]{43}=:")


class UnsignedError(SignatureError):
    """A request carries no signature of a box, or one that does not fit."""

    code = "unsigned"
    status = 401


@dataclass(frozen=True)
class SignedRequest:
    """What a request's headers claim; nothing of it is checked but its form."""

    box: str
    """Who says so."""
    nonce: str
    """The nonce that was signed."""
    content_digest: str
    """The body's digest, as the header has it."""
    parameters: str
    """What was signed beside the covered parts, as it stands in the header."""
    signature: bytes

    def fits(self, public_key: str, method: str, path: str) -> bool:
        """Tell whether the holder of `public_key` signed a request with this method and path."""
        return signature_fits(public_key, self.signature, _base(method, path, self.content_digest, self.parameters))


def sign(key: SigningKey, box: str, nonce: str, method: str, path: str, *, body: bytes = b"") -> dict[str, str]:
    """Return the headers that sign a request."""
    digest = content_digest(body)
    parameters = f'{_COVERED};keyid="{box}";nonce="{nonce}";alg="ed25519"'
    signature = base64.b64encode(key.sign(_base(method, path, digest, parameters))).decode()
    return {"Content-Digest": digest, "Signature-Input": f"box={parameters}", "Signature": f"box=:{signature}:"}


def read(headers: Mapping[str, str]) -> SignedRequest:
    """Return what `headers` claim; raise UnsignedError unless they have exactly the form that `sign` gives them."""
    given = _INPUT.fullmatch(headers.get("Signature-Input", ""))
    signature = _SIGNATURE.fullmatch(headers.get("Signature", ""))
    digest = _DIGEST.fullmatch(headers.get("Content-Digest", ""))
    if given is None or signature is None or digest is None:
        raise UnsignedError("a request here is signed by a box's courier (docs/format.md section 3)", field="Signature")
    return SignedRequest(given[2], given[3], digest[0], given[1], base64.b64decode(signature[1]))


def content_digest(body: bytes) -> str:
    """Return the value of the header Content-Digest for `body`."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def _base(method: str, path: str, digest: str, parameters: str) -> bytes:
    """Return the bytes that are signed (RFC 9421 section 2.5)."""
    lines = [
        f'"@method": {method}',
        f'"@path": {path}',
        f'"content-digest": {digest}',
        f'"@signature-params": {parameters}',
    ]
    return "\n".join(lines).encode()
