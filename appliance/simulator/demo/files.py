"""The configuration files of a demonstration, written as a district's IT would write them."""

from __future__ import annotations

import json
from pathlib import Path

from .layout import Layout


def toml(sections: dict[str, dict[str, object]]) -> str:
    """Return sections as TOML; JSON's strings, numbers, lists and booleans are valid TOML values."""
    lines: list[str] = []
    for name, values in sections.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {json.dumps(_plain(value))}" for key, value in values.items() if value is not None]
        lines.append("")
    return "\n".join(lines)


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Path) else value


def archive_toml(layout: Layout, url: str, broker_port: int) -> str:
    """Return the archive's file."""
    certificates = layout.home / "certificates"
    return toml(
        {
            "site": {"url": url},
            "web": {"address": url.removeprefix("http://")},
            # who tries the demonstration has the password that it prints, and no phone set up
            "sign_in": {"second_factor": "optional"},
            "mqtt": {
                "host": "127.0.0.1",
                "port": broker_port,
                "ca": certificates / "ca.pem",
                "certificate": certificates / "client.pem",
                "key": certificates / "client.key",
            },
        }
    )


def recorder_toml(layout: Layout, box: str, public: dict[str, str], microphone: dict[str, object]) -> str:
    """Return the recorder's file; `public`: the keys that enrollment printed; `microphone`: that section."""
    return toml(
        {
            "box": {"id": box, "signing_key": layout.box / "box.key", "commissioning": layout.commissioning},
            "keys": dict(public),
            "spool": {"path": layout.spool, "inbox": layout.inbox, "run": layout.run},
            "microphone": microphone,
            "panel": {"kind": "simulated", "socket": layout.panel / "panel.sock", "lamp_seen": 25, "mic_rail": 27},
        }
    )


def courier_toml(layout: Layout, box: str, url: str, broker_port: int) -> str:
    """Return the courier's file."""
    certificates = layout.box / "certificates"
    return toml(
        {
            "box": {"id": box},
            "spool": {"path": layout.spool, "inbox": layout.inbox, "run": layout.run},
            "state": {"path": layout.state},
            "archive": {"url": url, "key": layout.box / "courier.key"},
            "broker": {
                "host": "127.0.0.1",
                "port": broker_port,
                "ca": certificates / "ca.pem",
                "certificate": certificates / "client.pem",
                "key": certificates / "client.key",
            },
        }
    )
