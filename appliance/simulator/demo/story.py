"""One meeting from end to end, by the people who hold it: each step is forms, pages, the button, and nothing else."""

from __future__ import annotations

import io
import json
import re
import secrets
import time
import zipfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from appliance.contract.errors import PlainSightError

from .district import ROOM
from .lived_in import ROSTER, approve_texts, import_roster
from .meeting import HOLD_S
from .services import DemoError
from .story_outside import WithoutBox
from .story_record import ID, STATEMENT_FILE
from .visitor import Page, Visitor

LENGTH_S: Final = 120.0
"""Length of what is spoken for the meeting, in seconds; then it begins again."""
LEAST_S: Final = 8.0
"""So much of the meeting is in the archive before its end is announced, in seconds."""
STATEMENT: Final = "I asked for one hour of speech therapy, and not for half an hour."
PURPOSE: Final = "Teaches reading to Ana Torres"
_HEX: Final = "[0-9a-f]{32}"


@dataclass(frozen=True)
class Step:
    """One step of the story as it went."""

    name: str
    ok: bool
    seconds: float
    """How long it took."""
    why: str = ""
    """What went wrong; empty if nothing did."""

    def as_json(self) -> dict[str, object]:
        """Return what `--json` prints of it."""
        found: dict[str, object] = {"name": self.name, "ok": self.ok, "seconds": self.seconds}
        return found | ({"why": self.why} if self.why else {})


@dataclass(frozen=True)
class Card:
    """What rooms.json says of the room."""

    ready: bool
    """Whether a press would record."""
    recording: str | None
    """Identifier of the running recording."""
    archived_s: float
    """So much of it is in the archive, in seconds."""


