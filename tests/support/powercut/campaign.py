"""Cuts the power after every call of a writer, of the recovery that follows, and of the recovery of a killed writer."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from appliance.simulator.recorded_disk import Call

from .checks import BrokenError, check_layout, recovered
from .layouts import key_of, lay_out, read_tree
from .volume import Fate, Tree, Volume
from .workload import Mark, Story

Chooser = Callable[[Volume, random.Random], Iterator[Tree]]
_MOST_BROKEN = 20


@dataclass
class Tally:
    """What a campaign tried and found."""

    cuts: int = 0
    """Instants at which the power was cut: after every call of writers and recoveries."""
    layouts: int = 0
    """Different disks that these left, each recovered and checked."""
    broken: list[str] = field(default_factory=list)
    """Layouts on which the promise did not hold, in words."""

    @property
    def held(self) -> bool:
        """Whether the promise held everywhere."""
        return not self.broken


@dataclass(frozen=True)
class _Case:
    """A layout that is to be checked."""

    tree: Tree
    promised: Mark
    closed: bytes | None
    place: str


class Campaign:
    """One story's power cuts, in a folder of its own; `close` removes it."""

    def __init__(self, story: Story, choose: Chooser, seed: int, folder: Path | None = None) -> None:
        """Choose layouts with `choose`; work in a new folder inside `folder`, or where temporary files go."""
        self._story = story
        self._choose = choose
        self._chance = random.Random(seed)
        self._folder = Path(tempfile.mkdtemp(prefix="power-cut-", dir=folder))
        self._seen: dict[tuple[bytes, bytes | None], Mark] = {}
        self.tally = Tally()
        self._distinct: list[_Case] = []

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self._folder)

    def cut_the_writer(self, *, to_the_first: bool = False) -> None:
        """Cut after every call of the recording; `to_the_first` ends where the promise did not hold."""
        for calls in range(len(self._story.history) + 1):
            if to_the_first and self.tally.broken:
                return
            volume = Volume(self._story.root)
            volume.run(self._story.history[:calls])
            case = self._try(volume, self._story.promised(calls), None, f"the writer's call {self._name(calls)}")
            self._distinct.extend(case)

    def cut_recoveries(self, every: int = 1) -> None:
        """Cut after every call of the recovery of every so-manieth layout that cuts of the writer left."""
        for case in self._distinct[::every]:
            root = self._fresh(case.tree)
            history, closing = recovered(self._story, root)
            closed = self._ledger(root) if closing else None
            for calls in range(1, len(history) + 1):
                volume = Volume(root, case.tree)
                volume.run(history[:calls])
                done = closed if calls == len(history) else None
                self._try(volume, case.promised, done, f"{case.place}, then recovery's call {calls}")

    def cut_after_kills(self) -> None:
        """Kill the writer after every call, let recovery run on what the page cache holds, then cut the power."""
        for calls in range(len(self._story.history) + 1):
            if calls and self._story.history[calls - 1].kind == "fsync-failed":
                # the page cache shows bytes that the disk may not have; recovery drops it and sees what the disk has,
                # which is what the cuts of the writer try
                continue
            volume = Volume(self._story.root)
            volume.run(self._story.history[:calls])
            kept: dict[int, tuple[Fate, int]] = {id(file): ("kept", 1) for file in volume.pending()}
            root = self._fresh(volume.layout(kept, frozenset()))
            history, closing = recovered(self._story, root)
            # where it was closed already, the courier syncs it before it sends it
            closed = self._ledger(root) if closing else None
            volume.process_restarts()
            volume.run(_moved(call, root, self._story.root) for call in history)
            place = f"killed at the writer's call {self._name(calls)}, recovered, then cut"
            self._try(volume, self._story.promised(calls), closed, place)

    def _try(self, volume: Volume, promised: Mark, closed: bytes | None, place: str) -> list[_Case]:
        """Check every layout that was not checked with as much promised; return the new ones."""
        self.tally.cuts += 1
        fresh = []
        for tree in self._choose(volume, self._chance):
            key = (key_of(tree), closed)
            known = self._seen.get(key)
            if known is not None and (known.lines, known.frames, known.closed) >= (
                promised.lines,
                promised.frames,
                promised.closed,
            ):
                continue
            self._seen[key] = promised
            case = _Case(tree, promised, closed, place)
            self._judge(case)
            fresh.append(case)
        return fresh

    def _judge(self, case: _Case) -> None:
        self.tally.layouts += 1
        root = self._fresh(case.tree)
        try:
            recovered(self._story, root)
            check_layout(self._story, case.tree, root, case.promised, case.closed)
        except BrokenError as error:
            if len(self.tally.broken) < _MOST_BROKEN:
                listing = ", ".join(f"{p} {'/' if d is None else len(d)}" for p, d in sorted(case.tree.items()))
                self.tally.broken.append(f"{case.place}: {error}; the disk held: {listing}")

    def _fresh(self, tree: Tree) -> Path:
        root = self._folder / "spool"
        if root.exists():
            shutil.rmtree(root)
        root.mkdir()
        lay_out(tree, root)
        return root

    def _ledger(self, root: Path) -> bytes | None:
        return read_tree(root).get(f"recordings/{self._story.recording}/ledger.tsv")

    def _name(self, calls: int) -> str:
        if calls == 0:
            return "0"
        call = self._story.history[calls - 1]
        return f"{calls} ({call.kind} {call.path.relative_to(self._story.root)})"


def _moved(call: Call, old: Path, new: Path) -> Call:
    target = None if call.target is None else new / call.target.relative_to(old)
    return replace(call, path=new / call.path.relative_to(old), target=target)
