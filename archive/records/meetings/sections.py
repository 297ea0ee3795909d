"""What the apps above know about a meeting, for its page."""

from __future__ import annotations

from typing import Final

from archive.records.sections import Sections

from .models import Meeting

SECTIONS: Final[Sections[Meeting]] = Sections()
"""What stands on a meeting's page below its recordings."""
