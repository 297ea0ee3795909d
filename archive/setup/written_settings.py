"""The archive.toml of a new archive: who serves whom, with which certificate (docs/certificates.md)."""

from __future__ import annotations

import json
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from archive.configuration.storage import Backup

from .answers import Answers

PUBLIC: Final = "public.pem"
"""In the key folder: a certificate that browsers believe, with those between it and its root."""
PUBLIC_KEY: Final = "public.key"
BEHIND_PROXY: Final = 8080
"""Port of the pages behind a proxy; only the proxy asks there."""


def has_own_listener_for_boxes(answers: Answers) -> bool:
    """Tell whether boxes get a listener of their own: where the pages' certificate is not the authority's."""
    return answers.public_certificate is not None or answers.proxy is not None


def site_url(answers: Answers) -> str:
    """Return where people find the archive."""
    if not has_own_listener_for_boxes(answers):
        return f"https://{answers.host}:{answers.port}"
    public = "" if answers.public_port == 443 or answers.proxy is not None else f":{answers.public_port}"
    return f"https://{answers.host}{public}"


def settings_text(answers: Answers, home: Path, broker: Path) -> str:
    """Return the file's text."""
    keys = home / "keys"
    own = {"certificate": keys / "web.pem", "key": keys / "web.key"}
    for_boxes: dict[str, object] = {"address": f"0.0.0.0:{answers.port}", **own}
    if answers.public_certificate is not None:
        public = {"certificate": keys / PUBLIC, "key": keys / PUBLIC_KEY}
        web: dict[str, object] = {"address": f"0.0.0.0:{answers.public_port}", **public}
    elif answers.proxy is None:
        web = for_boxes
    elif ip_address(answers.proxy).is_loopback:
        web = {"address": f"127.0.0.1:{BEHIND_PROXY}", "proxies": [answers.proxy]}
    else:
        # what passes over a network is encrypted
        web = {"address": f"0.0.0.0:{BEHIND_PROXY}", **own, "proxies": [answers.proxy]}
    sections: dict[str, dict[str, object]] = {
        "site": {
            "url": site_url(answers),
            "hosts": list(dict.fromkeys([answers.host, *answers.names, "localhost", "127.0.0.1"])),
            "time_zone": answers.time_zone,
            "contact": answers.contact,
        },
        "web": web,
        "mqtt": {
            "host": "localhost",
            "ca": keys / "authority.pem",
            "certificate": keys / "listener.pem",
            "key": keys / "listener.key",
            **({"broker_folder": broker} if answers.broker else {}),
        },
    }
    if has_own_listener_for_boxes(answers):
        sections["boxes"] = {"url": f"https://{answers.host}:{answers.port}", **for_boxes}
    if answers.database is not None:
        sections["database"] = answers.database.model_dump(mode="json", exclude_unset=True)
    if answers.backup is not None:
        sections["backup"] = answers.backup.model_dump(mode="json", exclude_unset=True)
    return _text(sections)


def backup_text(backup: Backup) -> str:
    """Return the section that names the places of backups, for settings that are there already."""
    return _text({"backup": backup.model_dump(mode="json", exclude_unset=True)})


def _text(sections: dict[str, dict[str, object]]) -> str:
    lines = ["# Written by 'plainsight-archive setup'; archive.example.toml explains each setting."]
    for name, values in sections.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value, default=str)}" for key, value in values.items()), ""]
    return "\n".join(lines)
