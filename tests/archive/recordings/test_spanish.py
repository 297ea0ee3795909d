"""What a parent sees of a recording is in Spanish, where they chose it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from archive.access.deeds import Deed
from archive.recordings.models import Recording
from tests.archive.page_fixtures import Arrive, signed_in
from tests.archive.pages import check
from tests.support.archives import Archive


@pytest.mark.parametrize("below", ["", "copies/", "custody/"])
def test_the_pages_of_a_recording_are_in_spanish(custodian: Any, sealed: Arrive, below: str) -> None:
    custodian.cookies["language"] = "es"
    made = sealed(seconds=3)
    page = check(custodian.get(f"/recordings/{made.id}/{below}").content.decode(), language="es")
    assert "Grabación" in page.text
    if not below:
        assert re.search(r"Room 12, \w{3} \d{1,2} \w{3} \d{4}, .* (a|p)\. m\. C[SD]T", page.one("h1").text)
        assert "Lámpara roja encendida" in page.text
        assert "Terminó: alguien mantuvo pulsado el botón. 3 s de audio, nada perdido" in page.text
        assert "Audio guardado de 0:00 a 0:03 (3 segmentos firmados)" in page.text
    listed = check(custodian.get("/recordings/").content.decode(), language="es")
    assert "1 grabación, la más reciente primero." in listed.text
    assert "Sellada" in listed.text


def test_the_notice_is_in_spanish_and_stays_english_where_the_page_is(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    address = f"/recordings/{made.id}/copies/"
    assert "is not part of the IEP" in check(custodian.get(address).content.decode()).text
    custodian.cookies["language"] = "es"
    assert "no es parte del IEP" in check(custodian.get(address).content.decode(), language="es").text


def test_a_family_reads_no_names_of_files_and_commands_where_something_is_wrong(
    archive: Archive, custodian: Any, sealed: Arrive, arrive: Arrive
) -> None:
    broken, failing = sealed(seconds=1).id, arrive(seconds=1).id
    (package,) = (archive.home / "store" / "packages").rglob("*.zip")
    package.chmod(0o600)
    package.write_bytes(b"nothing")
    Recording.objects.filter(pk=failing).update(problem="run 'plainsight-archive restore' on the host")
    parent = signed_in(archive, "rosa", Deed.OWN, Deed.LOOK, Deed.LISTEN)
    parent.cookies["language"] = "es"
    for made, english, told in ((broken, "cannot be read", "dañado"), (failing, "plainsight-archive", "anotó")):
        assert english in custodian.get(f"/recordings/{made}/").content.decode()
        page = parent.get(f"/recordings/{made}/").content.decode()
        assert english not in page
        assert told in check(page, language="es").text
