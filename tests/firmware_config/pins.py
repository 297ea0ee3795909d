"""Where the pins are written down: the Pi's configuration, the recorder's settings, the wiring page."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from appliance.recorder.settings import PanelSettings

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "firmware_config" / "config.txt"
LINES = {
    "REC_EN": "red",
    "BUTTON": "button",
    "LAMP_SEEN": "lamp_seen",
    "MIC_RAIL": "mic_rail",
    "STATUS green": "green",
    "STATUS amber": "amber",
}
"""Name of a line in the pages: name of its setting."""
OUTPUTS = {"REC_EN", "STATUS green", "STATUS amber"}


def configured() -> dict[str, tuple[int, str]]:
    """Return pin and mode of each line of config.txt; the comment before a `gpio=` names the line."""
    found: dict[str, tuple[int, str]] = {}
    comment = ""
    for line in CONFIG.read_text(encoding="ascii").splitlines():
        if line.startswith("# "):
            comment = line.removeprefix("# ").split(":")[0]
        elif match := re.fullmatch(r"gpio=(\d+)=([a-z,]+)", line):
            assert comment not in found, f"{comment} is given twice"
            found[comment] = (int(match[1]), match[2])
    return found


def in_settings() -> dict[str, int]:
    """Return the recorder's pins: defaults, and for the optional sense lines the example's."""
    example = ROOT / "appliance" / "recorder" / "recorder.example.toml"
    panel = tomllib.loads(example.read_text(encoding="utf-8"))["panel"]
    defaults = PanelSettings()
    return {line: getattr(defaults, name) or panel[name] for line, name in LINES.items()}


def in_wiring() -> dict[str, tuple[int, str]]:
    """Return pin and direction of each line in the table of docs/wiring.md."""
    text = (ROOT / "docs" / "wiring.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `?([A-Za-z_ ]+?)`? \| GPIO (\d+) \| (in|out)\b", text, flags=re.MULTILINE)
    assert len(rows) == len({name for name, _, _ in rows}), "a line stands twice in the table"
    return {name: (int(pin), direction) for name, pin, direction in rows}
