"""A recording that no box made, and that another archive sealed: its row, made from its package, which was verified."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from datetime import date, time
from typing import Annotated, BinaryIO

from django.utils import timezone
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from appliance.contract.encryption import Identity
from appliance.contract.errors import FormatError
from appliance.contract.outside_package import STATEMENT, piece_name, pieces
from appliance.contract.problems import explain
from appliance.contract.signed import digest, parse_json
from appliance.contract.times import parse_wall
from appliance.contract.verification.outside import open_outside
from archive.core.deeds import one_deed
from archive.core.jobs import still_working
from archive.custody.actors import Actor, Subject
from archive.custody.log import Detail, record
from archive.records.text import FIRST_YEAR, LAST_YEAR, line, lines
from archive.store.base import BUFFER, open_object
from archive.store.current import store

from .custody_kinds import TAKEN_OVER
from .media import examine
from .models import Origin, OutsideRecording, State
from .plain_file import Place, PlainFile, outside_package, packed
from .reach import check_kept
from .rules import Statement


def _of_text(said: object) -> str:
    if not isinstance(said, str):
        raise ValueError("it is no text")  # noqa: TRY004 - pydantic takes a ValueError for a member that is wrong
    return said


def _day(said: object) -> date:
    day = date.fromisoformat(_of_text(said))
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"it is not between {FIRST_YEAR} and {LAST_YEAR}")
    return day


def _hour(said: object) -> time | None:
    if said == "None":
        return None
    hour = time.fromisoformat(_of_text(said))
    if hour.tzinfo is not None:
        raise ValueError("it names a zone; it is an hour of the site")
    return hour


_Line = Annotated[str, StringConstraints(max_length=200), AfterValidator(line)]
_Lines = Annotated[str, StringConstraints(max_length=4000), AfterValidator(lines)]


class _Said(BaseModel):
    """The statement in a package, as another archive wrote it: no form of this one looked at it before."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    origin: Annotated[Origin, BeforeValidator(lambda said: Origin(_of_text(said)))]
    made_on: Annotated[date, BeforeValidator(_day)]
    made_at: Annotated[time | None, BeforeValidator(_hour)]
    place: _Line
    made_by: _Line
    made_with: _Line
    since: _Lines
    brought_by: _Line
    brought_on: Annotated[date, BeforeValidator(_day)]


class _InPackage(PlainFile):
    """The file, read from a package that lies in no store yet."""

    def __init__(self, file: BinaryIO, places: list[Place], secret: Identity, size: int) -> None:
        super().__init__(places, secret, size)
        self._file = file

    def _piece(self, number: int) -> bytes:
        place = self._places[number]
        self._file.seek(place.offset)
        return self._secret.decrypt(self._file.read(place.size))


def read_package(file: BinaryIO, secret: Identity, sealed_by: str) -> OutsideRecording:
    """Return the row, not saved, of a package that was verified; `sealed_by` names the district whose archive it was.

    Raises FormatError where what was said about it is not of the form that this archive knows, NotSoundError where the
    file is no sound alone.
    """
    bag, receipt = open_outside(file)
    places = []
    for number in range(pieces(receipt.size)):
        still_working()
        member = bag.members[f"{bag.recording}/{piece_name(number)}"]
        sha256 = digest(bag.read(piece_name(number)))
        places.append(Place(outside_package(bag.recording), member.offset, member.size, sha256))
    found = examine(io.BufferedReader(_InPackage(file, places, secret, receipt.size)))
    if found.type.value != receipt.media_type:
        raise FormatError(f"its receipt calls it {receipt.media_type}, and its bytes are {found.type.value}")
    statement, sealed = bag.read(STATEMENT), parse_wall(receipt.sealed_at)
    return OutsideRecording(
        id=receipt.recording,
        **vars(read_statement(secret.decrypt(statement))),
        begun_at=sealed,
        sealed_by=sealed_by,
        state=State.SEALED,
        size=receipt.size,
        received=receipt.size,
        media_type=receipt.media_type,
        seconds=found.seconds,
        statement=statement,
        arrived_at=timezone.now(),
        sealing_at=sealed,
        sealed_at=sealed,
        sha256=receipt.sha256,
        index=packed(places),
        receipt=bag.read("receipt.tsv"),
    )


def take_over(
    row: OutsideRecording, actor: Actor, beside: Callable[[OutsideRecording], None], **detail: Detail
) -> OutsideRecording:
    """Keep a row of `read_package` once its package lies in the store; `beside` keeps what goes with it.

    The same again changes nothing. Raises DestroyedError for one that was destroyed here.
    """
    name, whole = outside_package(row.pk), hashlib.sha256()
    with open_object(store(), name) as file:
        while data := file.read(BUFFER):
            still_working()
            whole.update(data)
    row.package_sha256, row.package_size = whole.hexdigest(), store().size(name)
    with one_deed():
        there = OutsideRecording.objects.select_for_update().filter(pk=row.pk).first()
        if there is not None:
            check_kept(there)
            return there
        digests = {"sha256": row.sha256, "package_sha256": row.package_sha256}
        record(TAKEN_OVER, actor=actor, subject=Subject.outside(row.pk), **digests, **detail)
        row.save(force_insert=True)
        beside(row)
    return row


def read_statement(data: bytes) -> Statement:
    """Return what another archive's package says about a recording; raise FormatError that names what is wrong."""
    try:
        return Statement(**dict(_Said.model_validate(parse_json(data))))
    except ValidationError as error:
        raise FormatError(f"{STATEMENT} is not what an archive writes: {explain(error)}") from error
    except FormatError as error:
        raise FormatError(f"{STATEMENT} is not what an archive writes: {error.message}") from error
