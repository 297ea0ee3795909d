"""A certificate that browsers believe, from a public authority: looked at before it is taken."""

from __future__ import annotations

from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from appliance.contract.errors import SettingsError
from archive.authority.files import names_of


def read_public(certificate: Path, key: Path, host: str, now: datetime) -> tuple[bytes, bytes]:
    """Return a certificate's chain and its private key, as the web server wants them (PEM, PKCS#8).

    Raises SettingsError if they cannot be read, don't fit each other, are for another name, or have ended.
    """
    try:
        chain = certificate.read_bytes()
        found = x509.load_pem_x509_certificates(chain)[0]
    except (OSError, ValueError, IndexError) as error:
        raise SettingsError(
            f"cannot read the certificate {certificate}: {error}", field="public_certificate"
        ) from error
    try:
        private = serialization.load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise SettingsError(
            f"cannot read the key {key}: {error}; a PEM file without a password is needed", field="public_key"
        ) from error
    if private.public_key() != found.public_key():
        raise SettingsError(f"{key} is not the key of {certificate}", field="public_key")
    names = names_of(found)
    if not covers(names, host):
        raise SettingsError(
            f"{certificate} is for {', '.join(sorted(names)) or 'no name'}, and not for {host}",
            field="public_certificate",
        )
    if now >= found.not_valid_after_utc:
        raise SettingsError(f"{certificate} ended at {found.not_valid_after_utc:%Y-%m-%d}", field="public_certificate")
    return chain, private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def covers(names: set[str], host: str) -> bool:
    """Tell whether a certificate for `names` is good for `host`; a star stands for one label (RFC 6125, 6.4.3)."""
    return any(
        name.count(".") == host.count(".") and fnmatchcase(host.lower(), name.lower()) if "*" in name else name == host
        for name in names
    )
