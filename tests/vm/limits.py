"""The one place where time is scaled: under emulation (QEMU's TCG) a guest is 15 to 20 times slower than its host.

Two rules. The order of events is judged with the limits that decide it as they are shipped (`close_s`, `hold_s`,
`heartbeat_s`), by the guest kernel's own clock. Limits within which a healthy process has to show life are raised, here
and only here, because the emulator alone exceeds them.
"""

from __future__ import annotations

from typing import Final

SLOWER: Final = 20.0
"""How many times longer a loop in Python takes in the guest than on the host (measured: 15 to 20)."""

SETTINGS: Final = {
    "warm_s": 200.0,
    "stall_s": 20.0,
    "first_block_s": 60.0,
    "heartbeat_stale_s": 5.0,
    "lamp_s": 3.0,
    "ack_s": 20.0,
    "slow_s": 20.0,
    "retry_s": 3.0,
    "drain_s": 300.0,
    "shutdown_s": 60.0,
}
"""Raised in the guest's recorder.toml, in seconds: what a process needs to show that it lives."""

UNIT: Final = {
    "plainsight-recorder": "TimeoutStartSec=900\nTimeoutStopSec=120\nWatchdogSec=60\n",
    "plainsight-courier": "TimeoutStartSec=900\nTimeoutStopSec=120\n",
}
"""Raised in the guest's units, for the same reason."""


def patience(seconds: float) -> float:
    """Return how long the host waits for what takes `seconds` on a real machine, in seconds."""
    return 60.0 + SLOWER * seconds
