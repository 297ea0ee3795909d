"""The steps of a set-up, each of which can be repeated: what is there and good is left alone."""

from __future__ import annotations

import grp
import json
import os
import pwd
import secrets
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from appliance.contract.durable_files import replace
from appliance.contract.encryption import Identity
from appliance.contract.errors import PlainSightError, SettingsError, StorageError
from appliance.contract.settings_file import load_settings
from archive.configuration.database import Database
from archive.configuration.storage import Backup

from . import database_proof
from .answers import Answers
from .broker_settings import access_plugin, broker_settings, program
from .public_certificate import read_public
from .written_settings import PUBLIC, PUBLIC_KEY, backup_text, has_own_listener_for_boxes, settings_text, site_url

USER: Final = "plainsight-archive"
"""Who runs the archive (systemd/sysusers.d)."""
BROKER_GROUP: Final = "mosquitto"
BROKER_UNIT: Final = "plainsight-broker.path"
BOXES_UNIT: Final = "plainsight-archive-boxes.service"
UNITS: Final = (
    "plainsight-archive-web.service",
    BOXES_UNIT,
    "plainsight-archive-worker.service",
    "plainsight-archive-listen.service",
    "plainsight-archive-certificates.path",
    "plainsight-archive-backup.timer",
    BROKER_UNIT,
)
FIRST_FREE_PORT: Final = 1024
LOW_PORT: Final = """\
# Written by plainsight-archive setup: the pages' port is below 1024, and nothing else is allowed by this.
[Service]
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
AmbientCapabilities=CAP_NET_BIND_SERVICE
"""


class _Site(BaseModel):
    model_config = ConfigDict(extra="ignore")

    url: str


class _Kept(BaseModel):
    """What a set-up reads of settings that are there already."""

    model_config = ConfigDict(extra="ignore")

    site: _Site
    database: Database = Database()
    backup: Backup = Backup()


class StepError(PlainSightError):
    """A step of the set-up failed; those before it stand, and the set-up can be run again."""

    code = "set-up"


@dataclass(frozen=True)
class Host:
    """Where things go on this host."""

    home: Path = Path("/var/lib/plainsight-archive")
    """The archive's folder."""
    broker: Path = Path("/var/lib/plainsight-broker")
    """What the broker reads."""
    broker_settings: Path = Path("/etc/mosquitto/conf.d/plainsight.conf")
    low_port: Path = Path("/etc/systemd/system/plainsight-archive-web.service.d/port.conf")
    units: Path = Path("/etc/systemd/system")
    """Where drop-ins of units lie."""

    @property
    def is_root(self) -> bool:
        """Whether the steps of root can be done, and the others as the archive's own user."""
        return os.geteuid() == 0

    def run(self, *arguments: str) -> Any:
        """Run one of the archive's commands as its user and return its JSON; raise StepError with its words."""
        said = self.run_module("archive.command", *arguments)
        return json.loads(said) if "--json" in arguments else None

    def run_module(self, module: str, *arguments: str, question: str = "") -> str:
        """Run a module as the archive's user, and return what it prints; raise StepError with its words."""
        command = [sys.executable, "-m", module, *arguments]
        if self.is_root:
            account = pwd.getpwnam(USER)
            command = [
                "setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--init-groups", *command,
            ]  # fmt: skip
        environment = {**os.environ, "ARCHIVE_HOME": str(self.home)}
        done = subprocess.run(
            command, env=environment, cwd="/", capture_output=True, text=True, check=False, input=question
        )
        if done.returncode != 0:
            name = f"plainsight-archive {arguments[0]}" if arguments else module
            raise StepError(f"{name}: {done.stderr.strip()[-2000:]}")
        return done.stdout


def make_folders(host: Host) -> str:
    """Make the archive's folders; raise SettingsError if its user does not exist."""
    try:
        if host.is_root:
            account = pwd.getpwnam(USER)
            host.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.chown(host.home, account.pw_uid, account.pw_gid)
        else:
            host.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            host.broker.mkdir(mode=0o750, parents=True, exist_ok=True)
    except KeyError as error:
        raise SettingsError(f"there is no user {USER}; install the package plainsight-archive") from error
    except OSError as error:
        raise StorageError(f"cannot make {error.filename}: {error.strerror}; run this as root") from error
    return f"folder {host.home}"


