"""The district's escrow recipient: the second key that every recording's secret is encrypted to."""

from __future__ import annotations

from django.conf import settings

from appliance.contract.encryption import parse_recipient
from appliance.contract.errors import KeyFileError

from .file import ESCROW


def escrow_recipient() -> str:
    """Return the escrow's age recipient; raise KeyFileError if none was ever named."""
    if settings.ARCHIVE.escrow_recipient is not None:
        return str(settings.ARCHIVE.escrow_recipient)
    path = settings.ARCHIVE_HOME / "keys" / ESCROW
    try:
        text: str = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(
            f"there is no escrow recipient in {path}; name one with 'plainsight-archive make-keys --escrow' "
            "or make one with --new-escrow"
        ) from error
    parse_recipient(text)
    return text
