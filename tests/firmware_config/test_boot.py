"""config.txt and cmdline.txt: audio only, nothing flickers, and in the shape that the firmware reads."""

from __future__ import annotations

import re

from .pins import ROOT

FOLDER = ROOT / "firmware_config"
LONGEST = 98
"""The firmware ignores what follows on a line of config.txt."""


def settings() -> list[str]:
    lines = (FOLDER / "config.txt").read_text(encoding="ascii").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_every_line_of_config_txt_is_one_that_the_firmware_reads() -> None:
    for line in (FOLDER / "config.txt").read_text(encoding="ascii").splitlines():
        assert len(line) <= LONGEST, line
        assert not line or line[0] == "#" or re.fullmatch(r"\[all\]|[a-z0-9_]+=[a-z0-9_,=-]*", line), line
        # a comment behind a value would be a part of the value
        assert line.startswith("#") or "#" not in line, line


def test_it_speaks_of_the_board_whatever_stands_before_it() -> None:
    # the shipped file may end in a filter such as [cm5], and its last overlay would catch our dtparam lines
    assert settings()[:2] == ["[all]", "dtoverlay="]


def test_guideline_3_no_camera_is_enabled() -> None:
    assert "camera_auto_detect=0" in settings()
    assert "start_x=0" in settings()
    # a sensor's or camera's overlay would enable it all the same
    assert not [line for line in settings() if re.match(r"dtoverlay=(ov|imx|camera|cam)", line)]
    assert "module_blacklist=uvcvideo" in words()


def test_no_sound_but_the_microphones_and_a_watchdog() -> None:
    assert {"dtparam=audio=off", "dtparam=watchdog=on"} <= set(settings())


def test_guideline_7_the_boards_own_light_does_not_blink() -> None:
    assert "dtparam=act_led_trigger=none" in settings()


def words() -> list[str]:
    text = (FOLDER / "cmdline.txt").read_text(encoding="ascii")
    assert text.count("\n") == 1, "the kernel's command line is one line"
    return text.split()


def test_the_kernels_words_are_explained_and_given_once() -> None:
    names = [word.split("=")[0] for word in words()]
    assert len(set(names)) == len(names)
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^- `([^`]+)`:", readme, flags=re.MULTILINE)) == set(words())


def test_the_units_memory_limits_have_a_controller() -> None:
    # the Pi's firmware turns it off
    assert "cgroup_enable=memory" in words()


def test_every_file_here_is_told_where_to_go() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    files = {path.name for path in FOLDER.iterdir() if path.is_file() and path.name != "README.md"}
    assert files == set(re.findall(r"`([\w.-]+\.(?:txt|rules|conf))`", readme.split("\n\n")[1]))


def test_every_file_says_where_its_lines_come_from() -> None:
    for path in [*sorted(FOLDER.glob("*.txt")), FOLDER / "eeprom.conf"]:
        # the kernel's words have no room for it beside them
        said = (FOLDER / "README.md" if path.name == "cmdline.txt" else path).read_text(encoding="utf-8")
        assert "overlays/README" in said or "Source" in said, path.name


def test_every_setting_has_a_reason_above_it() -> None:
    for path in [*FOLDER.glob("*.txt"), FOLDER / "eeprom.conf"]:
        if path.name == "cmdline.txt":
            continue
        reason = False
        for line in path.read_text(encoding="ascii").splitlines():
            if not line:
                reason = False
            elif line.startswith("#"):
                reason = True
            elif line not in {"[all]", "dtoverlay="}:
                assert reason, f"{path.name}: {line}"
