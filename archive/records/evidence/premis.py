"""The recording's life as PREMIS 3.0: objects, events, agents (Library of Congress, schema of January 2016). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

NAMESPACE: Final = "http://www.loc.gov/premis/v3"
EVENT_TYPES: Final = {
    "seal": "information package creation",
    "verify": "fixity check",
    "download-package": "dissemination",
    "download-flac": "dissemination",
    "evidence": "dissemination",
    "disclosed": "dissemination",
    "export": "exporting",
    "filed": "metadata modification",
    "filing-ended": "metadata modification",
    "statement": "metadata modification",
    "transferred-in": "transfer",
    "outside-arrived": "ingestion end",
    "outside-sealed": "information package creation",
    "outside-checked": "fixity check",
    "outside-transferred-in": "transfer",
    "download-outside": "dissemination",
}
"""Kinds of custody entries that PREMIS has an event type for (id.loc.gov/vocabulary/preservation/eventType)."""
_HEAD: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<premis xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="3.0">\n'
)


@dataclass(frozen=True)
class FileObject:
    """A file that the events are about."""

    name: str
    """Its place in the package."""
    media_type: str
    size: int
    """In bytes; 0 where it is not known yet."""
    sha256: str
    """Empty where it is not known yet; the package's manifests have it."""


@dataclass(frozen=True)
class Event:
    """Something that happened."""

    identifier: str
    """Unique in the document."""
    type: str
    at: str
    """docs/format.md section 1.4."""
    detail: str
    outcome: str
    """Empty: none is known."""
    agent: str
    """Identifier of who did it."""


def document(
    files: Iterable[FileObject], events: Iterable[Event], agents: Iterable[tuple[str, str, str]]
) -> Iterator[bytes]:
    """Yield the document; `agents` are identifier, name and type of each who stands in an event."""
    files = list(files)
    yield _HEAD.encode()
    for one in files:
        yield _object(one).encode()
    for event in events:
        yield _event(event, files[0].name).encode()
    for identifier, name, kind in agents:
        yield (
            f"<agent>{_identifier('agent', identifier)}{_text('agentName', name)}{_text('agentType', kind)}</agent>\n"
        ).encode()
    yield b"</premis>\n"


def _object(one: FileObject) -> str:
    fixity = _text("messageDigestAlgorithm", "SHA-256") + _text("messageDigest", one.sha256)
    return (
        f"<object xsi:type={quoteattr('file')}>{_identifier('object', one.name)}<objectCharacteristics>"
        + (f"<fixity>{fixity}</fixity>" if one.sha256 else "")
        + (_text("size", str(one.size)) if one.size else "")
        + f"<format><formatDesignation>{_text('formatName', one.media_type)}</formatDesignation></format>"
        + f"</objectCharacteristics>{_text('originalName', one.name)}</object>\n"
    )


def _event(event: Event, about: str) -> str:
    outcome = _text("eventOutcome", event.outcome)
    return (
        f"<event>{_identifier('event', event.identifier)}{_text('eventType', event.type)}"
        + _text("eventDateTime", event.at)
        + f"<eventDetailInformation>{_text('eventDetail', event.detail)}</eventDetailInformation>"
        + (f"<eventOutcomeInformation>{outcome}</eventOutcomeInformation>" if event.outcome else "")
        + f"{_identifier('linkingAgent', event.agent)}{_identifier('linkingObject', about)}</event>\n"
    )


def _identifier(of: str, value: str) -> str:
    kind, text = _text(f"{of}IdentifierType", "local"), _text(f"{of}IdentifierValue", value)
    return f"<{of}Identifier>{kind}{text}</{of}Identifier>"


def _text(name: str, value: str) -> str:
    # what XML cannot hold is never shown as something else
    kept = "".join(one if one >= " " or one in "\t\n" else " " for one in value)
    return f"<{name}>{escape(kept)}</{name}>"
