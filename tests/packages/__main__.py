"""Installs, sets up, upgrades, downgrades, removes and purges the packages in a clean Debian root; says what held.

deploy/package-test --json     builds the packages twice, and tries them
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import sys
import time
from pathlib import Path
from typing import Final

from .control_page import CONTROL_PAGE
from .delivery import DELIVERY
from .root import CODE, Root, require
from .set_up import SET_UP
from .table import Table, Trial

RECORDING: Final = "0123456789abcdef0123456789abcdef"
SPOOL: Final = "/var/lib/plainsight/spool"


def two_builds_are_equal(root: Root) -> str:
    """Two builds of the same sources give the same bytes."""
    first, second = (
        {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in root.path(folder).glob("*.deb")}
        for folder in ("/packages/old", "/packages/again")
    )
    require(first, "nothing was built")
    differ = sorted(name for name in first | second if first.get(name) != second.get(name))
    require(not differ, f"they differ: {', '.join(differ)}")
    sizes = {path.name: path.stat().st_size for path in root.path("/packages/old").glob("*.deb")}
    return ", ".join(f"{name.partition('_')[0]} {size / 1e6:.1f} MB" for name, size in sorted(sizes.items()))


def install_the_archive(root: Root) -> str:
    """The archive comes with its user, folder, commands and manual page, and works as its user."""
    began = time.monotonic()
    said = root.install("old", "plainsight-common", "plainsight-archive")
    took = time.monotonic() - began
    require("plainsight-archive 700" in root.run("stat -c '%U %a' /var/lib/plainsight-archive"), "the archive's folder")
    root.run("plainsight-archive --help")
    for command in ("make-keys", "migrate", "list --json"):
        root.run(
            f"setpriv --reuid plainsight-archive --regid plainsight-archive --clear-groups plainsight-archive {command}"
        )
    require(root.path("/usr/share/man/man1/plainsight-archive.1.gz").exists(), "the manual page")
    fetched, used = re.search(r"Need to get (\S+ .?B)", said), re.search(r"(\S+ .?B) of additional", said)
    return f"apt install in {took:.0f} s: {fetched and fetched[1]} fetched, {used and used[1]} on disk"


def everything_that_is_imported_is_there(root: Root) -> str:
    """Each import of archive and appliance works, those in functions too, and of allauth what the archive uses."""
    shutil.copy(Path(__file__).with_name("imports.py"), root.path("/tmp/imports.py"))
    used = ("account", "core", "mfa", "socialaccount", "usersessions")
    packages = ["appliance", "archive", *(f"allauth.{name}" for name in used)]
    # what the package suggests (PostgreSQL, an S3 store), what a district brings (engines of transcripts), and what
    # allauth asks for only where Django's sites are installed
    packages += ["-psycopg", "-psycopg_pool", "-pocketsphinx", "-pywhispercpp", "-django.contrib.sites"]
    packages += ["-archive.postgresql", "-django.db.backends.postgresql"]
    packages += ["-boto3", "-botocore", "-archive.store.s3", "-archive.store.s3_bucket"]
    packages += ["-archive.store.bucket_trust", "-archive.store.lock_proof"]
    out = root.run(
        "setpriv --reuid plainsight-archive --regid plainsight-archive --init-groups env ARCHIVE_HOME=/var/lib/"
        f"plainsight-archive LG_WD=/tmp {CODE} python3 -W ignore /tmp/imports.py {' '.join(packages)}",
        status=None,
    )
    require(out.strip().isdigit() and int(out) > 1000, f"imports that fail: {out[-3000:]}")
    return f"{out.strip()} imports"


def verify_works_alone(root: Root) -> None:
    """The checker needs nothing of box or archive."""
    root.run("printf junk > /tmp/junk.zip; printf '{}' > /tmp/ring.json")
    out = root.run("plainsight verify /tmp/junk.zip --keys /tmp/ring.json", status=None)
    require("plainsight verify" in out or "package" in out, f"a verdict in words: {out}")


def install_the_box(root: Root) -> None:
    """The box comes with users, folders, rules and settings' examples; every module can be imported."""
    root.install("old", "plainsight-common", "plainsight-gpio", "plainsight-box")
    require(
        "plainsight-recorder plainsight-spool 2750" in root.run(f"stat -c '%U %G %a' {SPOOL}"), "the spool's folder"
    )
    for path in (
        "/usr/lib/udev/rules.d/99-plainsight.rules",
        "/usr/lib/systemd/system/plainsight-recorder.service",
        "/usr/lib/modules-load.d/plainsight-box.conf",
        "/usr/share/plainsight/firmware/config.txt",
        "/usr/share/doc/plainsight-box/examples/recorder.example.toml",
        "/etc/plainsight/asound.conf",
    ):
        require(root.path(path).exists(), f"{path} is missing")
    everything_that_is_imported_is_there(root)
    root.run(f"{CODE} LG_WD=/tmp python3 -c 'import gpiozero.pins.lgpio, pyrage, pyaudio, systemd.daemon'")
    out = root.run("plainsight doctor", status=2)
    require("/etc/plainsight/recorder.toml" in out, f"a box without settings is told so: {out}")
    root.run("plainsight lamps-out", status=2)


