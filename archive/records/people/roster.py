"""Rosters as districts hand them out: a plain CSV file, or OneRoster 1.1 and 1.2 CSV in a ZIP file. Pure.

Sources: 1EdTech OneRoster CSV binding 1.1 (tables 3 to 12) and 1.2 (sections 4.2 to 4.15): `orgs.csv`, `users.csv`,
`demographics.csv`, and in 1.2 `roles.csv`. Whatever else is in the ZIP file is not looked at.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal

from archive.records.errors import DeedError
from archive.records.text import line

from .models import Language, PersonKind, RightKind

Source = Literal["csv", "oneroster"]
MAX_BYTES: Final = 32 << 20
"""Largest file that is taken, and largest member of a ZIP file, in bytes; 20,000 students with parents are 6 MB."""
MAX_ROWS: Final = 200_000
"""Most rows of one table."""
MAX_LINE: Final = 500
_LONGEST: Final = {
    **dict.fromkeys(("given_name", "family_name", "parent_given_name", "parent_family_name"), 100),
    **dict.fromkeys(("givenName", "familyName"), 100),
    **dict.fromkeys(("student_id", "identifier"), 60),
    **dict.fromkeys(("parent_phone", "phone", "sms"), 40),
    **dict.fromkeys(("parent_email", "email"), 254),
    **dict.fromkeys(("parent_id", "sourcedId", "school", "name"), 200),
}
"""How long a cell can be that the tables hold (models.py): a database would refuse the whole file for one of them."""
"""Longest cell that is taken, in characters."""
REQUIRED: Final = ("student_id", "given_name", "family_name")
OPTIONAL: Final = (
    "birth_date",
    "school",
    "parent_id",
    "parent_given_name",
    "parent_family_name",
    "parent_email",
    "parent_phone",
    "parent_language",
    "relation",
)
"""Columns of a plain CSV file; a student stands in one row for each parent."""
_RELATIONS: Final = {"parent": RightKind.PARENT, "guardian": RightKind.GUARDIAN, "foster": RightKind.FOSTER}
_STAFF: Final = {"teacher", "administrator", "counselor", "aide", "proctor", "districtAdministrator", "principal"}
_FAMILY: Final = {"parent", "guardian"}


@dataclass(frozen=True)
class SchoolRow:
    """A school as a roster has it."""

    source_id: str
    name: str


@dataclass(frozen=True)
class StudentRow:
    """A student as a roster has it."""

    source_id: str
    given_name: str
    family_name: str
    local_id: str
    birth_date: date | None
    school: str
    """Source identifier of the school, or empty."""


@dataclass(frozen=True)
class PersonRow:
    """An adult as a roster has it."""

    source_id: str
    given_name: str
    family_name: str
    kind: PersonKind
    position: str
    email: str
    phone: str
    language: Language


@dataclass(frozen=True)
class RightRow:
    """A roster says that somebody is a student's parent or guardian."""

    person: str
    student: str
    kind: RightKind


@dataclass(frozen=True)
class Problem:
    """A row that was left out."""

    where: str
    """File and line."""
    words: str
    """What is wrong, and what to do."""


@dataclass
class Roster:
    """All that a roster says, each by its source identifier."""

    source: Source
    schools: dict[str, SchoolRow] = field(default_factory=dict)
    students: dict[str, StudentRow] = field(default_factory=dict)
    persons: dict[str, PersonRow] = field(default_factory=dict)
    rights: set[RightRow] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)


def read_roster(data: bytes) -> Roster:
    """Return what a file says; a row that makes no sense is a problem and costs itself alone.

    Raises DeedError for a file that is no roster at all, with the remedy.
    """
    if len(data) > MAX_BYTES:
        raise DeedError(f"The file is larger than {MAX_BYTES >> 20} MB; split it by school.", field="file")
    if data[:4] == b"PK\x03\x04":
        return _oneroster(data)
    roster = Roster("csv")
    for where, row in _rows("the file", data, REQUIRED, OPTIONAL):
        _plain(roster, where, row)
    return roster


