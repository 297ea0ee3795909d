"""A certificate authority for one district, made on the spot: for the demonstration and the tests only.

A real district keeps its authority's key off the network; this one lies in a folder beside what it vouches for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.contract.durable_files import create

VALID = timedelta(days=30)
"""Long enough for any trial, short enough that nobody builds on it."""


@dataclass(frozen=True)
class Files:
    """Where a certificate and what belongs to it lie."""

    ca: Path
    """The authority's certificate (PEM)."""
    certificate: Path
    """The certificate (PEM)."""
    key: Path
    """Its private key (PEM, mode 0600)."""


@dataclass(frozen=True, repr=False)
class Authority:
    """A certificate authority in memory."""

    certificate: x509.Certificate
    _key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(cls, name: str = "Plain Sight demonstration") -> Authority:
        """Return a fresh authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name)
        builder = (
            _builder(subject, subject, key.public_key(), key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
        )
        return cls(builder.sign(key, hashes.SHA256()), key)

    def client(self, folder: Path, name: str) -> Files:
        """Write `ca.pem`, `client.pem` and `client.key` for the client `name` (a box's id, or `archive`)."""
        return self._issue(folder, "client", name, (), ExtendedKeyUsageOID.CLIENT_AUTH)

    def server(self, folder: Path, hosts: Iterable[str] = ("localhost", "127.0.0.1")) -> Files:
        """Write `ca.pem`, `server.pem` and `server.key` for a server that is reached by these names or addresses."""
        names = tuple(hosts)
        return self._issue(folder, "server", names[0], names, ExtendedKeyUsageOID.SERVER_AUTH)

    def _issue(
        self, folder: Path, stem: str, name: str, hosts: tuple[str, ...], purpose: x509.ObjectIdentifier
    ) -> Files:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(_name(name), self.certificate.subject, key.public_key(), self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        )
        if hosts:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False
            )
        folder.mkdir(parents=True, exist_ok=True)
        files = Files(folder / "ca.pem", folder / f"{stem}.pem", folder / f"{stem}.key")
        files.ca.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        files.certificate.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        files.key.unlink(missing_ok=True)
        create(files.key, [pem])
        return files


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


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
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, issuer_key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    # both key identifiers, since Python 3.13 verifies strictly by RFC 5280 (ssl.VERIFY_X509_STRICT)
    start = datetime.now(UTC) - timedelta(minutes=5)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )
