"""check-store: prove that a bucket keeps what it is given."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from appliance.contract.errors import SettingsError
from archive.core.base_command import ArchiveCommand, add_json
from archive.keystore.current import keystore
from archive.store.current import s3


class Command(ArchiveCommand):
    """Try to get around the bucket's lock."""

    help = (
        "Prove the lock of the bucket in [store.s3] before anything is trusted to it: keep small objects, and try to "
        "write over, hide, delete, shorten, unlock and bypass them, and to get around a legal hold, with each pair of "
        "keys. Refuses a bucket that gives way, that has no versions or no Object Lock, or that is another archive's; "
        "makes an empty one this archive's own. Web server and worker do not start without it. Exit status: 0 it held, "
        "1 it did not, 2 bad settings."
    )
    example = "plainsight-archive check-store --json"
    needs_database = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --json."""
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Check."""
        chosen = settings.ARCHIVE.store.s3
        if chosen is None:
            raise SettingsError("there is no section [store.s3]: packages lie on this disk", field="store.s3")
        store = s3(chosen, settings.ARCHIVE_HOME)
        # it needs boto3, which is there only with a bucket
        from archive.store.bucket_trust import check  # noqa: PLC0415

        found = list(check(store, chosen, settings.ARCHIVE_HOME, keystore().public))
        wrong = any(one.verdict == "wrong" for one in found)
        members = {"ok": not wrong, "checks": [one.as_json() for one in found]}
        self.show(options, members, "\n".join(one.as_text() for one in found))
        if wrong:
            sys.exit(1)
