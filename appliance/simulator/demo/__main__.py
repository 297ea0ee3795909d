"""The demonstration's command line (`deploy/demo`).

Concurrency: one event loop in the main thread; Ctrl-C cancels the main task, whose clean-up ends every part.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
from pathlib import Path

from appliance.contract.errors import PlainSightError

from .district import District
from .layout import Layout
from .meeting import Meeting, describe, truths_hold

EXAMPLE = """examples:
  deploy/demo                                 one district until Ctrl-C
  deploy/demo --once --seconds 20 --json      one meeting without a person, judged from outside
  deploy/demo --once --seconds 20 --mic hw:1  from a real microphone
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments."""
    parser = argparse.ArgumentParser(
        prog="deploy/demo",
        description="Run one district on this machine: broker, archive, and a box with a simulated front panel.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--once", action="store_true", help="hold one meeting without a person, check it, and end")
    parser.add_argument("--seconds", type=_seconds, default=20.0, help="length of that meeting (default: 20)")
    parser.add_argument("--json", action="store_true", help="print what is true of that meeting as one JSON object")
    parser.add_argument("--mic", metavar="NAME", help="record from this device instead of the spoken meeting")
    parser.add_argument("--keep", metavar="DIR", type=Path, help="keep everything in this new or empty folder")
    return parser


def _seconds(text: str) -> float:
    value = float(text)
    if not 3 <= value <= 4 * 3600:
        raise argparse.ArgumentTypeError("a meeting lasts from 3 to 14400 seconds")
    return value


def main(arguments: list[str] | None = None) -> int:
    """Run the demonstration and return the exit status: 0 only if every truth holds, 2 for wrong arguments."""
    options = parser().parse_args(arguments)
    if options.json and not options.once:
        parser().error("--json needs --once")
    try:
        folder = _folder(options.keep)
        return asyncio.run(_run(options, Layout(folder)))
    except PlainSightError as error:
        tell(error.message)
        return 2 if error.code == "bad-setting" else 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130


def tell(text: str) -> None:
    """Say something on the standard error, so that the standard output stays for the result."""
    sys.stderr.write(f"demo: {text}\n")
    sys.stderr.flush()


def _folder(keep: Path | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="plainsight-demo-"))
    folder = keep.resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser().error(f"--keep: cannot make {folder}: {error.strerror}")
    if any(folder.iterdir()):
        parser().error(f"--keep: {folder} is not empty; name a new folder, since nothing in it would be overwritten")
    return folder


async def _run(options: argparse.Namespace, layout: Layout) -> int:
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("runs inside an event loop")
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    district = District(layout, seconds=options.seconds if options.once else 600.0, microphone=options.mic, tell=tell)
    try:
        await district.start()
        if options.once:
            return await _once(district, options)
        for line in district.welcome():
            print(line, flush=True)  # noqa: T201 - for the person at the terminal
        await district.forever()
    finally:
        tell("ending everything that was started")
        await asyncio.shield(district.stop())
        tell(f"what it made, logs included, lies in {layout.root}")
    return 0


async def _once(district: District, options: argparse.Namespace) -> int:
    result = await Meeting(district, options.seconds, tell).hold()
    held = truths_hold(result)
    print(json.dumps(result) if options.json else describe(result), flush=True)  # noqa: T201 - the command's result
    tell("every truth holds" if held else "NOT every truth holds")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
