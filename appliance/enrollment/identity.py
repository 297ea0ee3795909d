"""A box's own keys: made here, once, and never sent anywhere."""

from __future__ import annotations

import grp
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from appliance.contract.durable_files import create
from appliance.contract.errors import KeyFileError
from appliance.contract.keys import SigningKey

COURIER_GROUP: Final = "plainsight-courier"
"""Who presents the certificate to the broker (systemd/sysusers.d)."""


@dataclass(frozen=True, repr=False)
class Identity:
    """The keys that sign recordings and the courier's requests, and the one that the broker's certificate is for."""

    signing: SigningKey
    courier: SigningKey
    _client: ec.EllipticCurvePrivateKey

    @classmethod
    def load_or_make(cls, folder: Path) -> Identity:
        """Read the keys in `folder`, and make those that do not exist; raise KeyFileError that names the file.

        Keys that exist are kept: a box that lost the answer to its request asks again as the same box.
        """
        signing, courier, client = folder / "box.key", folder / "courier.key", folder / "mqtt" / "client.key"
        try:
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            if not signing.exists():
                SigningKey.generate().save(signing)
            if not courier.exists():
                SigningKey.generate().save(courier)
                _give_to_the_courier(courier)
            if not client.exists():
                client.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
                made = ec.generate_private_key(ec.SECP256R1())
                pem = made.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                )
                create(client, [pem], mode=0o600)
                _give_to_the_courier(client)
        except OSError as error:
            raise KeyFileError(f"cannot make the box's keys: {error}; run this as root") from error
        return cls.load(folder)

    @classmethod
    def load(cls, folder: Path) -> Identity:
        """Read the keys in `folder`; raise KeyFileError that names the file."""
        signing, courier, client = folder / "box.key", folder / "courier.key", folder / "mqtt" / "client.key"
        try:
            key = serialization.load_pem_private_key(client.read_bytes(), None)
        except (OSError, ValueError) as error:
            raise KeyFileError(f"cannot read {client}: {error}; run this as root, or enroll the box anew") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise KeyFileError(f"{client} is no key on the curve P-256; move it away, and a new one is made")
        return cls(SigningKey.load(signing), SigningKey.load(courier), key)

    def certificate_request(self) -> str:
        """Return a certificate signing request (RFC 2986, PEM); the archive decides the name in the certificate."""
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        return builder.sign(self._client, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode("ascii")


def _give_to_the_courier(path: Path) -> None:
    """Let the courier's group read `path`, where there is one; in a trial as another user there is none."""
    try:
        group = grp.getgrnam(COURIER_GROUP).gr_gid
    except KeyError:
        return
    # the unit runs in that group, and its sandbox refuses the call
    if path.stat().st_gid != group:
        os.chown(path, -1, group)
    path.chmod(0o640)
