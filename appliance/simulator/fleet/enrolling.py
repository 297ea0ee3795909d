"""A process that makes the fleet's boxes known to the archive: each with its claim, its own keys and its certificate.

It does what `plainsight enroll` and the archive's answer do, without the network between both, many boxes in one
transaction: ten thousand by hand would take days.

usage: python -m appliance.simulator.fleet.enrolling FOLDER FIRST COUNT, with $ARCHIVE_HOME
"""

# ruff: noqa: PLC0415 - models can be imported only after Django is set up

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from appliance.contract.enrollment import ClaimFile, Enrolled, EnrollRequest
from appliance.contract.settings_file import load_settings
from appliance.enrollment import settings as box_settings
from appliance.enrollment.identity import Identity

AT_ONCE: Final = 100
"""Boxes in one transaction."""


def enroll(folder: Path, numbers: range) -> None:
    """Make the boxes of these numbers known, each in a folder of its own below `folder`."""
    from django.conf import settings
    from django.utils import timezone

    from archive.core.deeds import one_deed
    from archive.custody.actors import Actor
    from archive.enrollment.claim_file import Hardware, claim_file
    from archive.enrollment.deeds import give_claim, use_claim

    identities = {number: Identity.load_or_make(folder / str(number)) for number in numbers}
    answers: dict[int, tuple[str, Enrolled]] = {}
    now = timezone.now()
    with one_deed():
        for number, identity in identities.items():
            claim = give_claim(f"Room {number}", by=Actor.operator(), now=now).text
            line = EnrollRequest.make(
                identity.signing,
                claim=claim,
                courier_key=identity.courier.public,
                csr=identity.certificate_request(),
                board="",
                model="simulated",
            )
            answers[number] = (claim, use_claim(line, now))
    card = settings.ARCHIVE_HOME / "claim.toml"
    for number, (claim, answer) in answers.items():
        card.write_text(claim_file(claim, Hardware()))
        read = load_settings(card, ClaimFile, "give out another claim")
        box_settings.write(folder / str(number), read, answer, "")
    card.unlink()


def _believe(fd: object) -> None:
    """Take it that what `fd` is of is on the disk."""


def main() -> int:
    """Enroll, and say how far it is."""
    import django

    folder, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    os.environ["DJANGO_SETTINGS_MODULE"] = "archive.settings"
    django.setup()
    # half of the time went into making keys durable that are gone in an hour; the database's commits are as always
    os.fsync = _believe
    folder.mkdir(exist_ok=True)
    for begin in range(first, first + count, AT_ONCE):
        end = min(begin + AT_ONCE, first + count)
        enroll(folder, range(begin, end))
        sys.stderr.write(f"{end}\n")
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
