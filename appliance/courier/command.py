"""`plainsight courier`: reads its settings and runs the courier."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from appliance.contract import log_format

from .courier import Courier
from .settings import load

EXAMPLE = """example:
  plainsight courier --config /etc/plainsight/courier.toml

All settings: appliance/courier/courier.example.toml.
It ends with status 0 on SIGTERM, and with 2 if a setting is wrong."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments."""
    found = argparse.ArgumentParser(
        prog="plainsight courier",
        description="Send this box's recordings to the archive and its status to the broker.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument(
        "--config", type=Path, default=Path("/etc/plainsight/courier.toml"), metavar="FILE", help="settings (TOML)"
    )
    found.add_argument("--check", action="store_true", help="read and check the settings, then end")
    return found


def main(arguments: list[str]) -> int:
    """Run the courier; raise SettingsError for a wrong setting, which the `plainsight` command reports."""
    options = parser().parse_args(arguments)
    settings = load(options.config)
    logging.basicConfig(
        level=settings.log.level.upper(),
        handlers=[log_format.handler("%(levelname)s %(name)s: %(message)s")],
        force=True,
    )
    courier = Courier(settings)
    if options.check:
        print(f"{options.config}: the settings are in order")
        return 0
    return courier.run()
