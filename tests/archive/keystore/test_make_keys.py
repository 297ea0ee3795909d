"""`plainsight-archive make-keys`."""

from __future__ import annotations

import json
import shutil
import stat

from appliance.contract.encryption import Identity
from tests.support.archives import Archive


def test_keys_are_made_once_and_only_their_owner_reads_them(archive: Archive) -> None:
    folder = archive.home / "keys"
    shutil.rmtree(folder)
    escrow = archive.home / "escrow.txt"
    first = json.loads(archive.run("make-keys", "--new-escrow", str(escrow), "--json").stdout)
    assert first["escrow_recipient"] == Identity.load(escrow).recipient
    assert first["archive_recipient"] == Identity.load(folder / "opening.txt").recipient
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("opening.txt", "signing.pem", "django.secret"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert json.loads(archive.run("make-keys", "--json").stdout) == first
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_no_secret_is_printed(archive: Archive) -> None:
    done = archive.run("make-keys")
    assert "SECRET" not in done.stdout + done.stderr


def test_another_escrow_is_refused(archive: Archive) -> None:
    done = archive.run("make-keys", "--escrow", Identity.generate().recipient, status=2)
    assert "already names an escrow recipient" in done.stderr


def test_a_recipient_that_is_none(archive: Archive) -> None:
    assert "not an age recipient" in archive.run("make-keys", "--escrow", "age1nonsense", status=2).stderr
