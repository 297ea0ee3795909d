"""`plainsight read-only-root` on a root that a folder plays: nothing of a box is lost, whenever the power fails."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.errors import ConflictError, PlainSightError, SettingsError, StorageError
from appliance.read_only_root import plan
from appliance.read_only_root.command import main
from appliance.read_only_root.switch import switch_off, switch_on

DEVICE = Path("/dev/sda1")


class PowerCutError(Exception):
    """The power fails."""


class FakeMachine:
    """Keeps what it was asked to run; copies as `cp -a` does; the power fails before the call of a given number."""

    def __init__(self, *, kind: str = "ext4", mounted: str = "", overlay: bool = False, cut_at: int = -1) -> None:
        self.kind, self.mounted, self.overlay, self.cut_at = kind, mounted, overlay, cut_at
        self.history: list[tuple[str, ...]] = []
        self.installed = {"busybox", "overlayroot-chroot"}
        self.idle = True
        self.fails: tuple[str, ...] | None = None

    def run(self, *command: str, status: int | None = 0) -> str:
        """Play the command."""
        if len(self.history) == self.cut_at:
            raise PowerCutError
        self.history.append(command)
        if self.fails and command[: len(self.fails)] == self.fails:
            raise StorageError(f"{' '.join(command)} ended with 1; see above")
        if command[0] == "sh":
            return "idle\n" if self.idle else ""
        if command[0] == "lsblk":
            row = {"path": command[-1], "uuid": "1234-ABCD", "fstype": self.kind or None, "mountpoint": self.mounted}
            return json.dumps({"blockdevices": [row]})
        if command[0] == "findmnt":
            return "overlay\n" if self.overlay else "ext4\n"
        if command[:2] == ("cp", "-a"):
            shutil.copytree(command[2], command[3], symlinks=True)
        return ""

    def has(self, command: str) -> bool:
        """Only what a test installs."""
        return command in self.installed

    def is_block_device(self, path: Path) -> bool:
        """Only the one that there is."""
        return path == DEVICE


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder, name, text in (
        ("etc/plainsight", "recorder.toml", "box = 7\n"),
        ("var/lib/plainsight/spool", "recording", "sound\n"),
        ("var/lib/systemd", "random-seed", "seed\n"),
    ):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / name).write_text(text)
    (tmp_path / "etc/fstab").write_text("/dev/mmcblk0p2 / ext4 defaults 0 1\n")
    return tmp_path


def read(root: Path, name: str) -> str:
    return (root / name.lstrip("/")).read_text()


def test_what_must_last_is_moved_onto_the_data_partition_and_mounted_from_there(root: Path) -> None:
    machine = FakeMachine()
    assert switch_on(machine, DEVICE, root)
    data = root / plan.DATA.lstrip("/")
    assert read(data, "etc/plainsight/recorder.toml") == "box = 7\n"
    assert read(data, "var/lib/plainsight/spool/recording") == "sound\n"
    assert list((root / "etc/plainsight").iterdir()) == [], "keys stand in one place"
    assert read(root, "/var/lib/systemd/random-seed") == "seed\n", "the running system keeps its own until it ends"
    fstab = read(root, "/etc/fstab")
    assert fstab.startswith("/dev/mmcblk0p2 / ext4 defaults 0 1\n")
    assert f"UUID=1234-ABCD {plan.DATA} ext4" in fstab
    assert f"{plan.DATA}/etc/plainsight /etc/plainsight none bind" in fstab
    assert "/var/log/journal" not in fstab, "a box without it gets none"
    assert 'overlayroot="tmpfs:recurse=0"' in read(root, plan.OVERLAYROOT)
    assert "LIBMOUNT_FORCE_MOUNT2=always" in read(root, plan.REMOUNT), "systemd may mount an overlay again"
    stop = next(command for command in machine.history if command[:2] == ("systemctl", "stop"))
    assert {f"plainsight-{one}.service" for one in plan.UNITS} < set(stop)
    assert {"plainsight-renew.timer", "plainsight-doctor.timer"} < set(stop), "and nothing starts one again"
    assert machine.history.index(stop) < [command[0] for command in machine.history].index("cp"), "nobody writes"


def test_promise_3_no_service_runs_without_the_data_partition(root: Path) -> None:
    switch_on(FakeMachine(), DEVICE, root)
    for unit in plan.UNITS:
        asked = read(root, plan.unit_file(unit)).split("RequiresMountsFor=")[1].split()
        assert {plan.DATA, "/etc/plainsight", "/var/lib/plainsight"} <= set(asked)


def test_promise_3_a_power_cut_at_any_moment_loses_nothing_and_it_can_be_done_again(root: Path) -> None:
    whole = FakeMachine()
    copy = root.with_name("whole")
    shutil.copytree(root, copy)
    switch_on(whole, DEVICE, copy)
    for number in range(len(whole.history)):
        place = root.with_name(f"cut-{number}")
        shutil.copytree(root, place)
        with pytest.raises(PowerCutError):
            switch_on(FakeMachine(cut_at=number), DEVICE, place)
        data = place / plan.DATA.lstrip("/")
        for folder, name in (("etc/plainsight", "recorder.toml"), ("var/lib/plainsight/spool", "recording")):
            kept = (data / folder / name).exists()
            assert kept or (place / folder / name).exists(), "it is on the root or on the partition"
            mounted = f" /{folder.removesuffix('/spool')} none bind" in read(place, "/etc/fstab")
            assert kept or not mounted, "what is mounted over it holds it"
        assert switch_on(FakeMachine(), DEVICE, place)
        assert read(data, "etc/plainsight/recorder.toml") == "box = 7\n"
        assert read(place, "/etc/fstab") == read(copy, "/etc/fstab")


def test_two_boxes_settings_are_not_mixed(root: Path) -> None:
    there = root / plan.DATA.lstrip("/") / "etc/plainsight"
    there.mkdir(parents=True)
    (there / "recorder.toml").write_text("box = 8\n")
    with pytest.raises(ConflictError, match=r"recorder\.toml is not on the data partition as it is here"):
        switch_on(FakeMachine(), DEVICE, root)
    assert read(root, "/etc/plainsight/recorder.toml") == "box = 7\n"
    assert not (root / "etc/overlayroot.local.conf").exists()
    (root / "etc/plainsight/recorder.toml").unlink()
    assert switch_on(FakeMachine(), DEVICE, root), "a card written anew goes on with the partition of its box"
    assert (there / "recorder.toml").read_text() == "box = 8\n"


def test_promise_3_a_recording_that_only_the_root_has_is_not_removed(root: Path) -> None:
    there = root / plan.DATA.lstrip("/") / "var/lib/plainsight/spool"
    there.mkdir(parents=True)
    (there / "older").write_text("kept")
    machine = FakeMachine()
    with pytest.raises(ConflictError, match="spool/recording is not on the data partition"):
        switch_on(machine, DEVICE, root)
    assert machine.history[-1][:2] == ("systemctl", "start"), "the box goes on"
    assert read(root, "/var/lib/plainsight/spool/recording") == "sound\n"


def test_nobody_is_cut_off(root: Path) -> None:
    machine = FakeMachine()
    machine.idle = False
    with pytest.raises(ConflictError, match="after the meeting"):
        switch_on(machine, DEVICE, root)
    assert not any(command[0] in {"mount", "systemctl"} for command in machine.history)


@pytest.mark.parametrize("fails", [("mount",), ("cp", "-a"), ("sync", "-f")])
def test_promise_3_where_the_partition_cannot_be_filled_the_box_goes_on_and_no_older_copy_stays(
    root: Path, fails: tuple[str, ...]
) -> None:
    """A copy that stayed would be mounted one day over what was recorded since."""
    machine = FakeMachine()
    machine.fails = fails
    with pytest.raises(StorageError, match="see above"):
        switch_on(machine, DEVICE, root)
    asked = [command for command in machine.history if command[0] == "systemctl"]
    assert [command[1] for command in asked] == ["stop", "start"]
    assert {"plainsight-recorder.service", "plainsight-courier.service", "plainsight-renew.timer"} <= set(asked[1])
    assert read(root, "/var/lib/plainsight/spool/recording") == "sound\n"
    (root / "var/lib/plainsight/spool/later").write_text("recorded since\n")
    assert switch_on(FakeMachine(), DEVICE, root)
    kept = root / plan.DATA.lstrip("/") / "var/lib/plainsight/spool"
    assert sorted(path.name for path in kept.iterdir()) == ["later", "recording"]


def test_promise_3_switched_off_and_on_again_it_removes_nothing_from_the_partition(root: Path) -> None:
    switch_on(FakeMachine(), DEVICE, root)
    switch_off(FakeMachine(), root)
    data = root / plan.DATA.lstrip("/")
    for folder in ("etc/plainsight", "var/lib/plainsight"):
        # as it is mounted after the next start
        (root / folder).rmdir()
        (root / folder).symlink_to(data / folder)
    assert switch_on(FakeMachine(mounted=plan.DATA), DEVICE, root)
    assert read(data, "etc/plainsight/recorder.toml") == "box = 7\n"
    assert read(data, "var/lib/plainsight/spool/recording") == "sound\n"


@pytest.mark.parametrize(
    ("machine", "device", "told"),
    [
        (FakeMachine(kind=""), DEVICE, r"no file system.*mkfs\.ext4"),
        (FakeMachine(kind="vfat"), DEVICE, "only ext4"),
        (FakeMachine(mounted="/"), DEVICE, "mounted at /"),
        (FakeMachine(), Path("/dev/sdz9"), "no block device"),
    ],
)
def test_a_device_that_cannot_be_it_is_refused_and_nothing_was_changed(
    root: Path, machine: FakeMachine, device: Path, told: str
) -> None:
    with pytest.raises(StorageError, match=told):
        switch_on(machine, device, root)
    assert read(root, "/etc/plainsight/recorder.toml") == "box = 7\n"
    assert not any(command[0] in {"mount", "systemctl"} for command in machine.history)


def test_what_is_missing_is_told_before_anything_is_changed(root: Path) -> None:
    machine = FakeMachine()
    machine.installed.clear()
    with pytest.raises(SettingsError, match="apt install overlayroot"):
        switch_on(machine, DEVICE, root)
    machine.installed.add("overlayroot-chroot")
    with pytest.raises(SettingsError, match="apt install busybox"):
        switch_on(machine, DEVICE, root)
    (root / "boot/firmware").mkdir(parents=True)
    (root / "boot/firmware/config.txt").write_text("# auto_initramfs=0\n[all]\n")
    with pytest.raises(SettingsError, match="add auto_initramfs=1"):
        switch_on(FakeMachine(), DEVICE, root)
    assert read(root, "/etc/plainsight/recorder.toml") == "box = 7\n"


def test_a_read_only_root_stays_as_it_is_and_a_writable_one_is_switched_off_at_once(root: Path) -> None:
    assert not switch_on(FakeMachine(overlay=True), DEVICE, root)
    switch_on(FakeMachine(), DEVICE, root)
    switch_off(FakeMachine(), root)
    assert 'overlayroot="disabled"' in read(root, plan.OVERLAYROOT)
    assert plan.DATA in read(root, "/etc/fstab"), "what is kept stays where it is"


@given(
    st.lists(
        st.text(st.characters(exclude_characters="\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), max_size=20), max_size=6
    )
)
def test_fstab_keeps_every_other_line_and_a_second_time_changes_nothing(lines: list[str]) -> None:
    before = "".join(f"{line}\n" for line in lines if "plainsight read-only-root" not in line)
    once = plan.with_data(before, "1234", list(plan.KEPT))
    assert plan.without_data(once) == before
    assert plan.with_data(once, "1234", list(plan.KEPT)) == once


def test_the_command_asks_for_its_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["on"])
    assert ended.value.code == 2
    assert "--data" in capsys.readouterr().err
    assert main(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"read_only": False, "data": False, "wrong": []}
    with pytest.raises(PlainSightError, match="the root is writable"):
        main(["run", "--", "true"])
