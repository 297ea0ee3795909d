"""A redacted copy in the story: made, compared, heard by a second listener, signed off, handed out."""

from __future__ import annotations

import io
import re
import zipfile
from http import HTTPStatus
from typing import Final

from .services import DemoError
from .story_record import EVALUATION, ID, PARTY, RecordLife
from .visitor import Page

FIRST_S: Final = 1
LAST_S: Final = 3
"""Where the passage is, in seconds."""
_HEAD: Final = 44
"""Bytes of a WAV file before its samples, of two bytes each."""


class RedactedCopy(RecordLife):
    """One step; whoever makes the copy tries to sign it off, and so does a second one who has not listened."""

    async def _redact(self) -> None:
        base = f"/recordings/{self._recording}/redactions/"
        page = await self.registrar.send(f"{base}new/", purpose="For the evaluator")
        place = page.url
        entered = await self.registrar.send(
            f"{place}passages/new/",
            first=f"0:00:0{FIRST_S}",
            last=f"0:00:0{LAST_S}",
            how="tone",
            basis="other-student",
            reason="Another child is named",
        )
        entered.expect("0:00:01.000", "0:00:03.000", "34 CFR 99.12(a)")
        await self.registrar.send(f"{place}make/")
        made = await self.registrar.until(place, lambda page: "waits for a second listener" in page.words, "the copy")
        made.expect("0 changed", "0 of the original left")
        for person, why in ((self.registrar, "You made this copy yourself."), (self.custodian, "not listened to all")):
            refused = await person.send(f"{place}sign-off/", HTTPStatus.UNPROCESSABLE_ENTITY, listened="on")
            refused.expect(why)
        await self._compare(await self.custodian.get(place))
        await self.custodian.until(place, _may_sign_off, "the time that listening takes to be over")
        signed = await self.custodian.send(f"{place}sign-off/", listened="on")
        signed.expect("It is signed off, and may be handed out now.")
        log = await self.registrar.get(f"{place}exemptions/")
        log.expect("Another child is named", "0:00:01.000", "registrar", "custodian")
        printed = await self.registrar.get(log.link(rf"{base}{ID}/exemptions\.pdf"))
        if not printed.content.startswith(b"%PDF-"):
            raise DemoError(f"{printed.url} is no PDF file")
        await self._hand_out(signed)

    async def _compare(self, page: Page) -> None:
        """Listen to copy and original, and compare all of their samples."""
        copy, original = await self._all_of(page.audio), await self._all_of(f"/recordings/{self._recording}/audio.wav")
        rate = int.from_bytes(original[24:28], "little")
        first, last = (_HEAD + 2 * rate * second for second in (FIRST_S, LAST_S))
        if copy[:first] != original[:first] or copy[last:] != original[last:]:
            raise DemoError("the redacted copy differs from the original outside of its passage")
        inside = zip(copy[first:last:2], copy[first + 1 : last : 2], strict=True)
        before = zip(original[first:last:2], original[first + 1 : last : 2], strict=True)
        if sum(one == other for one, other in zip(inside, before, strict=True)) > rate // 10:
            raise DemoError("the original is heard inside the passage of the redacted copy")

    async def _all_of(self, address: str) -> bytes:
        heard = b""
        while not heard or len(heard) < int.from_bytes(heard[4:8], "little") + 8:
            part = await self.custodian.get(address, status=HTTPStatus.PARTIAL_CONTENT, part=f"{len(heard)}-")
            heard += part.content
        return heard

    async def _hand_out(self, signed: Page) -> None:
        there = signed.link(rf"/recordings/[0-9a-f]{{32}}/disclose/\?redaction={ID}")
        page = await self.custodian.send(there, party=PARTY, purpose=EVALUATION, basis="consent")
        copy = await self.custodian.get(page.link(f"/disclosures/{ID}/copy.zip"))
        with zipfile.ZipFile(io.BytesIO(copy.content)) as file:
            told = file.read("REDACTED.txt").decode()
            held = file.namelist()
        if f"{self._recording}-redacted.flac" not in held or not re.search(r"0:00:01\.000 to 0:00:03\.000", told):
            raise DemoError(f"the copy holds {', '.join(held)}, and says: {told[:300]}")


def _may_sign_off(page: Page) -> bool:
    return "since you began" not in page.words and "not listened" not in page.words
