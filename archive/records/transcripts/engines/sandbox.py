"""Taking from this process what it must not have: network, other programs, other processes, files that it could write.

A filter of system calls (seccomp, set by prctl(2)) holds whether or not the kernel allows namespaces, is inherited by
every thread, and cannot be taken off. Without any socket nothing is reached, neither a network nor a socket of this
host.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import socket
from pathlib import Path
from typing import Final

from appliance.contract.errors import PlainSightError

_NO_NEW_PRIVILEGES: Final = 38
_SET_SECCOMP: Final = 22
_FILTER: Final = 2
_X32: Final = 0x40000000
"""Calls from here on are x86-64's second interface, which nothing here uses."""
_ARCHITECTURES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_REFUSED: Final = {
    # name: number on x86-64, number on arm64 (both from the kernel's tables)
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "accept": (43, 202),
    "bind": (49, 200),
    "execve": (59, 221),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "io_uring_setup": (425, 425),
    "unshare": (272, 97),
    "setns": (308, 268),
}
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4
_OPEN_FILES: Final = 256


class NotAloneError(PlainSightError):
    """The process could not be kept from the network, so it is given nothing to hear."""

    code = "not-alone"


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.POINTER(_Instruction)))


def program(machine: str) -> list[tuple[int, int, int, int]]:
    """Return the filter for a machine as instructions (code, jump if so, jump if not, operand); see seccomp(2).

    Raises NotAloneError for a machine whose calls are not known here.
    """
    if machine not in _ARCHITECTURES:
        raise NotAloneError(f"nobody wrote down the system calls of {machine}")
    column = sorted(_ARCHITECTURES, reverse=True).index(machine)
    numbers = [pair[column] for pair in _REFUSED.values()]
    found = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_EQUAL, 1, 0, _ARCHITECTURES[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
        # to the last instruction, which refuses
        (_AT_LEAST, len(numbers) + 1, 0, _X32),
    ]
    found += [(_EQUAL, len(numbers) - place, 0, number) for place, number in enumerate(numbers)]
    return [*found, (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]


def enter() -> None:
    """Give up what this process must not have, for good; raise NotAloneError if that does not hold."""
    # the filter holds for this thread and those that it starts; seccomp(2) would reach all, and the worker's unit
    # refuses it
    if len(list(Path("/proc/self/task").iterdir())) != 1:
        raise NotAloneError("other threads run already, which the filter would not reach")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    instructions = program(platform.machine())
    held = (_Instruction * len(instructions))(*(_Instruction(*one) for one in instructions))
    asked = _Program(len(instructions), held)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(_SET_SECCOMP, _FILTER, ctypes.addressof(asked), 0, 0):
        raise NotAloneError(f"the kernel refuses the filter of system calls: {os.strerror(ctypes.get_errno())}")
    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
        try:
            socket.socket(family).close()
        except PermissionError:
            continue
        except OSError:
            pass
        raise NotAloneError("a socket can still be made")
