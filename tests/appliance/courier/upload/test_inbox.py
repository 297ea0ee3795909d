"""The inbox: receipts are laid into it, and tidied away once the writer has deleted what they are for."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from appliance.contract.errors import StorageError
from appliance.contract.receipt import Receipt
from appliance.courier.upload.receipt_inbox import ReceiptInbox
from tests.support.box.courier import Box, Courier


def test_the_inbox_is_tidied_once_the_recording_is_gone(box: Box, courier: Courier) -> None:
    recording, other = box.record(), box.record()
    courier.send(recording, other)
    courier.passes(3)
    assert courier.receipt(recording).exists()
    shutil.rmtree(recording.folder)
    courier.until(lambda: not courier.receipt(recording).exists())
    assert courier.receipt(other).exists()
    assert courier.state(recording) == "sealed"


def test_a_spool_that_is_not_there_for_a_while_tidies_nothing(box: Box, courier: Courier) -> None:
    recording = box.record()
    courier.send(recording)
    box.spool.rename(box.root / "elsewhere")
    courier.passes(3)
    assert courier.receipt(recording).exists()


def test_an_inbox_that_cannot_be_written_is_named_and_tried_again(box: Box, courier: Courier, caplog: object) -> None:
    recording = box.record()
    courier.archive.recordings[recording.id] = recording
    box.inbox.rmdir()
    courier.until(lambda: "inbox" in caplog.text)  # type: ignore[attr-defined]
    box.inbox.mkdir()
    courier.until(courier.receipt(recording).exists)


def test_garbage_in_the_inbox_is_replaced_by_the_receipt(box: Box, courier: Courier) -> None:
    recording = box.record()
    courier.archive.recordings[recording.id] = recording
    courier.receipt(recording).write_bytes(b"not a receipt\n")
    courier.until(lambda: courier.receipt(recording).read_bytes() != b"not a receipt\n")
    Receipt.read(courier.receipt(recording).read_bytes(), box.keys.archive_signing.public)


def test_what_is_wrong_with_the_inbox_is_told_in_words(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    with pytest.raises(StorageError, match=rf"inbox {re.escape(str(folder))}: No such file or directory; receipts"):
        ReceiptInbox(folder).store("0" * 32, b"receipt")
