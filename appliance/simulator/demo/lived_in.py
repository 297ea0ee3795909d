"""A district that is lived in: what its people entered this week, so that a visitor of the demonstration sees pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from appliance.contract.errors import PlainSightError

from .district import ROOM, District
from .files import TIME_ZONE
from .services import DemoError
from .visitor import Visitor

ROSTER: Final = """\
student_id,given_name,family_name,birth_date,school,parent_id,parent_given_name,parent_family_name,parent_email,parent_language,relation
S-17,Ana,Torres,2015-03-02,Lincoln Elementary,P-17,Rosa,Torres,rosa.torres@example.org,es,parent
S-18,Ben,Clark,2013-09-14,Lincoln Elementary,P-18,Dana,Clark,dana.clark@example.org,en,parent
S-19,Mei,Lin,2011-12-30,Washington Middle School,P-19,Wei,Lin,wei.lin@example.org,en,guardian
"""
_ID: Final = "[0-9a-f-]{36}"
_WEEK: Final = (("S-17", "iep"), ("S-18", "504"), ("S-19", "iep"), ("S-18", "iep"), ("S-17", "other"))
"""Student and kind of the meeting of each day from Monday to Friday."""


async def import_roster(custodian: Visitor) -> None:
    """Import the roster: first look at the difference, then take it in."""
    page = await custodian.send("/rosters/", file=ROSTER.encode())
    page.expect("What the roster would change")
    (await custodian.send(page.url)).expect("The roster was taken in.")


async def approve_texts(custodian: Visitor) -> None:
    """Approve each text that the software ships, so that letters can be made."""
    page = await custodian.get("/letters/texts/")
    for address in page.all_links(f"/letters/texts/{_ID}/"):
        (await custodian.send(address)).expect("The text was approved.")
    left = (await custodian.get("/letters/texts/")).words
    if "no such letter can be made" in left:
        raise DemoError(f"texts are left that nobody approved: {left}")


async def live_in(district: District, tell: Callable[[str], None]) -> None:
    """Enter a roster, texts, this week's meetings, two notices and a request, by forms; say so, or what went wrong."""
    try:
        await _enter(Visitor(district.archive_url, "custodian"), district.password)
    except PlainSightError as error:
        tell(f"the district stays emptier than it should be: {error.message}")
    else:
        tell("a roster, this week's meetings, two notices and a request were entered, as people would")


async def _enter(custodian: Visitor, password: str) -> None:
    await custodian.sign_in(password)
    await import_roster(custodian)
    await approve_texts(custodian)
    today = datetime.now(ZoneInfo(TIME_ZONE))
    monday = today - timedelta(days=today.weekday())
    for number, (student, kind) in enumerate(_WEEK):
        day = monday + timedelta(days=number)
        page = await custodian.send(
            "/meetings/new/", student=student, kind=kind, day=f"{day:%Y-%m-%d}", begin="09:00", room=ROOM
        )
        page.expect("The meeting was planned.")
    for number, parent, device in ((1, "Dana Clark", "a voice recorder"), (2, "Wei Lin", "a phone")):
        day = monday + timedelta(days=number)
        received = min(day - timedelta(days=3), today)
        page = await custodian.send(
            "/notices/new/",
            student=_WEEK[number][0],
            day=f"{day:%Y-%m-%d}",
            at="09:00",
            received_day=f"{received:%Y-%m-%d}",
            given_by=parent,
            device=device,
        )
        page.expect("The notice was logged")
    page = await custodian.send("/requests/new/", student="S-19", person="Wei Lin", wish="listen")
    page.expect("The request was entered.")
