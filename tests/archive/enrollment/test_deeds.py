"""Claims: one box each, for 72 hours, never from a copied database. Certificates: only for boxes that are believed."""

from __future__ import annotations

import io
import json
import tomllib
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.test import override_settings
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.enrollment import (
    ClaimError,
    ClaimFile,
    Enrolled,
    EnrollRequest,
    Renewed,
    RenewRequest,
    new_claim,
    read_claim,
)
from appliance.contract.errors import PlainSightError
from appliance.enrollment.identity import Identity
from archive.authority.authority import Authority
from archive.command import main
from archive.configuration.brokers import Broker
from archive.custody.actors import ARCHIVE
from archive.custody.models import Entry
from archive.devices.models import Box
from archive.enrollment import deeds
from archive.enrollment.models import Claim
from archive.rooms.placement import place
from tests.support.archives import Archive

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
BOARD = "10000000abcdef12"


@pytest.fixture
def district(archive: Archive) -> Iterator[Archive]:
    """An archive that has an authority and is reached over https."""
    Authority.make(archive.home / "keys", "A district", timezone.now())
    site = settings.ARCHIVE.site.model_copy(update={"url": "https://archive.example:8443"})
    with override_settings(ARCHIVE=settings.ARCHIVE.model_copy(update={"site": site})):
        yield archive


def identity(folder: Path, name: str = "box") -> Identity:
    return Identity.load_or_make(folder / name)


def request(claim: str, box: Identity, **changed: str) -> bytes:
    members = {
        "claim": claim,
        "courier_key": box.courier.public,
        "csr": box.certificate_request(),
        "board": BOARD,
        "model": "Raspberry Pi 4",
        **changed,
    }
    return EnrollRequest.make(box.signing, **members)


def enroll(client: Any, claim: str, box: Identity, **changed: str) -> Enrolled:
    answer = client.post("/api/1/enroll", request(claim, box, **changed), content_type="application/octet-stream")
    assert answer.status_code == 200, answer.content
    return Enrolled.parse(answer.content)


def refused(client: Any, path: str, body: bytes, status: int, code: str) -> str:
    answer = client.post(path, body, content_type="application/octet-stream")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.content
    return str(answer.json()["error"]["message"])


def codes() -> list[str]:
    return list(Entry.objects.order_by("n").values_list("code", flat=True))


def test_a_new_box_is_known_stands_in_its_room_and_gets_what_its_settings_need(
    district: Archive, client: Any, tmp_path: Path
) -> None:
    claim = deeds.give_claim("Room 9", by=ARCHIVE, now=timezone.now())
    box = identity(tmp_path)
    answer = enroll(client, claim.text, box)
    known = Box.objects.get(pk=answer.box)
    assert known.believes(box.signing.public)
    assert not known.believes(box.courier.public)
    assert known.keys.filter(public_key=box.courier.public, use="courier").exists()
    assert [place.room.name for place in known.placements.all()] == ["Room 9"]
    assert answer.archive_recipient == district.keys.archive.recipient
    assert answer.escrow_recipient == district.keys.escrow.recipient
    assert answer.archive_key == district.keys.archive_signing.public
    certificate = x509.load_pem_x509_certificate(answer.certificate.encode())
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == answer.box
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(answer.authority.encode()))
    assert {"claim", "enroll", "place", "use-claim", "certify"} <= set(codes())


def test_no_copy_of_the_database_holds_a_claim(district: Archive) -> None:
    claim = deeds.give_claim("Room 9", by=ARCHIVE, now=timezone.now())
    assert claim.text.encode() not in district.database_bytes()
    for path in district.home.rglob("archive.sqlite3*"):
        assert claim.text.encode() not in path.read_bytes()
    assert claim.text not in json.dumps([entry.detail for entry in Entry.objects.all()])


