"""Sending the readiness report, once a day."""

from __future__ import annotations

import logging
from smtplib import SMTPException
from typing import Final

from django.conf import settings
from django.core.mail import send_mail
from django.utils import timezone

from appliance.contract.errors import SettingsError
from appliance.contract.stop_signal import StopSignal
from archive.core.deeds import one_deed
from archive.custody.actors import ARCHIVE, NOTHING
from archive.custody.log import record
from archive.rooms.views import cards_now
from archive.ui import words

from .custody_kinds import READINESS
from .models import ReadinessReport
from .readiness import REPORT_HOUR, as_text
from .rooms_today import readiness_now

LOOK_S: Final = 60.0
"""How often the worker looks whether the report is due, in seconds."""
_log = logging.getLogger(__name__)


def send_due_report(_stop: StopSignal) -> bool:
    """Send today's report if mail is configured, it is seven o'clock or later, and nobody sent it; tell whether it was.

    One worker of all does this (its lease), and no transaction is open while it talks to the mail server. A mail that
    cannot be sent is tried again a minute later; a crash right after it was sent sends it once more.
    """
    now = timezone.localtime()
    mail = settings.ARCHIVE.mail
    if mail is None or not mail.readiness_to or now.hour < REPORT_HOUR:
        return False
    if ReadinessReport.objects.filter(day=now.date()).exists():
        return False
    lines = readiness_now(now, cards_now(now.tzinfo))
    heading, text = as_text(lines, words.day(now))
    try:
        send_mail(heading, text, mail.sender, list(mail.readiness_to))
    except (SMTPException, OSError, SettingsError) as error:
        _log.error(
            "the readiness report cannot be sent: %(problem)s; look at [mail] in archive.toml", {"problem": error}
        )
        return False
    not_ready = sum(not one.ready for one in lines)
    with one_deed():
        record(READINESS, actor=ARCHIVE, subject=NOTHING, rooms=len(lines), not_ready=not_ready)
        ReadinessReport.objects.create(day=now.date(), sent_at=timezone.now(), not_ready=not_ready)
    return True
