"""Where the archive's pages come from: every template, the code that makes markup, scripts and the style sheet."""

from __future__ import annotations

from pathlib import Path

ARCHIVE = Path(__file__).resolve().parents[2] / "archive"
TEMPLATES = sorted(ARCHIVE.rglob("templates/**/*.html"))
MARKUP = [*TEMPLATES, *ARCHIVE.rglob("templatetags/*.py"), *ARCHIVE.rglob("forms.py")]
SCRIPTS = sorted(ARCHIVE.rglob("static/**/*.js"))
STYLE = ARCHIVE / "ui" / "static" / "ui" / "style.css"
SHAPES = ARCHIVE / "ui" / "templates" / "ui" / "shapes.html"
