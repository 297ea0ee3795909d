"""The verify button: what was checked, in plain words, and an entry with the verdict."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from appliance.contract.encryption import Identity, encrypt
from appliance.contract.errors import KeyFileError, StorageError
from appliance.contract.stop_signal import StopSignal
from archive.core.jobs import Worker
from archive.custody.actors import ARCHIVE
from archive.devices.models import BoxKey
from archive.keystore.recording_keys import recording_keys
from archive.recordings.models import Recording, Verification
from archive.recordings.verification import (
    LEFT,
    StoppedError,
    _Told,
    audio_md5,
    check_asked,
    require_sound,
    verify_again,
)
from archive.ui.words import NOTICE
from tests.archive.page_fixtures import PASSWORD, Arrive, entries, make_user, verified, who
from tests.archive.pages import check
from tests.archive.recordings.test_recording import facts
from tests.support.archives import Archive, lose_key
from tests.support.packages import Sealed


def package(archive: Archive, recording: str) -> Path:
    path = archive.home / "store" / "packages" / recording[:2] / f"{recording}.zip"
    path.chmod(0o600)
    return path


def test_an_intact_recording_is_called_so_with_what_was_checked(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=2)
    page = verified(custodian, made.id)
    assert page.one("h1").text == "Verified: intact"
    checks = [item.text for item in page.one("ol").all("li")]
    assert any("signed by the pinned key" in text for text in checks)
    assert any("segments open, and decode" in text for text in checks)
    assert NOTICE in page.text
    (entry,) = entries(made.id, "verify")
    assert who(entry) == "user:m.jones"
    assert json.loads(entry.detail)["verdict"] == "intact"


def test_a_recording_without_its_key_is_never_called_verified(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=2)
    lose_key(made.id)
    page = verified(custodian, made.id)
    assert page.one("h1").text == "Package intact; its audio was not checked"
    assert "verified: intact" not in page.text.lower()
    assert "The audio itself was not opened." in page.text
    assert "Everything was checked" not in page.text


def test_the_page_says_whether_the_key_is_gone_or_does_not_open(
    archive: Archive, custodian: Any, sealed: Arrive
) -> None:
    made = sealed(seconds=1)
    address = f"/recordings/{made.id}"
    key_age = recording_keys().read(made.id)
    lose_key(made.id)
    for path in ("/verification/", "/copies/"):
        page = (
            verified(custodian, made.id)
            if path == "/verification/"
            else check(custodian.get(address + path).content.decode())
        )
        assert "is not in the key store" in page.text
    recording_keys().put_once(made.id, encrypt(key_age, [Identity.generate().recipient]))
    Recording.objects.update(key_verdict="cannot-decrypt")
    page = verified(custodian, made.id)
    assert page.one("h1").text == "Package intact; its audio was not checked"
    for text in (page.text, check(custodian.get(f"{address}/copies/").content.decode()).text):
        assert "does not open this recording" in text
        assert "not in the key store" not in text
    lose_key(made.id)
    recording_keys().put_once(made.id, key_age)
    assert "Verify the recording again" in check(custodian.get(f"{address}/verification/").content.decode()).text


def test_a_check_tells_how_far_it_is_and_that_it_waits_for_the_worker(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    custodian.post(f"/recordings/{made.id}/verify/")
    address = f"/recordings/{made.id}/verification/"
    page = check(custodian.get(address).content.decode())
    assert page.one("h1").text == "Checking a recording"
    assert "worker is not running" in page.text
    Worker([]).once()
    assert "Waiting for the archive's worker" in check(custodian.get(address).content.decode()).text
    Verification.objects.update(step="audio", done=40, of=100)
    told = custodian.get(address.removesuffix("/") + ".json").json()
    assert told == {
        "version": 1,
        "finished": False,
        "step": "Decrypting and decoding the audio",
        "done": 40,
        "of": 100,
    }
    check_asked(StopSignal())
    assert custodian.get(address.removesuffix("/") + ".json").json()["finished"]


def test_a_press_while_a_check_runs_starts_no_second_one(custodian: Any, technician: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    custodian.post(f"/recordings/{made.id}/verify/")
    Verification.objects.update(step="audio", done=5, of=9)
    for _ in range(2):
        custodian.post(f"/recordings/{made.id}/verify/")
    assert Verification.objects.values_list("step", "done").get() == ("audio", 5), "the one that runs goes on"
    check_asked(StopSignal())
    check_asked(StopSignal())
    assert len(entries(made.id, "verify")) == 1


def test_keys_that_cannot_be_read_do_not_blame_the_package(
    custodian: Any, sealed: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = sealed(seconds=1)
    custodian.post(f"/recordings/{made.id}/verify/")

    def unreadable(*_: Any, **__: Any) -> None:
        raise KeyFileError("there is no signing.pem")

    with monkeypatch.context() as patch:
        patch.setattr("archive.recordings.verification.verify_again", unreadable)
        check_asked(StopSignal())
    assert not entries(made.id, "verify")
    Verification.objects.update(working_at=timezone.now() - LEFT * 2)
    check_asked(StopSignal())
    assert len(entries(made.id, "verify")) == 1


def test_a_check_that_was_stopped_begins_anew(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=3)
    custodian.post(f"/recordings/{made.id}/verify/")
    stopped = StopSignal()
    progress = _Told(Verification.objects.get(), stopped)
    stopped.set()
    with pytest.raises(StoppedError):
        verify_again(Recording.objects.get(), ARCHIVE, progress=progress)
    assert not entries(made.id, "verify")
    check_asked(StopSignal())
    assert len(entries(made.id, "verify")) == 1


def test_a_worker_that_is_told_to_stop_begins_no_other_check(
    custodian: Any, sealed: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        custodian.post(f"/recordings/{sealed(seconds=1).id}/verify/")
    stop, begun = StopSignal(), list[str]()

    def stopped(row: Recording, *_: Any, **__: Any) -> None:
        begun.append(row.pk)
        stop.set()
        raise StoppedError("the check was stopped")

    monkeypatch.setattr("archive.recordings.verification.verify_again", stopped)
    check_asked(stop)
    assert len(begun) == 1
    check_asked(stop)
    assert len(begun) == 1, "nothing is begun"
    assert not Verification.objects.exclude(working_at=None).exists()
    going = StopSignal()
    monkeypatch.setattr("archive.recordings.verification.verify_again", lambda row, *_, **__: begun.append(row.pk))
    check_asked(going)
    assert len(begun) == 4


def test_a_stop_after_one_check_is_heeded_before_the_next(
    custodian: Any, sealed: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        custodian.post(f"/recordings/{sealed(seconds=1).id}/verify/")
    stop, begun = StopSignal(), list[str]()

    def last(row: Recording, *_: Any, **__: Any) -> None:
        begun.append(row.pk)
        stop.set()

    monkeypatch.setattr("archive.recordings.verification.verify_again", last)
    check_asked(stop)
    assert len(begun) == 1


def test_progress_is_written_down_at_once_and_then_once_a_second(
    custodian: Any, sealed: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    custodian.post(f"/recordings/{sealed(seconds=1).id}/verify/")
    clock = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    told = _Told(Verification.objects.get(), StopSignal())
    seen = []
    for number, now in enumerate((100.0, 100.5, 100.99, 101.0, 101.5, 102.0)):
        clock[0] = now
        told("audio", number, 9)
        seen.append(Verification.objects.get().done)
    assert seen == [0, 0, 0, 3, 3, 5]


def test_two_workers_make_one_check_and_one_that_was_killed_is_made_anew(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    custodian.post(f"/recordings/{made.id}/verify/")
    Verification.objects.update(working_at=timezone.now())
    check_asked(StopSignal())
    assert not entries(made.id, "verify"), "another worker makes it"
    Verification.objects.update(working_at=timezone.now() - 2 * LEFT)
    check_asked(StopSignal())
    assert len(entries(made.id, "verify")) == 1


def test_what_was_checked_is_kept_with_the_digest_of_the_file(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=2)
    verified(custodian, made.id)
    row = Recording.objects.get()
    assert Verification.objects.get().package_sha256 == row.package_sha256
    assert audio_md5(row) == hashlib.md5(made.samples.astype("<i2").tobytes(), usedforsecurity=False).digest()
    Recording.objects.update(package_sha256="0" * 64)
    assert audio_md5(Recording.objects.get()) == b""


def test_what_is_no_sound_package_of_this_recording_is_refused(archive: Archive, sealed: Arrive) -> None:
    made, other = sealed(seconds=1), sealed(seconds=1)
    whole = package(archive, made.id).read_bytes()
    require_sound(io.BytesIO(whole), made.id)
    for data, recording in ((whole, other.id), (whole[:-9], made.id), (b"nothing", made.id)):
        with pytest.raises(StorageError, match="nothing was changed"):
            require_sound(io.BytesIO(data), recording)
    with pytest.raises(StorageError, match="does not hold: the package is of another recording"):
        require_sound(io.BytesIO(whole), other.id)
    BoxKey.objects.all().delete()
    with pytest.raises(StorageError, match="does not hold: the key ring does not know"):
        require_sound(io.BytesIO(whole), made.id)


def test_a_check_without_the_audio_does_not_replace_one_with_it(
    archive: Archive, custodian: Any, sealed: Arrive
) -> None:
    made = sealed(seconds=1)
    verified(custodian, made.id)
    known = audio_md5(Recording.objects.get())
    assert verify_again(Recording.objects.get(), ARCHIVE, audio=False).audio_md5 == ""
    archive.run("verify", made.id, "--no-audio")
    assert audio_md5(Recording.objects.get()) == known != b""
    path = package(archive, made.id)
    path.write_bytes(path.read_bytes()[:-30])
    archive.run("verify", made.id, "--no-audio", status=1)
    assert audio_md5(Recording.objects.get()) == b"", "what it finds wrong counts"


def test_a_sound_package_that_is_not_the_one_that_was_sealed_is_found(
    archive: Archive, custodian: Any, sealed: Arrive
) -> None:
    """Who holds the archive's keys can seal again what the box signed, with other arrivals and another time."""
    made = sealed(seconds=1)
    path = package(archive, made.id)
    other = Sealed(made).build()
    assert other != path.read_bytes()
    path.write_bytes(other)
    page = verified(custodian, made.id)
    assert page.one("h1").text == "Not verified: something is wrong"
    assert "not the one that was sealed" in page.text


