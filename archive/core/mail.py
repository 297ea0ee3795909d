"""Sending mail by the district's server: Django's own way, with a password that is read when it is needed."""

from __future__ import annotations

from django.conf import settings
from django.core.mail.backends import smtp

from archive.configuration.fields import read_secret


class EmailBackend(smtp.EmailBackend):
    """Raises SettingsError, SMTPException or OSError where mail cannot be sent."""

    def open(self) -> bool | None:
        """Connect, and sign in where a password is set."""
        if self.connection is None and settings.ARCHIVE.mail is not None:
            self.password = read_secret(settings.ARCHIVE.mail.password_file, "mail.password_file")
        return super().open()
