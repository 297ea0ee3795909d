"""What is left to do, in the order in which it is done: what is broken, then the first steps of a new archive."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse
from django.utils import timezone

from appliance.contract.check_result import CheckResult
from archive.access.deeds import Deed
from archive.access.models import Grant
from archive.devices.models import Box
from archive.enrollment.models import Claim
from archive.recordings.models import Recording
from archive.ui.tasks import Task


@dataclass(frozen=True)
class Steps:
    """The first steps of a new archive that were taken."""

    accounts: int
    """People who may listen or see the board."""
    claims: int
    """Claims that were given out."""
    boxes: int
    """Boxes that are believed."""
    recordings: int
    """Recordings that arrived."""


def steps_taken() -> Steps:
    """Count them."""
    deeds = [Deed.BOARD.value, Deed.LISTEN.value]
    return Steps(
        Grant.objects.at(timezone.now()).filter(deed__in=deeds).values("user").distinct().count(),
        Claim.objects.count(),
        Box.objects.filter(retired_at=None).count(),
        Recording.objects.count(),
    )


def tasks(found: Iterable[CheckResult], steps: Steps) -> list[Task]:
    """Return what to do, the worst first."""
    broken = sorted((one for one in found if one.verdict != "ok"), key=lambda one: one.verdict == "warning")
    return [*map(_mend, broken), *_next_steps(steps)]


def _mend(one: CheckResult) -> Task:
    wrong = one.verdict == "wrong"
    return Task(
        title=f"{one.check}: {one.found}",
        address="",
        detail=f"To do: {one.remedy}.",
        sign="at-fault" if wrong else "attention",
        state="wrong" if wrong else "worth a look",
    )


def _next_steps(steps: Steps) -> list[Task]:
    """Return the first steps that nobody has taken; each is left out once there is something that follows from it."""
    if steps.recordings:
        return []
    if steps.boxes:
        detail = "Press its button and follow the printed card (docs/commissioning.md): it needs no terminal."
        left = [Task("Commission each box where it stands", "", detail=detail)]
    elif steps.claims:
        left = [Task("Put the claim onto a box's card and plug it in", reverse("pages:boxes"))]
    else:
        left = [Task("Give out a claim for the first box", reverse("pages:claim-new"))]
    if steps.accounts < 2:
        detail = "On this host: 'sudo plainsight-archive add-user NAME --role technician'."
        left.append(Task("Make accounts for those who look after rooms and recordings", "", detail=detail))
    return left
