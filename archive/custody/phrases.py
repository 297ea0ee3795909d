"""What the members of a custody entry say to a person; what only a machine can use stays apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from appliance.contract import amber_codes
from appliance.contract.times import parse_wall
from archive.ui import words

Phrase = Callable[[str], str]
"""Returns what a member's value says."""

REFERENCES: Final = frozenset(
    {
        *(
            "about_id",
            "account",
            "board",
            "case",
            "claim",
            "disclosure",
            "event",
            "filing",
            "first_byte",
            "first_frame",
            "frame",
            "holding",
            "key",
        ),
        *("about", "consent", "destruction", "frames", "generations", "letter", "scan_sha256"),
        *("file_sha256", "model_sha256", "transcript"),
        *("passage", "redaction"),
        *("answer_id", "held", "incident", "recorded", "restriction"),
        *(
            "last_frame",
            "listen",
            "link",
            "listening",
            "matter",
            "meeting",
            "named_by",
            "noted_by",
            "notice",
            "package_sha256",
            "person",
            "recording",
            "room",
        ),
        *("scope_id", "segment", "serial", "sha256", "statement", "student", "successor", "template"),
        *("archive_key", "entries", "evidence_sha256", "recipient", "told", "upload"),
    }
)
"""Members that name something by an opaque identifier, a digest or a place that only a machine counts in."""
_PAGES: Final = {
    "recording": gettext_noop("the recording's own page"),
    "slip": gettext_noop("the slip for the parent"),
    "copies": gettext_noop("the page of copies"),
    "custody": gettext_noop("the page of the custody log"),
    "audio": gettext_noop("the audio"),
    "evidence": gettext_noop("the page of the evidence package"),
}
_DEEDS: Final[dict[str, str]] = {
    "look": gettext_noop("opening its page"),
    "listen": gettext_noop("listening"),
    "verify": gettext_noop("having it checked"),
    "download": gettext_noop("taking a copy"),
    "custody": gettext_noop("reading its custody log"),
}
_WHYS: Final = {
    "no-grant": gettext_noop("no right was granted"),
    "barred": gettext_noop("a court order bars this person"),
    "restricted": gettext_noop("fewer people may hear it"),
    "account-ended": gettext_noop("the account had ended"),
    "not-signed-in": gettext_noop("nobody was signed in"),
    "wrong": gettext_noop("name and password did not fit"),
    "throttled": gettext_noop("too many attempts had failed"),
    "second-factor": gettext_noop("the second step was wrong"),
    "wrong-code": gettext_noop("the code was wrong"),
    "used": gettext_noop("it was used already"),
    "expired": gettext_noop("it was too old"),
    "withdrawn": gettext_noop("it was withdrawn"),
    "clock": gettext_noop("the archive's clock was wrong"),
    "too-many": gettext_noop("the code was wrong too often"),
}
_HOW: Final = {
    "player": gettext_noop("with the player of the page"),
    "direct address": gettext_noop("without the page, by the audio's address"),
    "password": gettext_noop("with a password"),
    "passkey": gettext_noop("with a passkey"),
    "provider": gettext_noop("through the district's sign-in"),
    "password-and-code": gettext_noop("with a password and a code"),
}
_SOURCES: Final = {
    "person": gettext_noop("written by a person"),
    "cart": gettext_noop("written live by a captioner"),
    "vendor": gettext_noop("written by a service"),
    "machine": gettext_noop("written by a computer"),
}
_GROUNDS: Final = {
    "own": gettext_noop("their own record (34 CFR 99.10)"),
    "official": gettext_noop("for their work with the student (34 CFR 99.31(a)(1))"),
}
_VERDICTS: Final = {
    "intact": gettext_noop("it is intact"),
    "interrupted": gettext_noop("it is intact; the recording was interrupted"),
    "incomplete": gettext_noop("it is incomplete, and what is there is intact"),
    "tampered": gettext_noop("it was changed or damaged"),
}


_FACTORS: Final = {
    "totp": gettext_noop("an authenticator app"),
    "webauthn": gettext_noop("a passkey"),
    "recovery_codes": gettext_noop("recovery codes"),
    "all": gettext_noop("all of them"),
}
_SCOPES: Final = {
    "district": gettext_noop("in the whole district"),
    "school": gettext_noop("in one school"),
    "student": gettext_noop("for one student"),
    "recording": gettext_noop("for one recording"),
}
_WISHES: Final = {
    "listen": gettext_noop("to listen at the office"),
    "copy": gettext_noop("a copy"),
    "link": gettext_noop("to listen through a link"),
}
_LANGUAGES: Final = {"en": gettext_noop("in English"), "es": gettext_noop("in Spanish")}
_COUNTED_FROM: Final = {
    "meeting": gettext_noop("from the day of the meeting"),
    "school-year": gettext_noop("from the end of its school year"),
    "left": gettext_noop("from the day on which the student left"),
}


def _choice(table: Mapping[str, str]) -> Phrase:
    return lambda value: _(table[value]) if value in table else value.replace("-", " ")


def _moment(template: str) -> Phrase:
    return lambda value: _(template).format(when=words.when(localtime(parse_wall(value))))


def _said(template: str) -> Phrase:
    return lambda value: _(template).format(value=value)


def _plain(value: str) -> str:
    return value.replace("-", " ").replace("_", " ")


def spans_in_words(value: str) -> str:
    """Return the spans of an entry, `0-22 300-344` in seconds, in words."""
    pairs = [one.partition("-") for one in value.split()]
    clock = [(words.clock_time(float(first)), words.clock_time(float(last))) for first, _dash, last in pairs]
    return ", ".join(_("{first} to {last}").format(first=first, last=last) for first, last in clock)


