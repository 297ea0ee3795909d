"""Encryption in the age format (age-encryption.org/v1), through pyrage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyrage

from .durable_files import create
from .errors import DecryptionError, KeyFileError

VERSION = b"age-encryption.org/v1\n"
GREASE = 2
"""Stanzas that an age writer may add at random, so that readers stay ready for what they don't know."""
MAX_STANZA = 1024
"""Most bytes of a stanza: X25519 has 101, grease some hundred."""
MAX_KEY_RECIPIENTS = 8
"""Most recipients of a key.age (docs/format.md section 2.1)."""


@dataclass(frozen=True, repr=False)
class Identity:
    """A secret that decrypts what was encrypted to its recipient. Its repr shows nothing."""

    _secret: pyrage.x25519.Identity

    @classmethod
    def generate(cls) -> Identity:
        """Return a fresh identity."""
        return cls(pyrage.x25519.Identity.generate())

    @classmethod
    def parse(cls, text: str) -> Identity:
        """Return the identity in `text` (comment lines allowed, as age-keygen writes them)."""
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        if len(lines) != 1:
            raise KeyFileError("an age identity file holds exactly one AGE-SECRET-KEY line")
        try:
            return cls(pyrage.x25519.Identity.from_str(lines[0]))
        except pyrage.IdentityError as error:
            raise KeyFileError(f"not an age identity: {error}") from error

    @classmethod
    def load(cls, path: Path) -> Identity:
        """Read an identity file; raise KeyFileError that names it if that fails."""
        try:
            return cls.parse(path.read_text(encoding="ascii"))
        except OSError as error:
            raise KeyFileError(f"cannot read the age identity {path}: {error.strerror}") from error
        except (UnicodeDecodeError, KeyFileError) as error:
            raise KeyFileError(f"{path} is no age identity: {error}") from error

    def save(self, path: Path) -> None:
        """Write the identity to a new file that only its owner can read."""
        create(path, [self.secret_line()])

    @property
    def recipient(self) -> str:
        """The public half, `age1...`."""
        return str(self._secret.to_public())

    def secret_line(self) -> bytes:
        """Return the secret and LF: what `key.age` holds (docs/format.md section 2.2)."""
        return f"{self._secret}\n".encode("ascii")

    def decrypt(self, encrypted: bytes, recipients: int = 1) -> bytes:
        """Return the plaintext; raise DecryptionError if the bytes are damaged or encrypted to somebody else.

        `recipients` is how many there can be: each costs milliseconds, so a header with more is not tried.
        """
        _check_header(encrypted, recipients + GREASE)
        try:
            return bytes(pyrage.decrypt(encrypted, [self._secret]))
        except pyrage.DecryptError as error:
            raise DecryptionError(f"this key does not decrypt the bytes: {error}") from error


def _check_header(encrypted: bytes, stanzas: int) -> None:
    """Raise DecryptionError unless an age header of at most `stanzas` stanzas begins here (age-encryption.org/v1)."""
    if not encrypted.startswith(VERSION):
        raise DecryptionError("these bytes are no binary age file")
    header, end, _ = encrypted[: MAX_STANZA * (stanzas + 1)].partition(b"\n--- ")
    if not end or header.count(b"\n-> ") > stanzas:
        raise DecryptionError(f"the age header has more than {stanzas} stanzas, or has no end")


def encrypt(plain: bytes, recipients: Sequence[str]) -> bytes:
    """Return `plain` encrypted so that the identity of any one recipient decrypts it."""
    return bytes(pyrage.encrypt(plain, [parse_recipient(text) for text in recipients]))


def parse_recipient(text: str) -> pyrage.x25519.Recipient:
    """Return the recipient named by `text`; raise KeyFileError if it is none."""
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError as error:
        raise KeyFileError(f"{text!r} is not an age recipient: {error}") from error
