"""Who may import whom (docs/architecture.md): what hears never meets what talks, but in the spool."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ALLOWED = {
    "appliance/contract": {"appliance.contract"},
    "appliance/boot_files": {"appliance.contract", "appliance.boot_files"},
    "appliance/read_only_root": {"appliance.contract", "appliance.read_only_root"},
    "appliance/card": {"appliance.contract", "appliance.boot_files", "appliance.card"},
    "appliance/recorder": {"appliance.contract", "appliance.boot_files", "appliance.recorder"},
    "appliance/courier": {"appliance.contract", "appliance.courier"},
    "appliance/verify": {"appliance.contract", "appliance.verify"},
    "appliance/enrollment": {"appliance.contract", "appliance.enrollment"},
    "appliance/simulator": {"appliance.contract", "appliance.recorder", "appliance.simulator"},
    # a whole district in one place, and part of no box: it alone knows couriers and archive
    "appliance/simulator/fleet": {
        "appliance.contract",
        "appliance.courier",
        "appliance.enrollment",
        "appliance.simulator",
        "archive",
    },
    "archive": {"appliance.contract", "archive"},
}
NETWORK = {"socketserver", "ssl", "http", "urllib", "requests", "paho", "aiohttp", "ftplib", "smtplib"}
SOUND = {"pyaudio", "alsaaudio", "sounddevice"}


def imports(path: Path) -> set[str]:
    """Every module that a file imports, relative imports resolved, at whatever depth."""
    package = list(path.relative_to(ROOT).parent.parts)
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            found.add(".".join([*base, *([node.module] if node.module else [])]))
    return found


def modules(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found, f"{folder} has no modules"
    return found


def inside(name: str, packages: set[str]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


@pytest.mark.parametrize("folder", ALLOWED)
def test_each_part_imports_only_what_its_place_allows(folder: str) -> None:
    own = [path for path in modules(folder) if _place(path) == folder]
    assert own
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in own
        for name in imports(path)
        if inside(name, {"appliance", "archive"}) and not inside(name, ALLOWED[folder])
    }
    assert not wrong


def _place(path: Path) -> str:
    """The deepest folder with a rule of its own that a file lies in."""
    name = path.relative_to(ROOT).as_posix()
    return max((folder for folder in ALLOWED if name.startswith(f"{folder}/")), key=len)


def test_promise_4_the_recorder_imports_nothing_that_talks() -> None:
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in [*modules("appliance/recorder"), *modules("appliance/contract"), *modules("appliance/boot_files")]
        for name in imports(path)
        if inside(name, NETWORK)
    }
    assert not wrong


def test_promise_4_the_courier_imports_nothing_that_hears() -> None:
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in [*modules("appliance/courier"), *modules("appliance/contract")]
        for name in imports(path)
        if inside(name, SOUND)
    }
    assert not wrong


def test_the_simulator_is_reached_only_by_a_setting_or_a_command() -> None:
    wrong = {
        str(path.relative_to(ROOT))
        for path in modules("appliance")
        if "simulator" not in path.parts and any(inside(name, {"appliance.simulator"}) for name in imports(path))
    }
    assert not wrong


@pytest.mark.parametrize(
    ("packages", "folder"),
    [({"paho"}, "appliance/courier/mqtt"), ({"requests", "urllib3"}, "appliance/courier/upload")],
)
def test_each_protocol_of_the_courier_is_imported_in_its_own_folder_only(packages: set[str], folder: str) -> None:
    users = {
        path.parent.relative_to(ROOT).as_posix()
        for path in modules("appliance/courier")
        if any(inside(name, packages) for name in imports(path))
    }
    assert users == {folder}, f"only {folder} may import {packages}"


def test_no_two_parts_read_settings_in_ways_of_their_own() -> None:
    readers = {
        path.relative_to(ROOT).as_posix()
        for folder in ("appliance", "archive")
        for path in modules(folder)
        if "tomllib" in imports(path)
    }
    # these two run where nothing is installed or nothing works, so they import the standard library only
    bare = {"appliance/recorder/panel/dark.py", "appliance/recorder/panel/real_box.py"}
    # and this one reads a single name of settings that its own version refuses
    refused = {"appliance/recorder/doctor/idle.py"}
    assert readers == {"appliance/contract/settings_file.py", *bare, *refused}


ARCHIVE_LAYERS = [
    {"configuration", "postgresql"},
    {"core", "ui"},
    {"store"},
    {"authority", "keystore"},
    {"accounts"},
    {"custody"},
    {"access"},
    {"devices"},
    {"rooms"},
    {"enrollment", "recordings"},
    {"ingest", "sealing", "setup", "records"},
    {"control", "transfers"},
    {"backup", "doctor"},
]
"""The archive's apps, bottom to top. Each may import what stands below it, and none what stands beside it."""
ARCHIVE_SHELL = {"asgi", "command", "database", "settings", "urls", "wsgi"}
"""What puts the apps together. An app imports of it at most what reaches the database."""


