"""move-store: bring what is kept for good from the disk into the bucket, or back."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.management.base import CommandParser

from appliance.contract.errors import SettingsError
from archive.backup.moving import Moved, move, sealed_digests
from archive.core.base_command import ArchiveCommand, add_json
from archive.keystore.current import keystore
from archive.recordings.bucket_locks import bring_in_line
from archive.store.base import DERIVATIVES, Store
from archive.store.current import disk, s3

if TYPE_CHECKING:
    from archive.store.s3 import S3Store

TOLD_S: Final = 5.0
"""How often progress is told, in seconds."""


class Command(ArchiveCommand):
    """Move packages and copies between the disk and the bucket."""

    help = (
        "Copy sealed packages and redacted copies from the disk into the bucket in [store.s3], or back, and read every "
        "one at both places, byte by byte. It can be broken off and run again, also beside a working archive; stop "
        "that for the last run, set [store] engine, and start it. The source stays as it is unless it is told "
        "otherwise. Exit status: 0 all of it is at the target, 1 something is not, 2 bad settings, or no answer."
    )
    example = "plainsight-archive move-store --to s3 --json"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add where to."""
        parser.add_argument("--to", choices=("s3", "disk"), required=True, help="where all of it is to be")
        parser.add_argument(
            "--remove-source",
            action="store_true",
            help="remove it from the disk once every object was verified in the bucket in this run",
        )
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Move."""
        chosen, to = settings.ARCHIVE.store, options["to"]
        if chosen.s3 is None:
            raise SettingsError("name the bucket in [store.s3] first", field="store.s3")
        if options["remove_source"] and to == "disk":
            raise SettingsError("what is in the bucket is locked, and goes when its lock ends", field="--remove-source")
        if options["remove_source"] and chosen.engine != to:
            raise SettingsError(
                f"the archive still reads from the disk; set [store] engine = {to!r} and start it before that",
                field="--remove-source",
            )
        bucket = s3(chosen.s3, settings.ARCHIVE_HOME)
        # it needs boto3, which is there only with a bucket
        from archive.store.bucket_trust import require_trusted  # noqa: PLC0415

        require_trusted(bucket, chosen.s3, settings.ARCHIVE_HOME, keystore().public)
        places: tuple[Store, Store] = (disk(), bucket) if to == "s3" else (bucket, disk())
        found = move(
            *places,
            sealed_digests(),
            self._progress(),
            in_use=chosen.engine == to,
            remove=options["remove_source"],
            hold=(lambda name: _hold(bucket, name)) if to == "s3" else lambda _name: None,
        )
        self.show(options, found.as_json(), _in_words(found, to))
        if not found.complete:
            sys.exit(1)

    def _progress(self) -> Any:
        told_at = time.monotonic()

        def tell(moved: Moved) -> None:
            nonlocal told_at
            if time.monotonic() - told_at >= TOLD_S:
                told_at = time.monotonic()
                done = moved.verified + len(moved.failed)
                self.stderr.write(f"{done} of {moved.objects} objects, {moved.bytes / 1e9:.1f} GB")

        return tell


def _hold(bucket: S3Store, name: str) -> None:
    if not name.startswith(f"{DERIVATIVES}/"):
        bring_in_line(bucket, name.rpartition("/")[2].removesuffix(".zip"), name)


def _in_words(found: Moved, to: str) -> str:
    same = f"{found.verified} of {found.objects} objects are the same at both places ({found.bytes} bytes)"
    lines = [f"{same}; {found.copied} were copied now"]
    lines += [f"WRONG   {name}: {wrong}" for name, wrong in found.failed.items()]
    lines += [
        f"WRONG   {name}: only at the target; where it was destroyed, 'audit --repair' removes it once it is in use"
        for name in found.only_at_target
    ]
    if found.destroyed and not found.removed:
        lines.append(f"{found.destroyed} objects of recordings that were destroyed are still at the source, and stay")
    if found.removed:
        lines.append(f"removed {found.removed} objects from the disk")
    elif found.complete:
        lines.append(f"next: set [store] engine = {to!r}, and start the archive")
    return "\n".join(lines)
