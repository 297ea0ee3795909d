"""What was played into the loopback card, and whether the archive has exactly that."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from appliance.contract import ledger
from appliance.contract.encryption import MAX_KEY_RECIPIENTS, Identity
from appliance.contract.keys import KeyRing
from appliance.contract.segment import Samples, decode
from appliance.contract.signed import split_lines
from appliance.contract.verification import verify

from .box import Box
from .guest import Guest

MEETING: Final = "/var/lib/vm/meeting.raw"
QUIET: Final = "/var/lib/vm/quiet.raw"
"""The same room while nobody speaks."""
MEETING_S: Final = 120.0
_KEY: Final = 12
"""So many samples in a row occur at one place of the meeting only: its noise never repeats."""


@dataclass(frozen=True)
class Heard:
    """A recording as the archive keeps it."""

    verdict: str
    problem: str
    samples: Samples
    gaps: tuple[tuple[int, int], ...]
    """Spans of frames that the ledger calls lost: first frame, frames."""
    closing: str
    """The reason in the closing record."""


@dataclass(frozen=True)
class Comparison:
    """How a recording compares with what was played."""

    equal: int
    """Frames that are what was played, in its order."""
    gaps: int
    """Frames of silence that the ledger tells."""
    quiet: int
    """Frames of zeros where the loopback card had nothing to play."""
    jumps: int
    """Places where what was played goes on elsewhere. Under emulation the buffer overruns; the ledger tells several
    of these losses as one gap, a moment later."""
    wrong: int
    """Frames that were never played."""
    shift: int
    """How many more frames of what was played lie between first and last equal frame than of the recording: 0 if
    the ledger's gaps are as long as what was lost. Means nothing if the player was started again."""


def play(guest: Guest, what: str = MEETING) -> None:
    """Let the meeting be heard from now on, or another file of the guest."""
    guest.run(
        "systemctl stop speaker 2>/dev/null; systemctl reset-failed speaker 2>/dev/null; "
        "systemd-run --quiet --unit=speaker -p Restart=always -p RestartSec=1 -p StartLimitIntervalSec=0 -p Nice=-5 "
        f"aplay -q -D hw:Microphone,1 -t raw -f S16_LE -c 1 -r 48000 --buffer-size=131072 {what}"
    )


def fetch(box: Box, recording: str, folder: Path) -> Heard:
    """Fetch a sealed recording, check it with the checker, and decode it."""
    package, key, ring, opening = box.export(recording, folder)
    secret = Identity.load(opening).decrypt(key.read_bytes(), MAX_KEY_RECIPIENTS).decode("ascii")
    identity = Identity.parse(secret)
    with package.open("rb") as file:
        report = verify(file, KeyRing.load(ring), identity)
    return opened(package, identity, report.verdict, report.problem)


def opened(package: Path, identity: Identity, verdict: str, problem: str) -> Heard:
    """Decode a package whose verdict is known."""
    parts: list[Samples] = []
    gaps: list[tuple[int, int]] = []
    closing = ""
    with zipfile.ZipFile(package) as archive:
        names = {Path(name).name: name for name in archive.namelist()}
        for line in split_lines(archive.read(names["ledger.tsv"])):
            fact = ledger.Entry.from_members(json.loads(line.split(b"\t")[0])).fact
            if isinstance(fact, ledger.Segment):
                stream = identity.decrypt(archive.read(names[f"{fact.segment:08d}.age"]))
                parts.append(decode(stream, fact.frames, 48000))
            elif isinstance(fact, ledger.Gap):
                gaps.append((fact.first_frame, fact.frames))
            elif isinstance(fact, ledger.Closing):
                closing = fact.reason
    samples = np.concatenate(parts) if parts else np.zeros(0, np.int16)
    return Heard(verdict, problem, samples, tuple(gaps), closing)


def compare(heard: Samples, gaps: tuple[tuple[int, int], ...], played: Samples) -> Comparison:
    """Find every frame of a recording in what was played, over and over from its beginning."""
    lost = np.zeros(len(heard), bool)
    for begin, frames in gaps:
        lost[begin : begin + frames] = True
    equal = quiet = jumps = wrong = at = 0
    position: int | None = None
    first: int | None = None
    shift = 0
    while at < len(heard):
        if lost[at]:
            kept = np.flatnonzero(~lost[at:])
            at, position = (at + int(kept[0]) if len(kept) else len(heard)), None
            continue
        if position is not None and position < len(played):
            span = min(len(heard) - at, len(played) - position)
            same = (heard[at : at + span] == played[position : position + span]) & ~lost[at : at + span]
            run = span if same.all() else int(np.argmin(same))
            first = position - at if first is None else first
            shift = position - at - first
            at, position, equal = at + run, position + run, equal + run
            if run:
                continue
        if heard[at] == 0 and not heard[at : at + _KEY].any():
            zeros = np.flatnonzero(heard[at:])
            run = int(zeros[0]) if len(zeros) else len(heard) - at
            at, quiet, position = at + run, quiet + run, None
            continue
        position = _find(heard[at : at + _KEY], played)
        if position is None:
            at, wrong = at + 1, wrong + 1
        else:
            jumps += 1
    return Comparison(equal, int(lost.sum()), quiet, jumps, wrong, shift)


def _find(key: Samples, played: Samples) -> int | None:
    """Return where in `played` the samples of `key` stand, or None."""
    found = np.flatnonzero(played[: len(played) - len(key)] == key[0])
    for offset in range(1, len(key)):
        found = found[played[found + offset] == key[offset]]
    return int(found[0]) if len(found) else None
