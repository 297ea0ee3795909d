"""Commands at the archive's host run as the archive's own user, whoever called them.

What root makes in its folder, its services cannot write; and settings that this user may change must never run as root.
"""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from appliance.contract.errors import SettingsError


def become_own_user(folder: Path) -> None:
    """Go on as the owner of the archive's folder where root has called; raise SettingsError for who may not enter it.

    Who called stays known (Actor.operator). Without a folder nothing is done: whoever needs it says that it is missing.
    """
    try:
        owner = folder.stat()
    except OSError:
        return
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.environ.setdefault("SUDO_UID", "0")
        _become(owner.st_uid, owner.st_gid)
    elif not os.access(folder, os.R_OK | os.X_OK):
        raise SettingsError(
            f"{folder} is the archive's own, and this user may not enter it: run the command with sudo (it goes on as "
            "the archive's user), or set $ARCHIVE_HOME to another archive's folder",
            field="ARCHIVE_HOME",
        )


def _become(uid: int, gid: int) -> None:
    groups, home = [gid], "/"
    try:
        account = pwd.getpwuid(uid)
    except KeyError:
        # a folder of a system that is not this one
        pass
    else:
        gid, home = account.pw_gid, account.pw_dir
        groups = os.getgrouplist(account.pw_name, gid)
    os.setgroups(groups)
    os.setgid(gid)
    os.setuid(uid)
    # libraries look for files of their own there, and root's they may not even see
    os.environ["HOME"] = home
