"""Who sends a request to the boxes' interface: the courier whose key the archive knows, or nobody."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from django.conf import settings
from django.core import signing

from appliance.contract.errors import DigestError
from appliance.contract.request_signature import NONCE, SignedRequest, UnsignedError, content_digest, read
from archive.devices.keys import keys_in_force

from .request_rate import RequestRate

_log = logging.getLogger(__name__)
RECORDINGS: Final = "/api/1/recordings/"
SENDER: Final = "plainsight.sender"
"""Where `admit` leaves the sender; no header of a request can have this name in the environment."""
_rate: Final = RequestRate()
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


@dataclass(frozen=True)
class Sender:
    """Who sends a request, and whose word is taken as the box's."""

    claim: SignedRequest
    """What the request's headers say; the signature fits."""
    recorder_keys: Mapping[str, str]
    """Key: box. What these sign is taken as that box's word now."""
    boxes: frozenset[str]
    """Whose recordings it may hand in and ask about."""

    @property
    def box(self) -> str:
        """The box's identifier."""
        return self.claim.box


def authenticate(method: str, path: str, headers: Mapping[str, str]) -> Sender:
    """Return who signed a request, and count it as that box's.

    Raises UnsignedError, StaleNonceError, or TooManyRequestsError. `check_body` holds the body against the signature.
    A retired box is known by its key all the same: it may ask what became of its recordings.
    """
    claim = read(headers)
    keys = keys_in_force(claim.box)
    if not any(claim.fits(key, method, path) for key in keys.courier):
        _log.warning("a request in the name of %(box)s has a signature that does not fit", {"box": claim.box})
        raise UnsignedError(
            f"the signature does not fit a courier's key of {claim.box}; "
            "give it a claim with 'plainsight-archive enroll'",
            field="Signature",
        )
    _rate.count(claim.box, settings.ARCHIVE.web.box_requests_a_minute)
    try:
        _signer().unsign(claim.nonce, max_age=NONCE_S)
    except signing.BadSignature:
        raise StaleNonceError("sign this request again with the nonce in this answer", field="Signature") from None
    return Sender(claim, keys.recorder, keys.boxes)


def check_body(claim: SignedRequest, body: bytes) -> None:
    """Raise DigestError unless `body` is what was signed."""
    if content_digest(body) != claim.content_digest:
        raise DigestError("the body does not have the signed digest", field="Content-Digest")


def admit(environ: dict[str, Any]) -> None:
    """Raise UnsignedError for a request about a recording whose body is not worth reading (see core.edge).

    The view finds the sender where this leaves it: a request is signed for once, and counted once.
    """
    if environ["PATH_INFO"].startswith(RECORDINGS):
        names = {"Signature-Input", "Signature", "Content-Digest"}
        headers = {name: environ.get("HTTP_" + name.upper().replace("-", "_"), "") for name in names}
        environ[SENDER] = authenticate(environ["REQUEST_METHOD"], environ["PATH_INFO"], headers)
