"""The amber codes: how often the light blinks, what is wrong, what to do. Docs, doctor, status and journal use them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Press = Literal["records", "tests", "refused"]


@dataclass(frozen=True)
class AmberCode:
    """One amber code."""

    code: str
    """Stable name, in status, ledger and topics."""
    blinks: int
    """Slow blinks of the amber light between two pauses; of several, that of the most serious is shown (blinks)."""
    press: Press
    """What a press on the button does meanwhile: it records, it tries once more, or it is refused as impossible."""
    cause: str
    """What is wrong, for a person."""
    remedy: str
    """What to do next."""


TABLE: tuple[AmberCode, ...] = (
    AmberCode(
        "microphone-missing", 1, "refused", "The microphone is not there.",
        "Plug the microphone in again; then wait for green.",
    ),
    AmberCode(
        "microphone-wrong", 1, "records", "Another microphone than at commissioning is plugged in.",
        "Plug in the right microphone; or, if it is to stay, set microphone.identity or commission the box again.",
    ),
    AmberCode(
        "microphone-muted", 1, "records", "The microphone is switched off or muted: it gives less than its own noise.",
        "Switch the microphone on; amber goes out when sound comes back, at the latest in the next recording.",
    ),
    AmberCode(
        "microphone-differs", 1, "records", "The microphone sounds like another one than at commissioning.",
        "Check what is plugged in; if it is to stay, run plainsight commission again.",
    ),
    AmberCode(
        "microphone-failed", 2, "records", "The microphone could not be opened, or its recording process ended.",
        "Unplug the microphone and plug it in again; the recorder tries again by itself.",
    ),
    AmberCode(
        "microphone-stalled", 2, "records", "The microphone stopped giving sound.",
        "Unplug the microphone and plug it in again; the recorder tries again by itself.",
    ),
    AmberCode(
        "microphone-silent", 2, "records", "The microphone gives no sound at all, or always the same value.",
        "Switch it on, unmute it (with alsamixer if its card has a mixer), then plug it in again.",
    ),
    AmberCode(
        "microphone-rate", 2, "records",
        "The sound card's clock is wrong: it gives more or fewer frames a second than it says.",
        "Set microphone.rate to a rate that the card has, or replace the card; nothing is lost, but the pitch is off.",
    ),
    AmberCode(
        "microphone-clipping", 2, "records", "The microphone is too loud: speech is cut off and sounds torn.",
        "Move the microphone away from whoever is loud, or turn its gain down: with alsamixer if its card has a mixer, "
        "with microphone.gain_db if microphone.bits = 32.",
    ),
    AmberCode(
        "capture-died", 2, "refused", "The process that listens does not start.",
        "Read the journal: it names what is missing.",
    ),
    AmberCode(
        "capture-stuck", 2, "refused", "The microphone could not be closed.",
        "Unplug the microphone and switch the box off and on.",
    ),
    AmberCode(
        "spool-full", 3, "refused", "The box has no room for a recording.",
        "Connect the box to the network and let it upload.",
    ),
    AmberCode(
        "spool-low", 3, "records", "The box has no room for the longest recording.",
        "Connect the box to the network and let it upload.",
    ),
    AmberCode(
        "spool-names", 3, "records", "The spool's disk has too few free file names (inodes) for the longest recording.",
        "Let the box upload; if that frees none, remove other files from the spool's disk (df -i).",
    ),
    AmberCode(
        "spool-failed", 4, "refused", "The box cannot write to its card or disk.",
        "Read the journal; replace the card if it reports input/output errors.",
    ),
    AmberCode(
        "spool-slow", 4, "records", "The card or disk takes too long to write.",
        "Replace the card before the next meeting.",
    ),
    AmberCode(
        "writer-died", 4, "refused", "The process that saves recordings ended or does not answer.",
        "Wait for it to start again; if amber stays, read the journal.",
    ),
    AmberCode(
        "ledger-incomplete", 4, "records", "Something that happened could not be entered in the recording's ledger.",
        "End the recording, read the journal and report it; the recording is closed as interrupted.",
    ),
    AmberCode(
        "bad-receipt", 4, "records", "A receipt is not the archive's or does not fit; nothing is deleted.",
        "Look at the archive and its keys; the recording stays on the box.",
    ),
    AmberCode(
        "recording-damaged", 4, "records",
        "The card or disk lost something of an earlier recording; new ones are made.",
        "Read the journal, which names it; switch the box off and on to try once more. If it stays, replace the card, "
        "and keep the old one.",
    ),
    AmberCode(
        "lamp-dark", 5, "tests", "The red lamp was switched on and not seen to be lit.",
        "Replace the lamp or its sensor; a press tries it again.",
    ),
    AmberCode(
        "lamp-stuck", 5, "refused", "The red lamp is lit although it was switched off.",
        "Cover the box from direct sun, or have the lamp and its sensor repaired.",
    ),
    AmberCode(
        "microphone-open", 5, "refused", "Another program has the microphone open although the lamp is dark.",
        "End the program that uses the microphone; nothing but the recorder may.",
    ),
    AmberCode(
        "rail-live", 5, "refused", "The microphone has power although the lamp is dark.",
        "Have the wiring repaired (docs/wiring).",
    ),
    AmberCode(
        "keys", 6, "refused", "The signing key is missing or unreadable.",
        "Restore the key file or enroll the box again, then restart the recorder.",
    ),
    AmberCode(
        "wrong-board", 6, "refused", "This card was copied from another box, which has the same identity.",
        "Give this box a claim of its own, or one for that box's card (docs/enrollment), then start it again.",
    ),
    AmberCode(
        "clock", 7, "records", "The clock is not synchronized; times in the recording may be wrong.",
        "Connect the box to the network, or set its clock.",
    ),
    AmberCode(
        "not-commissioned", 7, "records", "The box was not commissioned, or its record is not to be believed.",
        "Commission it (docs/commissioning). The first press after a start begins that; the next one records.",
    ),
    AmberCode(
        "recording-ended", 8, "records", "The last recording was ended by a fault.",
        "Read the journal or the recording's ledger; the next press starts a new recording.",
    ),
    AmberCode(
        "panel-lost", 9, "refused", "The front panel does not answer.",
        "Check its cable, then switch the box off and on.",
    ),
    AmberCode(
        "button-stuck", 9, "refused", "The button is pressed all the time.",
        "Free the button; if it stays pressed, have it or its wiring repaired. A running recording ends by itself.",
    ),
    AmberCode(
        "memory-low", 9, "records", "The box has too little free memory.",
        "End what else runs on the box, or switch it off and on; if it comes back, report what uses the memory (top).",
    ),
    AmberCode(
        "handles-low", 9, "records", "The box has too few free file handles.",
        "Switch the box off and on; if it comes back, raise the limit that the journal names, and report it.",
    ),
    AmberCode(
        "software", 9, "records", "The recorder met something that it does not know.",
        "Read the journal and report it.",
    ),
)  # fmt: skip
_BY_CODE = {fault.code: fault for fault in TABLE}


def find(code: str) -> AmberCode:
    """Return the table's line for a code; one that is not in it counts as `software`."""
    return _BY_CODE.get(code, _BY_CODE["software"])


def known(code: str) -> bool:
    """Tell whether the table has the code."""
    return code in _BY_CODE


def blinks(codes: Iterable[str]) -> int:
    """Return how often amber blinks for these codes: 0 for none, else the smallest count of the most serious.

    What keeps a press from recording goes before what does not: a lamp to be replaced, before a gain to be turned down.
    """
    found = [find(code) for code in codes]
    serious = [fault for fault in found if fault.press != "records"]
    return min((fault.blinks for fault in serious or found), default=0)


def press(codes: Iterable[str]) -> Press:
    """Return what a press does while these codes hold."""
    effects = {find(code).press for code in codes}
    return "refused" if "refused" in effects else "tests" if "tests" in effects else "records"
