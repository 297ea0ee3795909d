"""What the archive cannot do is told in the reader's language, and to parents without the detail for who works here."""

from __future__ import annotations

import pytest

from archive.access.deeds import Deed
from tests.archive.page_fixtures import Arrive, signed_in
from tests.archive.pages import check
from tests.support.archives import Archive

SPANISH = {"accept-language": "es"}


def test_that_nothing_was_granted_is_told_in_spanish(archive: Archive) -> None:
    answer = signed_in(archive, "rosa").get("/", headers=SPANISH)
    assert answer.status_code == 403
    page = check(answer.content.decode(), language="es")
    assert "Todavía no se le dio acceso a nada" in page.text
    assert "Nothing was granted" not in page.text


@pytest.mark.parametrize(("deeds", "told"), [((Deed.OWN, Deed.LISTEN), False), ((Deed.LISTEN,), True)])
def test_an_errors_detail_is_for_who_works_here(
    archive: Archive, arrive: Arrive, deeds: tuple[Deed, ...], told: bool
) -> None:
    made = arrive(seconds=1)
    answer = signed_in(archive, "rosa", *deeds).get(f"/recordings/{made.id}/audio.wav", headers=SPANISH)
    page = check(answer.content.decode(), language="es").text
    assert "Todavía no está sellada" in page
    assert ("In detail" in page) is told


def test_a_button_after_the_session_ended_is_told_in_spanish(archive: Archive) -> None:
    client = signed_in(archive, "director", role="custodian")
    answer = client.get("/accounts/tried/1/dismiss/", headers=SPANISH, follow=True)
    assert "No se hizo nada: su sesión se había cerrado." in answer.content.decode()
