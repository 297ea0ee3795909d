"""A boot partition for each test."""

from tests.support.boot_partition_fixtures import card, fresh, written_once

__all__ = ["card", "fresh", "written_once"]
