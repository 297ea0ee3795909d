"""The archive's configuration: one TOML file, every value with its unit and default (archive.example.toml)."""

from __future__ import annotations

import os
import re
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from appliance.contract.errors import SettingsError
from appliance.contract.settings_file import load_settings

DEFAULT_HOME = "/var/lib/plainsight-archive"
Port = Annotated[int, Field(ge=1, le=65535)]
CREDENTIAL: Final = "credential:"
"""Before the name of a systemd credential, in place of a path."""
_CREDENTIAL_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,255}")
"""As systemd.exec(5) has them, less what nobody needs."""


def _secret_file(path: Path) -> Path:
    name = str(path).removeprefix(CREDENTIAL)
    if name != str(path) and not _CREDENTIAL_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a systemd credential; write {CREDENTIAL}NAME, or a path")
    return path


SecretFile = Annotated[Path, AfterValidator(_secret_file)]
"""A file that holds a secret, or `credential:NAME`: what systemd hands to a service (LoadCredential=)."""


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no IANA time zone, such as America/Chicago") from None
    return name


def _ip_address(text: str) -> str:
    return str(ip_address(text))


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Site(_Section):
    """The archive as its users and boxes reach it."""

    url: Annotated[str, AfterValidator(str.lower), Field(pattern=r"^(?i:https?://[^/\s]+)$")] = "https://localhost:8443"
    """Where boxes and browsers find the archive, without a path. With `http://` cookies are not marked Secure: only for
    this machine."""
    hosts: list[Annotated[str, AfterValidator(str.lower), Field(pattern=r"^[A-Za-z0-9.:*\[\]-]{1,253}$")]] = [
        "localhost",
        "127.0.0.1",
        "[::1]",
    ]
    """Host names that are answered, and that stand in the certificates of the archive's own authority; all others are
    refused."""
    time_zone: Annotated[str, AfterValidator(_time_zone)] = "America/Chicago"
    """Time zone in which pages show times (IANA name)."""
    contact: Annotated[str, Field(max_length=200)] = ""
    """Whom people may ask, as the pages say it: "Pat Doe, 555-0100"; empty: "your administrator"."""


class Web(_Section):
    """The web server (`plainsight-archive web`)."""

    address: str = "127.0.0.1:8443"
    """Where it listens, HOST:PORT."""
    workers: Annotated[int, Field(ge=1, le=64)] = 2
    """Worker processes."""
    threads: Annotated[int, Field(ge=1, le=64)] = 4
    """Threads in each worker that serve boxes, and as many others that serve people."""
    box_requests_a_minute: Annotated[int, Field(ge=60, le=60000)] = 600
    """Requests of one box that each worker serves within a minute; a meeting takes about 15, and 600 bring in an hour
    and a half of audio that waited on the box."""
    proxies: list[Annotated[str, AfterValidator(_ip_address)]] = []
    """Addresses of proxies in front, whose X-Forwarded-For is believed."""
    certificate: Path | None = None
    """TLS certificate chain (PEM); without it, a proxy in front does TLS."""
    key: Path | None = None
    """Its private key (PKCS#8 PEM)."""


class Boxes(_Section):
    """A listener of its own for boxes, where the pages have a public certificate or a proxy (`web --boxes`)."""

    url: Annotated[str, AfterValidator(str.lower), Field(pattern=r"^(?i:https://[^/\s]+)$")] | None = None
    """Where boxes find the archive, without a path; None: where the pages are."""
    address: str = "127.0.0.1:8443"
    """Where `web --boxes` listens, HOST:PORT."""
    workers: Annotated[int, Field(ge=1, le=64)] = 2
    """Its worker processes."""
    certificate: Path | None = None
    """Its TLS certificate (PEM), from the district's own authority, which is the one that boxes believe."""
    key: Path | None = None
    """Its private key (PKCS#8 PEM)."""


