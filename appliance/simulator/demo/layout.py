"""Where everything of a demonstration lies: one folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """Paths inside the demonstration's folder."""

    root: Path

    @property
    def keys(self) -> Path:
        """Private key of the escrow; the archive's own lie in its home, the box's in its folder."""
        return self.root / "keys"

    @property
    def home(self) -> Path:
        """The archive's home."""
        return self.root / "archive"

    @property
    def broker(self) -> Path:
        """What the archive makes for the broker."""
        return self.root / "broker"

    @property
    def claim(self) -> Path:
        """The claim on the box's card."""
        return self.box / "plainsight-claim.toml"

    @property
    def panel(self) -> Path:
        """The simulator's folder."""
        return self.root / "panel"

    @property
    def panel_log(self) -> Path:
        """The front panel's own log."""
        return self.panel / "panel.log"

    @property
    def microphone_log(self) -> Path:
        """The microphone's own log."""
        return self.panel / "microphone.log"

    @property
    def control(self) -> Path:
        """The simulator's socket for scripts."""
        return self.panel / "control.sock"

    @property
    def box(self) -> Path:
        """The box's folders."""
        return self.root / "box"

    @property
    def spool(self) -> Path:
        """The recorder's spool."""
        return self.box / "spool"

    @property
    def receipts(self) -> Path:
        """Receipts of recordings that the box has deleted."""
        return self.spool / "receipts"

    @property
    def inbox(self) -> Path:
        """Where the courier lays receipts."""
        return self.box / "inbox"

    @property
    def run(self) -> Path:
        """The recorder's folder for its status."""
        return self.box / "run"

    @property
    def status(self) -> Path:
        """The recorder's word about itself."""
        return self.run / "status.json"

    @property
    def state(self) -> Path:
        """The courier's folder."""
        return self.box / "courier"

    @property
    def progress(self) -> Path:
        """The courier's word about itself."""
        return self.state / "progress.json"

    @property
    def logs(self) -> Path:
        """One log a part."""
        return self.root / "logs"

    @property
    def export(self) -> Path:
        """Packages exported from the archive."""
        return self.root / "export"

    @property
    def imported(self) -> Path:
        """Where the story takes an exported archive in."""
        return self.root / "imported"

    @property
    def restored(self) -> Path:
        """Where the story restores a backup."""
        return self.root / "restored"

    @property
    def key_ring(self) -> Path:
        """Public keys for `plainsight verify --keys`."""
        return self.root / "keyring.json"

    @property
    def addresses(self) -> Path:
        """Addresses and the sign-in, as JSON."""
        return self.root / "addresses.json"

    @property
    def recorder_settings(self) -> Path:
        """The recorder's TOML file."""
        return self.box / "recorder.toml"

    @property
    def commissioning(self) -> Path:
        """The box's signed record of commissioning."""
        return self.box / "commissioning.tsv"

    @property
    def courier_settings(self) -> Path:
        """The courier's TOML file."""
        return self.box / "courier.toml"
