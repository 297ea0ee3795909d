"""What a recording costs the database after its seal; `python -m tests.bench.growth` says by table what does."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.bench.growth import keep_one
from tests.support.archives import Archive

MOST = 9_000
"""Bytes of one recording's rows, of its entries in the custody log, of its first check, and of what finds them."""
NOISE = 400
"""Bytes by which two recordings of equal length differ: numbers have more digits, a report has other words."""


def payload() -> int:
    """Bytes in all rows and indexes, without what is free between them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(payload) FROM dbstat")
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_sealed_recording_costs_the_database_little_and_its_length_costs_nothing(
    archive: Archive, client: Any, tmp_path: Path
) -> None:
    sizes = []
    # the first one fills tables that are empty
    for seconds in (1, 1, 21):
        keep_one(client, archive.keys, tmp_path / "spool", seconds)
        sizes.append(payload())
    short, long = (after - before for before, after in pairwise(sizes))
    assert long - short < NOISE
    assert long < MOST
