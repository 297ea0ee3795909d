"""One meeting without a person: press, talk, hold to end, wait for the receipt, export, verify, judge from outside."""

from __future__ import annotations

import asyncio
import json
import shlex
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from appliance.contract import amber_codes
from appliance.contract.encryption import MAX_KEY_RECIPIENTS, Identity
from appliance.contract.errors import PlainSightError
from appliance.contract.header import Header
from appliance.contract.ledger import AnyFact, Closing, Entry, Segment
from appliance.contract.package import segment_name
from appliance.contract.receipt import Receipt
from appliance.contract.segment import Samples, decode
from appliance.contract.signed import digest, split_lines
from appliance.contract.status import CourierProgress, RecorderStatus

from . import outside_view
from .district import District
from .services import DemoError, until

HOLD_S = 1.5
"""Held this long, the button ends the recording (docs/operator.md, the button), in seconds."""
PATIENCE_S = 15.0
"""Longest wait for the microphone's next frame, in seconds."""
RECEIPT_S = 120.0
"""Longest wait for the archive's receipt, in seconds."""


class Meeting:
    """The course of one meeting in a running district."""

    def __init__(self, district: District, seconds: float, tell: Callable[[str], None], *, kept: bool = True) -> None:
        self._district = district
        self._kept = kept
        self._layout = district.layout
        self._seconds = seconds
        self._tell = tell
        self.recording = ""

    async def hold(self) -> dict[str, Any]:
        """Hold the meeting and return what is true of it, in the form that `--json` prints."""
        await self._record()
        received_s = await self._wait_for_receipt()
        self._tell("receipt is here; exporting the sealed package and verifying it offline")
        exported = await self._district.export(self.recording)
        command, verified, words = await self._district.verify(exported.package)
        self._tell(words)
        header, facts, ledger = self._read(exported.bag)
        offset = self._offset()
        frames, exact = compared(self._open(exported, facts, header.audio.rate), self._district.spoken, offset)
        closing = facts[-1]
        if not isinstance(closing, Closing):
            raise DemoError("the ledger in the package does not end with a closing record")
        result: dict[str, Any] = {
            "recording": self.recording,
            "seconds": round(frames / header.audio.rate, 3),
            "frames": frames,
            "lost_frames": closing.lost_frames,
            "receipt_verified": self._receipt_holds(exported.bag, header, ledger, closing),
            "package_verified": verified,
            **self._outside_view(facts, offset, exact=exact and frames >= header.audio.rate * (self._seconds - 1)),
            "end_to_receipt_s": received_s,
            "package": str(exported.package),
            "verify": command,
            "simulated": header.panel == "simulated",
        }
        if self._district.spoken is not None and self._kept:
            result["spoken"] = str(self._district.spoken)
        return result

    async def _record(self) -> None:
        layout, alive = self._layout, self._district.broken
        await until(lambda: self._status_is(ready=True), 30, "the box to be ready", alive)
        self._tell("pressing the button")
        await self._district.press(0.15)
        await until(lambda: self._status_is("recording"), 10, "the recording to begin", alive)
        status = self._status()
        if status is None or status.recording is None:
            raise DemoError(f"{layout.status} does not name the recording")
        self.recording = status.recording
        hold_at = int((self._seconds - HOLD_S) * status.rate)
        last, moved = 0, time.monotonic()
        while (status := self._status()) is not None and status.frames < hold_at:
            if status.frames > last:
                last, moved = status.frames, time.monotonic()
            elif time.monotonic() - moved > PATIENCE_S:
                raise DemoError(self._no_audio(status))
            if status.state != "recording" or (reason := alive()):
                raise DemoError(f"the recording did not go on: {status.state}, {reason or status.faults}")
            self._tell(f"recorded {status.frames // status.rate} s, safe {status.acked_frame // status.rate} s")
            await asyncio.sleep(min(5.0, max(0.05, (hold_at - status.frames) / status.rate)))
        self._tell("holding the button to end")
        await self._district.control({"button": "down"})
        await until(lambda: not self._status_is("recording"), HOLD_S + 5, "the recording to end", alive)
        await self._district.control({"button": "up"})

    def _no_audio(self, status: RecorderStatus) -> str:
        told = [
            f"  {fault.cause} {fault.remedy} ({code})" for code in status.faults for fault in [amber_codes.find(code)]
        ]
        hint = (
            [] if self._district.spoken else ["  'arecord -l' lists the microphones of this machine; name one as hw:N."]
        )
        return "\n".join([f"no audio came for {PATIENCE_S:.0f} s; the recorder says:", *told, *hint])

    async def _wait_for_receipt(self) -> float:
        places = [self._layout.inbox / f"{self.recording}.tsv", self._layout.receipts / f"{self.recording}.tsv"]
        presses = [line["t_ns"] for line in self._log(self._layout.panel_log) if line.get("button") == "down"]
        await until(
            lambda: any(place.exists() for place in places), RECEIPT_S, "the archive's receipt", self._district.broken
        )
        ended_s = int(presses[-1]) / 1e9 + HOLD_S
        return round(time.monotonic() - ended_s, 3)

    def _offset(self) -> int:
        """Return at which of the spoken frames the microphone began, by its own log; -1 if it did not."""
        if self._district.spoken is None:
            return -1
        starts = [
            line["position"] for line in self._log(self._layout.microphone_log) if line.get("device") == "started"
        ]
        return int(starts[0]) if starts else -1

    def _outside_view(self, facts: list[AnyFact], offset: int, *, exact: bool) -> dict[str, Any]:
        panel = self._log(self._layout.panel_log)
        if self._district.spoken is None:
            return asdict(outside_view.timing(panel, [], HOLD_S))
        microphone = self._log(self._layout.microphone_log)
        problems = outside_view.lamp_covers_audio(panel, microphone, facts)
        for problem in problems:
            self._tell(f"lamp and microphone: {problem}")
        return {
            "pcm_exact": exact,
            "spoken_offset": offset,
            "lamp_covers_audio": not problems,
            **{name: _rounded(value) for name, value in asdict(outside_view.timing(panel, microphone, HOLD_S)).items()},
        }

    def _read(self, bag: Path) -> tuple[Header, list[AnyFact], bytes]:
        header = Header.read((bag / "data/header.tsv").read_bytes(), self._district.box_key)
        ledger = (bag / "data/ledger.tsv").read_bytes()
        return header, [Entry.read(line, header.box_key).fact for line in split_lines(ledger)], ledger

    def _open(self, exported: Any, facts: list[AnyFact], rate: int) -> Iterator[Samples]:
        secret = self._district.archive_identity().decrypt(exported.key.read_bytes(), MAX_KEY_RECIPIENTS)
        identity = Identity.parse(secret.decode("ascii"))
        for fact in facts:
            if isinstance(fact, Segment):
                encrypted = (exported.bag / segment_name(fact.segment)).read_bytes()
                yield decode(identity.decrypt(encrypted), fact.frames, rate)

    def _receipt_holds(self, bag: Path, header: Header, ledger: bytes, closing: Closing) -> bool:
        places = [self._layout.receipts / f"{self.recording}.tsv", self._layout.inbox / f"{self.recording}.tsv"]
        line = next(place.read_bytes() for place in places if place.exists())
        try:
            receipt = Receipt.read(line, self._district.archive_key)
        except PlainSightError as error:
            self._tell(f"the receipt does not hold: {error}")
            return False
        return (
            line == (bag / "receipt.tsv").read_bytes()
            and receipt.recording == self.recording
            and receipt.header_sha256 == digest((bag / "data/header.tsv").read_bytes())
            and receipt.ledger_sha256 == digest(ledger)
            and receipt.key_sha256 == header.key_sha256
            and (receipt.segments, receipt.frames) == (closing.segments, closing.frames)
            and receipt.manifest_sha256 == digest((bag / "manifest-sha256.txt").read_bytes())
            and receipt.outcome == "complete"
        )

    def _log(self, path: Path) -> list[dict[str, Any]]:
        return outside_view.read_log(path.read_text())

    def _status(self) -> RecorderStatus | None:
        return read_status(self._layout.status)

    def _status_is(self, state: str | None = None, ready: bool | None = None) -> bool:
        status = self._status()
        return (
            status is not None and (state is None or status.state == state) and (ready is None or status.ready == ready)
        )