class Story(WithoutBox):
    """The course of the story in a running district."""

    @property
    def steps(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        """Every step in order, each with the name that `--json` gives it."""
        return [
            ("people sign in", self._sign_in),
            ("roster imported", self._import_roster),
            ("roster imported again changes nothing", self._import_again),
            ("texts of letters approved", self._approve_texts),
            ("meeting planned", self._plan),
            ("notice logged", self._log_notice),
            ("acknowledgment printed in English and Spanish", self._print_letters),
            ("box records after the button", self._begin_recording),
            ("opening read while the box records", self._read_opening),
            ("notes have their place in the recording", self._note),
            ("end announced and the button held", self._end),
            ("room and time propose the filing", self._find_proposal),
            ("filing by two persons", self._file),
            ("who may not is refused", self._refuse),
            ("access granted", self._grant),
            ("who may listens", self._listen),
            ("parent's request entered", self._request),
            ("parent listens by link and code", self._parent_listens),
            ("copy handed out and intact", self._copy),
            ("record of access tells who listened and who was refused", self._read_record),
            ("amendment refused, heard and refused, statement placed", self._amend),
            ("statement travels with every copy", self._copy_with_statement),
            ("request answered", self._answer),
            ("meeting without a copy: incident entered, letter to the parent printed", self._enter_incident),
            ("what a spare recorder made is taken in, sealed, and filed by two", self._take_in),
            ("disclosure refused while consents are missing", self._disclose_in_vain),
            ("consents entered, copy taken out, receipt printed", self._disclose),
            ("redacted copy signed off by a second listener, and handed out", self._redact),
            ("evidence package made, and verified offline", self._evidence),
            ("counsel's answer entered for the record series", self._enter_answer),
            ("hold stops a destruction", self._hold),
            ("destruction proposed, parent told, answer kept", self._propose_destruction),
            ("destruction approved by a second person, and its day of rest kept", self._approve_destruction),
            ("backup restored into an empty folder and verified", self._restore),
            ("one tampered entry of the custody log is found and named", self._tamper),
            ("archive exported in open formats, and taken in again", self._leave),
            ("a day later destroyed by two, certificate printed", self._destroy),
            ("weeks later an old backup opens nothing", self._open_old_backup),
        ]

    async def tell(self) -> list[Step]:
        """Tell the story and return its steps; after one that fails, the rest are not tried, and so not ok."""
        told: list[Step] = []
        for name, act in self.steps:
            began = time.monotonic()
            if told and not told[-1].ok:
                told.append(Step(name, ok=False, seconds=0.0, why="not tried, since a step before it failed"))
                continue
            try:
                await act()
            except PlainSightError as error:
                why = self._district.broken() or error.message
                told.append(Step(name, ok=False, seconds=round(time.monotonic() - began, 3), why=why))
                self._tell(f"NOT ok: {name}: {why}")
            else:
                told.append(Step(name, ok=True, seconds=round(time.monotonic() - began, 3)))
                self._tell(f"ok: {name}")
        return told

    async def _sign_in(self) -> None:
        self.passwords[self.custodian.name] = self._district.password
        await self.custodian.sign_in(self._district.password)
        # by an operator: an account whose link the custodian gave out is no second person beside the custodian
        added = await self._district.archive("add-user", self.registrar.name, "--role", "custodian", "--json")
        self.passwords[self.registrar.name] = json.loads(added)["password"]
        await self.registrar.sign_in(self.passwords[self.registrar.name])
        roles = {
            self.facilitator: "facilitator",
            self.technician: "technician",
            # without any right: what a teacher reaches is granted in the story
            self.teacher: "",
        }
        for person, role in roles.items():
            made = await self.custodian.send("/accounts/new/", username=person.name, role=role)
            link = re.search(r"http://\S+/sign-in/invitation/\S+/", made.words)
            if link is None:
                raise DemoError(f"{made.url} shows no link for {person.name}: {made.said}")
            password = self.passwords[person.name] = secrets.token_urlsafe(16)
            # whoever has no right yet is told so
            status = HTTPStatus.OK if role else HTTPStatus.FORBIDDEN
            await person.send(link.group(), status, new_password1=password, new_password2=password)

    async def _import_roster(self) -> None:
        await import_roster(self.custodian)
        found = await self.custodian.get("/students/?q=Torres")
        self._student = _last(found.link(f"/students/{ID}/"))

    async def _import_again(self) -> None:
        page = await self.custodian.send("/rosters/", file=ROSTER.encode())
        page.expect("Nothing would change.")

    async def _approve_texts(self) -> None:
        await approve_texts(self.custodian)

    async def _plan(self) -> None:
        page = await self.facilitator.send(
            "/meetings/new/", student="S-17", day=f"{self._begin:%Y-%m-%d}", begin=f"{self._begin:%H:%M}", room=ROOM
        )
        page.expect("The meeting was planned.", "Ana Torres", ROOM)
        self._meeting = _last(page.url)

    async def _log_notice(self) -> None:
        page = await self.facilitator.send(
            "/notices/new/",
            student="S-17",
            day=f"{self._begin:%Y-%m-%d}",
            at=f"{self._begin:%H:%M}",
            received_day=f"{self._begin - timedelta(days=3):%Y-%m-%d}",
            given_by="Rosa Torres",
            device="her phone",
        )
        page.expect("The notice was logged", "from Rosa Torres", "her phone")
        if _last(page.url) != self._meeting:
            raise DemoError(f"the notice was not put to the planned meeting, but to {page.url}")

    async def _print_letters(self) -> None:
        for language, sentence in (("English", "about Ana Torres"), ("Spanish", "sobre Ana Torres")):
            page = await self.facilitator.send(
                f"/meetings/{self._meeting}/letter/", person="Rosa Torres", language=language
            )
            page.expect("The letter was made.", sentence, "her phone")
            printed = await self.facilitator.get(page.link(f"/letters/{ID}/letter.pdf"))
            if printed.kind != "application/pdf" or not printed.content.startswith(b"%PDF-"):
                raise DemoError(f"{printed.url} is no PDF file")
            delivered = await self.facilitator.send(f"{page.url}delivery/", how="by mail")
            delivered.expect("by mail")

    async def _begin_recording(self) -> None:
        await self.technician.until("/rooms.json", lambda page: _card(page).ready, "the box to be ready")
        await self._district.press(0.15)
        board = await self.technician.until(
            "/rooms.json", lambda page: bool(_card(page).recording), "the room to record"
        )
        self._recording = _card(board).recording or ""

    async def _read_opening(self) -> None:
        await self._opening(kind="opened")
        await self._opening(kind="parent-records", answer="yes", who="Rosa Torres", text="her phone")
        for who, mode, interpreter in (
            ("Rosa Torres, mother", "in the room", ""),
            ("Lee Park, speech therapist", "on the phone", ""),
            ("Marta Ruiz, interpreter", "in the room", "Spanish, consecutive"),
        ):
            page = await self._opening(kind="told", who=who, mode=mode, interpreter=interpreter)
            page.expect(who)

    async def _note(self) -> None:
        await self._opening(kind="note", text="Speech therapy is discussed")
        placed = re.compile(r"\(\d+:\d\d into the recording\) note: Speech therapy is discussed", re.IGNORECASE)
        # a note may be here before the first word of the recording
        await self.facilitator.until(
            f"/meetings/{self._meeting}/opening/",
            lambda page: bool(placed.search(page.words)),
            "the note to have its place",
        )

    async def _end(self) -> None:
        await self.technician.until(
            "/rooms.json",
            lambda page: _card(page).archived_s >= LEAST_S,
            f"{LEAST_S:.0f} s of the meeting to be in the archive",
        )
        await self._opening(kind="ended")
        await self._district.press(HOLD_S + 0.5)
        address = f"/recordings/{self._recording}/"
        await self.custodian.until(address, lambda page: bool(page.audio), "the recording to be sealed")

    async def _find_proposal(self) -> None:
        pattern = f"/recordings/{self._recording}/filings/{ID}/wrong/"
        tray = await self.custodian.until(
            "/tray/", lambda page: bool(page.all_links(pattern)), "room and time to propose the filing"
        )
        tray.expect("Ana Torres", "filed by room and time")
        page = await self.custodian.send(tray.link(pattern), reason="Two persons shall file this one")
        page.expect("It was ended.")

    async def _file(self) -> None:
        tray = await self.custodian.get("/tray/")
        page = await self.custodian.send(tray.link(f"/recordings/{self._recording}/file/"), meeting=self._meeting)
        page.expect("A second person must confirm it", "Waits for a colleague")
        tray = await self.registrar.get("/tray/")
        confirm = tray.link(f"/recordings/{self._recording}/filings/{ID}/confirm/")
        alone = await self.custodian.send(confirm, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        alone.expect("You filed it yourself.")
        (await self.registrar.send(confirm)).expect("The filing was confirmed.")

    async def _refuse(self) -> None:
        for person in (self.teacher, self.technician):
            for what in ("", "audio.wav", "audio.flac", "package.zip"):
                await person.get(f"/recordings/{self._recording}/{what}", status=HTTPStatus.FORBIDDEN)

    async def _grant(self) -> None:
        today = datetime.now(self._zone)
        page = await self.custodian.send(
            "/access/new/",
            student="S-17",
            user=self.teacher.name,
            what="listen",
            purpose=PURPOSE,
            position="Teacher",
            trained_on=f"{today - timedelta(days=30):%Y-%m-%d}",
            until=f"{today + timedelta(days=60):%Y-%m-%d}",
        )
        page.expect("it ends by itself", PURPOSE)

    async def _listen(self) -> None:
        await self._hear(self.teacher)
        # what was not granted stays refused
        await self.teacher.get(f"/recordings/{self._recording}/audio.flac", status=HTTPStatus.FORBIDDEN)
        await self.technician.get(f"/recordings/{self._recording}/audio.wav", status=HTTPStatus.FORBIDDEN)

    async def _request(self) -> None:
        page = await self.custodian.send(
            "/requests/new/", student="S-17", person="Rosa Torres", wish="copy", text="The whole meeting"
        )
        page.expect("The request was entered.", "It is due on")
        self._case = _last(page.url)

    async def _parent_listens(self) -> None:
        page = await self.custodian.send(f"/requests/{self._case}/open/", days="14")
        link = re.search(r"http://\S+/link/[\w-]+/", page.words)
        code = re.search(r"\b\d{4} \d{4}\b", page.words)
        if link is None or code is None:
            raise DemoError(f"no link with a code was made: {page.words}")
        own = await self.parent.send(link.group(), code=code.group())
        own.expect("Ana Torres").link(f"/recordings/{self._recording}/")
        await self._hear(self.parent)
        for elsewhere in ("/students/", "/tray/", f"/recordings/{self._recording}/package.zip"):
            await self.parent.get(elsewhere, status=HTTPStatus.FORBIDDEN)
        (await Visitor(self._district.archive_url, "somebody else").send(
            link.group(), status=HTTPStatus.UNPROCESSABLE_ENTITY, code=code.group()
        )).expect("This link was used already.")  # fmt: skip

    async def _copy(self) -> None:
        copies = await self.custodian.get(f"/recordings/{self._recording}/copies/")
        package = await self.custodian.get(copies.link(f"/recordings/{_HEX}/package.zip"))
        await self._verify(_package_in(package.content, f"{self._recording}.zip"))
        audio = await self.custodian.get(copies.link(f"/recordings/{_HEX}/audio.flac"))
        if not audio.content.startswith(b"fLaC"):
            raise DemoError(f"{audio.url} is no FLAC file")

    async def _read_record(self) -> None:
        staff = await self.custodian.get(f"/students/{self._student}/record-of-access/")
        own = await self.parent.get(f"/own/{self._student}/record-of-access/")
        for page in (staff, own):
            page.expect(PURPOSE, "teacher", "technician", "Rosa Torres", "custodian")
        log = await self.registrar.get(f"/recordings/{self._recording}/custody/")
        log.expect("teacher", "technician", "Rosa Torres")

    async def _amend(self) -> None:
        page = await self.registrar.send(
            "/amendments/new/", student="S-17", person="Rosa Torres", recording=self._recording, text=STATEMENT
        )
        case = f"/amendments/{_last(page.url)}/"
        letter = await self.registrar.send(f"{case}step/", state="refused", words="The recording is what was said.")
        letter.expect("tells of the right to a hearing", "The recording is what was said.")
        day = f"{datetime.now(self._zone):%Y-%m-%d}"
        await self.registrar.send(f"{case}step/", state="hearing", hearing_on=day, officer="Dr. Lee")
        outcome = await self.registrar.send(f"{case}step/", state="hearing-refused", words="It is not amended.")
        outcome.expect("tells of the right to place a statement", "It is not amended.")
        (await self.registrar.send(f"{case}statement/", text=STATEMENT)).expect(STATEMENT, "every copy")

    async def _copy_with_statement(self) -> None:
        (await self.parent.get("/own/")).expect(STATEMENT)
        for name in ("package.zip", "audio.flac"):
            copy = await self.custodian.get(f"/recordings/{self._recording}/{name}")
            with zipfile.ZipFile(io.BytesIO(copy.content)) as file:
                held = {one: file.read(one) for one in file.namelist()}
            if STATEMENT.encode() not in held.get(STATEMENT_FILE, b"") or "NOTICE.txt" not in held:
                raise DemoError(f"the statement did not travel with {name}: it holds {', '.join(held)}")
            if name == "package.zip":
                await self._verify(held[f"{self._recording}.zip"])

    async def _answer(self) -> None:
        page = await self.custodian.send(f"/requests/{self._case}/answer/", outcome="A copy was handed over.")
        page.expect("The request was answered.", "A copy was handed over.")

    async def _opening(self, **typed: str) -> Page:
        page = await self.facilitator.send(f"/meetings/{self._meeting}/opening/", HTTPStatus.OK, None, **typed)
        return page.expect("It was noted.")


def story_holds(steps: list[Step]) -> bool:
    """Tell whether every step holds."""
    return all(step.ok for step in steps)


def describe_story(steps: list[Step]) -> str:
    """Return the story for people, one line a step."""
    return "\n".join(f"  {'ok' if one.ok else 'NOT ok':<7} {one.seconds:7.1f} s  {one.name}" for one in steps)


def _last(address: str) -> str:
    return address.rstrip("/").rpartition("/")[2]


def _card(page: Page) -> Card:
    rooms = json.loads(page.content)["rooms"]
    found = next((one for one in rooms if one["name"] == ROOM), None)
    if found is None:
        return Card(ready=False, recording=None, archived_s=0.0)
    # a box may be ready and need attention as well
    ready = str(found["words"]["state"]).startswith("Ready")
    return Card(ready, found["recording"], float(found["archived_s"] or 0))


def _package_in(data: bytes, name: str) -> bytes:
    """Return the sealed package of what was loaded: where sound was lost, a paper goes along, and both are in a ZIP."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return file.read(name) if name in file.namelist() else data
