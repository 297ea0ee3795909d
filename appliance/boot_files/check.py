"""Checks a mounted boot partition: what the firmware will make of it, beside what a box needs."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.contract.check_result import CheckResult
from appliance.contract.errors import SettingsError

from .cmdline_txt import CHECK as COMMAND_LINE
from .cmdline_txt import check_cmdline
from .config_txt import LONGEST, Config, read_config
from .device_lines import DeviceLines, LoadedOverlay, read_devices
from .device_tree import read_overlay
from .models import MODELS, Model
from .overlay_library import Library
from .panel_pins import PanelPins

CHECK: Final = "config.txt"
FRAGMENT: Final = "firmware_config/config.txt"
_ON: Final = {"on", "yes", "y", "true", "1"}
_CAMERA: Final = re.compile(
    r"(?:ov\d|imx\d|arducam|camera|cam-|adv7|tc358743|irs1125|pivariety|dummy-csi|ar0|mira|max929).*"
)
"""Overlays that enable a camera."""
_BUSES: Final[dict[str, tuple[int, ...]]] = {
    "i2s": (18, 19, 20, 21),
    "i2s_clk_producer": (18, 19, 20, 21),
    "i2s_clk_consumer": (18, 19, 20, 21),
    "spi0": (7, 8, 9, 10, 11),
    "spi": (7, 8, 9, 10, 11),
    "i2c_arm": (2, 3),
}
"""Parts of the board, as overlays and parameters call them: the header's pins that they take (BCM2711 ARM Peripherals,
alternative functions; the same on RP1)."""


@dataclass(frozen=True)
class _View:
    """One boot partition as one model sees it."""

    model: Model
    config: Config
    devices: DeviceLines
    library: Library
    pins: PanelPins

    def hidden(self, name: str, value: str = "") -> str:
        """Return where a line stands that this model does not see, as a part of a sentence."""
        for line in self.config.lines:
            if line.applies != "always" and line.name == name and line.value.startswith(value):
                return f"; the one at {line.place} stands below {line.filters}: put [all] above it"
        return ""


def check_boot(folder: Path, pins: PanelPins, models: tuple[Model, ...] = tuple(MODELS.values())) -> list[CheckResult]:
    """Return everything that is wrong with the boot partition in `folder` for any of `models`, or that all is well.

    Raises SettingsError for what cannot be read: a folder that is no boot partition, bytes that are no text, files that
    include each other, a damaged overlay.
    """
    found: dict[CheckResult, list[str]] = {}
    for model in models:
        for result in _check_model(folder, pins, model):
            found.setdefault(result, []).append(model.name)
    results = [
        result if len(names) == len(models) else _on(result, names) for result, names in found.items()
    ]  # fmt: skip
    for check in (CHECK, COMMAND_LINE):
        if not any(result.check == check for result in results):
            results.append(CheckResult(check, "ok", f"in {folder}, for {', '.join(model.name for model in models)}"))
    return results


def _on(result: CheckResult, names: list[str]) -> CheckResult:
    return CheckResult(result.check, result.verdict, f"on {' and '.join(names)}: {result.found}", result.remedy)


def _check_model(folder: Path, pins: PanelPins, model: Model) -> Iterator[CheckResult]:
    config = read_config(folder, model)
    for name in ("os_prefix", "overlay_prefix"):
        if line := config.setting(name):
            raise SettingsError(
                f"{line.place} sets {name}, so the firmware reads other files than this check; remove the line",
                field=name,
            )
    library = Library.read(folder / "overlays")
    tree = folder / model.tree
    board = read_overlay(tree).parameters if tree.exists() else library.base_parameters
    view = _View(model, config, read_devices(config, library, board | library.base_parameters, model), library, pins)
    for rule in _RULES:
        yield from rule(view)
    yield from check_cmdline(folder, config)


def _lines(view: _View) -> Iterator[CheckResult]:
    """Lines that the firmware does not read as they stand there."""
    for line in view.config.lines:
        if line.cut_off:
            yield CheckResult(
                CHECK, "wrong", f"{line.place} is longer than {LONGEST} characters; {line.cut_off!r} is not read",
                "split it into several lines",
            )  # fmt: skip
        if "#" in line.value:
            yield CheckResult(
                CHECK, "wrong", f"{line.place}: a comment behind a value is a part of the value ({line.value!r})",
                "put the comment on a line of its own",
            )  # fmt: skip
        if line.applies == "sometimes":
            yield CheckResult(
                CHECK, "warning", f"{line.place} is read only where {line.filters} holds, which only the board knows",
                "remove the filter, or check on the board",
            )  # fmt: skip
        if line.name == "include" and view.model.platform == "bcm2712":
            yield CheckResult(
                CHECK, "wrong", f"{line.place}: the Pi 5's bootloader follows no include",
                f"copy the lines of {line.value} into config.txt",
            )  # fmt: skip
    for unknown in view.config.unknown_filters:
        yield CheckResult(
            CHECK, "wrong", f"{unknown.file} line {unknown.number}: the firmware knows no filter [{unknown.text}], so "
            "nothing below it is read", "correct it, or write [all]",
        )  # fmt: skip
    for line in view.devices.malformed:
        yield CheckResult(
            CHECK, "wrong", f"{line.place}: gpio={line.value} is no list of pins and attributes",
            "write it as in gpio=23=op,dl",
        )  # fmt: skip


def _audio_only(view: _View) -> Iterator[CheckResult]:
    """Guideline 3: no camera; and no sound but the microphone."""
    for name, value in (("camera_auto_detect", "0"), ("start_x", "0")):
        line = view.config.setting(name)
        if (line is None and name == "camera_auto_detect") or (line is not None and line.value != value):
            where = f"{line.place} has {name}={line.value}" if line else f"{name} is not set"
            yield CheckResult(
                CHECK, "wrong", f"{where}: a camera would work{view.hidden(name, value)}",
                f"append {name}={value} below [all] ({FRAGMENT})",
            )  # fmt: skip
    for overlay in view.devices.overlays:
        if _CAMERA.fullmatch(overlay.name) or _CAMERA.fullmatch(overlay.file or ""):
            yield CheckResult(
                CHECK, "wrong", f"{overlay.line.place} enables a camera ({overlay.name}); a box records audio only",
                "remove the line",
            )  # fmt: skip
    value, line = view.devices.board.get("audio", ("off", None))
    if line is not None and value in _ON:
        yield CheckResult(
            CHECK, "wrong", f"{line.place} switches the board's own sound on{view.hidden('dtparam', 'audio=off')}",
            f"append dtparam=audio=off below [all] and an empty dtoverlay= ({FRAGMENT})",
        )  # fmt: skip


def _stays_alive(view: _View) -> Iterator[CheckResult]:
    """Look at the watchdog, and at what the kernel does with a dead recorder's lamp."""
    value, line = view.devices.board.get("watchdog", ("off", None))
    if value not in _ON:
        where = (
            f"{line.place} switches it off" if line else f"nothing switches it on{view.hidden('dtparam', 'watchdog')}"
        )
        yield CheckResult(
            CHECK, "wrong", f"no hardware watchdog: {where}; a box that hangs stays so",
            f"append dtparam=watchdog=on below [all] and an empty dtoverlay= ({FRAGMENT})",
        )  # fmt: skip
    value, line = view.devices.board.get("strict_gpiod", ("off", None))
    if line is not None and value in _ON:
        yield CheckResult(
            CHECK, "wrong", f"{line.place} sets strict_gpiod: the red lamp would go dark before the microphone is "
            "closed when the recorder dies (docs/wiring)", "remove the line",
        )  # fmt: skip


