"""What the layers above know about a recording, for its page: recordings itself knows of no meeting and no request.

Whoever knows something registers a provider when its app is ready (`provide`). A provider says only what this reader
may see; it is asked once a page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from archive.access.decisions import may_each
from archive.access.deeds import OF_NOTHING, Deed
from archive.accounts.models import User
from archive.custody.actors import Subject

from .models import Recording


@dataclass(frozen=True)
class Note:
    """Something that was noted at a place of the recording: a line of the opening, a log note."""

    offset: float
    """Its place, in seconds from the start of the audio."""
    text: str
    """What was noted, as it is shown."""


@dataclass(frozen=True)
class Section:
    """A part of the page with its own heading, between what happened and what can be done."""

    heading: str
    """Its heading."""
    template: str
    """Name of the template that shows it; it gets `section`, and nothing else of its provider's."""
    context: Mapping[str, Any] = field(default_factory=dict)
    """What that template shows, as `section.context`."""


@dataclass(frozen=True)
class Action:
    """Something that can be done with the recording on a page of its own."""

    label: str
    """The words of its link: what is done."""
    address: str
    """Where; only one that opens for this reader."""
    written: str
    """One sentence: what it does, and what will be written down."""


@dataclass(frozen=True)
class Contribution:
    """What one provider adds."""

    title: str = ""
    """What kind of meeting it was ("IEP meeting"); empty where that is not known or not for this reader."""
    notes: tuple[Note, ...] = ()
    """Notes, in any order."""
    beside_player: tuple[Action, ...] = ()
    """What stands under the player, for whoever may listen."""
    sections: tuple[Section, ...] = ()
    """Sections, in their order."""
    actions: tuple[Action, ...] = ()
    """Actions, in their order."""


@dataclass(frozen=True)
class Reader:
    """Who reads a recording's page, and what they may do to it: decided once for the whole page."""

    user: User
    deeds: frozenset[Deed]
    """What access.may lets the user do to this recording."""

    @classmethod
    def of(cls, user: User, subject: Subject) -> Reader:
        """Return what `user` is as a reader of the page of this recording, a box's or one that was brought."""
        asked = [deed for deed in Deed if deed not in OF_NOTHING]
        found = may_each(user, asked, subject)
        return cls(user, frozenset(deed for deed, allowed in found.items() if allowed))

    def may(self, deed: Deed) -> bool:
        """Tell whether the reader may do `deed` to the recording."""
        return deed in self.deeds


Provider = Callable[[Recording, Reader], Contribution]
_PROVIDERS: Final[list[Provider]] = []


def provide(provider: Provider) -> None:
    """Let `provider` add to the page of each recording; the order of registration is the order on the page."""
    _PROVIDERS.append(provider)


def contributed(recording: Recording, reader: Reader) -> Contribution:
    """Return what all providers add for `reader`."""
    return joined([provider(recording, reader) for provider in _PROVIDERS])


def joined(given: Sequence[Contribution]) -> Contribution:
    """Return contributions as one; the first title counts."""
    return Contribution(
        title=next((one.title for one in given if one.title), ""),
        notes=tuple(sorted((note for one in given for note in one.notes), key=lambda note: note.offset)),
        beside_player=tuple(action for one in given for action in one.beside_player),
        sections=tuple(section for one in given for section in one.sections),
        actions=tuple(action for one in given for action in one.actions),
    )
