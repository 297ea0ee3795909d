"""The `plainsight` command: what it says to a person, and that each exit status has one meaning."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from appliance import command
from appliance.contract.standard_output import BROKEN_PIPE
from appliance.contract.version import software
from tests.support.packages import Sealed
from tests.support.spools import Keys, make_recording


def run(*arguments: str, stdout: int | IO[str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "appliance.command", *arguments],
        check=False,
        text=True,
        timeout=60,
        stdout=subprocess.PIPE if stdout is None else stdout,
        stderr=subprocess.PIPE,
    )


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An intact package, with its key ring beside it."""
    folder = tmp_path_factory.mktemp("package")
    keys = Keys()
    path = folder / "meeting.zip"
    path.write_bytes(Sealed(make_recording(folder / "spool", keys, rate=8000, segment_frames=1000), "complete").build())
    path.with_name("keyring.json").write_text(keys.ring().model_dump_json())
    return path


def test_the_version_is_told() -> None:
    for option in ("--version", "-V"):
        result = run(option)
        assert (result.returncode, result.stdout) == (0, f"{software()}\n")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("verfy", "verify"), ("Verify", "verify"), ("comission", "commission"), ("lampsout", "lamps-out")],
)
def test_a_misspelled_subcommand_gets_a_suggestion(typed: str, meant: str) -> None:
    result = run(typed)
    assert result.returncode == 2
    assert f"there is no subcommand {typed!r}; did you mean {meant!r}?" in result.stderr


def test_a_subcommand_like_no_other_gets_the_list_only() -> None:
    result = run("frobnicate")
    assert (result.returncode, "did you mean" in result.stderr, "  verify " in result.stderr) == (2, False, True)


def broken_pipe() -> int:
    """Where nobody reads any more, as behind `| true`."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def test_a_verdict_stands_when_nobody_reads_it(package: Path) -> None:
    arguments = ["verify", str(package), "--keys", str(package.with_name("keyring.json"))]
    for more in ([], ["--json"]):
        writer = broken_pipe()
        result = run(*arguments, *more, stdout=writer)
        os.close(writer)
        assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["verify", "--help"], ["simulator", "--help"]])
def test_help_that_nobody_reads_is_no_error(arguments: list[str]) -> None:
    writer = broken_pipe()
    result = run(*arguments, stdout=writer)
    os.close(writer)
    assert result.returncode in {0, BROKEN_PIPE}
    assert result.stderr == ""


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["verify", "missing.zip"]])
def test_a_refusal_that_nobody_reads_is_no_verdict(arguments: list[str]) -> None:
    writer = broken_pipe()
    command_line = [sys.executable, "-m", "appliance.command", *arguments]
    result = subprocess.run(command_line, stdout=writer, stderr=writer, check=False, timeout=60)
    os.close(writer)
    assert result.returncode == 2


def test_a_broken_connection_is_a_defect_and_not_a_reader_that_has_gone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_arguments: list[str]) -> int:
        raise BrokenPipeError

    monkeypatch.setattr(command, "_run", broken)
    assert command.main(["courier"]) == command.DEFECT
    assert "please report" in capsys.readouterr().err


def test_a_result_that_cannot_be_written_is_status_2_and_no_verdict(package: Path) -> None:
    arguments = ["verify", str(package), "--keys", str(package.with_name("keyring.json"))]
    with Path("/dev/full").open("w") as full:
        result = run(*arguments, stdout=full)
    assert (result.returncode, "Traceback" in result.stderr) == (2, False)
    assert "No space left on device" in result.stderr


def test_a_closed_standard_output_changes_no_verdict(package: Path) -> None:
    line = f"{sys.executable} -m appliance.command verify {package} --keys {package.with_name('keyring.json')} >&-"
    result = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=False, timeout=60)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_defect_is_never_taken_for_a_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(command.SUBCOMMANDS, "verify", ("appliance.contract.version", "has no main"))
    assert command.main(["verify"]) == command.DEFECT
    assert "please report" in capsys.readouterr().err


def test_wrong_arguments_keep_argparses_status() -> None:
    assert run("verify").returncode == 2
    assert run("verify", "--help").returncode == 0
