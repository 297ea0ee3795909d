"""Identities are bound to boards: a copied card is told, and what cannot be known is not claimed."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.contract.board import board_model, board_serial, is_another_board


def test_the_board_is_named_by_its_serial_number(tmp_path: Path) -> None:
    (tmp_path / "serial").write_bytes(b"10000000abcdef12\0")
    (tmp_path / "model").write_bytes(b"Raspberry Pi 4 Model B Rev 1.5\0")
    assert board_serial((tmp_path / "missing", tmp_path / "serial")) == "10000000abcdef12"
    assert board_model((tmp_path / "model",)) == "Raspberry Pi 4 Model B Rev 1.5"
    assert board_serial((tmp_path / "missing",)) == ""


@pytest.mark.parametrize(
    ("enrolled", "here", "another"),
    [("a1", "a1", False), ("a1", "b2", True), ("", "b2", False), ("a1", "", False)],
)
def test_only_two_known_numbers_that_differ_make_another_board(enrolled: str, here: str, *, another: bool) -> None:
    assert is_another_board(enrolled, here) is another
