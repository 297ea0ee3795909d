"""TLS to the district's own servers: the authority that the box was given at enrollment counts, and no date."""

from __future__ import annotations

import ssl
from pathlib import Path

from appliance.contract.enrollment import NO_CHECK_TIME


def pinned_context(ca: Path) -> ssl.SSLContext:
    """Return a context that believes the authority in `ca` (PEM) alone, whatever the box's clock says.

    A Pi without a battery starts in 1970, and where a network lets no time through it stays there: its recordings must
    leave it all the same. Raises OSError or ssl.SSLError if the file cannot be used.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.load_verify_locations(cafile=str(ca))
    made.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME)
    return made
