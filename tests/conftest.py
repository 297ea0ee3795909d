"""What holds for every test."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import Phase, settings

from tests.support.lateness import Lateness

# The everyday suite tries the same examples every time, so that what fails is what was changed; "explore" draws others.
# No example has a time of its own to keep: a busy machine would break it.
settings.register_profile("everyday", derandomize=True, deadline=None)
settings.register_profile("explore", print_blob=True, deadline=None)
settings.register_profile("mutants", derandomize=True, deadline=None, phases=(Phase.explicit, Phase.generate))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "everyday"))


# What is imported and collected lives to the end, and is most of what there is: nobody looks for garbage in it.
gc.disable()


def pytest_collection_finish() -> None:
    """Leave what is there by now out of later searches for cycles."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def machine() -> Iterator[Lateness]:
    """What rules about time leave out of account: how late this machine is."""
    with Lateness() as measured:
        yield measured
