"""Who sends a request to the boxes' interface: the courier whose key the archive knows, or nobody."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django.core import signing

from appliance.contract.errors import DigestError
from appliance.contract.request_signature import NONCE, SignedRequest, UnsignedError, content_digest, read
from archive.devices.models import BoxKey

_log = logging.getLogger(__name__)
RECORDINGS: Final = "/api/1/recordings/"
NONCE_S: Final = 600
"""A nonce is taken for so long, in seconds: within it a request that somebody copied can be sent again, which changes
nothing that was not changed by the first."""


class StaleNonceError(UnsignedError):
    """The signature fits, but not with a nonce of the last minutes; the answer carries a new one."""

    code: ClassVar[str] = "stale-nonce"

    @property
    def headers(self) -> dict[str, str]:
        """What the answer carries."""
        return {NONCE: new_nonce()}


def _signer() -> signing.TimestampSigner:
    return signing.TimestampSigner(salt="box-request")


def new_nonce() -> str:
    """Return a nonce for the next requests; nothing has to be remembered for it."""
    return _signer().sign("n")


def authenticate(method: str, path: str, headers: Mapping[str, str]) -> SignedRequest:
    """Return who signed a request; raise UnsignedError or StaleNonceError. `check_body` holds the body against it.

    A retired box is known by its key all the same: it may ask what became of its recordings.
    """
    claim = read(headers)
    keys = BoxKey.objects.filter(box_id=claim.box, use=BoxKey.Use.COURIER, revoked_at=None)
    fits = any(claim.fits(key, method, path) for key in keys.values_list("public_key", flat=True))
    if not fits:
        _log.warning("a request in the name of %s has a signature that does not fit", claim.box)
        raise UnsignedError(
            f"the signature does not fit a courier's key of {claim.box}; "
            "give it a claim with 'plainsight-archive enroll'",
            field="Signature",
        )
    try:
        _signer().unsign(claim.nonce, max_age=NONCE_S)
    except signing.BadSignature:
        raise StaleNonceError("sign this request again with the nonce in this answer", field="Signature") from None
    return claim


def check_body(claim: SignedRequest, body: bytes) -> None:
    """Raise DigestError unless `body` is what was signed."""
    if content_digest(body) != claim.content_digest:
        raise DigestError("the body does not have the signed digest", field="Content-Digest")


def admit(environ: dict[str, Any]) -> None:
    """Raise UnsignedError for a request about a recording whose body is not worth reading (see core.edge)."""
    if environ["PATH_INFO"].startswith(RECORDINGS):
        names = {"Signature-Input", "Signature", "Content-Digest"}
        headers = {name: environ.get("HTTP_" + name.upper().replace("-", "_"), "") for name in names}
        authenticate(environ["REQUEST_METHOD"], environ["PATH_INFO"], headers)
