"""Strangers who try claims and keys cost little, and lock no box out."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from appliance.contract.enrollment import new_claim
from archive.custody.actors import ARCHIVE
from archive.custody.models import Entry
from archive.enrollment import deeds
from archive.enrollment.models import Claim, FailedAttempt
from archive.enrollment.throttle import MAX_ADDRESS, MAX_ALL, WINDOW
from tests.archive.enrollment.test_deeds import district, enroll, identity, renewal, request
from tests.support.archives import Archive

__all__ = ["district"]
HERE, THERE = "203.0.113.7", "203.0.113.8"


def ask(client: Any, what: str, body: bytes, address: str = HERE) -> Any:
    return client.post(f"/api/1/{what}", body, content_type="application/octet-stream", REMOTE_ADDR=address)


def fill(count: int, address: str = "") -> None:
    """Let so many attempts have failed, each from an address of its own unless one is named."""
    now = timezone.now()
    FailedAttempt.objects.bulk_create(
        FailedAttempt(address=address or f"198.51.{n // 250}.{n % 250}", at=now) for n in range(count)
    )


def test_wrong_claims_from_one_address_are_bounded(district: Archive, client: Any, tmp_path: Path) -> None:
    box = identity(tmp_path)
    answers = [ask(client, "enroll", request(new_claim(), box)) for _ in range(MAX_ADDRESS + 5)]
    assert [answer.status_code for answer in answers] == [403] * MAX_ADDRESS + [429] * 5
    assert answers[-1].json()["error"]["code"] == "too-many-attempts"
    assert 0 < int(answers[-1].headers["Retry-After"]) <= WINDOW.total_seconds()
    assert FailedAttempt.objects.count() == MAX_ADDRESS, "beyond the limit nothing is written"
    assert ask(client, "enroll", request(new_claim(), box), THERE).status_code == 403, "others are not concerned"
    assert ask(client, "renew", b"nonsense").status_code == 429, "both addresses count together"


@pytest.mark.parametrize("what", ["enroll", "renew"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_another_method_is_refused_before_anything_is_looked_at(
    district: Archive, client: Any, what: str, method: str
) -> None:
    answer = client.generic(method, f"/api/1/{what}", b"nonsense", content_type="application/octet-stream")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    if method != "HEAD":
        assert answer.json()["error"]["code"] == "bad-method"
    assert not FailedAttempt.objects.exists(), "it is no attempt"


def test_nonsense_counts_as_well(district: Archive, client: Any) -> None:
    answers = [ask(client, what, b"nonsense").status_code for what in ("enroll", "renew") * MAX_ADDRESS]
    assert answers == [400] * MAX_ADDRESS + [429] * MAX_ADDRESS


def test_wrong_claims_from_many_addresses_are_bounded(district: Archive, client: Any, tmp_path: Path) -> None:
    fill(MAX_ALL - 1)
    box = identity(tmp_path)
    assert ask(client, "enroll", request(new_claim(), box)).status_code == 403
    assert ask(client, "enroll", request(new_claim(), box), THERE).status_code == 429


def test_no_stranger_locks_out_a_box_that_has_a_good_claim_or_a_known_key(
    district: Archive, client: Any, tmp_path: Path
) -> None:
    claim = deeds.give_claim("Room 9", by=ARCHIVE, now=timezone.now())
    box = identity(tmp_path)
    fill(MAX_ALL, HERE)
    answer = ask(client, "enroll", request(claim.text, box))
    assert answer.status_code == 200
    name = answer.json()["box"]
    assert ask(client, "renew", renewal(box, name)).status_code == 200
    assert ask(client, "renew", renewal(identity(tmp_path, "thief"), name)).status_code == 429


def test_a_claim_that_is_used_up_fills_no_custody_log(district: Archive, client: Any, tmp_path: Path) -> None:
    claim = deeds.give_claim("Room 9", by=ARCHIVE, now=timezone.now())
    Claim.objects.update(withdrawn_at=timezone.now())
    before = Entry.objects.count()
    for _ in range(MAX_ADDRESS + 5):
        ask(client, "enroll", request(claim.text, identity(tmp_path)))
    assert FailedAttempt.objects.count() == MAX_ADDRESS
    assert Entry.objects.count() == before + 1


def test_failures_are_forgotten_after_a_while(district: Archive, client: Any, tmp_path: Path) -> None:
    fill(MAX_ALL, HERE)
    FailedAttempt.objects.update(at=timezone.now() - WINDOW - timedelta(seconds=1))
    box = identity(tmp_path)
    assert ask(client, "enroll", request(new_claim(), box)).status_code == 403
    assert FailedAttempt.objects.count() == 1
    claim = deeds.give_claim("Room 9", by=ARCHIVE, now=timezone.now())
    enroll(client, claim.text, box)
    assert FailedAttempt.objects.count() == 1, "what succeeds does not count"
