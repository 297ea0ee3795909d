"""The boot-file checker: wrong boot files, each with its verdict; and what it refuses to judge."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.boot_files.check import check_boot
from appliance.boot_files.cmdline_txt import NEEDED
from appliance.boot_files.models import MODELS
from appliance.boot_files.panel_pins import SHIPPED, PanelPins
from appliance.command import main
from appliance.contract.check_result import CheckResult
from appliance.contract.errors import SettingsError
from tests.support.boot_partition import FIRMWARE, prepare

Spoil = Callable[[Path], object]


def append(*lines: str) -> Spoil:
    def spoil(card: Path) -> None:
        with (card / "config.txt").open("a") as file:
            file.write("\n".join(["", *lines, ""]))

    return spoil


def replace(name: str, old: str, new: str) -> Spoil:
    def spoil(card: Path) -> None:
        path = card / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return spoil


def included(card: Path) -> None:
    (card / "extra.txt").write_text("dtparam=watchdog=off\n")
    append("include extra.txt")(card)


WRONG: list[tuple[str, Spoil, str, str]] = [
    (
        "a camera below",
        append("camera_auto_detect=1"),
        "camera_auto_detect=1: a camera would work",
        "append camera_auto_detect=0",
    ),
    ("a camera's overlay", append("dtoverlay=imx219"), "enables a camera (imx219)", "remove the line"),
    ("start_x", append("start_x=1"), "start_x=1: a camera would work", "append start_x=0"),
    ("the board's sound", append("dtparam=audio=on"), "switches the board's own sound on", "dtparam=audio=off"),
    (
        "sound on, whose off an overlay catches",
        replace(
            "config.txt",
            "[all]\n# ends the reach of an overlay above, so that the parameters below mean the board "
            "itself\ndtoverlay=\n",
            "[all]\n",
        ),
        "switches the board's own sound on",
        "an empty dtoverlay=",
    ),
    ("no watchdog", replace("config.txt", "dtparam=watchdog=on", "#"), "no hardware watchdog", "dtparam=watchdog=on"),
    (
        "a watchdog that is switched off in an included file",
        included,
        "extra.txt line 1 switches it off",
        "watchdog=on",
    ),
    (
        "a watchdog below a filter of another model",
        replace("config.txt", "dtparam=watchdog=on", "[cm4]\ndtparam=watchdog=on\n[all]"),
        "stands below [cm4]: put [all] above it",
        "watchdog=on",
    ),
    (
        "lamp pin driven high",
        append("gpio=23=op,dh"),
        "REC_EN (GPIO 23) is not off from the start: config.txt line",
        "append gpio=23=op,dl",
    ),
    ("lamp pin in a range", append("gpio=20-25=ip,pu"), "leaves it dl,ip,pu", "append gpio=23=op,dl"),
    ("no line for the button", replace("config.txt", "gpio=24=ip,pd", "#"), "BUTTON (GPIO 24)", "append gpio=24=ip,pd"),
    ("a pin line that is none", append("gpio=23:op,dl"), "is no list of pins and attributes", "gpio=23=op,dl"),
    (
        "everything below another model",
        replace("config.txt", "[all]\n# ends", "[cm5]\n# ends"),
        "stands below [cm5]: put [all] above it",
        "append",
    ),
    (
        "a filter that does not exist",
        append("[pi6]", "dtparam=spi=off", "[all]"),
        "the firmware knows no filter [pi6]",
        "write [all]",
    ),
    (
        "a line too long",
        append("dtoverlay=w1-gpio,gpiopin=5," + "pullup=1," * 10),
        "is longer than 98 characters",
        "several lines",
    ),
    ("a comment behind a value", append("start_x=0 # no camera"), "a comment behind a value", "a line of its own"),
    (
        "an overlay that does not exist",
        append("dtoverlay=w1-gpi"),
        "there is no overlay 'w1-gpi'",
        "did you mean w1-gpio?",
    ),
    ("an overlay that was given up", append("dtoverlay=lirc-rpi"), "there is no overlay 'lirc-rpi'", "README"),
    (
        "a parameter that does not exist",
        append("dtoverlay=w1-gpio,gpiopn=5"),
        "w1-gpio has no parameter 'gpiopn'",
        "did you mean gpiopin?",
    ),
    (
        "a parameter of the board that does not exist",
        append("dtparam=watchdg=on"),
        "the board has no parameter 'watchdg'",
        "<The base DTB>",
    ),
    (
        "an overlay on the lamp's pin",
        append("dtoverlay=w1-gpio,gpiopin=23"),
        "GPIO 23 has two uses: REC_EN and w1-gpio",
        "remove one of the lines",
    ),
    (
        "an overlay whose own pin is the button's",
        append("dtoverlay=fake-display,reset_pin=5"),
        "GPIO 24 has two uses: BUTTON and fake-display",
        "remove one of the lines",
    ),
    (
        "an overlay under its old name",
        append("dtoverlay=w1-gpio-old,gpiopin=17"),
        "GPIO 17 has two uses: STATUS amber and w1-gpio-old",
        "remove one of the lines",
    ),
    (
        "two microphones on one bus",
        append("dtoverlay=adau7002-simple", "dtoverlay=googlevoicehat-soundcard"),
        "GPIO 18, 19, 20, 21 has two uses: adau7002-simple",
        "remove one of the lines",
    ),
    (
        "pins that are given up with their owner",
        append("dtparam=strict_gpiod=on"),
        "go dark before the microphone",
        "remove the line",
    ),
    (
        "a command line of two lines",
        replace("cmdline.txt", " panic=10", "\npanic=10"),
        "only the first is read",
        "into one line",
    ),
    ("no system", replace("cmdline.txt", "root=PARTUUID=01234567-02", ""), "says no root=", "just written"),
    (
        "no memory limits",
        replace("cmdline.txt", "cgroup_enable=memory", ""),
        "lacks cgroup_enable=memory",
        "append cgroup_enable=memory",
    ),
    (
        "memory limits switched off",
        replace("cmdline.txt", "panic=10", "panic=10 cgroup_disable=memory"),
        "cgroup_disable=memory",
        "remove cgroup_disable=memory",
    ),
    (
        "a lamp that goes dark first",
        replace("cmdline.txt", "bcm2835.persist_gpio_outputs=y", "bcm2835.persist_gpio_outputs=n"),
        "persist_gpio_outputs=n, not y",
        "write pinctrl_bcm2835.persist_gpio_outputs=y",
    ),
    (
        "a camera's driver",
        replace("cmdline.txt", "module_blacklist=uvcvideo", "module_blacklist=pcspkr"),
        "without uvcvideo",
        "module_blacklist=uvcvideo",
    ),
    (
        "a rescue shell",
        replace("cmdline.txt", "panic=10", "panic=10 init=/bin/sh"),
        "in systemd's place",
        "remove init=/bin/sh",
    ),
    (
        "a service that is switched off",
        replace("cmdline.txt", "panic=10", "panic=10 systemd.mask=plainsight-recorder.service"),
        "a service of the box off",
        "remove systemd.mask",
    ),
]


@pytest.mark.parametrize(("spoil", "found", "remedy"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_wrong_boot_file_is_told_with_its_remedy(card: Path, spoil: Spoil, found: str, remedy: str) -> None:
    spoil(card)
    told = [result for result in check_boot(card, SHIPPED) if result.verdict == "wrong"]
    assert [one for one in told if found in one.found and remedy in one.remedy], [one.as_text() for one in told]


def verdicts(results: list[CheckResult]) -> set[str]:
    return {result.verdict for result in results}


@pytest.mark.parametrize(
    "fragments",
    [(), ("microphone-adau7002.txt",), ("microphone-voicehat.txt",), ("rtc-ds3231.txt", "wired-only.txt")],
)
def test_a_prepared_card_is_well_with_every_microphone(fresh: Path, fragments: tuple[str, ...]) -> None:
    prepare(fresh, *fragments)
    results = check_boot(fresh, SHIPPED)
    assert verdicts(results) == {"ok"}, [one.as_text() for one in results]


def test_a_fresh_card_of_raspberry_pi_os_is_not_a_box(fresh: Path) -> None:
    found = " ".join(result.found for result in check_boot(fresh, SHIPPED) if result.verdict == "wrong")
    for what in ("camera", "sound", "watchdog", "REC_EN", "persist_gpio_outputs"):
        assert what in found


def test_what_only_one_model_sees_is_told_of_that_model(card: Path) -> None:
    append("[pi4]", "start_x=1", "[all]")(card)
    lines = len((card / "config.txt").read_text().splitlines())
    results = check_boot(card, SHIPPED)
    assert [one.found for one in results if one.verdict == "wrong"] == [
        f"on Pi 4: config.txt line {lines - 1} has start_x=1: a camera would work"
    ]
    assert verdicts(check_boot(card, SHIPPED, (MODELS["pi5"],))) == {"ok"}


def test_the_zero_2_sees_three_filters(card: Path) -> None:
    for name in ("pi0", "pi0w", "pi02"):
        (card / "config.txt").write_text((card / "config.txt").read_text() + f"[{name}]\nstart_x=1\n[all]\nstart_x=0\n")
    append("[pi02]", "start_x=1")(card)
    found = [one.found for one in check_boot(card, SHIPPED) if one.verdict == "wrong"]
    assert len(found) == 1
    assert found[0].startswith("on Zero 2 W: ")


def test_a_filter_that_only_the_board_can_answer_is_a_warning(card: Path) -> None:
    append("[gpio4=1]", "start_x=1", "[all]")(card)
    results = check_boot(card, SHIPPED)
    assert [one.verdict for one in results if one.check == "config.txt"] == ["warning"]
    assert "only the board knows" in results[0].found


def test_filters_of_different_kinds_add_up_and_all_clears_them(card: Path) -> None:
    append("[gpio4=1]", "[cm4]", "start_x=1", "[all]")(card)
    # a compute module with that pin high: no box at all
    assert verdicts(check_boot(card, SHIPPED)) == {"ok"}


def test_the_panels_pins_are_those_of_the_box(card: Path) -> None:
    moved = PanelPins(outputs={"REC_EN": 5}, inputs={"BUTTON": 24})
    assert [one.remedy for one in check_boot(card, moved) if one.verdict == "wrong"] == [
        "append gpio=5=op,dl below [all]"
    ]


def test_the_shipped_words_of_the_kernel_are_the_ones_that_are_checked() -> None:
    assert (FIRMWARE / "cmdline.txt").read_text().split() == list(NEEDED)


def overlay(card: Path) -> Path:
    return card / "overlays" / "disable-bt.dtbo"


UNREADABLE: list[tuple[str, Spoil, str]] = [
    ("no boot partition", lambda card: (card / "config.txt").unlink(), "config.txt"),
    ("no command line", lambda card: (card / "cmdline.txt").unlink(), "cmdline.txt"),
    ("bytes that are no text", lambda card: (card / "config.txt").write_bytes(b"start_x=0\0\0"), "no text"),
    ("another encoding", lambda card: (card / "config.txt").write_bytes(b"# \xff\xfe"), "not UTF-8"),
    ("an include that is not there", append("include missing.txt"), "missing.txt"),
    ("files that include each other", append("include config.txt"), "include each other"),
    ("an include from elsewhere", append("include ../outside.txt"), "outside of the boot partition"),
    ("no overlays", lambda card: (card / "overlays" / "README").unlink(), "overlays"),
    ("an overlay that is damaged", lambda card: overlay(card).write_bytes(b"\xd0\x0d"), "no device tree"),
    (
        "an overlay that is cut off",
        lambda card: overlay(card).write_bytes(overlay(card).read_bytes()[:-20]),
        "no device tree",
    ),
    ("another set of files", append("os_prefix=other/"), "os_prefix"),
    ("a file that is far too large", lambda card: (card / "config.txt").write_text("#\n" * 200000), "larger than"),
]


@pytest.mark.parametrize(("spoil", "words"), [row[1:] for row in UNREADABLE], ids=[row[0] for row in UNREADABLE])
def test_what_cannot_be_read_is_refused_and_not_judged(card: Path, spoil: Spoil, words: str) -> None:
    spoil(card)
    with pytest.raises(SettingsError, match=words):
        check_boot(card, SHIPPED)


def doctor(card: Path, *arguments: str) -> int:
    return main(["doctor", "--config", "/nowhere/recorder.toml", "--boot", str(card), *arguments])


def test_the_command_says_it_by_its_status(card: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor(card) == 0
    append("start_x=1")(card)
    assert doctor(card, "--json") == 1
    out = capsys.readouterr().out
    assert not json.loads(out[out.index("{") :])["ok"]
    assert doctor(card, "--model", "pi4") == 1
    (card / "config.txt").unlink()
    assert doctor(card) == 2
    assert "name the mounted boot partition" in capsys.readouterr().err
    assert doctor(card / "nowhere") == 2
    assert main(["doctor", "--model", "pi4"]) == 2
