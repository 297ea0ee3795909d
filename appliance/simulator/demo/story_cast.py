"""Who acts in the story, and what they have come to so far."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from zoneinfo import ZoneInfo

from .district import District
from .files import TIME_ZONE
from .services import DemoError
from .visitor import Visitor


class Cast:
    """The people of one story, its recording, and what several of its steps do."""

    def __init__(self, district: District, tell: Callable[[str], None]) -> None:
        self._district, self._tell = district, tell
        site = district.archive_url
        self.custodian = Visitor(site, "custodian")
        self.registrar = Visitor(site, "registrar")
        self.facilitator = Visitor(site, "facilitator")
        self.teacher = Visitor(site, "teacher")
        self.technician = Visitor(site, "technician")
        self.parent = Visitor(site, "the parent")
        self._zone = ZoneInfo(TIME_ZONE)
        # a meeting that is held now and began a minute ago, whatever the hour is
        self._begin = datetime.now(self._zone) - timedelta(minutes=1)
        self._meeting = self._recording = self._student = self._case = ""
        self._disclosure = self._destruction = ""
        self.passwords: dict[str, str] = {}
        """By name."""

    async def _hear(self, person: Visitor) -> None:
        page = await person.get(f"/recordings/{self._recording}/")
        if not page.audio:
            raise DemoError(f"{person.name} finds no player: {page.words[:300]}")
        heard = await person.get(page.audio, status=HTTPStatus.PARTIAL_CONTENT, part="0-199999")
        if not heard.content.startswith(b"RIFF") or not any(heard.content[1000:]):
            raise DemoError(f"{person.name} hears nothing at {page.audio}")

    async def _verify(self, package: bytes) -> None:
        path = self._district.layout.export / f"{self._recording}.zip"
        await asyncio.to_thread(Path.write_bytes, path, package)
        _, intact, words = await self._district.verify(path)
        if not intact:
            raise DemoError(f"the copy is not intact: {words}")
