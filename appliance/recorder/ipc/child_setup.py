"""What capture and writer do first: die with the supervisor, leave signals to it, take over descriptors."""

from __future__ import annotations

import argparse
import ctypes
import logging
import os
import select
import signal

from appliance.contract import log_format

from .message_channel import MessageChannel

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_PR_SET_DUMPABLE = 4


def parser(module: str, purpose: str) -> argparse.ArgumentParser:
    """Return the parser of what every child is given."""
    result = argparse.ArgumentParser(
        prog=f"python -m {module}",
        description=f"{purpose} Started by the supervisor; not meant to be started by hand.",
        epilog=f"example: python -m {module} --ring-fd 5 --control-fd 6",
    )
    result.add_argument("--ring-fd", type=int, required=True, help="inherited descriptor of the ring (a memfd)")
    result.add_argument("--control-fd", type=int, required=True, help="inherited end of the control socket")
    return result


def leave_signals_to_the_supervisor() -> None:
    """Ignore what a terminal or systemd sends to all processes: the order of ending is the supervisor's to give."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def die_with_parent() -> None:
    """Ask the kernel to kill this process when the thread that started it ends (prctl(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")


def protect_memory(name: str) -> None:
    """Keep the audio and secrets in memory out of core dumps and other users' tracing; show `name` in process lists."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE) failed")
    libc.prctl(_PR_SET_NAME, name.encode("ascii")[:15], 0, 0, 0)


def is_orphan(control: MessageChannel) -> bool:
    """Tell whether the supervisor went before `die_with_parent` could take hold."""
    poll = select.poll()
    poll.register(control, select.POLLHUP)
    return any(events & select.POLLHUP for _, events in poll.poll(0))


def log_to_stderr(level: int = logging.INFO) -> None:
    """Log to the inherited standard error, which is the journal's under systemd."""
    logging.basicConfig(
        level=level, handlers=[log_format.handler(f"%(name)s[{os.getpid()}] %(levelname)s %(message)s")]
    )
