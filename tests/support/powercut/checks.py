"""Whether promise 3 holds on what a power cut left, once the real recovery and the real check have seen it."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from pathlib import Path

import numpy as np

from appliance.contract import ledger, segment
from appliance.contract.encryption import Identity
from appliance.contract.errors import PlainSightError
from appliance.contract.header import Header
from appliance.contract.receipt import Outcome
from appliance.contract.segment import Samples
from appliance.contract.signed import digest, split_lines
from appliance.contract.verification import verify
from appliance.recorder.storage.spool import Spool
from appliance.recorder.writer import recovery
from appliance.simulator.recorded_disk import Call, RecordedDisk
from tests.support.packages import Sealed
from tests.support.spools import Keys, Recording

from .layouts import read_tree
from .volume import Tree
from .workload import RATE, Mark, Story

_MADE_ANEW = re.compile(r"\.reserve|\.probe|\.\.probe\.new|\.set-aside/\.[0-9a-f]{32}\.ledger\.[0-9]+\.new")
"""What is no part of a recording, and half-made copies of a ledger's end, which the next recovery makes again."""


class BrokenError(AssertionError):
    """The promise does not hold; the message says what is wrong."""


def demand(holds: bool, what: str) -> None:
    """Raise BrokenError with `what` unless it holds."""
    if not holds:
        raise BrokenError(what)


class Found(Recording):
    """A recording read from a spool, for sealing it into a package as the archive would."""

    def __init__(self, spool: Path, keys: Keys, recording: str) -> None:
        self.id, self.spool, self.keys = recording, spool, keys
        self.folder = spool / "recordings" / recording
        self.key = (self.folder / "key.age").read_bytes()
        self.header_line = (self.folder / "header.tsv").read_bytes()
        self.header = Header.read(self.header_line, keys.box_signing.public)
        demand(digest(self.key) == self.header.key_sha256, "key.age is not what the header says")
        self.identity = Identity.parse(keys.archive.decrypt(self.key).decode())
        self.lines = split_lines((self.folder / "ledger.tsv").read_bytes())
        facts = [ledger.Entry.read(line, keys.box_signing.public).fact for line in self.lines]
        demand(bool(facts) and isinstance(facts[-1], ledger.Closing), "recovery left the recording open")
        assert isinstance(facts[-1], ledger.Closing)
        self.closing: ledger.Closing = facts[-1]
        self.segments = [self._file(e.segment) for e in facts if isinstance(e, ledger.Segment)]
        self.tail = {part.segment: self._file(part.segment) for part in self.closing.unverified_tail}
        pieces = [
            segment.decode(self.identity.decrypt(self._file(fact.segment)), fact.frames, RATE)
            for fact in facts
            if isinstance(fact, ledger.Segment)
        ]
        self.samples: Samples = np.concatenate([np.zeros(0, np.int16), *pieces])

    def _file(self, number: int) -> bytes:
        path = self.folder / "segments" / f"{number:08d}.age"
        demand(path.exists(), f"the ledger names segment {number}, and its file is not there")
        return path.read_bytes()


def recovered(story: Story, root: Path) -> tuple[list[Call], bool]:
    """Let a writer start on the spool; return its calls, and whether it had to close the recording."""
    disk = RecordedDisk()
    spool = Spool(root, disk)
    spool.prepare()
    closed = recovery.recover(spool, story.keys.box_signing)
    recovery.continued(spool, story.keys.box_signing)
    return disk.history, bool(closed)


def check_layout(story: Story, before: Tree, root: Path, promised: Mark, closed: bytes | None = None) -> None:
    """Raise BrokenError unless the recovered spool in `root`, which held `before`, keeps what was promised.

    `closed` is the ledger that a recovery which came to its end left: it is sent from then on, so it stays.
    """
    names = [path.name for path in (root / "recordings").iterdir()]
    demand(not any(name.startswith(".") for name in names), f"recovery left {names}")
    demand(names in ([], [story.recording]), f"there is more than the recording: {names}")
    if names:
        try:
            found = Found(root, story.keys, story.recording)
        except PlainSightError as error:
            raise BrokenError(f"it cannot be opened: {error.message}") from error
        _judge_recording(story, found, promised)
        again_closed = closed is not None and b"".join(found.lines) != closed
        demand(not again_closed, "what recovery had closed was closed again, otherwise")
        _verify(found)
    else:
        demand(closed is None, "what recovery had closed is gone")
        demand(promised.lines == 0, f"a recording with {promised.lines} acknowledged lines is gone")
    _nothing_thrown_away(before, read_tree(root))
    again = read_tree(root)
    recovered(story, root)
    demand(read_tree(root) == again, "a second recovery changed what the first had left")


def _judge_recording(story: Story, found: Found, promised: Mark) -> None:
    acknowledged = split_lines(story.ledger)[: promised.lines]
    demand(found.lines[: promised.lines] == acknowledged, "acknowledged ledger lines are gone or changed")
    demand(found.samples.size >= promised.frames, f"{promised.frames} frames acknowledged, {found.samples.size} found")
    demand(np.array_equal(found.samples, story.samples[: found.samples.size]), "the samples are not the microphone's")
    whole = found.lines == split_lines(story.ledger)
    demand(whole or found.closing.reason == "interrupted", f"cut off, and closed as {found.closing.reason}")
    demand(whole or not promised.closed, "it was reported as closed and was closed again")
    files = sorted(path.name for path in (found.folder / "segments").iterdir())
    # an empty file is a name without bytes: nothing that anybody could check
    files = [name for name in files if (found.folder / "segments" / name).stat().st_size]
    named = sorted(f"{number:08d}.age" for number in [*range(len(found.segments)), *found.tail])
    demand(files == named, f"segments {files}, vouched for or named {named}")
    for part in found.closing.unverified_tail:
        data = found.tail[part.segment]
        demand((len(data), digest(data)) == (part.size, part.sha256), f"tail segment {part.segment} is another file")


def _verify(found: Found) -> None:
    outcome: Outcome = "interrupted" if found.closing.reason == "interrupted" else "complete"
    package = io.BytesIO(Sealed(found, outcome).build())
    report = verify(package, found.keys.ring(), found.identity)
    expected = "interrupted" if outcome == "interrupted" else "intact"
    demand(report.verdict == expected, f"verify says {report.verdict}: {report.problem}")


def _nothing_thrown_away(before: Tree, after: Tree) -> None:
    """Every byte that lay in a recording lies somewhere, ledgers apart, which are checked line by line."""
    kept = Counter(data for data in after.values() if data)
    for path, data in before.items():
        if data and not path.endswith("/ledger.tsv") and not _MADE_ANEW.fullmatch(path):
            demand(kept[data] > 0, f"{path} was thrown away: {json.dumps(sorted(after))}")
