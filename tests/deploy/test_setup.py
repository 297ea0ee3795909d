"""The commands' set-up: what it cannot do it says, with the line that helps."""

from __future__ import annotations

import re
import shutil
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
ALL = sorted(path.name for path in (ROOT / "deploy").iterdir() if path.is_file())


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


@pytest.mark.parametrize("command", ALL)
def test_help_needs_nothing_installed_and_makes_nothing(tmp_path: Path, command: str) -> None:
    programs, home = tmp_path / "bin", tmp_path / "home"
    programs.mkdir()
    home.mkdir()
    for name in ("bash", "dirname", "sed"):
        (programs / name).symlink_to(shutil.which(name) or f"/usr/bin/{name}")
    for asked in ("--help", "-h"):
        done = subprocess.run(
            [str(ROOT / "deploy" / command), asked],
            env={"PATH": str(programs), "HOME": str(home)},
            cwd=home,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert f"deploy/{command}" in done.stdout
        assert "set -euo" not in done.stdout
        assert not list(home.iterdir())


@pytest.mark.parametrize(
    ("command", "sources"),
    [
        ("demo", ["appliance/simulator/demo/__main__.py"]),
        ("fleet", ["appliance/simulator/fleet/__main__.py"]),
        ("verify", ["appliance/verify/command.py"]),
        ("faults", ["tests/faults/__main__.py"]),
        ("bench", [f"tests/bench/{name}.py" for name in ("cost", "latency", "records", "redaction", "reading")]),
    ],
)
def test_help_names_every_argument(command: str, sources: list[str]) -> None:
    head = (ROOT / "deploy" / command).read_text().partition("set -euo")[0]
    # an argument of a parser, or a campaign of the table of faults
    argument = re.compile(r'(?:add_argument\(\s*|^ {4})"(--[a-z-]+)"', re.MULTILINE)
    found = {one for path in sources for one in argument.findall((ROOT / path).read_text())}
    assert found
    assert {one for one in found if one not in head} == set()


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


def test_a_program_in_a_root_uses_the_roots_own_folder_for_temporary_files(tmp_path: Path) -> None:
    """dpkg-deb ends where TMPDIR names a folder that only the caller's root has."""
    tool(tmp_path, "unshare", "echo TMPDIR=${TMPDIR-none}")
    (tmp_path / ".packages").touch()
    # what makes the cache's folder is none of this test's business
    text = (ROOT / "deploy" / "lib" / "roots.sh").read_text().replace("/var/cache/plainsight", str(tmp_path / "cache"))
    done = subprocess.run(
        ["bash", "-c", f'{text}\nin_root "$1" true', "bash", str(tmp_path)],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "TMPDIR": "/home/somebody/tmp"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout == "TMPDIR=none\n", done.stderr
