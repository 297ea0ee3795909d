"""Certificates of the archive's own host: made again when they end soon or come from another authority, else kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive.authority.authority import CERTIFICATE, KEY
from archive.authority.files import RENEW_BEFORE, ensure

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
HOSTS = ["archive.example"]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("keys", "broker"):
        (tmp_path / name).mkdir()
    assert ensure(tmp_path / "keys", tmp_path / "broker", HOSTS, NOW) == ["authority", "web", "listener", "broker"]
    return tmp_path / "keys", tmp_path / "broker"


def test_what_is_good_is_kept_until_two_months_before_its_end(folders: tuple[Path, Path]) -> None:
    assert ensure(*folders, HOSTS, NOW) == []
    assert ensure(*folders, HOSTS, NOW + timedelta(days=397) - RENEW_BEFORE - timedelta(days=1)) == []
    assert ensure(*folders, HOSTS, NOW + timedelta(days=399) - RENEW_BEFORE) == ["web", "listener", "broker"]


def test_certificates_of_an_authority_that_was_made_again_are_made_again(folders: tuple[Path, Path]) -> None:
    keys, _ = folders
    (keys / KEY).unlink()
    (keys / CERTIFICATE).unlink()
    assert ensure(*folders, HOSTS, NOW) == ["authority", "web", "listener", "broker"]


@pytest.mark.parametrize("name", ["web.pem", "web.key"])
def test_a_certificate_without_its_key_or_a_key_without_its_certificate_is_made_again(
    folders: tuple[Path, Path], name: str
) -> None:
    (folders[0] / name).unlink()
    assert ensure(*folders, HOSTS, NOW) == ["web"]
