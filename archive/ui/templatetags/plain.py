"""What templates say in the archive's own way: signs, times, lengths."""

from __future__ import annotations

from datetime import date, datetime

from django import template
from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from archive.ui import words
from archive.ui.signs import SIGNS, SignCode

register = template.Library()


@register.simple_tag
def sign(code: SignCode, text: str) -> SafeString:
    """Return a state: its shape, hidden from readers, and its words."""
    return format_html(
        '<span class="sign sign-{0}"><svg class="shape" aria-hidden="true"><use href="#shape-{0}"></use></svg> '
        "<span>{1}</span></span>",
        SIGNS[code].code,
        text,
    )


@register.filter
def when(moment: datetime | None) -> str:
    """Return date, time and zone: Tue Nov 24 2026, 1:05:07 pm CST; of None nothing."""
    return words.when(localtime(moment)) if moment else ""


@register.filter
def who(account: object) -> str:
    """Return how an account is called; of one that was erased no name is left, and that is said."""
    return _("a person whose account was erased") if account is None else str(account)


@register.filter
def day(date: date | None) -> str:
    """Return a date: Tue Nov 24 2026; of None nothing."""
    return words.day(date) if date else ""


@register.filter
def day_and_time(moment: datetime | None) -> str:
    """Return the same without seconds, for lists; of None nothing."""
    return words.day_and_time(localtime(moment)) if moment else ""


@register.simple_tag
def contact() -> str:
    """Return whom people may ask, as the site's configuration names it."""
    return words.contact(settings.ARCHIVE.site.contact)


@register.simple_tag
def this_moment() -> str:
    """Return the present date, time and zone, for what is printed."""
    return words.when(localtime())


@register.filter
def time_and_zone(moment: datetime | None) -> str:
    """Return the time to the second with its zone, where caption or heading names the day; of None nothing."""
    return words.time_and_zone(localtime(moment)) if moment else ""
