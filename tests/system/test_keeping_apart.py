"""Promise 4, looked at from the kernel's side while a whole district runs and records."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from appliance.simulator.demo.accounts import SPOOL_GROUP
from appliance.simulator.demo.services import alive_in_group
from tests.support.district import RunningDistrict

pytestmark = [
    pytest.mark.system,
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="the parts have users of their own only where root starts them"),
]


def processes(running: RunningDistrict, name: str) -> list[int]:
    process = running.district.services[name].process
    assert process is not None
    found = alive_in_group(process.pid)
    assert found
    return found


def test_promise_4_the_recorder_lives_in_an_empty_network_namespace(running: RunningDistrict) -> None:
    for pid in processes(running, "recorder"):
        lines = Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]
        assert [line.split(":")[0].strip() for line in lines] == ["lo"]
        assert not Path(f"/proc/{pid}/net/route").read_text().splitlines()[1:]
        assert Path(f"/proc/{pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink()


def test_promise_4_recorder_and_courier_are_different_users_without_privileges(running: RunningDistrict) -> None:
    users = {}
    for name in ("recorder", "courier", "panel", "web"):
        status = Path(f"/proc/{processes(running, name)[0]}/status").read_text()
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        users[name] = fields["Uid"].split()[0]
        assert int(fields["CapEff"], 16) == 0
        assert fields["NoNewPrivs"].strip() == "1"
    assert len(set(users.values())) == 4
    assert "0" not in users.values()


def test_promise_4_nothing_that_the_courier_can_read_opens_and_nothing_can_be_changed(running: RunningDistrict) -> None:
    recording = running.begin()
    recorder = processes(running, "recorder")
    tried = _as_courier(running, _ATTEMPT, str(running.layout.root), *map(str, recorder))
    running.end()
    running.wait_until_sealed(recording)
    readable, opened, changed, memory = (int(number) for number in tried.split())
    assert readable >= 4, "the courier must be able to read what it uploads, or this shows nothing"
    assert (opened, changed, memory) == (0, 0, 0)


def _as_courier(running: RunningDistrict, script: str, *arguments: str) -> str:
    account = running.district.accounts.courier
    command = ["setpriv", f"--reuid={account.user}", f"--regid={account.group}", f"--groups={SPOOL_GROUP}", "--"]
    done = subprocess.run(
        [*command, "python3", "-c", script, *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


_ATTEMPT = r"""
import os, pathlib, re, subprocess, sys
root, recorder = pathlib.Path(sys.argv[1]), sys.argv[2:]
readable, identities, changed, memory = [], [], 0, 0
box = [root / "box" / name for name in ("spool", "inbox", "run", "courier", "mqtt")]
for top in (*box, root / "panel", root / "keys", root / "archive", root / "logs"):
    for folder, _, names in os.walk(top):
        for name in names:
            path = pathlib.Path(folder, name)
            try:
                data = path.read_bytes()
            except OSError:
                continue
            readable.append(path)
            identities += re.findall(rb"AGE-SECRET-KEY-1[0-9A-Z]+", data)
sealed = [path for path in readable if path.read_bytes()[:21] == b"age-encryption.org/v1"]
opened = 0
for identity in {b"", *identities}:
    for path in sealed:
        key = pathlib.Path("/dev/shm") / f"plainsight-{os.getpid()}"
        key.write_bytes(identity + b"\n")
        opened += subprocess.run(["age", "-d", "-i", key, path], capture_output=True).returncode == 0
        key.unlink()
for path in [root / "box" / "spool", *(root / "box" / "spool").rglob("*")]:
    for attempt in (
        lambda: os.close(os.open(path, os.O_WRONLY | os.O_APPEND)),
        lambda: os.rename(path, str(path) + ".x"),
        lambda: os.chmod(path, 0o777),
        lambda: (path.is_dir() and os.close(os.open(path / "new", os.O_CREAT | os.O_WRONLY))) or 1 / path.is_dir(),
        lambda: path.rmdir() if path.is_dir() else path.unlink(),
    ):
        try:
            attempt()
            changed += 1
        except (OSError, ZeroDivisionError):
            pass
for pid in recorder:
    for name in ("mem", "maps", "environ", "fd"):
        try:
            path = f"/proc/{pid}/{name}"
            os.listdir(path) if name == "fd" else open(path, "rb").read(1)
            memory += 1
        except OSError:
            pass
print(len(sealed), opened, changed, memory)
"""
