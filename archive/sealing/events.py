"""What `events.json` tells: named after PREMIS 3 event types (docs/format.md section 5.2). Pure."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass

AGENT = "Plain Sight archive"
NEVER_CAME = "never came"


@dataclass(frozen=True)
class Event:
    """One event."""

    event: str
    """PREMIS event type."""
    at: str
    """When (docs/format.md section 1.4)."""
    agent: str
    """Who did it: the archive, or a box by its identifier."""
    outcome: str
    """`success`, or `failure` where something was found wrong."""
    detail: str
    """What was done or found, in words."""


@dataclass(frozen=True)
class Story:
    """What the events are made of."""

    box: str
    arrived_at: str
    closed_at: str
    sealed_at: str
    outcome: str
    segments: int
    tail: int
    key_verdict: str
    verdicts: dict[str, str]
    """Segments (`segment 3`, `tail 5`) that were judged to be anything but `ok`, and how."""
    absent: int = 0
    """Segments that the closing record lists as unverified tail and that never came."""


def events(story: Story) -> list[Event]:
    """Return the events in order."""
    ends = {
        "complete": "the box's closing record arrived",
        "interrupted": "the box's closing record arrived; a crash or a power cut had ended the recording",
        "incomplete": "no closing record came; the archive's staff ended the wait",
    }
    closed = ends[story.outcome]
    if story.absent:
        closed += f"; {story.absent} segments of its unverified tail never came, and the archive's staff ended the wait"
    count = f"{story.segments} segments, {story.tail} of an unverified tail"
    bad = [f"{name}: {verdict or 'not judged'}" for name, verdict in story.verdicts.items()]
    if story.key_verdict != "ok":
        bad.insert(0, f"key: {story.key_verdict or NEVER_CAME}")
    judged = f"each segment was opened and decoded in memory; {'; '.join(bad) or 'all hold what the ledger says'}"
    return [
        Event("ingestion start", story.arrived_at, story.box, "success", "the header arrived"),
        Event("ingestion end", story.closed_at, story.box, "success", closed),
        Event("fixity check", story.sealed_at, AGENT, "success", f"sizes and digests of {count} fit the signed ledger"),
        Event("validation", story.sealed_at, AGENT, "failure" if bad else "success", judged),
        Event("sealing", story.sealed_at, AGENT, "success", "written as one package; the receipt names its manifest"),
    ]


@dataclass(frozen=True)
class Judged:
    """What the archive found when the recording arrived."""

    damaged: int
    """Segments that could not be opened or decoded."""
    key: str
    """`ok`, the code of what is wrong with the key, or empty if it never came."""


def judged(data: bytes) -> Judged:
    """Read back from `events.json` what `events` put into it."""
    detail = next((one["detail"] for one in json.loads(data) if one["event"] == "validation"), "")
    key = re.search(rf"[;] key: ({NEVER_CAME}|[a-z-]+)", detail)
    word = "ok" if key is None else key[1]
    return Judged(len(re.findall(r"[;] segment [0-9]+: ", detail)), "" if word == NEVER_CAME else word)


def as_json(story: Story) -> bytes:
    """Return the bytes of `events.json`."""
    return json.dumps([asdict(event) for event in events(story)], ensure_ascii=True, indent=1).encode("ascii") + b"\n"
