"""The whole archive in open formats: a district that leaves needs no program of ours to read what it takes along.

A folder that is a BagIt 1.0 bag (RFC 8493): every table as lines of JSON, every package as it lies in the store, the
settings, the custody log's published heads, and all keys in one file that only the recipient opens. It gets its name
last: what a kill or a full disk left is no export.
"""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from django.conf import settings
from pydantic import Field

from appliance.contract.durable_files import create, sync_folder
from appliance.contract.encryption import encrypt
from appliance.contract.ids import Digest
from appliance.contract.keys import PublicKey
from appliance.contract.package import BAGIT
from appliance.contract.signed import SignedModel
from appliance.contract.times import wall
from appliance.contract.version import software
from archive.custody.actors import Actor
from archive.custody.heads import FILE as HEADS
from archive.custody.heads import signed_head
from archive.custody.log import record
from archive.custody.models import Head
from archive.keystore.current import keystore
from archive.keystore.generations import INSIDE
from archive.store.base import DERIVATIVES, INCOMING
from archive.store.current import store
from archive.store.local import told_as

from .custody_kinds import EXPORT_ALL
from .manifest import CONFIGURATION, FORMAT
from .open_rows import write_rows
from .packages import copy_object, file_sha256, sealed
from .place import one_run_in

STATEMENT: Final = "export.tsv"
MANIFEST: Final = "manifest-sha256.txt"
TAG_MANIFEST: Final = "tagmanifest-sha256.txt"
KEYS: Final = "data/keys.tar.age"
ROWS: Final = "data/rows"
STORE: Final = "data/store"
README: Final = """\
The whole archive of {district}, exported on {day}.

rows/        every table, one line of JSON a row; schema.json names the columns and their kinds.
             recordings.recording.jsonl lists the recordings; custody.entry.jsonl is the custody log,
             each entry bound to the one before (docs/format.md of Plain Sight, section 9).
store/       packages/: each recording as it was sealed, a ZIP file that holds a bag
             (docs/format.md, sections 5 and 6, says how to check and open it by hand)
             outside/: recordings that no box made; derivatives/: redacted copies
             incoming/: what boxes had not finished sending
keys.tar.age all keys. Only the identity of the recipient that was named opens it:
             age --decrypt --identity IDENTITY.txt keys.tar.age | tar --extract
             recording-keys/ID.age is a recording's own key; keys/opening.txt opens it.
archive.toml the archive's settings

Check it:    sha256sum --check manifest-sha256.txt     (in the folder above)
             bagit.py --validate FOLDER                (python package bagit)
Take it in on another host, into an empty folder:
             ARCHIVE_HOME=/srv/archive plainsight-archive import-archive FOLDER --identity IDENTITY.txt

Without the keys nobody hears a recording. Whoever has them and this folder hears all of them.
"""
Progress = Callable[[str, int, int], None]


class ExportStatement(SignedModel):
    """The archive exported exactly this."""

    type: Literal["plainsight/archive-export/1"] = "plainsight/archive-export/1"
    archive_key: PublicKey
    software: Annotated[str, Field(max_length=100)]
    """Version that made it; the same one takes it in."""
    recipient: Annotated[str, Field(max_length=100)]
    """The age recipient whose identity opens the keys."""
    entries: Annotated[int, Field(ge=0)]
    """Custody entries in it."""
    recordings: Annotated[int, Field(ge=0)]
    """Sealed packages in it."""
    rows: Annotated[int, Field(ge=0)]
    manifest_sha256: Digest
    """Digest of `manifest-sha256.txt`."""
    made_at: Annotated[str, Field(max_length=40)]


@dataclass(frozen=True)
class Exported:
    """What was exported."""

    folder: Path
    recordings: int
    rows: int
    size: int
    """Bytes of all its files."""


