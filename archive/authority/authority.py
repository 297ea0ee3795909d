"""Issues certificates (RFC 5280) for boxes, broker and archive, from a key in the archive's own key folder.

cryptography does it in this process: an authority of a district issues some certificates a day at most, to clients that
it knows by their own keys, and step-ca would be a second server with a second database of who is known.

A leaked authority lets somebody read and forge status messages and pose as the archive towards the boxes; it opens no
recording and forges no receipt, since those hang on other keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.contract.durable_files import create
from appliance.contract.errors import FormatError, KeyFileError

KEY: Final = "authority.key"
"""The authority's private key."""
CERTIFICATE: Final = "authority.pem"
"""The authority's certificate: public, carried by every claim."""
AUTHORITY_VALID: Final = timedelta(days=25 * 365)
"""Boxes hold this certificate for as long as they live, and no box can be reached if it ends."""
SERVER_VALID: Final = timedelta(days=398)
"""What browsers accept at most (CA/Browser Forum, baseline requirements 6.3.2)."""
BOX_VALID: Final = timedelta(days=400)
"""More than a school year; a box renews after half of it, and can do so after its end."""
_CLIENT: Final = ExtendedKeyUsageOID.CLIENT_AUTH
_SERVER: Final = ExtendedKeyUsageOID.SERVER_AUTH
_BEFORE: Final = timedelta(days=1)
"""A certificate counts since a day before it was issued, for clocks that are behind."""


@dataclass(frozen=True, repr=False)
class Issued:
    """A certificate with its private key, both as PEM."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True, repr=False)
class Authority:
    """A certificate authority."""

    certificate: x509.Certificate
    _key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(cls, folder: Path, name: str, now: datetime) -> Authority:
        """Make key and certificate in `folder`, where there is none yet; raise OSError or KeyFileError.

        A key without its certificate is one whose making was cut off: it gets its certificate now.
        """
        if (folder / KEY).exists():
            key = _load_key(folder / KEY)
        else:
            key = ec.generate_private_key(ec.SECP256R1())
            create(folder / KEY, [_private_pem(key)], mode=0o600)
        subject = _name(name)
        builder = (
            _builder(subject, subject, key.public_key(), key.public_key(), now=now, valid=AUTHORITY_VALID)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            # Python 3.13 verifies strictly by RFC 5280 and refuses an authority without key usage
            .add_extension(_usage(signs_certificates=True), critical=True)
        )
        made = cls(builder.sign(key, hashes.SHA256()), key)
        create(folder / CERTIFICATE, [made.pem], mode=0o644)
        return made

    @classmethod
    def load(cls, folder: Path) -> Authority:
        """Read key and certificate; raise KeyFileError that names the file that is missing or wrong."""
        try:
            key = _load_key(folder / KEY)
            certificate = x509.load_pem_x509_certificate((folder / CERTIFICATE).read_bytes())
        except FileNotFoundError as error:
            raise KeyFileError(f"there is no {error.filename}; run 'plainsight-archive setup'") from error
        except (OSError, ValueError) as error:
            raise KeyFileError(f"cannot read the authority in {folder}: {error}") from error
        if key.public_key() != certificate.public_key():
            raise KeyFileError(f"{folder / KEY} is not the key of {folder / CERTIFICATE}; restore both from one backup")
        return cls(certificate, key)

    @property
    def pem(self) -> bytes:
        """The authority's certificate as PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def box(self, csr_pem: str, box: str, now: datetime) -> bytes:
        """Return a client certificate (PEM) for the key in the request; its name is `box`, whatever the request says.

        Raises FormatError if the request is none, is not signed with its own key, or has another kind of key.
        """
        try:
            request = x509.load_pem_x509_csr(csr_pem.encode("ascii"))
            key = request.public_key()
            if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
                raise FormatError("the certificate's key must be on the curve P-256", field="csr")
            if not request.is_signature_valid:
                raise FormatError("the request is not signed with its own key", field="csr")
        except (ValueError, InvalidSignature, UnicodeEncodeError) as error:
            raise FormatError(f"not a certificate signing request: {error}", field="csr") from error
        return self._issue(key, box, hosts=(), purpose=_CLIENT, now=now, valid=BOX_VALID)

    def client(self, name: str, now: datetime) -> Issued:
        """Return a client certificate with a fresh key, for one of the archive's own processes."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._issue(key.public_key(), name, hosts=(), purpose=_CLIENT, now=now, valid=SERVER_VALID)
        return Issued(certificate, _private_pem(key))

    def server(self, hosts: Iterable[str], now: datetime) -> Issued:
        """Return a server certificate with a fresh key, for a server that is reached by these names or addresses."""
        names = tuple(hosts)
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._issue(key.public_key(), names[0], hosts=names, purpose=_SERVER, now=now, valid=SERVER_VALID)
        return Issued(certificate, _private_pem(key))

    def _issue(
        self,
        key: ec.EllipticCurvePublicKey,
        name: str,
        *,
        hosts: tuple[str, ...],
        purpose: x509.ObjectIdentifier,
        now: datetime,
        valid: timedelta,
    ) -> bytes:
        builder = (
            _builder(_name(name), self.certificate.subject, key, self._key.public_key(), now=now, valid=valid)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        )
        if hosts:
            names = [_host(host) for host in hosts]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise KeyFileError(f"{path} is no key on an elliptic curve; restore it from a backup")
    return key


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text.strip("[]")))
    except ValueError:
        return x509.DNSName(text)


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePublicKey,
    *,
    now: datetime,
    valid: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now - _BEFORE + valid)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )
