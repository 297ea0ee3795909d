"""Moving what is kept for good from the disk into the bucket, and back: resumable, and verified byte by byte."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from appliance.contract.errors import ConflictError, SettingsError
from archive.recordings.models import Recording
from archive.recordings.removal import destroyed_elsewhere
from archive.records.outside_recordings.models import OutsideRecording
from archive.records.outside_recordings.plain_file import OUTSIDE
from archive.store.base import BUFFER, DERIVATIVES, PACKAGES, Store, open_object

KEPT = (PACKAGES, OUTSIDE, DERIVATIVES)
"""The folders of what is kept for good."""


@dataclass
class Moved:
    """How far it came."""

    objects: int = 0
    """Objects at the source."""
    verified: int = 0
    """Those that were read at both places, and are the same, byte by byte."""
    copied: int = 0
    """Those of them that were not at the target before this run."""
    bytes: int = 0
    """Bytes of those that were verified."""
    failed: dict[str, str] = field(default_factory=dict)
    """Those that are not the same, with what is wrong."""
    only_at_target: list[str] = field(default_factory=list)
    """Objects that the target has and the source has not: destroyed since an earlier run, or not ours.

    Where the archive uses the target already, what is only there is new, and not told."""
    destroyed: int = 0
    """Objects at the source, beside those above, of recordings that were destroyed: they go nowhere."""
    removed: int = 0
    """Objects that were removed from the source."""

    @property
    def complete(self) -> bool:
        """Whether all that the source has is at the target, and nothing else is."""
        return self.verified == self.objects and not self.failed and not self.only_at_target

    def as_json(self) -> dict[str, Any]:
        """Return it for scripts."""
        return asdict(self) | {"complete": self.complete}


def sealed_digests() -> dict[str, str]:
    """Return the digest of each package as it was sealed, by its name in the store."""
    ours = Recording.objects.exclude(package="").values_list("package", "package_sha256")
    brought = OutsideRecording.objects.exclude(package_sha256="").values_list("pk", "package_sha256")
    return dict(ours) | {f"{OUTSIDE}/{pk[:2]}/{pk}.zip": sha256 for pk, sha256 in brought}


def is_destroyed(name: str) -> bool:
    """Tell whether an object is one of a recording that was destroyed."""
    parts = name.split("/")
    recording = parts[-2] if parts[0] == DERIVATIVES else parts[-1].removesuffix(".zip")
    gone = Recording.objects.filter(pk=recording, destroyed_at__isnull=False).exists()
    return gone or recording in destroyed_elsewhere()


def move(
    source: Store,
    target: Store,
    sealed: Mapping[str, str],
    told: Callable[[Moved], object],
    *,
    destroyed: Callable[[str], bool] = is_destroyed,
    in_use: bool = False,
    remove: bool = False,
    hold: Callable[[str], object] = lambda _name: None,
) -> Moved:
    """Copy what the target lacks, read all of it at both places, and return what came of it.

    A run that was broken off is resumed by another one: what is there is read again and not copied. What `destroyed`
    names is not brought over, since the target may lock it for years. `hold` is called with each name that is the same
    at both places, and sets or lifts a legal hold there. `in_use` says that the archive uses the target.
    With `remove`, which the operator asks for, the source's objects are removed once every one of them was verified in
    this run, and those that were destroyed with them. Raises StorageError if either place stops answering; nothing is
    lost then.
    """
    names = sorted(_kept(source))
    moved = Moved(objects=len(names))
    brought = set()
    for name in names:
        told(moved)
        # destroyed in the place in use, while this one kept it
        if destroyed(name):
            moved.objects -= 1
            moved.destroyed += 1
            continue
        brought.add(name)
        wrong = _move_one(source, target, name, sealed.get(name), moved)
        if wrong:
            moved.failed[name] = wrong
        else:
            hold(name)
            moved.verified += 1
    if not in_use:
        moved.only_at_target = sorted(set(_kept(target)) - brought)
    if remove and moved.complete:
        for name in names:
            source.remove(name)
            moved.removed += 1
            told(moved)
    elif remove:
        raise SettingsError(
            f"nothing was removed: {len(moved.failed)} objects are not the same at both places, and "
            f"{len(moved.only_at_target)} are only at the target; run it without --remove-source to see which",
            field="--remove-source",
        )
    return moved


def _move_one(source: Store, target: Store, name: str, sealed: str | None, moved: Moved) -> str:
    """Bring one object over, unless it is there; return what is wrong, empty if it is the same at both places."""
    there = target.exists(name)
    if there:
        ours, size = _digest(source, name)
    else:
        draft = target.draft(name)
        try:
            known, size = hashlib.sha256(), 0
            for piece in _pieces(source, name):
                draft.write(piece)
                known.update(piece)
                size += len(piece)
            ours = known.hexdigest()
            if sealed not in {None, ours}:
                return "at the source it is not what was sealed; restore it from its copy first"
            draft.publish()
            moved.copied += 1
        except ConflictError as error:
            return error.message
        finally:
            draft.discard()
    if sealed not in {None, ours}:
        return "at the source it is not what was sealed; restore it from its copy first"
    if _digest(target, name)[0] != ours:
        return "other bytes are at the target"
    moved.bytes += size
    return ""


def _digest(store: Store, name: str) -> tuple[str, int]:
    known, size = hashlib.sha256(), 0
    for piece in _pieces(store, name):
        known.update(piece)
        size += len(piece)
    return known.hexdigest(), size


def _pieces(store: Store, name: str) -> Iterator[bytes]:
    with open_object(store, name) as file:
        while piece := file.read(BUFFER * 16):
            yield piece


def _kept(store: Store) -> Iterator[str]:
    for folder in KEPT:
        yield from store.names(folder)
