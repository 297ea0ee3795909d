"""What the apps above know about a student, for the student's page."""

from __future__ import annotations

from typing import Final

from archive.records.sections import Sections

from .models import Student

SECTIONS: Final[Sections[Student]] = Sections()
"""What stands on a student's page below who holds rights."""
