"""Row 6: an upgrade and a revocation in the middle of meetings, walls seen from inside, two boxes from one card."""

from __future__ import annotations

import json
import re
import time
from typing import Final

from tests.vm import sound
from tests.vm.box import ARCHIVE_USER, RED, Box
from tests.vm.guest import OTHER_BOARD
from tests.vm.limits import patience
from tests.vm.prepare import APT
from tests.vm.row import Row, progress
from tests.vm.stage import Stage

UNITS: Final = "systemctl list-unit-files 'plainsight-*.service' --no-legend | cut -d' ' -f1"
MOST_EXPOSED: Final = 1.5
RENEW: Final = "/run/systemd/system/plainsight-renew.service.d"


def run(row: Row, stage: Stage) -> None:
    """Look from inside; renew; upgrade; revoke; then start a second box from a copy of the card."""
    with stage.guest(row) as guest:
        box = Box(guest)
        sound.play(guest)
        _exposure(row, box)
        _walls(row, box)
        _renew(row, box)
        _upgrade(row, box, stage)
        _revoke(row, box)
    with stage.guest(row, OTHER_BOARD, snapshot="") as guest:
        _second_box(row, Box(guest))


def _exposure(row: Row, box: Box) -> None:
    said = box.guest.run(
        f"for unit in $({UNITS}); do systemd-analyze security --no-pager $unit | tail -n 1; done", patience(30)
    )
    found = dict(re.findall(r"exposure level for (\S+): ([0-9.]+)", said))
    row.hold(
        len(found) >= 8 and all(float(value) <= MOST_EXPOSED for value in found.values()),
        f"exposure at most {max(map(float, found.values()), default=99)}, of {len(found)} units",
        found,
    )
    failed = box.guest.run("systemctl list-units --failed --no-legend --plain").strip()
    row.hold(not failed, "no unit has failed", failed)


def _inside(box: Box, unit: str, command: str) -> bool:
    """Tell whether a command succeeds as the unit's user, in its control group and namespaces."""
    group = box.show(unit, "Group")
    also = box.show(unit, "SupplementaryGroups").replace(" ", ",")
    groups = f"--groups {also}" if also else "--clear-groups"
    done = box.guest.spawn(
        f"echo $$ >/sys/fs/cgroup/system.slice/{unit}.service/cgroup.procs && "
        f"exec nsenter -t {box.main_pid(unit)} -m -n -i -- setpriv --reuid {box.show(unit, 'User')} --regid {group} "
        f"{groups} --bounding-set=-all --inh-caps=-all --no-new-privs sh -c '{command}'"
    )
    return done.outcome(patience(5))[0] == 0


def _walls(row: Row, box: Box) -> None:
    spool = "/var/lib/plainsight/spool"
    walls = (
        ("plainsight-recorder", "test -w /dev/gpiochip0", True, "the recorder reaches the pins"),
        ("plainsight-recorder", ": </dev/snd/controlC0", True, "the recorder reaches the sound card"),
        ("plainsight-recorder", f"touch {spool}/.try && rm {spool}/.try", True, "the recorder writes the spool"),
        ("plainsight-recorder", "test $(wc -l </proc/net/dev) = 3", True, "the recorder has no network but lo"),
        ("plainsight-recorder", ": </dev/vda", False, "the recorder reaches no disk"),
        ("plainsight-recorder", "ls /etc/plainsight/mqtt/client.key", False, "the recorder sees no broker key"),
        ("plainsight-recorder", "touch /var/lib/plainsight/inbox/try", False, "the recorder writes no inbox"),
        ("plainsight-courier", "ls /dev/snd/controlC0", False, "the courier has no sound device"),
        ("plainsight-courier", "ls /dev/gpiochip0", False, "the courier has no pins"),
        ("plainsight-courier", f"ls {spool}/recordings", True, "the courier reads the spool"),
        ("plainsight-courier", f"touch {spool}/try", False, "the courier writes no spool"),
        ("plainsight-courier", "cat /etc/plainsight/box.key", False, "the courier sees no signing key"),
        ("plainsight-courier", "touch /etc/plainsight/try", False, "the courier writes no settings"),
        ("plainsight-archive-listen", "cat /var/lib/plainsight-archive/keys/opening.txt", False,
         "the listener sees no opening key"),
        ("plainsight-archive-web", "ls /dev/snd", False, "the archive's pages have no devices"),
    )  # fmt: skip
    wrong = [what for unit, command, able, what in walls if _inside(box, unit, command) is not able]
    row.hold(not wrong, f"{len(walls)} walls, seen from inside the services", f"not so: {', '.join(wrong)}")