def test_every_app_of_the_archive_has_its_layer() -> None:
    apps = {path.parent.name for path in (ROOT / "archive").glob("*/__init__.py")}
    assert apps == set().union(*ARCHIVE_LAYERS)
    assert {path.stem for path in (ROOT / "archive").glob("*.py")} == ARCHIVE_SHELL | {"__init__"}


@pytest.mark.parametrize("app", sorted(set().union(*ARCHIVE_LAYERS)))
def test_layers_of_the_archive_only_go_down(app: str) -> None:
    height = {name: number for number, layer in enumerate(ARCHIVE_LAYERS) for name in layer}
    allowed = {name for name in height if height[name] < height[app]} | {app, "database"}
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}: archive.{app} may import only "
        f"{', '.join(sorted(allowed))} of the archive (the wall between its layers, docs/architecture.md)"
        for path in modules(f"archive/{app}")
        for name in imports(path)
        if name.startswith("archive.") and name.split(".")[1] not in allowed
    }
    assert not wrong


RECORDS_LAYERS = [
    "people",
    "letters",
    "meetings",
    "outside_recordings",
    "incidents",
    "grants",
    "requests",
    "restrictions",
    "transcripts",
    "holds",
    "retention",
    "redactions",
    "evidence",
    "disclosures",
    "destruction",
    "public_lists",
    "today",
]
"""The apps of the records, bottom to top. Each may import what stands below it."""
RECORDS_SHARED = {"errors", "form_page", "pdf", "second_person", "sections", "text"}
"""What all of them use; it imports none of them."""


def test_every_app_of_the_records_has_its_layer() -> None:
    apps = {path.parent.name for path in (ROOT / "archive" / "records").glob("*/__init__.py")}
    assert apps == set(RECORDS_LAYERS)


@pytest.mark.parametrize("app", RECORDS_LAYERS)
def test_layers_of_the_records_only_go_down(app: str) -> None:
    allowed = set(RECORDS_LAYERS[: RECORDS_LAYERS.index(app) + 1]) | RECORDS_SHARED
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}: archive.records.{app} may import only {', '.join(sorted(allowed))}"
        for path in modules(f"archive/records/{app}")
        for name in imports(path)
        if name.startswith("archive.records.") and name.split(".")[2] not in allowed
    }
    assert not wrong


CHANGES = {"save", "create", "update", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}
"""Methods that change a row."""


def test_only_deeds_change_rows_of_the_records_and_write_the_custody_log() -> None:
    wrong = {
        f"{path.relative_to(ROOT)}:{node.lineno} changes a row: only deeds.py and *_deeds.py may, with an entry"
        for path in modules("archive/records")
        if not path.stem.endswith("deeds") and "migrations" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Attribute) and node.func.attr in CHANGES)
            or (isinstance(node.func, ast.Name) and node.func.id == "record")
        )
    }
    assert not wrong
