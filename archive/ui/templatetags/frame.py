"""The frame of every page: the menu, and the heads of tables."""

from __future__ import annotations

from dataclasses import dataclass

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from archive.ui.navigation import FEW, LONGEST, places_for

register = template.Library()


@dataclass(frozen=True)
class MenuEntry:
    """One place in the menu."""

    label: str
    address: str
    current: str
    """What `aria-current` says: `page` on the place's first page, `true` on one below it, empty elsewhere."""


@dataclass(frozen=True)
class Menu:
    """The menu, as one reader sees it."""

    shown: list[MenuEntry]
    """In sight."""
    folded: list[MenuEntry]
    """Behind one more press, in a menu that would take too much of a narrow screen."""
    short: bool
    """Whether a wide screen has room for all of it, and shows what is folded as well."""

    @property
    def folded_here(self) -> MenuEntry | None:
        """The folded entry where the reader is."""
        return next((entry for entry in self.folded if entry.current), None)


@register.simple_tag(takes_context=True)
def menu(context: Context) -> Menu:
    """Return the menu of the reader."""
    here, path = context.get("place"), context["request"].path
    places = places_for(context["may"])
    menu = Menu([], [], short=len(places) <= LONGEST)
    for place in places:
        address = reverse(place.address)
        current = "page" if path == address else "true" if place.code == here else ""
        entries = menu.shown if place.first or len(places) <= FEW else menu.folded
        entries.append(MenuEntry(str(place.label), address, current))
    return menu


@register.simple_tag
def heads(*labels: str) -> SafeString:
    """Return the head of a table of class `cards`, whose rows become cards on a narrow screen.

    A column of links, which speak for themselves, has an empty label.
    """
    named = '<th scope="col" role="columnheader">{}</th>'
    cells = [format_html(named, label) if label else format_html("<td>{}</td>", label) for label in labels]
    row = format_html_join("", "{}", ((cell,) for cell in cells))
    return format_html('<thead role="rowgroup"><tr role="row">{}</tr></thead>', row)