def _keeps_quiet(view: _View) -> Iterator[CheckResult]:
    """Guideline 7, and no radio that nobody needs."""
    value, _ = view.devices.board.get("act_led_trigger", ("mmc", None))
    if value != "none":
        yield CheckResult(
            CHECK, "warning", f"the board's own light blinks ({value})",
            f"append dtparam=act_led_trigger=none below [all] and an empty dtoverlay= ({FRAGMENT})",
        )  # fmt: skip
    if not any(overlay.file and overlay.name.startswith("disable-bt") for overlay in view.devices.overlays):
        yield CheckResult(
            CHECK,
            "warning",
            "Bluetooth is on, and a box has no use for it",
            f"append dtoverlay=disable-bt ({FRAGMENT})",
        )
    line = view.config.setting("enable_uart")
    if line is not None and line.value != "0":
        yield CheckResult(
            CHECK, "warning", f"{line.place}: whoever reaches the header's pins gets a serial line",
            "append enable_uart=0 below [all]",
        )  # fmt: skip


def _overlays(view: _View) -> Iterator[CheckResult]:
    """Overlays and parameters that there are not."""
    for overlay in view.devices.overlays:
        if overlay.file is None:
            close = difflib.get_close_matches(overlay.name, view.library.names, n=1)
            hint = f"did you mean {close[0]}?" if close else f"see {view.library.folder / 'README'}"
            yield CheckResult(
                CHECK, "wrong", f"{overlay.line.place}: there is no overlay {overlay.name!r}, so it is ignored", hint
            )
        elif overlay.about is not None:
            for name in overlay.unknown:
                close = difflib.get_close_matches(name, overlay.about.parameters, n=1)
                hint = f"did you mean {close[0]}?" if close else "remove it"
                yield CheckResult(
                    CHECK,
                    "wrong",
                    f"{overlay.line.place}: {overlay.name} has no parameter {name!r}, so it is ignored",
                    hint,
                )
    for name, line in view.devices.unknown:
        yield CheckResult(
            CHECK, "wrong", f"{line.place}: the board has no parameter {name!r}, so it is ignored",
            "correct it; overlays/README lists them under <The base DTB>",
        )  # fmt: skip


