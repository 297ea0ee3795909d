"""A recording's ledger, wherever it lies: in the database until the seal, in the package afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from appliance.contract.errors import DigestError, FormatError
from appliance.contract.ledger import Entry
from appliance.contract.package import PAYLOAD, TAG_FILES
from appliance.contract.receipt import Receipt
from appliance.contract.signed import split_lines
from appliance.contract.zip_profile import leading_members, read_member
from archive.store.base import open_object
from archive.store.current import store

from .models import Recording, State, StoredArrival


def ledger_lines(recording: Recording, first: int = 0) -> list[bytes]:
    """Return the ledger lines from number `first` on, LF included."""
    if recording.state != State.SEALED:
        return lines_from(recording, first)
    return split_lines(package_member(recording, "data/ledger.tsv"))[first:]


def arrival_lines(recording: Recording) -> list[bytes]:
    """Return the lines of the arrival log."""
    if recording.state != State.SEALED:
        return [bytes(row.line) for row in recording.arrivals.order_by("n")]
    return split_lines(package_member(recording, "data/arrivals.tsv"))


def package_member(recording: Recording, path: str) -> bytes:
    """Return one file of the sealed package that stands before the segments; raise FormatError if it is damaged."""
    with open_object(store(), recording.package) as file:
        for member in leading_members(file, len(TAG_FILES) + len(PAYLOAD)):
            if member.name == f"{recording.id}/{path}":
                return read_member(file, member)
    raise FormatError(f"{path} is not where the format puts it in the package of {recording.id}")


def sealed_facts(recording: Recording, kinds: tuple[str, ...]) -> Iterator[Entry]:
    """Yield the ledger entries of some kinds of a sealed recording; a line of the ledger is in memory at a time.

    Raises FormatError at the end if the ledger is not the one that the receipt names.
    """
    # to read each of 60,000 lines takes longer than to hash them
    wanted, sha256 = [f'"{kind}"'.encode("ascii") for kind in kinds], hashlib.sha256()
    feed = sha256.update
    with open_object(store(), recording.package) as file:
        members = leading_members(file, len(TAG_FILES) + len(PAYLOAD))
        ledger = members[[*TAG_FILES, *PAYLOAD].index("data/ledger.tsv")]
        file.seek(ledger.offset)
        left = ledger.size
        while left > 0 and (line := file.readline(left)):
            left -= len(line)
            feed(line)
            if any(one in line for one in wanted):
                entry = Entry.read(line, None)
                if entry.fact.kind in kinds:
                    yield entry
    if sha256.hexdigest() != Receipt.read(bytes(recording.receipt or b""), None).ledger_sha256:
        raise DigestError(f"the ledger in the package of {recording.pk} is not the one that the receipt names")


def lines_from(recording: Recording, first: int) -> list[bytes]:
    """Return the stored ledger lines from number `first` on."""
    if first >= recording.next_line:
        return []
    batches = StoredArrival.objects.filter(recording=recording, first_line__isnull=False).order_by("first_line")
    start = batches.filter(first_line__lte=first).values_list("first_line", flat=True).last()
    if start is None:
        return []
    data = b"".join(bytes(row) for row in batches.filter(first_line__gte=start).values_list("ledger", flat=True))
    return split_lines(data)[first - start :]
