"""What the recorder's commands have in common: the settings file as an argument."""

from __future__ import annotations

import argparse
from pathlib import Path

DEFAULT = Path("/etc/plainsight/recorder.toml")


def parser(name: str, purpose: str, details: str = "") -> argparse.ArgumentParser:
    """Return a command's parser."""
    result = argparse.ArgumentParser(
        prog=f"plainsight {name}",
        description=f"{purpose} {details}".strip(),
        epilog=f"example: plainsight {name} --config {DEFAULT}",
    )
    result.add_argument("--config", type=Path, default=DEFAULT, help=f"settings file (default: {DEFAULT})")
    return result
