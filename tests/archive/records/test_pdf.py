"""What is printed is made of the page alone."""

from __future__ import annotations

import pytest

from archive.records.pdf import pdf_of

PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


def test_a_picture_in_the_page_is_printed() -> None:
    assert pdf_of(f'<html lang="en"><title>A letter</title><img alt="dot" src="{PIXEL}">').startswith(b"%PDF-")


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/x.png", "file:///etc/hostname"])
def test_nothing_is_fetched_and_nothing_is_left_out(address: str) -> None:
    with pytest.raises(ValueError, match="nothing is fetched for printing"):
        pdf_of(f'<html lang="en"><title>A letter</title><img alt="x" src="{address}">')
