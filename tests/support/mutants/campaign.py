"""Break one thing at a time in a copy of the tree, run the tests that can notice, and write down which one did."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import signal
import sys
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from .mutations import Mutation, mutations
from .survey import Survey
from .table import TARGETS, Target
from .workshop import OURS, ROOT, BrokenBaselineError, Workshop

SURVIVORS = Path(__file__).with_name("survivors.toml")
NEAREST_S = 60.0
"""Tests of so many seconds are run for a break, the nearest first; what only a slower one would notice counts as
missed."""
LEAST = 2
"""So many of each module are in a sample at least, where it has them."""


@dataclass(frozen=True)
class Job:
    """One mutation of one module, and where it belongs."""

    target: Target
    module: str
    mutation: Mutation


@dataclass(frozen=True)
class Outcome:
    """What came of one job."""

    target: str
    module: str
    function: str
    line: int
    before: str
    after: str
    digest: str
    """SHA-256 of the module as it was."""
    tests: str
    """SHA-256 of the target's tests as they were."""
    by: str
    """The first test that failed, `time limit`, `collection`, or nothing."""
    seconds: float

    @property
    def noticed(self) -> bool:
        """Whether a test failed."""
        return bool(self.by)

    @property
    def key(self) -> tuple[str, ...]:
        """What names this mutation of exactly this source."""
        return self.module, self.digest, self.function, self.before, self.after


@dataclass(frozen=True)
class Survivor:
    """A mutation that no test notices, and why that is so."""

    module: str
    function: str
    before: str
    after: str
    reason: str


def survivors() -> list[Survivor]:
    """Read what is known of mutations that nobody notices."""
    return [Survivor(**one) for one in tomllib.loads(SURVIVORS.read_text()).get("survivor", [])]


def jobs(only: str = "") -> list[Job]:
    """Every mutation of every module whose path or target contains `only`."""
    found = []
    for target in TARGETS:
        for module in target.modules:
            if only in module or only == target.name:
                source = (ROOT / module).read_text()
                found += [Job(target, module, one) for one in mutations(source, exact=target.exact)]
    return found


def sample(found: list[Job], size: int, seed: int) -> list[Job]:
    """Draw so many jobs, from each module in proportion, at least LEAST of each; in any order, so that a call that
    stops early has tried some of everything."""
    if size >= len(found):
        return found
    modules: dict[str, list[Job]] = defaultdict(list)
    for job in found:
        modules[job.module].append(job)
    chosen: list[Job] = []
    for module, mine in modules.items():
        count = min(len(mine), max(LEAST, round(size * len(mine) / len(found))))
        chosen += Random(f"{seed} {module}").sample(mine, count)
    Random(seed).shuffle(chosen)
    return chosen


class Memory:
    """Outcomes and surveys of earlier calls, in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._file = folder / "outcomes.jsonl"
        lines = self._file.read_text().splitlines() if self._file.exists() else []
        self._known = {one.key: one for one in (Outcome(**json.loads(line)) for line in lines)}

    def recall(self, blank: Outcome) -> Outcome | None:
        """Return what came of this job, if it need not be tried again: a miss counts for the tests that it was of."""
        known = self._known.get(blank.key)
        return known if known is not None and (known.noticed or known.tests == blank.tests) else None

    def keep(self, outcome: Outcome) -> None:
        """Write an outcome down, one line at once: several processes may write."""
        self._known[outcome.key] = outcome
        with self._file.open("a") as file:
            file.write(json.dumps(asdict(outcome)) + "\n")

    def survey(self, target: Target, shop: Workshop) -> Survey:
        """Return what a target's tests run; seen anew whenever anything in the tree has changed."""
        path = self._folder / f"survey-{target.name.replace(' ', '-')}.json"
        kept = json.loads(path.read_text()) if path.exists() else {}
        if kept.get("tree") == _tree():
            return Survey.from_json(kept["survey"])
        try:
            survey = shop.survey(target.tests, target.modules)
        except BrokenBaselineError as error:
            raise BrokenBaselineError(f"{target.name}: {error}") from error
        path.write_text(json.dumps({"tree": _tree(), "survey": survey.as_json()}))
        return survey


