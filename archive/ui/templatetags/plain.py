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
def when(moment: datetime) -> str:
    """Return date, time and zone: Tue Nov 24 2026, 1:05:07 pm CST."""
    return words.when(localtime(moment))


@register.filter
def who(account: object) -> str:
    """Return how an account is called; of one that was erased no name is left, and that is said."""
    return _("a person whose account was erased") if account is None else str(account)


@register.filter
def day(date: date | None) -> str:
    """Return a date: Tue Nov 24 2026; of None nothing."""
    return words.day(date) if date else ""


@register.filter
def day_and_time(moment: datetime) -> str:
    """Return the same without seconds and zone, for lists whose caption names the zone."""
    return words.day_and_time(localtime(moment))


@register.simple_tag
def contact() -> str:
    """Return whom people may ask, as the site's configuration names it."""
    return words.contact(settings.ARCHIVE.site.contact)


@register.simple_tag
def this_moment() -> str:
    """Return the present date, time and zone, for what is printed."""
    return words.when(localtime())


@register.simple_tag
def zone() -> str:
    """Return the abbreviation of the zone in which pages show times, as it is now."""
    return str(localtime().tzname())


@register.filter
def time_of_day(moment: datetime) -> str:
    """Return the time to the second, where caption or heading names day and zone."""
    return words.time_of_day(localtime(moment))
