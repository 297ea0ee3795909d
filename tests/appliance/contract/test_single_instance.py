"""One instance of a program for each folder, whoever starts it."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from appliance.contract.errors import SettingsError
from appliance.contract.single_instance import single_instance


def recorder(folder: Path) -> AbstractContextManager[None]:
    return single_instance(folder, "recorder", field="spool.run", remedy="stop it")


def test_another_program_may_have_the_same_folder(tmp_path: Path) -> None:
    with recorder(tmp_path), single_instance(tmp_path, "courier", field="state.path", remedy=""):
        pass


def test_a_second_one_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    with (
        recorder(tmp_path),
        pytest.raises(SettingsError, match=r"another recorder runs.*stop it"),
        recorder(tmp_path),
    ):
        pass
    with recorder(tmp_path):
        pass


@pytest.mark.root
def test_a_lock_that_root_made_is_the_recorders_to_take(tmp_path: Path) -> None:
    assert os.geteuid() == 0, "run this as root"
    os.chown(tmp_path, 12345, 12346)
    with recorder(tmp_path):
        found = (tmp_path / "recorder.lock").stat()
    assert (found.st_uid, found.st_gid) == (12345, 12346)
