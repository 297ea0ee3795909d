"""A copy of the code that this recorder was started with, from which its children run.

An upgrade replaces the files under a recorder that makes a recording, and the recorder starts again only once that has
ended (`SIGHUP`, plainsight-box.postinst). Capture is started anew at each pause and each lost microphone: from the new
files it would be another version than its supervisor and its writer, with other messages, another ring, other rules.
So it is started from a copy that lies in memory, beside the status file. What others publish (Python, numpy, PortAudio)
is not copied.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_log = logging.getLogger(__name__)
PACKAGE: Final = Path(__file__).resolve().parents[2]
"""`appliance`, as it was imported here."""
_PREFIX: Final = "code-"


@contextmanager
def own_code(run: Path, package: Path = PACKAGE) -> Iterator[Path | None]:
    """Give a folder in `run` with a copy of `package`, to be found by its name there; None where there is no room.

    Without it a recorder is better than none: children then run what lies on the disk. The caller holds `run` alone.
    """
    _remove_old(run)
    folder = None
    try:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=run))
        # with their times, by which Python knows what is compiled; the version that recordings name is in dist-info
        for source in (package, *package.parent.glob("plainsight-*.dist-info")):
            shutil.copytree(source, folder / source.name)
    except (OSError, shutil.Error) as error:
        _log.error(
            "the recorder's code cannot be copied into %s, so an upgrade in a meeting may end it: %s", run, error
        )
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        folder = None
    try:
        yield folder
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_old(run: Path) -> None:
    """Remove what a recorder left that was killed, and whose children went with it."""
    for folder in run.glob(f"{_PREFIX}*"):
        shutil.rmtree(folder, ignore_errors=True)
