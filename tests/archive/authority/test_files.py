"""Certificates of the archive's own host: made again when they end soon or come from another authority, else kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from archive.authority.authority import CERTIFICATE, KEY
from archive.authority.files import RENEW_BEFORE, ensure, ensure_broker, names_of
from archive.configuration.file import Configuration
from archive.configuration.web import Boxes, Site

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
HOSTS = ["archive.example"]


def make_all(keys: Path, broker: Path, names: list[str], now: datetime) -> list[str]:
    return ensure(keys, names, now) + ensure_broker(keys, broker, names, now)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("keys", "broker"):
        (tmp_path / name).mkdir()
    assert make_all(tmp_path / "keys", tmp_path / "broker", HOSTS, NOW) == ["authority", "web", "listener", "broker"]
    return tmp_path / "keys", tmp_path / "broker"


def test_what_is_good_is_kept_until_two_months_before_its_end(folders: tuple[Path, Path]) -> None:
    assert make_all(*folders, HOSTS, NOW) == []
    assert make_all(*folders, HOSTS, NOW + timedelta(days=397) - RENEW_BEFORE - timedelta(days=1)) == []
    assert make_all(*folders, HOSTS, NOW + timedelta(days=399) - RENEW_BEFORE) == ["web", "listener", "broker"]


def test_certificates_of_an_authority_that_was_made_again_are_made_again(folders: tuple[Path, Path]) -> None:
    keys, _ = folders
    (keys / KEY).unlink()
    (keys / CERTIFICATE).unlink()
    assert make_all(*folders, HOSTS, NOW) == ["authority", "web", "listener", "broker"]


@pytest.mark.parametrize("name", ["web.pem", "web.key"])
def test_a_certificate_without_its_key_or_a_key_without_its_certificate_is_made_again(
    folders: tuple[Path, Path], name: str
) -> None:
    (folders[0] / name).unlink()
    assert make_all(*folders, HOSTS, NOW) == ["web"]


def test_what_was_made_while_the_clock_was_ahead_is_made_again(folders: tuple[Path, Path]) -> None:
    """Browsers refuse it until that day comes, and may not go on (HSTS); the broker refuses the listener."""
    assert make_all(*folders, HOSTS, NOW + timedelta(days=730)) == ["web", "listener", "broker"]
    assert make_all(*folders, HOSTS, NOW) == ["web", "listener", "broker"]
    assert make_all(*folders, HOSTS, NOW) == []


def test_a_certificate_beside_another_ones_key_is_made_again(folders: tuple[Path, Path]) -> None:
    keys, _ = folders
    (keys / "web.key").write_bytes((keys / "listener.key").read_bytes())
    assert make_all(*folders, HOSTS, NOW) == ["web"]


def test_a_name_that_the_settings_got_is_certified_and_stays_so_at_every_renewal(folders: tuple[Path, Path]) -> None:
    keys, broker = folders
    names = ["archive.example", "10.20.0.5", "2001:db8::5", "*.archive.example"]
    assert make_all(keys, broker, names, NOW) == ["web", "broker"]
    assert make_all(keys, broker, names, NOW) == []
    assert make_all(keys, broker, names, NOW + timedelta(days=390)) == ["web", "listener", "broker"]
    for path in (keys / "web.pem", broker / "server.pem"):
        assert set(names) <= names_of(x509.load_pem_x509_certificate(path.read_bytes())), path


def test_the_names_are_those_of_the_addresses_and_all_that_are_answered() -> None:
    made = Configuration(
        site=Site(
            url="https://archive.example", hosts=["archive.example", "10.0.0.5", "[::1]", ".inside.example", "*"]
        ),
        boxes=Boxes(url="https://boxes.example:8443"),
    )
    assert made.names == ["archive.example", "boxes.example", "10.0.0.5", "::1", "*.inside.example"]
    assert made.box_url == "https://boxes.example:8443"
    assert Configuration(site=Site(url="https://archive.example")).box_url == "https://archive.example"
