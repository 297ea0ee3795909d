"""Who did something, and to what: a type and an opaque identifier, because what is hashed can never be erased."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import models


class ActorType(models.TextChoices):
    """Who can do something."""

    USER = "user", "a user of the pages"
    BOX = "box", "a box, proved by its signature"
    ARCHIVE = "archive", "one of the archive's own processes"
    OPERATOR = "operator", "a person at the archive's host"
    NETWORK = "network", "somebody on the network who proved nothing"


class SubjectType(models.TextChoices):
    """What something can be done to."""

    NONE = "", "nothing in particular"
    RECORDING = "recording", "a recording"
    BOX = "box", "a box"
    USER = "user", "a user's account"
    STUDENT = "student", "a student"
    PERSON = "person", "a person who holds rights over a student's records, or staff"
    MEETING = "meeting", "a meeting"
    CASE = "case", "an access request or an amendment"
    LETTER = "letter", "a letter, or the text of letters"
    MATTER = "matter", "a matter that holds recordings"
    SERIES = "series", "a record series"
    DESTRUCTION = "destruction", "the destruction of a recording"
    DISCLOSURE = "disclosure", "the disclosure of a recording"
    OUTSIDE = "outside", "a recording that no box made"


@dataclass(frozen=True)
class Actor:
    """Who did something."""

    type: ActorType
    id: str = ""
    """UUID of a user, identifier of a box, numeric user id of an operator; else empty."""

    @classmethod
    def user(cls, pk: UUID) -> Actor:
        """Return the actor that a signed-in user is."""
        return cls(ActorType.USER, str(pk))

    @classmethod
    def box(cls, box: str) -> Actor:
        """Return the actor that a box is."""
        return cls(ActorType.BOX, box)

    @classmethod
    def operator(cls) -> Actor:
        """Return whoever runs this command: by the number of the system's account, since its name is a person's."""
        uid = os.environ.get("SUDO_UID", "")
        return cls(ActorType.OPERATOR, uid if uid.isdecimal() else str(os.getuid()))


ARCHIVE: Final = Actor(ActorType.ARCHIVE)
NETWORK: Final = Actor(ActorType.NETWORK)


@dataclass(frozen=True)
class Subject:
    """What something was done to."""

    type: SubjectType
    id: str = ""

    @classmethod
    def recording(cls, recording: str) -> Subject:
        """Return a recording as a subject."""
        return cls(SubjectType.RECORDING, recording)

    @classmethod
    def box(cls, box: str) -> Subject:
        """Return a box as a subject."""
        return cls(SubjectType.BOX, box)

    @classmethod
    def user(cls, pk: UUID) -> Subject:
        """Return a user's account as a subject."""
        return cls(SubjectType.USER, str(pk))

    @classmethod
    def student(cls, pk: UUID) -> Subject:
        """Return a student as a subject."""
        return cls(SubjectType.STUDENT, str(pk))

    @classmethod
    def person(cls, pk: UUID) -> Subject:
        """Return a person as a subject."""
        return cls(SubjectType.PERSON, str(pk))

    @classmethod
    def meeting(cls, pk: UUID) -> Subject:
        """Return a meeting as a subject."""
        return cls(SubjectType.MEETING, str(pk))

    @classmethod
    def case(cls, pk: UUID) -> Subject:
        """Return an access request or an amendment as a subject."""
        return cls(SubjectType.CASE, str(pk))

    @classmethod
    def letter(cls, pk: UUID) -> Subject:
        """Return a letter, or the text of letters, as a subject."""
        return cls(SubjectType.LETTER, str(pk))

    @classmethod
    def matter(cls, pk: UUID) -> Subject:
        """Return a matter that holds recordings as a subject."""
        return cls(SubjectType.MATTER, str(pk))

    @classmethod
    def series(cls, pk: UUID) -> Subject:
        """Return a record series as a subject."""
        return cls(SubjectType.SERIES, str(pk))

    @classmethod
    def destruction(cls, pk: UUID) -> Subject:
        """Return the destruction of a recording as a subject."""
        return cls(SubjectType.DESTRUCTION, str(pk))

    @classmethod
    def disclosure(cls, pk: UUID) -> Subject:
        """Return the disclosure of a recording as a subject."""
        return cls(SubjectType.DISCLOSURE, str(pk))

    @classmethod
    def outside(cls, recording: str) -> Subject:
        """Return a recording that no box made as a subject."""
        return cls(SubjectType.OUTSIDE, recording)


NOTHING: Final = Subject(SubjectType.NONE)
