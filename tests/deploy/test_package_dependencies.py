"""What pyproject.toml asks for is what the Debian packages depend on, or carry."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PACKAGED = ROOT / "deploy" / "packages"
NAMED_OTHERWISE = {
    "systemd-python": "python3-systemd",
    "weasyprint": "weasyprint",
}
"""Debian's names that are not python3-NAME."""
TRIXIE = {
    "boto3": "1.37.9",
    "cryptography": "43.0.0", "gpiozero": "2.0.1", "icalendar": "6.0.1", "paho-mqtt": "2.1.0", "psycopg": "3.2.6",
    "pydantic": "2.10.6", "requests": "2.32.3", "soundfile": "0.13.1", "weasyprint": "62.3", "whitenoise": "6.8.2",
}  # fmt: skip
"""What Debian 13 has (gpiozero: Raspberry Pi OS trixie) of the libraries that ours set a lowest version for."""
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def libraries(*extras: str) -> list[Requirement]:
    listed = [one for name in extras for one in PROJECT["optional-dependencies"][name]] + PROJECT["dependencies"]
    return [Requirement(one) for one in sorted(set(listed))]


def depends(relation: str = "Depends") -> dict[str, str]:
    """Debian packages that ours depend on (or suggest), each with its lowest version, or an empty text."""
    text = (PACKAGED / "debian" / "control").read_text()
    fields = re.findall(rf"^{relation}:((?:.*\n)(?: .*\n)*)", text, re.MULTILINE)
    alternatives = [one for field in fields for part in field.split(",") for one in part.split("|")]
    found: dict[str, str] = {}
    for one in alternatives:
        name, _, bound = one.strip().partition(" ")
        lowest = re.search(r">= ([\d.]+)", bound)
        found[name.partition(":")[0]] = lowest[1] if lowest else found.get(name, "")
    return found


def carried() -> dict[str, Version]:
    """Libraries that ours carry, with their versions."""
    lines = [
        line.split()[1] for line in (PACKAGED / "carried.txt").read_text().splitlines() if line[:1] not in {"", "#"}
    ]
    found = {}
    for file in lines:
        name, version = file.removesuffix(".tar.gz").split("-")[:2]
        found[name.lower().replace("_", "-")] = Version(version)
    return found


@pytest.mark.parametrize("library", libraries("box", "archive"), ids=lambda library: library.name)
def test_each_library_is_carried_in_range_or_asked_of_debian(library: Requirement) -> None:
    if library.name in carried():
        assert library.specifier.contains(carried()[library.name])
        return
    name = NAMED_OTHERWISE.get(library.name, f"python3-{library.name}")
    assert name in depends(), f"{library.name} is in pyproject.toml and in no package's Depends"
    lowest = depends()[name]
    assert not lowest or library.specifier.contains(lowest), f"{name} (>= {lowest}) lets in what {library} refuses"


@pytest.mark.parametrize("library", libraries("box", "archive"), ids=lambda library: library.name)
def test_a_bound_asks_for_no_newer_version_than_trixie_has(library: Requirement) -> None:
    """A bound above it keeps the package from being installed at all; deploy/package-test finds out late."""
    lowest = depends().get(NAMED_OTHERWISE.get(library.name, f"python3-{library.name}"), "")
    assert not lowest or Version(lowest) <= Version(TRIXIE[library.name])


def test_what_postgresql_needs_is_suggested_and_no_newer_than_trixie_has() -> None:
    suggested, (library,) = (
        depends("Suggests"),
        [Requirement(one) for one in PROJECT["optional-dependencies"]["postgresql"]],
    )
    assert {"postgresql", "python3-psycopg", "python3-psycopg-pool"} <= set(suggested)
    assert library.extras == {"binary", "pool"}
    assert library.specifier.contains(suggested["python3-psycopg"])
    assert library.specifier.contains(TRIXIE["psycopg"])


def test_what_an_s3_store_needs_is_suggested_and_no_newer_than_trixie_has() -> None:
    (library,) = (Requirement(one) for one in PROJECT["optional-dependencies"]["s3"])
    assert library.specifier.contains(Version(depends("Suggests")["python3-boto3"]))
    assert library.specifier.contains(TRIXIE["boto3"])
