"""Closes what a crash or a power cut left open, at the next start. Nothing is thrown away.

Safe to be cut off anywhere and run again: each step either was done or is done again. In order: what is no part of a
recording (names with a dot) goes aside; bytes after the ledger's last LF are copied aside, then cut; segments without
a ledger line are listed in the closing record, which is signed and synced last.

A recording that the disk does not give back is left as it is and told: it must not keep the next meeting from being
recorded. Whether the disk takes new ones, the writer tries by itself (process.py).
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from appliance.contract import ledger, times
from appliance.contract.errors import FormatError
from appliance.contract.header import Header
from appliance.contract.kernel_clock import read_clock
from appliance.contract.keys import SigningKey
from appliance.contract.paths import HEADER, LEDGER, SEGMENTS, segment_file
from appliance.contract.signed import MAX_LINE, digest, split_lines
from appliance.recorder.clock import look
from appliance.recorder.storage.disk import FULL, DiskError
from appliance.recorder.storage.spool import Spool, store

from .interrupted import Interrupted
from .ledger_file import LedgerFile

Leave = Callable[[str, str], None]
"""What is told of a recording that something was lost of: its id, and why."""
TAIL_BYTES: Final = MAX_LINE - 4096
"""Room for the list of segments in a closing record, in bytes; the rest is for what else it says."""
_log = logging.getLogger(__name__)


def _only_log(_: str, why: str) -> None:
    _log.error("%s", why)


@dataclass(frozen=True)
class Found:
    """A recording as it lies in the spool."""

    recording: str
    header: Header
    header_line: bytes
    lines: tuple[bytes, ...]
    """The ledger's lines that are whole, signed and chained."""
    facts: tuple[ledger.AnyFact, ...]
    """What they say."""
    rest: bytes
    """Bytes behind them."""


def examine(spool: Spool, recording: str, box_key: str) -> Found:
    """Read a recording; raise FormatError if its header is not one that this box signed."""
    header_line, header, data = _read(spool, recording, box_key)
    lines: list[bytes] = []
    facts: list[ledger.AnyFact] = []
    prev = digest(header_line)
    for line in split_lines(data):
        entry = _next_entry(line, box_key, recording, len(lines), prev)
        if entry is None:
            break
        lines.append(line)
        facts.append(entry.fact)
        prev = digest(line)
    return Found(recording, header, header_line, tuple(lines), tuple(facts), data[sum(map(len, lines)) :])


def _next_entry(line: bytes, key: str, recording: str, number: int, prev: str) -> ledger.Entry | None:
    try:
        entry = ledger.Entry.read(line, key)
    except FormatError:
        return None
    return entry if (entry.recording, entry.n, entry.prev) == (recording, number, prev) else None


def _read(spool: Spool, recording: str, box_key: str) -> tuple[bytes, Header, bytes]:
    folder = spool.folder(recording)
    header_line = spool.disk.read(folder / HEADER) if spool.disk.exists(folder / HEADER) else b""
    header = Header.read(header_line, box_key)
    if header.recording != recording:
        raise FormatError(f"the header in {folder} is that of another recording", field="recording")
    path = folder / LEDGER
    return header_line, header, spool.disk.read(path) if spool.disk.exists(path) else b""


def _ending(data: bytes, box_key: str, recording: str) -> tuple[ledger.Closing | None, int | None]:
    """Return the closing record, and when the line before it was made; only these two lines are looked at."""
    last = data.rstrip(b"\n").rsplit(b"\n", 2)[-2:] if data.endswith(b"\n") else []
    entries = []
    for line in last:
        try:
            entries.append(ledger.Entry.read(line + b"\n", box_key))
        except FormatError:
            return None, None
    closing = entries[-1].fact if entries else None
    if not isinstance(closing, ledger.Closing) or entries[-1].recording != recording:
        return None, None
    return closing, entries[0].fact.t_ns if len(entries) > 1 else None


def recover(spool: Spool, key: SigningKey, leave: Leave = _only_log, former: Sequence[SigningKey] = ()) -> list[str]:
    """Close every open recording as interrupted; return their ids. One that cannot be read is told to `leave`.

    `key` is this box's, `former` those of the boxes whose cards went on in this board: each closes what it signed.

    Raises DiskError if the disk is full, or does not tell what recordings there are.
    """
    _tidy(spool)
    # a killed writer may have left names that only the page cache has; what is closed here is sent from then on
    spool.disk.sync_folder(spool.recordings)
    keys = {one.public: one for one in (key, *former)}
    closed = []
    for recording in spool.ids():
        try:
            if _recover_one(spool, keys, recording, leave):
                closed.append(recording)
        except DiskError as error:
            if error.fault == FULL:
                # it can be closed as soon as there is room
                raise
            leave(recording, f"{recording} is left as it is, and not closed: {error.message}")
    return closed


def _recover_one(spool: Spool, keys: Mapping[str, SigningKey], recording: str, leave: Leave) -> bool:
    """Close a recording if it is open; return whether it was."""
    try:
        key, data = _signed_by(spool, recording, keys)
    except FormatError:
        # no header of ours: nothing could be closed or sent under our name
        spool.quarantine(spool.folder(recording))
        return False
    return _close_if_open(spool, key, recording, data, leave)


def close_one(spool: Spool, key: SigningKey, recording: str, leave: Leave = _only_log) -> bool:
    """Close a recording of the box with `key` as interrupted if it is open; return whether it was.

    Raises FormatError, with nothing changed, if it is another box's; DiskError.
    """
    _, data = _signed_by(spool, recording, {key.public: key})
    return _close_if_open(spool, key, recording, data, leave)


def _signed_by(spool: Spool, recording: str, keys: Mapping[str, SigningKey]) -> tuple[SigningKey, bytes]:
    """Return the one of `keys` that signed a recording's header, and its ledger; raise FormatError if none did."""
    path = spool.folder(recording) / HEADER
    named = Header.read(spool.disk.read(path) if spool.disk.exists(path) else b"", None).box_key
    if named not in keys:
        raise FormatError(f"{recording} was made by the box with the key {named}", field="box_key")
    _, _, data = _read(spool, recording, named)
    return keys[named], data


def _close_if_open(spool: Spool, key: SigningKey, recording: str, data: bytes, leave: Leave) -> bool:
    if _ending(data, key.public, recording)[0] is not None:
        return False
    _forget_cached(spool, spool.folder(recording) / LEDGER)
    _close(spool, key, examine(spool, recording, key.public), leave)
    return True


def _forget_cached(spool: Spool, path: Path) -> None:
    """See to it that the ledger is read from the disk: after a failed fsync the cache has lines that it has not."""
    disk = spool.disk
    if not disk.exists(path):
        return
    descriptor = disk.open_to_append(path)
    try:
        disk.fsync(descriptor, path)
        disk.drop_cache(descriptor, path)
    finally:
        disk.close(descriptor, path)


def continued(spool: Spool, key: SigningKey, leave: Leave = _only_log) -> Interrupted | None:
    """Return the recording that the last crash interrupted, unless another continues it or it is too long ago.

    To be called after `recover`. Whether it is short enough ago may be known only later, at the press
    (interrupted.py): then it is returned all the same.
    """
    taken: set[str | None] = set()
    found: list[tuple[float, Interrupted]] = []
    now, boot = look(), times.boot_id()
    for recording in spool.ids():
        try:
            _, header, data = _read(spool, recording, key.public)
        except DiskError as error:
            leave(recording, f"{recording} cannot be read: {error.message}")
            continue
        except FormatError:
            # a former box's: nobody else's recording goes on from it
            continue
        taken.add(header.continues)
        closing, alive_ns = _ending(data, key.public, recording)
        if closing is not None and closing.reason == "interrupted":
            alive_ns = header.created_ns if alive_ns is None else alive_ns
            synchronized = _synchronized(header, data, key.public)
            one = Interrupted(recording, header.boot_id, alive_ns, closing.ended_at, synchronized)
            age = one.age_s(now, boot)
            if age is None or one.fresh(now, boot):
                found.append((float("inf") if age is None else age, one))
    free = [item for item in found if item[1].recording not in taken]
    # of those whose age is not known, the one that was alive last by its own wall clock
    free.sort(key=lambda item: item[1].alive_at, reverse=True)
    return min(free, key=lambda item: item[0])[1] if free else None


