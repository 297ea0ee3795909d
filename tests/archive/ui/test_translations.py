"""Spanish is complete, compiled, and chosen in the footer."""

from __future__ import annotations

import ast
import gettext
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from archive.ui.templatetags.plain import who
from tests.archive.page_sources import ARCHIVE
from tests.archive.pages import check
from tests.support.archives import Archive

DEEDS = ("destruction", "disclosures", "letters", "redactions")
"""Apps whose pages tell who did something; the account may be erased since."""
UNSIGNED = ("kiosk", "no_kiosk", "parent_link", "own", "record", "statements", "listening")
"""Pages of families, some without a sign-in."""
ATTRIBUTES = "passkey_words"
"""A part of pages that is not even a whole tag."""
LOCALES = sorted(ARCHIVE.rglob("locale/es/LC_MESSAGES"))


def compiled(source: Path, target: Path) -> dict[Any, str]:
    subprocess.run(["msgfmt", "--check", "--output-file", target, source], check=True)
    with target.open("rb") as file:
        catalog: dict[Any, str] = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {key: words for key, words in catalog.items() if key}


def name(folder: Path) -> str:
    return folder.parents[2].relative_to(ARCHIVE).as_posix()


@pytest.mark.parametrize("folder", LOCALES, ids=name)
def test_the_compiled_words_are_those_of_the_source(folder: Path, tmp_path: Path) -> None:
    with (folder / "django.mo").open("rb") as file:
        kept = {key: words for key, words in gettext.GNUTranslations(file)._catalog.items() if key}  # type: ignore[attr-defined]
    assert kept == compiled(folder / "django.po", tmp_path / "django.mo"), "run deploy/messages"


@pytest.mark.parametrize("folder", LOCALES, ids=name)
def test_every_word_that_is_marked_is_translated_and_no_other(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = tmp_path / "app"
    shutil.copytree(folder.parents[2], app, ignore=shutil.ignore_patterns("static", "__pycache__", "migrations"))
    monkeypatch.chdir(app)
    # as deploy/messages does, and in this process, where Django is set up
    options = ("--no-location", "--no-obsolete", "--no-wrap", "--verbosity=0")
    call_command("makemessages", "--locale=es", *options)
    gathered = app / "locale" / "es" / "LC_MESSAGES" / "django.po"
    counted = subprocess.run(
        ["msgfmt", "--statistics", "--output-file", "/dev/null", gathered], capture_output=True, text=True, check=True
    ).stderr
    assert "untranslated" not in counted, f"{counted}: run deploy/messages, and fill in what it leaves empty"
    assert "fuzzy" not in counted, counted
    before, after = (compiled(source, tmp_path / "one.mo") for source in (folder / "django.po", gathered))
    assert set(before) == set(after), "run deploy/messages: some words are no longer used"


def test_no_marked_word_stands_in_an_f_string() -> None:
    """Older releases of xgettext do not look into them, and so it would never be translated."""
    found = [
        f"{path.relative_to(ARCHIVE)}:{call.lineno}"
        for path in sorted(ARCHIVE.rglob("*.py"))
        for joined in ast.walk(ast.parse(path.read_text()))
        if isinstance(joined, ast.JoinedStr)
        for call in ast.walk(joined)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "_"
    ]
    assert found == []


def test_an_account_that_was_erased_is_called_so_wherever_somebody_s_deed_is_told() -> None:
    assert (who(None), who("m.jones")) == ("a person whose account was erased", "m.jones")
    bare = re.compile(r"\{\{ \w+\.(asked|signed|withdrawn|begun|handed|prepared|proposed|approved|closed)_by \}\}")
    pages = [path for app in DEEDS for path in sorted((ARCHIVE / "records" / app).rglob("*.html"))]
    assert len(pages) > 10
    assert [path.name for path in pages if bare.search(path.read_text())] == []


def test_the_footer_s_switch_changes_the_language_and_leads_back(archive: Archive, client: Any) -> None:
    english = check(client.get("/sign-in/?next=/rooms/").content.decode())
    (button,) = [one for one in english.all("button") if one.get("name") == "language"]
    assert (button.text, button.get("lang"), button.get("value")) == ("Español", "es", "es")
    answer = client.post("/language/", {"language": "es", "next": "/sign-in/?next=/rooms/"})
    assert answer.headers["Location"] == "/sign-in/?next=/rooms/"
    spanish = check(client.get("/sign-in/").content.decode(), language="es")
    (back,) = [one for one in spanish.all("button") if one.get("name") == "language"]
    assert (back.text, back.get("lang")) == ("English", "en"), "each language is named in itself"
    assert "Ir al contenido" in spanish.text
    client.post("/language/", {"language": "en", "next": "/sign-in/"})
    check(client.get("/sign-in/").content.decode(), language="en")


def test_the_browser_s_language_counts_until_one_is_chosen(archive: Archive, client: Any) -> None:
    check(client.get("/sign-in/", headers={"accept-language": "es-MX,es;q=0.9"}).content.decode(), language="es")
    check(client.get("/sign-in/", headers={"accept-language": "fr"}).content.decode(), language="en")


@pytest.mark.parametrize("elsewhere", ["https://example.org/", "//example.org/", "javascript:alert(1)"])
def test_the_switch_leads_nowhere_else(archive: Archive, client: Any, elsewhere: str) -> None:
    assert client.post("/language/", {"language": "es", "next": elsewhere}).headers["Location"] == "/"


OPEN_TO_ALL = (
    *sorted((ARCHIVE / "ui" / "templates").glob("*.html")),
    *(page for page in sorted((ARCHIVE / "accounts" / "templates").rglob("*.html")) if page.stem != ATTRIBUTES),
    *(ARCHIVE / "records" / "requests" / "templates" / "requests" / f"{name}.html" for name in UNSIGNED),
    *(ARCHIVE / "ui" / "templates" / "ui" / f"{name}.html" for name in ("base", "problem", "player", "recording")),
)


@pytest.mark.parametrize("page", OPEN_TO_ALL, ids=lambda page: page.stem)
def test_no_word_of_a_page_that_families_meet_stands_outside_of_translate(page: Path) -> None:
    text = re.sub(r"\{% (comment|blocktranslate)\b.*?\{% end\1 %\}", "", page.read_text(), flags=re.DOTALL)
    text = re.sub(r"<(code|script|style)\b.*?</\1>", "", text, flags=re.DOTALL)
    text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|<!--.*?-->", "", text, flags=re.DOTALL)
    words = re.findall(r"[^\W\d_]{2,}", re.sub(r"<[^>]*>", "", text).replace("Plain Sight", ""))
    assert words == []
