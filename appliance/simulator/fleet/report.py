"""What a run found, in figures: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .plan import Plan
from .recording import RATE
from .share import Found
from .watching import Seen

AUDIO_GB_AN_HOUR: Final = 0.361
"""On disk and on the way, whoever speaks: padding hides it (docs/format.md section 2.3)."""
AUDIO_MBIT: Final = 0.802
"""The same, in Mbit/s while a room records."""
ROOMS: Final = 1000
SCHOOL_DAYS_A_YEAR: Final = 174
"""Missouri's least, of a district that counts days (RSMo 171.033)."""
DAY_S: Final = 86_400


@dataclass(frozen=True)
class Cost:
    """What a part used."""

    cpu_s: float
    """CPU time of all its processes, in seconds."""
    memory: int
    """Most memory that they had at once, in bytes."""
    largest: int
    """Most memory that one of them had, in bytes."""


def spread(values: Sequence[float]) -> dict[str, float | int]:
    """Return how values are spread: count, median, 95th percentile, greatest."""
    ordered = sorted(values)
    if not ordered:
        return {"count": 0}

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)

    return {"count": len(ordered), "p50": at(0.5), "p95": at(0.95), "max": round(ordered[-1], 3)}


def report(
    plan: Plan, found: Sequence[Found], seen: Seen, costs: Mapping[str, Cost], elapsed_s: float
) -> dict[str, Any]:
    """Return everything; `costs` are what each part used in `elapsed_s` seconds."""
    begun, received = sum(one.begun for one in found), sum(one.received for one in found)
    audio_s = sum(one.received_frames for one in found) / RATE
    lost_s = sum(one.frames - one.received_frames for one in found) / RATE
    drained_s = max((one.drained_s for one in found), default=0.0) or elapsed_s
    came = [seconds for one in found for seconds in one.connected_after_s]
    return {
        "lost": begun - received,
        "lost_s": lost_s,
        "twice": max(0, seen.sealed - begun),
        "problems": [problem for one in found for problem in one.problems][:20],
        "recordings": begun,
        "receipts": received,
        "audio_h": round(audio_s / 3600, 3),
        "throughput": {
            "audio_s_a_second": round(audio_s / drained_s, 1),
            "mbit_a_second": round(audio_s / drained_s * AUDIO_MBIT, 1),
            "drained_s": round(drained_s, 1),
        },
        "lag": {
            "status_s": spread(seen.status_age_s),
            "upload_behind_s": spread([seconds for one in found for seconds in one.behind_s]),
            "end_to_receipt_s": spread([seconds for one in found for seconds in one.to_receipt_s]),
            "fleet_late_s": round(max((max(one.late_s, one.turn_late_s) for one in found), default=0.0), 3),
        },
        "broker": {
            "connected": sum(one.connected for one in found),
            "came_or_came_back_s": spread(came),
            "most_in_a_second": _most_in_a_second(came),
        },
        "parts": {
            name: {
                "cpu_s": round(used.cpu_s, 2),
                "cores": round(used.cpu_s / elapsed_s, 3),
                "memory_mb": round(used.memory / 1e6, 1),
                "largest_mb": round(used.largest / 1e6, 1),
            }
            for name, used in costs.items()
        },
        "database_kb_an_hour": round((seen.database_after - seen.database_before) / 1e3 / (audio_s / 3600), 1)
        if audio_s
        else None,
        "a_thousand_rooms": _a_thousand(plan, costs, elapsed_s, audio_s),
    }


def _a_thousand(plan: Plan, costs: Mapping[str, Cost], elapsed_s: float, audio_s: float) -> dict[str, float | None]:
    """Return what a thousand rooms cost that each hold one meeting of an hour on a school day."""
    spent = {name: used.cpu_s for name, used in costs.items() if name != "fleet"}
    status_s = spent.get("broker", 0.0) + spent.get("listen", 0.0)
    audio_cpu_s = sum(spent.values()) - status_s
    status_day_h = status_s / elapsed_s / plan.boxes * ROOMS * DAY_S / 3600
    audio_day_h = audio_cpu_s / audio_s * ROOMS if audio_s else None
    return {
        "status_core_hours_a_day": round(status_day_h, 2),
        "audio_core_hours_a_day": None if audio_day_h is None else round(audio_day_h, 2),
        "disk_gb_a_school_day": round(AUDIO_GB_AN_HOUR * ROOMS, 1),
        "disk_tb_a_school_year": round(AUDIO_GB_AN_HOUR * ROOMS * SCHOOL_DAYS_A_YEAR / 1000, 1),
        "mbit_a_second_if_all_record": round(AUDIO_MBIT * ROOMS, 1),
    }


def _most_in_a_second(moments: Sequence[float]) -> int:
    counts: dict[int, int] = {}
    for moment in moments:
        counts[int(moment)] = counts.get(int(moment), 0) + 1
    return max(counts.values(), default=0)


def in_words(result: dict[str, Any]) -> str:
    """Return the result for a person."""
    lag, parts, sent = result["lag"], result["parts"], result["throughput"]

    def seconds(name: str) -> str:
        values = lag[name]
        return f"{values['p50']} / {values['p95']} / {values['max']} s" if values["count"] else "nothing to measure"

    lines = [
        f"lost                {result['lost']} of {result['recordings']} recordings ({result['audio_h']} h of audio)",
        f"throughput          {sent['audio_s_a_second']} s of audio a second, {sent['mbit_a_second']} Mbit/s",
        "                    median / 95 % / greatest",
        f"age of a status     {seconds('status_s')}",
        f"upload behind       {seconds('upload_behind_s')}",
        f"end to receipt      {seconds('end_to_receipt_s')}",
        *(
            f"{name:<19} {part['cores']} cores, {part['memory_mb']} MB at most, {part['largest_mb']} in one process "
            f"({part['cpu_s']} s of CPU)"
            for name, part in parts.items()
        ),
        "a thousand rooms with an hour a school day:",
        *(f"  {name.replace('_', ' ')}: {value}" for name, value in result["a_thousand_rooms"].items()),
    ]
    return "\n".join(lines)
