"""`plainsight-archive keyring`: what a checker gets."""

from __future__ import annotations

from appliance.contract.keys import KeyRing
from archive.custody.actors import ARCHIVE
from archive.devices.enrollment import retire
from tests.support.archives import Archive


def test_boxes_retired_ones_included_and_the_archive_are_in_it(archive: Archive) -> None:
    retire(archive.keys.box, by=ARCHIVE)
    assert KeyRing.model_validate_json(archive.run("keyring").stdout) == archive.keys.ring()
