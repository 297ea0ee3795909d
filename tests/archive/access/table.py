"""The tables of docs/access.md, as the program has them: `python -m tests.archive.access.table` writes them anew."""

from __future__ import annotations

import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import UUID

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "access.md"
NAMES = {"recording": "ID"}
"""Arguments of addresses that the page calls otherwise than in capitals."""
SOMETHING = defaultdict(
    lambda: str(UUID(int=0)),
    recording="0" * 32,
    outside="0" * 32,
    upload="0" * 32,
    number="0",
    version="0",
    pk="0",
    tried="0",
    text="x",
    claim="0",
    what="records",
)
"""An argument for each address, of something that is not there."""


def addresses() -> Iterator[tuple[str, str]]:
    """Yield each address as the page writes it, `/students/STUDENT/`, and its name, in the order of the URLs."""
    from django.urls import URLPattern, URLResolver, get_resolver  # noqa: PLC0415 - Django must be set up

    def walk(resolver: URLResolver, above: str, space: str) -> Iterator[tuple[str, str]]:
        for one in resolver.url_patterns:
            route = above + str(one.pattern)
            if isinstance(one, URLPattern):
                yield "/" + re.sub(r"<(?:\w+:)?(\w+)>", _placeholder, route), space + str(one.name)
            else:
                yield from walk(one, route, f"{space}{one.namespace}:" if one.namespace else space)

    yield from walk(get_resolver(), "", "")


def _placeholder(found: re.Match[str]) -> str:
    return NAMES.get(found[1], found[1].upper())


def rows() -> list[str]:
    """Return the lines of the table of addresses."""
    from archive.access.routes import ROUTES  # noqa: PLC0415 - Django must be set up

    lines = []
    for address, name in addresses():
        route = ROUTES[name]
        lines.append(f"| `{address}` | {', '.join(route.methods)} | {route.needs} |")
    return ["| address | methods | needs |", "|---|---|---|", *lines]


def deed_rows() -> list[str]:
    """Return the lines of the table of deeds."""
    from archive.access.deeds import ROLES, Deed  # noqa: PLC0415 - Django must be set up

    lines = [
        f"| {deed} | {deed.label} | {' | '.join('yes' if deed in one else 'no' for one in ROLES.values())} |"
        for deed in Deed
    ]
    return [f"| deed | what it is | {' | '.join(ROLES)} |", "|---|---|" + "---|" * len(ROLES), *lines]


def written(page: str) -> str:
    """Return the page with its tables as the program has them."""
    for table in (deed_rows(), rows()):
        there = re.search(rf"^{re.escape(table[0][:12])}[^\n]*\n(?:\|[^\n]*\n)+", page, re.MULTILINE)
        assert there, f"the page has no table that begins with {table[0]}"
        page = page[: there.start()] + "\n".join(table) + "\n" + page[there.end() :]
    return page


def place(address: str, known: Mapping[str, str]) -> str:
    """Return an address of the page with what `known` has for its arguments.

    Below a recording that no box made, `outside-x` comes before `x`: what is a box recording's is not there.
    """
    kind = "outside-" if "OUTSIDE" in address else ""

    def said(found: re.Match[str]) -> str:
        name = "recording" if found[0] == "ID" else found[0].lower()
        return known.get(kind + name) or known[name]

    return re.sub(r"[A-Z]{2,}", said, address)


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "archive.settings")
    django.setup()
    PAGE.write_text(written(PAGE.read_text()))
    sys.stdout.write(f"{PAGE.relative_to(ROOT)} has the tables of the program\n")
