"""One recorder for each run folder, whoever starts it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance.contract.errors import SettingsError
from appliance.contract.single_instance import single_instance


def test_a_second_one_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    with (
        single_instance(tmp_path, "stop it"),
        pytest.raises(SettingsError, match=r"another recorder runs.*stop it"),
        single_instance(tmp_path, "stop it"),
    ):
        pass
    with single_instance(tmp_path, "stop it"):
        pass


@pytest.mark.root
def test_a_lock_that_root_made_is_the_recorders_to_take(tmp_path: Path) -> None:
    assert os.geteuid() == 0, "run this as root"
    os.chown(tmp_path, 12345, 12346)
    with single_instance(tmp_path, "stop it"):
        found = (tmp_path / "recorder.lock").stat()
    assert (found.st_uid, found.st_gid) == (12345, 12346)
