"""What of a demonstration stays on the disk, and whether its accounts can reach a folder that somebody named."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

from .accounts import Accounts
from .layout import Layout


def clean_up(layout: Layout, *, keep: bool, worth_a_look: bool) -> str:
    """Remove what nobody asked to keep and nobody should look at; return what to tell of it."""
    if keep:
        return f"what it made, keys and logs included, lies in {layout.root}"
    if worth_a_look:
        remove_secrets(layout)
        return f"private keys and audio are removed; logs and sealed packages lie in {layout.root}"
    remove_all(layout)
    return "everything that it made is removed; --keep DIR keeps it"


def remove_all(layout: Layout) -> None:
    """Remove everything that a demonstration made: private keys, recordings, logs."""
    shutil.rmtree(layout.root)


def remove_secrets(layout: Layout) -> None:
    """Remove everything but the logs, the exported packages, which nobody can listen to, and the keys to check them."""
    for path in layout.root.iterdir():
        if path not in {layout.export, layout.key_ring, layout.logs}:
            _remove(path)
    for sealed_key in layout.export.glob("*/*.age"):
        sealed_key.unlink()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def why_unreachable(folder: Path, accounts: Accounts) -> str:
    """Return why the parts could not work in `folder`, or an empty text: as root they run as users of their own."""
    if not accounts.separate:
        return ""
    for parent in folder.parents:
        if parent.exists() and not parent.stat().st_mode & stat.S_IXOTH:
            return (
                f"the parts run as users of their own, who cannot enter {parent}; name a folder elsewhere, "
                f"for example below /var/tmp, or 'chmod o+x {parent}'"
            )
    return ""
