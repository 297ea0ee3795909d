"""Many boxes at once, each with its own fault: what takes a minute each, mostly waiting, takes one in all.

One thread a box; starts are spread, since starting Python is what costs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from appliance.contract.errors import PlainSightError
from tests.support.box.writer import speech

from . import shim
from .scenario import Fault, Lengths, Result, Workshop, play, stage
from .shim import CannotError

Outcome = Result | CannotError | AssertionError | PlainSightError
_AT_ONCE = 4
_SPOKEN_S = 60


def run(
    faults: Sequence[Fault], lengths: Lengths, folder: Path, progress: Callable[[str], None] = lambda _: None
) -> dict[str, Outcome]:
    """Play every fault; return what came of each: a result, or why there is none."""
    spoken = folder / "spoken.raw"
    spoken.write_bytes(speech(48000 * _SPOKEN_S).tobytes())
    try:
        library = shim.build(folder)
    except CannotError as error:
        return {fault.name: error for fault in faults}
    shop = Workshop(folder, spoken, library)

    def one(fault: Fault) -> Outcome:
        try:
            with stage(fault, fault.lengths or lengths, shop) as scene:
                result = play(fault, scene)
        except (CannotError, AssertionError, PlainSightError) as error:
            progress(f"{fault.name}: {error}")
            return error
        told = "" if result.held else f"; {'; '.join(result.problems)}"
        progress(f"{fault.name}: told after {result.detection_s:.1f} s, {result.outcome}{told}")
        return result

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="box") as pool:
        return dict(zip((fault.name for fault in faults), pool.map(one, faults), strict=True))
