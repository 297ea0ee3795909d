"""Custody entries about letters."""

from __future__ import annotations

from archive.custody.kinds import register

TEMPLATE = register("template", "a letter's text was written", "what", "language", "version", "sha256")
TEMPLATE_APPROVED = register("template-approved", "a letter's text was approved", "sha256")
LETTER = register("letter", "a letter was made", "template", "about", "about_id", "sha256")
OVERTAKEN = register("letter-overtaken", "something that a letter says was corrected after it was made")
DELIVERY = register("delivery", "a letter's delivery was noted")
