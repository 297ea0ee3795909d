"""The check itself, from the outermost byte inwards.

Order matters: what encloses is checked before what it encloses, so that the first wrong thing is named at its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import BinaryIO

from appliance.contract.encryption import Identity
from appliance.contract.errors import FormatError, PlainSightError, StorageError
from appliance.contract.keys import KeyRing
from appliance.contract.package import PAYLOAD, TAG_FILES
from appliance.contract.zip_profile import looks_like_package, read_members

from .arrivals import check_arrivals
from .audio import AudioCheck, Spread, check_tail
from .bag import Bag, check_bag
from .evidence import (
    Evidence,
    check_events,
    check_header,
    check_ledger,
    check_receipt,
    check_segments,
    duration,
    read_segments,
)
from .report import Report, Verdict, printable

_MAX_STEPS = 3

Progress = Callable[[str, int, int], None]
"""Called with (what, done, of how many)."""

_OTHER = "the file is not the ZIP that an archive of ours exports; give that one"


def verify(
    file: BinaryIO,
    key_ring: KeyRing | None,
    identity: Identity | None = None,
    progress: Progress = lambda _what, _done, _of: None,
    spread: Spread = map,
) -> Report:
    """Check a package and return what was found; never raises for anything that a file may contain.

    `key_ring` holds keys from outside; without it, or where it does not know the box or the archive, the best verdict
    is `not-pinned`. `identity` is the recording's own identity, out of `key.age`; with it the audio is checked as well.
    `spread` opens the segments: `map`, or something that does it in several processes.
    A disk that cannot be read raises OSError, an archive's store StorageError.
    """
    checks: list[str] = []
    notes: list[str] = []
    recording, audio_md5 = "", ""
    try:
        if not looks_like_package(file):
            return Report("not-a-package", "", (), _OTHER)
        bag = _bag(file)
        recording = bag.recording
        checks.append(f"every byte of the ZIP around its {len(bag.members)} members is what the format demands")
        pinned, evidence, audio = _evidence(bag, key_ring, checks, notes, progress, identity=identity, spread=spread)
        if identity is None:
            notes.append("the audio itself was not opened; give its key to check that as well")
        elif audio is None:
            problem = f"the key decrypts what is encrypted to {identity.recipient}; this is {evidence.header.recipient}"
            return Report("wrong-key", recording, tuple(checks), problem, tuple(notes))
        else:
            told, audio_md5 = audio.result()
            checks.append(told)
            if evidence.tail:
                notes.append(check_tail(bag, evidence, identity))
    except StorageError:
        raise  # what cannot be read is not thereby wrong
    except PlainSightError as error:
        return Report("tampered", recording, tuple(checks), printable(error.message), tuple(notes))
    return Report(_verdict(evidence, pinned), recording, tuple(checks), "", tuple(notes), audio_md5)


def _bag(file: BinaryIO) -> Bag:
    members = read_members(file)
    recording, _, first = members[0].name.partition("/")
    if first != TAG_FILES[0] or not re.fullmatch("[0-9a-f]{32}", recording):
        raise FormatError(f"byte 0: {members[0].name} is not RECORDING/{TAG_FILES[0]}, the first member")
    bag = Bag(file, recording, {member.name: member for member in members})
    if len(bag.members) != len(members):
        raise FormatError("byte 0: two members have the same name")
    for name in (*TAG_FILES, *PAYLOAD):
        if f"{recording}/{name}" not in bag.members:
            raise FormatError(f"{name} is missing")
    return bag


def _evidence(
    bag: Bag,
    key_ring: KeyRing | None,
    checks: list[str],
    notes: list[str],
    progress: Progress,
    *,
    identity: Identity | None,
    spread: Spread,
) -> tuple[bool, Evidence, AudioCheck | None]:
    """Check everything but the audio, which is opened on the way if it is the identity's."""
    header, header_line, box_pinned = check_header(bag, key_ring)
    box = f"the pinned key of {header.box}" if box_pinned else f"a key that claims to be {header.box}"
    checks.append(f"the header is signed by {box}")
    evidence = check_ledger(bag, header, header_line)
    checks.append(
        f"{evidence.lines} ledger lines are signed, follow on each other, and keep the microphone within lit spans"
    )
    told = check_segments(bag, evidence)
    audio = None
    if identity is not None and identity.recipient == header.recipient:
        audio = AudioCheck(evidence, identity, spread)
        audio.open(read_segments(bag, evidence, partial(progress, "audio")))
    else:
        for _ in read_segments(bag, evidence, partial(progress, "segments")):
            pass
    checks.append(told)
    receipt, archive_pinned = check_receipt(bag, evidence, key_ring)
    archive = "the pinned archive key" if archive_pinned else "some archive key"
    checks.append(f"the receipt is signed by {archive} and names all this")
    checks.append(check_arrivals(bag, evidence, receipt))
    checks.append(check_bag(bag, receipt))
    check_events(bag)
    _pins(key_ring, header.box, notes, box=box_pinned, archive=archive_pinned)
    _notes(evidence, notes)
    return box_pinned and archive_pinned, evidence, audio


