"""Which statement relates to which part of a recording, as a file of the evidence package (docs/format.md section 10).

34 CFR 99.21(c)(2): a statement is disclosed with the portion to which it relates, in the other archive as here; and
with another student's part alone it would tell that family of this one (99.12(a)).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

from appliance.contract.errors import FormatError
from archive.recordings.companions import Companion
from archive.recordings.parts import Part, Parts

NAME: Final = "parts.json"
"""Its name, beside the statements."""
_ENDS: Final = 2
"""Of a part: its first frame, and the first one behind it."""


def written(documents: Iterable[Companion]) -> list[Companion]:
    """Return the file, unless each of these documents relates to all of the recording."""
    known = {
        one.name: [[part.first, part.last] for part in one.relates] for one in documents if one.relates is not None
    }
    return [Companion(NAME, json.dumps(known, indent=1, sort_keys=True) + "\n")] if known else []


def read(data: bytes) -> dict[str, Parts]:
    """Return the parts by the statement's file name; a name that is not there relates to all of it.

    Raises FormatError for anything else.
    """
    try:
        found = json.loads(data)
    except ValueError as error:
        raise FormatError(f"{NAME} is no JSON") from error
    if not isinstance(found, dict) or not all(isinstance(one, list) for one in found.values()):
        raise FormatError(f"{NAME} does not name parts by file")
    return {name: tuple(_part(one) for one in parts) for name, parts in found.items()}


def _part(ends: object) -> Part:
    if isinstance(ends, list) and len(ends) == _ENDS:
        first, last = ends
        if _frame(first) and (last is None or (_frame(last) and last > first)):
            return Part(first, last)
    raise FormatError(f"{NAME} has a part that is none: {ends!r}")


def _frame(one: object) -> bool:
    return isinstance(one, int) and not isinstance(one, bool) and one >= 0