def documents_stand_where_units_say(root: Root) -> None:
    """Each Documentation= of a unit names a file that is there."""
    for unit in root.path("/usr/lib/systemd/system").glob("plainsight-*.service"):
        for line in unit.read_text().splitlines():
            if line.startswith("Documentation=file:"):
                require(root.path(line.removeprefix("Documentation=file:")).exists(), f"{unit.name}: {line}")


def upgrade_and_downgrade(root: Root) -> None:
    """Settings, keys and recordings outlive both; what runs is the other version."""
    make_recording(root)
    root.path("/etc/plainsight/recorder.toml").write_text("# the district's own\n")
    for which, version in (("new", root.new), ("old", root.old), ("new", root.new)):
        root.install(which, "plainsight-common", "plainsight-gpio", "plainsight-box", "plainsight-archive")
        found = root.run("dpkg-query -W -f '${Version}' plainsight-box")
        require(found == version, f"version {found}, not {version}")
        told = root.run(f"{CODE} python3 -c 'from appliance.contract.version import software; print(software())'")
        require(version in told, f"it calls itself {told}")
        require(root.path("/etc/plainsight/recorder.toml").read_text() == "# the district's own\n", "the settings stay")
        require(root.path(f"{SPOOL}/recordings/{RECORDING}/ledger.tsv").exists(), "the recording stays")
        root.run("plainsight-archive --help")


def remove(root: Root) -> None:
    """Removing leaves settings and recordings."""
    root.run("apt-get remove -q -y plainsight-box plainsight-archive")
    require(not root.path("/usr/lib/systemd/system/plainsight-recorder.service").exists(), "the unit is gone")
    require(root.path(f"{SPOOL}/recordings/{RECORDING}/ledger.tsv").exists(), "the recording stays")
    require(root.path("/etc/plainsight/recorder.toml").exists(), "the settings stay")
    require(root.path("/var/lib/plainsight-archive/keys").exists(), "the archive's keys stay")


def purge_keeps_what_has_no_receipt(root: Root) -> None:
    """A recording that the archive has not signed for stays, without a terminal to ask at; so does the archive."""
    out = root.run("apt-get purge -q -y plainsight-box plainsight-archive")
    require("1 recording(s)" in out, f"it is told: {out}")
    require(root.path(f"{SPOOL}/recordings/{RECORDING}/ledger.tsv").exists(), "the recording stays")
    require(root.path("/var/lib/plainsight-archive/keys").exists(), "the archive's keys stay")


def purge_removes_what_has_a_receipt(root: Root) -> None:
    """With a receipt, or with a yes, everything of the box goes."""
    root.install("old", "plainsight-common", "plainsight-gpio", "plainsight-box")
    root.path(f"{SPOOL}/receipts").mkdir(exist_ok=True)
    root.path(f"{SPOOL}/receipts/{RECORDING}.tsv").touch()
    root.run("apt-get purge -q -y plainsight-box")
    require(not root.path("/var/lib/plainsight").exists(), "the spool goes")
    root.install("old", "plainsight-common", "plainsight-gpio", "plainsight-box")
    make_recording(root)
    root.run("PLAINSIGHT_PURGE_RECORDINGS=yes apt-get purge -q -y plainsight-box")
    require(not root.path("/var/lib/plainsight").exists(), "the spool goes")
    require(not root.path("/etc/plainsight").exists(), "the settings go")


def make_recording(root: Root) -> None:
    """Put a recording without a receipt into the spool."""
    folder = root.path(f"{SPOOL}/recordings/{RECORDING}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ledger.tsv").write_text("signed lines\n")


TRIALS: Final[list[Trial]] = [
    two_builds_are_equal,
    install_the_archive,
    everything_that_is_imported_is_there,
    verify_works_alone,
    install_the_box,
    documents_stand_where_units_say,
    *SET_UP,
    *CONTROL_PAGE,
    upgrade_and_downgrade,
    remove,
    purge_keeps_what_has_no_receipt,
    purge_removes_what_has_a_receipt,
    *DELIVERY,
]


def main() -> int:
    """Try everything and print the table; exit status 0 only if all held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="a clean root, with /packages/old, /new and /again")
    parser.add_argument("--old", required=True, help="version of /packages/old")
    parser.add_argument("--new", required=True, help="version of /packages/new")
    parser.add_argument("--json", action="store_true", help="print the table as JSON")
    options = parser.parse_args()
    root, table = Root(options.root, options.old, options.new), Table()
    for trial in TRIALS:
        table.try_on(root, trial)
    if options.json:
        print(table.as_json())
    return 0 if table.held else 1


if __name__ == "__main__":
    sys.exit(main())
