"""A whole district in a test: its processes, and the loop that runs them."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from appliance.contract.status import RecorderStatus
from appliance.simulator.demo.district import District
from appliance.simulator.demo.layout import Layout
from appliance.simulator.demo.meeting import read_progress, read_status
from appliance.simulator.demo.outside_view import read_log
from tests.support.box.panel_server import APART_S
from tests.support.waiting import until

T = TypeVar("T")


class RunningDistrict:
    """A running district, called from tests that know nothing of its loop."""

    def __init__(self, folder: Path) -> None:
        self.said: list[str] = []
        self.district = District(Layout(folder), seconds=300, microphone=None, tell=self.said.append)
        self.layout = self.district.layout
        self._runner = asyncio.Runner()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(work)

    def close(self) -> None:
        self.run(self.district.stop())
        self._runner.close()

    def wait(self, condition: Callable[[], T | None], what: str) -> T:
        # between two looks the loop runs, so that the district can do its work
        return until(condition, what, pause=lambda: self.run(asyncio.sleep(0.03)))

    def logged_ns(self, name: str, what: str, value: object, after_ns: int) -> int:
        """Wait until a log tells something after a moment; return when it happened, on CLOCK_MONOTONIC."""

        def found() -> list[int]:
            return [line["t_ns"] for line in self.log(name) if line.get(what) == value and line["t_ns"] > after_ns]

        return self.wait(found, f"{what} {value} in {name}.log")[0]

    @property
    def status(self) -> RecorderStatus:
        status = read_status(self.layout.status)
        assert status is not None
        return status

    def wait_for(self, **members: Any) -> None:
        def holds() -> bool:
            status = read_status(self.layout.status)
            return status is not None and all(getattr(status, name) == value for name, value in members.items())

        self.wait(holds, f"the recorder to be {members}, it is {read_status(self.layout.status)}")

    def control(self, **request: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.run(self.district.control(request))
        return answer

    def panel_asks(self, **request: str) -> None:
        """What the page's buttons do: ask the process manager."""

        async def ask() -> dict[str, Any]:
            reader, writer = await asyncio.open_unix_connection(self.layout.root / "process-manager.sock")
            writer.write(json.dumps(request).encode() + b"\n")
            answer: dict[str, Any] = json.loads(await reader.readline())
            writer.close()
            return answer

        assert self.run(ask())["ok"]

    def begin(self) -> str:
        """Press the button and return the recording, once three seconds of it are safe."""
        self.wait_for(state="idle", ready=True)
        self.run(self.district.press(0.1))
        self.wait_for(state="recording")
        recording = self.status.recording
        assert recording is not None
        self.wait_for_acked(3)
        return recording

    def wait_for_acked(self, seconds: float) -> None:
        self.wait(lambda: self.status.acked_frame >= seconds * 48000, f"{seconds} s to be safe")

    def end(self) -> None:
        """Hold the button until the recording ends, apart from presses before and after."""
        self.keep_presses_apart()
        self.control(button="down")
        self.wait(lambda: self.status.state not in {"recording", "paused"}, "the recording to end")
        self.control(button="up")
        self.keep_presses_apart()

    def keep_presses_apart(self) -> None:
        """Let half a second pass: within it, a press counts as the same one as the last."""
        free_at = time.monotonic() + APART_S
        self.wait(lambda: time.monotonic() >= free_at, "the next press to count as another one")

    def wait_until_sealed(self, recording: str) -> None:
        def sealed() -> bool:
            return (self.layout.receipts / f"{recording}.tsv").exists()

        self.wait(sealed, f"the receipt of {recording}, {read_progress(self.layout.progress)}")

    def verified(self, recording: str) -> tuple[int, dict[str, Any]]:
        """Export and verify a recording: exit status and report."""

        async def check() -> tuple[int, dict[str, Any]]:
            exported = await self.district.export(recording)
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "appliance.command", "verify", str(exported.package), "--json"),
                *("--keys", str(self.layout.key_ring)),
                stdout=asyncio.subprocess.PIPE,
            )
            output, _ = await process.communicate()
            assert process.returncode is not None
            return process.returncode, json.loads(output)

        found: tuple[int, dict[str, Any]] = self.run(check())
        return found

    def ledger(self, recording: str) -> list[dict[str, Any]]:
        """The entries of an exported recording's ledger."""
        path = self.layout.export / recording / "data" / "ledger.tsv"
        return [json.loads(line.split("\t")[0]) for line in path.read_text().splitlines()]

    def log(self, name: str) -> list[dict[str, Any]]:
        return read_log((self.layout.panel / f"{name}.log").read_text())

    def told_faults(self) -> set[str]:
        """Faults that the recorder tells, but for its clock, which on a test machine nobody may discipline."""
        return set(self.status.faults) - {"clock"}

    def lights(self) -> dict[str, Any]:
        """The lights as the panel has them, not as the recorder says."""
        state: dict[str, Any] = self.control(state=True)["state"]
        return state
