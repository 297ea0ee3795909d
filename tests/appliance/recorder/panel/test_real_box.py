"""What makes a machine a real box: settings with real pins, or the recorder's unit; pins alone do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.recorder.panel.real_box import SETTINGS, UNIT, UNIT_FOLDERS, find_real_box


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_machine_with_pins_and_nothing_of_ours_is_no_box(tmp_path: Path) -> None:
    write(tmp_path / "dev/gpiochip0", "")
    assert find_real_box(tmp_path) == ""


@pytest.mark.parametrize("text", ['[panel]\nkind = "gpio"\n', "[box]\n", "", "panel = 3", "not TOML ["])
def test_settings_with_real_pins_make_a_box_and_what_cannot_be_read_counts_as_such(tmp_path: Path, text: str) -> None:
    write(tmp_path / SETTINGS, text)
    assert str(tmp_path / SETTINGS) in find_real_box(tmp_path)


@pytest.mark.parametrize("folder", UNIT_FOLDERS)
def test_the_installed_unit_makes_a_box(tmp_path: Path, folder: str) -> None:
    write(tmp_path / folder / UNIT, "[Unit]\n")
    assert UNIT in find_real_box(tmp_path)


def test_settings_of_a_simulated_panel_do_not_forbid_a_simulated_panel(tmp_path: Path) -> None:
    write(tmp_path / SETTINGS, '[panel]\nkind = "simulated"\n')
    write(tmp_path / UNIT_FOLDERS[0] / UNIT, "[Unit]\n")
    assert find_real_box(tmp_path) == ""
