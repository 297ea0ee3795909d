"""Short texts that only this archive can read and make: secrets of second factors, and what somebody typed."""

from __future__ import annotations

import base64
from datetime import timedelta

from cryptography.fernet import Fernet, InvalidToken
from django.utils.crypto import salted_hmac


def encrypt(text: str) -> str:
    """Return `text` encrypted and authenticated (Fernet: AES-128-CBC and HMAC-SHA256) under the archive's secret."""
    return _fernet().encrypt(text.encode()).decode()


def decrypt(encrypted: str, max_age: timedelta | None = None) -> str | None:
    """Return the text; None if it was not encrypted here, or longer ago than `max_age`."""
    try:
        seconds = None if max_age is None else int(max_age.total_seconds())
        return _fernet().decrypt(encrypted.encode(), ttl=seconds).decode()
    except InvalidToken:
        return None


def _fernet() -> Fernet:
    key = salted_hmac("archive.accounts.encrypted_text", "", algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(key))
