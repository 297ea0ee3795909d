"""Set-up names three places for backups, proves that they can be written, and allows them to the units."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from appliance.contract.errors import SettingsError
from archive.configuration.storage import Backup
from archive.setup import command, places, steps
from archive.setup.answers import Answers
from archive.setup.steps import Host
from archive.setup.written_settings import settings_text

ROOT = Path(__file__).resolve().parents[3]
ARGUMENTS = ["--host", "archive.example", "--user", "m.jones", "--new-escrow", "/media/stick/escrow.txt"]


def answers(*more: str) -> Answers:
    return command.read_answers(command.parser().parse_args([*ARGUMENTS, *more]), None)


def three(folder: Path) -> Backup:
    return Backup(folder=folder / "backup", keys=folder / "keys", generation_keys=folder / "stick")


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host whose archive.toml was written, without places; as another user than root."""
    monkeypatch.setattr(Host, "is_root", False)
    made = Host(tmp_path / "home", tmp_path / "broker", units=tmp_path / "units")
    made.home.mkdir()
    steps.write_configuration(made, answers())
    return made


def settings_of(host: Host) -> dict[str, object]:
    return tomllib.loads((host.home / "archive.toml").read_text())


def test_the_places_are_options_and_stand_in_the_settings() -> None:
    given = answers("--backup-folder", "/mnt/b", "--backup-keys", "/mnt/k", "--backup-generation-keys", "/media/s")
    written = tomllib.loads(settings_text(given, Path("/home"), Path("/broker")))
    assert written["backup"] == {"folder": "/mnt/b", "keys": "/mnt/k", "generation_keys": "/media/s"}
    assert "backup" not in tomllib.loads(settings_text(answers(), Path("/home"), Path("/broker")))


def test_a_backup_without_a_place_for_its_keys_is_refused() -> None:
    with pytest.raises(SettingsError, match="three places"):
        answers("--backup-folder", "/mnt/backup")


def test_a_later_run_writes_them_into_settings_that_name_none_and_changes_nothing_else(host: Host) -> None:
    before, wanted = settings_of(host), three(host.home.parent)
    given = answers().model_copy(update={"backup": wanted})
    assert "written into it" in steps.write_configuration(host, given)
    after = settings_of(host)
    assert after.pop("backup") == {name: str(path) for name, path in wanted.model_dump(exclude_unset=True).items()}
    assert after == before
    assert "kept as they are" in steps.write_configuration(host, given)
    other = answers().model_copy(update={"backup": three(host.home)})
    with pytest.raises(SettingsError, match="says otherwise"):
        steps.write_configuration(host, other)


def test_a_place_is_made_where_it_is_not_there_and_one_that_cannot_be_written_is_named(
    host: Host, tmp_path: Path
) -> None:
    wanted = three(tmp_path)
    assert str(wanted.folder) in places.prove_places(host, wanted)
    assert wanted.keys is not None
    assert wanted.keys.is_dir()
    with pytest.raises(SettingsError, match="cannot make") as refused:
        places.prove_places(host, wanted.model_copy(update={"keys": tmp_path / "not" / "mounted"}))
    assert refused.value.field == "backup.keys"


def test_a_place_of_another_user_is_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root, who may write everywhere: the archive's user is asked."""
    monkeypatch.setattr(places, "USER", "nobody")
    wanted = three(tmp_path)
    tmp_path.chmod(0o755)
    for path in (wanted.folder, wanted.keys, wanted.generation_keys):
        assert path is not None
        path.mkdir(mode=0o700)
    with pytest.raises(SettingsError, match="chown") as refused:
        places.prove_places(Host(tmp_path / "home"), wanted)
    assert refused.value.field == "backup.folder"


def test_web_and_worker_are_allowed_what_the_settings_name_and_nothing_else(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Host, "is_root", True)
    again: list[list[str]] = []
    monkeypatch.setattr(places, "restart", lambda _host, units: again.append(list(units)))
    path = host.home / "archive.toml"
    before = path.read_text()
    path.write_text(
        f'{before}\n[backup]\nfolder = "/mnt/backup"\nkeys = "/mnt/my keys"\ngeneration_keys = "/media/100%"\n'
        '[custody]\nfolder = "/mnt/witness"\n'
    )
    places.allow_places(host)

    def allowed(unit: str) -> list[str]:
        text = (host.units / f"{unit}.d" / "places.conf").read_text()
        return re.findall(r'"([^"]+)"', text.split("ReadWritePaths=")[1])

    assert allowed(places.WORKER) == ["-/mnt/witness", "-/mnt/my keys", "-/media/100%%"]
    assert allowed(places.WEB) == ["-/media/100%%"], "it notes there what was destroyed"
    places.allow_places(host)
    path.write_text(before)
    places.allow_places(host)
    assert again == [[places.WEB, places.WORKER], [], [places.WEB, places.WORKER]]
    assert not list(host.units.rglob("places.conf"))


def test_what_is_left_to_do_names_the_backup_until_there_is_a_place(host: Host) -> None:
    def left(given: Answers) -> str:
        return " ".join(command.what_is_left(host, given))

    assert "three places for backups" in left(answers())
    given = answers().model_copy(update={"backup": three(host.home.parent)})
    steps.write_configuration(host, given)
    assert "three places for backups" not in left(given)


def test_the_timer_is_started_and_its_unit_may_write_where_a_place_s_owner_lets_it() -> None:
    assert "plainsight-archive-backup.timer" in steps.units(broker=False, boxes=False)
    unit = (ROOT / "systemd/plainsight-archive-backup.service").read_text()
    assert "ExecStart=/usr/bin/plainsight-archive backup --if-named\n" in unit
    assert "ProtectSystem=full\n" in unit
    assert "ReadWritePaths" not in unit
    for other in (places.WEB, places.WORKER):
        assert "ProtectSystem=strict\n" in (ROOT / "systemd" / other).read_text()
