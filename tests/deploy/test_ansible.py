"""The Ansible roles of boxes: their syntax, their lint, check mode, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "ansible"
pytestmark = pytest.mark.skipif(
    shutil.which("ansible-playbook") is None, reason="ansible-core is not installed (apt-get install ansible-core)"
)


def play(
    home: Path, *arguments: str, book: str = "boxes.yml", path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["ansible-playbook", book, *arguments], cwd=FOLDER, capture_output=True, text=True, check=False,
        timeout=600,
        env={**os.environ, "HOME": str(home), "ANSIBLE_LOCAL_TEMP": str(home), "ANSIBLE_NOCOLOR": "1",
             "ANSIBLE_REMOTE_TEMP": str(home), "ANSIBLE_PIPELINING": "1", "LC_ALL": "C.UTF-8",
             "PATH": f"{path}:{os.environ['PATH']}" if path else os.environ["PATH"]},
    )  # fmt: skip


def boot_files(home: Path, says: str, **settings: Any) -> str:
    """Run for real what concerns a box's boot files, where its own command says this; return what Ansible prints."""
    program = home / "bin" / "plainsight"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\necho \"$@\" >{home / 'asked'}\necho '{says}'\necho 'ok      boot'\n")
    program.chmod(0o755)
    (home / "boot").mkdir(exist_ok=True)
    settings |= {"plainsight_boot": str(home / "boot"), "plainsight_settings": str(home / "recorder.toml")}
    done = checked(home, "--tags", "boot_files", path=program.parent, **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def checked(home: Path, *arguments: str, path: Path | None = None, **settings: Any) -> subprocess.CompletedProcess[str]:
    key = home / "key.asc"
    key.write_text("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDME\n-----END PGP PUBLIC KEY BLOCK-----\n")
    given = {
        "plainsight_repository": "https://packages.example", "plainsight_repository_key": str(key),
        "plainsight_offline": True, "ansible_become": False, "plainsight_time_servers": ["ntp.example"],
        **settings,
    }  # fmt: skip
    (home / "inventory.yml").write_text("boxes:\n  hosts:\n    ps-00000000:\n      ansible_connection: local\n")
    (home / "settings.json").write_text(json.dumps(given))
    arguments = arguments or ("--check", "--diff")
    return play(home, "-i", str(home / "inventory.yml"), *arguments, "-e", f"@{home / 'settings.json'}", path=path)


def test_its_syntax_is_right(tmp_path: Path) -> None:
    done = play(tmp_path, "--syntax-check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_runs_in_check_mode_and_names_the_repository_by_its_key(tmp_path: Path) -> None:
    done = checked(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "+URIs: https://packages.example" in done.stdout
    assert "+ -----BEGIN PGP PUBLIC KEY BLOCK-----" in done.stdout
    assert "+ .\n" in done.stdout
    assert "failed=0" in done.stdout


def test_a_box_is_started_again_only_if_its_boot_files_changed(tmp_path: Path) -> None:
    played = boot_files(tmp_path, "unchanged")
    assert "changed=0" in played
    assert "Start the box" not in played
    assert (tmp_path / "asked").read_text().split() == ["boot-files", str(tmp_path / "boot")], "as its card was made"
    played = boot_files(tmp_path, "changed: start the box again", plainsight_wired=False, plainsight_clock="ds3231")
    assert "changed=1" in played
    order = [line for line in played.splitlines() if line.startswith("RUNNING HANDLER")]
    assert ["Wait for the end of a meeting" in line for line in order] == [True, False], "nobody is cut off"
    assert "Start the box" in order[1]
    assert (tmp_path / "asked").read_text().split()[2:] == ["--clock", "ds3231", "--no-wired"]


def test_a_claim_reaches_a_box_that_is_not_enrolled_and_no_other(tmp_path: Path) -> None:
    claim = tmp_path / "claim.toml"
    claim.write_text("claim\n")
    boot_files(tmp_path, "unchanged", plainsight_claim_file=str(claim))
    there = tmp_path / "boot" / "plainsight-claim.toml"
    assert there.read_text() == "claim\n"
    there.unlink()
    (tmp_path / "recorder.toml").write_text("enrolled\n")
    assert "changed=0" in boot_files(tmp_path, "unchanged", plainsight_claim_file=str(claim))
    assert not there.exists()


@pytest.mark.parametrize(
    "settings",
    [{"plainsight_repository": "packages"}, {"plainsight_microphone": "carbon"}, {"plainsight_repository_key": ""}],
)
def test_settings_that_cannot_work_are_refused_with_the_remedy(tmp_path: Path, settings: dict[str, Any]) -> None:
    done = checked(tmp_path, **settings)
    assert done.returncode != 0
    assert "set plainsight_repository to an address" in " ".join(done.stdout.split())


def test_ansible_lint_is_content(tmp_path: Path) -> None:
    if shutil.which("ansible-lint") is None:
        pytest.skip("ansible-lint is not installed (apt-get install ansible-lint)")
    done = subprocess.run(
        ["ansible-lint", "--offline", "--nocolor", "-q", "boxes.yml", "archives.yml"], cwd=FOLDER,
        capture_output=True, text=True, check=False, timeout=600,
        env={**os.environ, "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
