"""Tokens by which programs are answered (a monitor, a control page): no session counts, and off means not there.

The district makes a token and hands it over. It is read at every request, so that a new one counts at once, and an
empty file, or none, lets nobody in.
"""

from __future__ import annotations

import hmac
import logging
from pathlib import Path
from typing import Final

from django.http import HttpRequest

from appliance.contract.errors import PlainSightError, SettingsError
from archive.configuration.fields import read_secret

from .errors import NoSuchAddressError

SHORTEST: Final = 32
"""Least length of a token, in characters: nobody counts how often strangers guess."""
_log = logging.getLogger(__name__)


class NoTokenError(PlainSightError):
    """Whoever asks did not show the token."""

    code = "no-token"
    status = 401
    headers: Final = {"WWW-Authenticate": "Bearer"}


def require_token(request: HttpRequest, file: Path | None, setting: str) -> None:
    """Return if `request` shows the token in `file`, which `setting` names, `section.name`.

    Raises NoSuchAddressError where the setting names none, else NoTokenError; a token that cannot be read, or is no
    secret, is told in the log alone.
    """
    section, _, name = setting.partition(".")
    if file is None:
        raise NoSuchAddressError(f"nobody is answered here; [{section}] {name} in archive.toml says who is")
    try:
        token = _token_in(file, setting)
    except SettingsError as error:
        _log.error("%(path)s is shown to nobody: %(problem)s", {"path": request.path_info, "problem": error})
        raise NoTokenError("the archive's log says why nobody is answered") from error
    shown = request.headers.get("Authorization", "")
    if not hmac.compare_digest(shown.encode(), f"Bearer {token}".encode()):
        raise NoTokenError(f"show the token of [{section}] {name}: 'Authorization: Bearer TOKEN'")


def _token_in(file: Path, setting: str) -> str:
    token = read_secret(file, setting)
    if len(token) < SHORTEST:
        raise SettingsError(f"the token has fewer than {SHORTEST} characters; make it with 'openssl rand -hex 32'")
    return token
