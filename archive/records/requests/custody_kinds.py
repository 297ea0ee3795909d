"""Custody entries about requests, amendments, and parents' own sign-in."""

from __future__ import annotations

from archive.custody.kinds import register

ACCESS_REQUEST = register("access-request", "access was asked for", "student", "person", "wish", "received", "due")
EXPLAINED = register("explained", "an explanation was given", "sha256")
REQUEST_CLOSED = register("request-closed", "a request was answered")
AMENDMENT = register("amendment", "an amendment was asked for", "recording", "received")
AMENDMENT_STEP = register("amendment-step", "an amendment went on", "state", "hearing_days", "hearing_on")
NO_HEARING = register(
    "amendment-no-hearing", "an amendment ended, since no hearing was asked for", "cause", "as_of", "sha256"
)
STATEMENT = register("statement", "a statement was placed", "case", "statement", "sha256")
LINK = register("parent-link", "a one-time link was made", "person", "link", "expires", "kiosk")
LINK_USED = register("parent-link-used", "a one-time link was used", "link")
LINK_REFUSED = register("parent-link-refused", "a one-time link was refused", "link", "why")
LINK_WITHDRAWN = register("parent-link-withdrawn", "a one-time link was withdrawn", "link")
SUPERVISED = register("supervised", "a supervised listening began", "listening")
