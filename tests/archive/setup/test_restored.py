"""docs/backup.md, "Taking one back": restore into the empty folder, then the same set-up; it keeps what came back."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive.configuration.storage import Backup
from archive.setup import command
from archive.setup.answers import Answers
from archive.setup.steps import Host
from tests.support.archives import ROOT

PAGE = (ROOT / "docs" / "backup.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """As another user than root: nothing of this machine itself is touched."""
    monkeypatch.setattr(Host, "is_root", False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def host(folder: Path) -> Host:
    return Host(folder / "home", folder / "broker", folder / "plainsight.conf", units=folder / "units")


def test_what_was_restored_is_set_up_as_at_the_installation_and_keeps_its_keys_accounts_and_settings(
    tmp_path: Path,
) -> None:
    three = Backup(folder=tmp_path / "backup", keys=tmp_path / "keys", generation_keys=tmp_path / "stick")
    given = Answers(host="127.0.0.1", user="m.jones", new_escrow=tmp_path / "escrow.txt", backup=three)
    old, new = host(tmp_path / "old"), host(tmp_path / "new")
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    assert command.set_up(old, given, lambda _: None).password
    old.run("backup", "--json")
    # the second half of the page: no escrow, no places, since the settings have both
    found = new.run(
        "restore", f"--from={three.folder}", f"--keys-from={three.keys}",
        f"--generation-keys-from={three.generation_keys}", "--json",
    )  # fmt: skip
    assert (found["failed"], found["custody"]) == ([], "")
    again = command.set_up(new, Answers(host="127.0.0.1", user="m.jones"), lambda _: None)
    assert again.password is None, "the accounts came back"
    assert any("kept as they are" in words for words in again.done)
    assert new.run("list-users", "--json") == old.run("list-users", "--json")
    for name in ("signing.pem", "authority.pem", "escrow.txt"):
        assert (new.home / "keys" / name).read_bytes() == (old.home / "keys" / name).read_bytes()
    assert (new.broker / "access").exists(), "what a backup has not is made"


def test_the_page_says_these_steps_in_this_order() -> None:
    steps = ["do **not** set the archive up", "sudo plainsight-archive restore --from", "sudo plainsight-archive setup"]
    part = PAGE.split("## Taking one back")[1].split("\n## ")[0]
    found = [part.index(step) for step in steps]
    assert found == sorted(found)
