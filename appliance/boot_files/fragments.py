"""Writes what a box needs into a card's config.txt and cmdline.txt, and leaves the rest as it is.

Doing it again changes nothing: what is ours stands between two marks.
"""

from __future__ import annotations

import re
from typing import Final

BEGIN: Final = "# Plain Sight begins: written by 'plainsight card'; what you change here is lost when it is run again"
END: Final = "# Plain Sight ends"
_OURS: Final = re.compile(rf"^{re.escape(BEGIN)}\n.*?^{re.escape(END)}\n?", re.MULTILINE | re.DOTALL)
_MADE_OF: Final = "# made of: "
_SERIAL_CONSOLE: Final = re.compile(r"console=(serial0|ttyAMA\d|ttyS0)(,.*)?")
_LISTS: Final = {"module_blacklist"}


def add_to_config(text: str, fragments: dict[str, str]) -> str:
    """Return config.txt with `fragments` (name: text) at its end, in the place of what an earlier call put there."""
    base = _OURS.sub("", text.replace("\r\n", "\n"))
    texts = (fragment.strip("\n") for fragment in fragments.values())
    parts = [base.rstrip("\n"), BEGIN, _MADE_OF + " ".join(fragments), *texts, END]
    return "\n".join(parts).lstrip("\n") + "\n"


def made_of(text: str) -> tuple[str, ...] | None:
    """Return the names of the fragments that stand in a config.txt; None where no call of ours wrote into it."""
    ours = _OURS.search(text.replace("\r\n", "\n"))
    if ours is None:
        return None
    lines = ours.group().splitlines()
    return next((tuple(line.removeprefix(_MADE_OF).split()) for line in lines if line.startswith(_MADE_OF)), ())


def add_to_cmdline(text: str, words: str) -> str:
    """Return cmdline.txt's one line with `words`; a word of the same name makes room, a serial console goes."""
    given = words.split()
    names = {word.partition("=")[0] for word in given}
    kept, lists = list[str](), dict[str, list[str]]()
    for word in text.split():
        name, _, value = word.partition("=")
        if name in _LISTS & names:
            lists.setdefault(name, []).extend(value.split(","))
        elif _SERIAL_CONSOLE.fullmatch(word) or (name in names and (name != "cgroup_enable" or word in given)):
            continue
        else:
            kept.append(word)
    for word in given:
        name, _, value = word.partition("=")
        before = [part for part in lists.get(name, []) if part and part not in value.split(",")]
        kept.append(",".join([word, *before]) if name in lists else word)
    return " ".join(kept) + "\n"
