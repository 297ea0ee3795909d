"""What a person is told by the commands that restore."""

from __future__ import annotations

from .restoring import Restored


def found_in_words(found: Restored) -> list[str]:
    """Return what was found in what was restored, a line each."""
    lines = [f"verified {found.verified} of {found.recordings} recordings"]
    lines += (
        [f"{found.without_key} without their key: nobody can hear them; look for another copy of the keys"]
        if found.without_key
        else []
    )
    lines += [f"{found.destroyed} keys not taken: their recordings were destroyed since"] if found.destroyed else []
    lines += [f"{found.erased} recordings erased again: they were destroyed since"] if found.erased else []
    newer = "sealed while the backup was made; 'plainsight-archive audit --repair' makes their rows, or seals them"
    lines += [f"{found.newer} {newer}"] if found.newer else []
    lines += [f"does not hold: {one}" for one in found.failed]
    lines += [f"the custody log does not hold: {found.custody}"] if found.custody else []
    return lines
