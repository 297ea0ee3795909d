"""Which parts of a recording are restricted, and for whom."""

from __future__ import annotations

from uuid import UUID

from archive.access.decisions import may
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.custody.actors import Subject
from archive.recordings.parts import Part, Parts

from .models import Restriction
from .rules import outside

_HEARD = frozenset({Deed.LISTEN, Deed.DOWNLOAD, Deed.REDACT})


def restricted(recording: str) -> list[Part]:
    """Return the passages that are restricted now."""
    rows = Restriction.objects.filter(recording=recording, lifted_at=None)
    return [Part(one.first_frame, one.last_frame) for one in rows]


def unrestricted(recording: str) -> Parts | None:
    """Return what of a recording is not restricted; None means all of it."""
    passages = restricted(recording)
    return outside(passages) if passages else None


def unrestricted_about(_student: UUID, recording: str) -> Parts | None:
    """Return what parents hear of a recording of whatever student: nothing that is restricted."""
    return unrestricted(recording)


def unrestricted_for(user: User, deed: Deed, recording: str) -> Parts | None:
    """Return the parts that somebody hears who may not hear restricted passages; None means no bound."""
    parts = unrestricted(recording) if deed in _HEARD else None
    if parts is None or may(user, Deed.RESTRICT, Subject.recording(recording)).allowed:
        return None
    return parts
