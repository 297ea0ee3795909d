"""Small real file systems under a spool: tmpfs, or ext4 in an image on a loop device.

Everything destructive is done to a mount of our own only: `Volume` refuses where its marker file is not on top.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Literal

from .shim import CannotError

_SHUTDOWN = 0x8004587D
"""EXT4_IOC_SHUTDOWN, the same number as XFS_IOC_GOINGDOWN."""
_NO_LOG_FLUSH = 2
_MARKER = "plainsight-test-volume"
_SIZE = 48 << 20
_INODES = 500


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotError(f"{' '.join(command)}: {done.stderr.strip()[:300]}")
    return done.stdout.strip()


class Volume:
    """A file system mounted at `place`, in nobody else's way."""

    def __init__(self, kind: Literal["tmpfs", "ext4"], folder: Path, place: Path) -> None:
        """Make it and mount it; raise CannotError where the machine does not allow that."""
        if os.geteuid() != 0:
            raise CannotError("only root may mount")
        self.kind = kind
        self.place = place
        self._device = ""
        self._frozen = False
        if kind == "ext4":
            image = folder / "volume.img"
            with image.open("wb") as file:
                file.truncate(_SIZE)
            _run("mkfs.ext4", "-q", "-m", "0", str(image))
            self._device = _run("losetup", "--find", "--show", str(image))
        try:
            self.mount()
            (place / _MARKER).touch()
        except CannotError:
            self.close()
            raise

    def mount(self) -> None:
        """Mount it, as a person does who puts the card in again."""
        if self.kind == "tmpfs":
            _run("mount", "-t", "tmpfs", "-o", f"size={_SIZE},nr_inodes={_INODES}", "tmpfs", str(self.place))
        else:
            _run("mount", "-o", "errors=remount-ro", self._device, str(self.place))

    def fill(self) -> None:
        """Leave no room at all."""
        self._ours()
        with (self.place / "filler").open("ab", buffering=0) as file:
            size = 1 << 20
            while size:
                try:
                    file.write(bytes(size))
                except OSError:
                    size //= 2

    def empty(self) -> None:
        """Give the room back."""
        (self.place / "filler").unlink()

    def use_up_inodes(self) -> None:
        """Let no file be made any more, although there is room: what counts free bytes does not see it coming."""
        self._ours()
        (self.place / "files").mkdir()
        try:
            for number in range(10 * _INODES):
                (self.place / "files" / str(number)).touch()
        except OSError:
            return
        raise CannotError("the file system has no limit of files")

    def give_inodes_back(self) -> None:
        """Let files be made again."""
        shutil.rmtree(self.place / "files")

    def shut_down(self) -> None:
        """Cut it off, as if the power went: nothing is written any more, every call fails."""
        self._ours()
        descriptor = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        except OSError as error:
            raise CannotError(f"the ioctl for a shutdown: {error.strerror}") from error
        finally:
            os.close(descriptor)

    def turn_read_only(self) -> None:
        """Let the kernel find an error and go on read-only."""
        self._ours()
        trigger = Path("/sys/fs/ext4") / Path(self._device).name / "trigger_fs_error"
        if not trigger.exists():
            raise CannotError(f"{trigger} does not exist")
        trigger.write_text("a test asks for it")

    def freeze(self) -> None:
        """Let every change hang."""
        self._ours()
        _run("fsfreeze", "-f", str(self.place))
        self._frozen = True

    def thaw(self) -> None:
        """Let it go on."""
        if self._frozen:
            self._frozen = False
            _run("fsfreeze", "-u", str(self.place))

    def vanish(self) -> None:
        """Take it away while files are open."""
        self._ours()
        _run("umount", "-l", str(self.place))

    def mend(self) -> None:
        """Mount it anew; nobody may have files open in it."""
        _run("umount", str(self.place))
        self.mount()

    def close(self) -> None:
        """Leave nothing behind."""
        self.thaw()
        while os.path.ismount(self.place):
            _run("umount", "-l", str(self.place))
        if self._device:
            _run("losetup", "--detach", self._device)
            self._device = ""

    def _ours(self) -> None:
        if not (self.place / _MARKER).exists():
            raise CannotError(f"{self.place} is not the test's own volume; nothing is done to it")
