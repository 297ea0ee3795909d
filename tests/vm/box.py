"""The simulated box as people and devices see it: its button, its lamp, its status; and the archive's commands."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.support.waiting import TimedOutError, until

from .guest import Guest, GuestError
from .limits import patience
from .row import progress

BUTTON, RED, GREEN, AMBER, LAMP_SEEN, MIC_RAIL = 24, 23, 22, 17, 25, 27
LINES: Final = "/run/vm/lines/sim_gpio"
INBOX: Final = "/var/lib/plainsight/inbox"
RECEIPTS: Final = "/var/lib/plainsight/spool/receipts"
PULL: Final = f"{LINES}{BUTTON}/pull"
ARCHIVE_USER: Final = "setpriv --reuid plainsight-archive --regid plainsight-archive --init-groups"


class Box:
    """The box in a guest."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest

    def press(self) -> None:
        """Press the button shortly."""
        self._hold(0.3)

    def hold_button(self) -> None:
        """Hold the button for as long as ends a recording."""
        self._hold(2.5)

    def _hold(self, seconds: float) -> None:
        # one program: an emulated shell may take two seconds to start `sleep`, and a short press would be a long one
        self.guest.run(
            "nice -n -10 python3 -S -c \"import os, time; line = os.open('"
            f"{PULL}', os.O_WRONLY); os.write(line, b'pull-up'); time.sleep({seconds}); os.write(line, b'pull-down')\""
        )

    def level(self, line: int) -> bool:
        """Return the level of a line, as a meter would show it."""
        return self.guest.run(f"cat {LINES}{line}/value").strip() == "1"

    def lit(self) -> set[int]:
        """Return the lines of the lights that are lit now."""
        lights = (RED, GREEN, AMBER)
        levels = self.guest.run(f"cat {' '.join(f'{LINES}{line}/value' for line in lights)}").split()
        return {line for line, level in zip(lights, levels, strict=True) if level == "1"}

    def status(self) -> dict[str, Any]:
        """Return the recorder's status, or an empty one where there is none."""
        text = self.guest.run("cat /run/plainsight/status.json 2>/dev/null || true")
        try:
            found: dict[str, Any] = json.loads(text)
        except ValueError:
            return {}
        return found

    def wait(self, fits: Callable[[dict[str, Any]], object], what: str, seconds: float) -> dict[str, Any]:
        """Return the first status that fits; raise GuestError after `seconds`."""
        last: dict[str, Any] = {}

        def look() -> bool:
            nonlocal last
            last = self.status()
            return bool(fits(last))

        try:
            until(look, what, seconds, pause=lambda: time.sleep(1))
        except TimedOutError as error:
            journal = self.guest.run("journalctl -u plainsight-recorder -n 12 --no-pager -o cat", status=None)
            raise GuestError(f"{error}; the last status was {last}; the journal ends with: {journal}") from error
        return last

    def wait_ready(self, seconds: float = patience(15)) -> dict[str, Any]:
        """Wait until it is idle and a press would record."""
        # a recorder that is being started again has left its last word behind
        now_ns = float(self.guest.run("cat /proc/uptime").split()[0]) * 1e9
        return self.wait(
            lambda found: found.get("state") == "idle" and found["ready"] and found["monotonic_ns"] > now_ns,
            "idle and ready",
            seconds,
        )

    def begin(self, seconds: float = 12.0) -> str:
        """Press, and wait until so much is acknowledged; return the recording's identifier."""
        self.press()
        found = self.wait(
            lambda status: status.get("state") == "recording" and status["acked_frame"] >= seconds * status["rate"],
            f"{seconds:g} s acknowledged",
            patience(seconds / 4),
        )
        return str(found["recording"])

    def end(self) -> None:
        """End the recording by the button, and wait until the box is idle."""
        self.hold_button()
        self.wait_ready()

    def main_pid(self, unit: str = "plainsight-recorder") -> int:
        """Return the process that systemd calls the unit's main one, or 0."""
        return int(self.show(unit, "MainPID"))

    def show(self, unit: str, name: str) -> str:
        """Return a property of a unit."""
        return self.guest.run(f"systemctl show -P {name} {unit}").strip()

    def archive(self, command: str, seconds: float = patience(10)) -> Any:
        """Run a command of the archive as its user and return its JSON."""
        text = self.guest.run(f"{ARCHIVE_USER} plainsight-archive {command} --json", seconds)
        return json.loads(text)

    def recordings(self) -> dict[str, dict[str, Any]]:
        """Return the archive's recordings by their identifiers."""
        return {row["recording"]: row for row in self.archive("list")}

    def wait_sealed(self, wanted: set[str], seconds: float = patience(25)) -> dict[str, dict[str, Any]]:
        """Wait until the archive has sealed these, and return all its recordings."""
        places = [f"[ -e {folder}/{name}.tsv ]" for name in sorted(wanted) for folder in (INBOX, RECEIPTS)]
        receipts = [f"{{ {inbox} || {kept}; }}" for inbox, kept in zip(places[::2], places[1::2], strict=True)]
        try:
            # a look at the box's receipts costs nothing; the archive's own list takes the emulator many seconds
            until(
                lambda: self.guest.spawn(" && ".join(receipts) or ":").outcome(patience(5))[0] == 0,
                f"receipts for {sorted(wanted)}",
                seconds,
                pause=lambda: time.sleep(2),
            )
        except TimedOutError as error:
            journal = self.guest.run(
                "journalctl -u plainsight-courier -u plainsight-archive-worker -n 12 --no-pager -o cat", status=None
            )
            raise GuestError(f"{error}; the journal ends with: {journal}") from error
        found = self.recordings()
        said = {name: found.get(name, {}).get("standing") for name in wanted}
        if not all(found.get(name, {}).get("state") == "sealed" for name in wanted):
            raise GuestError(f"there are receipts, and not all is sealed: {said}")
        return found

    def export(self, recording: str, folder: Path) -> tuple[Path, Path, Path, Path]:
        """Fetch a sealed package, its key, the key ring and the archive's identity."""
        progress(f"fetching the package of {recording}")
        there = "/run/vm/export"
        self.guest.run(f"rm -rf {there}; mkdir {there}; chown plainsight-archive {there}")
        keyring = self.guest.spawn(f"{ARCHIVE_USER} plainsight-archive keyring")
        self.archive(f"export {recording} --to {there} --with-key")
        status, ring = keyring.outcome(patience(10))
        if status != 0:
            raise GuestError(f"plainsight-archive keyring: {ring[-1000:]}")
        files = {
            folder / "meeting.zip": f"{there}/{recording}.zip",
            folder / "meeting.key.age": f"{there}/{recording}.key.age",
            folder / "opening.txt": "/var/lib/plainsight-archive/keys/opening.txt",
        }
        for here, path in files.items():
            here.write_bytes(self.guest.read(path))
        (folder / "keyring.json").write_text(ring)
        (folder / "opening.txt").chmod(0o600)
        return folder / "meeting.zip", folder / "meeting.key.age", folder / "keyring.json", folder / "opening.txt"
