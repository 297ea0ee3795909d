"""A meeting at which no box recorded: why, what the parent is told, and what a spare recorder made is taken in."""

from __future__ import annotations

import io
import math
import wave
from array import array
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from .services import DemoError
from .story_record import ID
from .story_redaction import RedactedCopy

_RATE: Final = 16_000
_SECONDS: Final = 40
"""Length of the file: it is sent in more than one piece."""
_TONE_HZ: Final = 440
_LOUD: Final = 8_000


class WithoutBox(RedactedCopy):
    """Two steps, about a meeting of the day before the story's own."""

    _other = ""

    async def _enter_incident(self) -> None:
        before = self._begin - timedelta(days=1)
        planned = await self.facilitator.send(
            "/meetings/new/", student="S-17", day=f"{before:%Y-%m-%d}", begin="10:00", place="At the family's home"
        )
        self._other = planned.url.rstrip("/").rpartition("/")[2]
        place = f"/meetings/{self._other}/incident/"
        entered = await self.facilitator.send(
            f"{place}new/",
            missing="all",
            cause="There was no box where the meeting was.",
            explanation="The meeting was moved to the family's home on the same morning.",
            told="Rosa Torres, in the meeting itself.",
            done="A spare recorder was taken along.",
        )
        entered.expect("The incident record was entered.", "Not written yet", "Rosa Torres")
        letter = await self.facilitator.send(
            f"{place}letter/", person="Rosa Torres", reason="there was no box at your home."
        )
        letter.expect("The letter was made.", "there was no box at your home.")
        printed = await self.facilitator.get(letter.link(f"/letters/{ID}/letter.pdf"))
        if not printed.content.startswith(b"%PDF-"):
            raise DemoError(f"{printed.url} is no PDF file")

    async def _take_in(self) -> None:
        day = f"{self._begin - timedelta(days=1):%Y-%m-%d}"
        said = await self.custodian.send(
            "/outside-recordings/new/",
            origin="made with a spare recorder, because the box failed",
            made_on=day,
            made_at="10:02",
            place="At the family's home",
            made_by="The facilitator",
            made_with="A pocket recorder of the school",
            since="Nothing, it is the file as it was made",
            brought_by="The facilitator",
            brought_on=f"{self._begin:%Y-%m-%d}",
            of_the_district="on",
        )
        there = said.url.removesuffix("file/")
        whole = await self.custodian.bring(said.url, tone())
        whole.expect("All of the file is here.", "no box made it")
        place = r"/outside-recordings/[0-9a-f]{32}/meeting/"
        sealed = await self.custodian.until(there, lambda page: bool(page.all_links(place)), "the seal")
        filed = await self.custodian.send(sealed.link(place), meeting=self._other)
        filed.expect("waits for a second person")
        confirm = (await self.registrar.get(there)).link(rf"/outside-recordings/[0-9a-f]{{32}}/filings/{ID}/confirm/")
        await self.custodian.send(confirm, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        await self.registrar.send(confirm)
        heard = await self.registrar.get((await self.registrar.get(there)).audio)
        if heard.content != tone():
            raise DemoError(f"{heard.url} is not the file that was brought")


def tone() -> bytes:
    """Return the spare recorder's file: WAV, one channel of 16 bits."""
    samples = array("h", (int(_LOUD * math.sin(math.tau * _TONE_HZ * n / _RATE)) for n in range(_RATE * _SECONDS)))
    file = io.BytesIO()
    with wave.open(file, "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(2)
        made.setframerate(_RATE)
        made.writeframes(samples.tobytes())
    return file.getvalue()
