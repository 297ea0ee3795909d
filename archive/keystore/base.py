"""What the rest of the archive may ask of its keys; a KMS or HSM can stand behind the same words."""

from __future__ import annotations

from typing import Protocol

from appliance.contract.encryption import Identity
from appliance.contract.signed import SignedModel


class KeyStore(Protocol):
    """Holds the opening key and the signing key, and never hands either out."""

    @property
    def recipient(self) -> str:
        """The age recipient that boxes encrypt recordings' secrets to."""

    @property
    def public(self) -> str:
        """The public half of the signing key."""

    def decrypt_secret(self, key_age: bytes) -> Identity:
        """Return the recording's identity inside `key.age`; raise DecryptionError if none of our keys decrypts it."""

    def sign(self, statement: SignedModel) -> bytes:
        """Return the signed line of `statement`."""
