"""Custody entries about claims and certificates. A claim itself never stands there: only its number in the database."""

from __future__ import annotations

from archive.custody.kinds import register

CLAIM = register("claim", "a claim for a new box was given out", "claim", "room")
WITHDRAW_CLAIM = register("withdraw-claim", "a claim was withdrawn", "claim")
USE_CLAIM = register("use-claim", "a claim was used by a new box", "claim", "board")
REFUSE_CLAIM = register("refuse-claim", "a claim was refused", "claim", "why")
CERTIFY = register("certify", "a box got a certificate for the broker", "serial")
CLONE = register("clone", "a second board used a box's identity and was refused", "board")
