"""Users of their own for the parts, where the demonstration runs as root (promise 4 is kept by the kernel, not by us).

The numbers lie in the range that systemd keeps for dynamic users (61184 to 65519, systemd: UIDS-GIDS), so that no
account has to be made and none is left behind.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

SPOOL_GROUP = 61301
"""May read the spool, the status file and the inbox: recorder, courier, and the panel, which shows their figures."""
PANEL_GROUP = 61302
"""May reach the simulated panel and microphone: the recorder, as `gpio` and `audio` on a real box."""


@dataclass(frozen=True)
class Account:
    """Who a part runs as."""

    user: int
    """Numeric user id."""
    group: int
    """Primary group: what it makes belongs to this group."""
    others: tuple[int, ...] = ()
    """Supplementary groups."""
    network: bool = True
    """Whether it has any network; without, it gets an empty network namespace."""

    def wrap(self, command: list[str], death: str = "KILL") -> list[str]:
        """Return `command` so that it runs as this account, and gets the signal `death` when its parent dies.

        `setpriv` stands last, since the kernel forgets the death signal when the user changes.
        """
        groups = f"--groups={','.join(map(str, self.others))}" if self.others else "--clear-groups"
        isolate = [] if self.network else ["unshare", "--net", "--"]
        become = ["setpriv", f"--reuid={self.user}", f"--regid={self.group}", groups]
        return [*isolate, *become, "--no-new-privs", f"--pdeathsig={death}", "--", *command]

    def own(self, path: Path, mode: int, group: int | None = None) -> None:
        """Make `path` (a folder is made if it is missing) this account's, with `mode`."""
        if not path.exists():
            path.mkdir()
        os.chown(path, self.user, self.group if group is None else group)
        path.chmod(mode)


@dataclass(frozen=True)
class Accounts:
    """The accounts of one district; `separate` is False where the demonstration does not run as root."""

    separate: bool
    recorder: Account
    courier: Account
    panel: Account
    archive: Account

    @classmethod
    def here(cls, sound: tuple[int, ...] = ()) -> Accounts:
        """Return separate accounts for root, and the caller's own for anybody else.

        `sound`: the groups that may open a real microphone (`sound_groups`), for the recorder.
        """
        if os.geteuid() == 0 and shutil.which("setpriv"):
            return cls(
                separate=True,
                recorder=Account(61201, SPOOL_GROUP, (PANEL_GROUP, *sound), network=False),
                courier=Account(61202, 61202, (SPOOL_GROUP,)),
                panel=Account(61203, PANEL_GROUP, (SPOOL_GROUP,)),
                archive=Account(61204, 61204),
            )
        me = Account(os.geteuid(), os.getegid())
        return cls(separate=False, recorder=me, courier=me, panel=me, archive=me)

    @staticmethod
    def sound_groups(devices: Path = Path("/dev/snd")) -> tuple[int, ...]:
        """Return the groups to which this machine's microphones belong, as they do on a box (Debian: `audio`)."""
        return tuple(sorted({node.stat().st_gid for node in devices.glob("pcm*c")}))

    def wrap(self, account: Account, command: list[str], death: str = "KILL") -> list[str]:
        """Return `command` as `account` has to run it; `death` is the signal that it gets when its parent dies."""
        if self.separate:
            return account.wrap(command, death)
        return ["setpriv", f"--pdeathsig={death}", "--", *command]
