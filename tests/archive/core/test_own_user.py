"""Commands on the archive's host run as its own user, whoever calls them: root leaves nothing of its own there."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.contract.enrollment import ClaimFile
from archive.authority.authority import Authority
from archive.core.own_user import become_own_user
from tests.support.archives import ROOT, SETTINGS, template

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become the archive's user"),
]
OWNER = pwd.getpwnam("nobody")
STRANGER = pwd.getpwnam("daemon")


@pytest.fixture
def home() -> Iterator[Path]:
    """An archive of a user of its own, in a folder that others cannot enter; the way to it is open."""
    outside = Path(tempfile.mkdtemp(prefix="own-user-", dir="/var/tmp"))
    outside.chmod(0o755)
    home = outside / "archive"
    try:
        shutil.copytree(template("sqlite").home, home)
        (home / "archive.toml").write_text(SETTINGS.replace("http://testserver", "https://archive.example:8443"))
        run(home, "make-keys", "--json", uid=0)
        Authority.make(home / "keys", "A district", datetime.now(UTC))
        for path in (home, *home.rglob("*")):
            os.chown(path, OWNER.pw_uid, OWNER.pw_gid)
        home.chmod(0o700)
        yield home
    finally:
        shutil.rmtree(outside)


def run(home: Path, *arguments: str, uid: int = 0, status: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a user of the host."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "ARCHIVE_HOME": str(home), **more}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "archive.command", *arguments],
        env=environment, cwd="/", user=uid, group=uid, extra_groups=[], capture_output=True, text=True, check=False,
        timeout=180,
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done


def owners(home: Path) -> set[int]:
    return {path.stat().st_uid for path in (home, *home.rglob("*"))}


def test_what_root_calls_leaves_no_file_of_root_in_the_archives_folder(home: Path) -> None:
    run(home, "doctor", status=1)
    run(home, "list")
    assert owners(home) == {OWNER.pw_uid}
    assert (home / "store").is_dir(), "the command has made something there"


def test_a_claim_that_root_asks_for_is_printed_and_its_entry_says_who_asked(home: Path) -> None:
    printed = ClaimFile.model_validate(tomllib.loads(run(home, "enroll", "Room 12").stdout))
    assert printed.url == "https://archive.example:8443"
    run(home, "enroll", "Room 13", SUDO_UID="1234")
    entries = json.loads(run(home, "dumpdata", "custody.entry").stdout)
    actors = [one["fields"]["actor_id"] for one in entries if one["fields"]["actor_type"] == "operator"]
    assert actors[-2:] == ["0", "1234"]
    assert owners(home) == {OWNER.pw_uid}


def test_where_the_archives_user_may_not_write_it_says_what_to_do_and_no_claim_is_given(home: Path) -> None:
    folder = home.parent / "roots-own"
    folder.mkdir()
    said = run(home, "enroll", "Room 12", "-o", str(folder), status=2).stderr
    assert "keep what is printed" in said
    assert json.loads(run(home, "dumpdata", "enrollment.claim").stdout) == []


@pytest.mark.parametrize("command", [["list"], ["doctor"], ["enroll", "Room 12"], ["migrate"]])
def test_anybody_else_is_told_to_use_sudo(home: Path, command: list[str]) -> None:
    said = run(home, *command, uid=STRANGER.pw_uid, status=2).stderr
    assert "sudo" in said
    assert "ARCHIVE_HOME" in said


def test_the_control_page_needs_no_archive_of_this_host(home: Path) -> None:
    said = run(home, "control-page", "--archives", "/nonexistent.toml", "-o", "/tmp", status=2, ARCHIVE_HOME="").stderr
    assert "/nonexistent.toml" in said


def test_its_own_user_and_a_folder_that_is_not_there_change_nothing(home: Path) -> None:
    run(home, "list", uid=OWNER.pw_uid)
    before = os.geteuid()
    become_own_user(home / "nowhere")
    become_own_user(Path("/root"))
    assert os.geteuid() == before
