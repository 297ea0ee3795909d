"""What templates may offer."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from .decisions import granted_deeds
from .deeds import Deed
from .requests import signed_in


def may(request: HttpRequest) -> dict[str, object]:
    """Add `may` to a template's context: {% if may.listen %} asks whether somebody may listen to anything at all.

    It offers; `access.decisions.may` decides about the one thing.
    """

    def offered() -> dict[str, bool]:
        granted = granted_deeds(signed_in(request)) if hasattr(request, "user") else frozenset()
        return {deed.value: deed in granted for deed in Deed}

    return {"may": SimpleLazyObject(offered)}
