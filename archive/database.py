"""Django's settings of the database, for each of both engines (docs/postgresql.md)."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, Final

from appliance.contract.errors import SettingsError

from .configuration.database import Database
from .configuration.fields import read_secret

CONNECT_S: Final = 10
"""A server that does not answer for so long is not there, in seconds; the same for a connection of the pool. Several
hosts share this time.
"""
RECONNECT_S: Final = 4
"""A pool gives an attempt to connect up after so long, in seconds, and whoever asks next begins anew. The pause between
two of its tries doubles, so after a longer time it would still wait when the server has long been back.
"""
LATE_S: Final = 10
"""A statement whose answer is later than its limit by so much was not stopped by the server either, in seconds: whoever
waits for it gives the connection up.
"""
IDLE_S: Final = 60
"""The server ends a transaction whose owner asks nothing for so long, in seconds: a host that hangs keeps no lock."""
GONE_S: Final = 20
"""Either side gives a connection up after so long without any sign of the other, in seconds."""

POSTGRESQL: Final = "archive.postgresql"
"""Django's engine, with what we add."""


def database_settings(database: Database, home: Path) -> dict[str, Any]:
    """Return what Django needs to reach the database; raise SettingsError."""
    return _sqlite(database, home) if database.engine == "sqlite" else _postgresql(database)


def use_pool(settings: dict[str, Any], most: int) -> None:
    """Let the threads of this process share at most `most` connections, where the engine has connections to share."""
    if settings["ENGINE"] == POSTGRESQL:
        from .postgresql.driver import Connection  # noqa: PLC0415 - psycopg is there only where it is used

        settings["CONN_MAX_AGE"] = 0
        settings["OPTIONS"]["pool"] = {
            "connection_class": Connection,
            "min_size": 0,
            "max_size": most,
            "timeout": CONNECT_S,
            "reconnect_timeout": RECONNECT_S,
        }


def _sqlite(database: Database, home: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": home / "archive.sqlite3",
        # opening a file and setting it up costs more than most requests ask of it
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # a transaction that begins by reading and then writes fails at once if another has written meanwhile
            "transaction_mode": "IMMEDIATE",
            "timeout": database.busy_s,
            # a receipt may follow a commit, so a commit must survive a power cut; what is deleted is overwritten, also
            # where SQLite was built otherwise than Debian's
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;",
        },
    }


def _postgresql(database: Database) -> dict[str, Any]:
    if importlib.util.find_spec("psycopg") is None or importlib.util.find_spec("psycopg_pool") is None:
        raise SettingsError(
            "PostgreSQL needs psycopg and its pool: 'apt-get install python3-psycopg python3-psycopg-pool', or 'pip "
            "install plainsight[archive,postgresql]'",
            field="database.engine",
        )
    from psycopg import IsolationLevel  # noqa: PLC0415 - there only where it is used

    password = read_secret(database.password_file, "database.password_file")
    if database.password_file and not password:
        raise SettingsError(
            f"{database.password_file} is empty; write the password into it", field="database.password_file"
        )
    if database.ca is not None and not database.ca.is_file():
        raise SettingsError(f"there is no {database.ca}; name the authority of the server", field="database.ca")
    limits = {
        "statement_timeout": database.statement_s * 1000,
        "idle_in_transaction_session_timeout": IDLE_S * 1000,
        "tcp_keepalives_idle": GONE_S // 2,
        "tcp_keepalives_interval": GONE_S // 4,
        "tcp_keepalives_count": 2,
        "tcp_user_timeout": GONE_S * 1000,
    }
    return {
        "ENGINE": POSTGRESQL,
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "NAME": database.name,
        "USER": database.user,
        "PASSWORD": password,
        "HOST": database.host,
        "PORT": database.port,
        "OPTIONS": {
            "isolation_level": IsolationLevel.READ_COMMITTED,
            "application_name": database.application_name,
            "answer_s": database.statement_s + LATE_S,
            "connect_timeout": max(CONNECT_S // len(database.hosts), 2),
            # a standby answers as well, and takes no writes
            "target_session_attrs": "read-write",
            "keepalives_idle": GONE_S // 2,
            "keepalives_interval": GONE_S // 4,
            "keepalives_count": 2,
            "tcp_user_timeout": GONE_S * 1000,
            "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
            **({"sslmode": "verify-full", "sslrootcert": str(database.ca)} if database.ca else {}),
        },
    }
