"""The archive's log of what arrived: a ledger that the box cuts and signs again no longer fits it."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.contract.errors import DigestError, FormatError, OrderError, SignatureError
from appliance.contract.receipt import Arrival, Receipt
from appliance.contract.signed import digest, split_lines

from .bag import Bag
from .evidence import Evidence


@dataclass
class _Log:
    """The log so far, against what is here."""

    ledger: list[bytes]
    awaited: list[tuple[str, str]]
    """What must arrive once each, and its digest."""
    whole: str
    """Digest of the ledger, which the seal names."""
    lines: int = 0
    """Ledger lines that had arrived."""
    sealed: bool = False

    def accept(self, arrival: Arrival) -> bool:
        """Tell whether the next arrival is something that is here."""
        if self.sealed:
            return False
        if arrival.what == "lines":
            run = b"".join(self.ledger[self.lines : self.lines + arrival.lines])
            fits = bool(run) and arrival.first_line == self.lines and digest(run) == arrival.sha256
            self.lines += arrival.lines
            return fits
        if (arrival.first_line, arrival.lines) != (0, 0):
            return False
        if arrival.what == "seal":
            self.sealed = True
            return arrival.sha256 == self.whole
        item = (arrival.what, arrival.sha256)
        if item not in self.awaited:
            return False
        self.awaited.remove(item)
        return True


def check_arrivals(bag: Bag, evidence: Evidence, receipt: Receipt) -> str:
    """Check the log against what is here; return what was checked."""
    data = bag.read("data/arrivals.tsv")
    lines = split_lines(data)
    if b"".join(lines) != data:
        raise FormatError("data/arrivals.tsv: the last line is cut off")
    awaited = [("header", digest(evidence.header_line)), ("key", evidence.header.key_sha256)]
    awaited += [("tail", part.sha256) for part in evidence.tail]
    log = _Log(split_lines(evidence.ledger), awaited, digest(evidence.ledger))
    prev = digest(evidence.header_line)
    for number, line in enumerate(lines):
        place = f"data/arrivals.tsv line {number}"
        try:
            arrival = Arrival.read(line, receipt.archive_key)
        except (FormatError, SignatureError) as error:
            raise type(error)(f"{place}: {error.message}") from error
        if (arrival.n, arrival.prev, arrival.recording) != (number, prev, evidence.header.recording):
            raise OrderError(f"{place}: it does not follow on the line before it")
        if not log.accept(arrival):
            raise DigestError(f"{place}: the {arrival.what} that had arrived is not what is here")
        prev = digest(line)
    if not log.sealed:
        raise OrderError("data/arrivals.tsv: the log does not end with its seal")
    if log.lines != len(log.ledger):
        raise OrderError(f"data/arrivals.tsv: {len(log.ledger) - log.lines} ledger lines never arrived")
    # a box that was lost early may never have sent its key
    missing = [what for what, _ in log.awaited if what != "key"]
    if missing:
        raise OrderError(f"data/arrivals.tsv: the {missing[0]} that is here never arrived")
    return f"{len(lines)} arrivals are signed by the archive and are exactly what is here"
