"""An archive for tests: a home of its own, a real database file, and a box that it knows."""

# ruff: noqa: PLC0415 - models can be imported only after Django is set up

from __future__ import annotations

import atexit
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import requests

from appliance.contract.request_signature import sign
from appliance.simulator.demo.ports import free_port
from tests.support.kept import code_digest, kept
from tests.support.postgresql import MIGRATED, cluster
from tests.support.waiting import until

from .spools import Keys

ROOT = Path(__file__).resolve().parents[2]


ENGINE = os.environ.get("ARCHIVE_TESTS_ENGINE", "sqlite")
"""On which engine the archive's tests run; `deploy/test --postgresql` chooses the other one."""
SETTINGS = (
    '[site]\nurl = "http://testserver"\n'
    'hosts = ["testserver", "127.0.0.1", "localhost"]\n[sign_in]\nsecond_factor = "optional"\n'
)


@dataclass(frozen=True)
class Template:
    """A home with a migrated, empty database, which each test gets a copy of."""

    home: Path
    database: str
    """Its name on PostgreSQL."""


@cache
def template(engine: str = ENGINE) -> Template:
    """Set Django up once, and return a home with a migrated, empty database for each engine."""
    home = Path(mkdtemp(prefix="archive-template-"))
    atexit.register(shutil.rmtree, home)
    database = cluster().create(MIGRATED) if engine == "postgresql" else ""
    (home / "archive.toml").write_text(SETTINGS + (cluster().settings(database) if database else ""))
    import django
    from django.apps import apps

    if not apps.ready:
        os.environ["ARCHIVE_HOME"] = str(home)
        os.environ["DJANGO_SETTINGS_MODULE"] = "archive.settings"
        django.setup()
    if not database:
        with kept(f"{code_digest()}.sqlite3") as file:
            if not file.exists():
                migrate(home)
                shutil.copyfile(home / "archive.sqlite3", file)
            shutil.copyfile(file, home / "archive.sqlite3")
    return Template(home, database)


def migrate(home: Path) -> None:
    """Make the tables in the database of the archive in `home`."""
    from django.core.management import call_command

    with on_database_of(home / "archive.toml", home):
        call_command("migrate", verbosity=0)


@contextmanager
def on_database_of(file: Path, home: Path) -> Iterator[None]:
    """Point Django, in this process, at the database that a settings file names for the archive in `home`."""
    from django.conf import settings
    from django.db import connections
    from django.test.utils import override_settings

    from archive.configuration.file import load
    from archive.database import database_settings

    named = load(file).database
    made = connections.configure_settings({"default": database_settings(named, home)})["default"]
    before = connections.databases["default"]
    _reach(made)
    try:
        with override_settings(ARCHIVE=settings.ARCHIVE.model_copy(update={"database": named})):
            yield
    finally:
        _reach(before)


def _reach(database: dict[str, Any]) -> None:
    from django.db import connections

    connections.close_all()
    connections.databases["default"] = database
    # the present connection knows the one before
    with suppress(AttributeError):
        del connections["default"]


@dataclass(frozen=True)
class Done:
    """What a command said."""

    stdout: str
    stderr: str


class Served(str):
    """The address of a running web server, and its process."""

    pid: int

    def __new__(cls, address: str, pid: int) -> Served:
        made = super().__new__(cls, address)
        made.pid = pid
        return made

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        return [int(one) for one in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]


