"""The texts that come with the software: drafts, of which no letter is made before the district approved them.

Each stands in `texts/KIND.LANGUAGE.txt`: the heading, an empty line, the body.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from .models import LetterKind
from .rules import check_text

FOLDER: Final = Path(__file__).with_name("texts")
LANGUAGES: Final = ("en", "es")


def shipped_texts() -> dict[tuple[LetterKind, str], tuple[str, str]]:
    """Return heading and body by kind and language; raise DeedError for one with a wrong placeholder."""
    found = {}
    for kind in LetterKind:
        for language in LANGUAGES:
            text = (FOLDER / f"{kind.value}.{language}.txt").read_text(encoding="utf-8")
            subject, _, body = text.partition("\n\n")
            check_text(kind, subject, body)
            found[kind, language] = (subject.strip(), body.strip())
    return found


def ship(apps: Any, schema_editor: Any) -> None:
    """Put them into the table: the migration's step."""
    table = apps.get_model("letters", "Template")
    table.objects.using(schema_editor.connection.alias).bulk_create(
        table(kind=kind.value, language=language, version=1, subject=subject, body=body, shipped=True)
        for (kind, language), (subject, body) in shipped_texts().items()
    )