def _renew(row: Row, box: Box) -> None:
    """Renew the certificate in the unit's own sandbox."""
    before = box.guest.run("sha256sum </etc/plainsight/mqtt/client.pem")
    box.guest.run(f"mkdir -p {RENEW}")
    box.guest.write(f"{RENEW}/force.conf", b"[Service]\nExecStart=\nExecStart=/usr/bin/plainsight renew --force\n")
    box.guest.run(f"systemctl daemon-reload; systemctl start plainsight-renew; rm -r {RENEW}", patience(30))
    after = box.guest.run("sha256sum </etc/plainsight/mqtt/client.pem")
    row.hold(before != after, "the certificate is renewed inside its unit's walls")


def _upgrade(row: Row, box: Box, stage: Stage) -> None:
    if stage.newer is None:
        row.hold(False, "there are newer packages to upgrade to")
        return
    progress("upgrade in a meeting")
    for package in sorted(stage.newer.glob("*.deb")):
        if "dbgsym" not in package.name:
            box.guest.write(f"/packages/{package.name}", package.read_bytes())
    recording = box.begin(5)
    pid = box.main_pid()
    version = stage.newer.name.split("-")[1]
    box.guest.run(f"cd /packages && {APT} ./plainsight-*_{version}_*.deb", patience(90))
    found = box.status()
    row.hold(
        found.get("recording") == recording and box.main_pid() == pid, "an upgrade does not cut the recording", found
    )
    box.hold_button()
    box.guest.run(
        f"until new=$(systemctl show -P MainPID plainsight-recorder) && [ $new != 0 ] && [ $new != {pid} ]; "
        "do sleep 1; done", patience(30),
    )  # fmt: skip
    box.wait_ready()
    about = box.guest.run("plainsight --version").strip()
    row.hold(version in about, f"the new recorder runs once it is over ({about})", about)
    state = box.wait_sealed({recording}, patience(60))[recording]
    row.hold(state["outcome"] == "complete" and not state["lost_frames"], "it is sealed as complete", state)


def _revoke(row: Row, box: Box) -> None:
    progress("the box is retired in a meeting")
    recording = box.begin(5)
    identifier = box.status()["box"]
    began = time.monotonic()
    box.archive(f"retire {identifier}")
    box.guest.run(
        'until grep -q \'"archive":"refusing"\' /var/lib/plainsight-courier/progress.json; do sleep 1; done',
        patience(60),
    )
    row.hold(True, f"ingest takes nothing more ({time.monotonic() - began:.0f} s after it was told)")
    box.guest.run(f"until ! grep -q {identifier} /var/lib/plainsight-broker/access; do sleep 1; done", patience(60))
    row.hold(True, f"nor does the broker ({time.monotonic() - began:.0f} s)")
    found = box.status()
    row.hold(found.get("recording") == recording, "the recording goes on", found)
    box.end()
    kept = box.guest.run(f"ls /var/lib/plainsight/spool/recordings/{recording}/segments | wc -l").strip()
    row.hold(int(kept) >= 5, f"its spool is not lost ({kept} segments)")
    row.hold(box.recordings().get(recording, {}).get("state") != "sealed", "and nothing of it is sealed")


def _second_box(row: Row, box: Box) -> None:
    """The card of an enrolled box, copied into a second board."""
    found = box.wait(
        lambda status: "wrong-board" in status.get("faults", []), "amber tells of another board", patience(30)
    )
    row.hold(not found["ready"], "a copied card: amber tells it, and the box is not ready")
    box.press()
    time.sleep(10)
    found = box.status()
    row.hold(found.get("recording") is None and not box.level(RED), "a press is refused, and nothing is lit", found)
    said = box.guest.run("plainsight renew --force 2>&1", patience(20), None)
    row.hold("board" in said, "the archive renews nothing for it", said)
    entries = box.guest.run(f"{ARCHIVE_USER} plainsight-archive dumpdata custody.entry", patience(20))
    codes = [entry["fields"]["code"] for entry in json.loads(entries)]
    row.hold("clone" in codes, "and enters the clone into its custody log", codes)
    sent = box.guest.run("journalctl -b -u plainsight-courier -o cat --no-pager", status=None)
    row.hold("connected to the broker" not in sent, "the courier sends nothing", sent)
