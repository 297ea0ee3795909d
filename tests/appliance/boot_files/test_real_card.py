"""The shipped fragments on a real boot partition: the kernel's own trees take every overlay, with its parameters.

On a Raspberry Pi it is tried with /boot/firmware; elsewhere name a mounted card's in PLAINSIGHT_BOOT. Where dtmerge is
installed (raspi-utils), it says what the firmware's own code makes of each parameter.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from appliance.boot_files.check import check_boot
from appliance.boot_files.config_txt import read_config
from appliance.boot_files.device_lines import read_devices
from appliance.boot_files.device_tree import read_overlay
from appliance.boot_files.models import MODELS, Model
from appliance.boot_files.overlay_library import Library
from appliance.boot_files.panel_pins import SHIPPED
from tests.support.boot_partition import CMDLINE, CONFIG, FIRMWARE, prepare

BOOT = Path(os.environ.get("PLAINSIGHT_BOOT", "/boot/firmware"))
FRAGMENTS = [(), ("microphone-adau7002.txt",), ("microphone-voicehat.txt",), ("rtc-ds3231.txt", "wired-only.txt")]
pytestmark = pytest.mark.skipif(
    not (BOOT / "overlays" / "README").exists(),
    reason=f"{BOOT} is no boot partition of Raspberry Pi OS; name one with PLAINSIGHT_BOOT",
)


@pytest.fixture
def card(tmp_path: Path) -> Path:
    folder = tmp_path / "bootfs"
    folder.mkdir()
    (folder / "overlays").symlink_to(BOOT / "overlays")
    for tree in BOOT.glob("*.dtb"):
        shutil.copy(tree, folder)
    (folder / "config.txt").write_text(CONFIG)
    (folder / "cmdline.txt").write_text(CMDLINE)
    return folder


def present() -> list[Model]:
    return [model for model in MODELS.values() if (BOOT / model.tree).exists()]


@pytest.mark.parametrize("fragments", FRAGMENTS)
def test_the_checker_is_content(card: Path, fragments: tuple[str, ...]) -> None:
    prepare(card, *fragments)
    assert {one.verdict for one in check_boot(card, SHIPPED)} == {"ok"}


# the clock's overlay gets its bus by a parameter, which dtmerge alone can give
@pytest.mark.parametrize("fragments", [*FRAGMENTS[:3], ("wired-only.txt",)])
def test_fdtoverlay_applies_every_overlay_to_every_base_tree(card: Path, fragments: tuple[str, ...]) -> None:
    # ours alone: fdtoverlay does not know the dormant parts of the display's overlay
    (card / "config.txt").write_text("")
    prepare(card, *fragments)
    library = Library.read(card / "overlays")
    assert present(), f"{BOOT} has no base tree of a model that a box can be"
    for model in present():
        found = read_devices(read_config(card, model), library, frozenset(), model)
        files = [_without_parameters(library.folder / f"{one.file}.dtbo", card) for one in found.overlays]
        done = subprocess.run(
            ["fdtoverlay", "-i", str(card / model.tree), "-o", str(card / "out.dtb"), *files],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


def _without_parameters(overlay: Path, folder: Path) -> str:
    """Return a copy without what only the Pi's firmware and dtmerge know: libfdt takes it for broken references."""
    copy = folder / overlay.name
    shutil.copy(overlay, copy)
    for node in ("/__overrides__", "/__local_fixups__/__overrides__", "/__symbols__"):
        # a node that is not there is one that need not be removed
        subprocess.run(["fdtput", "-r", str(copy), node], capture_output=True, check=False, timeout=60)
    return str(copy)


@pytest.mark.skipif(shutil.which("dtmerge") is None, reason="dtmerge (raspi-utils) is not installed")
@pytest.mark.parametrize("fragments", FRAGMENTS)
def test_dtmerge_knows_every_parameter(card: Path, fragments: tuple[str, ...]) -> None:
    prepare(card, *fragments)
    library = Library.read(card / "overlays")
    for model in present():
        tree = card / model.tree
        config = read_config(card, model)
        found = read_devices(config, library, read_overlay(tree).parameters | library.base_parameters, model)
        board = [f"{name}={value}" for name, (value, _) in found.board.items()]
        runs = [["-", *board]]
        runs += [
            [str(library.folder / f"{one.file}.dtbo"), *_given(one.parameters)] for one in found.overlays if one.file
        ]
        for arguments in runs:
            done = subprocess.run(
                ["dtmerge", str(tree), str(card / "out.dtb"), *arguments],
                capture_output=True, text=True, check=False, timeout=60,
            )  # fmt: skip
            assert done.returncode == 0, (arguments, done.stdout + done.stderr)
            shutil.move(card / "out.dtb", tree)


def _given(parameters: dict[str, str]) -> list[str]:
    return [f"{name}={value}" if value else name for name, value in parameters.items()]


def test_the_fragments_lie_where_they_are_looked_for() -> None:
    assert all((FIRMWARE / name).exists() for names in FRAGMENTS for name in names)
