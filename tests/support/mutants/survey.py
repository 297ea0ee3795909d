"""Which test runs which line, how long it takes, and whether it starts processes: pytest plugins for the campaign.

A broken line can be noticed only by a test that runs it, in its own process or in one that it starts.
"""

from __future__ import annotations

import math
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest

_STARTS_A_PROCESS: Final = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn"})
"""Audit events of the interpreter (docs.python.org/3/library/audit_events.html)."""
Lines = dict[str, set[int]]
"""Numbers of lines by module."""


@dataclass
class Seen:
    """What a test, or what is set up for all tests of a file, runs."""

    seconds: float = 0.0
    lines: Lines = field(default_factory=lambda: defaultdict(set))
    starts: bool = False
    """Whether it starts a process; what happens in there is not seen."""

    def runs(self, module: str, lines: range) -> bool:
        """Tell whether one of these lines was run."""
        return not self.lines.get(module, set()).isdisjoint(lines)

    def as_json(self) -> dict[str, Any]:
        """Return it for a file."""
        return {
            "seconds": round(self.seconds, 3),
            "lines": {module: sorted(lines) for module, lines in self.lines.items()},
            "starts": self.starts,
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Seen:
        """Return what `as_json` gave."""
        return cls(kept["seconds"], {module: set(lines) for module, lines in kept["lines"].items()}, kept["starts"])


@dataclass(frozen=True)
class Survey:
    """All tests of a target."""

    tests: dict[str, Seen]
    """By pytest's name; `seconds` with set-up and tear-down."""
    files: dict[str, Seen]
    """By file: what is set up for its tests, some of it once for several."""
    imports: Lines
    """Lines that ran while the tests were collected."""

    def near(self, module: str, lines: range, seconds: float = math.inf) -> list[str]:
        """Return the tests that can notice a break in these lines, those first that run them themselves and are quick.

        The rest of the tests can't notice it, or would take longer than `seconds` with those before them; one is
        returned at least.
        """
        ranked = []
        for name, test in self.tests.items():
            file = self.files[name.partition("::")[0]]
            if test.runs(module, lines):
                rank = 0
            elif file.runs(module, lines):
                rank = 1
            elif test.starts or file.starts or not self.imports.get(module, set()).isdisjoint(lines):
                rank = 2
            else:
                continue
            ranked.append((rank, test.seconds, name))
        ranked.sort()
        took = accumulate(one for _, one, _ in ranked)
        return [
            name
            for number, ((_, _, name), sum_s) in enumerate(zip(ranked, took, strict=True))
            if number == 0 or sum_s <= seconds
        ]

    def seconds(self, names: Iterable[str]) -> float:
        """Return how long these tests took."""
        return sum(self.tests[name].seconds for name in names)

    def as_json(self) -> dict[str, Any]:
        """Return it for a file."""
        return {
            "tests": {name: seen.as_json() for name, seen in self.tests.items()},
            "files": {name: seen.as_json() for name, seen in self.files.items()},
            "imports": {module: sorted(lines) for module, lines in self.imports.items()},
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Survey:
        """Return what `as_json` gave."""
        return cls(
            {name: Seen.from_json(one) for name, one in kept["tests"].items()},
            {name: Seen.from_json(one) for name, one in kept["files"].items()},
            {module: set(lines) for module, lines in kept["imports"].items()},
        )


class Watcher:
    """The plugin that makes a survey; it traces only the modules' own lines."""

    def __init__(self, tree: Path, modules: Sequence[str]) -> None:
        self._modules = {str(tree / module): module for module in modules}
        self._imports = Seen()
        self._now = self._imports
        self.tests: dict[str, Seen] = defaultdict(Seen)
        self.files: dict[str, Seen] = defaultdict(Seen)
        self._failed: set[str] = set()
        sys.addaudithook(self._heard)
        self._trace()

    def survey(self) -> Survey:
        """Return what was seen of tests that pass: one that fails with nothing broken can notice nothing."""
        passed = {name: seen for name, seen in self.tests.items() if name not in self._failed}
        return Survey(passed, dict(self.files), self._imports.lines)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Leave out what fails."""
        if report.failed:
            self._failed.add(report.nodeid)

    def _heard(self, event: str, _arguments: tuple[Any, ...]) -> None:
        if event in _STARTS_A_PROCESS:
            self._now.starts = True

    def _trace(self) -> None:
        threading.settrace(self._called)
        sys.settrace(self._called)

    def _called(self, frame: FrameType, _event: str, _argument: Any) -> Callable[..., Any] | None:
        module = self._modules.get(frame.f_code.co_filename)
        if module is None:
            return None

        def ran(inner: FrameType, _event: str, _argument: Any) -> Callable[..., Any]:
            self._now.lines[module].add(inner.f_lineno)
            return ran

        return ran(frame, "call", None)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Measure a test with its set-up and tear-down."""
        began = time.monotonic()
        file = self.files[item.nodeid.partition("::")[0]]
        self._now = file
        self._trace()
        try:
            return (yield)
        finally:
            self._now = file
            self.tests[item.nodeid].seconds = time.monotonic() - began

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Count what runs now for this test."""
        self._now = self.tests[item.nodeid]
        self._trace()
        try:
            return (yield)
        finally:
            self._now = self.files[item.nodeid.partition("::")[0]]


class Chosen:
    """The plugin that runs these tests alone, in this order, and tells which one failed."""

    def __init__(self, names: Sequence[str], tell: Callable[[str], object]) -> None:
        self._rank = {name: number for number, name in enumerate(names)}
        self._tell = tell

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out the others."""
        items[:] = sorted((one for one in items if one.nodeid in self._rank), key=lambda one: self._rank[one.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tell who noticed."""
        if report.failed:
            self._tell(report.nodeid)
