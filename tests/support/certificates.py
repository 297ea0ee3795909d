"""A district's certificates for tests: made by the archive's own authority, and written where a test wants them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from appliance.contract.durable_files import create
from archive.authority import authority
from archive.authority.authority import Issued


@dataclass(frozen=True)
class Files:
    """Where a certificate and what belongs to it lie."""

    ca: Path
    """The authority's certificate (PEM)."""
    certificate: Path
    """The certificate (PEM)."""
    key: Path
    """Its private key (PEM, mode 0600)."""


@dataclass(frozen=True, repr=False)
class Authority:
    """A certificate authority in memory."""

    inner: authority.Authority

    @classmethod
    def make(cls, name: str = "A district", at: datetime | None = None) -> Authority:
        """Return a fresh authority, as if made `at` that time (default: now)."""
        with TemporaryDirectory() as folder:
            return cls(authority.Authority.make(Path(folder), name, at or datetime.now(UTC)))

    def client(self, folder: Path, name: str) -> Files:
        """Write `ca.pem`, `client.pem` and `client.key` for the client `name` (a box's id, or `archive`)."""
        return self._write(folder, "client", self.inner.client(name, datetime.now(UTC)))

    def server(
        self, folder: Path, hosts: Iterable[str] = ("localhost", "127.0.0.1"), at: datetime | None = None
    ) -> Files:
        """Write `ca.pem`, `server.pem` and `server.key` for a server that is reached by these names or addresses."""
        return self._write(folder, "server", self.inner.server(hosts, at or datetime.now(UTC)))

    def _write(self, folder: Path, stem: str, issued: Issued) -> Files:
        folder.mkdir(parents=True, exist_ok=True)
        files = Files(folder / "ca.pem", folder / f"{stem}.pem", folder / f"{stem}.key")
        files.ca.write_bytes(self.inner.pem)
        files.certificate.write_bytes(issued.certificate)
        files.key.unlink(missing_ok=True)
        create(files.key, [issued.key])
        return files
