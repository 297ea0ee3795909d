"""Makes docs/example and its section in docs/format.md: `./deploy/dev python -m tests.docs.example`."""

from __future__ import annotations

import io
import json
import re
import tempfile
import zipfile
from pathlib import Path

from tests.support.packages import Sealed
from tests.support.spools import Keys, make_recording

DOCS = Path(__file__).resolve().parents[2] / "docs"
FOLDER = DOCS / "example"
SHOWN = {"header.tsv": 0, "ledger.tsv": 2, "receipt.tsv": 0}
"""Files, and which line of each the document shows: of the ledger the first segment's."""


def make() -> None:
    """Make a recording of one second, and keep what is signed in it."""
    keys = Keys()
    with tempfile.TemporaryDirectory() as spool:
        recording = make_recording(Path(spool), keys, seconds=1)
        package = zipfile.ZipFile(io.BytesIO(Sealed(recording).build()))
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "header.tsv").write_bytes(recording.header_line)
    (FOLDER / "ledger.tsv").write_bytes(recording.ledger)
    (FOLDER / "receipt.tsv").write_bytes(package.read(f"{recording.id}/receipt.tsv"))
    keys.save_ring(FOLDER / "keyring.json")


def section() -> str:
    """The lines as the document shows them: one member a line, and then the signature."""
    parts = []
    for name, number in SHOWN.items():
        text, signature = (FOLDER / name).read_text().splitlines()[number].split("\t")
        members = json.dumps(json.loads(text), indent=1)
        parts.append(f"`docs/example/{name}`, line {number + 1}:\n\n```\n{members}\n{signature}\n```\n")
    return "\n".join(parts)


def place(document: str) -> str:
    """The document with the section put between its marks."""
    begin, end = "<!-- example: begin -->\n", "<!-- example: end -->\n"
    return re.sub(f"{begin}.*{end}", lambda _: begin + section() + end, document, flags=re.DOTALL)


if __name__ == "__main__":
    make()
    (DOCS / "format.md").write_text(place((DOCS / "format.md").read_text()))
