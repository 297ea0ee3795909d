"""docs/access.md, the table of routes and what every kind of account gets are one and the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from django.utils import timezone

from appliance.contract.keys import KeyRing
from appliance.contract.stop_signal import StopSignal
from archive.access.checks import check_routes
from archive.access.deeds import ROLES, Deed
from archive.access.middleware import AccessMiddleware
from archive.access.routes import ROUTES, WITHOUT_SIGN_IN, Open, Route
from archive.access.views import FIRST
from archive.accounts.models import ProviderSubject, User
from archive.accounts.sessions import at_wall
from archive.core.uploads import FORM_WITH_FILE
from archive.custody.actors import ARCHIVE
from archive.enrollment.deeds import give_claim
from archive.keystore.current import keystore
from archive.records.destruction.models import Destruction, Told
from archive.records.disclosures.models import Consent, Disclosure
from archive.records.incidents.models import Incident
from archive.records.letters.models import Template
from archive.records.meetings import calendar_deeds
from archive.records.meetings.models import Notice
from archive.records.outside_recordings.models import OutsideFiling, OutsideRestriction
from archive.records.people.import_deeds import look_at
from archive.records.public_lists.models import Holding
from archive.records.redactions.deeds import PassageFacts, ask, begin, enter_passage
from archive.records.redactions.make_deeds import make_asked
from archive.records.redactions.models import Basis
from archive.records.redactions.sound import How
from archive.records.requests.link_deeds import make_link
from archive.records.requests.models import Amendment, SupervisedListening
from archive.records.restrictions.models import Restriction
from archive.records.retention.models import Series
from archive.records.transcripts.deeds import Facts, recipient_of
from archive.records.transcripts.deeds import bring as bring_transcript
from archive.records.transcripts.models import Language, Source
from archive.transfers import upload_deeds
from tests.archive.access.table import PAGE, SOMETHING, addresses, place, written
from tests.archive.page_fixtures import Arrive, entries, make_user, seal_one
from tests.archive.records.factories import (
    NOON,
    make_bar,
    make_filing,
    make_hold,
    make_letter,
    make_matter,
    make_meeting,
    make_person,
    make_request,
    make_right,
    make_room,
    make_student,
)
from tests.archive.records.outside_recordings.files import brought, sound
from tests.support.archives import Archive, archive_in, without_triggers

FACTS = Facts(Source.CART, Language.EN, "a captioner")
CALENDAR = b"meeting_id,student_id,date,from,to,room,kind\n"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
IN_PIECES = {"pages:outside-take-in", "pages:transfer"}
"""Whose file is sent to another address, a piece at a time."""
LEADS_ON = dict.fromkeys(("pages:language", "mfa_authenticate", "mfa_login_webauthn"), 302)
"""What anyone reaches, and what leads on: nobody is in the middle of a sign-in."""
GONE = {"pages:provider": 404, "pages:provider-callback": 404, "pages:invitation": 410}
"""What is not there: this archive has no provider, and nobody was invited."""
ACCOUNTS: dict[str, frozenset[Deed]] = {
    "nobody": frozenset(),
    **ROLES,
    **{f"only-{deed}": frozenset({deed}) for deed in Deed},
}


def everything(box: str, recording: str) -> dict[str, str]:
    """One of each thing that an address can name, by the address's argument; what is not here is not there."""
    student, person = make_student(), make_person()
    right, bar = make_right(person, student), make_bar(make_person("Luis"), student)
    run, _ = look_at(b"student_id,given_name,family_name\n1,Ann,Ash\n", by=make_user("registrar"))
    meeting = make_meeting(student)
    calendar, _ = calendar_deeds.look_at(CALENDAR, by=make_user("planner"))
    case, account = make_request(student, person), make_user("colleague")
    make_filing(recording, make_meeting(student))
    # the addresses of both kinds of cases call it `case`
    Amendment.objects.create(
        id=case.pk, student=student, person=person, recording_id=recording, received_on=NOON.date(), text="x"
    )
    made: dict[str, Any] = {
        "calendar": calendar,
        "student": student,
        "person": person,
        "right": right,
        "bar": bar,
        "run": run,
        "room": make_room(),
        "meeting": meeting,
        "notice": Notice.objects.create(student=student, meeting=meeting, received_at=NOON, meeting_at=NOON),
        "letter": make_letter(student),
        "case": case,
        "link": make_link(person, by=account, request=case).row,
        "template": Template.objects.filter(kind="acknowledgment", language="es").get(),
        "filing": make_filing(recording, meeting, end_asked_at=NOON),
    }
    made |= {"listening": SupervisedListening.objects.create(request=case, recording_id=recording, began_at=NOON)}
    matter = make_matter()
    made |= {"matter": matter, "held": make_hold(matter, student=make_student("Ben"))}
    made |= {"series": Series.objects.create(code="S 1", title="x", kinds=["iep"], entered_at=NOON)}
    with without_triggers():
        done = Destruction.objects.create(
            recording_id=recording,
            state="done",
            basis="period",
            proposed_at=NOON,
            approved_at=NOON,
            closed_at=NOON,
            finished_at=NOON,
        )
    made |= {"destruction": done, "told": Told.objects.create(destruction=done, letter=made["letter"])}
    disclosed = Disclosure.objects.create(
        recording_id=recording, what="audio", party="x", purpose="y", basis="own", prepared_at=NOON
    )
    given = {"student": student, "person": person, "records": "r", "purpose": "y", "party": "x", "how": "paper"}
    given |= {"signed_on": NOON.date(), "proof": "p", "entered_at": NOON}
    consent = Consent.objects.create(recording_id=recording, **given)
    made |= {"disclosure": disclosed, "consent": consent}
    restricted = Restriction.objects.create(recording_id=recording, first_frame=0, reason="x", made_at=NOON)
    made |= {"restriction": restricted}
    outside = brought(account, sound("FLAC"))
    # the addresses of both kinds of recordings call them so
    OutsideFiling.objects.create(id=made["filing"].pk, outside=outside, meeting=meeting, filed_at=NOON)
    OutsideRestriction.objects.create(id=restricted.pk, outside=outside, reason="x", made_at=NOON)
    made |= {"outside": outside, "outside-consent": Consent.objects.create(outside=outside, **given)}
    Incident.objects.create(
        meeting=meeting, missing="all", cause="other", explanation="x", told="x", done="x", entered_at=NOON
    )
    redacted, facts = begin(recording, "x", None, by=account), PassageFacts(0, 9, How.MUTE, Basis.OTHER, "x")
    passage = enter_passage(recording, redacted.pk, facts, by=account)
    ask(recording, redacted.pk, by=account)
    make_asked(StopSignal())
    made |= {"redaction": redacted, "passage": passage}
    by = make_user("captioner", Deed.TRANSCRIBE)
    vtt = b"WEBVTT\n\n00:00.100 --> 00:00.900\nx\n"
    said = bring_transcript(recording, vtt, 0, FACTS, recipient_of(recording), by=by)
    made |= {"member": make_user("teacher-of-one", Deed.PEOPLE)}
    made |= {"holding": Holding.objects.create(what="Papers", location="x", keeper="y", entered_at=NOON)}
    tried = ProviderSubject.objects.create(issuer="https://id.example.org", subject="s-1", last_at=timezone.now())
    claim = give_claim("Room 1", by=ARCHIVE, now=timezone.now()).row
    made |= {"account": account, "tried": tried, "claim": claim}
    ring = KeyRing(archives=[keystore().public])
    made |= {"upload": upload_deeds.begin(upload_deeds.Said("Springfield", ring, "x"), by=account)}
    known = {"box": box, "pk": "0", "text": "x", "token": "x", "recording": recording, "number": "0", "what": "records"}
    known |= {"version": str(said.version)}
    return known | {name: str(row.pk) for name, row in made.items()}


