"""Reading the project's unit files."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "systemd"
UNITS = sorted(path.name for path in FOLDER.glob("*.service"))
RECORDER = "plainsight-recorder.service"
COURIER = "plainsight-courier.service"
DOCTOR = "plainsight-doctor.service"
WRITERS = ("plainsight-enroll.service", "plainsight-renew.service")
"""They write the box's keys and settings, which no user of ours may; they run once and end."""
RELOADS = ("plainsight-broker-reload.service", "plainsight-archive-certificates.service")
"""They may only ask systemd to let the broker or the archive's services read their files anew."""
ROOTS = (*WRITERS, *RELOADS)


def service(name: str) -> dict[str, list[str]]:
    """Return the [Service] section: every setting with its assignments in order."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line
        elif section == "[Service]" and line and line[0] not in "#;":
            key, separator, value = line.partition("=")
            assert separator, f"{name}: {line!r} is no setting"
            found.setdefault(key, []).append(value)
    assert found, f"{name} has no [Service] section"
    return found


def one(name: str, key: str) -> str:
    """Return a setting that is given exactly once."""
    values = service(name).get(key, [])
    assert len(values) == 1, f"{name}: {key}= is given {len(values)} times, not once"
    return values[0]


def words(name: str, key: str) -> list[str]:
    """Return the words of all assignments of a setting."""
    return [word for value in service(name).get(key, []) for word in value.split()]
