"""Building the ALSA plugin with the machine's own compiler."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from appliance.contract.errors import DeviceError

SOURCE = Path(__file__).with_name("ioplug.c")


def build(folder: Path) -> Path:
    """Return the plugin's path in `folder`, built if it is not there yet; raise DeviceError if that fails.

    The name holds the source's digest, so that a changed source is built again and an old plugin is never used.
    """
    target = folder / f"plainsight-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]}.so"
    if target.exists():
        return target
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise DeviceError("the test microphone needs a C compiler; install the Debian packages gcc and libc6-dev")
    folder.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}")
    command = [compiler, "-shared", "-fPIC", "-DPIC", "-O2", "-o", str(partial), str(SOURCE), "-lasound"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise DeviceError(
            "the test microphone could not be built; install the Debian packages gcc, libc6-dev and libasound2-dev.\n"
            + result.stderr.strip()[-1500:]
        )
    partial.chmod(0o755)  # the recorder, which loads it, is another user
    partial.rename(target)
    return target
