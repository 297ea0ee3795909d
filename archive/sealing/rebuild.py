"""A sealed recording's row, made from its package: after a seal, after a crash, or where the database is an older one.

Nothing of a row is changed before the package was looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Final

from appliance.contract.header import Header
from appliance.contract.ledger import Closing, Entry, Gap
from appliance.contract.package import PAYLOAD, TAG_FILES
from appliance.contract.receipt import Arrival, Receipt
from appliance.contract.signed import digest, split_lines
from appliance.contract.times import parse_wall
from appliance.contract.zip_profile import leading_members, read_member
from archive.core.deeds import one_deed
from archive.custody.actors import Actor, Subject
from archive.custody.kinds import Kind
from archive.custody.log import record
from archive.recordings.audio_index import build_index
from archive.recordings.dating import listed
from archive.recordings.find import check_not_destroyed
from archive.recordings.models import Recording, State
from archive.recordings.verification import require_sound
from archive.recordings.wall_clock import wall_clock
from archive.rooms.placement import room_at
from archive.store.base import open_object, package_name
from archive.store.current import store

from .events import judged


@dataclass(frozen=True)
class Package:
    """What a verified package says of its recording."""

    header: Header
    header_line: bytes
    entries: list[Entry]
    """The ledger."""
    arrivals: list[Arrival]
    last_arrival_sha256: str
    """Line digest of the last of them."""
    events: bytes
    receipt: Receipt
    receipt_line: bytes
    sha256: str
    """Digest of the whole file."""


def rebuild(recording: str, kind: Kind, actor: Actor) -> Recording:
    """Verify the package of a recording, make its row say what the package says, and return it.

    Raises StorageError if there is no sound package, DestroyedError if it was destroyed; then nothing is changed.
    """
    with open_object(store(), package_name(recording)) as file:
        require_sound(file, recording)
    return take_over(recording, kind, actor)


def take_over(
    recording: str,
    kind: Kind,
    actor: Actor,
    *,
    beside: Callable[[Recording], None] = lambda _: None,
    **detail: str | int,
) -> Recording:
    """Make a recording's row say what its package, which was verified, says; then clear what had arrived.

    `beside` changes in the same deed what goes with a row that was made or changed, and `detail` is entered with it.
    """
    name = package_name(recording)
    with open_object(store(), name) as file:
        package = _read(file)
        index = build_index(file, recording, package.receipt)
    size = store().size(name)
    with one_deed():
        row = Recording.objects.select_for_update().filter(pk=recording).first() or Recording(pk=recording)
        check_not_destroyed(row)
        if row.state != State.SEALED or row.package_sha256 != package.sha256:
            _fill(row, package)
            row.package, row.package_size, row.taken_bytes = name, size, size
            row.save()
            index.save()
            row.arrivals.all().delete()
            row.tail.all().delete()
            beside(row)
            sealed = {"outcome": row.outcome, "package_sha256": package.sha256}
            record(kind, actor=actor, subject=Subject.recording(recording), **sealed, **detail)
    clear_incoming(row)
    return row


def clear_incoming(row: Recording) -> bool:
    """Remove what had arrived of a sealed recording; return False if its package is not there as it was sealed."""
    if not store().exists(row.package) or store().size(row.package) != row.package_size:
        # what arrived may be all that there is
        return False
    store().drop_incoming(row.pk)
    return True


def _read(file: BinaryIO) -> Package:
    names = [*TAG_FILES, *PAYLOAD]
    members = dict(zip(names, leading_members(file, len(names)), strict=True))
    line = read_member(file, members["data/header.tsv"])
    header = Header.read(line, None)
    ledger = read_member(file, members["data/ledger.tsv"])
    receipt = read_member(file, members["receipt.tsv"])
    arrivals = read_member(file, members["data/arrivals.tsv"])
    events = read_member(file, members["data/events.json"])
    file.seek(0)
    # the buffered reader has readinto, which typeshed's BinaryIO does not promise
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    return Package(
        header=header,
        header_line=line,
        entries=[Entry.read(one, None) for one in split_lines(ledger)],
        arrivals=[Arrival.read(one, None) for one in split_lines(arrivals)],
        last_arrival_sha256=digest(split_lines(arrivals)[-1]),
        events=events,
        receipt=Receipt.read(receipt, None),
        receipt_line=receipt,
        sha256=sha256,
    )


def _fill(row: Recording, package: Package) -> None:
    header, receipt = package.header, package.receipt
    came = {what: [parse_wall(one.arrived_at) for one in package.arrivals if one.what == what] for what in _CAME}
    facts = [entry.fact for entry in package.entries]
    closing = facts[-1] if facts and isinstance(facts[-1], Closing) else None
    found = judged(package.events)
    sealed = parse_wall(receipt.sealed_at)
    row.box_id, row.header, row.continues = header.box, package.header_line, header.continues or ""
    row.created_at, row.arrived_at = parse_wall(header.created_at), came["header"][0]
    clock = wall_clock(header, package.entries)
    began = clock.moment(header.created_ns)
    began = began.replace(microsecond=began.microsecond // 1000 * 1000)
    place = listed(began, row.arrived_at, trusted=clock.trusted)
    row.listed_at, row.dated = place.at, place.dated
    if row._state.adding:
        row.room = room_at(header.box, row.created_at if header.clock.synchronized else row.arrived_at, row.arrived_at)
    row.rate, row.panel, row.lamp = header.audio.rate, header.panel, header.lamp
    row.next_arrival, row.last_arrival_sha256 = len(package.arrivals), package.last_arrival_sha256
    row.next_line, row.frames = receipt.ledger_lines, receipt.frames
    row.lost_frames = sum(one.frames for one in facts if isinstance(one, Gap))
    row.last_arrival_at = came["lines"][-1] if came["lines"] else None
    row.end_reason, row.closed_at = (closing.reason, came["lines"][-1]) if closing else ("", sealed)
    row.key_arrived, row.key_verdict = bool(came["key"]), found.key
    row.damaged_segments, row.tail_segments = found.damaged, receipt.tail
    row.outcome, row.state, row.problem = receipt.outcome, State.SEALED, ""
    row.sealing_at = row.sealed_at = sealed
    row.package_sha256, row.receipt = package.sha256, package.receipt_line


_CAME: Final = ("header", "key", "lines")
