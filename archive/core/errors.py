"""What goes wrong, told as a page, or as JSON where a program asked: the one place that turns errors into answers.

`ErrorAnswers` answers what views raise. What middleware raises (a database that is locked while the session is read),
and addresses that do not exist, reach the handlers below (archive/urls.py names them).
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.db import DatabaseError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.middleware import csrf
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views import defaults

from appliance.contract.errors import KeyFileError, PlainSightError, StorageError

_log = logging.getLogger(__name__)
NOT_ALLOWED: Final = 405
API: Final = "/api/"
"""Below this path only programs ask."""
METRICS: Final = "/metrics"
"""Here only a monitor asks."""
Words = str | Promise
"""Text that is told in the reader's language."""
WORDS: Final[dict[str, tuple[Words, Words]]] = {
    "unknown-recording": (_("There is no such recording"), _("The archive has no recording with this identifier.")),
    "not-sealed": (
        _("Not sealed yet"),
        _("Nobody can listen to a recording or take a copy of it before it is sealed."),
    ),
    "cannot-decrypt": (
        _("This recording cannot be opened"),
        _("Its key is not in the key store, or does not fit. Nothing was played or handed out."),
    ),
    "bad-key": (_("The archive's keys cannot be read"), _("Nothing was played or handed out.")),
    "bad-digest": (
        _("A part of this recording is damaged"),
        _("Verify the recording; it can be restored from its copy."),
    ),
    "bad-format": (
        _("A part of this recording is damaged"),
        _("Verify the recording; it can be restored from its copy."),
    ),
    "package-missing": (
        _("The sealed package is missing"),
        _("It is not in the archive's store, so nothing was played, checked or handed out. Its copy must be restored."),
    ),
    "storage": (
        _("The archive's disk is not answering"),
        _("Try again in a minute. If it happens again, ask for help."),
    ),
}


DEFECT: Final = (
    _("Something went wrong in the archive"),
    _("You did nothing wrong. Try again; if it happens again, say when it happened."),
)
"""Heading and message of a defect, where what was typed is shown beside them."""
NOTHING_GRANTED: Final = (
    _("Nothing was granted to you yet"),
    _("You are signed in, and your account has no rights here. Ask the records custodian."),
)
"""Heading and message for whoever may do nothing yet."""
SAME_HANDS: Final = _(
    "The archive cannot tell that you are two people: one of you gave out the link to the other's account, or somebody "
    "gave out both. Ask another colleague, or let your administrator give one of the accounts a new password at the "
    "archive's host ('plainsight-archive set-password NAME --second-step')."
)
"""Why somebody is no second person, although the account is another one (archive/access/two_people.py)."""
SIGNED_OUT: Final = _("Nothing was done: you were signed out. Press the button again.")
"""What is told of a button that was pressed after the session had ended."""
COULD_NOT: Final = _("The archive could not do that")
WithTyped = Callable[[HttpRequest, Mapping[str, Words]], str]
"""Returns the page that tells a failure in these words, with what a form sent; nothing where nothing was typed."""
_with_typed: Final[list[WithTyped]] = []
_families: Final[list[Callable[[HttpRequest], bool]]] = []


def register_family(asks: Callable[[HttpRequest], bool]) -> None:
    """Have `asks` tell whether a parent asks: an error's detail is in English, and speaks to who works here."""
    _families.append(asks)


def register_typed(page: WithTyped) -> None:
    """Have `page` show what was typed wherever the archive fails; this app knows no session."""
    _with_typed.append(page)


class NoSuchAddressError(PlainSightError):
    """Nothing is at this address."""

    code = "unknown-address"
    status = 404


class BadRequestError(PlainSightError):
    """The request itself cannot be understood, or names a host that the archive does not answer for."""

    code = "bad-request"


class MethodError(PlainSightError):
    """The address exists, but not for this method."""

    code = "bad-method"
    status = 405


class ForbiddenError(PlainSightError):
    """Nobody who asks like this gets an answer."""

    code = "forbidden"
    status = 403


class DefectError(PlainSightError):
    """A defect of the archive; its log has the details."""

    code = "defect"
    status = 500


