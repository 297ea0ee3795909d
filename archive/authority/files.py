"""The certificates that lie on the archive's own host: made when they are missing, and again before they end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from appliance.contract.durable_files import replace
from appliance.contract.errors import StorageError

from .authority import CERTIFICATE, Authority, Issued

RENEW_BEFORE: Final = timedelta(days=60)
"""How long before its end a certificate is made again: two months in which somebody may notice that it was not."""
LISTENER: Final = "archive"
"""Common name of the one client of each broker that reads what all its boxes say."""


@dataclass(frozen=True)
class Place:
    """Where a certificate and its key lie, and who may read the key beside its owner."""

    certificate: Path
    key: Path
    key_mode: int = 0o600


Needed = tuple[str, Place, list[str], Callable[[], Issued]]
"""What a certificate is called, where it lies, for which names, and what makes it."""


def ensure(keys: Path, names: list[str], now: datetime) -> list[str]:
    """Make whatever is missing, ends soon, has not begun or lacks a name, and return which certificates were made.

    `keys` is the archive's key folder, `names` the names and addresses by which boxes and browsers reach this host.
    Raises KeyFileError or StorageError.
    """
    made: list[str] = []
    with _told_where():
        if not (keys / CERTIFICATE).exists():
            Authority.make(keys, f"Plain Sight authority of {names[0]}", now)
            made.append("authority")
        authority = Authority.load(keys)
        web, listener = Place(keys / "web.pem", keys / "web.key"), Place(keys / "listener.pem", keys / "listener.key")
        plan: list[Needed] = [
            ("web", web, names, lambda: authority.server(names, now)),
            ("listener", listener, [], lambda: authority.client(LISTENER, now)),
        ]
        return made + _make(plan, keys, now)


def ensure_broker(keys: Path, folder: Path, names: list[str], now: datetime) -> list[str]:
    """Do the same for a broker's certificate in the folder that it reads; raise KeyFileError or StorageError.

    `names` are those by which boxes reach it; it also gets those by which this host reaches itself.
    """
    local = list(dict.fromkeys([*names, "localhost", "127.0.0.1"]))
    with _told_where():
        authority = Authority.load(keys)
        if not (folder / "ca.pem").exists() or (folder / "ca.pem").read_bytes() != authority.pem:
            replace(folder / "ca.pem", authority.pem, mode=0o644, durable=True)
        # group and mode of the folder let the broker's user in (systemd/tmpfiles.d)
        place = Place(folder / "server.pem", folder / "server.key", 0o640)
        return _make([("broker", place, local, lambda: authority.server(local, now))], keys, now)


def _make(plan: list[Needed], keys: Path, now: datetime) -> list[str]:
    made = []
    for name, place, needs, issue in plan:
        if not _is_good(place, keys / CERTIFICATE, needs, now):
            issued = issue()
            # the key first: a certificate without its key would keep the server from starting
            replace(place.key, issued.key, mode=place.key_mode, durable=True)
            replace(place.certificate, issued.certificate, mode=0o644, durable=True)
            made.append(name)
    return made


@contextmanager
def _told_where() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"cannot write {error.filename}: {error.strerror}; run this as the archive's user"
        ) from error


def names_of(certificate: x509.Certificate) -> set[str]:
    """Return the names and addresses that a server's certificate is good for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress))}


def is_issued_by(certificate: x509.Certificate, authority: Path) -> bool:
    """Tell whether the authority in this file issued it; its name alone tells nothing, it may have been made again."""
    try:
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.read_bytes()))
    except (OSError, ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_good(place: Place, authority: Path, names: list[str], now: datetime) -> bool:
    try:
        found = x509.load_pem_x509_certificate(place.certificate.read_bytes())
        key = serialization.load_pem_private_key(place.key.read_bytes(), None)
    except (OSError, ValueError, TypeError):
        return False
    return (
        key.public_key() == found.public_key()
        and is_issued_by(found, authority)
        and set(names) <= names_of(found)
        # one that was made while the clock was ahead
        and found.not_valid_before_utc <= now <= found.not_valid_after_utc - RENEW_BEFORE
    )