def _pins(key_ring: KeyRing | None, name: str, notes: list[str], *, box: bool, archive: bool) -> None:
    if key_ring is None:
        notes.append("no key ring was given: whoever made the package could have made up its keys as well")
        return
    if not box:
        notes.append(f"the key ring does not know {name}: who signed the header is open")
    if not archive:
        notes.append("the key ring has no archive key: who signed the receipt is open")


def _notes(evidence: Evidence, notes: list[str]) -> None:
    header = evidence.header
    if header.panel == "simulated":
        notes.append("the button and the lamps were simulated: this is a trial, not a meeting")
    if header.lamp == "unverified":
        notes.append("no sensor was wired to the lamp: 'lit' means commanded, not seen")
    if not header.clock.synchronized:
        notes.append("the box's wall clock was not synchronized at the start; its times of day may be wrong")
    steps = [(line, change) for line, change in evidence.clocks if change.step_ns]
    for line, change in steps[:_MAX_STEPS]:
        moved = f"{'forward' if change.step_ns > 0 else 'back'} by {duration(abs(change.step_ns) / 1e9)}"
        notes.append(
            f"the box's wall clock was put {moved}, to {change.at} (ledger line {line}); times of day after it are "
            "by the new setting; order and durations do not depend on it"
        )
    if len(steps) > _MAX_STEPS:
        notes.append(f"the box's wall clock was put {len(steps)} times in all; the ledger names each")
    states = [header.clock.synchronized, *(change.clock.synchronized for _, change in evidence.clocks)]
    if states[0] and not all(states):
        notes.append("the box's wall clock was synchronized at the start, but not all the time")
    if evidence.lost_frames:
        seconds = evidence.lost_frames / header.audio.rate
        notes.append(f"{seconds:.3f} s of audio were lost and are silence; the ledger names each gap")
    if evidence.outcome == "interrupted":
        notes.append("a crash, a power cut or a failing disk ended the recording; what followed is not here")
    if evidence.outcome == "incomplete":
        notes.append("its box never closed the recording; there may have been more")
    if evidence.tail:
        notes.append(
            f"{len(evidence.tail)} segments of an unverified tail are kept as well; the box did not verify them"
        )
    if evidence.absent:
        notes.append(
            f"{len(evidence.absent)} segments of an unverified tail never reached the archive; its staff ended the wait"
        )
    if header.continues:
        notes.append(f"it goes on from recording {header.continues}")


def _verdict(evidence: Evidence, pinned: bool) -> Verdict:
    if not pinned:
        return "not-pinned"
    outcomes: dict[str, Verdict] = {"interrupted": "interrupted", "incomplete": "incomplete"}
    return outcomes.get(evidence.outcome, "intact")