def names(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for one in resolver.url_patterns:
        if isinstance(one, URLPattern):
            yield prefix + str(one.name)
        else:
            yield from names(one, f"{prefix}{one.namespace}:" if one.namespace else prefix)


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


def test_the_page_shows_the_tables() -> None:
    """Write them anew with `python -m tests.archive.access.table`."""
    assert PAGE.read_text() == written(PAGE.read_text())


def test_what_needs_a_sign_in_is_what_the_table_says(archive: Archive) -> None:
    """Django's own sign-in rule and the table of routes are two; they must not differ."""
    for address, name in addresses():
        view = resolve(place(address, SOMETHING)).func
        assert getattr(view, "login_required", True) is (ROUTES[name].needs not in WITHOUT_SIGN_IN)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """One of each thing, in an archive of which these tests only ask what may be done."""
    with archive_in(tmp_path_factory.mktemp("decided") / "archive") as made:
        yield everything(made.keys.box, seal_one(made, tmp_path_factory.mktemp("spool"), seconds=1).id)


@pytest.mark.parametrize("account", ACCOUNTS)
def test_every_address_is_decided_by_its_deed_alone(known: dict[str, str], account: str) -> None:
    """Before any view runs, as an account that may do one deed, a role's deeds, or nothing."""
    granted = ACCOUNTS[account]
    user = make_user(f"p.smith.{account}", *granted)
    guard = AccessMiddleware(lambda _: HttpResponse())
    allowed = {name for address, name in addresses() if lets_through(guard, user, name, place(address, known))}
    decided = {name for name, route in ROUTES.items() if isinstance(route.needs, Deed)}
    assert allowed & decided == {name for name in decided if ROUTES[name].needs in granted}


def lets_through(guard: AccessMiddleware, user: User, name: str, there: str) -> bool:
    request = RequestFactory().generic(ROUTES[name].methods[-1], there)
    request.user, request.resolver_match, request.session = user, resolve(there), SessionStore()
    try:
        return guard.process_view(request, None, (), request.resolver_match.kwargs) is None
    except PermissionDenied:
        return False


@pytest.mark.parametrize("account", ["nobody", *ROLES])
def test_every_address_and_method_as_every_role(archive: Archive, sealed: Arrive, account: str) -> None:
    made, granted = sealed(seconds=1), ACCOUNTS[account]
    user = make_user("p.smith", *granted)
    known = everything(archive.keys.box, made.id)
    refused = 0
    client = Client()
    for address, name in addresses():
        route = ROUTES[name]
        if isinstance(route.needs, Open) and route.needs is not Open.SIGNED_IN:
            continue
        if SESSION_KEY not in client.session or at_wall(client.session):
            # for the first time, or once more after what signs out, or what leaves the rooms alone
            client.logout()
            client.force_login(user)
        for method in ("DELETE", *route.methods):
            answer = client.generic(method, place(address, known))
            status = answer.status_code
            case = f"{method} {address} as {account}"
            if method == "GET" and status == 200 and not answer.streaming and b'type="file"' in answer.content:
                assert route.longest >= FORM_WITH_FILE or name in IN_PIECES, f"no file arrives: {case}"
            if route.page and method in {"GET", "HEAD"}:
                assert status == 302, case
            elif isinstance(route.needs, Deed) and route.needs not in granted:
                refused += "/ID/" in address
                assert status == 403, case
            elif method not in route.methods:
                assert status == 405, case
            elif name == "pages:first":
                assert status == (302 if granted & FIRST.keys() else 403), case
            else:
                assert status in ({200, 302, 400, 422} if method == "POST" else {200, 302}), case
    assert len(entries(made.id, "refusal")) == refused


@pytest.mark.parametrize("method", METHODS)
def test_every_address_and_method_without_a_sign_in(archive: Archive, sealed: Arrive, method: str) -> None:
    made = sealed(seconds=1)
    known = everything(archive.keys.box, made.id)
    for address, name in addresses():
        route, there = ROUTES[name], place(address, known)
        answer = archive.client().generic(method, there)
        case = f"{method} {address}"
        if route.needs is Open.ANYONE:
            # nothing listens to the boxes in this test
            up = {"healthz": 503, **LEADS_ON, **GONE}.get(name, 200)
            if name == "pages:parent-link" and method == "POST":
                up = 422
            leads_on = route.page and method in {"GET", "HEAD"}
            assert answer.status_code == (302 if leads_on else up if method in route.methods else 405), case
        elif route.needs in {Open.MONITOR, Open.CONTROL_PAGE}:
            assert answer.status_code == (404 if method in route.methods else 405), case
        elif route.needs is Open.BOX and method not in route.methods:
            told = answer.status_code, answer.headers["Allow"], answer.headers["Content-Type"]
            assert told == (405, ", ".join(route.methods), "application/json"), case
            if method != "HEAD":
                assert answer.json()["error"]["code"] == "bad-method", case
        elif route.needs is Open.BOX:
            refused = answer.status_code in {400, 403, 404, 409, 411, 413}
            assert refused if method != "GET" or name not in {"box-state", "box-receipt"} else not refused, case
        else:
            assert (answer.status_code, answer.headers["Location"]) == (302, f"/sign-in/?next={there}"), case
    assert not [entry for entry in entries(made.id) if re.match("look|listen|download|verify", entry.code)]
