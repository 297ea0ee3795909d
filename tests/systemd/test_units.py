"""The units parse without a word, expose little, and hold promise 4 (who hears cannot talk, who talks cannot hear)."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from appliance import command
from appliance.enrollment.command import NO_ANSWER
from appliance.recorder.capture import process
from archive.command import OWN

from .units import COURIER, DOCTOR, FOLDER, RECORDER, ROOTS, UNITS, WRITERS, one, service, words

SPOOL = "/var/lib/plainsight/spool"
INBOX = "/var/lib/plainsight/inbox"
STATE = "/var/lib/plainsight/state"
MOST_EXPOSED = 1.5
TARGET = "plainsight-box.target"
PACKAGE = FOLDER.parent / "deploy/packages/debian"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder that looks like a root with systemd's own units, ours, and stubs of our programs."""
    shutil.copytree("/usr/lib/systemd/system", tmp_path / "usr/lib/systemd/system", symlinks=True)
    (tmp_path / "lib").symlink_to("usr/lib")
    ours = tmp_path / "etc/systemd/system"
    ours.mkdir(parents=True)
    for name in (*UNITS, TARGET):
        shutil.copy(FOLDER / name, ours)
    programs = tmp_path / "usr/bin"
    programs.mkdir(parents=True, exist_ok=True)
    for program in ("plainsight", "plainsight-archive", "systemctl", "sh"):
        (programs / program).write_text("#!/bin/sh\n")
        (programs / program).chmod(0o755)
    return tmp_path


