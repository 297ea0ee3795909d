"""A recording of half a minute, and somebody who adds transcripts to it."""

from __future__ import annotations

import pytest

from archive.access.deeds import Deed
from archive.accounts.models import User
from archive.recordings.models import Recording
from tests.archive.page_fixtures import Arrive, make_user
from tests.support.archives import Archive


@pytest.fixture
def row(archive: Archive, sealed: Arrive) -> Recording:
    return Recording.objects.get(pk=sealed(seconds=31).id)


@pytest.fixture
def ann(archive: Archive) -> User:
    return make_user("ann", Deed.TRANSCRIBE, Deed.LISTEN)