def test_an_answer_that_was_lost_is_given_again_to_the_same_box(district: Archive, client: Any, tmp_path: Path) -> None:
    claim = deeds.give_claim("Room 9", by=ARCHIVE, now=timezone.now())
    box = identity(tmp_path)
    first, second = enroll(client, claim.text, box), enroll(client, claim.text.lower().replace("-", " "), box)
    assert first.box == second.box
    assert Box.objects.filter(claim__isnull=False).count() == 1


def test_a_used_claim_is_refused_to_another_box(district: Archive, client: Any, tmp_path: Path) -> None:
    claim = deeds.give_claim("Room 9", by=ARCHIVE, now=timezone.now())
    enroll(client, claim.text, identity(tmp_path))
    told = refused(client, "/api/1/enroll", request(claim.text, identity(tmp_path, "other")), 403, "bad-claim")
    assert "another box" in told
    assert codes()[-1] == "refuse-claim"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"expires_at": NOW}, "expired"),
        ({"withdrawn_at": NOW}, "withdrawn"),
    ],
)
def test_an_old_or_withdrawn_claim_is_refused_and_entered(
    district: Archive, client: Any, tmp_path: Path, change: dict[str, datetime], words: str
) -> None:
    claim = deeds.give_claim("Room 9", by=ARCHIVE, now=timezone.now())
    Claim.objects.filter(pk=claim.row.pk).update(**change)
    assert words in refused(client, "/api/1/enroll", request(claim.text, identity(tmp_path)), 403, "bad-claim")
    assert codes()[-1] == "refuse-claim"
    assert not Box.objects.filter(claim=claim.row).exists()


def test_a_refusal_is_entered_once_for_each_claim_reason_and_day(
    district: Archive, client: Any, tmp_path: Path
) -> None:
    """A box with a bad claim asks every minute for as long as nobody comes (systemd/plainsight-enroll.service)."""
    now = timezone.now()
    first, second = (deeds.give_claim(room, by=ARCHIVE, now=now) for room in ("Room 9", "Room 10"))
    Claim.objects.update(expires_at=NOW)
    lines = [request(one.text, identity(tmp_path)) for one in (first, second)]
    for line in lines * 3:
        refused(client, "/api/1/enroll", line, 403, "bad-claim")
    assert codes().count("refuse-claim") == 2
    Claim.objects.update(withdrawn_at=now)
    for _ in range(2):
        refused(client, "/api/1/enroll", lines[0], 403, "bad-claim")
    assert codes().count("refuse-claim") == 3, "another reason"
    with pytest.raises(ClaimError):
        deeds.use_claim(lines[0], now + timedelta(days=1))
    assert codes().count("refuse-claim") == 4, "another day"


def test_a_claim_ends_after_72_hours(district: Archive) -> None:
    claim = deeds.give_claim("Room 9", by=ARCHIVE, now=NOW)
    assert claim.row.expires_at == NOW + timedelta(hours=72)


def test_a_forged_claim_is_refused_and_fills_no_log(district: Archive, client: Any, tmp_path: Path) -> None:
    before = len(codes())
    refused(client, "/api/1/enroll", request(new_claim(), identity(tmp_path)), 403, "bad-claim")
    assert len(codes()) == before


def test_a_request_that_another_key_signed_is_refused(district: Archive, client: Any, tmp_path: Path) -> None:
    claim = deeds.give_claim("Room 9", by=ARCHIVE, now=timezone.now())
    box, thief = identity(tmp_path), identity(tmp_path, "thief")
    line = EnrollRequest(
        claim=claim.text,
        box_key=box.signing.public,
        courier_key=box.courier.public,
        csr=thief.certificate_request(),
        board="",
        model="",
    ).sign(thief.signing)
    refused(client, "/api/1/enroll", line, 403, "bad-signature")


