"""Memory, file handles and file names: what a recording needs besides room. It reads /proc and asks the kernel."""

from __future__ import annotations

import os
import re
import resource
from pathlib import Path
from typing import Final

MEMORY: Final = "memory-low"
HANDLES: Final = "handles-low"
NAMES: Final = "spool-names"
"""The amber codes (contract/amber_codes.py)."""
MEMORY_BYTES: Final = 64 << 20
"""Capture and writer may have to be started again in a meeting; supervisor, capture and writer together take 90 MB
(docs/figures.md), so two of them some 60."""
OWN_HANDLES: Final = 32
"""A process may need so many more: a start of one opens fewer than 20 at once (pipes, ring, sound card, files)."""
MACHINE_HANDLES: Final = 256
"""The same for all processes together."""
PROC: Final = Path("/proc")
_AVAILABLE = re.compile(r"^MemAvailable:\s+(\d+) kB$", re.MULTILINE)


def memory_fault(proc: Path = PROC) -> str | None:
    """Return what is wrong with the machine's memory, or None; a kernel that does not tell has nothing wrong."""
    found = _AVAILABLE.search(_read(proc / "meminfo"))
    free = int(found[1]) << 10 if found else MEMORY_BYTES
    if free >= MEMORY_BYTES:
        return None
    return f"{free >> 20} MB of memory are available, {MEMORY_BYTES >> 20} are wanted"


def handles_fault(proc: Path = PROC) -> str | None:
    """Return whether this process or the machine is short of file handles, and how, or None.

    A child has the limit of who starts it, so that the supervisor's is that of capture and writer as well.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = sum(1 for _ in (proc / "self" / "fd").iterdir())
    if limit != resource.RLIM_INFINITY and limit - used < OWN_HANDLES:
        return f"{used} of {limit} file handles of this process are in use (ulimit -n, LimitNOFILE=)"
    # three numbers: allocated, free among those, and the limit (proc_sys_fs(5))
    numbers = _read(proc / "sys" / "fs" / "file-nr").split()
    if len(numbers) == 3 and int(numbers[2]) - int(numbers[0]) < MACHINE_HANDLES:
        return f"{numbers[0]} of the machine's {numbers[2]} file handles are in use (sysctl fs.file-max)"
    return None


def free_names(folder: Path) -> int | None:
    """Return how many files may still be made on the folder's disk, or None where its file system has no such limit.

    It asks a disk, so not for the supervisor. Raises OSError.
    """
    found = os.statvfs(folder)
    return found.f_favail if found.f_files else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