def test_an_interrupted_recording_has_a_verdict_of_its_own(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1, reason="interrupted", tail=1)
    page = verified(custodian, made.id)
    assert page.one("h1").text == "Verified: intact, but the recording was interrupted"
    assert "unverified tail" in page.text


def test_a_flipped_bit_is_found_and_its_place_named(archive: Archive, custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=2)
    path = package(archive, made.id)
    data = bytearray(path.read_bytes())
    data[data.index(made.segments[1]) + 100] ^= 1
    path.write_bytes(data)
    page = verified(custodian, made.id)
    assert page.one("h1").text == "Not verified: something is wrong"
    assert "data/segments/00000001.age" in page.text
    assert "The audio from 0:01 to 0:02 is damaged." in page.text
    assert json.loads(entries(made.id, "verify")[0].detail)["verdict"] == "tampered"


def test_another_recordings_package_in_its_place_is_found(archive: Archive, custodian: Any, sealed: Arrive) -> None:
    made, other = sealed(seconds=1), sealed(seconds=1)
    shutil.copy(package(archive, other.id), package(archive, made.id))
    page = verified(custodian, made.id)
    assert page.one("h1").text == "Not verified: something is wrong"


def test_a_package_that_is_no_package(archive: Archive, custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    package(archive, made.id).write_bytes(b"nothing")
    page = verified(custodian, made.id)
    assert page.one("h1").text == "Not verified: the package cannot be read"
    assert "Do not rely on anything in this package" in page.text


def test_a_box_that_the_archive_does_not_know_any_more(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    BoxKey.objects.all().delete()
    assert verified(custodian, made.id).one("h1").text.startswith("Not verified")
    assert audio_md5(Recording.objects.get()) == b"", "what nobody known signed is vouched for by no digest"


def test_a_recording_without_its_key_is_not_called_verified(archive: Archive, custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    lose_key(made.id)
    page = verified(custodian, made.id)
    assert page.one("h1").text == "Package intact; its audio was not checked"
    assert "The audio was not checked." in page.text
    assert "Everything was checked" not in page.text
    assert "give its key" not in page.text, "which cannot be done on the page"


def test_the_print_of_a_verification_can_be_filed(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    page = verified(custodian, made.id)
    told = facts(page)
    assert told["Recording"].startswith("Room 12, ")
    assert told["Recording"].endswith(made.id)
    assert re.fullmatch(r"\w{3} \w{3} \d{1,2} \d{4}, .* C[SD]T", told["Checked"])
    assert "by m.jones, from testserver/recordings/" in page.one("footer").text
    assert told["Package (SHA-256, as sealed)"] == Recording.objects.get().package_sha256


def test_a_package_that_is_gone_is_an_error_in_words(archive: Archive, custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    package(archive, made.id).unlink()
    answer = custodian.post(f"/recordings/{made.id}/verify/")
    assert answer.status_code == 503
    check(answer.content.decode())


@pytest.mark.parametrize("method", ["get", "head"])
def test_only_a_press_of_the_button_verifies(custodian: Any, sealed: Arrive, method: str) -> None:
    made = sealed(seconds=1)
    answer = getattr(custodian, method)(f"/recordings/{made.id}/verify/")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/recordings/{made.id}/")
    check_asked(StopSignal())
    assert not entries(made.id, "verify")


def test_who_was_signed_out_before_verifying_comes_back_to_the_button_in_words(client: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    make_user("m.jones", role="custodian")
    place = client.post(f"/recordings/{made.id}/verify/").headers["Location"]
    form = {"username": "m.jones", "password": PASSWORD, "next": f"/recordings/{made.id}/verify/"}
    assert place == f"/sign-in/?next={form['next']}"
    answer = client.post("/sign-in/", form, follow=True)
    assert answer.status_code == 200
    assert "you were signed out. press the button again." in check(answer.content.decode()).text.lower()


def test_before_the_seal_there_is_nothing_to_verify(custodian: Any, arrive: Arrive) -> None:
    assert custodian.post(f"/recordings/{arrive(seconds=1).id}/verify/").status_code == 404
