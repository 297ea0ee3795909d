"""Runs a command under a unit's system call filter, without systemd as process 1.

    python -m tests.systemd.sandbox UNIT [--without TEXT] [--deny-write-execute] -- COMMAND ...

Builds with libseccomp (which systemd itself uses) what SystemCallFilter=, RestrictAddressFamilies= and
MemoryDenyWriteExecute= of the unit say, refuses the rest with EPERM, and becomes COMMAND.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from functools import cache

from .units import service, words

ALLOW = 0x7FFF0000
REFUSE = 0x00050000 | errno.EPERM
EQUAL, MASKED_EQUAL = 4, 7
WRITE, EXECUTE = 2, 4
SHM_EXEC = 0o100000


class _Compare(ctypes.Structure):
    _fields_ = (("argument", ctypes.c_uint), ("operator", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64))


@cache
def sets() -> dict[str, list[str]]:
    """Return systemd's named sets of system calls."""
    text = subprocess.run(
        ["systemd-analyze", "--no-pager", "syscall-filter"], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    found: dict[str, list[str]] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("@"):
            name = line.strip()
            found[name] = []
        elif re.match(r"\s+[@\w]", line) and name:
            found[name].append(line.strip())
        elif line and not line[0].isspace():
            name = ""
    assert found.get("@system-service"), "systemd-analyze lists no system calls"
    return found


def expand(word: str) -> set[str]:
    """Return the system calls that a word of SystemCallFilter= stands for."""
    if not word.startswith("@"):
        return {word}
    return {call for inner in sets()[word] for call in expand(inner)}


def allowed(unit: str, without: str = "") -> set[str]:
    """Return what the unit's SystemCallFilter= lines allow, leaving out lines that hold `without`."""
    calls = expand("@default")
    for line in service(unit)["SystemCallFilter"]:
        if without and without in line:
            continue
        named = {call for word in line.removeprefix("~").split() for call in expand(word)}
        calls = calls - named if line.startswith("~") else calls | named
    return calls


def conditions(unit: str, *, deny_write_execute: bool) -> dict[str, list[_Compare]]:
    """Return for calls that are allowed only with certain arguments what these are; one match is enough."""

    def masked(argument: int, mask: int, value: int) -> _Compare:
        return _Compare(argument, MASKED_EQUAL, mask, value)

    families = [getattr(socket, family) for family in words(unit, "RestrictAddressFamilies")]
    found = {"socket": [_Compare(0, EQUAL, family, 0) for family in families]}
    if deny_write_execute:
        found["mmap"] = [masked(2, WRITE | EXECUTE, value) for value in (0, WRITE, EXECUTE)]
        found["mprotect"] = found["pkey_mprotect"] = [masked(2, EXECUTE, 0)]
        found["shmat"] = [masked(2, SHM_EXEC, 0)]
    return found


def confine(unit: str, *, without: str, deny_write_execute: bool) -> None:
    """Put this process, and all that it becomes or starts, under the unit's filter."""
    library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(REFUSE)))
    assert context.value, "libseccomp gives no filter"
    limits = conditions(unit, deny_write_execute=deny_write_execute)
    for call in sorted(allowed(unit, without)):
        number = library.seccomp_syscall_resolve_name(call.encode())
        if number < 0:
            continue  # of another architecture
        for rule in _rules(limits.get(call)):
            code = library.seccomp_rule_add_array(context, ctypes.c_uint32(ALLOW), number, len(rule), rule)
            assert code == 0, f"libseccomp refuses a rule for {call}: {os.strerror(-code)}"
    code = library.seccomp_load(context)
    assert code == 0, f"the kernel refuses the filter: {os.strerror(-code)}"


def _rules(compares: list[_Compare] | None) -> Iterator[ctypes.Array[_Compare]]:
    if compares is None:
        yield (_Compare * 0)()
    for compare in compares or ():
        yield (_Compare * 1)(compare)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("unit")
    parser.add_argument("--without", default="", help="leave out the SystemCallFilter= lines that hold this text")
    parser.add_argument("--deny-write-execute", action="store_true", help="even where the unit does not")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    confine(
        options.unit,
        without=options.without,
        deny_write_execute=options.deny_write_execute or service(options.unit).get("MemoryDenyWriteExecute") == ["yes"],
    )
    os.execvp(options.command[0], options.command)


if __name__ == "__main__":
    main()
