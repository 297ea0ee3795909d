"""What a deed refuses, in words for the person who tried it."""

from __future__ import annotations

from appliance.contract.errors import PlainSightError


class DeedError(PlainSightError):
    """A deed cannot be done as things stand; nothing was changed."""

    code = "deed-refused"
    status = 409


class StaleError(DeedError):
    """Somebody else changed the same thing meanwhile."""

    code = "stale"

    def __init__(self) -> None:
        super().__init__(
            "Somebody else changed this while you were typing. What you typed is still here. "
            "What is saved now, where it differs, stands below; save again to replace it."
        )


class SecondPersonError(DeedError):
    """What needs two people was tried by one."""

    code = "second-person"


class UnknownRecordError(DeedError):
    """There is no such thing here."""

    code = "unknown-record"
    status = 404
