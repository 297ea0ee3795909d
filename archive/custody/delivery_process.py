"""A process of its own that hands a few bytes to a place that may hang: a share, a syslog server, an HTTP server.

It imports the standard library alone, is run by its file's path, reads one Delivery as JSON from its standard input and
writes one Delivered to its standard output. Whoever started it may kill it at any time.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import ssl
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

ANSWER_S = 10.0
"""How long a server may be silent, in seconds; how long it may take in all is up to whoever waits for this process."""
MOST = 64 << 10
"""Most bytes of an answer that are read."""
AUDIT_NOTICE = 13 * 8 + 5
"""PRI of a syslog message: facility 13 (log audit), severity 5 (notice); RFC 5424 section 6.2.1."""


@dataclass(frozen=True)
class Delivery:
    """What goes where."""

    how: str
    """`folder`, `syslog` or `post`."""
    target: str
    """The file's path, HOST:PORT, or the address."""
    body: str
    """The bytes, in base64."""
    content_type: str = ""
    """Of a post."""


@dataclass(frozen=True)
class Delivered:
    """What came of it."""

    answer: str = ""
    """What a server answered to a post, in base64."""
    error: str = ""
    """Why it was not taken; empty if it was."""


def to_folder(target: str, body: bytes) -> None:
    """Append to a file whose folder must be there, durably."""
    folder = os.path.dirname(target)  # noqa: PTH120 - pathlib is not worth its import here
    if not os.path.isdir(folder):  # noqa: PTH112 - the same
        # without this, a share that is not mounted would be filled on this machine's own disk
        raise OSError(f"there is no folder {folder}; mount it")
    torn = _ends_within_a_line(target)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
    with os.fdopen(descriptor, "wb") as file:
        # what broke off stays there as a line of its own: a witness takes nothing back
        file.write(b"\n" + body if torn else body)
        file.flush()
        os.fsync(descriptor)


def _ends_within_a_line(target: str) -> bool:
    """Tell whether a file's last line was cut off, also where it cannot be read: an empty line harms nothing."""
    try:
        with open(target, "rb") as file:  # noqa: PTH123 - pathlib is not worth its import here
            if file.seek(0, os.SEEK_END) == 0:
                return False
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"
    except FileNotFoundError:
        return False
    except OSError:
        return True


def to_syslog(target: str, body: bytes) -> None:
    """Send a message of RFC 5424 by UDP (RFC 5426)."""
    host, _, port = target.rpartition(":")
    message = b"<%d>1 %s %s plainsight-archive - custody-head - %s" % (
        AUDIT_NOTICE,
        datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode("ascii"),
        socket.gethostname().encode("ascii", "replace")[:255] or b"-",
        body.rstrip(b"\n"),
    )
    family, kind, protocol, _, where = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as sender:
        sender.settimeout(ANSWER_S)
        sender.sendto(message, where)


def to_server(target: str, body: bytes, content_type: str) -> bytes:
    """Post to an HTTP or HTTPS address, and return what it answers."""
    parts = urlsplit(target)
    connection: HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = HTTPSConnection(parts.hostname or "", parts.port, timeout=ANSWER_S, context=context)
    else:
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=ANSWER_S)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", path, body=body, headers={"Content-Type": content_type})
        answer = connection.getresponse()
        if not 200 <= answer.status < 300:
            raise OSError(f"it answered {answer.status}")
        found = answer.read(MOST + 1)
    finally:
        connection.close()
    if len(found) > MOST:
        raise OSError(f"it answered more than {MOST} bytes")
    return found


def main() -> None:
    """Deliver what the standard input names."""
    asked = Delivery(**json.load(sys.stdin))
    body, answer = base64.b64decode(asked.body), b""
    try:
        if asked.how == "folder":
            to_folder(asked.target, body)
        elif asked.how == "syslog":
            to_syslog(asked.target, body)
        else:
            answer = to_server(asked.target, body, asked.content_type)
        done = Delivered(base64.b64encode(answer).decode("ascii"))
    except (OSError, HTTPException, ValueError) as error:
        done = Delivered(error=str(error) or type(error).__name__)
    json.dump(asdict(done), sys.stdout)


if __name__ == "__main__":
    main()