@dataclass
class Archive:
    """One archive, in this process, on `home`."""

    home: Path
    keys: Keys = field(default_factory=Keys)
    database: str = ""
    """Its name on PostgreSQL; empty on SQLite."""
    saved: str = ""
    """Name of the copy that was kept of it there."""

    @property
    def engine(self) -> str:
        """On which engine it runs."""
        return "postgresql" if self.database else "sqlite"

    def write_settings(self, text: str) -> None:
        """Write archive.toml, for processes of their own; the database stays what it is."""
        (self.home / "archive.toml").write_text(text + (cluster().settings(self.database) if self.database else ""))

    def save_database(self, path: Path) -> None:
        """Keep a copy of the database, by the name `path` where it is a file."""
        from django.db import connection, connections

        if self.database:
            connections.close_all()
            self.saved = cluster().create(self.database)
            return
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(path)])

    def put_database_back(self, path: Path) -> None:
        """Put the copy in the database's place, as often as one likes."""
        from django.db import connections

        connections.close_all()
        if self.database:
            cluster().drop(self.database)
            cluster().create(self.saved, self.database)
            return
        for leftover in self.home.glob("archive.sqlite3*"):
            leftover.unlink()
        shutil.copy(path, self.home / "archive.sqlite3")

    def lose_database(self) -> None:
        """Leave an archive without tables, as one that was never set up: no file, or an empty database."""
        from django.db import connections

        connections.close_all()
        if self.database:
            cluster().drop(self.database)
            cluster().create(name=self.database)
            return
        for file in self.home.glob("archive.sqlite3*"):
            file.unlink()

    def database_bytes(self) -> bytes:
        """Return all that the database holds, as it is kept there."""
        if not self.database:
            return b"".join(one.read_bytes() for one in sorted(self.home.glob("archive.sqlite3*")))
        with cluster().connect(self.database) as direct, direct.cursor() as cursor:
            cursor.execute("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
            found = []
            for (table,) in cursor.fetchall():
                with cursor.copy(f"COPY {table} TO STDOUT (FORMAT binary)") as rows:
                    found += [table.encode(), *map(bytes, rows)]
        return b"".join(found)

    def prepare(self) -> None:
        """Give it its keys and make the box known."""
        from archive.custody.actors import ARCHIVE
        from archive.rooms.placement import place

        folder = self.home / "keys"
        folder.mkdir()
        self.keys.archive.save(folder / "opening.txt")
        self.keys.archive_signing.save(folder / "signing.pem")
        (folder / "escrow.txt").write_text(self.keys.escrow.recipient + "\n")
        (folder / "django.secret").write_text("only for tests " * 4)
        place(self.enroll(self.keys), "Room 12", by=ARCHIVE)

    def enroll(self, keys: Keys) -> Any:
        """Make the box of `keys` known, with the keys of its recorder and its courier."""
        from archive.custody.actors import ARCHIVE
        from archive.devices.enrollment import enroll
        from archive.devices.models import BoxKey

        enroll(keys.box, keys.courier.public, by=ARCHIVE, use=BoxKey.Use.COURIER)
        return enroll(keys.box, keys.box_signing.public, by=ARCHIVE)

    def client(self) -> Any:
        """A client that signs what it asks of the boxes' interface, as the box `signer`."""
        from django.test import Client

        from archive.ingest.authentication import new_nonce

        class Signing(Client):
            signer: Keys | None = self.keys

            def generic(self, method: str, path: Any, data: Any = b"", *others: Any, **options: Any) -> Any:
                if self.signer is not None and path.startswith("/api/"):
                    body = data if isinstance(data, bytes) else str(data).encode()
                    signed = sign(self.signer.courier, self.signer.box, new_nonce(), method, path, body=body)
                    options["headers"] = {**signed, **(options.get("headers") or {})}
                return super().generic(method, path, data, *others, **options)

        return Signing(raise_request_exception=True)

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "ARCHIVE_HOME": str(self.home),
            "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}",
        }

    def run(self, *arguments: str, status: int = 0) -> Done:
        """Run a command in this process; it must end with `status`."""
        from archive.command import main
        from archive.keystore.current import keystore

        keystore.cache_clear()
        stdout, stderr = io.StringIO(), io.StringIO()
        with redirect_stdout(stdout), redirect_stderr(stderr):
            try:
                code = main(list(arguments))
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else 0
        done = Done(stdout.getvalue(), stderr.getvalue())
        assert code == status, done
        return done

    def spawn(self, *arguments: str, status: int = 0) -> Done:
        """Run a command as a process of its own, as a person would; it must end with `status` and show no traceback."""
        done = subprocess.run(
            [sys.executable, "-m", "archive.command", *arguments],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == status, (done.stdout, done.stderr)
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.stdout, done.stderr)

    @contextmanager
    def serving(
        self, workers: int = 2, ca: Path | None = None, log: Path | None = None, port: int | None = None
    ) -> Iterator[Served]:
        """Run the web server, at any `port` or this one, and yield where it is.

        With `ca`, it speaks TLS; what it says goes to the file `log`.
        """
        if port is None:
            port = free_port()
        command = [
            sys.executable,
            "-m",
            "archive.command",
            "web",
            f"--address=127.0.0.1:{port}",
            f"--workers={workers}",
        ]
        with log.open("wb") if log else nullcontext() as file:
            process = subprocess.Popen(command, env=self.environment(), stderr=file)
        address = f"{'https' if ca else 'http'}://127.0.0.1:{port}"
        try:
            until(lambda: _answers(f"{address}/healthz", ca), alive=lambda: process.poll() is None)
            yield Served(address, process.pid)
        finally:
            process.terminate()
            process.wait(60)


def _answers(url: str, ca: Path | None) -> bool:
    try:
        return requests.get(url, timeout=60, verify=str(ca) if ca else True).status_code in {200, 404, 503}
    except requests.ConnectionError:
        return False


@contextmanager
def archive_in(home: Path, engine: str = ENGINE) -> Iterator[Archive]:
    """Make an archive in `home` and point this process at it."""
    base = template(engine)
    shutil.copytree(base.home, home, dirs_exist_ok=True)
    archive = Archive(home, database=cluster().create(base.database) if base.database else "")
    archive.write_settings(SETTINGS)
    try:
        with prepared(archive):
            yield archive
    finally:
        for name in filter(None, (archive.database, archive.saved)):
            cluster().drop(name)


@contextmanager
def prepared(archive: Archive) -> Iterator[None]:
    """Point this process at an archive whose settings and tables are there, and give it its keys."""
    from django.conf import settings
    from django.test.utils import override_settings

    from archive.keystore.current import keystore

    keystore.cache_clear()
    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    try:
        with (
            on_database_of(archive.home / "archive.toml", archive.home),
            override_settings(ARCHIVE_HOME=archive.home, PASSWORD_HASHERS=hashers),
        ):
            assert archive.home == settings.ARCHIVE_HOME
            archive.prepare()
            yield
    finally:
        keystore.cache_clear()


@contextmanager
def without_triggers() -> Iterator[None]:
    """Change rows as somebody can who owns the database, on either engine: nothing refuses it until the block ends."""
    from django.db import connection, transaction

    from archive.core.triggers import set_aside

    with transaction.atomic(), set_aside(connection):
        yield


def change_as_owner(*statements: str) -> None:
    """Execute statements like that."""
    from django.db import connection

    with without_triggers(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def lose_key(recording: str) -> None:
    """Remove the key of a recording as a failing disk or a careless hand would: the archive itself never does."""
    from django.conf import settings

    (settings.ARCHIVE_HOME / "recording-keys" / f"{recording}.age").unlink()
