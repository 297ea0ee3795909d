"""What takes tests seconds to make, kept beside the environment for a state of the code."""

from __future__ import annotations

import fcntl
import hashlib
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]


@cache
def code_digest() -> str:
    """Return what a migrated database depends on: our code, and the versions of the libraries with tables of theirs."""
    known = hashlib.sha256()
    for module in sorted((ROOT / "archive").rglob("*.py")):
        known.update(module.read_bytes())
    for library in ("django", "django-allauth"):
        known.update(version(library).encode())
    return known.hexdigest()[:16]


@contextmanager
def kept(name: str) -> Iterator[Path]:
    """Yield a file of that name beside the environment, where tests keep what takes them seconds to make.

    One process at a time; what was made of older code goes. Where nothing can be kept, it is a file for this once.
    """
    folder = Path(sys.prefix) / "kept-by-tests"
    suffix = Path(name).suffix
    try:
        folder.mkdir(exist_ok=True)
        # one making waits for no other one
        lock = (folder / f"lock{suffix}").open("w")
    except OSError:
        with TemporaryDirectory() as once:
            yield Path(once) / name
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for old in folder.glob(f"*{suffix}"):
            if old.name not in {name, f"lock{suffix}"} and old.stat().st_mtime < time.time() - 3600:
                old.unlink()
        partial = folder / f"partial-{name}"
        # of a process that was killed while it wrote
        partial.unlink(missing_ok=True)
        yield partial if not (folder / name).exists() else folder / name
        if partial.exists():
            partial.replace(folder / name)
