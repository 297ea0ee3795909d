"""The udev rules: well-formed, named so that they take effect, and nobody but the recorder gets pins and sound."""

from __future__ import annotations

import re
import subprocess
import warnings
from pathlib import Path

import pytest

from tests.systemd.units import RECORDER, words

from .pins import ROOT

FOLDER = ROOT / "firmware_config"
RULES = sorted(FOLDER.glob("*.rules"))
TERM = re.compile(r'([A-Z]+)(\{[^}"]+\})?(==|!=|\+=|-=|:=|=)"([^"]*)"')
MATCHES = {"ACTION", "KERNEL", "SUBSYSTEM", "SUBSYSTEMS", "ATTR", "DRIVERS", "TAG", "ENV"}
ASSIGNS = {"GROUP", "MODE", "OWNER", "TAG", "ATTR", "ENV"}
VERIFIES = 254
"""udevadm's first version that can verify."""


def problems(text: str) -> list[str]:
    """Return what is wrong with rules, by the grammar of udev(7) as far as ours need it."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        terms = [TERM.fullmatch(term) for term in re.split(r",\s*(?=[A-Z])", line)]
        if not all(terms):
            found.append(f'line {number}: not a list of KEY operator "value"')
            continue
        kinds = [(term[1], term[3]) for term in terms if term]
        if not any(operator in {"==", "!="} for _, operator in kinds):
            found.append(f"line {number}: matches every device")
        if not any(operator not in {"==", "!="} for _, operator in kinds):
            found.append(f"line {number}: does nothing")
        for key, operator in kinds:
            if key not in (MATCHES if operator in {"==", "!="} else ASSIGNS):
                found.append(f"line {number}: {key}{operator} is no such match or assignment")
    return found


def udevadm_version() -> int:
    done = subprocess.run(["udevadm", "--version"], capture_output=True, text=True, check=True, timeout=60)
    return int(done.stdout.split()[0].split("~")[0])


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_udev_understands_the_rules(path: Path) -> None:
    # our own check runs everywhere; udev's on top of it where it exists
    assert problems(path.read_text(encoding="ascii")) == []
    if udevadm_version() < VERIFIES:
        warnings.warn(
            f"udevadm {udevadm_version()} cannot verify rules (Debian 12): "
            f"only the tests' own grammar checked {path.name}",
            stacklevel=1,
        )
        return
    done = subprocess.run(
        ["udevadm", "verify", "--resolve-names=never", "--no-summary", str(path)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "wrong",
    [
        'SUBSYSTEM="sound", GROUP="x"',
        'SUBSYSTEM=="sound"',
        'SUBSYSTEM=="sound", GRUOP="x"',
        'SUBSYSTEM==sound, MODE="0"',
    ],
)
def test_our_own_check_notices_mistakes(wrong: str) -> None:
    assert problems(wrong)


def rules(name: str) -> str:
    return (FOLDER / name).read_text(encoding="ascii")


def test_the_groups_are_those_of_the_recorders_unit() -> None:
    given = set(re.findall(r'GROUP="([^"]+)"', rules("99-plainsight.rules"))) - {"root"}
    assert given == set(words(RECORDER, "SupplementaryGroups"))


def test_the_rules_are_named_so_that_they_take_effect() -> None:
    others = ["70-uaccess.rules", "73-seat-late.rules", "99-com.rules"]
    # the tag is set in 70 and acted upon in 73; 99-com is Raspberry Pi OS's, which gives pins to the group gpio
    assert sorted([*others, *(path.name for path in RULES)]) == [
        "70-uaccess.rules",
        "72-plainsight-no-seat.rules",
        "73-seat-late.rules",
        "99-com.rules",
        "99-plainsight.rules",
    ]


def test_promise_4_nobody_is_lent_a_microphone_for_sitting_at_the_console() -> None:
    assert 'SUBSYSTEM=="sound", TAG-="uaccess"' in rules("72-plainsight-no-seat.rules")


def test_promise_1_the_lamps_line_cannot_be_moved_behind_the_recorders_back() -> None:
    # /dev/gpiomem reaches the pins' registers, whoever holds the line; Raspberry Pi OS gives it to the group gpio
    assert 'KERNEL=="gpiomem*", GROUP="root", MODE="0600"' in rules("99-plainsight.rules")
    assert set(re.findall(r'MODE="(\d+)"', rules("99-plainsight.rules"))) == {"0660", "0600"}
