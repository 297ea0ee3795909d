"""Runs hardware/panel.cir in ngspice: many boards, each with tolerances and a fault of its own, in one run."""

from __future__ import annotations

import itertools
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

NETLIST: Final = Path(__file__).resolve().parents[2] / "hardware" / "panel.cir"
Drive = Literal["high", "low", "floating"]
PORTS: Final = ("en", "rail", "seen", "sense", "ilamp")
LEAK_OHM: Final = 60_000
"""A pin that nobody drives: the Pi's own pull of 50 to 65 kilohms, to the wrong side at worst."""
OPEN, SHORT = 1e9, 1e-3
AT_ONCE: Final = 16
"""Boards in one run."""

EXTREMES: Final[dict[str, tuple[float, float]]] = {
    "v5": (4.75, 5.25),  # USB 2.0, 7.2.2: 4.75 V at a host's own socket
    "v33": (3.14, 3.46),
    "vlamp": (1.8, 2.2),
    "vopto": (1.1, 1.35),
    "ctr": (0.5, 6.0),  # the whole family of four-pin optocouplers, unselected
    "vth": (0.6, 1.5),  # a logic-level N-channel MOSFET
    "q2": (0.02, 0.2),
    "day": (0.0, 40e-6),
}
"""Parameter: its two ends."""
LOOSE: Final = ("r1", "r2", "r3", "r4", "r5", "r6", "r7")
NOMINAL: Final = {"r1": 120.0, "r2": 1e3, "r3": 10e3, "r4": 10e3, "r5": 10e3, "r6": 15e3, "r7": 10e3}
TOLERANCE: Final = 0.05
FAULTS: Final[dict[str, dict[str, float]]] = {
    "none": {},
    "lamp open": {"lampopen": OPEN},
    "lamp shorted": {"lampshort": SHORT},
    "optocoupler open": {"optoopen": OPEN},
    "Q1 shorted": {"q1short": SHORT},
    "U1 shorted": {"u1short": SHORT},
    "U2 shorted": {"u2short": SHORT},
    "Q2 open": {"q2open": OPEN},
    "Q2 shorted": {"q2short": SHORT},
    "R3 open": {"r3open": OPEN},
}

_NODE: Final = re.compile(r"^\s*(?:V\()?([a-z]+\d+)\)?\s+(-?[\d.]+e[+-]\d+)", flags=re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class Board:
    """One board."""

    drive: Drive
    parameters: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Reading:
    """What it does."""

    en: float
    """Enable of the microphone's switch, in volts."""
    rail: float
    """The microphone's supply, in volts."""
    seen: float
    """The pin LAMP_SEEN, in volts."""
    sense: float
    """The pin MIC_RAIL, in volts."""
    ilamp: float
    """Current of the lamp, in amperes."""


def corners(drive: Drive, fault: str) -> list[Board]:
    """Return every corner of supplies and parts; the resistors are all low, all high, or each second one, in turn."""
    names = list(EXTREMES)
    found = []
    for number, ends in enumerate(itertools.product((0, 1), repeat=len(names))):
        parameters = {name: EXTREMES[name][end] for name, end in zip(names, ends, strict=True)}
        # five is odd and prime to the corners' own pattern, so that each end of a part meets each pattern
        pattern = number * 5 // 3 % 4
        for place, name in enumerate(LOOSE):
            up = (pattern & 1) ^ (pattern >> 1 & place & 1)
            parameters[name] = NOMINAL[name] * (1 + (TOLERANCE if up else -TOLERANCE))
        found.append(Board(drive, tuple((parameters | FAULTS[fault]).items())))
    return found


def simulate(boards: list[Board], folder: Path) -> list[Reading]:
    """Return what each board does; raise RuntimeError with ngspice's words if it does not run."""
    # many boards in one matrix do not converge, and each run has a start of its own
    found = [_run(boards[at : at + AT_ONCE], folder) for at in range(0, len(boards), AT_ONCE)]
    return [reading for readings in found for reading in readings]


def _run(boards: list[Board], folder: Path) -> list[Reading]:
    lines = ["* boards", f".include {NETLIST}"]
    for number, board in enumerate(boards):
        given = " ".join(f"{name}={value:.6g}" for name, value in board.parameters)
        ports = " ".join(f"{port}{number}" for port in PORTS)
        lines.append(f"X{number} ren{number} {ports} panel {given}")
        v33 = dict(board.parameters).get("v33", 3.3)
        if board.drive == "floating":
            # the pull of a pin that was left as an input, upwards, which is the worse side
            lines += [f"VP{number} p{number} 0 {v33}", f"RP{number} p{number} ren{number} {LEAK_OHM}"]
        else:
            # BCM2835 ARM Peripherals: a pin drives 3.3 V less what 1 mA costs it
            lines.append(f"VR{number} ren{number} 0 {v33 - 0.3 if board.drive == 'high' else 0.1}")
    lines += [".options gmin=1e-13 reltol=1e-4", ".op", ".print op v(en0)", ".end", ""]
    path = folder / "boards.cir"
    path.write_text("\n".join(lines))
    done = subprocess.run(
        ["ngspice", "-b", str(path)], cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )
    volts = {name.lower(): float(value) for name, value in _NODE.findall(done.stdout)}
    if f"ilamp{len(boards) - 1}" not in volts:
        raise RuntimeError(f"ngspice: {(done.stdout + done.stderr)[-2000:]}")
    return [Reading(*(volts[f"{port}{number}"] for port in PORTS)) for number in range(len(boards))]