def what_fails(result: dict[str, Any]) -> list[str]:
    """Return each truth in a result that does not hold, in words; times are reported, not judged."""
    truths = ["receipt_verified", "package_verified", "pcm_exact", "lamp_covers_audio"]
    if result["lost_frames"]:
        # what is exact outside the gaps is not worked out: the meeting is held again
        truths.remove("pcm_exact")
    failed = [f"{name} is not true" for name in truths if result.get(name, True) is not True]
    if result["lost_frames"]:
        failed.append(
            f"{result['lost_frames']} frames were lost, as the ledger says: this machine had too much else to do; "
            "try again with less beside it"
        )
    return failed


def read_status(path: Path) -> RecorderStatus | None:
    """Return the recorder's last word, or None if there is none."""
    try:
        return RecorderStatus.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def read_progress(path: Path) -> CourierProgress | None:
    """Return the courier's last word, or None if there is none."""
    try:
        return CourierProgress.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def describe(result: dict[str, Any]) -> str:
    """Return a result for people, one line a member; a command is a line to copy."""
    told = {name: shlex.join(value) if isinstance(value, list) else json.dumps(value) for name, value in result.items()}
    return "\n".join(f"  {name:<24} {text}" for name, text in told.items())


def compared(heard: Iterable[Samples], spoken: Path | None, offset: int) -> tuple[int, bool]:
    """Return how many frames were heard, and whether each is the one that was spoken, from `offset` on.

    Piece by piece, since a meeting may last for hours.
    """
    raw = None if spoken is None or offset < 0 else np.memmap(spoken, np.dtype("<i2"), "r")
    frames, same = 0, raw is not None
    for samples in heard:
        if raw is not None and same:
            places = np.arange(offset + frames, offset + frames + len(samples))
            same = np.array_equal(np.take(raw, places, mode="wrap"), samples)
        frames += len(samples)
    return frames, same


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
