"""What Django is told about each engine's database."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from archive.configuration.database import Database
from archive.database import CONNECT_S, database_settings, use_pool

HOME = Path("/srv/archive")


def test_a_commit_survives_a_power_cut_on_sqlite() -> None:
    options = database_settings(Database(), HOME)["OPTIONS"]
    assert "synchronous=FULL" in options["init_command"]
    assert options["transaction_mode"] == "IMMEDIATE"


def test_a_network_between_archive_and_database_is_encrypted_and_the_server_is_the_one_that_was_named(
    tmp_path: Path,
) -> None:
    (tmp_path / "ca.pem").touch()
    named = Database(engine="postgresql", host="db.example.org", ca=tmp_path / "ca.pem")
    options = database_settings(named, HOME)["OPTIONS"]
    assert (options["sslmode"], options["sslrootcert"]) == ("verify-full", str(tmp_path / "ca.pem"))
    assert "sslmode" not in database_settings(Database(engine="postgresql", host="/run/postgresql"), HOME)["OPTIONS"]


def test_every_limit_of_time_reaches_the_server() -> None:
    settings = database_settings(Database(engine="postgresql", statement_s=7, application_name="web-1"), HOME)
    options = settings["OPTIONS"]
    assert "-c statement_timeout=7000 " in options["options"]
    assert "-c idle_in_transaction_session_timeout=60000 " in options["options"]
    assert (options["application_name"], options["isolation_level"].name) == ("web-1", "READ_COMMITTED")


def test_a_standby_may_be_named_beside_the_primary_and_both_together_wait_no_longer_than_one(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    named = Database(engine="postgresql", host="a.example.org,b.example.org", ca=tmp_path / "ca.pem")
    settings = database_settings(named, HOME)
    assert settings["HOST"] == "a.example.org,b.example.org"
    options = settings["OPTIONS"]
    assert options["target_session_attrs"] == "read-write"
    assert options["connect_timeout"] * 2 <= CONNECT_S
    with pytest.raises(ValidationError, match="another machine"):
        Database(engine="postgresql", host="/run/postgresql,b.example.org")
    for wrong in ("a,", ",a", "a,,b", "a, b"):
        with pytest.raises(ValidationError, match="host"):
            Database(engine="postgresql", host=wrong, ca=tmp_path / "ca.pem")


def test_a_pool_asks_anew_for_a_server_that_was_away_long_before_a_request_gives_up() -> None:
    settings = database_settings(Database(engine="postgresql"), HOME)
    use_pool(settings, 5)
    assert settings["OPTIONS"]["pool"]["reconnect_timeout"] <= CONNECT_S / 2


@pytest.mark.parametrize(("engine", "shares"), [("sqlite", False), ("postgresql", True)])
def test_only_an_engine_with_connections_gets_a_pool(engine: str, shares: bool) -> None:
    settings = database_settings(Database.model_validate({"engine": engine}), HOME)
    use_pool(settings, 5)
    assert ("pool" in settings["OPTIONS"]) == shares
    assert (settings["CONN_MAX_AGE"] == 0) == shares
