"""A district's end: whatever fails in it keeps nothing else from its end."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

from appliance.simulator.demo.accounts import Accounts
from appliance.simulator.demo.district import District
from appliance.simulator.demo.layout import Layout
from appliance.simulator.demo.services import DemoError


class Part:
    """Stands for a part, and notes its end."""

    def __init__(self, name: str, ended: list[str], wrong: str = "") -> None:
        self._name, self._ended, self._wrong = name, ended, wrong

    async def stop(self) -> None:
        self._ended.append(self._name)
        if self._wrong:
            raise DemoError(self._wrong)


def test_a_part_that_cannot_be_ended_is_told_and_keeps_no_other_one(tmp_path: Path) -> None:
    told: list[str] = []
    ended: list[str] = []
    district = District(Layout(tmp_path), seconds=5, microphone=None, tell=told.append)
    parts = {name: Part(name, ended) for name in ("broker", "web", "panel")}
    parts["courier"] = Part("courier", ended, "the courier's processes are not gone")
    district.services.update(cast("dict[str, Any]", parts))
    asyncio.run(district.stop())
    assert ended == ["courier", "panel", "web", "broker"]
    assert told == ["the courier's processes are not gone"]


def test_who_records_may_open_this_machines_microphones(tmp_path: Path) -> None:
    """Debian gives /dev/snd to the group audio, and the recorder runs as a user of its own."""
    assert Accounts.sound_groups(tmp_path) == ()
    for name in ("pcmC0D0c", "pcmC1D0c", "pcmC0D0p"):
        (tmp_path / name).touch()
    group = (tmp_path / "pcmC0D0c").stat().st_gid
    assert Accounts.sound_groups(tmp_path) == (group,)
    account = Accounts.here((29,)).recorder
    assert not Accounts.here((29,)).separate or 29 in account.others