@pytest.mark.parametrize("csr", ["-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"])
def test_a_certificate_request_that_is_none_is_named_and_the_claim_stays_good(
    district: Archive, client: Any, tmp_path: Path, csr: str
) -> None:
    claim = deeds.give_claim("Room 9", by=ARCHIVE, now=timezone.now())
    box = identity(tmp_path)
    refused(client, "/api/1/enroll", request(claim.text, box, csr=csr), 400, "bad-format")
    enroll(client, claim.text, box)


@given(st.binary(max_size=400))
def test_nonsense_is_a_format_error_for_every_input(data: bytes) -> None:
    with pytest.raises(PlainSightError):
        EnrollRequest.read(data, None)


@given(st.text(max_size=40))
def test_what_is_read_as_a_claim_reads_as_itself_again(text: str) -> None:
    try:
        claim = read_claim(text)
    except ClaimError:
        return
    assert read_claim(claim) == claim


def test_letters_that_look_like_digits_are_read_as_digits() -> None:
    assert read_claim("oil0 1234-5678 9abc") == "0110-1234-5678-9ABC"


def renewal(box: Identity, name: str, board: str = BOARD, *, holds: str | None = None) -> bytes:
    request = RenewRequest(
        box=name, box_key=box.signing.public, csr=box.certificate_request(), certificate=holds, board=board
    )
    return request.sign(box.signing)


def test_a_certificate_is_renewed_without_the_old_one(district: Archive, client: Any, tmp_path: Path) -> None:
    box = identity(tmp_path)
    name = enroll(client, deeds.give_claim("Room 9", by=ARCHIVE, now=timezone.now()).text, box).box
    answer = client.post("/api/1/renew", renewal(box, name), content_type="application/octet-stream")
    made = x509.load_pem_x509_certificate((Renewed.parse(answer.content).certificate or "").encode())
    assert made.not_valid_after_utc - timezone.now() > timedelta(days=390)


def test_a_box_is_told_the_broker_of_the_room_where_it_stands_also_without_a_new_certificate(
    district: Archive, client: Any, tmp_path: Path
) -> None:
    north = Broker(name="north", host="north.example", port=8884, rooms=["North *"])
    mqtt = settings.ARCHIVE.mqtt.model_copy(update={"groups": [north]})
    with override_settings(ARCHIVE=settings.ARCHIVE.model_copy(update={"mqtt": mqtt})):
        box = identity(tmp_path)
        told = enroll(client, deeds.give_claim("North 9", by=ARCHIVE, now=timezone.now()).text, box)
        known = Box.objects.get(pk=told.box)
        assert (told.broker.host, told.broker.port, known.broker) == ("north.example", 8884, "north")
        place(known, "Room 9", by=ARCHIVE)
        known.refresh_from_db()
        assert known.broker == "north", "it goes on reporting where it does, until it was told"
        before = codes()
        line = renewal(box, told.box, holds=told.certificate)
        answer = Renewed.parse(client.post("/api/1/renew", line, content_type="application/octet-stream").content)
        known.refresh_from_db()
        assert (answer.broker.host, answer.broker.port, known.broker) == ("archive.example", 8883, "main")
        assert (answer.certificate, codes()) == (None, before)


def test_a_retired_box_and_a_strangers_key_get_no_certificate(district: Archive, client: Any, tmp_path: Path) -> None:
    box = identity(tmp_path)
    name = enroll(client, deeds.give_claim("Room 9", by=ARCHIVE, now=timezone.now()).text, box).box
    refused(client, "/api/1/renew", renewal(identity(tmp_path, "stranger"), name), 403, "bad-signature")
    district.run("retire", name)
    refused(client, "/api/1/renew", renewal(box, name), 403, "not-enrolled")


def test_a_second_board_with_the_same_card_is_refused_and_entered(
    district: Archive, client: Any, tmp_path: Path
) -> None:
    box = identity(tmp_path)
    name = enroll(client, deeds.give_claim("Room 9", by=ARCHIVE, now=timezone.now()).text, box).box
    assert "card was copied" in refused(
        client, "/api/1/renew", renewal(box, name, "20000000ffff0000"), 403, "wrong-board"
    )
    assert codes()[-1] == "clone"


