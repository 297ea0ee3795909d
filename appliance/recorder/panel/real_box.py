"""Tells whether this machine is set up as a real box: a simulated panel beside it could be taken for the real one.

Pins alone say nothing: every Raspberry Pi and most laptops have some. Only the standard library is used, so that
`deploy/demo` can ask before it installs anything.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Final

SETTINGS: Final = Path("etc/plainsight/recorder.toml")
"""The recorder's settings on a real box, below the root of the file system."""
UNIT_FOLDERS: Final = (
    "etc/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
)
"""Where systemd finds units (systemd.unit(5)), below the root of the file system."""
UNIT: Final = "plainsight-recorder.service"


def find_real_box(root: Path = Path("/")) -> str:
    """Return what sets this machine up as a real box and how to go on without it, or an empty text."""
    settings = root / SETTINGS
    if _has_real_panel(settings):
        return (
            f"this machine is set up as a box with real pins ({settings}), and a simulated panel beside it could be "
            "taken for the real one. Run the simulator on another machine, or set panel.kind there to 'simulated'"
        )
    for folder in UNIT_FOLDERS:
        unit = root / folder / UNIT
        if unit.is_file() and not settings.exists():
            return (
                f"this machine has the recorder of a real box installed ({unit}), and a simulated panel beside it "
                "could be taken for the real one. Run the simulator on another machine, or remove the unit"
            )
    return ""


def _has_real_panel(settings: Path) -> bool:
    """Tell whether the settings are those of a box with pins; settings that cannot be read count as such."""
    try:
        panel = tomllib.loads(settings.read_text(encoding="utf-8")).get("panel", {})
    except FileNotFoundError:
        return False
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return True
    return not isinstance(panel, dict) or panel.get("kind", "gpio") == "gpio"


if __name__ == "__main__":
    if found := find_real_box():
        sys.exit(f"demo: {found}")