def _if_so(words: str) -> Phrase:
    return _choice({"yes": words, "no": ""})


def _counted(name: str) -> Phrase:
    return lambda value: f"{value} {name}"


def name_deeds(labels: Mapping[str, str]) -> None:
    """Let deeds that have no words here be said by these, by code: whoever knows all deeds stands above this app."""
    for code, label in labels.items():
        _DEEDS.setdefault(code, label)


PHRASES: Final[dict[str, Phrase]] = {
    "from_second": lambda value: _("from {place} on").format(place=words.clock_time(float(value))),
    "spans": spans_in_words,
    "gaps_s": _said(gettext_noop("gaps of up to {value} s between them count as sent")),
    "how": _choice(_HOW),
    "page": _choice(_PAGES),
    "why": _choice(_WHYS),
    "verdict": _choice(_VERDICTS),
    "problem": lambda value: value,
    "message": lambda value: value,
    "outcome": lambda value: words.outcome(value) if value in words.OUTCOMES else value,
    "documents": _said(gettext_noop("documents that went along ({value})")),
    "searched": _if_so(gettext_noop("looking for a word in it")),
    "kiosk": _if_so(gettext_noop("for the kiosk in the office")),
    "factor": _choice(_FACTORS),
    "scope": _choice(_SCOPES),
    "wish": _choice(_WISHES),
    "language": _choice(_LANGUAGES),
    "role": _said(gettext_noop("as {value}")),
    "source": lambda value: _(_SOURCES[value]) if value in _SOURCES else _("from {value}").format(value=_plain(value)),
    "version": _said(gettext_noop("version {value}")),
    "quarter": _said(gettext_noop("of {value}")),
    "count": _said(gettext_noop("{value} in all")),
    "removed": _said(gettext_noop("{value} rows with names removed")),
    "not_ready": _said(gettext_noop("{value} not ready")),
    "meeting_at": _moment(gettext_noop("for a meeting that begins {when}")),
    "answer": _choice({"yes": gettext_noop("a parent records"), "no": gettext_noop("no parent records")}),
    "consented": _choice(
        {"yes": gettext_noop("with a written consent"), "no": gettext_noop("without a written consent yet")}
    ),
    "permanent": _if_so(gettext_noop("for good")),
    "years": _counted("years"),
    "counts_from": _choice(_COUNTED_FROM),
    "on_request": _if_so(gettext_noop("a parent may ask for its destruction before")),
    "decided_on": _said(gettext_noop("decided on {value}")),
    "kinds": lambda value: _("of these meetings: {value}").format(value=value.replace(",", ", ")),
    "ground": _choice(_GROUNDS),
    "copy_wanted": _if_so("a copy is asked for"),
    "told_on": lambda value: f"parents were told on {value}",
    "exempt": lambda value: f"nobody is told: {_plain(value)}",
    "heard_s": lambda value: f"listened to {value} s of it",
    "took_s": lambda value: f"within {value} s",
    "outside": lambda value: f"{value} samples outside of the passages, of which 0 were changed",
    "inside": lambda value: f"{value} samples inside, of which 0 are the original's",
    "bytes": _said(gettext_noop("{value} bytes of it")),
    "until": _moment(gettext_noop("until {when}")),
    "expires": _moment(gettext_noop("works until {when}")),
    "starts": _moment(gettext_noop("begins {when}")),
    "ends": _moment(gettext_noop("ends {when}")),
    "received": _said(gettext_noop("received {value}")),
    "received_before": _said(gettext_noop("received {value}, as it was logged before")),
    "meeting_at_before": _moment(gettext_noop("for a meeting that begins {when}, as it was logged before")),
    "due": _said(gettext_noop("due {value}")),
    "from_day": _said(gettext_noop("from {value} on")),
    "to_day": _said(gettext_noop("to {value}")),
    **dict.fromkeys(("code", "basis", "what", "state", "reply"), _plain),
    "cause": lambda value: words.fault(value).rstrip(".") if amber_codes.known(value) else _plain(value),
    "deed": _choice(_DEEDS),
    "deeds": lambda value: ", ".join(_choice(_DEEDS)(deed) for deed in value.split()),
    "reason": words.reason,
    "fields": _plain,
    "asked": _counted("left out until somebody says which meeting it is"),
    "rows_count": _counted("lines"),
    "file_type": str.upper,
    "hearing_days": _said(gettext_noop("the district waits {value} days for the parent to ask for a hearing")),
    "hearing_on": _said(gettext_noop("hearing on {value}")),
    "as_of": _said(gettext_noop("as of {value}")),
    "held_on": _said(gettext_noop("held on {value}")),
    "until_day": _said(gettext_noop("until {value}")),
    **{
        name: _counted(name)
        for name in ("added", "changed", "cues", "kept", "missing", "refused", "grants", "ended", "rooms", "joined")
    },
}
"""By the member's name; one that has no phrase shows its name."""


def spoken(detail: Mapping[str, object]) -> str:
    """Return what an entry's members say, without references, in the reader's language."""
    said = [_phrase(name, value) for name, value in detail.items() if name not in REFERENCES and _is_there(value)]
    return "; ".join(one for one in said if one)


def references(detail: Mapping[str, object]) -> str:
    """Return the members that name something, as `name value` pairs."""
    named = [(name, value) for name, value in detail.items() if name in REFERENCES and _is_there(value)]
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in named)


def _is_there(value: object) -> bool:
    return value not in ("", None)


def _phrase(name: str, value: object) -> str:
    text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
    phrase = PHRASES.get(name)
    try:
        return phrase(text) if phrase else f"{name.replace('_', ' ')}: {text}"
    except ValueError:
        # an older entry may say it otherwise; a log is shown as it is, never hidden
        return f"{name.replace('_', ' ')}: {text}"
