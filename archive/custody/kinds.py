"""What can stand in the custody log."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What was done."""

    ENROLL = "enroll"
    """A box, or another key of it, was made known."""
    RETIRE = "retire"
    """A box is no longer believed."""
    INGEST = "ingest"
    """A recording began to arrive."""
    CLOSE = "close"
    """Its closing record arrived."""
    REFUSAL = "refusal"
    """Something was refused: to a box, or to a user."""
    SEAL = "seal"
    """The package was sealed and the receipt signed."""
    PROBLEM = "problem"
    """The archive found something wrong with what it holds."""
    LOOK = "look"
    """A user opened a recording's page."""
    LISTEN = "listen"
    """A user was served audio."""
    DOWNLOAD_PACKAGE = "download-package"
    """A user was given the sealed package."""
    DOWNLOAD_FLAC = "download-flac"
    """A user was given the plain audio."""
    DOWNLOAD_RECEIPT = "download-receipt"
    """A user was given the receipt."""
    EXPORT = "export"
    """Somebody on the archive's host wrote out a package."""
    EXPORT_KEY = "export-key"
    """Somebody on the archive's host wrote out a recording's encrypted key."""
    VERIFY = "verify"
    """The sealed package was checked again."""
    SIGN_IN = "sign-in"
    """A user signed in."""
    ACCOUNT = "account"
    """An account was made or changed."""
