"""When something happened by the wall clock: the box's own clock is believed only where something kept it right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from appliance.contract import ledger
from appliance.contract.header import Header
from appliance.contract.times import parse_wall


@dataclass(frozen=True)
class WallClock:
    """One pair of a wall-clock time and CLOCK_MONOTONIC, from which other moments are counted."""

    at: datetime
    """The wall-clock time, UTC."""
    at_ns: int
    """CLOCK_MONOTONIC at the same moment, in nanoseconds."""
    trusted: bool
    """Whether the box's clock was synchronized at that moment."""

    def moment(self, t_ns: int) -> datetime:
        """Return the wall-clock time of a moment of CLOCK_MONOTONIC; one outside the calendar is that of the pair."""
        try:
            return self.at + timedelta(microseconds=(t_ns - self.at_ns) // 1000)
        except OverflowError:
            return self.at


def wall_clock(header: Header, entries: Sequence[ledger.Entry]) -> WallClock:
    """Return the first pair that can be trusted, of the header and of the ledger's clock entries; else the header's.

    A box that boots in 1970 and is synchronized in mid-meeting is so dated by the later, right pair.
    """
    pairs = [WallClock(_parse(header.created_at), header.created_ns, header.clock.synchronized)]
    pairs += [
        WallClock(_parse(entry.fact.at), entry.fact.t_ns, entry.fact.clock.synchronized)
        for entry in entries
        if isinstance(entry.fact, ledger.ClockChange)
    ]
    return next((pair for pair in pairs if pair.trusted), pairs[0])


def _parse(text: str) -> datetime:
    return parse_wall(text).replace(tzinfo=UTC)
