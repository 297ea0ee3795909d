"""docs/custodian.md says what is so: each statement with a number there has its test here."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from django.conf import settings

from archive.accounts.models import User
from archive.core import errors
from archive.custody.kinds import kinds
from archive.custody.models import Head
from archive.recordings.state_words import STATE_WORDS
from archive.ui import words
from archive.ui.signs import SIGNS
from tests.archive.accounts.test_session import PLACES
from tests.archive.page_fixtures import RATE, Arrive, entries, signed_in, verified
from tests.archive.pages import check
from tests.archive.recordings.test_audio import body, player
from tests.archive.rooms.test_pages import say
from tests.support.archives import Archive

_ROOT = Path(__file__).resolve().parents[3]
GUIDE = (_ROOT / "docs" / "custodian.md").read_text()
ARCHIVE = _ROOT / "archive"


def prose(text: str) -> str:
    return " ".join(text.split())


def test_every_numbered_statement_has_a_test_and_every_test_a_statement() -> None:
    stated = {int(number) for number in re.findall(r"\[(\d+)\]", GUIDE)}
    tested = {int(name.split("_")[1]) for name in globals() if re.match(r"test_\d+_", name)}
    assert stated == tested == set(range(1, len(stated) + 1))


def test_the_accounts_are_made_with_the_commands_shown(archive: Archive) -> None:
    commands = re.findall(r"^sudo plainsight-archive (add-user .*)$", GUIDE, re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        made = json.loads(archive.run(*shlex.split(command), "--json").stdout)
        assert ("listen" in made["deeds"]) is ("custodian" in command)


def test_the_words_of_the_tables_are_those_of_the_pages() -> None:
    for sign in SIGNS.values():
        assert f"| {sign.looks} |" in GUIDE
    for told in STATE_WORDS.values():
        assert f"| {told.word} |" in GUIDE
    for deed in ("look", "listen", "verify", "refusal"):
        assert f"*{kinds()[deed].words}*" in GUIDE
    for heading, _ in errors.WORDS.values():
        if heading not in {"There is no such recording", "The archive's keys cannot be read"}:
            assert f"| {heading} |" in GUIDE


def test_the_custody_log_is_checked_with_the_command_shown(archive: Archive, sealed: Arrive) -> None:
    sealed(seconds=1)
    assert "`sudo plainsight-archive check-custody`" in GUIDE
    archive.run("check-custody")


def test_1_without_the_right_rooms_and_list_and_no_more(technician: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    assert [technician.get(place).status_code for place in ("/rooms/", "/recordings/")] == [200, 200]
    for below in ("", "audio.wav", "package.zip", "audio.flac"):
        assert technician.get(f"/recordings/{made.id}/{below}").status_code == 403
    assert len(entries(made.id, "refusal")) == 4


def test_2_nobody_is_a_superuser(archive: Archive, sealed: Arrive) -> None:
    client = signed_in(archive, "root", role="technician")
    assert not {"is_superuser", "is_staff", "groups"} & {field.name for field in User._meta.get_fields()}
    assert client.get(f"/recordings/{sealed(seconds=1).id}/").status_code == 403


def test_3_without_a_sign_in_there_is_nothing_to_see(client: Any) -> None:
    assert all(client.get(place).headers["Location"].startswith("/sign-in/") for place in PLACES)


def test_4_an_unheard_room_is_never_ready_or_recording(archive: Archive, technician: Any) -> None:
    (room,) = technician.get("/rooms.json").json()["rooms"]
    assert room["sign"] == "unknown"
    say(archive)
    (room,) = technician.get("/rooms.json").json()["rooms"]
    assert room["sign"] == "ready"


def test_5_simulated_is_marked_in_the_list_and_on_the_page(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    for path in ("/recordings/", f"/recordings/{made.id}/", f"/recordings/{made.id}/copies/"):
        page = check(custodian.get(path).content.decode())
        assert "simulated" in [node.text for node in page.all("span") if "badge" in node.get("class")]


def test_6_addresses_and_file_names_hold_only_the_identifier(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    page = check(custodian.get(f"/recordings/{made.id}/copies/").content.decode())
    for link in page.all("a"):
        assert not re.search(r"(?i)room|jones", link.get("href").removeprefix("/my-rooms/").replace("/rooms/", ""))
    for name in ("package.zip", "audio.flac", "receipt.tsv"):
        disposition = custodian.head(f"/recordings/{made.id}/{name}").headers["Content-Disposition"]
        assert re.fullmatch(rf'attachment; filename="{made.id}[a-z.-]+"', disposition)


def test_7_opening_the_page_is_not_listening(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    page = check(custodian.get(f"/recordings/{made.id}/").content.decode())
    assert page.one("audio").get("preload") == "none"
    assert not entries(made.id, "listen")


def test_8_the_page_names_the_place_that_does_not_hold(archive: Archive, custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    (path,) = (archive.home / "store" / "packages").rglob("*.zip")
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(made.lines[0], made.lines[0].replace(b'"lit":true', b'"lit":fals')))
    assert "data/ledger.tsv" in verified(custodian, made.id).text


def test_9_the_notice_is_on_every_page_about_copies(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    notice = re.search(r"\*(This recording is not part of [^*]*)\*", prose(GUIDE))
    assert notice
    assert words.NOTICE.startswith(notice[1])
    copies = check(custodian.get(f"/recordings/{made.id}/copies/").content.decode())
    for page in (copies, verified(custodian, made.id)):
        assert words.NOTICE in page.text


def test_10_the_flac_is_what_was_recorded(custodian: Any, sealed: Arrive, tmp_path: Path) -> None:
    made = sealed(seconds=2)
    copy = tmp_path / "copy.flac"
    copy.write_bytes(body(custodian.get(f"/recordings/{made.id}/audio.flac")))
    assert np.array_equal(soundfile.read(copy, dtype="int16")[0], made.samples)


@pytest.mark.parametrize("below", ["", "custody/", "audio.wav", "copies/", "package.zip", "audio.flac", "receipt.tsv"])
def test_11_without_an_entry_you_get_nothing(archive: Archive, custodian: Any, sealed: Arrive, below: str) -> None:
    made = sealed(seconds=1)
    Head.objects.all().delete()
    answer = custodian.get(f"/recordings/{made.id}/{below}")
    assert (answer.status_code, answer.streaming) == (503, False)


def test_12_each_opening_is_a_look(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=1)
    for below in ("", "", "custody/", "copies/"):
        custodian.get(f"/recordings/{made.id}/{below}")
    assert [json.loads(entry.detail)["page"] for entry in entries(made.id, "look")] == [
        "recording",
        "recording",
        "custody",
        "copies",
    ]


def test_13_playing_is_one_entry_for_each_opened_page(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=2)
    for source in (player(custodian, made), player(custodian, made)):
        for field in ("bytes=0-", "bytes=1000-2000", "bytes=0-"):
            custodian.get(source, headers={"range": field})
    assert len(entries(made.id, "listen")) == 2


def test_14_the_log_says_which_seconds_really_went_to_the_player(custodian: Any, sealed: Arrive) -> None:
    made = sealed(seconds=4)
    custodian.get(player(custodian, made), headers={"range": f"bytes={44 + 2 * RATE}-{44 + 6 * RATE - 1}"}).getvalue()
    page = check(custodian.get(f"/recordings/{made.id}/custody/").content.decode())
    assert "Was sent sound of it" in page.text
    assert "0:01 to 0:03" in page.text


def test_the_session_ends_when_the_guide_says(archive: Archive) -> None:
    assert settings.SESSION_EXPIRE_AT_BROWSER_CLOSE is True
    assert settings.SESSION_COOKIE_AGE == 8 * 3600
    assert "after eight hours" in prose(GUIDE)


def test_what_the_guide_tells_to_press_stands_on_a_page() -> None:
    """In the sections about records, everything in bold is a button, a link or a place of the menu, word for word."""
    begin, end = GUIDE.index("## The parent's slip"), GUIDE.index("## The custody log")
    guides = GUIDE[begin:end] + (_ROOT / "docs" / "facilitator.md").read_text()
    pages = [path for kind in ("*.html", "*.py", "*.js") for path in ARCHIVE.rglob(kind)]
    there = "\n".join(path.read_text() for path in pages)
    told = [prose(one) for one in re.findall(r"\*\*(.+?)\*\*", guides, re.DOTALL)]
    assert len(told) > 25
    assert not [one for one in told if one not in there]
