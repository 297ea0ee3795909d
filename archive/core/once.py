"""Forms whose second sending does no harm: each carries a token, and each token is acted on once.

A page puts the token into its form by `{% load once %}{% once %}` (ui/form.html does), and its view calls `once`. A
double click, the back button or a browser that sends again then leads to where the first sending led.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from django.http import HttpRequest, HttpResponseRedirect
from django.utils import timezone

from appliance.contract.errors import PlainSightError
from appliance.contract.stop_signal import StopSignal

from .deeds import one_deed
from .models import SentForm

FIELD: Final = "once"
"""Name of the form's member that carries the token."""
KEPT: Final = timedelta(days=7)
"""How long a token is remembered; a form that was left open for longer outlives its sign-in as well."""
_TOKEN: Final = re.compile(r"[0-9a-f]{32}")


class FormWithoutTokenError(PlainSightError):
    """A form arrived without its token, so nobody can tell whether it was sent before."""

    code = "form-without-token"


def new_token() -> str:
    """Return a token for one form, 128 random bits."""
    return secrets.token_hex(16)


def once(request: HttpRequest, act: Callable[[], str]) -> HttpResponseRedirect:
    """Call `act` unless this form was acted on already, and go to the address that it returned then or returns now.

    Token and deed are one transaction: where `act` raises, the form may be sent again. Raises FormWithoutTokenError.
    """
    token = request.POST.get(FIELD, "")
    if not _TOKEN.fullmatch(token):
        raise FormWithoutTokenError("this form arrived without its token; load its page again, then send it")
    with one_deed():
        sent, first = SentForm.objects.get_or_create(token=token, defaults={"at": timezone.now()})
        if first:
            sent.leads_to = act()
            sent.save(update_fields=["leads_to"])
    return HttpResponseRedirect(sent.leads_to)


def forget_old(_stop: StopSignal) -> None:
    """Forget the tokens whose forms nobody sends again."""
    SentForm.objects.filter(at__lt=timezone.now() - KEPT).delete()
