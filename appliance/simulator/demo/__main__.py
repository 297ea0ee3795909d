"""The demonstration's command line (`deploy/demo`).

Concurrency: one event loop in the main thread; SIGINT, SIGTERM and a closed terminal's SIGHUP cancel the main task,
whose clean-up ends every part.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from appliance.contract.errors import PlainSightError
from appliance.recorder.panel.real_box import find_real_box

from .accounts import Accounts
from .district import District
from .kept import clean_up, why_unreachable
from .layout import Layout
from .lived_in import live_in
from .meeting import Meeting, describe, what_fails
from .story import LENGTH_S as STORY_S
from .story import Story, describe_story, story_holds

EXAMPLE = """examples:
  deploy/demo                                 one district until Ctrl-C
  deploy/demo --once --seconds 20 --json      one meeting without a person, judged from outside
  deploy/demo --once --seconds 20 --mic hw:1  from a real microphone ('arecord -l' lists them)
  deploy/demo --story --json                  one meeting by its people, from the roster to the parent's statement

What it makes lies in a temporary folder and is removed at the end, save the package that --once has checked; with
--keep everything stays. It is refused on a machine that is set up as a box with real pins.
"""
LENGTH_S = 20.0
"""Length of the meeting of --once, in seconds, unless --seconds says otherwise."""
SPOKEN_S = 600.0
"""Length of what is spoken in a demonstration for a person, in seconds; then it begins again."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments."""
    parser = argparse.ArgumentParser(
        prog="deploy/demo",
        description="Run one district on this machine: broker, archive, and a box with a simulated front panel.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--once", action="store_true", help="hold one meeting without a person, check it, and end")
    parser.add_argument(
        "--story", action="store_true", help="tell one meeting from the roster to the statement by forms, and end"
    )
    parser.add_argument("--seconds", type=_seconds, help="length of that meeting (default: 20)")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.add_argument("--mic", metavar="NAME", help="record from this device instead of the spoken meeting")
    parser.add_argument("--keep", metavar="DIR", type=Path, help="keep everything in this new or empty folder")
    return parser


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 3 <= value <= 4 * 3600:
        raise argparse.ArgumentTypeError("a meeting lasts from 3 to 14400 seconds")
    return value


def main(arguments: list[str] | None = None) -> int:
    """Run the demonstration and return the exit status: 0 only if every truth holds, 2 for wrong arguments."""
    options = parser().parse_args(arguments)
    if options.once and options.story:
        parser().error("--story holds a meeting of its own: leave --once out")
    if options.json and not (options.once or options.story):
        parser().error("--json needs --once or --story")
    if options.story and options.mic is not None:
        parser().error("--story listens for what the demonstration speaks: leave --mic out")
    if options.seconds is not None and not options.once:
        parser().error("--seconds needs --once: without it the demonstration lasts until Ctrl-C")
    if found := find_real_box():
        tell(found)
        return 2
    # the parts run as users of their own, and read what is written here; each secret has a mode of its own
    os.umask(0o022)
    try:
        return asyncio.run(_run(options, Layout(_folder(options.keep))))
    except PlainSightError as error:
        tell(error.message)
        return 2 if error.code == "bad-setting" else 1
    except BrokenPipeError:
        # whoever read the result is gone; the interpreter would try to write the rest at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except asyncio.CancelledError:
        return 130


def tell(text: str) -> None:
    """Say something on the standard error, each line marked, so that the standard output stays for the result."""
    # a terminal that was closed reads nothing more, and what was started has to be ended all the same
    with contextlib.suppress(OSError):
        sys.stderr.write("".join(f"demo: {line}\n" for line in text.splitlines()))
        sys.stderr.flush()


def _folder(keep: Path | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="plainsight-demo-"))
    folder = keep.resolve()
    if wrong := why_unreachable(folder, Accounts.here()):
        parser().error(f"--keep: {wrong}")
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
    # a handler of our own, since a shell starts what runs in its background with SIGINT ignored
    _on_signals(task.cancel)
    seconds = (options.seconds or LENGTH_S) if options.once else STORY_S if options.story else SPOKEN_S
    district = District(layout, seconds=seconds, microphone=options.mic, tell=tell)
    cancelled = False
    try:
        await district.start()
        if options.once:
            return await _once(district, seconds, options)
        if options.story:
            return await _story(district, options)
        for line in district.welcome():
            print(line, flush=True)  # noqa: T201 - for the person at the terminal
        async with asyncio.TaskGroup() as group:
            group.create_task(live_in(district, tell), name="live-in")
            await district.forever()
    except asyncio.CancelledError:
        cancelled = True
        raise
    finally:
        tell("ending everything that was started")
        _on_signals(lambda: tell("still ending; that takes some seconds"))
        try:
            await district.stop()
        finally:
            tell(clean_up(layout, keep=options.keep is not None, worth_a_look=not cancelled))
    return 0


def _on_signals(do: Callable[[], object]) -> None:
    # nohup asks to outlive the terminal
    hangup = [] if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [signal.SIGHUP]
    for number in (signal.SIGINT, signal.SIGTERM, *hangup):
        asyncio.get_running_loop().add_signal_handler(number, do)


async def _once(district: District, seconds: float, options: argparse.Namespace) -> int:
    result = await Meeting(district, seconds, tell, kept=options.keep is not None).hold()
    failed = what_fails(result)
    print(json.dumps(result) if options.json else describe(result), flush=True)  # noqa: T201 - the command's result
    tell("every truth holds" if not failed else f"NOT every truth holds: {'; '.join(failed)}")
    return 1 if failed else 0


async def _story(district: District, options: argparse.Namespace) -> int:
    steps = await Story(district, tell).tell()
    result = {"steps": [step.as_json() for step in steps]}
    print(json.dumps(result) if options.json else describe_story(steps), flush=True)  # noqa: T201 - the command's result
    held = story_holds(steps)
    tell("every step holds" if held else "NOT every step holds")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
