"""A copy of the tree, in which modules are broken, tested and mended again."""

from __future__ import annotations

import compileall
import contextlib
import importlib
import importlib.util
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from .mutations import mutated
from .survey import Chosen, Survey, Watcher

ROOT = Path(__file__).resolve().parents[3]
PRELOADED = ("_pytest.assertion", "cryptography.hazmat.primitives.asymmetric.ed25519", "django", "hypothesis", "numpy",
             "pydantic", "pyrage", "pytest", "requests", "soundfile")  # fmt: skip
"""What every run imports; a run is a fork of a process that has them."""
OURS = ("appliance", "archive", "tests")
_NOTHING_FAILED, _FAILED, _NOTHING_RAN, _NOT_BEGUN = 0, 1, 5, 70
"""How a run ends: as pytest says it; the last is no status of pytest's."""
LIMIT = "time limit"
"""Who noticed a break that made the tests hang."""
_BUSY = 6.0
"""So many times longer than in the survey tests may take on a machine that does other work."""
_GRACE_S = 20.0
"""And so many seconds more, for Python's start."""


class BrokenBaselineError(AssertionError):
    """The tests fail although nothing was broken; the message has the end of what they said."""


@dataclass(frozen=True)
class Run:
    """How a run of tests ended."""

    status: int | None
    """Pytest's exit status; None where the run was ended because it took too long."""
    said: str
    """What its plugin reported."""


class Workshop:
    """One copy of the tree; one run of tests at a time."""

    def __init__(self, folder: Path) -> None:
        self.tree = folder / "tree"
        self._temporary = folder / "tmp"
        self._output, self._report = folder / "output", folder / "report"
        self.tree.mkdir(parents=True)
        for part in ROOT.iterdir():
            if part.is_dir() and not part.name.startswith("."):
                shutil.copytree(part, self.tree / part.name, ignore=shutil.ignore_patterns("__pycache__"))
            elif part.is_file():
                shutil.copy(part, self.tree / part.name)
        compileall.compile_dir(self.tree, quiet=2)
        for name in PRELOADED:
            importlib.import_module(name)

    def survey(self, tests: Sequence[str], modules: Sequence[str]) -> Survey:
        """Run tests with nothing broken and see what they run.

        On a busy machine one or the other may fail, and is left out; BrokenBaselineError if more than a tenth do.
        """

        def work(report: Callable[[str], object]) -> int:
            watcher = Watcher(self.tree, modules)
            status = _pytest([*tests], self._temporary, watcher)
            survey = watcher.survey()
            report(json.dumps(survey.as_json()))
            return _NOTHING_FAILED if status == _FAILED and len(survey.tests) > 0.9 * len(watcher.tests) else status

        run = self._fork(work, 1800.0)
        if run.status != _NOTHING_FAILED:
            raise BrokenBaselineError(f"tests fail with nothing broken\n{self.output()}")
        return Survey.from_json(json.loads(run.said))

    def who_notices(self, names: Sequence[str], seconds: float) -> str:
        """Run tests in this order until one fails; return its name, or nothing.

        `seconds`: how long they take with nothing broken. A run that takes far longer counts as one that fails.
        """
        if not names:
            return ""
        files = dict.fromkeys(name.partition("::")[0] for name in names)

        def work(report: Callable[[str], object]) -> int:
            return _pytest(["-x", *files], self._temporary, Chosen(names, report))

        run = self._fork(work, _GRACE_S + _BUSY * seconds)
        if run.status == _NOTHING_FAILED:
            return ""
        if run.status == _NOTHING_RAN:
            raise BrokenBaselineError(f"these tests are gone: {', '.join(names)}\n{self.output()}")
        if run.status == _NOT_BEGUN:
            raise BrokenBaselineError(f"no test could be run: is {self.tree} still there?\n{self.output()}")
        return LIMIT if run.status is None else run.said.partition("\n")[0] or "collection"

    def output(self) -> str:
        """Return the end of what the last run printed."""
        return self._output.read_text(errors="replace")[-2000:] if self._output.exists() else ""

    @contextlib.contextmanager
    def broken(self, module: str, number: int) -> Iterator[None]:
        """Make one mutation of a module, and mend it at exit."""
        path = self.tree / module
        whole = path.read_text()
        compiled = Path(importlib.util.cache_from_source(str(path)))
        compiled.unlink(missing_ok=True)
        path.write_text(mutated(whole, number))
        try:
            yield
        finally:
            path.write_text(whole)

    def _fork(self, work: Callable[[Callable[[str], object]], int], limit_s: float) -> Run:
        """Do the work in a process of its own, which has a second to end its children."""
        self._temporary.mkdir(exist_ok=True)
        self._report.write_text("")
        child = os.fork()
        if child == 0:
            self._be_child(work)
        end = time.monotonic() + limit_s
        status = None
        try:
            while status is None and time.monotonic() < end:
                ended, waited = os.waitpid(child, os.WNOHANG)
                if ended:
                    status = os.waitstatus_to_exitcode(waited)
                else:
                    time.sleep(0.02)
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child, signal.SIGKILL)
            if status is None:
                os.waitpid(child, 0)
            # the tests' files lie in memory
            shutil.rmtree(self._temporary, ignore_errors=True)
        return Run(status, self._report.read_text())

    def _be_child(self, work: Callable[[Callable[[str], object]], int]) -> NoReturn:
        status = _NOT_BEGUN
        try:
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            output = os.open(self._output, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.chdir(self.tree)
            for name in [name for name in sys.modules if name.split(".")[0] in OURS]:
                del sys.modules[name]
            sys.path[:] = [str(self.tree), *(one for one in sys.path if one not in ("", str(ROOT), str(self.tree)))]
            sys.dont_write_bytecode = True
            os.environ.update(PYTHONPATH=str(self.tree), TMPDIR=str(self._temporary), PYTHONDONTWRITEBYTECODE="1")
            # a property that fails need not be told by its smallest example
            os.environ["HYPOTHESIS_PROFILE"] = "mutants"
            importlib.invalidate_caches()
            with self._report.open("a") as report:
                status = work(lambda text: print(text, file=report, flush=True))
        finally:
            os._exit(status)


def _pytest(arguments: list[str], temporary: Path, plugin: Any) -> int:
    pytest = importlib.import_module("pytest")
    options = ["-q", "-p", "no:cacheprovider", f"--basetemp={temporary}/run"]
    return int(pytest.main([*options, *arguments], plugins=[plugin]))
