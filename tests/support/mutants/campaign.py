"""Break one thing at a time in a copy of the tree, run the nearest tests, and write down who noticed."""

from __future__ import annotations

import compileall
import contextlib
import hashlib
import importlib
import importlib.util
import json
import os
import shutil
import signal
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from .mutations import Mutation, mutated, mutations
from .table import TARGETS, Target

ROOT = Path(__file__).resolve().parents[3]
SURVIVORS = Path(__file__).with_name("survivors.toml")
PRELOADED = ("_pytest.assertion", "cryptography.hazmat.primitives.asymmetric.ed25519", "django", "hypothesis", "numpy",
             "pydantic", "pyrage", "pytest", "requests", "soundfile")  # fmt: skip
"""What every run imports; a run is a fork of a process that has them."""
OURS = ("appliance", "archive", "tests")
_NOTHING_FAILED = 0


class BrokenBaselineError(AssertionError):
    """The tests fail although nothing was broken; the message has the end of what they said."""


@dataclass(frozen=True)
class Job:
    """One mutation of one module, and the tests that should notice."""

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
    noticed: bool
    seconds: float

    @property
    def key(self) -> tuple[str, ...]:
        """What names this mutation of exactly this source."""
        return self.module, self.digest, self.function, self.before, self.after


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
    """Draw so many jobs, from each target in proportion, at least three of each; in any order, so that a call that
    stops early has tried some of everything."""
    if size >= len(found):
        return found
    chosen: list[Job] = []
    for target in TARGETS:
        mine = [job for job in found if job.target is target]
        count = min(len(mine), max(3, round(size * len(mine) / len(found))))
        chosen += Random(f"{seed} {target.name}").sample(mine, count)
    Random(seed).shuffle(chosen)
    return chosen


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


class Workshop:
    """A copy of the tree, in which modules are broken and mended again."""

    def __init__(self, folder: Path) -> None:
        self.tree = folder / "tree"
        self._temporary = folder / "tmp"
        self._said = folder / "said"
        self._temporary.mkdir(parents=True, exist_ok=True)
        self.tree.mkdir()
        for part in ROOT.iterdir():
            if part.is_dir() and not part.name.startswith("."):
                shutil.copytree(part, self.tree / part.name, ignore=shutil.ignore_patterns("__pycache__"))
            elif part.is_file():
                shutil.copy(part, self.tree / part.name)
        compileall.compile_dir(self.tree, quiet=2)
        for name in PRELOADED:
            importlib.import_module(name)

    def passes(self, tests: tuple[str, ...], limit_s: float) -> bool:
        """Run tests in the copy; a run that ends late counts as one that fails."""
        child = os.fork()
        if child == 0:
            self._run(tests)
        end = time.monotonic() + limit_s
        try:
            while time.monotonic() < end:
                ended, status = os.waitpid(child, os.WNOHANG)
                if ended:
                    return os.waitstatus_to_exitcode(status) == _NOTHING_FAILED
                time.sleep(0.02)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return False

    def _run(self, tests: tuple[str, ...]) -> None:
        """Be the process that runs the tests; never returns."""
        status = 70
        try:
            os.setsid()
            said = os.open(self._said, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
            os.dup2(said, 1)
            os.dup2(said, 2)
            os.chdir(self.tree)
            for name in [name for name in sys.modules if name.split(".")[0] in OURS]:
                del sys.modules[name]
            sys.path[:] = [str(self.tree), *(one for one in sys.path if one not in ("", str(ROOT), str(self.tree)))]
            sys.dont_write_bytecode = True
            os.environ.update(PYTHONPATH=str(self.tree), TMPDIR=str(self._temporary), PYTHONDONTWRITEBYTECODE="1")
            importlib.invalidate_caches()
            pytest = importlib.import_module("pytest")
            options = ("-x", "-q", "-p", "no:cacheprovider", f"--basetemp={self._temporary}/run")
            status = int(pytest.main([*options, *tests]))
        finally:
            os._exit(status)

    def said(self) -> str:
        """The end of what the last run said."""
        return self._said.read_text(errors="replace")[-2000:] if self._said.exists() else ""

    @contextlib.contextmanager
    def broken(self, job: Job) -> Iterator[None]:
        """Break the module, and mend it at exit."""
        path = self.tree / job.module
        whole = path.read_text()
        compiled = Path(importlib.util.cache_from_source(str(path)))
        compiled.unlink(missing_ok=True)
        path.write_text(mutated(whole, job.mutation.number))
        try:
            yield
        finally:
            path.write_text(whole)


def run(
    chosen: list[Job],
    known: dict[tuple[str, ...], Outcome],
    folder: Path,
    until_s: float,
    tell: Callable[[Outcome], None],
) -> tuple[list[Outcome], int]:
    """Try jobs until CLOCK_MONOTONIC is `until_s`; return outcomes, and how many were left for the next call.

    What `known` says was noticed is not tried again. Raises BrokenBaselineError where tests fail with nothing broken.
    """
    outcomes: list[Outcome] = []
    left = 0
    shop: Workshop | None = None
    limits: dict[str, float] = {}
    for job in chosen:
        digest = hashlib.sha256((ROOT / job.module).read_bytes()).hexdigest()
        one = job.mutation
        blank = Outcome(job.target.name, job.module, one.function, one.line, one.before, one.after, digest, False, 0.0)
        earlier = known.get(blank.key)
        if earlier is not None and earlier.noticed:
            outcomes.append(earlier)
            continue
        if time.monotonic() >= until_s:
            left += 1
            continue
        shop = shop or Workshop(folder)
        if job.target.name not in limits:
            limits[job.target.name] = _baseline(shop, job.target)
        began = time.monotonic()
        with shop.broken(job):
            noticed = not shop.passes(job.target.tests, limits[job.target.name])
        outcome = Outcome(**{**asdict(blank), "noticed": noticed, "seconds": round(time.monotonic() - began, 1)})
        outcomes.append(outcome)
        tell(outcome)
    return outcomes, left


def _baseline(shop: Workshop, target: Target) -> float:
    """Run a target's tests with nothing broken; return after how many seconds a run counts as hung."""
    began = time.monotonic()
    if not shop.passes(target.tests, 900.0):
        raise BrokenBaselineError(f"{target.name}: its tests fail with nothing broken\n{shop.said()}")
    return 30.0 + 4 * (time.monotonic() - began)


def load(path: Path) -> dict[tuple[str, ...], Outcome]:
    """Read the outcomes of earlier calls; the last word on a mutation counts."""
    lines = path.read_text().splitlines() if path.exists() else []
    found = [Outcome(**json.loads(line)) for line in lines]
    return {outcome.key: outcome for outcome in found}
