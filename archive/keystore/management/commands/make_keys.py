"""make-keys: the archive's own keys."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from appliance.contract.durable_files import create
from appliance.contract.encryption import Identity, parse_recipient
from appliance.contract.errors import KeyFileError
from appliance.contract.keys import SigningKey
from archive.core.base_command import ArchiveCommand, add_json
from archive.keystore.file import ESCROW, OPENING, SIGNING, FileKeyStore


class Command(ArchiveCommand):
    """Make the keys that are missing; existing ones are never touched."""

    help = (
        "Make the archive's opening key, signing key and session secret in $ARCHIVE_HOME/keys, and note the district's "
        "escrow recipient there. Existing keys are never touched. Copy the folder to a safe place: without the opening "
        "key (or the escrow identity) no recording can be heard."
    )
    example = "plainsight-archive make-keys --new-escrow /media/stick/escrow.txt"
    needs_database = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Add where the escrow key comes from."""
        group = parser.add_mutually_exclusive_group()
        group.add_argument("--escrow", metavar="RECIPIENT", help="age recipient whose identity is already kept offline")
        group.add_argument(
            "--new-escrow", metavar="FILE", type=Path, help="make an escrow identity in FILE, to be taken offline"
        )
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        """Make what is missing and print the public halves."""
        folder = settings.ARCHIVE_HOME / "keys"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not (folder / OPENING).exists():
                Identity.generate().save(folder / OPENING)
            if not (folder / SIGNING).exists():
                SigningKey.generate().save(folder / SIGNING)
            if not (folder / "django.secret").exists():
                create(folder / "django.secret", [f"{secrets.token_urlsafe(48)}\n".encode("ascii")], mode=0o600)
            escrow = self._escrow(folder / ESCROW, options)
        except OSError as error:
            raise KeyFileError(f"cannot write {error.filename}: {error.strerror}") from error
        keystore = FileKeyStore.load(folder)
        members = {
            "folder": str(folder),
            "archive_recipient": keystore.recipient,
            "archive_key": keystore.public,
            "escrow_recipient": escrow,
        }
        text = "\n".join(f"{name:<18}{value}" for name, value in members.items())
        if escrow is None:
            text += (
                "\nThere is no escrow recipient yet: run again with --escrow or --new-escrow before a box is enrolled."
            )
        self.show(options, members, text)

    @staticmethod
    def _escrow(path: Path, options: dict[str, Any]) -> str | None:
        recipient = options["escrow"]
        if recipient is not None:
            parse_recipient(recipient)
        known = path.read_text(encoding="ascii").strip() if path.exists() else None
        asked = recipient is not None or options["new_escrow"] is not None
        if known is not None and asked and recipient != known:
            raise KeyFileError(f"{path} already names an escrow recipient; remove the file if it shall change")
        if known is not None:
            return known
        if options["new_escrow"] is not None:
            identity = Identity.generate()
            identity.save(options["new_escrow"])
            recipient = identity.recipient
        if recipient is not None:
            create(path, [f"{recipient}\n".encode("ascii")], mode=0o644)
        return str(recipient) if recipient is not None else None
