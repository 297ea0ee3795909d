"""Time-stamps of the custody log's head by an authority (RFC 3161): what stood in it cannot have been written later.

The authority signs a digest and a time, and learns nothing. Its token is kept here as it came, and is verified offline
against the certificates that `[custody] authority_certificates` pins, as they were valid when it was made. A token that
does not hold is refused, and the archive goes on without it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from django.utils import timezone
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    Verifier,
    VerifierBuilder,
    decode_timestamp_response,
)

from appliance.contract.custody import CustodyHead
from appliance.contract.errors import SettingsError
from appliance.contract.stop_signal import StopSignal

from .delivery import DeliveryError, deliver
from .models import TimeStamp

QUERY: Final = "application/timestamp-query"
"""RFC 3161 section 3.4."""
SKEW: Final = timedelta(minutes=10)
"""Where the authority's clock and the archive's differ by more, that is logged; the token is kept all the same."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stamped:
    """A kept time-stamp."""

    line: bytes
    """The signed head that it is of."""
    where: str
    """What it is called in messages."""
    problem: str
    """Why it does not hold; empty if it does."""


def pinned(path: Path) -> list[x509.Certificate]:
    """Return the certificates in a file (PEM); raise SettingsError."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"cannot read certificates in {path}: {error}", field="custody.authority_certificates"
        ) from error


def stamp(url: str, certificates: Path, line: bytes, stop: StopSignal) -> None:
    """Have a signed head stamped, verify the token and keep it; raise DeliveryError or SettingsError."""
    roots = pinned(certificates)
    entries = CustodyHead.read(line, None).entries
    if TimeStamp.objects.filter(pk=entries).exists():
        return
    query = TimestampRequestBuilder().data(line).hash_algorithm(HashAlgorithm.SHA256).build()
    response = deliver("post", url, query.as_bytes(), stop, QUERY)
    problem = problem_of(response, line, roots, query.nonce)
    if problem:
        raise DeliveryError(f"its time-stamp is refused: {problem}")
    made_at = decode_timestamp_response(response).tst_info.gen_time
    now = timezone.now()
    if abs(made_at - now) > SKEW:
        _log.warning("the time-stamp authority's clock and this one differ: look at both")
    TimeStamp.objects.get_or_create(pk=entries, defaults={"line": line, "response": response, "at": made_at})


def problem_of(response: bytes, line: bytes, roots: list[x509.Certificate], nonce: int | None = None) -> str:
    """Return why a response is no time-stamp of `line` by one of `roots`; empty if it is. Nobody is asked."""
    try:
        token = decode_timestamp_response(response)
        _verifier(roots, nonce).verify_message(token, line)
    except (VerificationError, ValueError) as error:
        return str(error) or type(error).__name__
    return ""


def _verifier(roots: list[x509.Certificate], nonce: int | None) -> Verifier:
    builder = VerifierBuilder(nonce=nonce)
    for one in roots:
        builder = builder.add_root_certificate(one)
    return builder.build()


def kept(certificates: Path | None) -> Iterator[Stamped]:
    """Yield every kept time-stamp, verified; without certificates each with the problem that nobody can tell."""
    roots = pinned(certificates) if certificates is not None else []
    for row in TimeStamp.objects.order_by("pk").iterator():
        problem = "no certificate is pinned: name [custody] authority_certificates"
        if roots:
            problem = problem_of(bytes(row.response), bytes(row.line), roots)
        yield Stamped(bytes(row.line), f"the time-stamp of {row.at:%Y-%m-%d %H:%M} UTC", problem)
