"""The preloaded shim (shim.c): what the wall clock shows to one process tree."""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("shim.c")


class CannotError(Exception):
    """This machine cannot make the fault; the message says what is missing."""


class ClockShim:
    """A wall clock that can be stepped."""

    def __init__(self, folder: Path) -> None:
        """Compile the shim into `folder`, where the offset lies as well; raise CannotError if that fails."""
        compiler = shutil.which("gcc") or shutil.which("cc")
        if compiler is None:
            raise CannotError("there is no C compiler; install gcc and libc6-dev")
        self._library = folder / "clock-offset.so"
        command = [compiler, "-shared", "-fPIC", "-O2", "-Wall", "-o", str(self._library), str(SOURCE)]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            raise CannotError(f"the shim does not compile: {made.stderr.strip()[-500:]}")
        self._offset = folder / "clock-offset"
        self._offset.write_bytes(bytes(8))
        with self._offset.open("r+b") as file:
            self._word = mmap.mmap(file.fileno(), 8)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment."""
        return {"LD_PRELOAD": str(self._library), "CLOCK_OFFSET": str(self._offset)}

    @property
    def offset_ns(self) -> int:
        """How far the wall clock is ahead of the machine's, in nanoseconds."""
        return int(struct.unpack("=q", self._word[:])[0])

    def step(self, nanoseconds: int) -> None:
        """Put the wall clock forward, or back where it is negative."""
        struct.pack_into("=q", self._word, 0, self.offset_ns + nanoseconds)

    def close(self) -> None:
        """Let go of the offset's file."""
        self._word.close()
