"""What can be done with recordings, each deed a right of its own, and the sets of them that districts hand out."""

from __future__ import annotations

from typing import Final

from django.db import models


class Deed(models.TextChoices):
    """A deed that needs a grant."""

    BOARD = "board", "see what the rooms are doing"
    LIST = "list", "see the list of recordings"
    LOOK = "look", "open a recording's page: its facts and its timeline"
    LISTEN = "listen", "listen to a recording"
    VERIFY = "verify", "have a sealed package checked again"
    DOWNLOAD = "download", "take copies out of the archive"
    CUSTODY = "custody", "read a recording's custody log"
    ACCOUNTS = "accounts", "make, list and end accounts, and hand out roles"


OF_ONE_RECORDING: Final = frozenset({Deed.LOOK, Deed.LISTEN, Deed.VERIFY, Deed.DOWNLOAD, Deed.CUSTODY})
"""Deeds that are done to one recording; the others are done to none in particular."""

ROLES: Final[dict[str, frozenset[Deed]]] = {
    "custodian": frozenset(Deed),
    "auditor": frozenset({Deed.LIST, Deed.VERIFY, Deed.CUSTODY}),
    "technician": frozenset({Deed.BOARD, Deed.LIST}),
}
"""What `add-user --role` grants. A role is only a word for a set of grants: nothing asks for it afterwards."""
