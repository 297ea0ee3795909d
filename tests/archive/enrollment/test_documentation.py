"""docs/enrollment.md: what a technician reads of each claim that is refused, and whether it is an entry."""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from appliance.contract.enrollment import ClaimError, EnrollRequest, NoAnswerError, new_claim
from appliance.contract.errors import PlainSightError
from appliance.enrollment import command
from appliance.enrollment.archive import ask, refusal
from archive.authority.authority import Authority
from archive.custody.actors import ARCHIVE
from archive.custody.models import Entry
from archive.devices.enrollment import retire
from archive.devices.models import Box
from archive.enrollment.deeds import give_claim, give_claim_for, withdraw_claim
from archive.enrollment.models import Claim
from archive.enrollment.new_board import take_place
from tests.appliance.enrollment.fake_archive import FakeArchive
from tests.archive.enrollment.test_deeds import enroll, identity, request
from tests.support.archives import ROOT, Archive
from tests.support.certificates import Authority as FileAuthority

PAGE = (ROOT / "docs" / "enrollment.md").read_text()
ROWS = {
    cells[0]: (cells[1], cells[2].strip("`"))
    for line in PAGE.partition("| claim | words | entry |")[2].splitlines()
    if len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 3
    if not cells[0].startswith("---")
}
Try = Callable[[Any, Path], tuple[str, bytes]]


def given(room: str = "Room 9") -> str:
    return give_claim(room, by=ARCHIVE, now=timezone.now()).text


def used(client: Any, folder: Path) -> tuple[str, bytes]:
    claim = given()
    enroll(client, claim, identity(folder))
    return "", request(claim, identity(folder, "other"))


def expired(_client: Any, folder: Path) -> tuple[str, bytes]:
    claim = given()
    Claim.objects.update(expires_at=timezone.now())
    return "", request(claim, identity(folder))


def withdrawn(_client: Any, folder: Path) -> tuple[str, bytes]:
    made = give_claim("Room 9", by=ARCHIVE, now=timezone.now())
    withdraw_claim(made.row.pk, by=ARCHIVE, now=timezone.now())
    return "", request(made.text, identity(folder))


def retired(client: Any, folder: Path) -> tuple[str, bytes]:
    claim = given()
    box = enroll(client, claim, identity(folder)).box
    retire(box, by=ARCHIVE)
    Claim.objects.update(box=box)
    return "", request(claim, identity(folder))


def known(client: Any, folder: Path) -> tuple[str, bytes]:
    box = enroll(client, given(), identity(folder)).box
    return box, request(given("Room 10"), identity(folder))


def former(client: Any, folder: Path) -> tuple[str, bytes]:
    box = enroll(client, given(), identity(folder)).box
    retire(box, by=ARCHIVE)
    return box, request(given("Room 10"), identity(folder))


def cloned(client: Any, folder: Path) -> tuple[str, bytes]:
    claim = given()
    box = enroll(client, claim, identity(folder)).box
    return box, request(claim, identity(folder), board="20000000ffff0000")


def on_another_card(_client: Any, folder: Path) -> tuple[str, bytes]:
    box = Box.objects.get()
    made = give_claim_for(box.pk, by=ARCHIVE, now=timezone.now())
    return box.pk, request(made.text, identity(folder))


def on_its_own_board(client: Any, folder: Path) -> tuple[str, bytes]:
    box = enroll(client, given(), identity(folder)).box
    return box, request(give_claim_for(box, by=ARCHIVE, now=timezone.now()).text, identity(folder))


def went_on_already(client: Any, folder: Path) -> tuple[str, bytes]:
    box = enroll(client, given(), identity(folder)).box
    made = give_claim_for(box, by=ARCHIVE, now=timezone.now())
    new = enroll(client, given("Room 10"), identity(folder, "new")).box
    take_place(Box.objects.get(pk=box), Box.objects.get(pk=new), "20000000ffff0000")
    return box, request(made.text, identity(folder, "third"))


def forged_signature(_client: Any, folder: Path) -> tuple[str, bytes]:
    box, thief = identity(folder), identity(folder, "thief")
    line = EnrollRequest(
        claim=given(), box_key=box.signing.public, courier_key=box.courier.public, csr=box.certificate_request(),
        board="", model="",
    ).sign(thief.signing)  # fmt: skip
    return "", line


TRIED: dict[str, Try] = {
    "mistyped, too short": lambda _, folder: ("", request("7K3M", identity(folder))),
    "forged, or mistyped": lambda _, folder: ("", request(new_claim(), identity(folder))),
    "used, or stolen and used": used,
    "expired": expired,
    "withdrawn": withdrawn,
    "used, its box retired": retired,
    "new, on a known box": known,
    "new, on a box that was retired": former,
    "on a cloned card": cloned,
    "for a box's card, on another card": on_another_card,
    "for a box's card, on its own board": on_its_own_board,
    "for a box's card that went on already": went_on_already,
    "signed by another key": forged_signature,
}


TOLD_BY_THE_BOX = {"of another district", "of another archive, on a box that is set up"}


@pytest.fixture
def district(archive: Archive) -> Archive:
    Authority.make(archive.home / "keys", "A district", timezone.now())
    return archive


def test_the_page_has_a_row_for_each_that_is_tried_here() -> None:
    assert set(ROWS) == {*TRIED, *TOLD_BY_THE_BOX}


@pytest.mark.parametrize("case", TRIED)
def test_the_technician_reads_what_the_page_says_and_the_archive_enters_it(
    district: Archive, client: Any, tmp_path: Path, case: str
) -> None:
    words, entry = ROWS[case]
    box, line = TRIED[case](client, tmp_path)
    before = Entry.objects.count()
    answer = client.post("/api/1/enroll", line, content_type="application/octet-stream")
    told: PlainSightError = refusal(answer.status_code, answer.content)
    assert words.replace("BOX", box) in told.message
    entered = list(Entry.objects.order_by("n").values_list("code", flat=True))[before:]
    assert entered == ([] if entry == "none" else [entry])


class _Refusing(BaseHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


def test_another_districts_claim_is_told_by_the_box_itself(tmp_path: Path) -> None:
    words, entry = ROWS["of another district"]
    assert entry == "none"
    files = FileAuthority.make().server(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    (tmp_path / "other").mkdir()
    other = Authority.make(tmp_path / "other", "Another district", datetime.now(UTC))
    with HTTPServer(("127.0.0.1", 0), _Refusing) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, name="another-archive")
        thread.start()
        url = f"https://127.0.0.1:{server.server_port}"
        try:
            with pytest.raises(NoAnswerError) as caught:
                ask(url, "/api/1/enroll", other.pem.decode(), b"")
        finally:
            server.shutdown()
            thread.join()
    pattern = re.escape(words).replace("URL", re.escape(url)).replace("REASON", ".+")
    assert re.fullmatch(pattern, caught.value.message)


def test_another_archives_claim_on_a_box_that_is_set_up_is_told_by_the_box_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, entry = ROWS["of another archive, on a box that is set up"]
    assert entry == "none"
    own, other = FakeArchive.make(tmp_path / "own"), FakeArchive.make(tmp_path / "other")
    other.url = "https://other.example:8443"
    monkeypatch.setattr(command, "ask", own.ask)
    command.enroll(own.claim(tmp_path / "card"), tmp_path / "etc")
    with pytest.raises(ClaimError) as caught:
        command.enroll(other.claim(tmp_path / "card"), tmp_path / "etc")
    assert caught.value.message == words.replace("OWN", own.url).replace("URL", other.url)
