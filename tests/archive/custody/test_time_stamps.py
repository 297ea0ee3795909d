"""Time-stamps of the log's head: kept, verified offline by us and by openssl, and a lying authority costs a warning."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.test.utils import override_settings

from appliance.contract.errors import SettingsError
from appliance.contract.settings_file import load_settings
from appliance.contract.stop_signal import StopSignal
from appliance.contract.times import now, parse_wall
from archive.configuration.file import Configuration
from archive.configuration.services import Custody
from archive.custody import delivery, witnesses
from archive.custody.actors import ARCHIVE, NOTHING
from archive.custody.heads import signed_head
from archive.custody.log import record
from archive.custody.models import TimeStamp
from archive.doctor import witnesses as doctor
from archive.records.today.custody_kinds import READINESS
from tests.archive.custody.test_log import drop_triggers
from tests.support.archives import Archive
from tests.support.time_stamp_authority import Authority, authority


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Keys of an authority that nobody pinned."""
    made = Authority(tmp_path_factory.mktemp("another") / "authority")
    made.make()
    return made


@pytest.fixture
def stamping(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    """An authority that the archive asks."""
    with authority(tmp_path / "authority") as made:
        custody = Custody(authority_url=made.url, authority_certificates=made.roots)
        chosen = settings.ARCHIVE.model_copy(update={"custody": custody})
        monkeypatch.setattr(witnesses, "configuration", lambda: chosen)
        with override_settings(ARCHIVE=chosen):
            yield made


def tell() -> None:
    witnesses.tell_witnesses(StopSignal())


def one_more_entry() -> None:
    record(READINESS, actor=ARCHIVE, subject=NOTHING, rooms=0, not_ready=0)


def forget_what_was_told(archive: Archive) -> None:
    (archive.home / witnesses.STATE).unlink(missing_ok=True)


def test_the_days_head_is_stamped_kept_and_verified_offline(
    stamping: Authority, archive: Archive, tmp_path: Path
) -> None:
    tell()
    tell()
    assert len(stamping.asked) == 1
    kept = TimeStamp.objects.get()
    assert bytes(kept.line) == signed_head()
    assert not [one for one in stamping.asked if b"plainsight" in one], "it learns a digest and no more"
    stamping.status = 500
    found = json.loads(archive.run("check-custody", "--json").stdout)
    assert (found["time_stamps"], found["unproved_time_stamps"]) == (1, [])
    assert "1 of 1 time-stamps hold" in archive.run("check-custody").stdout
    assert len(stamping.asked) == 1, "nobody was asked"
    assert [one.verdict for one in doctor.check(settings.ARCHIVE.custody, doctor.look(), parse_wall(now()))] == ["ok"]


def test_openssl_verifies_what_is_written_out(stamping: Authority, archive: Archive, tmp_path: Path) -> None:
    tell()
    folder = tmp_path / "stamps"
    assert "no empty folder" in archive.run("check-custody", "--write-time-stamps", str(folder), status=2).stderr
    folder.mkdir()
    archive.run("check-custody", "--write-time-stamps", str(folder))
    [answer] = folder.glob("*.tsr")
    command = ["openssl", "ts", "-verify", "-in", str(answer), "-data", str(answer.with_suffix(".tsv")),
               "-CAfile", str(stamping.roots)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert "Verification: OK" in done.stdout + done.stderr
    assert "no empty folder" in archive.run("check-custody", "--write-time-stamps", str(folder), status=2).stderr


def stamp_of_another_line(stamping: Authority, _: Authority) -> Callable[[bytes], bytes]:
    other = stamping.folder / "other.tsq"
    subprocess.run(["openssl", "ts", "-query", "-digest", "ab" * 32, "-sha256", "-cert", "-out", str(other)],
                   check=True, capture_output=True, timeout=60)  # fmt: skip
    return lambda _answer: stamping.answer(other.read_bytes())


def stamp_of_another_authority(stamping: Authority, another: Authority) -> Callable[[bytes], bytes]:
    return lambda _answer: another.answer(stamping.asked[-1])


def the_answer_before(stamping: Authority, _: Authority) -> Callable[[bytes], bytes]:
    """A true token of the same line, but not of this question: its nonce is another."""
    query = stamping.folder / "before.tsq"
    (stamping.folder / "head").write_bytes(signed_head())
    subprocess.run(["openssl", "ts", "-query", "-data", str(stamping.folder / "head"), "-sha256", "-cert", "-out",
                    str(query)], check=True, capture_output=True, timeout=60)  # fmt: skip
    return lambda _answer: stamping.answer(query.read_bytes())


def flipped(at: float) -> Callable[[Authority, Authority], Callable[[bytes], bytes]]:
    def lie(answer: bytes) -> bytes:
        data = bytearray(answer)
        data[int(len(data) * at)] ^= 1
        return bytes(data)

    return lambda *_: lie


def instead(data: bytes) -> Callable[[Authority, Authority], Callable[[bytes], bytes]]:
    return lambda *_: lambda _answer: data


LIES: dict[str, Callable[[Authority, Authority], Callable[[bytes], bytes]]] = {
    "another line": stamp_of_another_line,
    "another authority": stamp_of_another_authority,
    "another question": the_answer_before,
    "nothing": instead(b""),
    "no time-stamp": instead(b"<html>welcome</html>"),
    "a refusal": instead(bytes.fromhex("30053003020102")),
    "far too much": instead(b"x" * (200 << 10)),
    "cut off": lambda *_: lambda answer: answer[:-40],
    **{f"flipped at {at}": flipped(at) for at in (0.1, 0.3, 0.5, 0.7, 0.99)},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lying_authority_costs_nothing_but_a_line_of_the_log(
    stamping: Authority, another: Authority, archive: Archive, lie: str, caplog: pytest.LogCaptureFixture
) -> None:
    stamping.lie = LIES[lie](stamping, another)
    tell()
    assert not TimeStamp.objects.exists()
    assert "did not take the custody log's head" in caplog.text
    archive.run("check-custody")
    assert [one.verdict for one in doctor.check(settings.ARCHIVE.custody, doctor.look(), parse_wall(now()))] == [
        "wrong"
    ]
    stamping.lie = lambda answer: answer
    tell()
    assert TimeStamp.objects.count() == 1, "and the next one is taken"


@pytest.mark.parametrize("fault", ["absent", "refuses", "never ends"])
def test_an_authority_that_does_not_answer_holds_nobody_up(
    stamping: Authority, fault: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(delivery, "LONGEST_S", 2.0)
    stamping.drip, stamping.status = fault == "never ends", 503 if fault == "refuses" else 200
    if fault == "absent":
        custody = Custody(authority_url="http://127.0.0.1:9/", authority_certificates=stamping.roots)
        monkeypatch.setattr(witnesses, "configuration", lambda: Configuration(custody=custody))
    tell()
    assert not TimeStamp.objects.exists()
    said = {"absent": "refused", "refuses": "503", "never ends": "longer than 2 s"}[fault]
    assert said in caplog.text


def test_a_time_stamp_that_was_changed_or_belongs_elsewhere_is_found(
    stamping: Authority, another: Authority, archive: Archive
) -> None:
    tell()
    drop_triggers()
    good = bytes(TimeStamp.objects.get().response)
    TimeStamp.objects.update(response=another.answer(stamping.asked[-1]))
    assert "0 of 1 time-stamps hold" in archive.run("check-custody", status=1).stdout
    one_more_entry()
    TimeStamp.objects.update(response=good, line=signed_head())
    assert "0 of 1 time-stamps hold" in archive.run("check-custody", status=1).stdout


def test_a_log_written_anew_is_found_by_its_time_stamp(stamping: Authority, archive: Archive, tmp_path: Path) -> None:
    """Whoever holds the archive's key can sign another head, and nobody can have it stamped in the past."""
    tell()
    kept = TimeStamp.objects.get()
    line = bytes(kept.line)
    drop_triggers()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM custody_entry WHERE n = 0")
    said = archive.run("check-custody", status=1).stdout
    assert "broken" in said
    assert line == bytes(TimeStamp.objects.get().line)


@pytest.mark.parametrize("change", ["UPDATE custody_timestamp SET n = 99", "DELETE FROM custody_timestamp"])
def test_a_kept_time_stamp_is_not_changed_or_taken_away(stamping: Authority, change: str) -> None:
    tell()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


def test_certificates_that_cannot_be_read_are_named(
    stamping: Authority, archive: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    tell()
    stamping.roots.write_text("no certificate")
    forget_what_was_told(archive)
    one_more_entry()
    tell()
    assert "cannot read certificates" in caplog.text
    assert "authority_certificates" in archive.run("check-custody", status=2).stderr


def test_without_certificates_nobody_calls_a_time_stamp_good(stamping: Authority, archive: Archive) -> None:
    tell()
    with override_settings(ARCHIVE=settings.ARCHIVE.model_copy(update={"custody": Custody()})):
        assert "no certificate is pinned" in archive.run("check-custody", status=1).stdout


@pytest.mark.parametrize("text", ['authority_url = "http://a.example"', 'authority_url = "ftp://a.example"'])
def test_an_authority_without_certificates_is_refused_in_the_settings(tmp_path: Path, text: str) -> None:
    path = tmp_path / "archive.toml"
    path.write_text(f"[custody]\n{text}\n")
    with pytest.raises(SettingsError, match=r"custody|authority"):
        load_settings(path, Configuration, "look at it")


def test_an_older_token_is_verified_as_of_its_own_time(stamping: Authority, archive: Archive) -> None:
    """Two heads on two days, each with a token of its own."""
    tell()
    one_more_entry()
    forget_what_was_told(archive)
    tell()
    assert TimeStamp.objects.count() == 2
    found: dict[str, Any] = json.loads(archive.run("check-custody", "--json").stdout)
    assert (found["time_stamps"], found["intact"]) == (2, True)
