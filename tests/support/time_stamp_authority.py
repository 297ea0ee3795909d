"""A time-stamp authority (RFC 3161) on loopback: `openssl ts` answers, and a test may make it lie, hang or fail."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CONFIG = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
[made_by_root]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
"""


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=120)


@dataclass
class Authority:
    """The authority, and what it does to each answer."""

    folder: Path
    url: str = ""
    lie: Callable[[bytes], bytes] = lambda answer: answer
    """What is sent in place of the answer."""
    status: int = 200
    drip: bool = False
    """Whether it sends a byte now and then, and never ends."""
    done: threading.Event = field(default_factory=threading.Event)
    asked: list[bytes] = field(default_factory=list)
    """What it was asked."""

    @property
    def roots(self) -> Path:
        """The certificate of its root (PEM)."""
        return self.folder / "root.pem"

    def make(self) -> None:
        """Make its keys and certificates."""
        self.folder.mkdir(parents=True)
        (self.folder / "tsa.cnf").write_text(CONFIG.format(folder=self.folder))
        (self.folder / "serial").write_text("01\n")
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        root = ("-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=Test root", "-days", "30")
        signed = ("-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "30")
        made_by = ("-extfile", "tsa.cnf", "-extensions", "made_by_root")
        _openssl(self.folder, "req", "-x509", *key, *root)
        _openssl(self.folder, "req", *key, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=Test authority")
        _openssl(self.folder, "x509", "-req", "-in", "tsa.csr", *signed, *made_by, "-out", "tsa.pem")

    def answer(self, query: bytes) -> bytes:
        """Return what `openssl ts` answers."""
        (self.folder / "query.tsq").write_bytes(query)
        _openssl(self.folder, "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query.tsq", "-out", "answer.tsr")
        return (self.folder / "answer.tsr").read_bytes()


@contextmanager
def authority(folder: Path) -> Iterator[Authority]:
    """Run an authority."""
    made = Authority(folder)
    made.make()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            made.asked.append(query)
            self.send_response(made.status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            if made.drip:
                self._drip()
                return
            self.wfile.write(made.lie(made.answer(query)))

        def _drip(self) -> None:
            try:
                while not made.done.is_set():
                    self.wfile.write(b"0")
                    self.wfile.flush()
                    time.sleep(0.1)
            except OSError:
                return

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_port}/"
        thread = threading.Thread(target=server.serve_forever, name="time-stamp-authority")
        thread.start()
        try:
            yield made
        finally:
            made.done.set()
            server.shutdown()
            thread.join()
