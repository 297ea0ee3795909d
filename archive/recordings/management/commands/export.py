"""export: write out a sealed package."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from appliance.contract.durable_files import create
from appliance.contract.errors import DecryptionError, NotSealedError, SettingsError
from archive.core.base_command import ArchiveCommand, add_json
from archive.custody.actors import Actor, Subject
from archive.custody.heads import signed_head
from archive.custody.log import record
from archive.keystore.recording_keys import recording_keys
from archive.recordings.custody_kinds import EXPORT, EXPORT_KEY
from archive.recordings.find import check_not_destroyed, find
from archive.recordings.models import State
from archive.store.base import BUFFER, open_object
from archive.store.current import store


class Command(ArchiveCommand):
    """Write a package, and its encrypted key if asked, into a folder."""

    help = (
        "Write a recording's sealed package into a folder, and with --with-key also its encrypted key (which only the "
        "archive's or the escrow's identity decrypts). Each makes a custody entry. Existing files are not replaced."
    )
    example = "plainsight-archive export 0f3c9a52e4b14f1f8a0e6f7f5d2b9c31 --to /media/stick --with-key"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add what and where."""
        parser.add_argument("recording", help="the recording's identifier")
        parser.add_argument("--to", type=Path, default=Path(), metavar="FOLDER", help="where to (default: here)")
        parser.add_argument("--with-key", action="store_true", help="also write ID.key.age")
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Write the files, each after its custody entry."""
        row = find(options["recording"])
        check_not_destroyed(row)
        if row.state != State.SEALED:
            raise NotSealedError(f"{row.id} is {row.state}, not sealed; there is no package yet")
        folder: Path = options["to"].absolute()
        if not folder.is_dir():
            raise SettingsError(f"{folder} is no folder", field="--to")
        package, key = folder / f"{row.id}.zip", folder / f"{row.id}.key.age"
        wanted = [package, *([key] if options["with_key"] else [])]
        for path in wanted:
            if path.exists():
                raise SettingsError(f"{path} exists; move it away or choose another folder", field="--to")
        if options["with_key"] and not recording_keys().exists(row.id):
            raise DecryptionError(f"the key of recording {row.id} is not in the key store")
        actor, subject = Actor.operator(), Subject.recording(row.pk)
        record(EXPORT, actor=actor, subject=subject, package_sha256=row.package_sha256)
        with open_object(store(), row.package) as stored:
            _write(package, iter(lambda: stored.read(BUFFER), b""))
        if options["with_key"]:
            record(EXPORT_KEY, actor=actor, subject=subject)
            _write(key, [recording_keys().read(row.id)])
        members = {
            "recording": row.id,
            "package": str(package),
            "sha256": row.package_sha256,
            "custody_head": signed_head().decode("ascii") or None,
            "key": str(key) if options["with_key"] else None,
        }
        self.show(options, members, "\n".join(str(path) for path in wanted))


def _write(path: Path, chunks: Iterable[bytes]) -> None:
    try:
        create(path, chunks, mode=0o640)
    except OSError as error:
        raise SettingsError(f"cannot write {path}: {error.strerror}", field="--to") from error
