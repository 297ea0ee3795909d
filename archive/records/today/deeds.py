"""Sending the readiness report, once a day."""

from __future__ import annotations

import logging
from datetime import date
from smtplib import SMTPException
from typing import Final

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone

from appliance.contract.errors import SettingsError
from appliance.contract.stop_signal import StopSignal
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

    The row is made first, so that of two workers one sends. A mail that cannot be sent takes it back, and is tried
    again a minute later.
    """
    now = timezone.localtime()
    mail = settings.ARCHIVE.mail
    if mail is None or not mail.readiness_to or now.hour < REPORT_HOUR:
        return False
    lines = readiness_now(now, cards_now(now))
    heading, text = as_text(lines, words.day(now))
    try:
        with transaction.atomic():
            if not _claim(now.date(), not_ready=sum(not one.ready for one in lines), rooms=len(lines)):
                return False
            send_mail(heading, text, mail.sender, list(mail.readiness_to))
    except (SMTPException, OSError, SettingsError) as error:
        _log.error(
            "the readiness report cannot be sent: %(problem)s; look at [mail] in archive.toml", {"problem": error}
        )
        return False
    return True


def _claim(day: date, *, not_ready: int, rooms: int) -> bool:
    _, mine = ReadinessReport.objects.get_or_create(
        day=day, defaults={"sent_at": timezone.now(), "not_ready": not_ready}
    )
    if mine:
        record(READINESS, actor=ARCHIVE, subject=NOTHING, rooms=rooms, not_ready=not_ready)
    return mine
