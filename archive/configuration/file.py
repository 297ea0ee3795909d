"""The whole file, and where it is read from."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field

from appliance.contract.settings_file import load_settings

from .brokers import Broker, Mqtt
from .database import Database
from .fields import LOCAL, Section
from .records import Records, Transcription
from .services import Custody, Mail
from .sign_in import SignIn
from .storage import Backup, Fixity, Store
from .web import Boxes, Control, Logs, Metrics, Site, Web

DEFAULT_HOME = "/var/lib/plainsight-archive"


class Configuration(Section):
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
    control: Control = Control()
    mail: Mail | None = None
    sign_in: SignIn = SignIn()
    escrow_recipient: str | None = Field(default=None, pattern=r"^age1[a-z0-9]{58}$")
    """The district's escrow age recipient; `make-keys` writes it into `keys/escrow.txt`, which this overrides."""

    @property
    def box_url(self) -> str:
        """Where boxes find the archive."""
        return self.boxes.url or self.site.url

    def host_for_boxes(self, broker: Broker) -> str:
        """Return by which name boxes reach a broker; one on the archive's own host has the archive's name."""
        return str(urlsplit(self.box_url).hostname) if broker.host in LOCAL else broker.host

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
