"""What doctor says of the settings in a board's boot chip, which a new board brings along (eeprom.conf).

The bytes are as the kernel of a Pi shows them. None of this was tried on a real board.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.contract.check_result import CheckResult
from appliance.recorder.doctor import command
from appliance.recorder.doctor.bootloader import boot_device, check_bootloader, shown_by_kernel
from tests.support.box.supervisor import settings

SHIPPED = Path(__file__).resolve().parents[4] / "firmware_config" / "eeprom.conf"
PI = "Raspberry Pi 4 Model B Rev 1.5"
CARD = "/dev/mmcblk0p1"
FACTORY = "[all]\nBOOT_UART=0\nWAKE_ON_GPIO=1\nPOWER_OFF_ON_HALT=0\n"
"""What a new Pi 4 has (rpi-eeprom)."""


def check(text: str | None, board: str = PI, device: str = CARD) -> list[CheckResult]:
    return list(check_bootloader(board, device, lambda: text))


@pytest.mark.parametrize("board", [PI, "Raspberry Pi 5 Model B Rev 1.0", "Raspberry Pi Compute Module 4 Rev 1.1"])
def test_what_the_project_ships_is_well(board: str) -> None:
    (found,) = check(SHIPPED.read_text(), board)
    assert (found.verdict, found.found) == ("ok", "BOOT_ORDER=0xf1, BOOT_UART=0, WAKE_ON_GPIO=0")


def test_a_new_board_starts_other_systems_and_the_remedy_is_a_command() -> None:
    (found,) = check(FACTORY)
    assert found.verdict == "warning"
    assert found.found == "BOOT_ORDER is not set, not 0xf1; WAKE_ON_GPIO is 1, not 0"
    assert f"rpi-eeprom-config --apply {SHIPPED}" in found.remedy


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("[all]\nBOOT_ORDER=0x000000f1\nWAKE_ON_GPIO=0\n", "ok"),
        ("BOOT_ORDER=0xf1\nWAKE_ON_GPIO=0\n[pi5]\nBOOT_ORDER=0xf461\n", "ok"),
        ("BOOT_ORDER=0xf1\nWAKE_ON_GPIO=0\n[pi4]\nBOOT_ORDER=0xf41\n", "warning"),
        ("BOOT_ORDER=0xf41\nBOOT_ORDER=0xf1\nWAKE_ON_GPIO=0\n", "ok"),
        ("BOOT_ORDER=nonsense\nWAKE_ON_GPIO=0\n", "warning"),
        ("BOOT_ORDER=0xf1\nWAKE_ON_GPIO=0\nBOOT_UART=1\n", "warning"),
        ("", "warning"),
    ],
)
def test_it_is_read_as_the_bootloader_reads_it(text: str, verdict: str) -> None:
    assert [found.verdict for found in check(text)] == [verdict]


def test_a_box_that_starts_from_a_stick_is_not_told_to_start_from_a_card() -> None:
    (found,) = check("BOOT_ORDER=0xf14\nWAKE_ON_GPIO=0\n", device="/dev/sda1")
    assert (found.verdict, "BOOT_ORDER" in found.found) == ("ok", False)


@pytest.mark.parametrize("board", ["Raspberry Pi 3 Model B Plus Rev 1.3", "Raspberry Pi Zero 2 W Rev 1.0", "KVM", ""])
def test_a_board_without_such_a_chip_has_nothing_to_say(board: str) -> None:
    assert check(FACTORY, board) == []


def test_a_kernel_that_shows_nothing_is_told_and_how_to_look(tmp_path: Path) -> None:
    assert shown_by_kernel(tmp_path) is None
    (found,) = check(None)
    assert (found.verdict, "vcgencmd bootloader_config" in found.remedy) == ("warning", True)


def test_the_right_one_of_several_memories_is_read(tmp_path: Path) -> None:
    for name, compatible, data in (
        ("rmem0", b"raspberrypi,bootloader-public-key\0nvmem-rmem\0", b"\x30\x82"),
        ("rmem1", b"raspberrypi,bootloader-config\0nvmem-rmem\0", b"[all]\nBOOT_ORDER=0xf1\n" + bytes(100)),
        ("eeprom0", b"raspberrypi,bootloader-config\0", b"another kind"),
    ):
        (tmp_path / name / "of_node").mkdir(parents=True)
        (tmp_path / name / "of_node" / "compatible").write_bytes(compatible)
        (tmp_path / name / "nvmem").write_bytes(data)
    (tmp_path / "rmem00").mkdir()
    (tmp_path / "rmem00" / "nvmem").write_bytes(b"nobody says what this is")
    assert shown_by_kernel(tmp_path) == "[all]\nBOOT_ORDER=0xf1\n"


def test_the_device_of_the_boot_partition_is_found(tmp_path: Path) -> None:
    (tmp_path / "mounts").write_text("/dev/mmcblk0p2 / ext4 rw 0 0\n/dev/mmcblk0p1 /boot/firmware vfat rw 0 0\n")
    assert boot_device(Path("/boot/firmware"), tmp_path / "mounts") == CARD
    assert boot_device(Path("/boot"), tmp_path / "mounts") == ""


def test_the_command_looks_at_it_where_the_pins_are_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "board_model", lambda: PI)
    monkeypatch.setattr(command, "shown_by_kernel", lambda: FACTORY)
    real, simulated = (settings(tmp_path, panel={"kind": kind}) for kind in ("gpio", "simulated"))
    assert [found.check for found in command.bootloader(real)] == ["bootloader"]
    assert list(command.bootloader(simulated)) == []
