"""Files that outlive a power cut: whole or not there at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.contract.durable_files import create


@pytest.mark.parametrize("links", [True, False], ids=["ext4", "vfat"])
def test_a_new_file_is_whole_or_not_there_and_never_overwrites(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    def no_link(source: Path, _target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted", str(source))

    if not links:
        monkeypatch.setattr(os, "link", no_link)
    create(tmp_path / "key", [b"whole"])
    with pytest.raises(FileExistsError):
        create(tmp_path / "key", [b"another"])

    def cut_off() -> Iterator[bytes]:
        yield b"half"
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        create(tmp_path / "other", cut_off())
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"key": b"whole"}
