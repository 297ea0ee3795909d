"""The preloaded shim (shim.c): disk calls of one recorder that fail, or take their time."""

from __future__ import annotations

import errno
import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("shim.c")
FOR_EVER_S = 3600.0
"""How long a call takes that never comes back within a test, in seconds."""


class CannotError(Exception):
    """This machine cannot make the fault; the message says what is missing."""


def build(folder: Path) -> Path:
    """Return the shim, compiled into `folder`."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise CannotError("there is no C compiler; install gcc and libc6-dev")
    target = folder / "disk-fault.so"
    command = [compiler, "-shared", "-fPIC", "-O2", "-Wall", "-o", str(target), str(SOURCE), "-ldl", "-lpthread"]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise CannotError(f"the shim does not compile: {made.stderr.strip()[-500:]}")
    return target


class Shim:
    """What one recorder's disk calls do."""

    def __init__(self, library: Path, folder: Path, prefix: Path) -> None:
        """Let orders lie in `folder`; only files below `prefix` are concerned."""
        self._library = library
        self._orders = folder / "disk-fault"
        self._prefix = prefix

    @property
    def environment(self) -> dict[str, str]:
        """What the recorder needs in its environment."""
        return {"LD_PRELOAD": str(self._library), "DISK_FAULT": str(self._orders)}

    def order(
        self, call: str, number: int = errno.EIO, *, skip: int = 0, times: int = 1 << 30, wait: float = 0
    ) -> None:
        """Let calls fail with `number` (0: they work) after `wait` seconds: `times` of them, `skip` calls from now."""
        fresh = self._orders.with_suffix(".fresh")
        fresh.write_text(f"{call} {number} {wait} {skip} {times} {self._prefix}\n")
        fresh.rename(self._orders)

    def mend(self) -> None:
        """Let everything work again."""
        self._orders.unlink(missing_ok=True)

    def first_ns(self) -> int | None:
        """Return when the first concerned call began, on CLOCK_MONOTONIC."""
        hits = Path(f"{self._orders}.hits")
        return int(hits.read_text().split()[0]) if hits.exists() else None
