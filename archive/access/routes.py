"""Every address of the archive and the deed that it needs: the one table that the middleware holds requests against.

An address that is missing here answers nobody. docs/access.md shows the same table to people.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.urls import Resolver404, resolve

from appliance.contract.outside_package import PIECE
from archive.core.uploads import FORM, FORM_WITH_FILE

from .deeds import Deed


class Open(StrEnum):
    """Who reaches an address that needs no deed."""

    ANYONE = "anyone"
    """Also without a sign-in."""
    BOX = "a box"
    """Cookies mean nothing there; the box's signature decides."""
    MONITOR = "a monitor"
    """Cookies mean nothing there; the token of `[metrics]` decides, and without that setting nobody is answered."""
    CONTROL_PAGE = "a control page"
    """Cookies mean nothing there; the token of `[control]` decides, and without that setting nobody is answered."""
    SIGNED_IN = "any signed-in user"
    """Whatever was granted."""


WITHOUT_SIGN_IN: Final = frozenset({Open.ANYONE, Open.BOX, Open.MONITOR, Open.CONTROL_PAGE})
"""Those whom no session is asked of."""


@dataclass(frozen=True)
class Route:
    """What an address needs."""

    needs: Deed | Open
    """The deed, or who reaches it without one."""
    methods: tuple[str, ...] = ("GET", "HEAD")
    """Methods that it answers."""
    page: str = ""
    """Of an address that only forms are sent to: what a browser is shown that asks for it. For one of a recording, the
    page of it that the user may see."""

    longest: int = FORM
    """Most bytes that a form sends here, its file included; of boxes' addresses archive.ingest.limits says it."""
    before_second_factor: bool = False
    """Whether it is reached also by who still has to set up a second factor (archive.access.second_factor)."""


_PUT: Final = ("PUT",)
_FORM: Final = ("GET", "HEAD", "POST")
_OWN: Final = Route(Open.SIGNED_IN, _FORM, before_second_factor=True)
"""A page about one's own sign-ins."""


def _button(page: str, needs: Deed | Open = Deed.ACCOUNTS) -> Route:
    return Route(needs, ("POST",), page=page, before_second_factor=needs is Open.SIGNED_IN)


