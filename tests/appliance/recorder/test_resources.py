"""Memory, handles and names run out before a recording does: each is seen before, and told by a code of its own."""

from __future__ import annotations

import resource
from pathlib import Path
from types import SimpleNamespace

import pytest

from appliance.contract import amber_codes
from appliance.recorder import device_checks, resources
from tests.support.box.supervisor import plug, settings

MB = 1 << 20


def proc(folder: Path, *, available: str = "MemAvailable:     900000 kB", handles: str = "1000\t0\t99999") -> Path:
    (folder / "self" / "fd").mkdir(parents=True)
    for number in range(20):
        (folder / "self" / "fd" / str(number)).touch()
    (folder / "sys" / "fs").mkdir(parents=True)
    (folder / "sys" / "fs" / "file-nr").write_text(f"{handles}\n")
    (folder / "meminfo").write_text(f"MemTotal:        1000000 kB\nMemFree:           20000 kB\n{available}\n")
    return folder


def test_each_has_a_code_that_lets_a_press_record_and_says_what_to_do() -> None:
    for code in (resources.MEMORY, resources.HANDLES, resources.NAMES):
        assert amber_codes.known(code)
        assert amber_codes.find(code).press == "records"


@pytest.mark.parametrize(
    ("line", "low"),
    [
        ("MemAvailable:      65535 kB", True),
        ("MemAvailable:      65536 kB", False),
        ("MemAvailable:          0 kB", True),
        ("NoSuchLine:            0 kB", False),
    ],
)
def test_memory_is_low_below_what_two_processes_need(tmp_path: Path, line: str, low: bool) -> None:
    fault = resources.memory_fault(proc(tmp_path, available=line))
    assert (fault is not None) == low
    assert fault is None or "64 are wanted" in fault


@pytest.mark.parametrize(("soft", "low"), [(51, True), (52, False)])
def test_handles_are_low_when_this_process_nears_its_own_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, soft: int, low: bool
) -> None:
    """The limit is told, not set: this process has as many files open as the tests before it left."""
    place = proc(tmp_path)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, 4096))
    fault = resources.handles_fault(place)
    assert (fault is not None) == low
    assert fault is None or "LimitNOFILE" in fault


@pytest.mark.parametrize(("numbers", "low"), [("99800\t0\t100000", True), ("99744\t0\t100000", False), ("", False)])
def test_handles_are_low_when_the_machine_nears_its_limit(tmp_path: Path, numbers: str, low: bool) -> None:
    fault = resources.handles_fault(proc(tmp_path, handles=numbers))
    assert (fault is not None) == low
    assert fault is None or "fs.file-max" in fault


def test_a_kernel_that_tells_nothing_has_nothing_wrong(tmp_path: Path) -> None:
    (tmp_path / "self" / "fd").mkdir(parents=True)
    assert resources.memory_fault(tmp_path) is None
    assert resources.handles_fault(tmp_path) is None


@pytest.mark.parametrize(("name", "code"), [("memory_fault", resources.MEMORY), ("handles_fault", resources.HANDLES)])
def test_the_idle_checks_tell_what_is_low(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: str
) -> None:
    plug(tmp_path)
    given = settings(tmp_path)
    assert device_checks.look(given).faults == set()
    monkeypatch.setattr(resources, name, lambda: "low")
    assert device_checks.look(given).faults == {code}


@pytest.mark.parametrize(("files", "left", "names"), [(1000, 7, 7), (0, 0, None)])
def test_a_file_system_without_a_limit_of_names_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: int, left: int, names: int | None
) -> None:
    monkeypatch.setattr("os.statvfs", lambda _: SimpleNamespace(f_files=files, f_favail=left))
    assert resources.free_names(tmp_path) == names
