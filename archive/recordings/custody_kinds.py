"""Custody entries about recordings, and what their rows must say if the entries are true."""

from __future__ import annotations

from archive.custody.kinds import register

PROBLEM = register("problem", "a problem was found", "what", "code", "segment", "message")
LOOK = register("look", "looked at a page", "page")
LISTEN = register("listen", "listened", "from_second", "how", "redaction")
HEARD = register("heard", "was sent sound of it", "spans", "gaps_s", "listen")
DOWNLOAD_PACKAGE = register(
    "download-package", "downloaded the sealed package", "ground", "first_byte", "bytes", "documents"
)
DOWNLOAD_FLAC = register("download-flac", "downloaded the plain audio", "ground", "documents")
DOWNLOAD_RECEIPT = register("download-receipt", "downloaded the receipt", "ground")
EXPORT = register("export", "exported the package on the archive's host", "package_sha256")
EXPORT_KEY = register("export-key", "exported the encrypted key on the archive's host")
VERIFY = register("verify", "verified the package", "verdict", "problem")
