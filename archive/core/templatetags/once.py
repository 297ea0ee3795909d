"""The token of a form that may be sent twice and is acted on once."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from archive.core.once import FIELD, new_token

register = template.Library()


@register.simple_tag
def once() -> SafeString:
    """Return the hidden member that carries a fresh token; it stands inside the form."""
    return format_html('<input type="hidden" name="{}" value="{}">', FIELD, new_token())