def _plain(roster: Roster, where: str, row: Mapping[str, str]) -> None:
    try:
        cells = {name: _cell(name, row) for name in (*REQUIRED, *OPTIONAL)}
        student = cells["student_id"]
        _needed("student_id", row)
        _needed("given_name", row)
        school = cells["school"]
        made = StudentRow(
            student, cells["given_name"], cells["family_name"], student, _day(cells["birth_date"]), school
        )
        _check_equal("student_id", student, roster.students.setdefault(student, made) == made)
        if school:
            roster.schools.setdefault(school, SchoolRow(school, school))
        if cells["parent_id"]:
            _plain_parent(roster, cells)
    except ValueError as error:
        roster.problems.append(Problem(where, str(error)))


def _plain_parent(roster: Roster, cells: Mapping[str, str]) -> None:
    person = PersonRow(
        cells["parent_id"],
        cells["parent_given_name"],
        cells["parent_family_name"],
        PersonKind.FAMILY,
        "",
        cells["parent_email"],
        cells["parent_phone"],
        _language(cells["parent_language"]),
    )
    if not person.given_name:
        raise ValueError("parent_given_name must not be empty where parent_id is given")
    _check_equal("parent_id", person.source_id, roster.persons.setdefault(person.source_id, person) == person)
    relation = cells["relation"].lower() or "parent"
    if relation not in _RELATIONS:
        raise ValueError(f"relation {relation!r} is none of {', '.join(_RELATIONS)}")
    roster.rights.add(RightRow(person.source_id, cells["student_id"], _RELATIONS[relation]))


def _oneroster(data: bytes) -> Roster:
    roster = Roster("oneroster")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            tables = {name: _member(archive, name) for name in ("orgs", "users", "roles", "demographics")}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise DeedError("The ZIP file cannot be read; export it again.", field="file") from error
    users = tables["users"]
    if users is None:
        raise DeedError("The ZIP file has no users.csv, so it is no OneRoster export.", field="file")
    for where, row in _table("orgs.csv", tables["orgs"], ("sourcedId", "name")):
        with _Told(roster, where):
            if _live(row) and row.get("type", "school") in {"", "school"}:
                pk = _needed("sourcedId", row)
                roster.schools[pk] = SchoolRow(pk, _needed("name", row))
    roles: dict[str, list[tuple[str, str]]] = {}
    for where, row in _table("roles.csv", tables["roles"], ("userSourcedId", "role", "orgSourcedId")):
        with _Told(roster, where):
            if _live(row):
                roles.setdefault(_cell("userSourcedId", row), []).append((row["role"], row["orgSourcedId"]))
    born: dict[str, date | None] = {}
    for where, row in _table("demographics.csv", tables["demographics"], ("sourcedId", "birthDate")):
        with _Told(roster, where):
            if _live(row):
                born[_cell("sourcedId", row)] = _day(_cell("birthDate", row))
    agents: list[tuple[str, str]] = []
    for where, row in _table("users.csv", users, ("sourcedId", "givenName", "familyName")):
        with _Told(roster, where):
            if _live(row):
                agents += _user(roster, row, roles, born)
    for student, agent in agents:
        kind = {"parent": RightKind.PARENT, "guardian": RightKind.GUARDIAN}.get(
            next((person.position for person in [roster.persons.get(agent)] if person), "")
        )
        if kind is not None and student in roster.students:
            roster.rights.add(RightRow(agent, student, kind))
    roster.persons = {
        pk: PersonRow(
            one.source_id, one.given_name, one.family_name, one.kind,
            "" if one.kind == PersonKind.FAMILY else one.position, one.email, one.phone, one.language,
        )
        for pk, one in roster.persons.items()
    }  # fmt: skip
    return roster


def _user(
    roster: Roster, row: Mapping[str, str], roles: Mapping[str, list[tuple[str, str]]], born: Mapping[str, date | None]
) -> list[tuple[str, str]]:
    """Enter one user, and return the pairs of student and agent that the row names."""
    pk, given, family = _needed("sourcedId", row), _needed("givenName", row), _cell("familyName", row)
    played = roles.get(pk) or [(row.get("role", ""), org) for org in _list(row.get("orgSourcedIds", "")) or [""]]
    names = {role for role, _ in played}
    if "student" in names:
        school = next((org for _, org in played if org in roster.schools), "")
        number = _cell("identifier", row)
        roster.students[pk] = StudentRow(pk, given, family, number, born.get(pk), school)
        return [(pk, agent) for agent in _list(row.get("agentSourcedIds", ""))]
    if names & (_FAMILY | _STAFF):
        family_role = next(iter(sorted(names & _FAMILY)), "")
        kind = PersonKind.FAMILY if family_role else PersonKind.STAFF
        position = family_role or next(iter(sorted(names & _STAFF)))
        phone = _cell("phone", row) or _cell("sms", row)
        roster.persons[pk] = PersonRow(pk, given, family, kind, position, _cell("email", row), phone, Language.ENGLISH)
    return []