class Database(_Section):
    """The database."""

    engine: Literal["sqlite", "postgresql"] = "sqlite"
    """`sqlite` keeps one file in the archive's home; `postgresql` is for several hosts."""
    busy_s: Annotated[int, Field(ge=1, le=120)] = 20
    """SQLite: how long to wait for another writer, in seconds."""
    host: Annotated[str, Field(pattern=r"^([^\s,]+(,[^\s,]+)*)?$", max_length=1023)] = ""
    """PostgreSQL: host, or a primary and its standbys with commas between, of which the one is used that takes writes;
    a path is the folder of the local socket, and empty means where this system has it."""
    port: Port = 5432
    """PostgreSQL: port."""
    ca: Path | None = None
    """PostgreSQL: certificate authority of the server (PEM). Needed where `host` is another machine: names pass there.
    """
    name: Annotated[str, Field(pattern=r"^[^\s\x00]+$", max_length=63)] = "plainsight"
    """PostgreSQL: name of the database."""
    user: Annotated[str, Field(max_length=63)] = ""
    """PostgreSQL: user; empty means the operating system's."""
    password_file: SecretFile | None = None
    """PostgreSQL: a file that holds the password."""
    application_name: Annotated[str, Field(pattern=r"^[!-~]+$", max_length=63)] = "plainsight-archive"
    """PostgreSQL: how the archive's connections are called in its own lists (pg_stat_activity)."""
    pool: Annotated[int, Field(ge=1, le=200)] | None = None
    """PostgreSQL: most connections of one web process; None: one for each of its threads, twice `[web] threads`."""
    statement_s: Annotated[int, Field(ge=1, le=3600)] = 30
    """PostgreSQL: a statement that takes longer is given up, in seconds; time that it waits for locks counts."""

    @model_validator(mode="after")
    def _fits_its_engine(self) -> Self:
        other = {"busy_s"} if self.engine == "postgresql" else set(type(self).model_fields) - {"engine", "busy_s"}
        if wrong := sorted(other & self.model_fields_set):
            needed = "sqlite" if self.engine == "postgresql" else "postgresql"
            raise ValueError(f"{wrong[0]} says nothing about {self.engine}; remove it, or set engine = {needed!r}")
        if not self.is_local and self.ca is None:
            raise ValueError(f"{self.host} is another machine, and names pass to it: set ca to its authority (PEM)")
        return self

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine."""
        return all(host.startswith("/") or host in {"", "localhost", "127.0.0.1", "::1"} for host in self.hosts)

    @property
    def hosts(self) -> list[str]:
        """The primary and its standbys, in the order in which they are asked; at least one."""
        return self.host.split(",")


def _endpoint(url: str) -> str:
    parts = urlsplit(url)
    own = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if parts.hostname and not parts.path.strip("/") and (parts.scheme == "https" or (parts.scheme == "http" and own)):
        return url.rstrip("/")
    raise ValueError("write https://HOST, without a bucket or a path; http:// is only for this machine")


class S3(_Section):
    """A bucket with Object Lock, for this archive alone (docs/object-store.md)."""

    endpoint: Annotated[str, AfterValidator(_endpoint), Field(max_length=255)]
    """Where the server answers, https://HOST[:PORT]."""
    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    """Name of the bucket; it must keep versions, and have Object Lock."""
    region: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,63}$")] = "us-east-1"
    """Region, as requests are signed for it."""
    ca: Path | None = None
    """Certificate authority of the server (PEM); None: those that this system trusts."""
    credentials_file: SecretFile
    """A file as AWS' tools write it, with the keys that may list, read, write and lock objects, and bypass nothing."""
    destruction_credentials_file: SecretFile | None = None
    """The same, with keys that may also bypass governance: for destructions, what was given up, and check-store."""
    mode: Literal["governance", "compliance"] = "governance"
    """`governance`: whoever may bypass it can remove an object before its lock ends; `compliance`: nobody can."""
    retention_days: Annotated[int, Field(ge=1, le=36500)] = 3650
    """For how long an object is locked from the moment it is kept."""
    destroys_early: bool = True
    """Whether the district destroys recordings before their lock ends; `compliance` needs false."""
    answer_s: Annotated[int, Field(ge=1, le=300)] = 30
    """How long an answer may take, in seconds; a request is made three times at most."""

    @model_validator(mode="after")
    def _destroys_as_it_locks(self) -> Self:
        if self.destroys_early and self.mode == "compliance":
            raise ValueError(
                "compliance lets nobody destroy a recording before its lock ends: say that the district never does, "
                "with destroys_early = false, or set mode = 'governance'"
            )
        if self.destroys_early and self.destruction_credentials_file is None:
            raise ValueError(
                "name a destruction_credentials_file, which may bypass governance, or set destroys_early = false"
            )
        if not self.destroys_early and self.destruction_credentials_file is not None:
            raise ValueError("destroys_early is false: remove destruction_credentials_file, and those keys with it")
        return self


