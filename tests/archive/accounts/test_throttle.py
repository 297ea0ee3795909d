"""Guessing passwords is slow, leaves entries without what was typed, and locks no colleague out."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from archive.accounts import throttle
from archive.accounts.models import SignInAttempt, User
from archive.accounts.throttle import (
    MAX_ACCOUNT,
    MAX_ADDRESS,
    MAX_BROWSER,
    MAX_PAIR,
    Source,
    TooManyAttemptsError,
    begin,
)
from archive.custody.models import Entry
from tests.archive.page_fixtures import PASSWORD, make_user
from tests.archive.pages import check
from tests.support.archives import Archive

HERE, THERE = "203.0.113.7", "203.0.113.8"


def attempt(name: str, password: str, address: str = HERE, client: Client | None = None) -> Any:
    return (client or Client()).post("/sign-in/", {"username": name, "password": password}, REMOTE_ADDR=address)


def passes(by: timedelta) -> None:
    """Let time pass, as far as failures are concerned."""
    for row in SignInAttempt.objects.all():
        row.at -= by
        row.save()


@pytest.fixture
def ann(archive: Archive) -> User:
    return make_user("ann", role="custodian")


def test_sixty_wrong_passwords_are_not_looked_at(ann: User) -> None:
    answers = [attempt("ann", f"guess {n}").status_code for n in range(60)]
    assert answers == [200] * MAX_PAIR + [429] * (60 - MAX_PAIR)
    answer = attempt("ann", PASSWORD)
    assert answer.status_code == 429, "not even the right one"
    assert 0 < int(answer.headers["Retry-After"]) <= throttle.WINDOW.total_seconds()
    assert "Wait 15 minutes" in check(answer.content.decode()).text


def test_an_account_that_is_not_there_answers_in_the_same_way(ann: User) -> None:
    for name in ("ann", "nobody"):
        answers = [attempt(name, "guess") for _ in range(MAX_PAIR + 2)]
        assert [answer.status_code for answer in answers] == [200] * MAX_PAIR + [429] * 2
        assert "The name or the password is wrong." in check(answers[0].content.decode()).text


@pytest.mark.parametrize("other", ["ANN", " ann ", "ａｎｎ"])  # noqa: RUF001 - full-width letters on purpose
def test_another_form_of_the_name_is_the_same_account(ann: User, other: str) -> None:
    for n in range(MAX_PAIR):
        attempt("ann" if n % 2 else other, "guess")
    assert attempt(other, "guess").status_code == 429


def test_whoever_waits_can_try_again(ann: User) -> None:
    for _ in range(MAX_PAIR + 3):
        attempt("ann", "guess")
    passes(throttle.WINDOW)
    assert attempt("ann", PASSWORD).status_code == 302


def test_attempts_that_are_not_looked_at_do_not_make_the_wait_longer(ann: User) -> None:
    for _ in range(MAX_PAIR):
        attempt("ann", "guess")
    passes(timedelta(minutes=14))
    for _ in range(20):
        assert attempt("ann", "guess").status_code == 429
    passes(timedelta(minutes=1))
    assert attempt("ann", PASSWORD).status_code == 302


def test_a_sign_in_that_works_forgets_the_failures(ann: User) -> None:
    for _ in range(3):
        for _ in range(MAX_PAIR - 1):
            assert attempt("ann", "guess").status_code == 200
        assert attempt("ann", PASSWORD).status_code == 302


def test_many_accounts_from_one_address(ann: User) -> None:
    answers = [attempt(f"name{n}", "guess").status_code for n in range(MAX_ADDRESS + 5)]
    assert answers == [200] * MAX_ADDRESS + [429] * 5
    assert attempt("ann", PASSWORD, THERE).status_code == 302, "another address is not touched"


def test_one_account_from_many_addresses(ann: User) -> None:
    answers = [attempt("ann", "guess", f"198.51.100.{n}").status_code for n in range(MAX_ACCOUNT + 5)]
    assert answers == [200] * MAX_ACCOUNT + [429] * 5


@pytest.mark.parametrize("addresses", [[HERE], [f"198.51.100.{n}" for n in range(200)]])
def test_nobody_locks_a_colleague_out_of_the_browser_that_they_use(ann: User, addresses: list[str]) -> None:
    browser = Client()
    assert attempt("ann", PASSWORD, client=browser).status_code == 302
    browser.post("/sign-out/")
    for n in range(2 * MAX_ADDRESS):
        attempt("ann", "guess", addresses[n % len(addresses)])
    assert attempt("ann", PASSWORD).status_code == 429
    assert attempt("ann", PASSWORD, client=browser).status_code == 302


def test_a_known_browser_guesses_no_faster(ann: User) -> None:
    browser = Client()
    attempt("ann", PASSWORD, client=browser)
    browser.post("/sign-out/")
    answers = [attempt("ann", "guess", f"198.51.100.{n}", browser).status_code for n in range(MAX_BROWSER + 5)]
    assert answers == [200] * MAX_BROWSER + [429] * 5


def test_a_browser_is_known_for_its_own_account_only(ann: User) -> None:
    make_user("bob")
    browser = Client()
    attempt("ann", PASSWORD, client=browser)
    browser.post("/sign-out/")
    for _ in range(MAX_PAIR):
        attempt("bob", "guess")
    assert attempt("bob", PASSWORD, client=browser).status_code == 429


@pytest.mark.parametrize("cookie", ["", "nonsense", "a:b:c", "x" * 5000])
def test_a_cookie_that_nobody_signed_is_none(ann: User, cookie: str) -> None:
    for _ in range(MAX_PAIR):
        begin("ann", Source(HERE, cookie))
    with pytest.raises(TooManyAttemptsError):
        begin("ann", Source(HERE, cookie))


def test_many_at_once_are_no_way_around(ann: User) -> None:
    statuses: list[int] = []

    def guess() -> None:
        statuses.append(attempt("ann", "guess").status_code)
        connections.close_all()

    guessers = [threading.Thread(target=guess, name=f"guesser-{n}") for n in range(12)]
    for one in guessers:
        one.start()
    for one in guessers:
        one.join(60)
    assert sorted(statuses) == [200] * MAX_PAIR + [429] * (12 - MAX_PAIR)


def test_refusals_are_entries_without_what_was_typed(ann: User) -> None:
    for _ in range(MAX_PAIR + 20):
        attempt("ann", "Geheim 12345")
    attempt("Geheim 12345", "ann")
    told = [(entry.member("why"), entry.subject_id) for entry in Entry.objects.filter(code="sign-in-refused")]
    assert told == [("wrong", str(ann.pk))] * MAX_PAIR + [("throttled", str(ann.pk)), ("wrong", "")]
    kept = str(list(Entry.objects.values()) + list(SignInAttempt.objects.values()))
    assert "Geheim" not in kept


def test_old_attempts_are_forgotten(ann: User) -> None:
    SignInAttempt.objects.create(account="x", address=HERE, at=timezone.now() - throttle.WINDOW)
    attempt("ann", "guess")
    assert SignInAttempt.objects.count() == 1


def test_the_form_tells_errors_at_its_fields_and_in_a_summary_that_takes_the_focus(ann: User) -> None:
    page = check(attempt("ann", "guess").content.decode())
    (summary,) = [node for node in page.all("div") if node.get("role") == "alert"]
    assert "autofocus" in summary.attributes
    for name in ("username", "password"):
        (field,) = [node for node in page.all("input") if node.get("name") == name]
        assert (field.get("aria-invalid"), field.get("aria-describedby")) == ("true", summary.get("id"))