def _panel(view: _View) -> Iterator[CheckResult]:
    """Promise 1: each line of the panel is off from the start."""
    for name, (pin, attributes) in view.pins.required().items():
        given, line = view.devices.pins.get(pin, ((), None))
        if set(attributes.split(",")) <= set(given):
            continue
        where = (
            f"{line.place} leaves it {','.join(given)}" if line else f"no line sets it{view.hidden('gpio', str(pin))}"
        )
        yield CheckResult(
            CHECK, "wrong", f"{name} (GPIO {pin}) is not off from the start: {where}",
            f"append gpio={pin}={attributes} below [all]",
        )  # fmt: skip


def _two_uses(view: _View) -> Iterator[CheckResult]:
    """No pin has two masters."""
    users: dict[int, list[str]] = {pin: [name] for name, (pin, _) in view.pins.required().items()}
    for overlay in view.devices.overlays:
        for pin in sorted(_pins_of(view, overlay)):
            users.setdefault(pin, []).append(f"{overlay.name} ({overlay.line.place})")
    for name, (value, line) in view.devices.board.items():
        for pin in _BUSES.get(name, ()) if value in _ON else ():
            # an overlay that needs a bus switches it on itself: the same bus twice is no conflict
            if not any(name in overlay.about.labels for overlay in view.devices.overlays if overlay.about):
                users.setdefault(pin, []).append(f"{name} ({line.place})")
    together: dict[tuple[str, ...], list[int]] = {}
    for pin, names in users.items():
        if len(set(names)) > 1:
            together.setdefault(tuple(dict.fromkeys(names)), []).append(pin)
    for masters, taken in together.items():
        yield CheckResult(
            CHECK, "wrong", f"GPIO {', '.join(map(str, sorted(taken)))} has two uses: {' and '.join(masters)}",
            "remove one of the lines, or move the panel's line and its wire (docs/wiring)",
        )  # fmt: skip


def _pins_of(view: _View, overlay: LoadedOverlay) -> set[int]:
    if overlay.about is None or overlay.name.startswith("disable-"):
        return set()
    pins = set(overlay.about.pins)
    for label in overlay.about.labels:
        # several overlays share an I2C bus; that is what it is for
        pins.update(_BUSES.get(label, ()) if not label.startswith("i2c") else ())
    named = view.library.pin_parameters
    for parameter in named.get(overlay.name, ()) or named.get(overlay.file or "", ()):
        text = overlay.parameters.get(parameter.name, "")
        if text.isdigit():
            pins.add(int(text))
        elif parameter.default is not None:
            pins.add(parameter.default)
    return pins


_RULES: Final[tuple[Callable[[_View], Iterator[CheckResult]], ...]] = (
    _lines, _audio_only, _stays_alive, _keeps_quiet, _overlays, _panel, _two_uses,
)  # fmt: skip
