"""`plainsight simulator`: a front panel and a microphone without hardware, as one process.

Concurrency: one event loop in the main thread serves the sockets and the page; SIGTERM and SIGINT end it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Final

from appliance.contract.errors import SettingsError
from appliance.contract.single_instance import single_instance
from appliance.recorder.panel.real_box import find_real_box

from .front_panel import FrontPanel, Log
from .microphone.device import SimulatedMicrophone
from .sockets import Simulation, Sockets
from .web import Figures, Page

LONGEST_SOCKET: Final = 107
"""The longest path of a local socket, in bytes (unix(7))."""
EXAMPLE = """example:
  plainsight simulator --dir panel --spoken meeting.raw
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments."""
    parser = argparse.ArgumentParser(
        prog="plainsight simulator",
        description="Run a simulated front panel (a page on 127.0.0.1) and a microphone that hears a raw file.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--dir", type=Path, required=True, help="folder for sockets, logs and the microphone's files")
    parser.add_argument("--spoken", type=Path, required=True, help="what the microphone hears: mono 16-bit 48 kHz raw")
    parser.add_argument("--http-port", type=_port, default=0, help="port of the page (default: any free one)")
    parser.add_argument("--status-file", type=Path, help="the recorder's status.json, for the figures on the page")
    parser.add_argument("--progress-file", type=Path, help="the courier's progress.json, for the same")
    parser.add_argument(
        "--process-manager-socket", type=Path, help="socket of whoever can stop and start the other parts"
    )
    parser.add_argument("--no-sense", action="store_true", help="pretend that no sensor is wired to the lamp")
    parser.add_argument("--archive-url", default="", help="address of the archive's pages, for a link on the page")
    parser.add_argument("--root", type=Path, default=Path("/"), help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print the page's address as one JSON object")
    return parser


def _port(text: str) -> int:
    value = int(text) if text.isdecimal() else -1
    if not 0 <= value <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return value


def main(arguments: list[str]) -> int:
    """Run the simulator until it is told to end; 0, or 2 for wrong arguments or a machine that is set up as a box."""
    options = parser().parse_args(arguments)
    if found := find_real_box(options.root):
        raise SettingsError(found)
    folder = options.dir.resolve()
    if len(os.fsencode(folder / "microphone.sock")) > LONGEST_SOCKET:
        raise SettingsError(f"{folder} is too long a path for a local socket; name a shorter folder", field="--dir")
    with single_instance(folder, "simulator", field="--dir", remedy="end it or name another folder"):
        return asyncio.run(_run(options, folder))


async def _run(options: argparse.Namespace, folder: Path) -> int:
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, done.set)
    with (
        (folder / "panel.log").open("a") as panel_log,
        (folder / "microphone.log").open("a") as microphone_log,
        SimulatedMicrophone(folder, options.spoken) as microphone,
    ):
        simulation = Simulation(FrontPanel(Log(panel_log), sense=not options.no_sense), microphone)
        sockets = Sockets(simulation, Log(microphone_log), folder)
        page = Page(
            simulation,
            Figures(options.status_file, options.progress_file),
            options.process_manager_socket,
            options.archive_url,
        )
        try:
            await sockets.start()
            address = await page.start(options.http_port)
        except OSError as error:
            await page.close()
            await sockets.close()
            # asyncio's own message names the socket or port that could not be had
            raise SettingsError(f"cannot serve: {error}; choose another --http-port or --dir") from error
        text = json.dumps({"page": address}) if options.json else f"front panel: {address}"
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
        await done.wait()
        await page.close()
        await sockets.close()
    return 0