class ErrorAnswers:
    """Middleware that answers whatever a view raises on purpose, and a database that fails."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer; a method that an address does not know is told like every error, and not as the browser would."""
        response = self.get_response(request)
        if response.status_code != NOT_ALLOWED:
            return response
        allowed = response.headers.get("Allow", "")
        told = (
            answer(request, MethodError(f"use {allowed} here"))
            if wants_json(request)
            else HttpResponse(render_to_string("405.html", {}, request), status=NOT_ALLOWED)
        )
        told.headers["Allow"] = allowed
        return told

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Answer, or return None for a defect."""
        error = expected(exception)
        return None if error is None else answer(request, error)


def expected(exception: BaseException | None) -> PlainSightError | None:
    """Return what may be told about `exception`; None if it is a defect."""
    if isinstance(exception, PlainSightError):
        return exception
    if isinstance(exception, OperationalError):
        _log.error("the database failed: %(problem)s", {"problem": exception})
    elif isinstance(exception, DatabaseError):
        _log.error("the database failed", exc_info=exception)
    else:
        return None
    return StorageError("the archive's database failed; try again later")


def answer(request: HttpRequest, error: PlainSightError) -> HttpResponseBase:
    """Return the answer that tells `error`."""
    status = error.status if error.status >= 400 else 500
    if wants_json(request):
        if isinstance(error, KeyFileError):
            # no fault of whoever asks; and the names of the archive's files are none of their business
            _log.error("the keystore cannot work: %(problem)s", {"problem": error})
            error = StorageError("the archive cannot read its own keys; try again later")
            status = error.status
        return JsonResponse(error.as_json(), status=status, headers=getattr(error, "headers", {}))
    if status >= StorageError.status:
        # its name, since an address may hold a secret, such as an invitation's
        route = request.resolver_match.view_name if request.resolver_match else "no address"
        _log.error("%(route)s: %(problem)s", {"route": route, "problem": error})
    heading, message = WORDS.get(error.code, (COULD_NOT, ""))
    # a code's own message may speak to a box or to whoever runs the host: it comes second
    detail = f"In detail: {error.message}." if _tells_detail(request, error, status) else ""
    words: dict[str, Words] = {"heading": heading, "message": message, "advice": detail}
    if status < StorageError.status:
        return HttpResponse(render_to_string("ui/problem.html", words, request), status=status)
    # who is signed in is asked of the database, which may be what failed
    page = _typed_kept(request, words) or render_to_string("ui/problem.html", words)
    return HttpResponse(page, status=status)


def _tells_detail(request: HttpRequest, error: PlainSightError, status: int) -> bool:
    if error.code == "unknown-recording":
        return False
    if status >= StorageError.status:
        # who is signed in is asked of the database, which may be what failed
        return (get_language() or "en").startswith("en")
    return not any(asks(request) for asks in _families)


def _typed_kept(request: HttpRequest, words: Mapping[str, Words]) -> str:
    return next((page for show in _with_typed if (page := show(request, words))), "")


def wants_json(request: HttpRequest) -> bool:
    """Tell whether a program asks."""
    return is_for_programs(request.path_info)


def is_for_programs(path: str) -> bool:
    """Tell whether only programs ask for what is at a path."""
    return path.startswith(API) or path.endswith(".json") or path == METRICS


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer a request that Django refuses (handler400)."""
    if wants_json(request):
        return answer(request, BadRequestError("the archive cannot understand this request; check its host name"))
    return defaults.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer a request that is not allowed (handler403)."""
    if wants_json(request):
        return answer(request, ForbiddenError("this is not allowed"))
    return defaults.permission_denied(request, exception)


def not_our_form(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """Answer a form that Django refuses (CSRF_FAILURE_VIEW), and say which of the causes it is."""
    if wants_json(request):
        return answer(request, ForbiddenError("this is not allowed"))
    if reason in {csrf.REASON_NO_REFERER, csrf.REASON_BAD_ORIGIN % "null"}:
        cause = "hidden"
    elif reason == csrf.REASON_NO_CSRF_COOKIE:
        cause = "cookie"
    elif "checking failed" in reason:
        cause = "elsewhere"
    else:
        cause = "old"
    words = {"cause": cause, "origin": request.headers.get("Origin", ""), "url": settings.CSRF_TRUSTED_ORIGINS}
    return HttpResponse(render_to_string("403_csrf.html", words, request), status=HTTPStatus.FORBIDDEN)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer a request for what is not there (handler404)."""
    if wants_json(request):
        return answer(
            request, NoSuchAddressError("there is nothing at this address; docs/format.md lists those of boxes")
        )
    return defaults.page_not_found(request, exception)


def failed(request: HttpRequest) -> HttpResponseBase:
    """Answer a request at which something outside the views failed, or a defect showed (handler500)."""
    error = expected(sys.exc_info()[1])
    if error is not None:
        return answer(request, error)
    if wants_json(request):
        return answer(request, DefectError("something went wrong in the archive; its log has the details"))
    heading, message = DEFECT
    page = _typed_kept(request, {"heading": heading, "message": message, "advice": ""})
    return HttpResponse(page, status=500) if page else defaults.server_error(request)
