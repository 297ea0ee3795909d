"""The commands' set-up: what it cannot do it says, with the line that helps."""

from __future__ import annotations

import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = sorted(
    path.name
    for path in (ROOT / "deploy").iterdir()
    if path.is_file() and "make_environment" in path.read_text(encoding="utf-8")
)


def tool(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.mark.parametrize("command", COMMANDS)
def test_without_root_and_sudo_a_missing_package_is_named_with_the_line_for_an_administrator(
    tmp_path: Path, command: str
) -> None:
    for name in ("bash", "basename", "dirname", "grep", "sed", "cat", "realpath"):
        real = subprocess.run(["sh", "-c", f"command -v {name}"], capture_output=True, text=True, check=True).stdout
        (tmp_path / name).symlink_to(real.strip())
    tool(tmp_path, "id", "echo 1000")
    tool(tmp_path, "dpkg-query", "echo not-installed")
    tool(tmp_path, "apt-get", "echo apt-get was run; exit 1")
    done = subprocess.run(
        [str(ROOT / "deploy" / command)],
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == (2 if command == "verify" else 1), "1 would say that a package is not intact"
    assert "apt-get install --no-install-recommends python3-venv" in done.stderr
    assert "administrator" in done.stderr
    assert "apt-get was run" not in done.stdout + done.stderr


def test_every_file_of_the_packages_is_installed_with_them() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["*"]
    listed = subprocess.run(
        ["git", "ls-files", "appliance", "archive"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    left = [
        name
        for name in listed.stdout.splitlines()
        if not name.endswith(".py") and not any(fnmatch(Path(name).name, pattern) for pattern in patterns)
    ]
    assert not left, "enter its kind under [tool.setuptools.package-data] in pyproject.toml"
