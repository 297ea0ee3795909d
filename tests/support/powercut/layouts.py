"""Which layouts a power cut may leave: chosen fates of bytes, chosen losses of names, each layout once."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Iterator
from pathlib import Path

from .volume import FATES, Fate, Tree, Volume

_MOST_FREE = 6
"""With more changes of names pending than this, subsets are drawn instead of counted through."""


def key_of(tree: Tree) -> bytes:
    """Return what two layouts have in common only if they are the same."""
    found = hashlib.sha256()
    for path, data in sorted(tree.items()):
        found.update(f"{path}\0{-1 if data is None else len(data)}\0".encode() + (data or b""))
    return found.digest()


def some(volume: Volume, chance: random.Random) -> Iterator[Tree]:
    """The bounded set: one fate for all bytes; names lost in order from the end, one alone, or all but one."""
    count = len(volume.changes)
    everything = frozenset(range(count))
    losses = {everything - frozenset(range(done)) for done in range(count + 1)}
    losses |= {frozenset({one}) for one in everything} | {everything - {one} for one in everything}
    files = volume.pending()
    for lost in sorted(losses, key=sorted):
        for fate in FATES if files else FATES[:1]:
            yield volume.layout({id(file): (fate, 2) for file in files}, lost)
    if len(files) > 1:
        mixed: dict[int, tuple[Fate, int]] = {id(file): (chance.choice(FATES), chance.randint(2, 9)) for file in files}
        yield volume.layout(mixed, frozenset(one for one in everything if chance.random() < 0.5))


def few(volume: Volume, chance: random.Random) -> Iterator[Tree]:
    """One fate for all bytes; no name lost, all lost, or a drawn set."""
    everything = range(len(volume.changes))
    drawn = frozenset(one for one in everything if chance.random() < 0.5)
    files = volume.pending()
    for lost in {frozenset(), frozenset(everything), drawn}:
        for fate in FATES if files else FATES[:1]:
            yield volume.layout({id(file): (fate, 2) for file in files}, lost)


def many(volume: Volume, chance: random.Random) -> Iterator[Tree]:
    """Every fate of every file with every subset of lost names, and torn at several places."""
    count = len(volume.changes)
    if count <= _MOST_FREE:
        sizes = range(count + 1)
        losses = [frozenset(one) for size in sizes for one in itertools.combinations(range(count), size)]
    else:
        losses = [frozenset(one for one in range(count) if chance.random() < 0.5) for _ in range(1 << _MOST_FREE)]
        losses += [frozenset(), frozenset(range(count))]
    files = volume.pending()
    cuts: list[tuple[Fate, int]] = [("torn", 3), ("torn", 7), ("torn", 1000)]
    choices: list[tuple[Fate, int]] = [(fate, 2) for fate in FATES] + cuts
    for lost in losses:
        for fates in itertools.product(choices, repeat=len(files)):
            yield volume.layout({id(file): fate for file, fate in zip(files, fates, strict=True)}, lost)


def lay_out(tree: Tree, root: Path) -> None:
    """Make the tree in an empty folder."""
    for path, data in sorted(tree.items()):
        place = root / path
        if data is None:
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)


def read_tree(root: Path) -> Tree:
    """Return what lies in a folder."""
    return {
        str(path.relative_to(root)): path.read_bytes() if path.is_file() else None for path in sorted(root.rglob("*"))
    }