ROUTES: Final[dict[str, Route]] = {
    "account_login": Route(Open.ANYONE, _FORM),
    "mfa_authenticate": Route(Open.ANYONE, _FORM),
    "mfa_login_webauthn": Route(Open.ANYONE, _FORM),
    "pages:provider": Route(Open.ANYONE, ("POST",), page="account_login"),
    "pages:provider-callback": Route(Open.ANYONE),
    "pages:invitation": Route(Open.ANYONE, _FORM),
    "pages:sign-out": _button("pages:first", Open.SIGNED_IN),
    "mfa_index": Route(Open.SIGNED_IN, before_second_factor=True),
    "pages:sign-out-elsewhere": _button("mfa_index", Open.SIGNED_IN),
    "pages:own-password": _OWN,
    "account_reauthenticate": _OWN,
    "mfa_reauthenticate": _OWN,
    "mfa_reauthenticate_webauthn": _OWN,
    "mfa_activate_totp": _OWN,
    "mfa_deactivate_totp": _OWN,
    "mfa_add_webauthn": _OWN,
    "mfa_remove_webauthn": _OWN,
    "mfa_view_recovery_codes": _OWN,
    "mfa_generate_recovery_codes": _OWN,
    "pages:accounts": Route(Deed.ACCOUNTS),
    "pages:new-account": Route(Deed.ACCOUNTS, _FORM),
    "pages:account": Route(Deed.ACCOUNTS),
    "pages:account-role": _button("pages:accounts"),
    "pages:account-role-end": _button("pages:accounts"),
    "pages:account-offer": _button("pages:accounts"),
    "pages:account-invitation": _button("pages:accounts"),
    "pages:account-factors": _button("pages:accounts"),
    "pages:account-sessions": _button("pages:accounts"),
    "pages:account-end": _button("pages:accounts"),
    "pages:account-open": _button("pages:accounts"),
    "pages:tried-account": _button("pages:accounts"),
    "pages:tried-dismiss": _button("pages:accounts"),
    "pages:language": Route(Open.ANYONE, ("POST",), page="pages:first"),
    "pages:first": Route(Open.SIGNED_IN),
    "pages:rooms": Route(Deed.BOARD),
    "pages:wall": Route(Deed.BOARD, _FORM),
    "pages:rooms-json": Route(Deed.BOARD),
    "pages:boxes": Route(Deed.BOXES),
    "pages:claim-new": Route(Deed.BOXES, _FORM),
    "pages:claim-file": Route(Deed.BOXES, ("POST",), page="pages:boxes"),
    "pages:claim-withdraw": Route(Deed.BOXES, _FORM),
    "pages:box-new-board": Route(Deed.BOXES, _FORM),
    "pages:box-retire": Route(Deed.BOXES, _FORM),
    "pages:checks": Route(Deed.CHECKS),
    "pages:recordings": Route(Deed.LIST),
    "pages:recording": Route(Deed.LOOK),
    "pages:custody": Route(Deed.CUSTODY),
    "pages:slip": Route(Deed.LOOK),
    "pages:audio": Route(Deed.LISTEN),
    "pages:verify": Route(Deed.VERIFY, ("POST",), page="pages:recording"),
    "pages:verification": Route(Deed.VERIFY),
    "pages:verification-json": Route(Deed.VERIFY),
    "pages:fixity": Route(Deed.LIST),
    "pages:export": Route(Deed.DOWNLOAD),
    "pages:package": Route(Deed.DOWNLOAD),
    "pages:flac": Route(Deed.DOWNLOAD),
    "pages:receipt": Route(Deed.DOWNLOAD),
    "pages:evidence": Route(Deed.DOWNLOAD),
    "pages:evidence-file": Route(Deed.DOWNLOAD),
    "pages:evidence-outside": Route(Deed.DOWNLOAD),
    "pages:evidence-file-outside": Route(Deed.DOWNLOAD),
    "pages:students": Route(Deed.PEOPLE),
    "pages:student-new": Route(Deed.CORRECT, _FORM),
    "pages:student": Route(Deed.PEOPLE),
    "pages:student-edit": Route(Deed.CORRECT, _FORM),
    "pages:right-new": Route(Deed.CORRECT, _FORM),
    "pages:right-end": Route(Deed.CORRECT, _FORM),
    "pages:bar-new": Route(Deed.CORRECT, _FORM),
    "pages:bar-end": Route(Deed.CORRECT, _FORM),
    "pages:majority": Route(Deed.CORRECT, _FORM),
    "pages:persons": Route(Deed.PEOPLE),
    "pages:person-new": Route(Deed.CORRECT, _FORM),
    "pages:person": Route(Deed.PEOPLE),
    "pages:person-edit": Route(Deed.CORRECT, _FORM),
    "pages:person-account": Route(Deed.CORRECT, _FORM),
    "pages:roster": Route(Deed.CORRECT, _FORM, longest=FORM_WITH_FILE),
    "pages:roster-run": Route(Deed.CORRECT, _FORM),
    "pages:notice-new": Route(Deed.PLAN, _FORM),
    "pages:notice-correct": Route(Deed.PLAN, _FORM),
    "pages:meetings": Route(Deed.MEETINGS),
    "pages:meeting-new": Route(Deed.PLAN, _FORM),
    "pages:day-sheet": Route(Deed.MEETINGS),
    "pages:meeting": Route(Deed.MEETINGS),
    "pages:meeting-edit": Route(Deed.PLAN, _FORM),
    "pages:meeting-cancel": Route(Deed.PLAN, _FORM),
    "pages:parent-records": Route(Deed.CONDUCT, _FORM),
    "pages:incident": Route(Deed.MEETINGS),
    "pages:incident-new": Route(Deed.PLAN, _FORM),
    "pages:incident-edit": Route(Deed.PLAN, _FORM),
    "pages:incident-letter": Route(Deed.LETTERS, _FORM),
    "pages:today": Route(Deed.MEETINGS),
    "pages:readiness": Route(Deed.BOARD),
    "pages:my-rooms": Route(Deed.READY),
    "pages:requests": Route(Deed.REQUESTS),
    "pages:request-new": Route(Deed.ASK, _FORM),
    "pages:asked": Route(Deed.ASK),
    "pages:request": Route(Deed.REQUESTS),
    "pages:request-explain": Route(Deed.REQUESTS, _FORM),
    "pages:request-close": Route(Deed.REQUESTS, _FORM),
    "pages:request-open": Route(Deed.REQUESTS, _FORM),
    "pages:request-letter": Route(Deed.REQUESTS, _FORM),
    "pages:link-withdraw": Route(Deed.REQUESTS, _FORM),
    "pages:supervised": Route(Deed.REQUESTS, _FORM),
    "pages:listening": Route(Deed.LISTEN),
    "pages:listening-audio": Route(Deed.LISTEN),
    "pages:access-record": Route(Deed.REQUESTS),
    "pages:amendment-new": Route(Deed.REQUESTS, _FORM),
    "pages:amendment": Route(Deed.REQUESTS),
    "pages:amendment-step": Route(Deed.REQUESTS, _FORM),
    "pages:amendment-no-hearing": Route(Deed.REQUESTS, _FORM),
    "pages:statement": Route(Deed.REQUESTS, _FORM),
    "pages:parent-link": Route(Open.ANYONE, _FORM),
    "pages:kiosk": Route(Open.ANYONE, _FORM),
    "pages:kiosk-start": Route(Deed.REQUESTS, _FORM),
    "pages:own": Route(Deed.OWN),
    "pages:own-record": Route(Deed.OWN),
    "pages:outside-recordings": Route(Deed.LIST),
    "pages:outside-new": Route(Deed.FILE, _FORM),
    "pages:outside": Route(Deed.LOOK),
    "pages:outside-take-in": Route(Deed.FILE, _FORM),
    "pages:outside-piece": Route(Deed.FILE, ("POST",), page="pages:outside", longest=PIECE),
    "pages:outside-give-up": Route(Deed.FILE, _FORM),
    "pages:outside-audio": Route(Deed.LISTEN),
    "pages:outside-download": Route(Deed.DOWNLOAD),
    "pages:outside-file": Route(Deed.FILE, _FORM),
    "pages:outside-confirm": Route(Deed.FILE, _FORM),
    "pages:outside-wrong": Route(Deed.FILE, _FORM),
    "pages:outside-restrict": Route(Deed.RESTRICT, _FORM),
    "pages:outside-lift": Route(Deed.RESTRICT, _FORM),
    "pages:grants": Route(Deed.GRANT),
    "pages:grant-new": Route(Deed.GRANT, _FORM),
    "pages:grant-review": Route(Deed.GRANT, _FORM),
    "pages:grant-end": Route(Deed.GRANT, _FORM),
    "pages:restrict": Route(Deed.RESTRICT, _FORM),
    "pages:restriction-lift": Route(Deed.RESTRICT, _FORM),
    "pages:transcript": Route(Deed.LISTEN, _FORM),
    "pages:transcript-version": Route(Deed.LISTEN, _FORM),
    "pages:transcript-file": Route(Deed.DOWNLOAD),
    "pages:transcript-new": Route(Deed.TRANSCRIBE, _FORM, longest=FORM_WITH_FILE),
    "pages:transcript-ask": Route(Deed.TRANSCRIBE, _FORM),
    "pages:transcript-answer": Route(Deed.TRANSCRIBE, _FORM),
    "pages:transcript-set-aside": Route(Deed.TRANSCRIBE, _FORM),
    "pages:holds": Route(Deed.HOLD),
    "pages:matter-new": Route(Deed.HOLD, _FORM),
    "pages:matter": Route(Deed.HOLD),
    "pages:matter-edit": Route(Deed.HOLD, _FORM),
    "pages:matter-add": Route(Deed.HOLD, _FORM),
    "pages:matter-end": Route(Deed.HOLD, _FORM),
    "pages:hold-release": Route(Deed.HOLD, _FORM),
    "pages:hold-recording": Route(Deed.HOLD, _FORM),
    "pages:hold-outside": Route(Deed.HOLD, _FORM),
    "pages:retention": Route(Deed.RETENTION),
    "pages:retention-ahead": Route(Deed.RETENTION),
    "pages:retention-question": Route(Deed.RETENTION),
    "pages:series-new": Route(Deed.RETENTION, _FORM),
    "pages:series": Route(Deed.RETENTION),
    "pages:answer-new": Route(Deed.RETENTION, _FORM),
    "pages:redactions": Route(Deed.REDACT),
    "pages:redaction-new": Route(Deed.REDACT, _FORM),
    "pages:redaction": Route(Deed.REDACT),
    "pages:redaction-passage": Route(Deed.REDACT, _FORM),
    "pages:redaction-passage-remove": Route(Deed.REDACT, _FORM),
    "pages:redaction-make": Route(Deed.REDACT, _FORM),
    "pages:redaction-audio": Route(Deed.REDACT),
    "pages:redaction-sign-off": Route(Deed.REDACT, _FORM),
    "pages:redaction-reopen": Route(Deed.REDACT, _FORM),
    "pages:redaction-withdraw": Route(Deed.REDACT, _FORM),
    "pages:redaction-lift": Route(Deed.REDACT, _FORM),
    "pages:redaction-log": Route(Deed.REDACT),
    "pages:redaction-log-pdf": Route(Deed.REDACT),
    "pages:disclosures": Route(Deed.DISCLOSE),
    "pages:disclosure-new": Route(Deed.DISCLOSE, _FORM),
    "pages:disclosure-new-outside": Route(Deed.DISCLOSE, _FORM),
    "pages:disclosure": Route(Deed.DISCLOSE),
    "pages:disclosure-notice": Route(Deed.DISCLOSE, _FORM),
    "pages:disclosure-letter": Route(Deed.DISCLOSE, _FORM),
    "pages:disclosure-withdraw": Route(Deed.DISCLOSE, _FORM),
    "pages:disclosure-copy": Route(Deed.DISCLOSE),
    "pages:disclosure-receipt": Route(Deed.DISCLOSE),
    "pages:consent-new": Route(Deed.DISCLOSE, _FORM, longest=FORM_WITH_FILE),
    "pages:consent-withdraw": Route(Deed.DISCLOSE, _FORM),
    "pages:recorded": Route(Deed.DISCLOSE, _FORM),
    "pages:consent-new-outside": Route(Deed.DISCLOSE, _FORM, longest=FORM_WITH_FILE),
    "pages:consent-withdraw-outside": Route(Deed.DISCLOSE, _FORM),
    "pages:recorded-outside": Route(Deed.DISCLOSE, _FORM),
    "pages:destructions": Route(Deed.DESTROY),
    "pages:destruction-new": Route(Deed.DESTROY, _FORM),
    "pages:destruction-new-outside": Route(Deed.DESTROY, _FORM),
    "pages:destruction": Route(Deed.DESTROY),
    "pages:destruction-tell": Route(Deed.DESTROY, _FORM),
    "pages:destruction-reply": Route(Deed.DESTROY, _FORM),
    "pages:destruction-approve": Route(Deed.DESTROY, _FORM),
    "pages:destruction-withdraw": Route(Deed.DESTROY, _FORM),
    "pages:destruction-carry-out": Route(Deed.DESTROY, _FORM),
    "pages:destruction-certificate": Route(Deed.DESTROY),
    "pages:meeting-letter": Route(Deed.LETTERS, _FORM),
    "pages:letters": Route(Deed.LETTERS),
    "pages:lists": Route(Deed.LISTS),
    "pages:list": Route(Deed.LISTS),
    "pages:list-csv": Route(Deed.LISTS),
    "pages:list-pdf": Route(Deed.LISTS),
    "pages:list-publish": Route(Deed.PUBLISH, _FORM),
    "pages:record-type-new": Route(Deed.PUBLISH, _FORM),
    "pages:record-type-end": Route(Deed.PUBLISH, _FORM),
    "pages:position": Route(Deed.PUBLISH, _FORM),
    "pages:training": Route(Deed.PUBLISH, _FORM),
    "pages:public-records-answer": Route(Deed.LETTERS, _FORM),
    "pages:texts": Route(Deed.TEMPLATES),
    "pages:text-new": Route(Deed.TEMPLATES, _FORM),
    "pages:text": Route(Deed.TEMPLATES, _FORM),
    "pages:letter": Route(Deed.LETTERS),
    "pages:letter-file": Route(Deed.LETTERS),
    "pages:delivery": Route(Deed.LETTERS, _FORM),
    "pages:opening": Route(Deed.CONDUCT, _FORM),
    "pages:opening-events": Route(Deed.CONDUCT, ("POST",), page="pages:opening"),
    "pages:calendar-import": Route(Deed.PLAN, _FORM, longest=FORM_WITH_FILE),
    "pages:calendar-run": Route(Deed.PLAN, _FORM),
    "pages:tray": Route(Deed.FILE),
    "pages:file": Route(Deed.FILE, _FORM),
    "pages:filing-confirm": Route(Deed.FILE, _FORM),
    "pages:filing-wrong": Route(Deed.FILE, _FORM),
    "pages:filing-end": Route(Deed.FILE, _FORM),
    "pages:filing-keep": Route(Deed.FILE, _FORM),
    "pages:transfers": Route(Deed.FILE),
    "pages:transfer-new": Route(Deed.FILE, _FORM),
    "pages:transfer": Route(Deed.FILE, _FORM),
    "pages:transfer-piece": Route(Deed.FILE, ("POST",), page="pages:transfers", longest=PIECE),
    "pages:transfer-give-up": Route(Deed.FILE, _FORM),
    "healthz": Route(Open.ANYONE),
    "livez": Route(Open.ANYONE),
    "readyz": Route(Open.ANYONE),
    "metrics": Route(Open.MONITOR),
    "control-summary": Route(Open.CONTROL_PAGE),
    "favicon": Route(Open.ANYONE),
    "robots": Route(Open.ANYONE),
    "box-state": Route(Open.BOX, ("GET",)),
    "box-header": Route(Open.BOX, _PUT),
    "box-key": Route(Open.BOX, _PUT),
    "box-lines": Route(Open.BOX, ("POST",)),
    "box-tail": Route(Open.BOX, _PUT),
    "box-receipt": Route(Open.BOX, ("GET",)),
    "box-enroll": Route(Open.BOX, ("POST",)),
    "box-renew": Route(Open.BOX, ("POST",)),
}
"""By the address's name in the URL configuration."""
OF_A_WALL: Final = frozenset({"pages:wall", "pages:rooms-json", "pages:sign-out"})
"""What a session opens that was left on a screen on a wall."""


def longest_form(path: str) -> int:
    """Return the most bytes that a form can have at `path`; where nothing is, as many as most have."""
    try:
        return ROUTES[resolve(path).view_name].longest
    except (Resolver404, KeyError):
        return FORM
