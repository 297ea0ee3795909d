"""The frame of every page: the menu, and the heads of tables."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from archive.ui.navigation import places_for

register = template.Library()


@register.simple_tag(takes_context=True)
def menu(context: Context) -> list[dict[str, Any]]:
    """Return the entries of the menu, each with its label, its address, and whether the reader is at it."""
    here, path = context.get("place"), context["request"].path
    entries = []
    for place in places_for(context["may"]):
        address = reverse(place.address)
        current = "page" if path == address else "true" if place.code == here else ""
        entries.append({"label": place.label, "address": address, "current": current})
    return entries


@register.simple_tag
def heads(*labels: str) -> SafeString:
    """Return the head of a table of class `cards`, whose rows become cards on a narrow screen.

    A column of links, which speak for themselves, has an empty label.
    """
    named = '<th scope="col" role="columnheader">{}</th>'
    cells = [format_html(named, label) if label else format_html("<td>{}</td>", label) for label in labels]
    row = format_html_join("", "{}", ((cell,) for cell in cells))
    return format_html('<thead role="rowgroup"><tr role="row">{}</tr></thead>', row)