class Store(_Section):
    """Where sealed packages are kept. What arrives, drafts and keys lie in the archive's folder in any case."""

    engine: Literal["disk", "s3"] = "disk"
    """`disk` keeps packages in the archive's folder; `s3` in a bucket with Object Lock."""
    s3: S3 | None = None
    """The bucket; with `disk` it is only where `move-store` may bring packages."""

    @model_validator(mode="after")
    def _names_its_bucket(self) -> Self:
        if self.engine == "s3" and self.s3 is None:
            raise ValueError("engine = 's3' needs the section [store.s3]: endpoint, bucket and credentials_file")
        return self


class Mqtt(_Section):
    """The broker that boxes report to."""

    host: str = "localhost"
    """Host name, as in the broker's certificate."""
    port: Port = 8883
    """Port of the broker."""
    ca: Path | None = None
    """Certificate authority of the broker (PEM); without it no TLS, which is only for this machine."""
    certificate: Path | None = None
    """The archive's client certificate (PEM)."""
    key: Path | None = None
    """Its private key (PEM)."""
    broker_folder: Path | None = None
    """Folder that a Mosquitto on this host reads: the worker writes its access list and renews its certificate there.
    None: the broker is looked after elsewhere."""
    client_id: str = "plainsight-archive"
    """Begin of the MQTT client identifier; a random part follows."""


class Mail(_Section):
    """How the archive sends mail. No mail holds a student's name."""

    host: Annotated[str, Field(min_length=1, max_length=255)]
    """The district's mail server."""
    port: Port = 587
    """Its port."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection to the mail server is encrypted; `none` is only for this machine."""
    user: str = ""
    """Name to sign in with; empty: none."""
    password_file: SecretFile | None = None
    """A file that holds the password."""
    sender: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]
    """From whom mail comes."""
    readiness_to: list[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]] = []
    """Who gets the readiness report at seven in the morning; none: nobody, and the page alone shows it."""


class Custody(_Section):
    """Witnesses: where the signed head of the custody log is kept each day, off this machine."""

    folder: Path | None = None
    """A folder of another machine, mounted here; it gets the file `custody-heads.tsv`."""
    syslog: Annotated[str, Field(pattern=r"^[^\s/]+:\d{1,5}$")] | None = None
    """A syslog server, HOST:PORT; it gets a message of RFC 5424 by UDP."""
    url: Annotated[str, Field(pattern=r"^https://[^\s]+$|^http://(localhost|127\.0\.0\.1)(:\d+)?/[^\s]*$")] | None = (
        None
    )
    """An HTTPS address that gets the signed line by POST and answers 2xx once it is kept."""
    authority_url: Annotated[str, Field(pattern=r"^https?://[^\s]+$")] | None = None
    """A time-stamp authority (RFC 3161); it gets the head's digest. Its tokens are kept, and signed, so `http://` is as
    good."""
    authority_certificates: Path | None = None
    """Certificates of that authority's roots (PEM), from a place that you trust: every token is verified against them.
    Keep those of an authority that was used before in the same file."""

    @model_validator(mode="after")
    def _both_or_none(self) -> Custody:
        if (self.authority_url is None) < (self.authority_certificates is None):
            raise ValueError("authority_url needs authority_certificates: without them nobody could verify a token")
        return self


