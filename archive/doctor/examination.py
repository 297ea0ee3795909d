"""Everything that the doctor looks at, in the order in which a person mends it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from appliance.contract.check_result import CheckResult
from archive.configuration.file import Configuration

from . import (
    backups,
    broker,
    bucket,
    certificates,
    clock,
    control,
    database,
    fixity,
    folders,
    keys,
    processes,
    secret_files,
    site,
    storage,
    witnesses,
)


def examine(settings: Configuration, home: Path, now: datetime, *, deep: bool) -> Iterator[CheckResult]:
    """Yield every finding; nothing is changed. With `deep` the whole database is read."""
    yield from site.check(site.look(settings, home))
    yield from folders.check(folders.look(home))
    yield from secret_files.check(secret_files.look(settings, home))
    seen = database.look(deep=deep)
    yield from database.check(seen)
    if seen.error or seen.pending:
        # what is missing there would be told again by every other check
        return
    yield from clock.check(clock.look())
    yield from keys.check(keys.look(home))
    yield from storage.check(storage.look(home))
    yield from bucket.check(bucket.look())
    yield from fixity.check(fixity.look(now))
    yield from backups.check(backups.look(), now)
    for certificate in certificates.look(settings, home):
        yield certificates.check(certificate, now)
    for one in settings.mqtt.brokers:
        yield from broker.check(broker.look(settings.mqtt, one))
    yield from witnesses.check(settings.custody, witnesses.look(), now)
    yield from control.check(settings.control, control.look())
    yield from processes.check(processes.look(settings), now)
