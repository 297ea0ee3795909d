"""The header, ledger and receipt that docs/format.md shows are what the code reads, and are signed and chained."""

from __future__ import annotations

from appliance.contract.chain import LedgerChecker
from appliance.contract.header import Header
from appliance.contract.keys import KeyRing
from appliance.contract.ledger import Closing
from appliance.contract.receipt import Receipt
from appliance.contract.signed import digest, split_lines

from .example import DOCS, FOLDER, place

REMEDY = "run ./deploy/dev python -m tests.docs.example"


def test_the_example_is_a_valid_recording_with_its_receipt() -> None:
    ring = KeyRing.load(FOLDER / "keyring.json")
    line, ledger = (FOLDER / "header.tsv").read_bytes(), (FOLDER / "ledger.tsv").read_bytes()
    header = Header.read(line, None)
    assert ring.boxes == {header.box: [header.box_key]}, REMEDY
    Header.read(line, header.box_key)
    checker = LedgerChecker(header, line)
    entries = [checker.check_line(one) for one in split_lines(ledger)]
    closing = entries[-1].fact
    assert isinstance(closing, Closing)
    (archive,) = ring.archives
    receipt = Receipt.read((FOLDER / "receipt.tsv").read_bytes(), archive)
    assert (receipt.recording, receipt.header_sha256) == (header.recording, digest(line))
    assert (receipt.ledger_lines, receipt.ledger_sha256) == (len(entries), digest(ledger))
    assert (receipt.segments, receipt.frames) == (closing.segments, closing.frames)


def test_the_document_shows_the_example() -> None:
    text = (DOCS / "format.md").read_text()
    assert "docs/example/receipt.tsv" in text
    assert place(text) == text, REMEDY