class Records(_Section):
    """How the district keeps the life of its meetings."""

    district: Annotated[str, Field(max_length=120)] = "the district"
    """The district's name, as letters say it."""
    notice_reading: Literal["time", "day"] = "time"
    """How a notice of 24 hours is counted to tell a late one: to the meeting's `time`, or to the begin of its `day`.
    Pages show both. A late notice is only marked: nothing is denied (RSMo 162.686)."""
    notices_to: Annotated[str, Field(max_length=120)] = "the special-education director"
    """To whom parents give notice, as letters say it."""
    meeting_minutes: Annotated[int, Field(ge=5, le=480)] = 60
    """How long a meeting is planned where nobody says so, in minutes."""


class Transcription(_Section):
    """A program on this host that drafts transcripts of sealed recordings, without any network."""

    engine: Literal["whisper.cpp", "pocketsphinx"] = "whisper.cpp"
    """`whisper.cpp` (pywhispercpp) writes what can be read; `pocketsphinx` is small, for trials, and mishears much."""
    model: Path
    """File of the model, which the district supplies: of whisper.cpp `ggml-*.bin`, of pocketsphinx `*.lm.bin`."""
    model_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Digest of that file; another one is not used."""
    language: Literal["en", "es"] = "en"
    """In which language people speak."""
    every: bool = False
    """Whether each recording gets a draft once it is sealed; false: only one for which somebody asks."""
    threads: Annotated[int, Field(ge=1, le=64)] = 2
    """Threads that it may use; it yields to all other work."""


class Backup(_Section):
    """Where copies go. The three places lie apart: whoever holds one of them hears nothing."""

    folder: Path | None = None
    """Packages and database: they open nothing, and may be kept as long as the district likes."""
    keys: Path | None = None
    """Generations of the keys, each encrypted to a key of its own."""
    generation_keys: Path | None = None
    """What opens those generations: a place of which no other copies are made, because what is forgotten must be gone.
    """
    keep_days: Annotated[int, Field(ge=1, le=365)] = 30
    """After so many days a generation's key is forgotten, unless no newer one is there."""


class Logs(_Section):
    """What the processes log, to the standard error. No name of a person, room or meeting is in it."""

    format: Literal["text", "json"] = "text"
    """`text` for people, as journalctl shows it; `json` for programs: one object a line."""


class Fixity(_Section):
    """How often the worker checks each sealed package by itself, at night."""

    every_days: Annotated[int, Field(ge=7, le=366)] = 90
    """Every package is checked at least once in so many days: digest, signatures, and the audio where its key is."""
    from_hour: Annotated[int, Field(ge=0, le=23)] = 20
    """When the night begins, by the site's clock."""
    to_hour: Annotated[int, Field(ge=0, le=23)] = 5
    """When it ends; the same hour as its begin: all day."""


class Metrics(_Section):
    """Figures for a monitor, at `/metrics`."""

    token_file: SecretFile | None = None
    """A file that holds the token of at least 32 characters that a monitor shows; None: nobody is answered."""


def _issuer(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in {"localhost", "127.0.0.1", "::1"}):
        return url
    raise ValueError("write https://..., exactly as the provider's discovery document has it")


class Provider(_Section):
    """The district's OpenID Connect provider. Accounts are known by its issuer and their subject, by nothing else."""

    issuer: Annotated[str, Field(max_length=255), AfterValidator(_issuer)]
    """Its issuer, exactly as its discovery document (ISSUER/.well-known/openid-configuration) has it."""
    client_id: Annotated[str, Field(min_length=1, max_length=191)]
    """Identifier that the provider gave the archive."""
    secret_file: SecretFile
    """A file that holds the secret that the provider gave the archive."""
    label: Annotated[str, Field(min_length=1, max_length=80)] = "Sign in with your district account"
    """What the button says."""
    groups_claim: Annotated[str, Field(max_length=80)] = "groups"
    """Member of the ID token that lists a person's groups; empty: groups mean nothing."""
    roles: dict[str, str] = {}
    """Group: the role that a custodian is offered to grant to whoever is in it. The first that fits counts."""
    second_factor: bool = True
    """Whether the provider itself asks people for a second factor, so that the archive need not."""


