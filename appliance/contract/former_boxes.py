"""Boxes whose card went on in this board as another box (docs/enrollment.md, "Same box, new board").

Enrollment writes the file and the recorder reads it. Their keys close what they left open and nothing else: what this
box records, it signs with its own key.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .ids import BoxId
from .keys import SigningKey
from .settings_file import Section

FILE = "former.toml"
"""In the folder of settings, and the name of systemd's credential."""


class FormerBox(Section):
    """One of them."""

    id: BoxId
    """Its identifier."""
    key: str
    """Its private key (PKCS#8 PEM)."""

    def signing_key(self) -> SigningKey:
        """Return its key; raise KeyFileError."""
        return SigningKey.from_pem(self.key.encode(), f"the key of {self.id} in {FILE}")


class FormerBoxes(Section):
    """The whole file."""

    version: Literal[1] = 1
    boxes: list[FormerBox] = Field(default=[])
    """Oldest first."""