def export_archive(
    folder: Path, recipient: str, now: datetime, actor: Actor, *, progress: Progress = lambda *_: None
) -> Exported:
    """Export all of it into a new folder below `folder`; raise StorageError.

    `recipient` is an age recipient that was parsed. Nothing should change the archive meanwhile; a package that is
    sealed while it runs comes along without its row.
    """
    with one_run_in(folder):
        return _export(folder, recipient, now, actor, progress)


def _export(folder: Path, recipient: str, now: datetime, actor: Actor, progress: Progress) -> Exported:
    name = f"archive-{now.astimezone(UTC).strftime(FORMAT)}"
    work, final = folder / f".{name}", folder / name
    with told_as(str(folder)):
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700)
    # before anything is written: it is among the entries that are exported
    record(EXPORT_ALL, actor=actor, recipient=recipient)
    signed_head()
    try:
        with told_as(f"export {name}"):
            (work / ROWS).mkdir(parents=True)
            rows = write_rows(work / ROWS)
            recordings = _copy_store(work / STORE, progress)
            for path in (settings.ARCHIVE_HOME / HEADS, settings.ARCHIVE_HOME / CONFIGURATION):
                if path.is_file():
                    create(work / "data" / path.name, [path.read_bytes()])
            create(work / KEYS, [encrypt(_keys(settings.ARCHIVE_HOME), [recipient])])
            create(work / "data" / "README.txt", [_readme(now)])
            count, size = _write_manifest(work, progress)
            statement = _statement(work, recipient, now, rows, recordings)
            _write_tags(work, statement, f"Bagging-Date: {now:%Y-%m-%d}\nPayload-Oxum: {size}.{count}\n")
            work.rename(final)
            sync_folder(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Exported(final, recordings, rows, size)


def _copy_store(folder: Path, progress: Progress) -> int:
    names = [one.name for one in sealed() if one.destroyed_at is None]
    others = [*store().names(DERIVATIVES), *store().names(INCOMING)]
    for done, name in enumerate([*names, *others]):
        progress("copying", done, len(names) + len(others))
        copy_object(name, folder / name)
    return len(names)


def _keys(home: Path) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        for inside in INSIDE:
            for path in sorted((home / inside).glob("*")):
                if path.is_file() and not path.name.startswith("."):
                    file.add(path, f"{inside}/{path.name}", filter=_nobody)
    return out.getvalue()


def _nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member


def _readme(now: datetime) -> bytes:
    return README.format(district=settings.ARCHIVE.records.district, day=f"{now:%Y-%m-%d}").encode("utf-8")


def _write_manifest(work: Path, progress: Progress) -> tuple[int, int]:
    """Write the payload's digests; return how many files it has, and how many bytes."""
    payload = sorted(path for path in (work / "data").rglob("*") if path.is_file())
    lines, size = [], 0
    for done, path in enumerate(payload):
        progress("digests", done, len(payload))
        lines.append(f"{file_sha256(path)}  {path.relative_to(work).as_posix()}\n")
        size += path.stat().st_size
    create(work / MANIFEST, ["".join(lines).encode("ascii")])
    return len(payload), size


def _statement(work: Path, recipient: str, now: datetime, rows: int, recordings: int) -> bytes:
    head = Head.objects.filter(pk=1).first()
    return keystore().sign(
        ExportStatement(
            archive_key=keystore().public,
            software=software(),
            recipient=recipient,
            entries=head.n if head else 0,
            recordings=recordings,
            rows=rows,
            manifest_sha256=file_sha256(work / MANIFEST),
            made_at=wall(now),
        )
    )


def _write_tags(work: Path, statement: bytes, info: str) -> None:
    create(work / "bagit.txt", [BAGIT])
    create(work / STATEMENT, [statement])
    create(work / "bag-info.txt", [f"{info}Source-Organization: Plain Sight archive\n".encode("ascii")])
    tags = ("bagit.txt", "bag-info.txt", MANIFEST, STATEMENT)
    create(work / TAG_MANIFEST, ["".join(f"{file_sha256(work / tag)}  {tag}\n" for tag in tags).encode("ascii")])
