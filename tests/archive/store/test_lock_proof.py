"""check-store: a bucket that gives way is refused, whatever it says, and one that holds is this archive's alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from appliance.contract.check_result import CheckResult
from appliance.contract.errors import SettingsError
from archive.configuration.storage import S3
from archive.store.base import package_name
from archive.store.bucket_trust import PROOF, check, last_proof, require_trusted
from archive.store.s3 import S3Store
from tests.support.lying_s3 import LIES, Liar
from tests.support.s3_server import credentials
from tests.support.s3_stores import NO_DESTRUCTION, connected, on_liar, on_real_server

OURS, THEIRS = "our public key", "the key of another archive"


def wrong(found: list[CheckResult]) -> list[str]:
    return [one.check for one in found if one.verdict == "wrong"]


def checked(settings: S3, folder: Path, key: str = OURS) -> list[CheckResult]:
    return list(check(connected(folder, settings), settings, folder, key))


@pytest.mark.parametrize(
    "others",
    [{}, NO_DESTRUCTION | {"mode": "compliance"}],
    ids=["governance", "compliance"],
)
def test_a_real_server_holds_and_its_bucket_becomes_ours_alone(tmp_path: Path, others: dict[str, Any]) -> None:
    settings = on_real_server(**others)
    store = connected(tmp_path, settings)
    with pytest.raises(SettingsError, match="check-store"):
        require_trusted(store, settings, tmp_path, OURS)
    found = checked(settings, tmp_path)
    assert wrong(found) == []
    assert len(found) >= 18, "each attempt is told"
    require_trusted(store, settings, tmp_path, OURS)
    assert wrong(checked(settings, tmp_path)) == [], "again, with what it kept before"
    store.put_once(package_name("f" * 32), b"a package")
    assert wrong(checked(settings, tmp_path)) == []
    assert wrong(checked(settings, tmp_path / "store", THEIRS)) == ["owner"]


NOTICED_BY = {
    "deletes": "delete with the archive's keys",
    "refuses and deletes": "delete with the archive's keys",
    "overwrites": "write over with the archive's keys",
    "forgets when deleted": "hide with the archive's keys",
    "shortens": "shorten with the archive's keys",
    "downgrades": "unlock with the archive's keys",
    "anybody bypasses": "delete by bypass with the archive's keys",
    "ignores the condition": "once",
    "ignores the checksum": "checksum",
    "locks nothing": "lock",
    "locks for less": "lock",
    "loses": "lock",
    "changes": "lock",
    "keeps no versions": "versions",
    "has no locks": "object lock",
    "unavailable": "proof",
    "speaks HTML": "proof",
    "cuts uploads": "proof",
    "cuts answers": "lock",
    "holds nothing": "legal hold",
    "holds in words": "delete under a legal hold with the archive's keys",
    "bypasses holds": "delete by bypass under a legal hold with the keys for destructions",
    "anybody lifts": "lift a legal hold with the keys for destructions",
    "never lifts": "lift a legal hold",
}


@pytest.mark.parametrize("lie", NOTICED_BY)
def test_a_bucket_that_gives_way_is_refused_by_what_it_gave_way_to(liar: Liar, tmp_path: Path, lie: str) -> None:
    settings = on_liar(liar, tmp_path)
    liar.lies = {lie}
    found = checked(settings, tmp_path)
    assert NOTICED_BY[lie] in wrong(found), [one.as_text() for one in found]
    assert all(one.remedy for one in found if one.verdict == "wrong")
    assert last_proof(tmp_path) is None
    with pytest.raises(SettingsError, match="check-store"):
        require_trusted(connected(tmp_path, settings), settings, tmp_path, OURS)


def test_a_weaker_mode_in_place_of_compliance_is_noticed(liar: Liar, tmp_path: Path) -> None:
    settings = on_liar(liar, tmp_path, mode="compliance", **NO_DESTRUCTION)
    assert wrong(checked(settings, tmp_path)) == []
    liar.lies = {"downgrades"}
    assert "downgrade with the archive's keys" in wrong(checked(settings, tmp_path))


def test_every_lie_of_the_liar_is_noticed_somewhere() -> None:
    """What is slow, or lost on the way, is no lie (test_s3.py); each renewal is looked at (test_bucket_locks.py)."""
    others = {"slow", "cuts one answer", "cuts one upload", "cuts after writing", "renews nothing"}
    assert set(LIES) - set(NOTICED_BY) == others


def test_keys_for_destructions_that_cannot_destroy_are_told(liar: Liar, tmp_path: Path) -> None:
    liar.bypassing = "nobody"
    assert wrong(checked(on_liar(liar, tmp_path), tmp_path)) == ["destroy with the keys for destructions"]


def test_the_archives_keys_may_not_be_those_for_destructions(liar: Liar, tmp_path: Path) -> None:
    settings = on_liar(liar, tmp_path)
    credentials(tmp_path, "archive").write_text(credentials(tmp_path, "destruction").read_text())
    assert "delete by bypass with the archive's keys" in wrong(checked(settings, tmp_path))


def test_the_archives_keys_must_set_legal_holds_and_those_for_destructions_may_not(liar: Liar, tmp_path: Path) -> None:
    settings = on_liar(liar, tmp_path)
    liar.holding = "nobody"
    found = checked(settings, tmp_path)
    assert wrong(found) == ["legal hold"]
    assert "let the archive's keys" in found[-1].remedy
    liar.holding = "-key"
    assert wrong(checked(settings, tmp_path)) == ["lift a legal hold with the keys for destructions"]


def test_without_keys_for_destructions_a_legal_hold_is_proven_on_what_no_lock_keeps(liar: Liar, tmp_path: Path) -> None:
    settings = on_liar(liar, tmp_path, mode="compliance", **NO_DESTRUCTION)
    assert wrong(checked(settings, tmp_path)) == []
    liar.lies = {"holds in words"}
    assert "delete under a legal hold with the archive's keys" in wrong(checked(settings, tmp_path))


def test_a_bucket_of_another_archive_is_refused_and_nothing_is_written_into_it(liar: Liar, tmp_path: Path) -> None:
    settings = on_liar(liar, tmp_path)
    assert wrong(checked(settings, tmp_path, THEIRS)) == []
    liar.asked.clear()
    found = checked(settings, tmp_path)
    assert wrong(found) == ["owner"]
    assert THEIRS in found[0].found
    assert [line for line in liar.asked if not line.startswith("GET")] == []
    liar.lies = set()
    # as if the proof had been made before somebody else came
    assert wrong(checked(settings, tmp_path, THEIRS)) == []
    with pytest.raises(SettingsError, match="another archive's"):
        require_trusted(connected(tmp_path, settings), settings, tmp_path, OURS)


def test_a_bucket_with_other_things_in_it_is_refused(lied_to: S3Store, liar: Liar, tmp_path: Path) -> None:
    lied_to.put_once("holiday.jpg", b"x")
    assert wrong(checked(on_liar(liar, tmp_path), tmp_path)) == ["owner"]


def test_a_mark_that_is_gone_or_nothing_that_we_wrote_is_refused(liar: Liar, tmp_path: Path) -> None:
    settings = on_liar(liar, tmp_path)
    checked(settings, tmp_path)
    liar.objects.clear()
    with pytest.raises(SettingsError, match="no mark"):
        require_trusted(connected(tmp_path, settings), settings, tmp_path, OURS)


def test_a_proof_counts_for_the_settings_that_it_was_made_with(liar: Liar, tmp_path: Path) -> None:
    settings = on_liar(liar, tmp_path)
    checked(settings, tmp_path)
    other = on_liar(liar, tmp_path, bucket="another-one")
    with pytest.raises(SettingsError, match="nobody proved"):
        require_trusted(connected(tmp_path, other), other, tmp_path, OURS)
    (tmp_path / PROOF).write_text(json.dumps({"version": 1}))
    with pytest.raises(SettingsError, match="nobody proved"):
        require_trusted(connected(tmp_path, settings), settings, tmp_path, OURS)


def test_a_start_while_the_bucket_is_away_needs_its_proof_and_nothing_else(liar: Liar, tmp_path: Path) -> None:
    settings = on_liar(liar, tmp_path)
    checked(settings, tmp_path)
    liar.lies = {"unavailable"}
    require_trusted(connected(tmp_path, settings), settings, tmp_path, OURS)
    assert wrong(checked(settings, tmp_path)) == ["proof"]
    require_trusted(connected(tmp_path, settings), settings, tmp_path, OURS)


def test_what_a_proof_leaves_is_gone_after_it(liar: Liar, tmp_path: Path) -> None:
    checked(on_liar(liar, tmp_path), tmp_path)
    assert [key for key, versions in liar.objects.items() if versions] == ["plainsight-archive.json"]
