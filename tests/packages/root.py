"""A clean Debian root, in which the packages are tried."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CODE: Final = "PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/usr/lib/plainsight:/usr/lib/plainsight/carried"
"""What lets Python find the installed code, as the commands in /usr/bin do."""


class NotHeldError(Exception):
    """Something was not as it must be."""


@dataclass
class Root:
    """A clean Debian root, and the packages of two versions in /packages/old and /packages/new."""

    folder: Path
    old: str
    new: str

    def run(self, command: str, *, status: int | None = 0, within: Sequence[str] = (), seconds: float = 1800) -> str:
        """Run a shell command in the root; return what it printed. Raises NotHeldError for another exit status.

        `within`: what to start it with, if not with `chroot` into the root. `seconds`: how long it may take.
        """
        done = subprocess.run(
            [*(within or ("chroot", str(self.folder))), "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
             "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", "sh", "-c", command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False, timeout=seconds,
        )  # fmt: skip
        if status is not None and done.returncode != status:
            raise NotHeldError(f"{command}: exit status {done.returncode}, not {status}: {done.stdout[-2000:]}")
        if "Traceback (most recent call last)" in done.stdout:
            raise NotHeldError(f"{command}: a traceback: {done.stdout[-2000:]}")
        return done.stdout

    def install(self, which: str, *names: str) -> str:
        """Install packages of one of the two versions with apt, which fetches what they depend on."""
        files = " ".join(f"/packages/{which}/{name}_*.deb" for name in names)
        return self.run(f"apt-get install -q -y --no-install-recommends --allow-downgrades {files}")

    def path(self, name: str) -> Path:
        """Return where a path of the root lies outside of it."""
        return self.folder / name.lstrip("/")


def require(held: object, what: str) -> None:
    """Raise NotHeldError with `what` unless it held."""
    if not held:
        raise NotHeldError(what)
