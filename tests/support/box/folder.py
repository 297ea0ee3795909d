"""One box on disk: its folders, its keys, and its settings, for whichever of its processes a test runs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.spools import Keys

ROOT = Path(__file__).resolve().parents[3]
BOX = "box-test1234"
Sections = dict[str, dict[str, Any]]


def members(root: Path, keys: Keys, **sections: dict[str, Any]) -> Sections:
    """The recorder's settings for a box in `root`, section by section, changed by `sections`."""
    values: Sections = {
        "box": {
            "id": keys.box,
            "signing_key": str(root / "box.key"),
            "commissioning": str(root / "commissioning.tsv"),
            "reports": str(root),
        },
        "keys": {
            "archive_recipient": keys.archive.recipient,
            "escrow_recipient": keys.escrow.recipient,
            "archive_key": keys.archive_signing.public,
        },
        "spool": {"path": str(root / "spool"), "inbox": str(root / "inbox"), "run": str(root / "run")},
        "microphone": {"device": "test", "card": "Test", "asound": str(root / "asound")},
        "panel": {"kind": "simulated", "socket": str(root / "panel.sock")},
        "checks": {"clock": False, "commissioned": False},
    }
    for name, changed in sections.items():
        values[name] = {**values.get(name, {}), **changed}
    return values


def as_toml(values: Sections) -> str:
    """Write settings as TOML: JSON's strings, numbers and truth values are TOML's as well."""
    return "".join(
        f"[{section}]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in inside.items())
        for section, inside in values.items()
    )


@dataclass
class BoxFolder:
    """A box's folders under `root`, made at once, with its signing key."""

    root: Path
    keys: Keys = field(default_factory=lambda: Keys(BOX))

    def __post_init__(self) -> None:
        for folder in (self.spool, self.inbox, self.run, self.state):
            folder.mkdir(parents=True, exist_ok=True)
        key = self.root / "box.key"
        if not key.exists():
            self.keys.box_signing.save(key)

    @property
    def spool(self) -> Path:
        return self.root / "spool"

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def run(self) -> Path:
        """Where the supervisor writes its status."""
        return self.root / "run"

    @property
    def state(self) -> Path:
        """Where the courier writes its progress."""
        return self.root / "state"

    @property
    def config(self) -> Path:
        return self.root / "recorder.toml"

    def configure(self, extra: str = "", **sections: dict[str, Any]) -> Path:
        """Write the recorder's settings, with more TOML at their end."""
        self.config.write_text(as_toml(members(self.root, self.keys, **sections)) + extra)
        return self.config

    def folder(self, recording: str) -> Path:
        return self.spool / "recordings" / recording

    def recordings(self) -> list[str]:
        folder = self.spool / "recordings"
        return sorted(p.name for p in folder.iterdir() if not p.name.startswith(".")) if folder.exists() else []
