"""System checks: addresses and the table of routes must be the same before anything is served."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import Error
from django.urls import URLPattern, URLResolver, get_resolver

from .deeds import ROLES
from .routes import ROUTES, WITHOUT_SIGN_IN


def check_routes(**_: Any) -> list[Error]:
    """Return an error for each address without a route, each route without an address, and each that differs."""
    addresses = dict(_addresses(get_resolver()))
    return [
        *(
            Error(f"the address {name!r} names no deed", hint="enter it in archive/access/routes.py", id="access.E001")
            for name in sorted(addresses.keys() - ROUTES.keys())
        ),
        *(
            Error(f"the route {name!r} has no address", hint="take it out of that table", id="access.E002")
            for name in sorted(ROUTES.keys() - addresses.keys())
        ),
        *(
            Error(
                f"the address {name!r} needs {ROUTES[name].needs}, and its view says otherwise of the sign-in",
                hint="put @login_not_required on the view, or take it off",
                id="access.E003",
            )
            for name in sorted(addresses.keys() & ROUTES.keys())
            if addresses[name] is (ROUTES[name].needs in WITHOUT_SIGN_IN)
        ),
    ]


def check_offered_roles(**_: Any) -> list[Error]:
    """Return an error for each role that groups of the provider offer and that there is not."""
    provider = settings.ARCHIVE.sign_in.provider
    return [
        Error(
            f"[sign_in.provider] roles offers {role!r} to {group!r}, and there is no such role",
            hint=f"the roles are {', '.join(ROLES)}",
            id="access.E004",
        )
        for group, role in (provider.roles if provider else {}).items()
        if role not in ROLES
    ]


def _addresses(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, bool]]:
    """Yield the name of each address, and whether its view asks for a sign-in."""
    for one in resolver.url_patterns:
        if isinstance(one, URLPattern):
            yield prefix + str(one.name), getattr(one.callback, "login_required", True)
        else:
            yield from _addresses(one, f"{prefix}{one.namespace}:" if one.namespace else prefix)
