"""What can be done in the archive, each deed a right of its own, and the sets of them that districts hand out."""

from __future__ import annotations

from typing import Final

from django.db import models


class Deed(models.TextChoices):
    """A deed that needs a grant."""

    BOARD = "board", "see what the rooms are doing"
    BOXES = "boxes", "give out claims for new boxes, and retire boxes"
    CHECKS = "checks", "see what the archive's own checks found"
    LIST = "list", "see the list of recordings"
    LOOK = "look", "open a recording's page: its facts and its timeline"
    LISTEN = "listen", "listen to a recording"
    VERIFY = "verify", "have a sealed package checked again"
    DOWNLOAD = "download", "take copies for one's own work, or of one's own record"
    CUSTODY = "custody", "read a recording's custody log"
    ACCOUNTS = "accounts", "make, list and end accounts, and hand out roles"
    PEOPLE = "people", "see students, and the people who hold rights over their records"
    CORRECT = "correct", "correct people, enter who holds rights, import rosters"
    MEETINGS = "meetings", "see notices, the calendar and the day sheets"
    PLAN = "plan", "log a notice; plan, move and cancel meetings; import calendars"
    READY = "ready", "see whether the room of a meeting of today is ready"
    CONDUCT = "conduct", "read the opening and write notes during a meeting"
    FILE = "file", "take in what no box recorded; file under meetings, and confirm what another one filed"
    GRANT = "grant", "give and end access to a student's recordings, and review it"
    ASK = "ask", "log that a parent asks for access, for those who handle requests"
    REQUESTS = "requests", "handle access requests and amendments"
    LETTERS = "letters", "write and print letters, and note their delivery"
    RESTRICT = "restrict", "restrict passages of a recording, hear them, and open them again"
    TRANSCRIBE = "transcribe", "add transcripts, answer for them, set them aside"
    REDACT = "redact", "make redacted copies of recordings, listen to them, and sign them off"
    HOLD = "hold", "put recordings on hold, and end holds"
    RETENTION = "retention", "enter record series and how long they are kept"
    DISCLOSE = "disclose", "disclose recordings through both gates"
    DESTROY = "destroy", "propose, approve and carry out destruction"
    LISTS = "lists", "open the lists for the public, and the register of training"
    PUBLISH = "publish", "enter what the public lists say, and publish them"
    TEMPLATES = "templates", "approve the texts of letters"
    OWN = "own", "see, as a rights-holder, the recordings, statements and record of access"


OF_ONE_RECORDING: Final = frozenset({Deed.LOOK, Deed.LISTEN, Deed.VERIFY, Deed.DOWNLOAD, Deed.CUSTODY})
"""Deeds that are done to one recording."""
OF_NOTHING: Final = frozenset(
    {Deed.BOARD, Deed.BOXES, Deed.CHECKS, Deed.LIST, Deed.LISTS, Deed.PUBLISH, Deed.TEMPLATES}
)
"""Deeds that are done to nothing in particular. Each other one is done to a subject, or asked for in general."""

ROLES: Final[dict[str, frozenset[Deed]]] = {
    "custodian": frozenset(Deed) - {Deed.OWN},
    "facilitator": frozenset({Deed.MEETINGS, Deed.PLAN, Deed.READY, Deed.CONDUCT, Deed.PEOPLE, Deed.ASK, Deed.LETTERS}),
    "auditor": frozenset({Deed.LIST, Deed.VERIFY, Deed.CUSTODY, Deed.LISTS}),
    "technician": frozenset({Deed.BOARD, Deed.BOXES, Deed.CHECKS, Deed.LIST}),
}
"""What `add-user --role` grants, over the whole district. A role is only a word for a set of grants: nothing asks for
it afterwards. Parents have no role: what they may see is granted for one student at a time."""