class _Told:
    """Turns a row that makes no sense into a problem of the roster."""

    def __init__(self, roster: Roster, where: str) -> None:
        self._roster, self._where = roster, where

    def __enter__(self) -> None:
        pass

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> bool:
        if isinstance(error, ValueError):
            self._roster.problems.append(Problem(self._where, str(error)))
            return True
        return False


def _member(archive: zipfile.ZipFile, table: str) -> bytes | None:
    """Return a member by its file name, in whatever folder it lies; raise DeedError for one that is too large."""
    for info in archive.infolist():
        if info.filename.rpartition("/")[2].lower() == f"{table}.csv":
            with archive.open(info) as file:
                data = file.read(MAX_BYTES + 1)
            if len(data) > MAX_BYTES:
                raise DeedError(f"{table}.csv is larger than {MAX_BYTES >> 20} MB.", field="file")
            return data
    return None


def _table(name: str, data: bytes | None, required: tuple[str, ...]) -> Iterator[tuple[str, dict[str, str]]]:
    return _rows(name, data, required, None) if data is not None else iter(())


def _rows(
    name: str, data: bytes, required: tuple[str, ...], optional: tuple[str, ...] | None
) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each row with its place; `optional` None takes whatever columns there are."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where = data.count(b"\n", 0, error.start) + 1
        raise DeedError(
            f"{name}, line {where}: this is not UTF-8. Save it again as 'CSV UTF-8'.", field="file"
        ) from error
    if "\0" in text:
        raise DeedError(f"{name} holds bytes that are no text; it is no CSV file.", field="file")
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="", restval="")
    try:
        header = [column.strip() for column in reader.fieldnames or []]
        reader.fieldnames = header
        missing = [column for column in required if column not in header]
        unknown = [column for column in header if optional is not None and column not in {*required, *optional}]
        if missing or unknown:
            wrong = f"has no column {missing[0]!r}" if missing else f"has a column {unknown[0]!r} that nobody knows"
            known = ", ".join((*required, *(optional or ())))
            raise DeedError(f"{name} {wrong}. Its first line must name: {known}.", field="file")
        for number, row in enumerate(reader):
            if number >= MAX_ROWS:
                raise DeedError(f"{name} has more than {MAX_ROWS} rows; split it.", field="file")
            yield f"{name}, line {reader.line_num}", {key: value or "" for key, value in row.items() if key}
    except csv.Error as error:
        raise DeedError(f"{name}, line {reader.line_num}: {error}; it is no CSV file.", field="file") from error


def _cell(name: str, row: Mapping[str, str]) -> str:
    text = row.get(name, "")
    most = _LONGEST.get(name, MAX_LINE)
    if len(text) > most:
        raise ValueError(f"{name} is longer than {most} characters")
    try:
        cleaned = line(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    return cleaned[1:] if cleaned[:2] in {"'=", "'+", "'-", "'@"} else cleaned


def _needed(name: str, row: Mapping[str, str]) -> str:
    cell = _cell(name, row)
    if not cell:
        raise ValueError(f"{name} must not be empty")
    return cell


def _check_equal(name: str, pk: str, equal: bool) -> None:
    if not equal:
        raise ValueError(f"{name} {pk!r} stands in another row with other data; make them equal")


def _list(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _live(row: Mapping[str, str]) -> bool:
    return row.get("status", "") != "tobedeleted"


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no date; write it as 2010-05-31") from None
    if not date(1900, 1, 1) <= day <= date(2100, 1, 1):
        raise ValueError(f"{text!r} is no birth date of a student")
    return day


def _language(text: str) -> Language:
    known = {"": Language.ENGLISH, "en": Language.ENGLISH, "english": Language.ENGLISH}
    known |= {"es": Language.SPANISH, "spanish": Language.SPANISH, "español": Language.SPANISH}
    if text.lower() not in known:
        raise ValueError(f"parent_language {text!r} is neither en nor es; leave it empty and correct it here")
    return known[text.lower()]
