"""Writing a box's settings from what the archive answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from appliance.contract.durable_files import replace
from appliance.contract.enrollment import ClaimFile, Enrolled
from appliance.contract.errors import StorageError
from appliance.contract.former_boxes import FILE as FORMER
from appliance.contract.former_boxes import FormerBoxes

Value = str | int | float | bool
Sections = dict[str, dict[str, Value]]
_I2S: Final[dict[str, Value]] = {"card": "Microphone", "channels": 2, "channel": "left", "bits": 32}
"""What the common I2S boards give: a card that is always there, the microphone in its left channel, 24 bits in 32."""
_USB: Final[dict[str, Value]] = {"card": ""}
"""The lamp switches the socket's supply (docs/wiring.md), so that an idle box sees no card: with one to look for, every
press would be refused as `microphone-missing`."""


def recorder_sections(claim: ClaimFile, answer: Enrolled, board: str) -> Sections:
    """Return the recorder's settings; what is not named keeps its default."""
    microphone: dict[str, Value] = {"device": "plainsight", **(_I2S if claim.hardware == "i2s" else _USB)}
    panel: dict[str, Value] = {}
    if claim.lamp_seen:
        panel["lamp_seen"] = 25
    if claim.mic_rail:
        panel["mic_rail"] = 27
    return {
        "box": {"id": answer.box, "board": board},
        "keys": {
            "archive_recipient": answer.archive_recipient,
            "escrow_recipient": answer.escrow_recipient,
            "archive_key": answer.archive_key,
        },
        "microphone": microphone,
        "panel": panel,
        "log": {"to": "journal"},
    }


def courier_sections(claim: ClaimFile, answer: Enrolled, board: str, folder: Path) -> Sections:
    """Return the courier's settings."""
    return {
        "box": {"id": answer.box, "board": board},
        "archive": {"url": claim.url, "ca": str(folder / "archive-ca.pem"), "key": str(folder / "courier.key")},
        "broker": {"host": answer.broker.host, "port": answer.broker.port},
    }


def toml(sections: Sections, heading: str) -> bytes:
    """Return `sections` as TOML, below a comment. TOML's basic strings are JSON's (TOML 1.0, section String)."""
    lines = [f"# {heading}"]
    for name, members in sections.items():
        lines += ["", f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in members.items())]
    return "\n".join([*lines, ""]).encode()


def former_toml(former: FormerBoxes) -> bytes:
    """Return the file of former boxes as TOML."""
    lines = [
        "# Written by 'plainsight enroll': boxes whose cards went on in this board.",
        f"version = {former.version}",
    ]
    for box in former.boxes:
        lines += ["", "[[boxes]]", f"id = {json.dumps(box.id)}", f"key = {json.dumps(box.key)}"]
    return "\n".join([*lines, ""]).encode()


def write(folder: Path, claim: ClaimFile, answer: Enrolled, board: str, former: FormerBoxes | None = None) -> None:
    """Write certificates and settings into `folder`, recorder.toml last; raise StorageError.

    `former`: the boxes whose place this one has taken.

    The recorder's unit waits for recorder.toml, so what is half written starts nothing.
    """
    heading = "Written by 'plainsight enroll'; the box's own example file explains each setting."
    files = {folder / FORMER: (former_toml(former), 0o600)} if former is not None else {}
    files |= {
        folder / "archive-ca.pem": (answer.authority.encode(), 0o644),
        folder / "mqtt" / "ca.pem": (answer.authority.encode(), 0o644),
        folder / "mqtt" / "client.pem": (answer.certificate.encode(), 0o644),
        folder / "mqtt" / "broker.json": (answer.broker.model_dump_json().encode(), 0o644),
        folder / "courier.toml": (toml(courier_sections(claim, answer, board, folder), heading), 0o644),
        folder / "recorder.toml": (toml(recorder_sections(claim, answer, board), heading), 0o644),
    }
    for path, (data, mode) in files.items():
        try:
            path.parent.mkdir(exist_ok=True)
            replace(path, data, mode=mode, durable=True)
        except OSError as error:
            raise StorageError(f"cannot write {path}: {error.strerror}; run this as root") from error
