"""Users and folders, made by systemd's own tools in a folder of the test, never in the real root."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from .units import COURIER, FOLDER, RECORDER, ROOTS, UNITS, one, words

pytestmark = pytest.mark.root


def run(tool: str, root: Path, *arguments: str) -> None:
    # an empty or relative --root= would mean the machine's own
    assert root.is_absolute()
    assert root != Path("/")
    files = [str(path) for path in sorted((FOLDER / f"{tool.removeprefix('systemd-')}.d").glob("*.conf"))]
    done = subprocess.run(
        [tool, f"--root={root}", *arguments, *files], capture_output=True, text=True, timeout=60, check=False
    )
    said = [line for line in done.stderr.splitlines() if not line.startswith("Creating ")]
    assert (done.returncode, said) == (0, [])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert os.geteuid() == 0, "systemd-tmpfiles gives folders to other users: run this as root"
    root = tmp_path_factory.mktemp("root")
    (root / "etc/plainsight/mqtt").mkdir(parents=True)
    (root / "var/lib").mkdir(parents=True)
    for name in ("box.key", "courier.key", "mqtt/client.key"):
        (root / "etc/plainsight" / name).write_text("secret")
        (root / "etc/plainsight" / name).chmod(0o644)
    run("systemd-sysusers", root)
    run("systemd-tmpfiles", root, "--create")
    return root


def table(root: Path, name: str) -> dict[str, list[str]]:
    lines = (root / "etc" / name).read_text().splitlines()
    return {line.split(":")[0]: line.split(":") for line in lines}


def folder(root: Path, path: str) -> tuple[int, str, str]:
    status = (root / path.lstrip("/")).stat()
    users = {entry[2]: name for name, entry in table(root, "passwd").items()}
    groups = {entry[2]: name for name, entry in table(root, "group").items()}
    return stat.S_IMODE(status.st_mode), users.get(str(status.st_uid), "root"), groups.get(str(status.st_gid), "root")


def test_every_user_and_group_that_a_unit_names_is_made(root: Path) -> None:
    users, groups = table(root, "passwd"), table(root, "group")
    for name in sorted(set(UNITS) - set(ROOTS)):
        assert one(name, "User") in users
        assert {one(name, "Group"), *words(name, "SupplementaryGroups")} <= set(groups)


def test_nobody_can_log_in_as_one_of_them(root: Path) -> None:
    assert {entry[6].rsplit("/", 1)[1] for name, entry in table(root, "passwd").items() if "plain" in name} == {
        "nologin"
    }


def test_the_courier_is_in_no_group_that_hears(root: Path) -> None:
    members = {name: entry[3].split(",") for name, entry in table(root, "group").items()}
    mine = {name for name, entry in members.items() if one(COURIER, "User") in entry}
    assert mine == {"plainsight-spool"}


def test_the_spool_is_the_recorders_and_its_group_reads(root: Path) -> None:
    assert folder(root, "/var/lib/plainsight") == (0o750, "root", "plainsight-spool")
    assert folder(root, words(RECORDER, "ReadWritePaths")[0]) == (0o2750, "plainsight-recorder", "plainsight-spool")


def test_the_inbox_is_the_couriers_and_its_group_reads(root: Path) -> None:
    assert folder(root, words(COURIER, "ReadWritePaths")[0]) == (0o2750, "plainsight-courier", "plainsight-spool")


def test_keys_that_lay_open_are_closed(root: Path) -> None:
    assert folder(root, "/etc/plainsight/box.key") == (0o600, "root", "root")
    assert folder(root, "/etc/plainsight/courier.key") == (0o640, "root", "plainsight-courier")
    assert folder(root, "/etc/plainsight/mqtt/client.key") == (0o640, "root", "plainsight-courier")


def test_the_archives_folder_is_its_own(root: Path) -> None:
    assert folder(root, "/var/lib/plainsight-archive") == (0o700, "plainsight-archive", "plainsight-archive")


def test_what_an_administrator_hands_over_is_read_by_the_service_that_it_is_for_alone(root: Path) -> None:
    assert folder(root, "/etc/plainsight-archive") == (0o750, "root", "plainsight-archive")
    assert folder(root, "/etc/plainsight-control") == (0o750, "root", "plainsight-control")
