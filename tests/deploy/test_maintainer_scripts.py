"""What installing and removing the packages does where systemd runs, by their own scripts with the tools recorded."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "deploy/packages/debian"
TOOLS = ("systemctl", "udevadm")
UPGRADED = ("plainsight-recorder.service", "plainsight-doctor.timer")
"""What runs of a box that is in use."""


def calls(
    folder: Path, *arguments: str, script: str = "plainsight-box.postinst", active: tuple[str, ...] = ()
) -> list[str]:
    """Run a script as dpkg does, on a host whose units `active` run; return the tools' command lines."""
    programs, log = folder / "bin", folder / "calls"
    programs.mkdir(exist_ok=True)
    log.unlink(missing_ok=True)
    (folder / "systemd").mkdir(exist_ok=True)
    runs = "".join(f'    "--quiet is-active {unit}") exit 0 ;;\n' for unit in active)
    look = f'case "$*" in\n{runs}    *is-active*) exit 3 ;;\nesac\n'
    for tool in TOOLS:
        (programs / tool).write_text(f'#!/bin/sh\n{look}echo "{tool} $*" >>{log}\n')
        (programs / tool).chmod(0o755)
    text = (SCRIPTS / script).read_text().replace("#DEBHELPER#", "")
    for there, here in (("/run/systemd/system", "systemd"), ("/var/lib/plainsight-archive", "plainsight-archive")):
        text = text.replace(there, str(folder / here))
    subprocess.run(
        ["sh", "-c", text, script, *arguments],
        check=True, env={"PATH": f"{programs}:{os.environ['PATH']}"}, timeout=60, capture_output=True,
    )  # fmt: skip
    return log.read_text().splitlines() if log.exists() else []


def test_a_new_box_needs_no_restart(tmp_path: Path) -> None:
    done = calls(tmp_path, "configure", "")
    owners = next(call for call in done if call.startswith("udevadm trigger"))
    # by "add" the microphone gets its name
    assert "--action=add" in owners
    assert {"--subsystem-match=gpio", "--subsystem-match=sound"} <= set(owners.split())
    started = "systemctl start --no-block plainsight-enroll.service plainsight-box.target"
    assert done.index(owners) < done.index(started)
    # the daily check as well: it would else begin with the first restart, which may be months away
    assert "systemctl start plainsight-renew.timer plainsight-doctor.timer" in done


def test_an_upgrade_cuts_no_recording_and_touches_no_levels(tmp_path: Path) -> None:
    done = calls(tmp_path, "configure", "0.1.0", active=UPGRADED)
    assert not [call for call in done if "restart plainsight-recorder" in call or "--action=add" in call]
    assert "systemctl kill --kill-whom=main --signal=SIGHUP plainsight-recorder.service" in done
    assert "systemctl try-restart plainsight-courier.service" in done


def test_an_upgrade_between_two_days_starts_no_box_anew(tmp_path: Path) -> None:
    """A box whose recorder was stopped by a technician stays so."""
    done = calls(tmp_path, "configure", "0.1.0", active=("plainsight-doctor.timer",))
    assert not [call for call in done if call.startswith("systemctl start") or "kill" in call]


def test_a_box_that_gets_its_package_back_runs_without_a_restart(tmp_path: Path) -> None:
    """dpkg names the version of before, as at an upgrade; "install it again" left a box dark without a word."""
    done = calls(tmp_path, "configure", "0.1.0")
    assert "systemctl start --no-block plainsight-enroll.service plainsight-box.target" in done
    assert "systemctl start plainsight-renew.timer plainsight-doctor.timer" in done


def test_an_archive_that_gets_its_package_back_runs_what_ran(tmp_path: Path) -> None:
    ran = ("plainsight-archive-web.service", "plainsight-archive-worker.service", "plainsight-broker.path")
    stopped = calls(tmp_path, "remove", script="plainsight-archive.prerm", active=ran)
    assert sorted(stopped) == sorted(f"systemctl stop {unit}" for unit in ran)
    done = calls(tmp_path, "configure", "0.1.0", script="plainsight-archive.postinst")
    started = next(call for call in done if call.startswith("systemctl start"))
    assert sorted(started.split()[2:]) == sorted(ran)
    again = calls(tmp_path, "configure", "0.1.0", script="plainsight-archive.postinst")
    assert not [call for call in again if call.startswith("systemctl start")], "an upgrade starts nothing"


def test_an_upgrade_of_the_archive_stops_nothing_first(tmp_path: Path) -> None:
    running = ("plainsight-archive-web.service",)
    assert calls(tmp_path, "upgrade", "0.2.0", script="plainsight-archive.prerm", active=running) == []


def test_the_groups_are_made_before_udev_gives_the_pins_to_them() -> None:
    """udev ignores a group that it does not know, and the recorder then starts for ever without its pins."""
    text = (SCRIPTS / "plainsight-box.postinst").read_text()
    assert text.index("\n#DEBHELPER#") < text.index("udevadm control --reload")
