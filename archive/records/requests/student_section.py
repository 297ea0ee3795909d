"""What a student's page says of requests: which are open, and the way to the record of access."""

from __future__ import annotations

from django.utils import timezone

from archive.access.decisions import reach_of
from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.recordings.contributions import Section
from archive.records.people.models import Student
from archive.records.people.search import reached

from .deeds import with_due
from .models import AccessRequest, Amendment
from .rules import OPEN


def section(student: Student, reader: User) -> Section | None:
    """Return the open requests about the student, and all amendments, as far as `reader` handles them.

    One that is over is there as well: a hearing can be asked for later, and a statement placed.
    """
    reach, today = reach_of(reader, Deed.REQUESTS), timezone.localdate()
    if not reach.scopes or not Student.objects.filter(reached(reach), pk=student.pk).exists():
        return None
    waiting = with_due(AccessRequest.objects.filter(student=student, closed_at=None))
    context = {
        "student": student,
        "waiting": [(one, due, due.late(today)) for one, due in waiting],
        "amendments": [
            (one, one.state in OPEN) for one in Amendment.objects.filter(student=student).select_related("person")
        ],
    }
    return Section("Requests of parents", "requests/student_section.html", context)
