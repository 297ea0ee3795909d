"""A lasting trouble is logged once, and its end."""

from __future__ import annotations

import logging

import pytest

from appliance.contract.trouble_log import TroubleLog


def test_a_trouble_is_logged_when_it_begins_changes_and_ends(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    troubles = TroubleLog(logging.getLogger("test"))
    for _ in range(3):
        troubles.report("archive", "it is down")
    troubles.report("spool", "it is not there")
    troubles.report("archive", "it is busy")
    troubles.clear("archive")
    troubles.clear("archive")
    troubles.forget("spool")
    troubles.clear("spool")
    assert caplog.messages == ["it is down", "it is not there", "it is busy", "archive: it works again"]
    troubles.report("archive", "it is down")
    assert caplog.messages[-1] == "it is down"
