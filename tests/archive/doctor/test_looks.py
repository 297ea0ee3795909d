"""What the archive's doctor looks at is what is there: a real archive, with one thing broken at a time."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from appliance.contract.encryption import Identity
from appliance.contract.keys import SigningKey
from appliance.simulator.demo.ports import free_port
from archive.authority.authority import Authority
from archive.authority.files import ensure, ensure_broker
from archive.configuration.brokers import Mqtt
from archive.configuration.file import Configuration
from archive.configuration.web import Boxes, Site, Web
from archive.core.health import alive
from archive.custody.actors import ARCHIVE
from archive.custody.custody_kinds import CLOCK
from archive.custody.log import record
from archive.devices.broker_access import write_access
from archive.devices.models import Box
from archive.doctor import broker, certificates, clock, database, folders, keys, processes, storage
from archive.rooms.placement import place
from tests.archive.page_fixtures import Arrive
from tests.support.archives import Archive
from tests.support.mosquitto import broker_as_set_up
from tests.support.postgresql import cluster

NOW = datetime.now(UTC)


def test_a_file_of_somebody_else_and_a_key_that_others_may_read_are_seen(archive: Archive) -> None:
    for path in (archive.home, archive.home / "keys", *(archive.home / "keys").iterdir()):
        path.chmod(0o700)
    assert [one.verdict for one in folders.check(folders.look(archive.home))] == ["ok", "ok"]
    (archive.home / "keys" / "signing.pem").chmod(0o644)
    seen = {one.check: one for one in folders.check(folders.look(archive.home))}
    assert seen["secrets"].remedy == f"chmod go= {archive.home / 'keys' / 'signing.pem'}"
    os.chown(archive.home / "archive.toml", 12345, 12345)
    assert "archive.toml" in {one.check: one for one in folders.check(folders.look(archive.home))}["owners"].found
    assert not folders.look(archive.home / "nowhere").files


def test_a_trigger_that_was_dropped_and_a_migration_that_was_not_made_are_seen(archive: Archive) -> None:
    good = database.look(deep=True)
    # what looks for damage is SQLite's own
    assert (good.error, good.pending, good.damage, good.checked) == ("", (), (), connection.vendor == "sqlite")
    with connection.cursor() as cursor:
        table = " ON custody_entry" if connection.vendor == "postgresql" else ""
        cursor.execute(f"DROP TRIGGER custody_entry_no_delete{table}")
        cursor.execute("DELETE FROM django_migrations WHERE app = 'rooms'")
    seen = database.look(deep=False)
    assert good.triggers - seen.triggers == {"custody_entry_no_delete"}
    assert seen.pending == ("rooms.0001_initial",)
    assert not seen.checked


@pytest.mark.both_engines
def test_which_database_it_is_is_told(archive: Archive) -> None:
    (seen, _) = database.check(replace(database.look(deep=False), unsafe=()))
    assert seen.verdict == "ok"
    expected = f"{archive.database} at {cluster().folder}, port 5432, PostgreSQL " if archive.database else "sqlite"
    assert seen.found.startswith(expected)


def test_a_clock_that_the_custody_log_contradicts_is_seen(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    record(CLOCK, actor=ARCHIVE)
    assert [one.verdict for one in clock.check(clock.look())] == ["ok"]
    past = timezone.now() - timedelta(days=365)
    monkeypatch.setattr(timezone, "now", lambda: past)
    (seen,) = clock.check(clock.look())
    assert seen.verdict == "wrong"
    assert "the custody log has an entry of" in seen.found
    assert "confirm-clock" in seen.remedy


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_damaged_and_a_missing_database_are_seen(archive: Archive) -> None:
    path = archive.home / "archive.sqlite3"
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute("SELECT rootpage FROM sqlite_master WHERE name = 'custody_entry'")
        page = int(cursor.fetchone()[0])
        cursor.execute("PRAGMA page_size")
        size = int(cursor.fetchone()[0])
    connection.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size + 64)
        file.write(os.urandom(size - 64))
    seen = database.look(deep=True)
    assert seen.damage or seen.error
    connection.close()
    path.unlink()
    assert "there is no" in database.look(deep=True).error
    assert not path.exists(), "looking makes none"


def test_keys_of_another_archive_are_seen(archive: Archive, sealed: Arrive) -> None:
    sealed(seconds=1)
    good = keys.look(archive.home)
    assert (good.error, good.tried, good.closed, good.public) == ("", 1, 0, good.signed_by)
    SigningKey.generate().save(archive.home / "new.pem")
    shutil.move(archive.home / "new.pem", archive.home / "keys" / "signing.pem")
    (archive.home / "keys" / "opening.txt").unlink()
    Identity.generate().save(archive.home / "keys" / "opening.txt")
    seen = keys.look(archive.home)
    assert seen.signed_by == good.public != seen.public
    assert seen.closed == 1
    (archive.home / "keys" / "opening.txt").unlink()
    assert "opening.txt" in keys.look(archive.home).error
    (archive.home / "keys" / "escrow.txt").unlink()
    assert not keys.look(archive.home).escrow


def test_a_store_that_takes_nothing_is_seen(archive: Archive) -> None:
    assert storage.look(archive.home).error == ""
    assert (storage.look(archive.home).free or 0) > 0
    shutil.rmtree(archive.home / "store", ignore_errors=True)
    (archive.home / "store").write_text("in the way")
    assert "the store failed" in storage.look(archive.home).error


@pytest.fixture
def certified(archive: Archive) -> Iterator[tuple[Path, Configuration]]:
    """An archive with certificates and settings that name them; nothing listens yet."""
    folder = archive.home / "broker"
    folder.mkdir()
    own, port = archive.home / "keys", free_port()
    made = Configuration(
        site=Site(url=f"https://localhost:{port}", hosts=["localhost", "127.0.0.1"]),
        web=Web(address=f"127.0.0.1:{port}", certificate=own / "web.pem", key=own / "web.key"),
        mqtt=Mqtt(
            port=free_port(),
            ca=own / "authority.pem",
            certificate=own / "listener.pem",
            key=own / "listener.key",
            broker_folder=folder,
        ),
    )
    ensure(own, made.names, NOW)
    ensure_broker(own, folder, made.names, NOW)
    with override_settings(ARCHIVE=made):
        yield archive.home, made


def test_certificates_are_read_with_key_name_end_and_issuer(certified: tuple[Path, Configuration]) -> None:
    home, made = certified
    seen = {one.name: one for one in certificates.look(made, home)}
    assert list(seen) == ["pages", "broker", "listener", "authority"]
    assert not any(one.error for one in seen.values())
    assert all(one.is_ours for one in seen.values())
    assert "nothing answers by TLS" in seen["pages"].presented
    (home / "keys" / "listener.key").write_bytes((home / "keys" / "web.key").read_bytes())
    (home / "other").mkdir()
    foreign = Authority.make(home / "other", "Another", NOW).server(["other.example"], NOW)
    (home / "keys" / "web.pem").write_bytes(foreign.certificate)
    (home / "keys" / "web.key").write_bytes(foreign.key)
    (home / "broker" / "server.pem").unlink()
    seen = {one.name: one for one in certificates.look(made, home)}
    assert "is not its key" in seen["listener"].error
    assert (seen["pages"].is_ours, seen["pages"].names) == (False, {"other.example"})
    assert "No such file" in seen["broker"].error


def test_a_server_that_still_presents_the_old_certificate_is_seen(
    archive: Archive, certified: tuple[Path, Configuration]
) -> None:
    home, made = certified
    lines = [
        f'[site]\nurl = "{made.site.url}"\nhosts = ["localhost", "127.0.0.1"]',
        f'[web]\ncertificate = "{made.web.certificate}"\nkey = "{made.web.key}"',
    ]
    archive.write_settings("\n".join([*lines, ""]))
    with archive.serving(workers=1, ca=home / "keys" / "authority.pem") as address:
        boxes = Boxes(
            url=str(address),
            address=address.removeprefix("https://"),
            certificate=made.web.certificate,
            key=made.web.key,
        )
        settings_now = made.model_copy(update={"boxes": boxes})
        seen = {one.name: one for one in certificates.look(settings_now, home)}
        assert seen["boxes"].presented == ""
        for name in ("web.pem", "web.key"):
            (home / "keys" / name).unlink()
        ensure(home / "keys", made.names, NOW)
        seen = {one.name: one for one in certificates.look(settings_now, home)}
        assert "another one" in seen["boxes"].presented


def test_a_broker_is_seen_to_be_there_to_take_the_certificate_and_to_have_todays_list(
    certified: tuple[Path, Configuration], tmp_path: Path
) -> None:
    home, made = certified
    (main,) = made.mqtt.brokers
    write_access(home / "broker" / "access", main)
    seen = broker.look(made.mqtt, main)
    assert (bool(seen.refusal), seen.access) == (True, "")
    with broker_as_set_up(home / "broker", tmp_path) as (port, _):
        here = main.model_copy(update={"port": port})
        assert broker.look(made.mqtt, here).refusal == ""
        stranger = Authority.make(tmp_path, "A stranger", NOW).client("archive", NOW)
        (home / "keys" / "listener.pem").write_bytes(stranger.certificate)
        (home / "keys" / "listener.key").write_bytes(stranger.key)
        assert broker.look(made.mqtt, here).refusal
    place(Box.objects.create(pk="box-new"), "Room 99", by=ARCHIVE)
    assert "not that of today" in broker.look(made.mqtt, main).access
    (home / "broker" / "access").unlink()
    assert "cannot read" in broker.look(made.mqtt, main).access
    shutil.rmtree(home / "broker")
    seen = broker.look(made.mqtt, main)
    assert (seen.is_ours, seen.elsewhere) == (False, str(home / "broker"))


def test_signs_of_life_are_read(archive: Archive, tmp_path: Path) -> None:
    seen = processes.look(settings.ARCHIVE, tmp_path / "no-systemd")
    assert (seen.units, seen.worker_at, seen.listener_at, seen.connected) == (None, None, None, False)
    alive("worker")
    at = processes.look(settings.ARCHIVE, tmp_path / "no-systemd").worker_at
    assert at is not None
    assert (timezone.now() - at).total_seconds() < 60


def test_units_are_asked_of_systemd(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "systemctl"
    program.write_text(
        "#!/bin/sh\nshift 2\nfor unit; do printf 'Id=%s\\nLoadState=loaded\\nActiveState=active\\n"
        "UnitFileState=enabled\\nNRestarts=0\\n\\n' $unit; done\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    units = processes.look(settings.ARCHIVE, tmp_path).units
    assert units is not None
    assert units[0].name == "plainsight-archive-web.service"
    assert {one.active for one in units} == {"active"}


def state_of(archive: Archive) -> dict[str, bytes | str]:
    """Every file, and what the database says; its own files change when it is read."""
    files = [path for path in archive.home.rglob("*") if path.is_file() and "archive.sqlite3" not in path.name]
    found: dict[str, bytes | str] = {str(path): path.read_bytes() for path in files}
    if archive.database:
        return found | {"database": archive.database_bytes()}
    with closing(sqlite3.connect(archive.home / "archive.sqlite3")) as opened:
        return found | {"database": "\n".join(opened.iterdump())}


def run(archive: Archive, *options: str, status: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(archive.run("doctor", "--json", *options, status=status).stdout)
    return found


def test_the_command_ends_with_1_if_something_is_wrong_and_changes_nothing(archive: Archive) -> None:
    before = state_of(archive)
    found = run(archive, status=1)
    assert found["ok"] is False
    assert {"worker", "broker", "database", "keys"} <= {one["check"] for one in found["checks"]}
    text = archive.run("doctor", "--quick", status=1).stdout
    assert "WRONG   worker: it never ran here" in text
    assert "\n          -> " in text
    assert state_of(archive) == before


def test_the_command_ends_with_0_if_nothing_is_wrong(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.doctor.management.commands.doctor.examine", lambda *_, **__: iter(()))
    assert run(archive, status=0) == {"ok": True, "checks": []}


def test_bad_settings_end_it_with_2(archive: Archive) -> None:
    (archive.home / "archive.toml").write_text("[site]\nurll = 1\n")
    told = archive.spawn("doctor", status=2).stderr
    assert "did you mean" in told or "url" in told


@pytest.mark.parametrize("engine", ["sqlite"])
def test_without_a_database_it_says_so_and_makes_none(archive: Archive) -> None:
    connection.close()
    (archive.home / "archive.sqlite3").unlink()
    told = archive.spawn("doctor", status=1).stdout
    assert "there is no" in told
    assert not (archive.home / "archive.sqlite3").exists()
