"""What taking a recording in costs the archive, beside a bare handler that hashes and fsyncs the same bytes.

Both are called as WSGI applications in one process, in turns, so that what else the machine does meets both. CPU
is user and system time of the process. The first request, which imports what the others use, is not counted.

What the promises ask beside the bare handler is measured on the same bytes: `signatures` (the courier's and each
ledger line's), `digests` (each segment's, beside the body's), `judging` (each segment decrypted and decoded),
`commit` (one row of the ledger lines' size in a bare SQLite file). `rest` is what remains: Django and our own code.

usage: python -m tests.bench.ingest [--seconds 120] [--segments 5] [--json]
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from appliance.contract.keys import signature_fits
from appliance.contract.ledger import Entry, Segment
from appliance.contract.request_signature import sign
from appliance.contract.segment import decode
from appliance.contract.signed import digest, split
from tests.support.archives import archive_in
from tests.support.box_requests import batches, send_start
from tests.support.spools import Recording, make_recording

HOUR_S = 3600


def bare(folder: Path) -> Callable[..., Iterable[bytes]]:
    """A WSGI application that keeps each request's body in a file of its own, durably, and answers with its digest."""
    numbers = iter(range(1 << 30))

    def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        with (folder / str(next(numbers))).open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        start("200 OK", [])
        return [hashlib.sha256(body).hexdigest().encode()]

    return application


def ask(application: Callable[..., Iterable[bytes]], path: str, body: bytes, headers: dict[str, str]) -> float:
    """Return the CPU seconds of one POST."""
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
        **{"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers.items()},
    }
    statuses: list[str] = []
    began = time.process_time()
    answer = application(environ, lambda status, _headers, _error=None: statuses.append(status))
    list(answer)
    close = getattr(answer, "close", None)
    if close is not None:
        close()
    spent = time.process_time() - began
    assert statuses == ["200 OK"], statuses
    return spent


class Promises:
    """What no archive that keeps the promises can leave out, done as barely as possible."""

    def __init__(self, folder: Path, made: Recording) -> None:
        self.database = sqlite3.connect(folder / "bare.sqlite3", isolation_level=None)
        self.database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t (x BLOB)")
        self.made = made
        self.spent = dict.fromkeys(("signatures", "digests", "judging", "commit"), 0.0)

    def measure(self, first_line: int, body: bytes) -> None:
        """Do it for one request."""
        entries = [Entry.read(line, None) for line in self.made.lines[first_line:]]
        lines = [line for line in self.made.lines[first_line : first_line + len(entries)] if line in body]
        facts = [entry.fact for entry in entries[: len(lines)] if isinstance(entry.fact, Segment)]
        segments = [self.made.segments[fact.segment] for fact in facts]
        signed = [split(line) for line in lines]

        def signatures() -> None:
            # one more for the courier's
            for payload, signature in [*signed, signed[0]]:
                signature_fits(self.made.header.box_key, signature, payload)

        def judging() -> None:
            for fact, data in zip(facts, segments, strict=True):
                decode(self.made.identity.decrypt(data), fact.frames, self.made.rate)

        def commit() -> None:
            self.database.execute("BEGIN IMMEDIATE")
            self.database.execute("INSERT INTO t VALUES (?)", [b"".join(lines)])
            self.database.execute("COMMIT")

        parts: dict[str, Callable[[], object]] = {
            "signatures": signatures,
            "digests": lambda: [digest(data) for data in segments],
            "judging": judging,
            "commit": commit,
        }
        for name, work in parts.items():
            began = time.process_time()
            work()
            self.spent[name] += time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=120, help="length of the recording (default: 120)")
    parser.add_argument("--segments", type=int, default=5, help="segments in a request (default: 5, as in a meeting)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="plainsight-bench-") as name, archive_in(Path(name) / "archive") as archive:
        # models can be imported only after Django is set up
        from archive.ingest.authentication import new_nonce  # noqa: PLC0415
        from archive.wsgi import application  # noqa: PLC0415

        folder = Path(name)
        (folder / "bare").mkdir()
        handler = bare(folder / "bare")
        made = make_recording(folder / "spool", archive.keys, seconds=options.seconds)
        send_start(archive.client(), made)
        path, spent = f"/api/1/recordings/{made.id}/lines", {"archive": 0.0, "bare": 0.0}
        promises = Promises(folder, made)
        for number, (first_line, body) in enumerate(batches(made, options.segments)):
            if number == 1:
                spent = dict.fromkeys(spent, 0.0)
                promises.spent = dict.fromkeys(promises.spent, 0.0)
            promises.measure(first_line, body)
            spent["bare"] += ask(handler, path, body, {})
            signed = sign(archive.keys.courier, archive.keys.box, new_nonce(), "POST", path, body=body)
            spent["archive"] += ask(application, path, body, signed)
    asked = spent["bare"] + sum(promises.spent.values())
    spent |= {**promises.spent, "rest": spent["archive"] - asked}
    hour = {part: round(cpu * HOUR_S / (options.seconds - options.segments), 2) for part, cpu in spent.items()}
    ratios = {
        "ratio_to_bare": round(spent["archive"] / spent["bare"], 2),
        "ratio_to_promises": round(spent["archive"] / asked, 2),
    }
    if options.json:
        print(json.dumps({"cpu_s_per_audio_hour": hour, **ratios}))
    else:
        print(f"CPU s for an hour of audio: {hour}; {ratios}")


if __name__ == "__main__":
    main()
