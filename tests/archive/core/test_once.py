"""A form that is sent twice is acted on once."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread

import pytest
from django.db import connections
from django.http import HttpRequest, QueryDict
from django.utils import timezone

from appliance.contract.stop_signal import StopSignal
from archive.core.models import SentForm
from archive.core.once import FormWithoutTokenError, forget_old, new_token, once
from tests.support.archives import Archive


class Meetings:
    """Something that forms change."""

    def __init__(self) -> None:
        self.made = 0

    def add(self) -> str:
        self.made += 1
        return f"/meetings/{self.made}/"


def sent(token: str) -> HttpRequest:
    request = HttpRequest()
    request.POST = QueryDict(f"once={token}")
    return request


def test_a_second_sending_does_nothing_and_leads_to_the_same_place(archive: Archive) -> None:
    meetings, token = Meetings(), new_token()
    for _ in range(2):
        assert once(sent(token), meetings.add).headers["Location"] == "/meetings/1/"
    assert meetings.made == 1
    once(sent(new_token()), meetings.add)
    assert meetings.made == 2, "another form is another deed"


def test_a_deed_that_failed_may_be_sent_again(archive: Archive) -> None:
    token = new_token()

    def fail() -> str:
        raise ValueError("no room of that name")

    with pytest.raises(ValueError, match="no room"):
        once(sent(token), fail)
    assert once(sent(token), lambda: "/rooms/").headers["Location"] == "/rooms/"


@pytest.mark.parametrize("token", ["", "x", "A" * 32, "0" * 33, "0" * 31 + "\n"])
def test_a_form_without_a_token_is_refused(archive: Archive, token: str) -> None:
    with pytest.raises(FormWithoutTokenError, match="load its page again"):
        once(sent(token), lambda: "/rooms/")


def test_two_sendings_at_once_are_one_deed(archive: Archive) -> None:
    meetings, token = Meetings(), new_token()

    def send() -> None:
        once(sent(token), meetings.add)
        connections.close_all()

    threads = [Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert meetings.made == 1


def test_old_forms_are_forgotten_and_new_ones_are_not(archive: Archive) -> None:
    SentForm.objects.create(token="0" * 32, at=timezone.now() - timedelta(days=8))
    SentForm.objects.create(token="1" * 32, at=timezone.now() - timedelta(days=6))
    forget_old(StopSignal())
    assert [form.token for form in SentForm.objects.all()] == ["1" * 32]
