"""Who owns the archive's files, and who can look at its keys."""

from __future__ import annotations

import pwd
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.contract.check_result import CheckResult
from archive.configuration.file import DEFAULT_HOME
from archive.keystore.file import ESCROW, SIGNING
from archive.setup.steps import USER

DEPTH: Final = 2
"""How many folders deep is looked: what somebody does by hand as root lies near the top."""
_MOST_NAMED: Final = 3
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class FileLook:
    """One file or folder."""

    path: str
    """Below the archive's folder; `.` is that folder itself."""
    uid: int
    """Number of its owner."""
    mode: int
    """Permission bits."""

    @property
    def is_secret(self) -> bool:
        """Whether nobody but its owner may look: the folder, and what lies in `keys`, but for what is public."""
        path = Path(self.path)
        public = (path.suffix == ".pem" and path.name != SIGNING) or path.name == ESCROW
        return self.path == "." or (path.parts[:1] == ("keys",) and not public)


@dataclass(frozen=True)
class FoldersLook:
    """The archive's folder."""

    home: Path
    """Where it is."""
    uid: int | None
    """Number of the user that everything must belong to; None if that user does not exist."""
    files: tuple[FileLook, ...]
    """What lies in it, near the top; empty if it is not there."""
    hidden: bool = False
    """Whether this user may not look into it."""


def look(home: Path) -> FoldersLook:
    """Look at the archive's folder; what vanishes meanwhile is left out."""
    try:
        owner = home.stat().st_uid
    except OSError:
        return FoldersLook(home, _uid(None, home), ())
    try:
        return FoldersLook(home, _uid(owner, home), tuple(_files(home)))
    except PermissionError:
        return FoldersLook(home, _uid(owner, home), (), hidden=True)


def _uid(owner: int | None, home: Path) -> int | None:
    if home != Path(DEFAULT_HOME):
        return owner
    try:
        return pwd.getpwnam(USER).pw_uid
    except KeyError:
        return None


def _files(home: Path) -> Iterator[FileLook]:
    waiting = [home]
    while waiting:
        path = waiting.pop()
        try:
            found = path.lstat()
        except FileNotFoundError:
            continue
        name = path.relative_to(home)
        yield FileLook(str(name), found.st_uid, stat.S_IMODE(found.st_mode))
        if stat.S_ISDIR(found.st_mode) and len(name.parts) < DEPTH:
            waiting.extend(path.iterdir())


def check(seen: FoldersLook) -> Iterator[CheckResult]:
    """Yield what is wrong with owners and permissions."""
    if seen.uid is None:
        yield CheckResult("owners", "wrong", f"there is no user {USER}", "install the package plainsight-archive")
        return
    if seen.hidden:
        yield CheckResult(
            "owners", "wrong", f"this user may not look into {seen.home}", f"run doctor as {USER}, or as root"
        )
        return
    if not seen.files:
        yield CheckResult("owners", "wrong", f"there is no {seen.home}", "run 'plainsight-archive setup'")
        return
    foreign = sorted(file.path for file in seen.files if file.uid != seen.uid)
    if foreign:
        remedy = f"chown -R --from={_first(seen, foreign)} {seen.uid} {seen.home}; run commands as {USER}, not as root"
        yield CheckResult("owners", "wrong", f"{_named(foreign)} belong to somebody else", remedy)
    else:
        yield CheckResult("owners", "ok", f"all in {seen.home} belongs to user {seen.uid}")
    open_to_others = sorted(file.path for file in seen.files if file.is_secret and file.mode & _OTHERS)
    if open_to_others:
        remedy = f"chmod go= {' '.join(str(seen.home / path) for path in open_to_others)}"
        yield CheckResult("secrets", "wrong", f"others may look at {_named(open_to_others)}", remedy)
    else:
        yield CheckResult("secrets", "ok", "nobody else may look at folder and keys")


def _first(seen: FoldersLook, foreign: list[str]) -> int:
    return next(file.uid for file in seen.files if file.path == foreign[0])


def _named(paths: list[str]) -> str:
    more = len(paths) - _MOST_NAMED
    return ", ".join(paths[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
