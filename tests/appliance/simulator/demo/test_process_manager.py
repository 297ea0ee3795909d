"""The demonstration's process manager does for the recorder what systemd does on a box: a stopped recorder is killed,
the lamps are put out when nothing of it runs any more, and it is started again."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from appliance.contract.status import RecorderStatus
from appliance.simulator.demo.accounts import Account, Accounts
from appliance.simulator.demo.process_manager import ProcessManager
from appliance.simulator.demo.services import Service, alive_in_group, until
from tests.support.lateness import Lateness

SPEAKS = """
import os, subprocess, sys, time
from pathlib import Path
child = subprocess.Popen(["sleep", "60"])
while True:
    text = Path(sys.argv[1] + ".form").read_text()
    Path(sys.argv[1] + ".new").write_text(text.replace('_ns":0', '_ns":%d' % time.monotonic_ns(), 1))
    os.replace(sys.argv[1] + ".new", sys.argv[1])
    time.sleep(0.05)
"""


def manager_of(folder: Path, told: list[str], dark: list[str] | None = None) -> ProcessManager:
    status = folder / "status.json"
    form = RecorderStatus(
        box="box-test", boot_id="x", monotonic_ns=0, state="idle", ready=True, recording=None, since_ns=0
    )
    Path(f"{status}.form").write_text(form.model_dump_json())
    me = Account(os.geteuid(), os.getegid())
    recorder = Service(
        name="recorder", command=[sys.executable, "-c", SPEAKS, str(status)], account=me,
        accounts=Accounts(separate=False, recorder=me, courier=me, panel=me, archive=me),
        environment=dict(os.environ), log=folder / "recorder.log",
    )  # fmt: skip
    dark = dark or ["touch", str(folder / "dark")]
    groups = {"recorder": [recorder]}
    return ProcessManager(
        recorder=recorder, groups=groups, lamps_out=dark, status=status, tell=told.append, watchdog_s=1.0
    )


def test_promise_1_a_stopped_recorder_is_killed_and_its_lamps_are_put_out(tmp_path: Path, machine: Lateness) -> None:
    async def story() -> None:
        told: list[str] = []
        manager = manager_of(tmp_path, told)
        await manager.recorder.start()
        await manager.start(tmp_path / "process-manager.sock", separate=False)
        try:
            await until(manager.status.exists, 60, "the recorder to speak")
            await asyncio.sleep(1.5)  # longer than the watchdog's patience, not a wait for something
            assert told == [], "one that speaks is left alone"
            assert manager.recorder.process is not None
            pid, stopped_ns = manager.recorder.process.pid, time.monotonic_ns()
            os.killpg(pid, signal.SIGSTOP)
            await until((tmp_path / "dark").exists, 60, "the lamps to be put out")
            assert machine.taken_ns(stopped_ns, time.monotonic_ns()) < 3_000_000_000
            assert not alive_in_group(pid), "nothing of it runs any more when the lamps go out"
            assert "said nothing" in told[0]
            await until(lambda: manager.recorder.running and manager.recorder.process.pid != pid, 60, "a new start")  # type: ignore[union-attr]
        finally:
            await manager.stop()
            await manager.recorder.stop()

    asyncio.run(story())


def test_a_recorder_is_started_again_also_where_no_lamp_answers(tmp_path: Path) -> None:
    """A front panel that died kept the recorder from its next start, and the demonstration from its end."""

    async def story() -> None:
        told: list[str] = []
        manager = manager_of(tmp_path, told, dark=["false"])
        await manager.recorder.start()
        await manager.start(tmp_path / "process-manager.sock", separate=False)
        try:
            first = manager.recorder.process
            assert first is not None
            await manager.recorder.kill()
            await until(lambda: manager.recorder.running and manager.recorder.process is not first, 60, "a new start")
            assert any("false" in line for line in told), "what failed is told"
        finally:
            await manager.stop()
            await manager.recorder.stop()

    asyncio.run(story())
