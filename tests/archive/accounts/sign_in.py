"""What tests of the sign-in share: settings, codes of an authenticator app, and people who sign in as people do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.mfa.totp.internal import auth as totp
from django.conf import settings
from django.test import Client
from django.test.utils import override_settings

from archive.accounts.models import User
from archive.custody.actors import Subject
from archive.custody.models import Entry
from tests.archive.page_fixtures import PASSWORD
from tests.archive.pages import check


@contextmanager
def sign_in_settings(**changed: Any) -> Iterator[None]:
    """[sign_in] with other values."""
    sign_in = settings.ARCHIVE.sign_in.model_copy(update=changed)
    with override_settings(ARCHIVE=settings.ARCHIVE.model_copy(update={"sign_in": sign_in})):
        yield


def sign_in(name: str, client: Client | None = None, **fields: str) -> Client:
    """Type name and password."""
    client = client or Client()
    client.answer = client.post("/sign-in/", {"username": name, "password": PASSWORD, **fields})  # type: ignore[attr-defined]
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/my/").status_code == 200


def code_of(secret: str, step: int = 0) -> str:
    """The code that an authenticator app shows now, or `step` steps later."""
    counters = list(totp.yield_hotp_counters_from_time())
    code: str = totp.format_hotp_value(totp.hotp_value(secret.replace(" ", ""), counters[len(counters) // 2] + step))
    return code


def set_up_app(client: Client) -> tuple[str, list[str]]:
    """Set an authenticator app up on the pages; return its secret and the recovery codes that were shown."""
    page = client.get("/my/app/").content.decode()
    check(page)
    (secret,) = re.findall(r'<span class="id">([A-Z2-7 ]+)</span>', page)
    answer = client.post("/my/app/", {"code": code_of(secret)}, follow=True)
    assert answer.redirect_chain == [("/my/recovery-codes/", 302)], answer.content.decode()
    return secret, re.findall(r'<li class="id">(\d+)</li>', answer.content.decode())


def codes_about(user: User) -> list[str]:
    """The kinds of the custody entries about an account, oldest first."""
    return list(Entry.objects.about(Subject.user(user.pk)).order_by("n").values_list("code", flat=True))
