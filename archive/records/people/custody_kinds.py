"""Custody entries about people. None of them holds a name."""

from __future__ import annotations

from archive.custody.kinds import register

WORK_ACCOUNT = register("work-account", "it was entered with which account a person works here", "account")
STUDENT = register("student", "a student was entered", "fields")
STUDENT_CHANGED = register("student-changed", "a student's data were corrected", "fields")
PERSON = register("person", "a person was entered", "fields")
PERSON_CHANGED = register("person-changed", "a person's data were corrected", "fields")
RIGHT = register(
    "right", "a person's rights over the records were entered", "person", "ground", "named_by", "from_day", "to_day"
)
RIGHT_END = register("right-end", "a person's rights over the records were ended", "person", "ground", "to_day")
BAR = register("bar", "a court order that bars a person was entered", "person", "from_day", "to_day")
BAR_END = register("bar-end", "a court order that bars a person was ended", "person", "to_day")
MAJORITY = register("majority", "it was decided what follows from the 18th birthday")
IMPORT = register(
    "import", "a roster was taken in", "source", "sha256", "added", "changed", "kept", "missing", "refused"
)
