"""A disk as POSIX promises it: what was written, what is durable, and what a power cut may make of the rest.

A file's bytes are durable after its fsync, a name after an fsync of its folder; nothing else is. Between folders a
rename is one step, until one of the two is synced. After a failed fsync the bytes in question may be lost although a
later fsync succeeds, as on Linux.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from appliance.simulator.recorded_disk import Call

SECTOR = 512
Fate = Literal["dropped", "kept", "torn", "zeros", "late-sector"]
FATES: tuple[Fate, ...] = ("dropped", "kept", "torn", "zeros", "late-sector")
"""What becomes of bytes that were not synced: none, all, the first part, the length without the bytes, or the last
sector without those before it."""
Tree = dict[str, bytes | None]
"""A layout: files with their bytes, folders with None, by path from the spool on."""


@dataclass
class File:
    """A file's bytes, now and after a power cut."""

    data: bytes = b""
    durable: bytes = b""
    doubtful: bool = False
    """An fsync failed: what was not durable then may never be."""

    @property
    def pending(self) -> bool:
        """Whether a power cut may change it."""
        return self.data != self.durable

    def sync(self) -> None:
        """Make it durable, but for what a failed fsync left in doubt."""
        if not self.doubtful:
            self.durable = self.data

    def after(self, fate: Fate, cut: int = 2) -> bytes:
        """Return its bytes after a power cut; `torn` keeps 1/`cut` of what was not synced."""
        same = _common(self.durable, self.data)
        rest = self.data[same:]
        match fate:
            case "dropped":
                return self.durable
            case "kept":
                return self.data
            case "torn":
                return self.data[: same + len(rest) // cut]
            case "zeros":
                return self.data[:same] + bytes(len(rest))
            case "late-sector":
                last = (len(self.data) - 1) // SECTOR * SECTOR
                return self.data[:same] + bytes(max(0, last - same)) + self.data[max(last, same) :]


@dataclass
class Folder:
    """A folder's names, now and after a power cut."""

    names: dict[str, Node] = field(default_factory=dict)
    durable: dict[str, Node] = field(default_factory=dict)


Node = File | Folder


@dataclass
class Change:
    """A change of names that is not durable: (folder, name, what it now means), all at once."""

    parts: list[tuple[Folder, str, Node | None]]


class Volume:
    """Follows a history."""

    def __init__(self, root: Path, tree: Tree | None = None) -> None:
        """Begin with the spool's folder `root`, holding `tree`, which is durable."""
        self._root = root
        self._top = Folder()
        self._handles: dict[int, File] = {}
        self.changes: list[Change] = []
        for path, data in sorted((tree or {}).items()):
            folder, name = self._place(root / path)
            node: Node = Folder() if data is None else File(data, data)
            folder.names[name] = folder.durable[name] = node

    def process_restarts(self) -> None:
        """A new process numbers its handles from 1 again; the page cache stays."""
        self._handles.clear()

    def run(self, calls: Iterable[Call]) -> None:
        """Let calls happen."""
        for call in calls:
            self._do(call)

    def pending(self) -> list[File]:
        """Return the files that a power cut may change, in the order of their names."""
        found: list[File] = []
        _collect(self._top, found, set())
        return found

    def layout(self, fates: dict[int, tuple[Fate, int]], lost: frozenset[int]) -> Tree:
        """Return the tree after a power cut.

        `fates` gives the fate of pending files by id(); `lost` are the numbers of the `changes` that did not reach
        the disk.
        """
        tree: Tree = {}
        names: dict[int, dict[str, Node]] = {}
        for number, change in enumerate(self.changes):
            if number in lost:
                continue
            for folder, name, node in change.parts:
                mine = names.setdefault(id(folder), dict(folder.durable))
                if node is None:
                    mine.pop(name, None)
                else:
                    mine[name] = node
        _lay_out(self._top, "", names, fates, tree)
        return tree

    def _place(self, path: Path) -> tuple[Folder, str]:
        folder = self._top
        *parents, name = path.relative_to(self._root).parts
        for parent in parents:
            node = folder.names[parent]
            assert isinstance(node, Folder)
            folder = node
        return folder, name

    def _folder(self, path: Path) -> Folder:
        if path == self._root:
            return self._top
        folder, name = self._place(path)
        node = folder.names[name]
        assert isinstance(node, Folder)
        return node

    def _file(self, path: Path) -> File:
        folder, name = self._place(path)
        node = folder.names[name]
        assert isinstance(node, File)
        return node

    def _do(self, call: Call) -> None:
        match call.kind:
            case "create":
                file = self._handles[call.handle] = File()
                self._name([(*self._place(call.path), file)])
            case "make-folder":
                self._name([(*self._place(call.path), Folder())])
            case "open":
                self._handles[call.handle] = self._file(call.path)
            case "write":
                self._handles[call.handle].data += call.data
            case "truncate":
                file = self._handles[call.handle]
                file.data = file.data[: call.size]
                # the pages in doubt are gone from the cache; what is written from now on is new
                file.doubtful = file.doubtful and len(file.data) > len(file.durable)
            case "reserve":
                # room without content: nothing is told apart by whether it is there
                file = self._handles[call.handle]
                file.data = file.durable = bytes(call.size)
            case "fsync":
                self._handles[call.handle].sync()
            case "fsync-failed":
                self._handles[call.handle].doubtful = self._handles[call.handle].pending
            case "sync-folder":
                self._sync(self._folder(call.path))
            case "rename":
                assert call.target is not None
                source, target = self._place(call.path), self._place(call.target)
                self._name([(*source, None), (*target, source[0].names[source[1]])])
            case "remove" | "remove-folder":
                self._name([(*self._place(call.path), None)])

    def _name(self, parts: list[tuple[Folder, str, Node | None]]) -> None:
        for folder, name, node in parts:
            if node is None:
                del folder.names[name]
            else:
                folder.names[name] = node
        self.changes.append(Change(parts))

    def _sync(self, folder: Folder) -> None:
        for change in self.changes:
            for place, name, node in change.parts:
                if place is folder and node is None:
                    folder.durable.pop(name, None)
                elif place is folder and node is not None:
                    folder.durable[name] = node
            change.parts = [part for part in change.parts if part[0] is not folder]
        self.changes = [change for change in self.changes if change.parts]


def _common(left: bytes, right: bytes) -> int:
    if right.startswith(left):
        return len(left)
    return next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))


def _collect(folder: Folder, found: list[File], seen: set[int]) -> None:
    for _, node in sorted([*folder.names.items(), *folder.durable.items()], key=lambda item: item[0]):
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Folder):
            _collect(node, found, seen)
        elif node.pending:
            found.append(node)


def _lay_out(
    folder: Folder,
    prefix: str,
    names: dict[int, dict[str, Node]],
    fates: dict[int, tuple[Fate, int]],
    tree: Tree,
) -> None:
    for name, node in names.get(id(folder), folder.durable).items():
        if isinstance(node, Folder):
            tree[prefix + name] = None
            _lay_out(node, f"{prefix}{name}/", names, fates, tree)
        else:
            tree[prefix + name] = node.after(*fates.get(id(node), ("dropped", 2)))
