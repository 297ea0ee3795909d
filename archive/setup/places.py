"""Folders outside of the archive's own that it writes: copies of it ([backup]), heads of its log ([custody] folder).

The units of web and worker may write in the archive's folder alone, so what the settings name is allowed to them by a
drop-in. A backup has a unit of its own, which may write wherever the folder's owner lets it.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from appliance.contract.durable_files import replace
from appliance.contract.errors import SettingsError, StorageError
from appliance.contract.settings_file import load_settings
from archive.configuration.storage import Backup

from .steps import USER, Host, restart

WEB: Final = "plainsight-archive-web.service"
WORKER: Final = "plainsight-archive-worker.service"
DROP_IN: Final = """\
# Written by plainsight-archive setup: folders that [backup] and [custody] of archive.toml name.
[Service]
ReadWritePaths={paths}
"""


class _Custody(BaseModel):
    model_config = ConfigDict(extra="ignore")

    folder: Path | None = None


class Named(BaseModel):
    """What is read of the settings."""

    model_config = ConfigDict(extra="ignore")

    backup: Backup = Backup()
    custody: _Custody = _Custody()


def prove_places(host: Host, backup: Backup | None) -> str:
    """Make the places of backups where they are not there, and prove that the archive's user may write them.

    Raises SettingsError that names the one that it may not.
    """
    if backup is None:
        return "backup (no places were given)"
    for name in ("folder", "keys", "generation_keys"):
        path = getattr(backup, name)
        try:
            if not path.is_dir():
                path.mkdir(mode=0o700)
                if host.is_root:
                    account = pwd.getpwnam(USER)
                    os.chown(path, account.pw_uid, account.pw_gid)
        except OSError as error:
            raise SettingsError(f"cannot make {path}: {error.strerror}", field=f"backup.{name}") from error
        if not _may_write(host, path):
            raise SettingsError(
                f"{USER} may not write in {path}: 'chown {USER}: {path}', or mount it so that this user may (a stick "
                f"with FAT: 'mount -o uid={USER},umask=077')",
                field=f"backup.{name}",
            )
    return f"backup every night to {backup.folder}"


def _may_write(host: Host, path: Path) -> bool:
    test = ["test", "-w", str(path), "-a", "-x", str(path)]
    if host.is_root:
        account = pwd.getpwnam(USER)
        test = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--init-groups", *test]
    return subprocess.run(test, check=False, cwd="/").returncode == 0


def allow_places(host: Host) -> str:
    """Let web and worker write what the settings name, by a drop-in of each, and take that up where they run."""
    named = load_settings(host.home / "archive.toml", Named, "mend it, or move it away")
    keys = [named.backup.keys, named.backup.generation_keys]
    wanted = {WEB: keys[1:], WORKER: [named.custody.folder, *keys]}
    changed = [unit for unit, paths in wanted.items() if _allow(host, unit, [path for path in paths if path])]
    restart(host, changed)
    allowed = sorted({str(path) for paths in wanted.values() for path in paths if path})
    return f"folders outside of {host.home} ({', '.join(allowed) or 'none'})"


def _allow(host: Host, unit: str, paths: list[Path]) -> bool:
    """Write the drop-in of `unit`, or take it away; return whether anything changed."""
    drop_in = host.units / f"{unit}.d" / "places.conf"
    text = drop_in_text(paths).encode() if paths else b""
    if (drop_in.read_bytes() if drop_in.exists() else b"") == text:
        return False
    if not host.is_root:
        return False
    try:
        drop_in.parent.mkdir(parents=True, exist_ok=True)
        if text:
            replace(drop_in, text, mode=0o644, durable=True)
        else:
            drop_in.unlink()
    except OSError as error:
        raise StorageError(f"cannot write {drop_in}: {error.strerror}") from error
    return True


def drop_in_text(paths: Iterable[Path]) -> str:
    """Return the drop-in; a folder that is not there when the unit starts keeps nothing from running. Pure."""
    words = (str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") for path in paths)
    return DROP_IN.format(paths=" ".join(f'"-{word}"' for word in words))
