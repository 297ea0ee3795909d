"""MQTT 5's reason codes (OASIS MQTT 5.0, section 2.4) in words that a technician can act on."""

from __future__ import annotations

from typing import Final

from paho.mqtt.reasoncodes import ReasonCode

TAKEN_OVER: Final = 0x8E
"""Another client connected with this one's id, and the broker ended the older connection."""
_WORDS: Final = {
    0x80: "the connection broke",
    0x85: "the broker does not accept this box's id as a client id; compare box.id with the broker's settings",
    0x86: "the broker does not know this box's certificate; enroll the box again",
    0x87: "the broker does not allow this; its access list must know the id in this box's certificate",
    0x88: "the broker is not available; look at the broker",
    0x89: "the broker is busy; it is tried again",
    0x8A: "the broker has banned this box; ask its administrator",
    0x8B: "the broker is shutting down",
    0x8D: "the broker received nothing for too long; look at the network",
    TAKEN_OVER: "another client took over this session: two boxes have one identity, as after copying a card. "
    "Enroll one of them again",
    0x95: "the broker does not take messages of this size; raise its limit",
    0x97: "the broker's quota for this box is used up; look at the broker's limits",
    0x98: "the broker's administrator ended the connection",
}


def in_words(reason: ReasonCode) -> str:
    """Return what a reason code means and what to do, with the standard's own name of it."""
    words = _WORDS.get(reason.value)
    return f"{words} ({reason})" if words else str(reason)
