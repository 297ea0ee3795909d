"""Only the box's own courier is answered about its recordings, and nobody learns of those of another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core import signing

from appliance.contract.errors import SettingsError
from appliance.contract.keys import SigningKey
from appliance.contract.request_signature import NONCE, sign
from archive.custody.actors import ARCHIVE
from archive.custody.models import Entry
from archive.devices.enrollment import enroll, retire, revoke_key
from archive.devices.keyring import key_ring
from archive.devices.models import BoxKey
from archive.ingest import authentication
from archive.ingest.authentication import new_nonce
from archive.recordings.models import Recording
from archive.sealing.seal import seal
from tests.support.archives import Archive
from tests.support.box_requests import send
from tests.support.spools import Keys, make_recording
from tests.support.spools import Recording as Made

from .asked import refused


@pytest.fixture
def made(archive: Archive, client: Any, tmp_path: Path) -> Made:
    recording = make_recording(tmp_path, archive.keys, seconds=1)
    send(client, recording)
    return recording


def places(made: Made) -> list[tuple[str, str]]:
    base = f"/api/1/recordings/{made.id}"
    return [
        ("GET", base),
        ("GET", f"{base}/receipt"),
        ("PUT", f"{base}/header"),
        ("PUT", f"{base}/key"),
        ("POST", f"{base}/lines"),
        ("PUT", f"{base}/tail/0"),
    ]


def test_without_a_signature_nothing_is_answered(archive: Archive, client: Any, made: Made) -> None:
    client.signer = None
    for method, path in places(made):
        refused(client.generic(method, path, made.header_line, "text/plain"), 401, "unsigned")
    assert not Entry.objects.filter(code="refusal").exists(), "a stranger cannot fill the custody log"


def test_another_boxs_recording_is_unknown(archive: Archive, client: Any, made: Made) -> None:
    seal(made.id)
    other = Keys()
    archive.enroll(other)
    client.signer = other
    for method, path in places(made):
        if path.endswith("/header"):
            assert client.generic(method, path, made.header_line, "text/plain").status_code == 400
        else:
            refused(client.generic(method, path, made.header_line, "text/plain"), 404, "unknown-recording")


def test_the_recorders_key_is_no_couriers_and_the_other_way_round(
    archive: Archive, client: Any, tmp_path: Path
) -> None:
    client.signer = Keys(box=archive.keys.box, courier=archive.keys.box_signing)
    made = make_recording(tmp_path / "a", archive.keys, seconds=1)
    refused(client.get(f"/api/1/recordings/{made.id}"), 401, "unsigned")
    client.signer = archive.keys
    forged = make_recording(tmp_path / "b", Keys(box=archive.keys.box, box_signing=archive.keys.courier), seconds=1)
    answer = client.put(f"/api/1/recordings/{forged.id}/header", forged.header_line, "text/plain")
    refused(answer, 403, "bad-signature")
    assert archive.keys.courier.public not in key_ring().boxes[archive.keys.box]


def test_a_key_has_one_use(archive: Archive) -> None:
    with pytest.raises(SettingsError, match="signs requests"):
        enroll(archive.keys.box, archive.keys.courier.public, by=ARCHIVE)


def test_a_revoked_couriers_key_is_refused_at_once(archive: Archive, client: Any, made: Made) -> None:
    revoke_key(archive.keys.box, archive.keys.courier.public, by=ARCHIVE)
    refused(client.get(f"/api/1/recordings/{made.id}"), 401, "unsigned")


def test_a_retired_box_may_still_ask(archive: Archive, client: Any, made: Made) -> None:
    retire(archive.keys.box, by=ARCHIVE)
    assert client.get(f"/api/1/recordings/{made.id}").status_code == 200


def test_an_old_nonce_is_refused_and_a_new_one_comes_with_it(
    archive: Archive, client: Any, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.signer = None
    path = f"/api/1/recordings/{made.id}"

    def ask(nonce: str) -> Any:
        return client.get(path, headers=sign(archive.keys.courier, archive.keys.box, nonce, "GET", path, body=b""))

    old = new_nonce()
    assert ask(old).status_code == 200
    with monkeypatch.context() as patched:
        patched.setattr(authentication, "NONCE_S", -1)
        for nonce in (old, "", "nonsense", signing.TimestampSigner(key="another" * 10).sign("n")):
            answer = ask(nonce)
            refused(answer, 401, "stale-nonce")
    assert ask(answer.headers[NONCE]).status_code == 200
    assert ask(answer.headers[NONCE]).headers[NONCE]


def test_a_body_that_was_not_signed_is_refused(archive: Archive, client: Any, tmp_path: Path) -> None:
    made = make_recording(tmp_path, archive.keys, seconds=1)
    path = f"/api/1/recordings/{made.id}/header"
    signed = sign(archive.keys.courier, archive.keys.box, new_nonce(), "PUT", path, body=b"something else")
    answer = client.put(path, made.header_line, "text/plain", headers=signed)
    refused(answer, 400, "bad-digest")
    assert not Recording.objects.exists()


def test_a_box_hands_in_no_recording_of_another(archive: Archive, client: Any, tmp_path: Path) -> None:
    other = Keys()
    archive.enroll(other)
    client.signer = other
    made = make_recording(tmp_path, archive.keys, seconds=1)
    answer = client.put(f"/api/1/recordings/{made.id}/header", made.header_line, "text/plain")
    assert "cannot hand in" in refused(answer, 400, "bad-format")


def test_enroll_makes_both_keys(archive: Archive, tmp_path: Path) -> None:
    keys = ("--new-key", str(tmp_path / "box.key"), "--new-courier-key", str(tmp_path / "courier.key"))
    archive.run("add-box", "box-made-here", *keys)
    assert {key.public_key: key.use for key in BoxKey.objects.filter(box="box-made-here")} == {
        SigningKey.load(tmp_path / "box.key").public: "recorder",
        SigningKey.load(tmp_path / "courier.key").public: "courier",
    }
