"""docs/access.md, the table of routes and what every kind of account gets are one and the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from archive.access.checks import check_routes
from archive.access.deeds import OF_ONE_RECORDING, ROLES, Deed
from archive.access.routes import ROUTES, Open, Route
from tests.archive.page_fixtures import Arrive, entries, make_user
from tests.support.archives import Archive

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "access.md").read_text()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")]
DEEDS = {row[0]: row[1:] for row in ROWS if row[0] in Deed.values}
ADDRESSES = {row[0].strip("`"): (row[1], row[2]) for row in ROWS if row[0].startswith("`/")}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ACCOUNTS: dict[str, frozenset[Deed]] = {
    "nobody": frozenset(),
    **ROLES,
    **{f"only-{deed}": frozenset({deed}) for deed in Deed},
}


def names(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for one in resolver.url_patterns:
        if isinstance(one, URLPattern):
            yield prefix + str(one.name)
        else:
            yield from names(one, f"{prefix}{one.namespace}:" if one.namespace else prefix)


def route_of(address: str) -> tuple[str, Route]:
    name = resolve(address.replace("ID", "0" * 32)).view_name
    return name, ROUTES[name]


def test_every_address_has_a_route_and_every_route_an_address() -> None:
    assert sorted(names(get_resolver())) == sorted(ROUTES)


@pytest.mark.parametrize(
    ("name", "route", "told"),
    [
        ("pages:rooms", None, "access.E001"),
        ("pages:nowhere", Route(Deed.LIST), "access.E002"),
        ("pages:rooms", Route(Open.ANYONE), "access.E003"),
    ],
)
def test_nothing_is_served_while_the_table_differs(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, name: str, route: Route | None, told: str
) -> None:
    archive.run("list")
    if route is None:
        monkeypatch.delitem(ROUTES, name)
    else:
        monkeypatch.setitem(ROUTES, name, route)
    assert [error.id for error in check_routes()] == [told]
    assert told in archive.run("web", status=1).stderr


def test_the_page_shows_the_table_of_routes() -> None:
    shown = {route_of(address)[0]: row for address, row in ADDRESSES.items()}
    assert shown == {name: (", ".join(route.methods), str(route.needs)) for name, route in ROUTES.items()}


def test_the_page_shows_the_deeds_and_roles() -> None:
    assert list(DEEDS) == Deed.values
    for deed in Deed:
        assert DEEDS[deed] == [deed.label, *("yes" if deed in granted else "no" for granted in ROLES.values())]
    (header,) = [row for row in ROWS if row[0] == "deed"]
    assert header[2:] == list(ROLES)


def test_what_needs_a_sign_in_is_what_the_table_says() -> None:
    """Django's own sign-in rule and the table of routes are two; they must not differ."""
    for address in ADDRESSES:
        _, route = route_of(address)
        view = resolve(address.replace("ID", "0" * 32)).func
        assert getattr(view, "login_required", True) is (route.needs not in {Open.ANYONE, Open.BOX})


@pytest.mark.parametrize("account", ACCOUNTS)
def test_every_address_and_method_as_every_account(archive: Archive, sealed: Arrive, account: str) -> None:
    made, granted = sealed(seconds=1), ACCOUNTS[account]
    user = make_user("p.smith", *granted)
    refused = 0
    for address in ADDRESSES:
        name, route = route_of(address)
        if isinstance(route.needs, Open) and route.needs is not Open.SIGNED_IN:
            continue
        for method in METHODS:
            client = Client()
            client.force_login(user)
            status = client.generic(method, address.replace("ID", made.id)).status_code
            case = f"{method} {address} as {account}"
            if route.page and method in {"GET", "HEAD"}:
                assert status == 302, case
            elif isinstance(route.needs, Deed) and route.needs not in granted:
                refused += route.needs in OF_ONE_RECORDING
                assert status == 403, case
            elif method not in route.methods:
                assert status == 405, case
            elif name == "pages:first":
                assert status == (302 if granted & {Deed.BOARD, Deed.LIST} else 403), case
            else:
                assert status in {200, 302}, case
    assert len(entries(made.id, "refusal")) == refused


@pytest.mark.parametrize("method", METHODS)
def test_every_address_and_method_without_a_sign_in(archive: Archive, sealed: Arrive, method: str) -> None:
    made = sealed(seconds=1)
    for address in ADDRESSES:
        name, route = route_of(address)
        place = address.replace("ID", made.id)
        answer = archive.client().generic(method, place)
        case = f"{method} {address}"
        if route.needs is Open.ANYONE:
            # nothing listens to the boxes in this test
            up = 503 if name == "healthz" else 200
            if name == "pages:language":
                up = 302
            leads_on = route.page and method in {"GET", "HEAD"}
            assert answer.status_code == (302 if leads_on else up if method in route.methods else 405), case
        elif route.needs is Open.BOX:
            refused = answer.status_code in {400, 403, 404, 405, 409, 411, 413}
            assert refused if method != "GET" or name not in {"box-state", "box-receipt"} else not refused, case
        else:
            assert (answer.status_code, answer.headers["Location"]) == (302, f"/sign-in/?next={place}"), case
    assert not [entry for entry in entries(made.id) if re.match("look|listen|download|verify", entry.code)]
