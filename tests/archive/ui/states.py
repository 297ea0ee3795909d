"""An archive in which every page has something to show, in each of its states."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from appliance.contract.segment import Samples
from appliance.contract.stop_signal import StopSignal
from archive.custody.actors import ARCHIVE
from archive.devices.enrollment import enroll, retire
from archive.devices.models import Box
from archive.devices.reported_status import Message, keep
from archive.enrollment.deeds import give_claim
from archive.enrollment.models import Claim
from archive.recordings.models import Recording as Row
from archive.recordings.verification import ask, check_asked
from archive.recordings.waveform import WaveformMaker
from archive.rooms.placement import place
from archive.sealing.seal import seal
from tests.archive.page_fixtures import RATE, listener_runs, make_user, send_one
from tests.support.archives import Archive, lose_key
from tests.support.box_requests import send
from tests.support.spools import CLOCK, Keys, Recording, noise

LONG_NAME = "Conference Room of the Special Education Department, Administration Building North, Second Floor"
ROOMS: dict[str, dict[str, Any]] = {
    "Room 1": {},
    "Room 2": {"state": "recording", "frames": 62 * 48000, "acked_frame": 60 * 48000, "panel": "simulated"},
    "Room 3": {"state": "paused", "frames": 62 * 48000, "acked_frame": 60 * 48000},
    "Room 4": {"ready": False, "faults": ["microphone-missing", "clock", "spool-low"]},
    "Room 5": {"faults": ["clock"]},
    "Room 6": {"state": "self-test", "ready": False},
    LONG_NAME: {"lamp": "unverified"},
}


def hear(box: str, **status: Any) -> None:
    """Let `box` say something, as the MQTT listener hears it."""
    listener_runs()
    recorder = {
        "version": 1,
        "box": box,
        "boot_id": "boot",
        "monotonic_ns": 10**12,
        "state": "idle",
        "ready": True,
        "recording": "a" * 32 if status.get("state") in {"recording", "paused"} else None,
        "since_ns": 10**12 - 10**9,
        **status,
    }
    online = {"version": 1, "online": True, "session": 1}
    for rest, body in (("online", online), ("state/recorder", recorder)):
        payload = json.dumps(body).encode()
        assert not keep([Message(f"plainsight/{box}/{rest}", payload, False, datetime.now(UTC))])


@dataclass(frozen=True)
class States:
    """Which recording is in which state."""

    recordings: dict[str, str]
    """Name of the state: identifier of the recording."""
    boxes: dict[str, str]
    """Room: identifier of its box."""

    def hear(self) -> None:
        """Let every box of a room say again what it says, so that it is fresh."""
        for room, status in ROOMS.items():
            hear(self.boxes[room], **status)

    @property
    def pages(self) -> dict[str, str]:
        """Name of each page in one of its states: its address."""
        made = self.recordings
        pages = {f"recording-{name}": f"/recordings/{one}/" for name, one in made.items()}
        pages |= {f"verification-{name}": f"/recordings/{made[name]}/verification/" for name in VERIFIED}
        return {
            "rooms": "/rooms/",
            "wall": "/rooms/wall/",
            "recordings": "/recordings/",
            "recordings-none": "/recordings/?state=refused",
            "recordings-wrong": "/recordings/?id=room+12",
            **pages,
            "custody": f"/recordings/{made['eventful']}/custody/",
            "copies": f"/recordings/{made['eventful']}/copies/",
            "copies-key-gone": f"/recordings/{made['key-gone']}/copies/",
            "copies-package-gone": f"/recordings/{made['package-gone']}/copies/",
            "unknown-recording": f"/recordings/{'0' * 32}/",
            "boxes": "/boxes/",
            "claim-new": "/boxes/claims/new/",
            "box-new-board": f"/boxes/{self.boxes['Room 1']}/new-board/",
            "box-retire": f"/boxes/{self.boxes['Room 1']}/retire/",
            "checks": "/archive/",
            "fixity": "/package-checks/",
            "unknown-address": "/nowhere/",
        }


VERIFIED = ("eventful", "key-gone", "damaged", "being-checked")


def fill(archive: Archive, folder: Path) -> States:
    """Fill `archive`; what boxes send is made in `folder`."""
    make_user("it.support", role="technician")
    boxes = {}
    for number, room in enumerate(ROOMS):
        keys = Keys()
        box = f"box-{number:08x}"
        place(enroll(box, keys.box_signing.public, by=ARCHIVE), room, by=ARCHIVE)
        boxes[room] = box
    now = datetime.now(UTC)
    for state in ({}, {"expires_at": now}, {"withdrawn_at": now}, {"used_at": now, "box": boxes["Room 1"]}):
        claim = give_claim("Room 1", by=ARCHIVE, now=now).row
        board = {"board": "10000000abcdef12", "model": "Raspberry Pi 4 Model B", "certificate_ends_at": now}
        Claim.objects.filter(pk=claim.pk).update(**state, **(board if "box" in state else {}))
    made = {
        "eventful": _eventful(archive, folder / "eventful"),
        "interrupted": _sealed(archive, folder, reason="interrupted", tail=2),
        "key-gone": _sealed(archive, folder),
        "package-gone": _sealed(archive, folder),
        "damaged": _sealed(archive, folder),
        "being-checked": _sealed(archive, folder, created_at="1970-01-01T00:00:31.000Z"),
        "arriving": send_one(archive, folder, seconds=2, reason=None).id,
        "being-sealed": send_one(archive, folder, seconds=2).id,
        "sealing-fails": send_one(archive, folder, seconds=2).id,
    }
    Row.objects.filter(pk=made["sealing-fails"]).update(problem="the disk has no room for the package")
    lose_key(made["key-gone"])
    _package(archive, made["package-gone"]).unlink()
    damaged = _package(archive, made["damaged"])
    damaged.chmod(0o600)
    data = bytearray(damaged.read_bytes())
    data[len(data) // 2] ^= 1
    damaged.write_bytes(data)
    WaveformMaker().once(StopSignal())
    for name in VERIFIED[:-1]:
        ask(Row.objects.get(pk=made[name]), ARCHIVE)
    check_asked(StopSignal())
    ask(Row.objects.get(pk=made["being-checked"]), ARCHIVE)
    return States(made, boxes)


def retire_box(archive: Archive) -> None:
    """Retire the box that made every recording, last of all."""
    retire(Box.objects.get(pk=archive.keys.box).pk, by=ARCHIVE)


def _sealed(archive: Archive, folder: Path, **options: Any) -> str:
    made = send_one(archive, folder, **{"seconds": 2, **options})
    seal(made.id)
    return made.id


def _package(archive: Archive, recording: str) -> Path:
    return archive.home / "store" / "packages" / recording[:2] / f"{recording}.zip"


def spoken(second: int) -> Samples:
    """A second that is loud and quiet in turns, as people speak."""
    swell = 0.04 + np.abs(np.sin(np.arange(RATE) / RATE * (5 + second % 4))) * (0.15 + 0.85 * (second % 3 > 0))
    return (noise(RATE, seed=second) * swell).astype(np.int16)


def _eventful(archive: Archive, folder: Path) -> str:
    recording = Recording(folder, archive.keys, rate=RATE, segment_frames=RATE)
    recording.begin()
    for second in range(12):
        recording.segment(spoken(second))
    recording.note("fault", code="microphone-missing", raised=True)
    recording.gap(RATE // 2, "unplugged")
    recording.segment(np.concatenate([np.zeros(RATE // 2, np.int16), noise(RATE // 2)]))
    recording.note("fault", code="microphone-missing", raised=False)
    recording.note("pause", frame=13 * RATE, paused=True)
    recording.now_ns += 600_000_000_000
    recording.note("pause", frame=13 * RATE, paused=False)
    recording.note("clock", at="2026-11-24T10:00:00.000Z", step_ns=-1_500_000_000, clock=CLOCK.model_dump())
    for second in range(20):
        recording.segment(spoken(second + 5))
    recording.note("warning", code="quiet", in_s=60)
    recording.segment()
    recording.close("fault")
    send(archive.client(), recording)
    seal(recording.id)
    return recording.id
