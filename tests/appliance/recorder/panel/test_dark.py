"""Lights out when no recorder runs (promise 1): asked of the kernel itself, quickly, whatever else is wrong."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.errors import DeviceError, SettingsError
from appliance.recorder.panel import dark
from appliance.recorder.settings import PanelSettings

ROOT = Path(__file__).resolve().parents[4]
SMALL = {
    "__future__",
    "appliance",
    "appliance.command",
    "collections",
    "contextlib",
    "copyreg",
    "enum",
    "errno",
    "fcntl",
}
SMALL |= {"functools", "importlib", "keyword", "operator", "re", "reprlib", "string", "struct", "tomllib", "types"}
SMALL |= {"datetime", "genericpath", "itertools", "math", "os", "posixpath", "stat", "typing", "warnings"}


@dataclass
class Kernel:
    """Answers as the kernel does for chips that are plain files, and keeps what was asked of it."""

    labels: dict[str, str]
    busy: bool = False
    driven: list[tuple[str, tuple[int, ...], int]] = field(default_factory=list)

    def ioctl(self, descriptor: int, request: int, data: bytearray) -> int:
        path = Path(f"/proc/self/fd/{descriptor}").readlink().name
        if request == dark.CHIP_INFO_REQUEST:
            if path not in self.labels:
                raise OSError(errno.ENOTTY, "Inappropriate ioctl for device")
            data[:] = dark.CHIP_INFO.pack(path.encode(), self.labels[path].encode(), 54)
            return 0
        assert request == dark.LINE_REQUEST_REQUEST
        if self.busy:
            raise OSError(errno.EBUSY, "Device or resource busy")
        members = list(dark.LINE_REQUEST.unpack(data))
        flags, lines = members[65], members[73]
        self.driven.append((path, tuple(members[:lines]), flags))
        members[-1] = os.open(os.devnull, os.O_RDONLY)
        data[:] = dark.LINE_REQUEST.pack(*members)
        return 0


@pytest.fixture
def devices(tmp_path: Path) -> Path:
    folder = tmp_path / "dev"
    folder.mkdir()
    for name in ("gpiochip0", "gpiochip1", "gpiochip10"):
        (folder / name).touch()
    return folder


def config(tmp_path: Path, text: str) -> str:
    path = tmp_path / "recorder.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("label", ["pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"])
def test_the_lights_are_driven_low_on_the_chip_that_carries_the_header(
    tmp_path: Path, devices: Path, label: str
) -> None:
    kernel = Kernel({"gpiochip0": "raspberrypi-exp-gpio", "gpiochip10": label})
    dark.lights_out(config(tmp_path, "[panel]\nred = 5\n"), str(devices), kernel.ioctl)
    assert kernel.driven == [("gpiochip10", (5, 22, 17), dark.FLAG_OUTPUT)]


def test_the_default_pins_are_those_of_the_recorder() -> None:
    assert {name: PanelSettings.model_fields[name].default for name in dark.DEFAULT_PINS} == dark.DEFAULT_PINS
    assert PanelSettings.model_fields["client"].default == dark.DEFAULT_CLIENT


@pytest.mark.parametrize("text", ["[panel\n", "\xff", "panel = 3\n"])
def test_settings_that_cannot_be_read_still_leave_the_default_pins_dark(
    tmp_path: Path, devices: Path, text: str
) -> None:
    kernel = Kernel({"gpiochip0": "pinctrl-bcm2711"})
    with pytest.raises(SettingsError):
        dark.lights_out(config(tmp_path, text), str(devices), kernel.ioctl)
    with pytest.raises(SettingsError, match="--config"):
        dark.lights_out(str(tmp_path / "missing.toml"), str(devices), kernel.ioctl)
    assert kernel.driven == [("gpiochip0", (23, 22, 17), dark.FLAG_OUTPUT)] * 2


def test_a_wrong_setting_elsewhere_does_not_keep_the_lamp_lit(tmp_path: Path, devices: Path) -> None:
    kernel = Kernel({"gpiochip0": "pinctrl-bcm2711"})
    dark.lights_out(config(tmp_path, "[times]\nhold_sec = 'long'\n"), str(devices), kernel.ioctl)
    assert len(kernel.driven) == 1


@pytest.mark.parametrize("pin", ["28", "-1", "'23'", "1.5"])
def test_a_pin_that_is_none_is_named(tmp_path: Path, devices: Path, pin: str) -> None:
    kernel = Kernel({"gpiochip0": "pinctrl-bcm2711"})
    with pytest.raises(SettingsError) as caught:
        dark.lights_out(config(tmp_path, f"[panel]\ngreen = {pin}\n"), str(devices), kernel.ioctl)
    assert caught.value.field == "panel.green"
    assert [pins for _, pins, _ in kernel.driven] == [(23, 22, 17)], "the default pins go dark all the same"


RUNNING = "state: RUNNING\nowner_pid   : 42\n"


@pytest.mark.parametrize(
    ("capture", "playback"), [(RUNNING, "closed\n"), ("closed\n", RUNNING), ("closed\n", "closed\n")]
)
def test_promise_1_the_lamp_stays_as_it_is_while_a_microphone_is_open(
    tmp_path: Path, devices: Path, monkeypatch: pytest.MonkeyPatch, capture: str, playback: str
) -> None:
    lit = capture == RUNNING
    monkeypatch.setattr(dark, "CLOSES_S", 0.1)
    for name, text in (("pcm0c", capture), ("pcm0p", playback)):
        folder = tmp_path / "asound" / "card1" / name / "sub0"
        folder.mkdir(parents=True)
        (folder / "status").write_text(text)
    kernel = Kernel({"gpiochip0": "pinctrl-rp1"})
    with pytest.raises(DeviceError, match="pcm0c") if lit else nullcontext():
        dark.lights_out(config(tmp_path, ""), str(devices), kernel.ioctl, str(tmp_path / "asound"))
    assert [pins for _, pins, _ in kernel.driven] == [(22, 17) if lit else (23, 22, 17)]


def test_lines_that_somebody_holds_and_a_machine_without_pins_are_told(tmp_path: Path, devices: Path) -> None:
    with pytest.raises(DeviceError, match="another program"):
        dark.lights_out(config(tmp_path, ""), str(devices), Kernel({"gpiochip0": "pinctrl-rp1"}, busy=True).ioctl)
    with pytest.raises(DeviceError, match="no GPIO chip"):
        dark.lights_out(config(tmp_path, ""), str(devices), Kernel({"gpiochip0": "INTC1055:00"}).ioctl)


@given(st.lists(st.integers(0, 27), min_size=1, max_size=28, unique=True))
def test_a_request_names_each_pin_once_and_no_other(pins: list[int]) -> None:
    members = dark.LINE_REQUEST.unpack(dark.pack_request(pins))
    assert list(members[: len(pins)]) == pins
    assert not any(members[len(pins) : 64])


def test_the_structures_are_those_of_the_kernels_own_header(tmp_path: Path) -> None:
    compiler = shutil.which("gcc") or shutil.which("cc")
    assert compiler, "deploy/lib/setup.sh installs gcc"
    source = tmp_path / "probe.c"
    source.write_text(
        """#include <linux/gpio.h>
        #include <stddef.h>
        #include <stdio.h>
        int main(void) {
            printf("%zu %zu %lu %lu %d %zu %zu %zu %zu",
                sizeof(struct gpiochip_info), sizeof(struct gpio_v2_line_request),
                (unsigned long)GPIO_GET_CHIPINFO_IOCTL, (unsigned long)GPIO_V2_GET_LINE_IOCTL, GPIO_V2_LINE_FLAG_OUTPUT,
                offsetof(struct gpio_v2_line_request, consumer), offsetof(struct gpio_v2_line_request, config),
                offsetof(struct gpio_v2_line_request, num_lines), offsetof(struct gpio_v2_line_request, fd));
            return 0;
        }"""
    )
    subprocess.run([compiler, "-o", str(tmp_path / "probe"), str(source)], check=True)
    found = [int(number) for number in subprocess.check_output([str(tmp_path / "probe")]).split()]
    request = dark.pack_request([1, 2, 3])
    assert found[:5] == [
        dark.CHIP_INFO.size,
        dark.LINE_REQUEST.size,
        dark.CHIP_INFO_REQUEST,
        dark.LINE_REQUEST_REQUEST,
        dark.FLAG_OUTPUT,
    ]
    consumer, settings, lines, descriptor = found[5:]
    assert request[consumer:].startswith(b"plainsight lamps-out\0")
    assert request[settings : settings + 8] == dark.FLAG_OUTPUT.to_bytes(8, sys.byteorder)
    assert request[lines : lines + 4] == (3).to_bytes(4, sys.byteorder)
    assert descriptor == dark.LINE_REQUEST.size - 4


def test_the_program_imports_next_to_nothing() -> None:
    # systemd kills a last act that takes its time, and a Pi takes seconds for what is usual elsewhere
    program = (
        "import sys; before = set(sys.modules); from appliance.command import main; main(['lamps-out', '--help']); "
    )
    program += "print(sorted(name.partition('.')[0] for name in set(sys.modules) - before), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(eval(done.stderr))
    assert not {name for name in loaded if not name.startswith("_")} - SMALL
