"""The control page of a co-operative, made by the installed package as its unit makes it (docs/control.md)."""

from __future__ import annotations

import json
import re
from typing import Final

from .root import Root, require
from .set_up import ARCHIVE, HOME, HOST, running_archive
from .table import Trial

UNIT: Final = "/usr/lib/systemd/system/plainsight-archive-control-page.service"
USER: Final = "plainsight-control"
PAGE: Final = "/var/lib/plainsight-control"
SETTINGS: Final = "/etc/plainsight-control"
ARCHIVES: Final = f"""
title = "Archives of the co-operative"
time_zone = "America/Chicago"

[[archives]]
name = "Springfield"
url = "https://{HOST}:8443"
ca = "{SETTINGS}/springfield.pem"
token_file = "{SETTINGS}/springfield.token"
"""


def the_control_page_asks_the_archive(root: Root) -> str:
    """A district lets itself be asked, and the unit's own user makes the page and reaches nothing of the archive."""
    # the commands of docs/control.md, on both sides
    token = "/etc/plainsight-archive/control.token"
    root.run(f"umask 077; openssl rand -hex 32 >{token}; chown {ARCHIVE} {token}")
    with root.path(f"{HOME}/archive.toml").open("a") as settings:
        settings.write(f'\n[control]\ntoken_file = "{token}"\n')
    root.path(f"{SETTINGS}/archives.toml").write_text(ARCHIVES)
    root.run(
        f"cp {HOME}/keys/authority.pem {SETTINGS}/springfield.pem; cp {token} {SETTINGS}/springfield.token; "
        f"chgrp -R {USER} {SETTINGS}; chmod -R u=rwX,g=rX,o= {SETTINGS}; install -d -o {USER} -g {USER} {PAGE}"
    )
    unit = root.path(UNIT).read_text()
    settings_of_it = " ".join(re.findall("^Environment=(.*)$", unit, re.MULTILINE))
    (command,) = re.findall("^ExecStart=(.*)$", unit, re.MULTILINE)
    require(f"User={USER}" in unit, f"the unit's user is not {USER}")
    with running_archive(root) as services:
        said = services.run(f"env {settings_of_it} {command}", USER)
        services.run(f"ls {HOME} {token}", USER, status=2)
    seen = json.loads(root.path(f"{PAGE}/control.json").read_text())["archives"]
    require(len(seen) == 1 and seen[0]["summary"] is not None, f"what the archive answered: {seen}")
    require("Springfield" in root.path(f"{PAGE}/index.html").read_text(), "the page names the archive")
    return said.strip()


CONTROL_PAGE: Final[list[Trial]] = [the_control_page_asks_the_archive]
