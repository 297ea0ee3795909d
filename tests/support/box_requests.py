"""What a box sends to an archive, signed as its courier signs it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests

from appliance.contract.encryption import Identity, encrypt
from appliance.contract.request_signature import NONCE, sign
from appliance.contract.segment import padded_size
from appliance.contract.signed import digest

from .spools import Keys, Recording


class BoxAuth(requests.auth.AuthBase):
    """Signs requests as the courier of a box does."""

    def __init__(self, keys: Keys, verify: str | bool = True) -> None:
        self.keys = keys
        self.verify = verify
        self.nonce = ""

    def __call__(self, request: Any) -> Any:
        if not self.nonce:
            where, path = urlsplit(request.url), f"/api/1/recordings/{'0' * 32}"
            headers = sign(self.keys.courier, self.keys.box, "", "GET", path)
            answer = requests.get(
                f"{where.scheme}://{where.netloc}{path}", headers=headers, verify=self.verify, timeout=60
            )
            self.nonce = answer.headers[NONCE]
        body = request.body or b""
        path = urlsplit(request.url).path
        request.headers.update(sign(self.keys.courier, self.keys.box, self.nonce, request.method, path, body=body))
        return request


def batches(recording: Recording, segments: int = 10) -> list[tuple[int, bytes]]:
    """The bodies in which a courier would send a recording's ledger, each with the number of its first line."""
    bodies: list[tuple[int, bytes]] = []
    first, body, count = 0, b"", 0
    segment = 0
    for number, line in enumerate(recording.lines):
        body += line
        if b'"kind":"segment"' in line:
            body += recording.segments[segment]
            segment, count = segment + 1, count + 1
        if count == segments:
            bodies.append((first, body))
            first, body, count = number + 1, b"", 0
    return [*bodies, (first, body)] if body else bodies


def send_start(client: Any, recording: Recording) -> None:
    base = f"/api/1/recordings/{recording.id}"
    assert client.put(f"{base}/header", recording.header_line, "text/plain").status_code == 201
    assert client.put(f"{base}/key", recording.key, "application/octet-stream").status_code == 201


def send_lines(client: Any, recording: Recording, body: bytes) -> Any:
    return client.post(f"/api/1/recordings/{recording.id}/lines", body, "application/octet-stream")


def send(client: Any, recording: Recording) -> None:
    """Send all of a recording, as a courier would."""
    send_start(client, recording)
    for _, body in batches(recording):
        answer = send_lines(client, recording, body)
        assert answer.status_code == 200, answer.content
    for number, data in recording.tail.items():
        answer = client.put(f"/api/1/recordings/{recording.id}/tail/{number}", data, "application/octet-stream")
        assert answer.status_code == 201, answer.content


def add_segment_that_does_not_open(recording: Recording) -> None:
    """Add a segment that the box signed, and that is encrypted to somebody else."""
    data = encrypt(bytes(padded_size(48000)), [Identity.generate().recipient])
    number, first = len(recording.segments), recording.frames
    recording.segments.append(data)
    recording.note(
        "segment",
        segment=number,
        first_frame=first,
        frames=48000,
        size=len(data),
        sha256=digest(data),
        captured_ns=recording.now_ns,
    )
