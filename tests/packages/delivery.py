"""How software gets onto a box: the signed repository, upgrades by themselves, and a new card's first boot."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from tests.support.boot_partition import make_boot_partition

from .root import NotHeldError, Root, require
from .table import Trial

ROOT: Final = Path(__file__).resolve().parents[2]
PEM: Final = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def _publish(root: Root, which: str) -> None:
    """Put one of the two versions into the root's /repository, signed with a key that stays outside."""
    # gpg's agent wants a short path for its socket
    key = Path(tempfile.gettempdir()) / f"{root.folder.parent.name}-key"
    done = subprocess.run(
        [str(ROOT / "deploy/apt-repository"), "-o", str(root.path("/repository")), "--packages",
         str(root.path(f"/packages/{which}")), "--key", str(key), "--url", "file:///repository"],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    if done.returncode != 0:
        raise NotHeldError(f"deploy/apt-repository: {done.stderr}")


def _version(root: Root) -> str:
    return root.run("dpkg-query -W -f '${Version}' plainsight-box")


def install_from_the_signed_repository(root: Root) -> None:
    """The box comes from the district's repository, which apt believes by its own key alone."""
    _publish(root, "old")
    root.run("cp /repository/plainsight.sources /etc/apt/sources.list.d/ && apt-get update -q")
    root.run("apt-get install -q -y --no-install-recommends plainsight-box plainsight-gpio")
    require(_version(root) == root.old, f"version {_version(root)}, not {root.old}")
    require(
        "origin=Plain Sight" in root.run("apt-cache policy").replace("o=Plain Sight", "origin=Plain Sight"), "origin"
    )
    release = root.path("/repository/dists/plainsight/InRelease")
    kept = release.read_text()
    release.write_text(kept.replace("Label: Plain Sight", "Label: Plain Sighs"))
    out = root.run("apt-get update -q 2>&1", status=None)
    release.write_text(kept)
    require(
        "not signed" in out or "signature verification failed" in out or "BADSIG" in out,
        f"a changed repository is refused: {out[-500:]}",
    )


def a_box_upgrades_itself_from_the_district_alone(root: Root) -> None:
    """unattended-upgrades takes the new version, and nothing of anybody else's."""
    root.run("apt-get install -q -y --no-install-recommends unattended-upgrades")
    _publish(root, "new")
    root.run("apt-get update -q")
    out = root.run("unattended-upgrade --dry-run --debug 2>&1")
    allowed = [line for line in out.splitlines() if "llowed origins" in line]
    require(
        allowed and all(line.endswith("origin=Plain Sight,codename=plainsight") for line in allowed),
        f"only the district's origin is allowed: {allowed}",
    )
    chosen = next((line for line in out.splitlines() if line.startswith("Packages that will be upgraded:")), "")
    names = chosen.partition(":")[2].split()
    require(
        names and all(name.startswith("plainsight-") for name in names),
        f"what would be upgraded: {chosen or out[-800:]}",
    )
    root.run("unattended-upgrade --debug 2>&1")
    require(_version(root) == root.new, f"version {_version(root)}, not {root.new}")


def an_upgrade_waits_for_the_end_of_a_recording(root: Root) -> None:
    """The nightly upgrade asks `plainsight idle`, and systemd of trixie reads both drop-ins without a word."""
    for name in ("apt-daily-upgrade.service", "apt-daily-upgrade.timer"):
        drop_in = root.path(f"/usr/lib/systemd/system/{name}.d/plainsight.conf")
        require(drop_in.exists(), f"{drop_in} is missing")
    root.run("command -v systemd-analyze >/dev/null || apt-get install -q -y --no-install-recommends systemd")
    said = root.run("systemd-analyze verify apt-daily-upgrade.service apt-daily-upgrade.timer 2>&1", status=None)
    require("plainsight.conf" not in said, f"systemd says: {said}")
    root.run("plainsight idle")
    root.run("mkdir -p /run/plainsight; cat /proc/sys/kernel/random/boot_id > /run/boot")
    status = {
        "box": "box-0123456789abcdef", "boot_id": root.run("cat /run/boot").strip(), "state": "recording",
        "ready": True, "recording": None, "since_ns": 0, "monotonic_ns": 0,
    }  # fmt: skip
    root.path("/run/status.json").write_text(json.dumps(status))
    # again and again, as a recorder does: what is two seconds old counts no more
    root.path("/run/record").write_text(
        "import json, os, time\n"
        "status = json.load(open('/run/status.json'))\n"
        "while True:\n"
        "    with open('/run/plainsight/.new', 'w') as file:\n"
        "        json.dump(status | {'monotonic_ns': time.monotonic_ns()}, file)\n"
        "    os.rename('/run/plainsight/.new', '/run/plainsight/status.json')\n"
        "    time.sleep(0.1)\n"
    )
    root.run(
        "python3 /run/record & until [ -e /run/plainsight/status.json ]; do sleep 0.1; done; "
        "plainsight idle; said=$?; kill $!; exit $said",
        status=1,
    )
    root.path("/run/plainsight/status.json").unlink()


def cloud_init_of_trixie_takes_a_new_card(root: Root) -> None:
    """What `plainsight card` writes is valid to the cloud-init and the netplan that Raspberry Pi OS trixie has."""
    root.run("apt-get install -q -y --no-install-recommends cloud-init netplan.io")
    make_boot_partition(root.path("/card"))
    root.path("/claim.toml").write_text(
        f'url = "https://archive.example"\nclaim = "7K3M-Q9TX-0RB2-H5NC"\nauthority = """\n{PEM}"""\n'
    )
    root.path("/password").write_text("correct horse\n")
    root.path("/ca.pem").write_text(PEM)
    root.path("/id.pub").write_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFakeFakeFakeFakeFakeFakeFake x\n")
    for security, more in (
        ("wpa2", ""),
        ("wpa3", "--ssh-key /id.pub --time-server ntp.example"),
        ("enterprise", "--wifi-identity box --wifi-authority /ca.pem"),
    ):
        root.run(
            "plainsight card /card --claim /claim.toml --repository file:///repository "
            "--repository-key /repository/plainsight.asc --wifi Staff --wifi-password-file /password "
            f"--wifi-security {security} {more}"
        )
        root.run("cloud-init schema -c /card/user-data --schema-type cloud-config")
        root.run("cloud-init schema -c /card/network-config --schema-type network-config")
        root.run(
            "rm -rf /net && mkdir -p /net/etc/netplan && install -m 600 /card/network-config /net/etc/netplan/50.yaml "
            "&& netplan generate --root-dir /net"
        )


DELIVERY: Final[list[Trial]] = [
    install_from_the_signed_repository,
    a_box_upgrades_itself_from_the_district_alone,
    an_upgrade_waits_for_the_end_of_a_recording,
    cloud_init_of_trixie_takes_a_new_card,
]