def _synchronized(header: Header, data: bytes, box_key: str) -> bool:
    """Tell whether the recording's last word on the wall clock was that it is synchronized."""
    for line in reversed(split_lines(data)):
        if b'"kind":"clock"' in line:
            try:
                fact = ledger.Entry.read(line, box_key).fact
            except FormatError:
                break
            return isinstance(fact, ledger.ClockChange) and fact.clock.synchronized
    return header.clock.synchronized


def _tidy(spool: Spool) -> None:
    for name in spool.disk.names(spool.recordings):
        # a folder that was being deleted has a receipt, and is finished by the inbox's work
        if name.startswith(".") and not name.endswith(".deleted"):
            spool.quarantine(spool.recordings / name)


def _close(spool: Spool, key: SigningKey, found: Found, leave: Leave) -> None:
    folder, disk = spool.folder(found.recording), spool.disk
    path = folder / LEDGER
    if disk.exists(path):
        alive_at = times.wall(datetime.fromtimestamp(disk.modified_s(path), UTC))
    else:
        alive_at = found.header.created_at
        store(disk, path, b"")
    if found.rest:
        _cut(spool, folder, path, found)
    if not disk.exists(folder / SEGMENTS):
        disk.make_folder(folder / SEGMENTS)
        disk.sync_folder(folder)
    for name in disk.names(folder / SEGMENTS):
        if name.startswith("."):
            spool.quarantine(folder / SEGMENTS / name)
    disk.sync_folder(folder / SEGMENTS)
    disk.sync_folder(folder)
    segments = [fact for fact in found.facts if isinstance(fact, ledger.Segment)]
    tail, beyond = _tail(spool, folder / SEGMENTS, len(segments))
    if beyond:
        place = _set_aside(spool, found.recording, folder / SEGMENTS, beyond)
        leave(
            found.recording,
            f"{found.recording} is closed without {len(beyond)} segments, which no ledger line and "
            f"not its closing record has room to name; they are in {place}",
        )
    ledger_file = LedgerFile(disk, path, found.recording, key, prev=digest(found.header_line))
    ledger_file.go_on(found.lines)
    ledger_file.append(
        [
            ledger.Closing(
                t_ns=time.monotonic_ns(),
                reason="interrupted",
                frames=sum(segment.frames for segment in segments),
                segments=len(segments),
                lost_frames=sum(fact.frames for fact in found.facts if isinstance(fact, ledger.Gap)),
                ended_at=alive_at,
                clock=read_clock(),
                unverified_tail=tail,
            )
        ]
    )


def _cut(spool: Spool, folder: Path, path: Path, found: Found) -> None:
    disk = spool.disk
    # a torn line, or lines that the disk damaged: kept for whoever wants to know, then cut
    spool.quarantine_data(f"{found.recording}.ledger", found.rest)
    descriptor = disk.open_to_append(path)
    try:
        disk.truncate(descriptor, sum(map(len, found.lines)), path)
        disk.fsync(descriptor, path)
    finally:
        disk.close(descriptor, path)
    disk.sync_folder(folder)


def _tail(spool: Spool, folder: Path, segments: int) -> tuple[list[ledger.TailSegment], list[str]]:
    """Return what the closing record says about segments without a ledger line, and the files that it cannot hold."""
    entered = {segment_file(number) for number in range(segments)}
    tail: list[ledger.TailSegment] = []
    beyond: list[str] = []
    room = TAIL_BYTES
    for name in spool.disk.names(folder):
        if name in entered or not re.fullmatch(r"[0-9]{8}\.age", name):
            continue
        data = spool.disk.read(folder / name)
        if data:
            one = ledger.TailSegment(segment=int(name.removesuffix(".age")), size=len(data), sha256=digest(data))
            room -= len(one.model_dump_json()) + 1
            if room >= 0:
                tail.append(one)
            else:
                beyond.append(name)
    return tail, beyond


def _set_aside(spool: Spool, recording: str, folder: Path, names: list[str]) -> Path:
    """Move segments out of the recording, which would else never be whole at the archive; return where they are."""
    disk, place = spool.disk, spool.aside / f"{recording}.segments"
    if not disk.exists(place):
        disk.make_folder(place)
    disk.sync_folder(spool.aside)
    for name in names:
        disk.rename(folder / name, place / name)
    disk.sync_folder(place)
    disk.sync_folder(folder)
    return place
