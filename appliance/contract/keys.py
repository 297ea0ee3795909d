"""Ed25519 signing keys (RFC 8032) and the key ring of a checker (docs/format.md sections 1.2 and 4)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from .durable_files import create
from .errors import KeyFileError
from .ids import BoxId
from .problems import explain

PREFIX = "ed25519:"
_RESTORE: Final = "restore the file or enroll the box again"


def _checked(text: str) -> str:
    parse_public(text)
    return text


def parse_public(text: str) -> Ed25519PublicKey:
    """Return the key written as `ed25519:BASE64`; raise ValueError if it is not one."""
    if not text.startswith(PREFIX):
        raise ValueError(f"a public key begins with {PREFIX!r}")
    try:
        raw = base64.b64decode(text[len(PREFIX) :], validate=True)
    except binascii.Error as error:
        raise ValueError("the part after 'ed25519:' is not base64") from error
    if len(raw) != 32 or base64.b64encode(raw).decode() != text[len(PREFIX) :]:
        raise ValueError("an Ed25519 public key is 32 bytes in standard base64")
    return Ed25519PublicKey.from_public_bytes(raw)


PUBLISHED: Final = frozenset(
    {
        "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        "ed25519:PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=",
        "ed25519:/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU=",
        "ed25519:J4EX/BRMcjQPZ9DyMW6Dhs7/vysKKMnfH+98WX8dQm4=",
        "ed25519:7Bcrk61eVjv0kyxw4SRQNMNUZ+8u/U1k6/gZaDRn4r8=",
    }
)
"""Keys whose private halves stand in RFC 8032 section 7.1, and are therefore in many examples."""

PublicKey = Annotated[str, AfterValidator(_checked)]


def public_text(key: Ed25519PublicKey) -> str:
    """Return a public key as `ed25519:BASE64`."""
    return PREFIX + base64.b64encode(key.public_bytes_raw()).decode()


@dataclass(frozen=True)
class SigningKey:
    """A private key; never printed, never sent."""

    private: Ed25519PrivateKey

    @classmethod
    def generate(cls) -> SigningKey:
        """Return a fresh key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> SigningKey:
        """Read a PKCS#8 PEM file; raise KeyFileError that names it if that fails."""
        try:
            pem = path.read_bytes()
        except OSError as error:
            raise KeyFileError(f"cannot read the signing key {path}: {error}; {_RESTORE}") from error
        return cls.from_pem(pem, str(path))

    @classmethod
    def from_pem(cls, pem: bytes, where: str) -> SigningKey:
        """Return the key in PKCS#8 PEM; raise KeyFileError that says `where` it stands."""
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise KeyFileError(f"cannot read the signing key {where}: {error}; {_RESTORE}") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise KeyFileError(f"{where} holds no Ed25519 key; restore it from a backup, or enroll the box anew")
        return cls(key)

    def save(self, path: Path) -> None:
        """Write a PKCS#8 PEM file that only its owner can read; the file must not exist."""
        create(path, [self.pem()])

    def pem(self) -> bytes:
        """Return it as PKCS#8 PEM."""
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    @property
    def public(self) -> str:
        """The public half as text."""
        return public_text(self.private.public_key())

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of `message`."""
        return self.private.sign(message)


def public_pem(text: str) -> bytes:
    """Return the key as PEM (SubjectPublicKeyInfo), for `openssl`."""
    return parse_public(text).public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def signature_fits(public: str, signature: bytes, message: bytes) -> bool:
    """Tell whether `signature` over `message` was made by the holder of `public`."""
    try:
        parse_public(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


class KeyRing(BaseModel):
    """The public keys that a checker got from elsewhere than the package."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    boxes: dict[BoxId, list[PublicKey]] = {}
    """Signing keys of each box; several after a key was replaced."""
    archives: list[PublicKey] = []
    """Signing keys of the archive."""

    @classmethod
    def load(cls, path: Path) -> KeyRing:
        """Read a key ring; raise KeyFileError that names file and member if that fails."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise KeyFileError(f"cannot read the key ring {path}: {error.strerror}") from error
        except ValidationError as error:
            raise KeyFileError(
                f"{path} is not a key ring: {explain(error)}; docs/format.md section 4 shows its form"
            ) from error