def make_broker_folder(host: Host) -> str:
    """Make the folder that archive and broker share; raise SettingsError if there is no broker on this host."""
    if host.is_root:
        try:
            group = grp.getgrnam(BROKER_GROUP).gr_gid
        except KeyError as error:
            raise SettingsError(
                "there is no Mosquitto on this host; install the package mosquitto, or set broker = false",
                field="broker",
            ) from error
        host.broker.mkdir(parents=True, exist_ok=True)
        os.chown(host.broker, pwd.getpwnam(USER).pw_uid, group)
        # the group passes on, so that the broker reads what the archive writes
        host.broker.chmod(0o2750)
    return f"folder {host.broker}"


def write_configuration(host: Host, answers: Answers) -> str:
    """Write archive.toml unless there is one; the district's own changes stay."""
    path = host.home / "archive.toml"
    if path.exists():
        _require_same_address(path, site_url(answers))
        return _keep_settings(host, path, answers)
    _write_as_the_archive(host, host.home, path.name, settings_text(answers, host.home, host.broker).encode())
    return f"settings {path}"


def _keep_settings(host: Host, path: Path, answers: Answers) -> str:
    """Keep settings that are there, but for places of backups where they name none."""
    kept = load_settings(path, _Kept, "mend it, or move it away").backup
    wanted = answers.backup
    if wanted is None or wanted.model_dump(exclude_unset=True).items() <= kept.model_dump().items():
        return f"settings {path} (kept as they are)"
    if kept != Backup():
        raise SettingsError(
            f"{path} has a section [backup] that says otherwise; change it there (docs/backup.md)", field="backup"
        )
    _write_as_the_archive(host, host.home, path.name, path.read_bytes() + f"\n{backup_text(wanted)}".encode())
    return f"settings {path} (kept, and the places of backups written into it)"


def _require_same_address(path: Path, url: str) -> None:
    kept = load_settings(path, _Kept, "mend it, or move it away").site.url
    if kept != url:
        raise SettingsError(
            f"{path} says that the archive is at {kept}, and the answers say {url}; change the file by hand (its boxes "
            "know the old address), or give the old one",
            field="host",
        )


