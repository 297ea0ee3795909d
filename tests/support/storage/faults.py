"""Every storage fault that a machine like this can make, how it is struck and mended, and what must come of it."""

from __future__ import annotations

import errno
from collections.abc import Callable

from .scenario import Fault, Scene
from .shim import FOR_EVER_S, Shim
from .volume import Volume


def _volume(scene: Scene) -> Volume:
    assert scene.volume is not None
    return scene.volume


def _shim(scene: Scene) -> Shim:
    assert scene.shim is not None
    return scene.shim


def _order(call: str, number: int, skip: int = 0, times: int = 1 << 30) -> Callable[[Scene], None]:
    return lambda scene: _shim(scene).order(call, number, skip=skip, times=times)


def _slow(scene: Scene) -> None:
    _shim(scene).order("fsync", 0, skip=1, times=1, wait=scene.lengths.ride_s)


def _slow_at_once(scene: Scene) -> None:
    _shim(scene).order("fsync", 0, times=1, wait=8.0)


def _hang(scene: Scene) -> None:
    _shim(scene).order("fsync", 0, wait=FOR_EVER_S)


def _mend(scene: Scene) -> None:
    _shim(scene).mend()


FAULTS: tuple[Fault, ...] = (
    Fault("full tmpfs before", "tmpfs", lambda s: _volume(s).fill(), lambda s: _volume(s).empty(), "refuses"),
    Fault("ext4 frozen before", "ext4", lambda s: _volume(s).freeze(), lambda s: _volume(s).thaw(), "refuses"),
    Fault("full tmpfs", "tmpfs", lambda s: _volume(s).fill(), lambda s: _volume(s).empty(), "ends"),
    Fault("full ext4", "ext4", lambda s: _volume(s).fill(), lambda s: _volume(s).empty(), "ends"),
    Fault(
        "no inodes for a while",
        "tmpfs",
        lambda s: _volume(s).use_up_inodes(),
        lambda s: _volume(s).give_inodes_back(),
        "rides",
        full=True,
    ),
    Fault(
        "ext4 shut down",
        "ext4",
        lambda s: _volume(s).shut_down(),
        lambda s: _volume(s).mend(),
        "ends",
        by_hand=True,
    ),
    Fault(
        "ext4 turned read-only",
        "ext4",
        lambda s: _volume(s).turn_read_only(),
        lambda s: _volume(s).mend(),
        "ends",
        by_hand=True,
    ),
    Fault("ext4 frozen for a while", "ext4", lambda s: _volume(s).freeze(), lambda s: _volume(s).thaw(), "rides"),
    Fault("ext4 frozen", "ext4", lambda s: _volume(s).freeze(), lambda s: _volume(s).thaw(), "ends"),
    Fault("mount vanished", "ext4", lambda s: _volume(s).vanish(), lambda s: _volume(s).mount(), "ends"),
    Fault("one write EIO", "shim", _order("write", errno.EIO, skip=3, times=1), _mend, "rides"),
    Fault("one write ENOSPC", "shim", _order("write", errno.ENOSPC, times=1), _mend, "rides", full=True),
    Fault("one fsync EIO", "shim", _order("fsync", errno.EIO, skip=2, times=1), _mend, "rides"),
    Fault("one open EIO", "shim", _order("open", errno.EIO, skip=1, times=1), _mend, "rides"),
    Fault("every write ENOSPC", "shim", _order("write", errno.ENOSPC), _mend, "ends"),
    Fault("every write EIO", "shim", _order("write", errno.EIO), _mend, "ends"),
    Fault("every open EIO", "shim", _order("open", errno.EIO), _mend, "ends"),
    Fault("every fsync EIO", "shim", _order("fsync", errno.EIO), _mend, "ends"),
    Fault("one fsync slow", "shim", _slow, _mend, "rides"),
    Fault("fsync for ever", "shim", _hang, _mend, "ends"),
)
"""Faults of the everyday suite."""

ALL = (
    *FAULTS,
    # half a minute may pass until an idle box tries its disk
    Fault("one fsync slow, idle", "shim", _slow_at_once, _mend, "unready"),
)
"""Faults of a campaign."""