def test_a_copied_card_that_still_has_the_claim_is_refused_and_entered_once(
    district: Archive, client: Any, tmp_path: Path
) -> None:
    box = identity(tmp_path)
    claim = deeds.give_claim("Room 9", by=ARCHIVE, now=timezone.now())
    enroll(client, claim.text, box)
    for _ in range(3):
        refused(client, "/api/1/enroll", request(claim.text, box, board="20000000ffff0000"), 403, "wrong-board")
    assert codes().count("clone") == 1
    enroll(client, claim.text, box)


def test_a_board_without_a_number_may_ask_again(district: Archive, client: Any, tmp_path: Path) -> None:
    box = identity(tmp_path)
    claim = deeds.give_claim("Room 9", by=ARCHIVE, now=timezone.now())
    first = enroll(client, claim.text, box, board="")
    assert enroll(client, claim.text, box, board=BOARD).box == first.box


def test_a_claim_is_withdrawn_by_its_number_unless_a_box_used_it(
    district: Archive, client: Any, tmp_path: Path
) -> None:
    number = json.loads(district.run("enroll", "Room 9", "--json").stdout)["number"]
    district.run("withdraw-claim", str(number))
    assert Claim.objects.get(pk=number).withdrawn_at is not None
    used = deeds.give_claim("Room 9", by=ARCHIVE, now=timezone.now())
    enroll(client, used.text, identity(tmp_path))
    assert "retire the box instead" in district.run("withdraw-claim", str(used.row.pk), status=2).stderr
    assert "no claim 4711" in district.run("withdraw-claim", "4711", status=2).stderr


def test_the_command_writes_a_file_that_the_box_can_read(district: Archive, tmp_path: Path) -> None:
    done = json.loads(district.run("enroll", "Room 9", "-o", str(tmp_path), "--hardware", "i2s", "--json").stdout)
    members = tomllib.loads(Path(done["file"]).read_text())
    read = ClaimFile.model_validate(members)
    assert read.claim == done["claim"]
    assert (read.hardware, read.lamp_seen, read.mic_rail) == ("i2s", True, True)
    assert "Room 9" not in Path(done["file"]).read_text(), "promise 7: no name of a room on the card"
    printed = ClaimFile.model_validate(tomllib.loads(district.run("enroll", "Room 9").stdout))
    assert read_claim(printed.claim) == printed.claim != done["claim"], "each is another one"


def test_a_claim_whose_text_cannot_be_printed_is_not_given_out(district: Archive) -> None:
    assert district.home == settings.ARCHIVE_HOME
    with Path("/dev/full").open("w") as full, redirect_stdout(full), redirect_stderr(io.StringIO()) as told:
        assert main(["enroll", "Room 9"]) == 2
    assert "cannot write the result" in told.getvalue()
    assert not Claim.objects.exists()


def test_no_claim_is_given_out_that_no_box_could_use(archive: Archive) -> None:
    Authority.make(archive.home / "keys", "A district", timezone.now())
    assert "site.url" in archive.run("enroll", "Room 9", status=2).stderr
    assert not Claim.objects.exists()


def test_the_command_says_what_is_missing(archive: Archive, district: Archive, tmp_path: Path) -> None:
    told = district.run("enroll", "Room 9", "-o", str(tmp_path / "missing"), status=2)
    assert "name another folder" in told.stderr
    assert not Claim.objects.exists(), "a claim that nobody got must not stay good"
    (tmp_path / "plainsight-claim.toml").write_text("another box's")
    assert "remove it" in district.run("enroll", "Room 9", "-o", str(tmp_path), status=2).stderr
    assert not Claim.objects.exists()
    assert "claim" not in codes()
    (archive.home / "keys" / "authority.key").unlink()
    assert "plainsight-archive setup" in archive.run("enroll", "Room 9", status=2).stderr
