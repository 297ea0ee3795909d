"""What it costs to look at, listen to, check and copy a long recording, and to find one among many.

Ratios are taken within one run, against bare work on the same bytes on the same machine at the same time.

usage: ./deploy/bench --reading [--hours 4] [--listeners 20] [--recordings 100000] [--json]
"""

# ruff: noqa: PLC0415 - models can be imported only after Django is set up

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import requests

from appliance.contract.encryption import encrypt
from appliance.contract.package import segment_name, write_package
from appliance.contract.segment import encode
from appliance.contract.signed import digest
from tests.support.archives import Archive, archive_in
from tests.support.packages import Sealed
from tests.support.spools import SECOND_NS, Recording, noise

PART = 2 << 20
"""What a player asks for at once, in bytes."""


class LongRecording(Recording):
    """A recording whose segments stay on the disk; its audio repeats every ten seconds."""

    total = 0

    @property
    def frames(self) -> int:
        return self.total

    def fill(self, seconds: int) -> None:
        """Add so many segments."""
        plain = [encode(noise(self.rate, seed=n) // 40, self.rate) for n in range(10)]
        self.begin()
        for number in range(seconds):
            data = encrypt(plain[number % 10], [self.identity.recipient])
            (self.folder / "segments" / f"{number:08d}.age").write_bytes(data)
            self.segments.append(b"")
            self.now_ns += SECOND_NS
            self.note(
                "segment",
                segment=number,
                first_frame=self.total,
                frames=self.rate,
                size=len(data),
                sha256=digest(data),
                captured_ns=self.now_ns,
            )
            self.total += self.rate
        self.close()

    def stored(self) -> Iterator[tuple[str, bytes]]:
        """Each segment's place in the package and its bytes."""
        for number in range(len(self.segments)):
            yield segment_name(number), (self.folder / "segments" / f"{number:08d}.age").read_bytes()


def put_into(archive: Archive, folder: Path, seconds: int) -> LongRecording:
    """Make a sealed recording of so many seconds, and its row from its package."""
    from archive.custody.actors import ARCHIVE
    from archive.keystore.recording_keys import recording_keys
    from archive.sealing.custody_kinds import SEAL
    from archive.sealing.rebuild import take_over
    from archive.store.base import package_name
    from archive.store.current import store

    made = LongRecording(folder, archive.keys)
    made.fill(seconds)
    sealed = Sealed(made)
    front = [item for item in sealed.payload().items() if not item[0].startswith("data/segments/")]
    draft = store().draft(package_name(made.id))
    write_package(
        draft,
        made.id,
        lambda: iter([*front, *made.stored()]),
        sealed.receipt,
        outcome="complete",
        sealed_at=sealed.sealed_at,
    )
    draft.publish()
    recording_keys().put_once(made.id, made.key)
    take_over(made.id, SEAL, ARCHIVE)
    return made


def resident_mb() -> float:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def timed(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def custodian() -> Any:
    from tests.archive.page_fixtures import make_user

    return make_user("m.jones", role="custodian")


def one_long(archive: Archive, made: LongRecording, client: Any) -> dict[str, Any]:
    """Page, check and FLAC of one long recording, in this process."""
    from archive.custody.actors import ARCHIVE
    from archive.recordings.models import Recording as Row
    from archive.recordings.verification import verify_again

    row = Row.objects.get(pk=made.id)
    path = archive.home / "store" / row.package
    results: dict[str, Any] = {"hours": made.total / made.rate / 3600, "package_mb": round(path.stat().st_size / 1e6)}
    pages = [timed(lambda: client.get(f"/recordings/{made.id}/").content) for _ in range(3)]
    results["page_s"] = round(statistics.median(pages), 3)

    steps: list[str] = []
    results["verify_s"] = round(timed(lambda: verify_again(row, ARCHIVE, progress=lambda *_: steps.append(""))), 2)
    results["verify_progress_steps"] = len(steps)

    def hashed() -> None:
        with path.open("rb") as file:
            hashlib.file_digest(file, "sha256")

    results["bare_digest_s"] = round(timed(hashed), 2)

    results["stock_tools_s"] = round(stock_tools(made), 1)
    results["verify_to_stock_tools"] = round(results["verify_s"] / results["stock_tools_s"], 2)

    before, began = resident_mb(), time.perf_counter()
    answer = client.get(f"/recordings/{made.id}/audio.flac")
    pieces = iter(answer.streaming_content)
    size, most = len(next(pieces)), 0.0
    results["flac_first_byte_s"] = round(time.perf_counter() - began, 3)
    for count, piece in enumerate(pieces):
        size += len(piece)
        if count % 100 == 0:
            most = max(most, resident_mb() - before)
    results["flac_whole_s"] = round(time.perf_counter() - began, 1)
    results["flac_mb"], results["flac_memory_growth_mb"] = round(size / 1e6), round(most, 1)
    return results


STOCK_SEGMENTS = 200
"""So many segments are opened with stock tools; the whole is estimated from them."""


def stock_tools(made: LongRecording) -> float:
    """Return how long `sha256sum`, `age -d` and `flac -t`, one after the other, take for all segments, in seconds."""
    key = made.folder / "identity.txt"
    key.write_bytes(made.identity.secret_line())
    script = 'for one in "$@"; do sha256sum "$one" >/dev/null; age -d -i "$0" "$one" | flac -s -t - ; done'
    some = [str(made.folder / "segments" / f"{number:08d}.age") for number in range(STOCK_SEGMENTS)]
    took = timed(lambda: subprocess.run(["sh", "-e", "-c", script, str(key), *some], check=True))
    return took * len(made.segments) / STOCK_SEGMENTS


def listen(address: str, cookies: dict[str, str], first: int, told: list[float]) -> None:
    began = time.perf_counter()
    headers = {"Range": f"bytes={first}-{first + PART - 1}"}
    with requests.get(address, headers=headers, cookies=cookies, stream=True, timeout=120) as answer:
        assert answer.status_code == 206, answer.status_code
        next(answer.iter_content(1))
        told.append(time.perf_counter() - began)
        for _ in answer.iter_content(1 << 16):
            pass


def many_listeners(archive: Archive, made: LongRecording, count: int) -> dict[str, Any]:
    """First bytes of one listener and of many at once, and what a box waits meanwhile, through the real server."""
    from django.contrib.auth import get_user_model
    from django.test import override_settings

    secret = (archive.home / "keys" / "django.secret").read_text().strip()
    with override_settings(SECRET_KEY=secret):
        client = archive.client()
        client.force_login(get_user_model().objects.get())
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    alone: list[float] = []
    together: list[float] = []
    box: list[float] = []
    rng = np.random.default_rng(1)
    with archive.serving(workers=2) as url:
        address = f"{url}/recordings/{made.id}/audio.wav"
        for _ in range(10):
            listen(address, cookies, 44 + PART * int(rng.integers(0, made.total * 2 // PART - 1)), alone)
        for _ in range(5):
            places = [44 + PART * int(rng.integers(0, made.total * 2 // PART - 1)) for _ in range(count)]
            threads = [threading.Thread(target=listen, args=(address, cookies, at, together)) for at in places]
            for thread in threads:
                thread.start()
            box.append(timed(lambda: requests.get(f"{url}/api/1/recordings/{made.id}", timeout=60)))
            for thread in threads:
                thread.join()
    return {
        "listeners": count,
        "first_byte_alone_p50_s": round(statistics.median(alone), 3),
        "first_byte_together_p50_s": round(statistics.median(together), 3),
        "first_byte_together_max_s": round(max(together), 3),
        "box_waits_max_s": round(max(box), 3),
    }


def many_recordings(archive: Archive, made: LongRecording, client: Any, count: int) -> dict[str, Any]:
    """The list among many recordings: its first page, its last, by state, and as JSON from the command."""
    from django.db import connections

    from archive.recordings.models import Recording as Row

    row = Row.objects.get(pk=made.id)
    before = row.created_at
    copies = []
    for number in range(count):
        copy = Row(**{field.attname: getattr(row, field.attname) for field in Row._meta.concrete_fields})
        copy.pk = f"{number:032x}"
        copy.created_at = copy.arrived_at = copy.listed_at = before - np.timedelta64(number, "m").item()
        if number % 1000 == 7:
            copy.state = "closed"
        copies.append(copy)
    Row.objects.bulk_create(copies, batch_size=2000)
    connections.close_all()

    def p95(address: str) -> float:
        taken = sorted(timed(lambda: client.get(address).content) for _ in range(20))
        return round(taken[18], 3)

    oldest = copies[-1]
    command = [sys.executable, "-m", "archive.command", "list", "--json"]
    began = time.perf_counter()
    process = subprocess.Popen(command, env=archive.environment(), stdout=subprocess.PIPE)
    assert process.stdout is not None
    first = len(process.stdout.readline())
    first_s = time.perf_counter() - began
    rest = len(process.stdout.read())
    assert process.wait() == 0
    return {
        "recordings": count,
        "list_p95_s": p95("/recordings/"),
        "list_by_state_p95_s": p95("/recordings/?state=closed"),
        "list_last_page_p95_s": p95(f"/recordings/?before={oldest.listed_at:%Y-%m-%dT%H:%M:%S.%fZ}_{oldest.pk}"),
        "list_json_first_line_s": round(first_s, 2),
        "list_json_s": round(time.perf_counter() - began, 2),
        "list_json_mb": round((first + rest) / 1e6, 1),
        "audit_s": round(timed(lambda: archive.run("audit", status=1)), 2),
    }


def main() -> int:
    """Run everything and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--reading", action="store_true", help="this bench, as deploy/bench calls it")
    parser.add_argument("--hours", type=float, default=4.0)
    parser.add_argument("--listeners", type=int, default=20)
    parser.add_argument("--recordings", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="plainsight-reading-"))
    try:
        with archive_in(folder / "archive") as archive:
            made = put_into(archive, folder / "spool", round(options.hours * 3600))
            client = archive.client()
            client.force_login(custodian())
            results = one_long(archive, made, client)
            results |= many_listeners(archive, made, options.listeners)
            results |= many_recordings(archive, made, client, options.recordings)
    finally:
        shutil.rmtree(folder)
    lines = [f"{name:<28} {value}" for name, value in results.items()]
    print(json.dumps(results, indent=2) if options.json else "\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