def run(
    chosen: list[Job],
    memory: Memory,
    folder: Path,
    until_s: float,
    tell: Callable[[Outcome], None],
    *,
    workers: int = 1,
) -> tuple[list[Outcome], int]:
    """Try jobs until CLOCK_MONOTONIC is `until_s`, so many at a time; return outcomes, and how many were left.

    What the memory knows is not tried again. Raises BrokenBaselineError where tests fail with nothing broken.
    """
    blanks = {id(job): _blank(job) for job in chosen}
    outcomes = [known for job in chosen if (known := memory.recall(blanks[id(job)])) is not None]
    todo = [job for job in chosen if memory.recall(blanks[id(job)]) is None]
    if not todo or time.monotonic() >= until_s:
        return outcomes, len(todo)
    tried = 0
    for number, by, seconds in _spread(todo, memory, folder, until_s, workers):
        outcome = Outcome(**{**asdict(blanks[id(todo[number])]), "by": by, "seconds": round(seconds, 1)})
        memory.keep(outcome)
        outcomes.append(outcome)
        tell(outcome)
        tried += 1
    return outcomes, len(todo) - tried


def _spread(
    todo: list[Job], memory: Memory, folder: Path, until_s: float, workers: int
) -> Iterator[tuple[int, str, float]]:
    """Yield number, who noticed, and seconds of each job, from so many processes with a copy of the tree each."""
    fork = multiprocessing.get_context("fork")
    next_one, results = fork.Value("i", 0), fork.SimpleQueue()
    # the first that needs a target's survey makes it, and the others wait for that
    locks = {job.target.name: fork.Lock() for job in todo}

    def work(place: Path) -> None:
        # its run of tests is a group of its own, which it ends on the way out
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        surveys: dict[str, Survey] = {}
        try:
            shop = Workshop(place)
            while time.monotonic() < until_s:
                with next_one.get_lock():
                    number, next_one.value = next_one.value, next_one.value + 1
                if number >= len(todo):
                    break
                target = todo[number].target
                if target.name not in surveys:
                    with locks[target.name]:
                        surveys[target.name] = memory.survey(target, shop)
                results.put((number, *_try(shop, todo[number], surveys[target.name])))
            results.put(None)
        except Exception as error:  # noqa: BLE001 - told to who waits for the result, whatever it is
            results.put(error if isinstance(error, BrokenBaselineError) else RuntimeError(repr(error)))

    processes = [fork.Process(target=work, args=(folder / f"worker{n}",), daemon=False) for n in range(workers)]
    for process in processes:
        process.start()
    try:
        running = workers
        while running:
            result = results.get()
            if isinstance(result, Exception):
                raise result
            if result is None:
                running -= 1
            else:
                yield result
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _try(shop: Workshop, job: Job, survey: Survey) -> tuple[str, float]:
    began = time.monotonic()
    names = survey.near(job.module, job.mutation.lines, NEAREST_S)
    with shop.broken(job.module, job.mutation.number):
        by = shop.who_notices(names, survey.seconds(names))
    return by, time.monotonic() - began


def _blank(job: Job) -> Outcome:
    one = job.mutation
    where = (job.target.name, job.module, one.function, one.line, one.before, one.after)
    return Outcome(*where, digest=_digest((job.module,)), tests=_digest(job.target.tests), by="", seconds=0.0)


@cache
def _digest(paths: tuple[str, ...]) -> str:
    """Digest of what these files and folders hold."""
    sha256 = hashlib.sha256()
    for path in (ROOT / path for path in paths):
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            sha256.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return sha256.hexdigest()


@cache
def _tree() -> str:
    return _digest(OURS)


def by_module(outcomes: list[Outcome]) -> dict[str, dict[str, Any]]:
    """Return how many of each module were tried and noticed."""
    tried, found = Counter(one.module for one in outcomes), Counter(one.module for one in outcomes if one.noticed)
    return {name: {"tried": count, "noticed": found[name]} for name, count in sorted(tried.items())}
