"""Promise 4 by the kernel: under a user of its own the courier does its work, and cannot do anything else.

The spool is made here, with the owners and modes of systemd/tmpfiles.d; tests/system looks at a live one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from appliance.simulator.demo.accounts import SPOOL_GROUP, Accounts
from appliance.simulator.demo.ports import free_port
from tests.support.box.courier import FAST, Box
from tests.support.certificates import Authority
from tests.support.fake_archive import FakeArchive
from tests.support.spools import Keys
from tests.support.waiting import until

from .test_courier import write_settings

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user"),
]
ROOT = Path(__file__).resolve().parents[3]


def own(path: Path, user: int, group: int, folders: int, files: int) -> None:
    for found in [path, *path.rglob("*")]:
        os.chown(found, user, group)
        found.chmod(folders if found.is_dir() else files)


@pytest.fixture
def separate() -> Iterator[Box]:
    """A box whose folders belong to whom they belong on a real one, in a place that other users can reach."""
    accounts = Accounts.here()
    root = Path(tempfile.mkdtemp(prefix="plainsight-test-"))
    root.chmod(0o755)
    for name in ("spool/recordings", "inbox", "run", "state"):
        (root / name).mkdir(parents=True)
    box = Box(root, Keys())
    secrets = root / "etc"
    secrets.mkdir()
    box.keys.box_signing.save(secrets / "box.key")
    box.keys.archive.save(secrets / "archive.txt")
    own(secrets, accounts.recorder.user, accounts.recorder.group, 0o700, 0o600)
    yield box
    shutil.rmtree(root)


def hand_over(box: Box) -> None:
    """Give everything to its owner, as tmpfiles.d and the recorder do."""
    accounts = Accounts.here()
    own(box.spool, accounts.recorder.user, SPOOL_GROUP, 0o750, 0o640)
    own(box.root / "run", accounts.recorder.user, SPOOL_GROUP, 0o750, 0o640)
    own(box.inbox, accounts.courier.user, SPOOL_GROUP, 0o2750, 0o644)
    own(box.state, accounts.courier.user, accounts.courier.group, 0o700, 0o600)
    own(box.courier_key(), accounts.courier.user, accounts.courier.group, 0o700, 0o400)
    if (box.root / "tls").exists():
        own(box.root / "tls", accounts.courier.user, accounts.courier.group, 0o700, 0o600)


def as_courier(*command: str) -> list[str]:
    account = Accounts.here().courier
    groups = f"--groups={SPOOL_GROUP}"
    become = ["setpriv", f"--reuid={account.user}", f"--regid={account.group}", groups, "--no-new-privs"]
    return [*become, "--bounding-set=-all", "--", *command]


def forked_as_courier(work: Callable[[], object]) -> str:
    """Run `work` in a child process under the courier's user, and return what it answers, as text."""
    account = Accounts.here().courier
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([SPOOL_GROUP])
            os.setresgid(account.group, account.group, account.group)
            os.setresuid(account.user, account.user, account.user)
            os.write(writer, json.dumps(work()).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read().decode()
    os.waitpid(child, 0)
    assert answer, "the work under the courier's user failed"
    return answer


def test_with_the_documented_rights_the_courier_does_its_whole_work(separate: Box, archive: FakeArchive) -> None:
    readable = as_courier(sys.executable, "-c", f"import os; assert os.access({str(ROOT)!r}, os.R_OK)")
    if subprocess.run(readable, cwd="/", capture_output=True, check=False).returncode:
        pytest.skip(f"other users cannot read {ROOT} or run {sys.executable}, so no courier can run as one")
    recording = separate.record(seconds=12, reason="interrupted", tail=1)
    archive.recordings[recording.id] = recording
    config = write_settings(separate, archive.url, free_port(), Authority.make(), times=FAST)
    hand_over(separate)
    process = subprocess.Popen(
        as_courier(sys.executable, "-B", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
                   "from appliance.command import main; sys.exit(main())", "courier", "--config", str(config)),
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
    )  # fmt: skip
    try:
        receipt = separate.inbox / f"{recording.id}.tsv"
        until(receipt.exists, "the receipt", alive=lambda: process.poll() is None)
        stat = receipt.stat()
        assert (stat.st_uid, stat.st_gid, stat.st_mode & 0o777) == (
            Accounts.here().courier.user,
            SPOOL_GROUP,
            0o644,
        )
    finally:
        process.terminate()
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert archive.kept[recording.id].tail == recording.tail


def test_nothing_that_the_courier_can_read_opens_with_age_and_any_key_it_can_reach(separate: Box) -> None:
    recordings = [separate.record(), separate.record(reason=None)]
    write_settings(separate, "http://127.0.0.1:9", 1, Authority.make())
    hand_over(separate)

    def look() -> dict[str, list[str]]:
        found: dict[str, list[str]] = {"sealed": [], "secrets": [], "denied": []}
        for folder, _, names in os.walk(separate.root):
            for path in (Path(folder, name) for name in names):
                try:
                    data = path.read_bytes()
                except PermissionError:
                    found["denied"].append(path.name)
                    continue
                found["secrets"] += [text.decode() for text in re.findall(rb"AGE-SECRET-KEY-1[0-9A-Z]+", data)]
                if data.startswith(b"age-encryption.org/v1"):
                    found["sealed"].append(str(path))
        return found

    found = json.loads(forked_as_courier(look))
    # it must be able to read what it sends, or this would show nothing
    assert len(found["sealed"]) == sum(len(recording.segments) + 1 for recording in recordings)
    assert found["secrets"] == []
    # every file that holds some text of a key form is offered to age, the courier's own TLS key among them
    candidates = [*separate.root.rglob("*.key"), *separate.root.rglob("*.pem"), *separate.root.rglob("*.tsv")]
    readable = [
        path for path in candidates if os.path.commonpath([path, separate.root / "etc"]) != str(separate.root / "etc")
    ]
    assert readable
    for path in found["sealed"]:
        for identity in readable:
            command = as_courier("age", "-d", "-o", "/dev/null", "-i", str(identity), path)
            assert subprocess.run(command, capture_output=True, check=False).returncode != 0


def test_the_same_files_do_open_for_the_archive(separate: Box, tmp_path: Path) -> None:
    """Otherwise the test above would pass for rubbish too."""
    recording = separate.record()
    identity = tmp_path / "archive.txt"
    separate.keys.archive.save(identity)
    opened = subprocess.run(
        ["age", "-d", "-i", str(identity), str(recording.folder / "key.age")], capture_output=True, check=True
    )
    assert opened.stdout == recording.identity.secret_line()


def test_the_box_and_archive_keys_are_denied(separate: Box) -> None:
    hand_over(separate)

    def try_keys() -> list[str]:
        opened = []
        for name in ("box.key", "archive.txt"):
            try:
                (separate.root / "etc" / name).read_bytes()
            except PermissionError:
                continue
            opened.append(name)
        return opened

    assert json.loads(forked_as_courier(try_keys)) == []


def test_nothing_in_the_spool_can_be_changed_or_deleted_by_the_courier(separate: Box) -> None:
    recording = separate.record(seconds=2)
    (separate.spool / "receipts" / f"{recording.id}.tsv").write_bytes(recording.receipt())
    separate.say()
    hand_over(separate)
    before = snapshot(separate)
    assert json.loads(forked_as_courier(lambda: attempts(separate))) == []
    assert snapshot(separate) == before


def snapshot(box: Box) -> dict[str, tuple[int, int, bytes]]:
    return {
        str(path): (path.stat().st_mode, path.stat().st_uid, path.read_bytes() if path.is_file() else b"")
        for folder in (box.spool, box.root / "run")
        for path in sorted(folder.rglob("*"))
    }


def attempts(box: Box) -> list[str]:
    """Try every way to change something, and return what succeeded."""
    succeeded = []
    for path in [p for folder in (box.spool, box.root / "run") for p in [folder, *folder.rglob("*")]]:
        ways: dict[str, Callable[[], object]] = {
            "rename": partial(path.rename, path.with_name(path.name + ".x")),
            "take out": partial(path.rename, box.state / path.name),
            "chmod": partial(path.chmod, 0o777),
            "touch": partial(os.utime, path, (1, 1)),
            "chown": partial(os.chown, path, os.getuid(), os.getgid()),
        }
        if path.is_dir():
            ways["create"] = (path / "new").touch
            ways["link in"] = partial((path / "new").symlink_to, "/etc/passwd")
            ways["rmdir"] = path.rmdir
        else:
            ways["append"] = partial(path.open, "ab")
            ways["truncate"] = partial(os.truncate, path, 0)
            ways["delete"] = path.unlink
        for name, way in ways.items():
            try:
                way()
            except OSError:
                continue
            succeeded.append(f"{name} {path}")
    return succeeded
