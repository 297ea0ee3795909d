"""What sections have in common: their form, ports, servers, and files that hold a secret."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from appliance.contract.errors import SettingsError

Port = Annotated[int, Field(ge=1, le=65535)]
LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
"""Names of this machine."""
CREDENTIAL: Final = "credential:"
"""Before the name of a systemd credential, in place of a path."""
_CREDENTIAL_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,255}")
"""As systemd.exec(5) has them, less what nobody needs."""


def _secret_file(path: Path) -> Path:
    name = str(path).removeprefix(CREDENTIAL)
    if name != str(path) and not _CREDENTIAL_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a systemd credential; write {CREDENTIAL}NAME, or a path")
    return path


SecretFile = Annotated[Path, AfterValidator(_secret_file)]
"""A file that holds a secret, or `credential:NAME`: what systemd hands to a service (LoadCredential=)."""


class Section(BaseModel):
    """A section of the file; a name that it does not have is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def server_address(url: str) -> str:
    """Return the address of a server, without a slash at its end; raise ValueError for what is none."""
    parts = urlsplit(url)
    if parts.port == 0:
        raise ValueError("port 0 is none")
    own = parts.hostname in LOCAL
    more = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.hostname and not more and (parts.scheme == "https" or (parts.scheme == "http" and own)):
        return url.rstrip("/")
    raise ValueError("write https://HOST, with nothing behind it; http:// is only for this machine")


def read_secret(path: Path | None, field: str) -> str:
    """Return the secret in a file or a systemd credential, or an empty text without one.

    Raises SettingsError, which names the setting `field`, if it cannot be read. It is read whenever it is needed, so a
    command that does not need it runs also where the credential is not.
    """
    if path is None:
        return ""
    name = str(path).removeprefix(CREDENTIAL)
    if name != str(path):
        folder = os.environ.get("CREDENTIALS_DIRECTORY")
        if folder is None:
            raise SettingsError(
                f"systemd gives the credential {name} to services only; try again with "
                f"'systemd-run --pipe -p User=plainsight-archive -p LoadCredential={name}:FILE ...', or name a file",
                field=field,
            )
        path = Path(folder) / name
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read the secret in {path}: {error}", field=field) from error
