"""What installing the box's package does on a machine whose systemd runs, by its own script with the tools recorded."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

POSTINST = Path(__file__).resolve().parents[2] / "deploy/packages/debian/plainsight-box.postinst"
TOOLS = ("systemctl", "udevadm")


def calls(folder: Path, *arguments: str) -> list[str]:
    """Run the script as dpkg does; return the tools' command lines."""
    programs, log = folder / "bin", folder / "calls"
    programs.mkdir()
    (folder / "systemd").mkdir()
    for tool in TOOLS:
        (programs / tool).write_text(f'#!/bin/sh\necho "{tool} $*" >>{log}\n')
        (programs / tool).chmod(0o755)
    text = POSTINST.read_text().replace("/run/systemd/system", str(folder / "systemd")).replace("#DEBHELPER#", "")
    subprocess.run(
        ["sh", "-c", text, "postinst", *arguments],
        check=True, env={"PATH": f"{programs}:{os.environ['PATH']}"}, timeout=60, capture_output=True,
    )  # fmt: skip
    return log.read_text().splitlines()


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
    done = calls(tmp_path, "configure", "0.1.0")
    assert not [call for call in done if "restart plainsight-recorder" in call or "--action=add" in call]
    assert "systemctl kill --kill-whom=main --signal=SIGHUP plainsight-recorder.service" in done
    assert "systemctl try-restart plainsight-courier.service" in done


def test_the_groups_are_made_before_udev_gives_the_pins_to_them() -> None:
    """udev ignores a group that it does not know, and the recorder then starts for ever without its pins."""
    text = (Path(__file__).resolve().parents[2] / "deploy/packages/debian/plainsight-box.postinst").read_text()
    assert text.index("\n#DEBHELPER#") < text.index("udevadm control --reload")
