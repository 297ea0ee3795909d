"""The configuration files of a demonstration, written as a district's IT would write them."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from .layout import Layout

TIME_ZONE = "America/Chicago"
"""Time zone in which the demonstration's pages show times, and in which its people type them (IANA name)."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


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


def archive_toml(layout: Layout, url: str, boxes_url: str, broker_port: int) -> str:
    """Return the archive's file: pages without TLS, for this machine's browser, and boxes with it, as everywhere."""
    keys = layout.home / "keys"
    return toml(
        {
            "site": {"url": url, "time_zone": TIME_ZONE},
            # whoever tries this out has a password, printed at the start, and no second step to set up
            "sign_in": {"second_factor": "optional"},
            "records": {"district": "Demonstration School District"},
            "web": {"address": url.removeprefix("http://")},
            "boxes": {
                "url": boxes_url,
                "address": boxes_url.removeprefix("https://"),
                "workers": 1,
                "certificate": keys / "web.pem",
                "key": keys / "web.key",
            },
            "mqtt": {
                "host": "127.0.0.1",
                "port": broker_port,
                "ca": keys / "authority.pem",
                "certificate": keys / "listener.pem",
                "key": keys / "listener.key",
                "broker_folder": layout.broker,
            },
        }
    )


class EnrolledBox(_Part):
    """The box, as `plainsight enroll` wrote it into recorder.toml."""

    id: str


class EnrolledKeys(_Part):
    """The keys that it was told."""

    archive_recipient: str
    escrow_recipient: str
    archive_key: str


class EnrolledRecorder(_Part):
    """What the demonstration takes over from the settings that enrollment wrote."""

    box: EnrolledBox
    keys: EnrolledKeys


def recorder_toml(
    layout: Layout, enrolled: EnrolledRecorder, microphone: dict[str, object], *, commissioned: bool
) -> str:
    """Return the recorder's file: what enrollment wrote, with the demonstration's folders, panel and `microphone`.

    A microphone of this machine was never commissioned, and its first press is to record, not to commission.
    """
    return toml(
        {
            "box": {
                "id": enrolled.box.id,
                "signing_key": layout.box / "box.key",
                "commissioning": layout.commissioning,
            },
            "keys": enrolled.keys.model_dump(),
            "spool": {"path": layout.spool, "inbox": layout.inbox, "run": layout.run},
            "microphone": microphone,
            "checks": {"commissioned": commissioned},
            "panel": {"kind": "simulated", "socket": layout.panel / "panel.sock", "lamp_seen": 25, "mic_rail": 27},
        }
    )


def courier_toml(layout: Layout, box: str, url: str, broker_port: int) -> str:
    """Return the courier's file, with the demonstration's folders."""
    mqtt = layout.box / "mqtt"
    return toml(
        {
            "box": {"id": box},
            "spool": {"path": layout.spool, "inbox": layout.inbox, "run": layout.run},
            "state": {"path": layout.state},
            "archive": {"url": url, "ca": layout.box / "archive-ca.pem", "key": layout.box / "courier.key"},
            "broker": {
                "host": "127.0.0.1",
                "port": broker_port,
                "address": mqtt / "broker.json",
                "ca": mqtt / "ca.pem",
                "certificate": mqtt / "client.pem",
                "key": mqtt / "client.key",
            },
        }
    )