def _write_as_the_archive(host: Host, folder: Path, name: str, data: bytes) -> None:
    """Write a file of the archive's user into one of its folders, following no link there; raise StorageError."""
    try:
        where = os.open(folder, os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            new = f".{name}.{secrets.token_hex(4)}"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            descriptor = os.open(new, flags, 0o600, dir_fd=where)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                if host.is_root:
                    account = pwd.getpwnam(USER)
                    os.fchown(descriptor, account.pw_uid, account.pw_gid)
                file.flush()
                os.fsync(descriptor)
            os.rename(new, name, src_dir_fd=where, dst_dir_fd=where)
            os.fsync(where)
        finally:
            os.close(where)
    except OSError as error:
        raise StorageError(f"cannot write {folder / name}: {error.strerror}") from error


def make_keys(host: Host, answers: Answers) -> str:
    """Make the archive's keys, and name the escrow."""
    recipient = answers.escrow
    if recipient is None and answers.new_escrow is not None and not (host.home / "keys" / "escrow.txt").exists():
        # made here and not by the archive's user, who cannot write onto somebody's stick
        try:
            if answers.new_escrow.exists():
                # a run that was cut off has made it
                identity = Identity.load(answers.new_escrow)
            else:
                identity = Identity.generate()
                identity.save(answers.new_escrow)
        except OSError as error:
            raise StorageError(f"cannot write {answers.new_escrow}: {error.strerror}", field="new_escrow") from error
        recipient = identity.recipient
    made = host.run("make-keys", "--json", *(["--escrow", recipient] if recipient else []))
    if made["escrow_recipient"] is None:
        raise SettingsError(
            "an escrow is needed, so that recordings can be opened if this host is lost: give its recipient with "
            "--escrow, or let one be made with --new-escrow FILE (on a stick that is taken away)",
            field="escrow",
        )
    return f"keys {made['folder']}"


def make_certificates(host: Host) -> str:
    """Make the district's authority and the host's certificates."""
    made = host.run("make-certificates", "--json")
    return f"certificates ({', '.join(made['made']) or 'all good'})"


def take_certificate(host: Host, certificate: Path, key: Path) -> str:
    """Take a public certificate for the pages; the web server takes it up by itself. Raises SettingsError."""
    url = load_settings(host.home / "archive.toml", _Kept, "run 'plainsight-archive setup' first").site.url
    chain, private = read_public(certificate, key, str(urlsplit(url).hostname), datetime.now(UTC))
    # the key first: a certificate without its key would keep the server from starting
    _write_as_the_archive(host, host.home / "keys", PUBLIC_KEY, private)
    _write_as_the_archive(host, host.home / "keys", PUBLIC, chain)
    return f"public certificate {host.home / 'keys' / PUBLIC}"


def allow_low_port(host: Host, answers: Answers) -> str:
    """Let the web server listen at a port below 1024, which its unit does not allow by itself."""
    low = answers.public_certificate is not None and answers.public_port < FIRST_FREE_PORT
    if not low or not host.is_root:
        return f"ports ({'as another user than root, nothing is allowed' if low else 'none below 1024'})"
    try:
        host.low_port.parent.mkdir(parents=True, exist_ok=True)
        replace(host.low_port, LOW_PORT.encode(), mode=0o644, durable=True)
    except OSError as error:
        raise StorageError(f"cannot write {host.low_port}: {error.strerror}") from error
    return f"port {answers.public_port} ({host.low_port})"


def prove_database(host: Host, answers: Answers) -> str:
    """Prove, before anything is written, that the database can hold the archive; raise SettingsError."""
    path = host.home / "archive.toml"
    kept = load_settings(path, _Kept, "mend it, or move it away").database if path.exists() else None
    database = kept or answers.database or Database()
    if kept is not None and answers.database is not None:
        _require_same_database(path, kept, answers.database)
    if database.engine == "sqlite":
        return "database (SQLite, one file)"
    question = database_proof.Question(database=database, new=kept is None)
    said = host.run_module(database_proof.MODULE, question=question.model_dump_json(exclude_unset=True))
    answer = database_proof.Answer.model_validate_json(said)
    if answer.refusal:
        raise SettingsError(answer.refusal, field=answer.field)
    return f"database {database.name} (PostgreSQL {answer.server}, can be reached)"


def _require_same_database(path: Path, kept: Database, answered: Database) -> None:
    for name in ("engine", *sorted(answered.model_fields_set)):
        if getattr(kept, name) != getattr(answered, name):
            raise SettingsError(
                f"{path} has {name} = {getattr(kept, name)}, and the answers say {getattr(answered, name)}; an archive "
                "goes to another database with backup and restore (docs/postgresql.md)",
                field=f"database.{name}",
            )


def make_database(host: Host) -> str:
    """Make or update the database."""
    host.run("migrate", "--no-input")
    return "database"


def set_up_broker(host: Host) -> str:
    """Write the broker's settings and the list of what each box may do."""
    host.run("write-broker-access", str(host.broker), "--json")
    if not host.is_root:
        return f"access list for the broker (as another user than root, {host.broker_settings} is left alone)"
    text = broker_settings(host.broker, access_plugin(program())).encode()
    try:
        if not host.broker_settings.exists() or host.broker_settings.read_bytes() != text:
            replace(host.broker_settings, text, mode=0o644, durable=True)
    except OSError as error:
        raise StorageError(f"cannot write {host.broker_settings}: {error.strerror}") from error
    return f"broker {host.broker_settings}"


def first_account(host: Host, answers: Answers) -> tuple[str, str | None]:
    """Make the custodian's account if there is no account at all; return what was done, and the password once."""
    if host.run("list-users", "--json"):
        return "accounts (there are some already)", None
    made = host.run("add-user", answers.user, "--role", "custodian", "--json")
    return f"account {answers.user}", str(made["password"])


def units(*, broker: bool, boxes: bool) -> list[str]:
    """Return the units of an archive, with a broker on this host or not, and boxes' own listener or not."""
    unused = {*([] if broker else [BROKER_UNIT]), *([] if boxes else [BOXES_UNIT])}
    return [unit for unit in UNITS if unit not in unused]


def start_units(host: Host, answers: Answers) -> str:
    """Start everything, now and at each boot, where systemd runs."""
    if not host.is_root or not Path("/run/systemd/system").exists():
        return "services (systemd does not run here: start them by hand, or restart the host)"
    broker = [["restart", "mosquitto.service"]] if answers.broker else []
    names = units(broker=answers.broker, boxes=has_own_listener_for_boxes(answers))
    for command in (["daemon-reload"], *broker, ["enable", "--now", *names]):
        _systemctl(command)
    return "services"


def restart(host: Host, units: Sequence[str]) -> None:
    """Let systemd read units anew, and start again those of them that run, where it runs."""
    if units and host.is_root and Path("/run/systemd/system").exists():
        _systemctl(["daemon-reload"])
        _systemctl(["try-restart", *units])


def _systemctl(arguments: Sequence[str]) -> None:
    program = shutil.which("systemctl") or "systemctl"
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StepError(f"systemctl {' '.join(arguments)}: {done.stderr.strip()}")
