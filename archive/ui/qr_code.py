"""QR codes (ISO/IEC 18004) of addresses of this archive, drawn as SVG. What they say stands beside them as text."""

from __future__ import annotations

import base64
from typing import Final

import qrcode
from django.utils.safestring import SafeString
from qrcode.constants import ERROR_CORRECT_M
from qrcode.image.svg import SvgPathFillImage

QUIET: Final = 4
"""Empty modules around a code, as the standard asks for."""


def qr_code(text: str) -> SafeString:
    """Return an <svg> element for a page; a smudge over up to 15 percent of it does no harm."""
    made = qrcode.make(text, image_factory=SvgPathFillImage, error_correction=ERROR_CORRECT_M, border=QUIET)
    # nothing of `text` is in it but as black and white, so there is nothing to escape
    return SafeString(made.to_string(encoding="unicode"))


def qr_image(text: str) -> str:
    """Return the same as the address of an image, for a PDF file, which shows it with its alternative text."""
    return "data:image/svg+xml;base64," + base64.b64encode(qr_code(text).encode("utf-8")).decode("ascii")
