"""A keystore whose keys are files: systemd credentials, or `keys/` in the archive's folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from appliance.contract.encryption import MAX_KEY_RECIPIENTS, Identity
from appliance.contract.errors import DecryptionError, KeyFileError
from appliance.contract.keys import SigningKey
from appliance.contract.signed import SignedModel

OPENING = "opening.txt"
"""The age identity that decrypts recordings' secrets."""
RETIRED = "opening-retired-*.txt"
"""Identities from before a change of keys; boxes may have encrypted to them and not have sent yet."""
SIGNING = "signing.pem"
"""The Ed25519 key that signs arrivals and receipts."""
ESCROW = "escrow.txt"
"""The escrow's age recipient: public, only passed on to boxes."""


def credential(folder: Path, name: str) -> Path:
    """Return where the key `name` is: systemd's credential `archive-NAME` if there is one, else in `folder`."""
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if credentials and (Path(credentials) / f"archive-{name}").exists():
        return Path(credentials) / f"archive-{name}"
    return folder / name


@dataclass(frozen=True, repr=False)
class FileKeyStore:
    """Keeps the keys in this process's memory."""

    identities: tuple[Identity, ...]
    """The opening key first, then retired ones."""
    signing: SigningKey

    @classmethod
    def load(cls, folder: Path) -> FileKeyStore:
        """Read the keys; raise KeyFileError that names the file that is missing or wrong."""
        opening, signing = credential(folder, OPENING), credential(folder, SIGNING)
        for path in (opening, signing):
            if not path.exists():
                raise KeyFileError(f"there is no {path}; make the archive's keys with 'plainsight-archive make-keys'")
        identities = [Identity.load(path) for path in (opening, *sorted(folder.glob(RETIRED)))]
        return cls(tuple(identities), SigningKey.load(signing))

    @property
    def recipient(self) -> str:
        """The age recipient that boxes encrypt recordings' secrets to."""
        return self.identities[0].recipient

    @property
    def public(self) -> str:
        """The public half of the signing key."""
        return self.signing.public

    def decrypt_secret(self, key_age: bytes) -> Identity:
        """Return the recording's identity inside `key.age`; raise DecryptionError if none of our keys decrypts it."""
        for identity in self.identities:
            try:
                secret = identity.decrypt(key_age, MAX_KEY_RECIPIENTS)
            except DecryptionError:
                continue  # the next key may fit; when none does, the error below says so
            return _identity(secret)
        raise DecryptionError("key.age is encrypted to none of this archive's opening keys")

    def sign(self, statement: SignedModel) -> bytes:
        """Return the signed line of `statement`."""
        return statement.sign(self.signing)


def _identity(secret: bytes) -> Identity:
    try:
        return Identity.parse(secret.decode("ascii"))
    except (UnicodeDecodeError, KeyFileError) as error:
        # 'from None': the text of the cause could quote the secret
        raise DecryptionError(f"key.age decrypts, but holds no age identity ({type(error).__name__})") from None
