"""Claims and boxes on the pages: shown once, given once, withdrawn and retired after a question, each an entry."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from appliance.contract.enrollment import ClaimFile
from appliance.enrollment.says import FILE as SAYS
from archive.authority.authority import Authority
from archive.core.once import new_token
from archive.custody.actors import ARCHIVE
from archive.custody.models import Entry
from archive.devices.models import Box
from archive.enrollment.deeds import give_claim
from archive.enrollment.models import Claim
from tests.archive.pages import Node, check
from tests.support.archives import Archive

NEW = "/boxes/claims/new/"


@pytest.fixture
def it(archive: Archive, technician: Any) -> Iterator[Any]:
    """A technician at an archive that boxes can be enrolled in."""
    Authority.make(archive.home / "keys", "A district", timezone.now())
    site = settings.ARCHIVE.site.model_copy(update={"url": "https://archive.example:8443"})
    with override_settings(ARCHIVE=settings.ARCHIVE.model_copy(update={"site": site})):
        yield technician


def page(client: Any, address: str, status: int = 200) -> Node:
    answer = client.get(address)
    assert answer.status_code == status
    return check(answer.content.decode())


def ask(client: Any, room: str, token: str, **more: str) -> Any:
    return client.post(NEW, {"room": room, "hardware": "i2s", "lamp_seen": "on", "once": token, **more})


def codes() -> list[str]:
    return list(Entry.objects.order_by("n").values_list("code", flat=True))


def test_a_claim_is_shown_once_with_its_file_and_is_an_entry_of_whoever_gave_it(it: Any) -> None:
    page(it, NEW)
    shown = check(ask(it, "Room 9", new_token()).content.decode())
    (text,) = re.findall(r"\b(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}\b", shown.text)
    fields = {
        one.get("name"): one.get("value") for one in shown.all("input") if one.get("name") != "csrfmiddlewaretoken"
    }
    answer = it.post("/boxes/claims/file/", {name: value for name, value in fields.items() if name != "next"})
    assert answer.headers["Content-Disposition"] == 'attachment; filename="plainsight-claim.toml"'
    read = ClaimFile.model_validate(tomllib.loads(answer.content.decode()))
    assert (read.claim, read.hardware, read.lamp_seen, read.mic_rail) == (text, "i2s", True, False)
    assert read.url == "https://archive.example:8443"
    entry = Entry.objects.get(code="claim")
    assert entry.actor_type == "user"
    assert text not in page(it, "/boxes/").text, "it is shown once"
    assert "Room 9" not in entry.detail


def test_the_same_form_sent_twice_gives_one_claim_and_says_so(it: Any) -> None:
    token = new_token()
    ask(it, "Room 9", token)
    again = ask(it, "Room 9", token)
    assert (again.status_code, again.headers["Location"]) == (302, "/boxes/")
    assert "given out already" in page(it, "/boxes/").text
    assert Claim.objects.count() == 1


def test_what_is_wrong_stands_at_its_field_and_no_claim_is_given(it: Any) -> None:
    answer = ask(it, "", new_token())
    assert answer.status_code == 422
    shown = check(answer.content.decode())
    assert any("required" in one.text for one in shown.all("li"))
    assert ask(it, "x" * 121, new_token()).status_code == 422
    assert ask(it, "Room 9", new_token(), hardware="gramophone").status_code == 422
    assert not Claim.objects.exists()


def test_where_no_box_could_use_it_no_claim_is_given(archive: Archive, technician: Any) -> None:
    Authority.make(archive.home / "keys", "A district", timezone.now())
    answer = ask(technician, "Room 9", new_token())
    assert answer.status_code == 422
    assert "https" in check(answer.content.decode()).text
    assert not Claim.objects.exists()


@pytest.mark.parametrize("claim", ["", "nonsense", "7K3M-Q9TX-0RB2-H5NC"])
def test_no_file_is_made_of_a_claim_that_is_not_open(it: Any, claim: str) -> None:
    answer = it.post("/boxes/claims/file/", {"claim": claim, "hardware": "usb"})
    assert answer.status_code in {400, 403}
    assert "BEGIN CERTIFICATE" not in answer.content.decode()


def test_each_claim_has_its_state_and_only_an_open_one_can_be_withdrawn(it: Any, archive: Archive) -> None:
    now = timezone.now()
    made = {
        "open": give_claim("Room 1", by=ARCHIVE, now=now).row,
        "expired": give_claim("Room 2", by=ARCHIVE, now=now - timedelta(hours=73)).row,
        "withdrawn": give_claim("Room 3", by=ARCHIVE, now=now).row,
        "used": give_claim("Room 4", by=ARCHIVE, now=now).row,
    }
    Claim.objects.filter(pk=made["withdrawn"].pk).update(withdrawn_at=now)
    Claim.objects.filter(pk=made["used"].pk).update(used_at=now, box=archive.keys.box)
    shown = page(it, "/boxes/")
    rows = {row.all("th")[0].text: row for row in shown.all("tr") if row.all("th")}
    for state, claim in made.items():
        row = rows[str(claim.pk)]
        assert state in row.text
        assert bool([one for one in row.all("a") if "Withdraw" in one.text]) is (state == "open")
    address = f"/boxes/claims/{made['open'].pk}/withdraw/"
    page(it, address)
    assert it.post(address, {"once": new_token()}).status_code == 302
    assert codes()[-1] == "withdraw-claim"
    assert Claim.objects.get(pk=made["open"].pk).withdrawn_at is not None
    refused = it.post(f"/boxes/claims/{made['used'].pk}/withdraw/", {"once": new_token()})
    assert refused.status_code == 422
    assert "retire the box instead" in check(refused.content.decode()).text
    page(it, "/boxes/claims/4711/withdraw/", 404)


def test_a_box_is_listed_with_board_and_certificate_and_retired_after_a_question(it: Any, archive: Archive) -> None:
    row = give_claim("Room 12", by=ARCHIVE, now=timezone.now()).row
    Claim.objects.filter(pk=row.pk).update(
        used_at=timezone.now(), box=archive.keys.box, board="10000000abcdef12", model="Raspberry Pi 4",
        certificate_ends_at=timezone.now() - timedelta(days=1),
    )  # fmt: skip
    shown = page(it, "/boxes/").text
    assert all(words in shown for words in ("Room 12", "10000000abcdef12", "Raspberry Pi 4", "ended"))
    address = f"/boxes/{archive.keys.box}/retire/"
    assert "does not come back" in page(it, address).text
    assert Box.objects.get(pk=archive.keys.box).retired_at is None, "a question changes nothing"
    assert it.post(address, {"once": new_token()}).status_code == 302
    assert Box.objects.get(pk=archive.keys.box).retired_at is not None
    entry = Entry.objects.filter(code="retire").get()
    assert (entry.actor_type, entry.subject_id) == ("user", archive.keys.box)
    assert "retired" in page(it, "/boxes/").text
    page(it, "/boxes/box-unknown/retire/", 404)


def test_the_page_of_a_claim_leaves_no_step_out(it: Any) -> None:
    """Who only copies the claim onto a fresh card gets a computer with a wizard, and no box (docs/install.md)."""
    text = ask(it, "Room 9", new_token()).content.decode()
    steps = [text.index(words) for words in ("boot partition", "plainsight card", "plug it in", SAYS)]
    assert steps == sorted(steps)
