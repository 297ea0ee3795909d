"""`plainsight-archive add-user`: IT sees, custodians hear."""

from __future__ import annotations

import json

from django.contrib.auth import authenticate
from django.contrib.auth.models import User

from archive.custody.models import Entry
from tests.support.archives import Archive


def test_a_listener_and_one_who_may_not(archive: Archive) -> None:
    custodian = json.loads(archive.run("add-user", "ann", "--may-listen", "--json").stdout)
    archive.run("add-user", "it")
    assert User.objects.get(username="ann").has_perm("recordings.listen")
    assert not User.objects.get(username="it").has_perm("recordings.listen")
    assert Entry.objects.filter(kind="account").count() == 2
    assert custodian["password"] not in str(list(Entry.objects.values()))


def test_the_password_that_was_shown_works(archive: Archive) -> None:
    shown = json.loads(archive.run("add-user", "ann", "--json").stdout)
    assert authenticate(username="ann", password=shown["password"]) is not None


def test_a_name_that_is_taken(archive: Archive) -> None:
    archive.run("add-user", "ann")
    assert "already" in archive.run("add-user", "ann", status=2).stderr