def verify(root: Path, name: str) -> tuple[int, str]:
    done = subprocess.run(
        ["systemd-analyze", "verify", f"--root={root}", "--man=no", name],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


@pytest.mark.parametrize("name", [*UNITS, TARGET])
def test_systemd_understands_every_line(root: Path, name: str) -> None:
    # it exits 0 for settings that it does not know: only silence counts
    assert verify(root, name) == (0, "")


def test_the_check_above_notices_a_misspelt_setting(root: Path) -> None:
    path = root / "etc/systemd/system" / RECORDER
    path.write_text(path.read_text().replace("PrivateNetwork=", "PrivateNetwrk="))
    assert "PrivateNetwrk" in verify(root, RECORDER)[1]


def test_the_check_above_notices_a_program_that_is_not_there(root: Path) -> None:
    (root / "usr/bin/plainsight").unlink()
    assert verify(root, RECORDER)[0] != 0


@pytest.mark.parametrize("name", UNITS)
def test_exposure_stays_low(name: str) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(FOLDER / name)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    found = re.search(rf"Overall exposure level for {re.escape(name)}: ([0-9.]+)", done.stdout)
    assert found, done.stdout
    assert float(found[1]) <= MOST_EXPOSED


def test_promise_4_the_recorder_has_no_network() -> None:
    assert one(RECORDER, "PrivateNetwork") == "yes"
    assert words(RECORDER, "RestrictAddressFamilies") == ["AF_UNIX"]
    assert one(RECORDER, "IPAddressDeny") == "any"


def test_promise_4_the_recorder_reaches_pins_and_sound_and_no_other_device() -> None:
    assert one(RECORDER, "DevicePolicy") == "closed"
    assert service(RECORDER)["DeviceAllow"] == ["char-gpiochip rw", "char-alsa rw"]
    # PrivateDevices= would hide both
    assert "PrivateDevices" not in service(RECORDER)


def test_sound_drivers_are_there_before_the_recorder_is_allowed_them_by_name() -> None:
    modules = (FOLDER / "modules-load.d/plainsight-box.conf").read_text().splitlines()
    assert {"snd", "snd_usb_audio"} <= {line for line in modules if not line.startswith("#")}


def test_promise_4_the_courier_reaches_no_device() -> None:
    assert one(COURIER, "PrivateDevices") == "yes"
    assert one(COURIER, "DevicePolicy") == "closed"
    assert "DeviceAllow" not in service(COURIER)
    assert not {"plainsight-sound", "plainsight-gpio", "audio", "gpio"} & set(words(COURIER, "SupplementaryGroups"))


def test_promise_4_the_courier_cannot_change_the_spool() -> None:
    assert one(COURIER, "ProtectSystem") == "strict"
    assert words(COURIER, "ReadWritePaths") == [INBOX]
    assert SPOOL in words(COURIER, "ReadOnlyPaths")


def test_promise_4_the_courier_sees_no_key_of_the_recorder() -> None:
    assert "-/etc/plainsight/box.key" in words(COURIER, "InaccessiblePaths")
    assert "LoadCredential" not in service(COURIER)


def test_the_recorder_writes_the_spool_and_the_record_of_commissioning_only() -> None:
    assert one(RECORDER, "ProtectSystem") == "strict"
    assert words(RECORDER, "ReadWritePaths") == [SPOOL, STATE]
    assert one(RECORDER, "RuntimeDirectory") == "plainsight"


def test_promise_4_the_daily_check_is_the_recorders_user_and_neither_hears_nor_talks() -> None:
    assert one(DOCTOR, "User") == one(RECORDER, "User")
    assert one(DOCTOR, "PrivateNetwork") == "yes"
    assert words(DOCTOR, "ReadWritePaths") == [STATE]
    assert not [word for word in words(DOCTOR, "DeviceAllow") if "alsa" in word]


def test_recorder_and_courier_are_different_users() -> None:
    assert one(RECORDER, "User") == "plainsight-recorder"
    assert one(COURIER, "User") == "plainsight-courier"
    # what the recorder makes belongs to the group that the courier reads with, and only that group
    assert one(RECORDER, "Group") == "plainsight-spool"
    assert one(RECORDER, "UMask") == "0027"
    assert words(COURIER, "SupplementaryGroups") == ["plainsight-spool"]


def test_promise_1_the_lamp_goes_out_however_the_recorder_ended() -> None:
    assert one(RECORDER, "ExecStopPost").split()[1] == "lamps-out"
    # systemd then waits for the whole group; "process" or "none" would leave capture alive
    assert one(RECORDER, "KillMode") == "control-group"
    assert one(RECORDER, "Restart") == "always"
    assert one(RECORDER, "Type") == "notify"
    assert int(one(RECORDER, "WatchdogSec")) <= 10


def test_the_recorders_memory_goes_nowhere() -> None:
    assert one(RECORDER, "LimitCORE") == "0"
    assert one(RECORDER, "MemorySwapMax") == "0"
    # the default signal of the watchdog, SIGABRT, asks for a core dump
    assert one(RECORDER, "WatchdogSignal") == "SIGKILL"


@pytest.mark.parametrize("name", UNITS)
def test_every_unit_gives_up_what_none_needs(name: str) -> None:
    for key in (
        "NoNewPrivileges",
        "ProtectKernelModules",
        "ProtectKernelTunables",
        "RestrictNamespaces",
        "ProtectHome",
    ):
        assert one(name, key) == "yes", key
    assert one(name, "CapabilityBoundingSet") == ""
    assert one(name, "User").startswith("plainsight-") or name in ROOTS


def test_what_root_runs_ends_and_hears_nothing() -> None:
    for name in ROOTS:
        assert one(name, "Type") == "oneshot"
        assert one(name, "PrivateDevices") == "yes"
        may_write = words(name, "ReadWritePaths")
        assert all(path.startswith(("/etc/plainsight", "/boot/firmware")) for path in may_write)
        assert bool(may_write) == (name in WRITERS)


def test_a_renewal_that_nobody_answered_is_tried_again_within_minutes() -> None:
    assert one("plainsight-renew.service", "Restart") == "on-failure"
    assert str(NO_ANSWER) not in words("plainsight-renew.service", "RestartPreventExitStatus")
    assert int(one("plainsight-renew.service", "RestartSec")) <= 600
    assert "StartLimitIntervalSec=0\n" in (FOLDER / "plainsight-renew.service").read_text(encoding="utf-8")


def test_recorder_and_courier_wait_for_enrollment_and_for_the_settings_that_it_writes_last() -> None:
    unit = (FOLDER / "plainsight-enroll.service").read_text(encoding="utf-8")
    assert f"\nBefore={RECORDER} {COURIER}\n" in unit
    for name, settings in ((RECORDER, "recorder.toml"), (COURIER, "courier.toml")):
        text = (FOLDER / name).read_text(encoding="utf-8")
        assert f"\nConditionPathExists=/etc/plainsight/{settings}\n" in text


def test_a_box_that_is_enrolled_anew_while_it_runs_takes_its_new_settings_up_and_cuts_no_recording() -> None:
    first, second = service("plainsight-enroll.service")["ExecStartPost"]
    # as an upgrade does it (plainsight-box.postinst): SIGHUP has the recorder start again once it is idle
    assert first == f"-+/usr/bin/systemctl kill --kill-whom=main --signal=SIGHUP {RECORDER}"
    assert first.removeprefix("-+/usr/bin/") in (PACKAGE / "plainsight-box.postinst").read_text(encoding="utf-8")
    # not waited for: it is ordered behind this unit
    assert second == f"-+/usr/bin/systemctl try-restart --no-block {COURIER}"


def test_a_start_on_a_busy_board_is_not_cut_off() -> None:
    # it would begin again with the same odds, for ever
    for name in (RECORDER, COURIER):
        assert int(one(name, "TimeoutStartSec")) >= 300


@pytest.mark.parametrize("name", UNITS)
def test_every_command_exists(name: str) -> None:
    for key in ("ExecStart", "ExecStopPost"):
        for line in service(name).get(key, []):
            program, subcommand, *_ = line.split()
            if program == "/usr/bin/systemctl":
                assert name in ROOTS
                continue
            known = command.SUBCOMMANDS if program.endswith("/plainsight") else OWN
            assert subcommand in known, line


def test_capture_may_ask_for_the_priority_that_it_wants() -> None:
    assert one(RECORDER, "RestrictRealtime") == "no"
    assert int(one(RECORDER, "LimitRTPRIO")) >= process._PRIORITY


def test_the_recorder_waits_for_the_pins_that_udev_gives_it() -> None:
    # After= alone orders nothing that nobody asked for, and without the tag there is no unit to ask for
    lines = (FOLDER / RECORDER).read_text(encoding="utf-8").splitlines()
    assert {"Wants=dev-gpiochip0.device", "After=dev-gpiochip0.device"} <= set(lines)
    rule = (FOLDER.parent / "firmware_config" / "99-plainsight.rules").read_text(encoding="ascii")
    assert re.search(r'^SUBSYSTEM=="gpio", KERNEL=="gpiochip.*TAG\+="systemd"', rule, flags=re.MULTILINE)


def test_all_services_of_a_box_start_and_stop_under_one_name() -> None:
    for name in (RECORDER, COURIER, "plainsight-enroll.service"):
        lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
        assert {f"PartOf={TARGET}", f"WantedBy={TARGET}"} <= set(lines), name
    assert "WantedBy=multi-user.target" in (FOLDER / TARGET).read_text(encoding="utf-8").splitlines()
    rules = (PACKAGE / "rules").read_text(encoding="utf-8")
    # shipped, and enabled
    assert f"systemd/{TARGET} " in rules
    assert re.search(rf"dh_installsystemd -pplainsight-box [^\n]*{TARGET}", rules)


def test_a_boxs_journal_has_a_bound_on_the_card_and_in_memory(root: Path) -> None:
    (shipped,) = (FOLDER / "journald.conf.d").glob("*.conf")
    found = dict(line.split("=") for line in shipped.read_text(encoding="utf-8").splitlines() if "=" in line[1:])
    assert {"SystemMaxUse", "RuntimeMaxUse", "MaxRetentionSec", "RateLimitBurst"} <= set(found)
    assert int(found["SystemMaxUse"].removesuffix("M")) <= 64
    # after Raspberry Pi OS's own (40-rpi-volatile-storage.conf), whose choice between card and memory stays
    assert shipped.name > "40-"
    assert "Storage" not in found
    assert "journald.conf.d/*.conf" in (PACKAGE / "rules").read_text(encoding="utf-8")


def test_the_clock_is_kept_right_and_keeps_no_box_from_recording() -> None:
    control = (PACKAGE / "control").read_text(encoding="utf-8")
    box = control.split("Package: plainsight-box\n")[1].split("\nPackage: ")[0]
    depends = box.split("Depends: ")[1].split("\nRecommends")[0]
    assert "systemd-timesyncd | time-daemon" in depends
    for name in UNITS:
        assert "time-sync.target" not in (FOLDER / name).read_text(encoding="utf-8"), name


@pytest.mark.parametrize("name", [RECORDER, COURIER])
def test_what_a_box_lives_on_is_tried_for_ever_and_not_in_a_tight_loop(name: str) -> None:
    assert one(name, "Restart") == "always"
    assert int(one(name, "RestartSec")) >= 2
    assert "StartLimitIntervalSec=0" in (FOLDER / name).read_text(encoding="utf-8").splitlines()
