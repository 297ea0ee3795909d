"""The black squares of a drawn QR code, and those that a text must have."""

from __future__ import annotations

import base64
import re

import qrcode
from qrcode.constants import ERROR_CORRECT_M

Squares = set[tuple[int, int]]
"""Column and row of each black square, from the corner of the quiet zone."""
_SQUARE = re.compile(r"M(\d+),(\d+)H(\d+)V(\d+)H(\d+)z")
_IMAGE = re.compile(r'src="data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)"')


def drawn(svg: str) -> Squares:
    """Return the black squares of a code that is drawn as SVG."""
    found = [tuple(map(int, one)) for one in _SQUARE.findall(svg)]
    assert found
    assert all((right, bottom, back) == (x + 1, y + 1, x) for x, y, right, bottom, back in found)
    return {(x, y) for x, y, *_ in found}


def drawn_in(html: str) -> Squares:
    """Return the black squares of the one code that stands as an image in a page that is printed."""
    (image,) = _IMAGE.findall(html)
    return drawn(base64.b64decode(image).decode())


def of(text: str) -> Squares:
    """Return the black squares of the code of a text, at the size and with the correction that the archive draws."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=4)
    code.add_data(text)
    rows = enumerate(code.get_matrix())
    return {(x, y) for y, row in rows for x, black in enumerate(row) if black}
