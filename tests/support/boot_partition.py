"""A boot partition as Raspberry Pi OS writes it, small: its config.txt and cmdline.txt, and overlays made with dtc."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from appliance.boot_files.fragments import add_to_cmdline, add_to_config
from appliance.boot_files.models import MODELS

FIRMWARE: Final = Path(__file__).resolve().parents[2] / "firmware_config"
CONFIG: Final = """\
# For more options and information see
# http://rptl.io/configtxt

# Enable audio (loads snd_bcm2835)
dtparam=audio=on
camera_auto_detect=1
display_auto_detect=1
auto_initramfs=1
dtoverlay=vc4-kms-v3d
max_framebuffers=2
disable_fw_kms_setup=1
arm_boost=1

[cm4]
otg_mode=1

[cm5]
dtoverlay=dwc2,dr_mode=host

[all]
"""
"""What Raspberry Pi OS trixie ships, in short."""
CMDLINE: Final = (
    "console=serial0,115200 console=tty1 root=PARTUUID=01234567-02 rootfstype=ext4 fsck.repair=yes rootwait resize\n"
)
README: Final = """\
The Overlay and Parameter Reference
===================================

Name:   <The base DTB>
Info:   Configures the base Raspberry Pi hardware
Load:   <loaded automatically>
Params:
        audio                   Set to "on" to enable the onboard ALSA audio
                                interface (default "off")

        act_led_trigger         Choose which activity the LED tracks.

        N.B. It is recommended to only enable those interfaces that are needed.

Name:   w1-gpio
Info:   Configures the w1-gpio Onewire interface module.
Load:   dtoverlay=w1-gpio,<param>=<val>
Params: gpiopin                 GPIO pin for I/O (default "4")
        pullup                  Now enabled by default (ignored)


Name:   fake-display
Info:   A display
Load:   dtoverlay=fake-display,<param>=<val>
Params: speed                   SPI bus speed in Hz (default 4000000)
        dc_pin                  GPIO pin for D/C (default 24)
        reset_pin               GPIO pin for
                                RESET (default 26)
        active_delay_ms         Initial GPIO active period (default 25)


Name:   googlevoicehat-soundcard
Info:   Configures the Google voiceHAT soundcard
Load:   dtoverlay=googlevoicehat-soundcard
Params: <None>
"""
_TREE: Final = """/dts-v1/; / {
  gpio: gpio { }; i2s_clk_producer: i2s { status = "disabled"; }; sound: sound { }; spi0: spi { };
  i2c_arm: i2c { }; uart0: uart { }; wd: watchdog { status = "disabled"; };
  __overrides__ { audio = <0>; act_led_trigger = <0>; watchdog = <0>; i2c_arm = <0>; spi = <0>; i2s = <0>;
    strict_gpiod = <0>; sd = <0>; uart0 = <0>; };
};
"""
_OVERLAYS: Final = {
    "vc4-kms-v3d": ("", "audio = <0>; noaudio = <0>;"),
    "dwc2": ("", "dr_mode = <0>;"),
    "disable-bt": ("", ""),
    "disable-bt-pi5": ("", ""),
    "disable-wifi": ("", ""),
    "imx219": ("", ""),
    "i2c-rtc": ("target = <&i2c_arm>;", "ds3231 = <0>; addr = <0>;"),
    "w1-gpio": ("target = <&gpio>;", "gpiopin = <0>; pullup = <0>;"),
    "fake-display": ("target = <&spi0>;", "speed = <0>; dc_pin = <0>; reset_pin = <0>;"),
    "adau7002-simple": ("target = <&i2s_clk_producer>;", "card-name = <0>;"),
    "googlevoicehat-soundcard": ("target = <&i2s_clk_producer>;", ""),
}
_MAP: Final = """/dts-v1/; / {
  disable-bt { bcm2835; bcm2711; bcm2712 = "disable-bt-pi5"; };
  disable-bt-pi5 { bcm2712; };
  w1-gpio-old { renamed = "w1-gpio"; };
  lirc-rpi { deprecated = "use gpio-ir"; };
};
"""


def compile_tree(source: str, path: Path) -> None:
    """Compile a device tree with dtc, labels kept."""
    subprocess.run(
        ["dtc", "-q", "-@", "-I", "dts", "-O", "dtb", "-o", str(path), "-"],
        input=source, text=True, check=True, capture_output=True, timeout=60,
    )  # fmt: skip


def overlay_source(name: str) -> str:
    """Return the source of one of the overlays."""
    target, overrides = _OVERLAYS[name]
    pins = "pins { brcm,pins = <16>; };" if name == "googlevoicehat-soundcard" else ""
    where = target or 'target-path = "/";'
    return (
        f'/dts-v1/; /plugin/; / {{ fragment@0 {{ {where} __overlay__ {{ status = "okay"; {pins} }}; }}; '
        f"__overrides__ {{ {overrides} }}; }};"
    )


def make_boot_partition(folder: Path) -> None:
    """Write a boot partition as it comes from Raspberry Pi Imager into `folder`."""
    overlays = folder / "overlays"
    overlays.mkdir(parents=True)
    (folder / "config.txt").write_text(CONFIG)
    (folder / "cmdline.txt").write_text(CMDLINE)
    for name in ("user-data", "network-config", "meta-data"):
        (folder / name).write_text("# Raspberry Pi OS's own, all of it commented out\n")
    (overlays / "README").write_text(README)
    for name in _OVERLAYS:
        compile_tree(overlay_source(name), overlays / f"{name}.dtbo")
    compile_tree(_MAP, overlays / "overlay_map.dtb")
    for model in MODELS.values():
        compile_tree(_TREE, folder / model.tree)


def prepare(folder: Path, *fragments: str) -> None:
    """Write into it what a box needs, as 'plainsight card' does."""
    config, line = folder / "config.txt", folder / "cmdline.txt"
    texts = {name: (FIRMWARE / name).read_text() for name in ("config.txt", *fragments)}
    config.write_text(add_to_config(config.read_text(), texts))
    line.write_text(add_to_cmdline(line.read_text(), (FIRMWARE / "cmdline.txt").read_text()))