class SignIn(_Section):
    """Signing in."""

    second_factor: Literal["required", "optional"] = "required"
    """`required`: an account that may hear recordings, hand them out or look after accounts reaches nothing but its own
    sign-in page until it has an authenticator app or a passkey. Whoever has one is always asked for it."""
    idle_min: Annotated[int, Field(ge=5, le=480)] = 60
    """A session ends after so long without a request, in minutes; after 8 hours it ends in any case."""
    provider: Provider | None = None
    """The district's OpenID Connect provider; None: people sign in with passwords only."""


class Configuration(_Section):
    """The whole file."""

    site: Site = Site()
    web: Web = Web()
    boxes: Boxes = Boxes()
    database: Database = Database()
    store: Store = Store()
    mqtt: Mqtt = Mqtt()
    custody: Custody = Custody()
    records: Records = Records()
    transcription: Transcription | None = None
    backup: Backup = Backup()
    fixity: Fixity = Fixity()
    logs: Logs = Logs()
    metrics: Metrics = Metrics()
    mail: Mail | None = None
    sign_in: SignIn = SignIn()
    escrow_recipient: str | None = Field(default=None, pattern=r"^age1[a-z0-9]{58}$")
    """The district's escrow age recipient; `make-keys` writes it into `keys/escrow.txt`, which this overrides."""

    @property
    def box_url(self) -> str:
        """Where boxes find the archive."""
        return self.boxes.url or self.site.url

    @property
    def names(self) -> list[str]:
        """Names and addresses by which this host is reached: those in its addresses, then all that it answers for."""
        reached = [str(urlsplit(url).hostname) for url in (self.site.url, self.box_url)]
        answered = [host.strip("[]") for host in self.site.hosts if host != "*"]
        # Django's way to write every name below one, and the way of certificates
        return list(dict.fromkeys([*reached, *(f"*{host}" if host.startswith(".") else host for host in answered)]))


def home() -> Path:
    """Return the archive's folder: $ARCHIVE_HOME, or the default."""
    return Path(os.environ.get("ARCHIVE_HOME") or DEFAULT_HOME).absolute()


@cache
def configuration() -> Configuration:
    """Return the configuration in $ARCHIVE_CONFIG, else in archive.toml in the archive's folder, else the defaults."""
    named = os.environ.get("ARCHIVE_CONFIG")
    path = Path(named) if named else home() / "archive.toml"
    if not named and not path.exists():
        return Configuration()
    return load(path)


def load(path: Path) -> Configuration:
    """Read a settings file; raise SettingsError that names file, setting and, for a misspelled one, its likely name."""
    return load_settings(path, Configuration, "set ARCHIVE_CONFIG to the right file")


def read_secret(path: Path | None, field: str) -> str:
    """Return the secret in a file or a systemd credential, or an empty text without one.

    Raises SettingsError, which names the setting `field`, if it cannot be read. It is read whenever it is needed, so a
    command that does not need it runs also where the credential is not.
    """
    if path is None:
        return ""
    name = str(path).removeprefix(CREDENTIAL)
    if name != str(path):
        folder = os.environ.get("CREDENTIALS_DIRECTORY")
        if folder is None:
            raise SettingsError(
                f"systemd gives the credential {name} to services only; try again with "
                f"'systemd-run --pipe -p User=plainsight-archive -p LoadCredential={name}:FILE ...', or name a file",
                field=field,
            )
        path = Path(folder) / name
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read the secret in {path}: {error}", field=field) from error
