"""What set-up tells Mosquitto fits the version that is installed: 2.0 reads the access list itself, 2.1 by a plugin."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive.devices.reported_status import MAX_PAYLOAD
from archive.setup.broker_settings import MAX_PACKET, PLUGIN, access_plugin, broker_settings, program

FOLDER = Path("/var/lib/plainsight-broker")
OPTION = f"acl_file {FOLDER}/access"
DEPRECATED = ("acl_file", "password_file", "per_listener_settings")
"""What 2.1 still reads and 3.0 has no more."""


def installed(root: Path, says: str, *, plugin: str = "") -> Path:
    """A broker that says its version, with its plugin in this folder of libraries."""
    broker = root / "sbin" / "mosquitto"
    broker.parent.mkdir()
    broker.write_text(f"#!/bin/sh\necho '{says}'\nexit 3\n")
    broker.chmod(0o755)
    if plugin:
        (root / plugin).mkdir(parents=True)
        (root / plugin / PLUGIN).touch()
    return broker


@pytest.mark.parametrize("version", ["2.0.11", "2.0.22", "1.6.9"])
def test_before_the_plugin_the_option_names_the_access_list(tmp_path: Path, version: str) -> None:
    # a plugin of another version, left there by hand, would not load
    found = access_plugin(installed(tmp_path, f"mosquitto version {version}", plugin="lib"))
    assert found is None
    assert OPTION in broker_settings(FOLDER, found).splitlines()


@pytest.mark.parametrize("version", ["2.1.0", "2.1.2", "2.10.0", "3.0.0"])
@pytest.mark.parametrize("where", ["lib", "lib64", "lib/x86_64-linux-gnu", "lib/arm-linux-gnueabihf"])
def test_with_the_plugin_nothing_is_written_that_goes_away(tmp_path: Path, version: str, where: str) -> None:
    found = access_plugin(installed(tmp_path, f"mosquitto version {version}", plugin=where))
    lines = broker_settings(FOLDER, found).splitlines()
    assert lines.index(f"plugin {tmp_path / where / PLUGIN}") + 1 == lines.index(f"plugin_opt_{OPTION}")
    assert not [line for line in lines if line.startswith(DEPRECATED)]


@pytest.mark.parametrize("says", ["mosquitto version 2.1.2", "no version at all", ""])
def test_where_no_plugin_is_found_the_option_does_it(tmp_path: Path, says: str) -> None:
    assert access_plugin(installed(tmp_path, says)) is None


def test_a_broker_that_is_not_here_is_taken_for_one_that_has_the_option(tmp_path: Path) -> None:
    assert access_plugin(None) is None
    assert access_plugin(tmp_path / "sbin" / "mosquitto") is None


def test_all_else_is_the_same_for_both_versions(tmp_path: Path) -> None:
    def others(plugin: Path | None) -> list[str]:
        return [line for line in broker_settings(FOLDER, plugin).splitlines() if "acl_file" not in line]

    assert others(None) == others(tmp_path / PLUGIN)
    for line in ("require_certificate true", "use_identity_as_username true", "allow_anonymous false"):
        assert line in others(None)


def test_the_broker_takes_no_more_at_once_than_the_listener_does() -> None:
    # what it took and the listener does not would be kept for nobody
    assert MAX_PACKET == MAX_PAYLOAD + (4 << 10)
    assert f"max_packet_size {MAX_PACKET}" in broker_settings(FOLDER, None).splitlines()


def test_the_broker_of_this_machine_tells_its_version() -> None:
    broker = program()
    assert broker is not None, "mosquitto is not installed"
    plugin = access_plugin(broker)
    assert plugin is None or plugin.is_file()
