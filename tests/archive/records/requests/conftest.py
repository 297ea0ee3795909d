"""The custodian and the family of these tests."""

from __future__ import annotations

import pytest

from archive.accounts.models import User
from archive.records.people.models import Person, Student
from tests.archive.page_fixtures import make_user
from tests.archive.records.factories import make_person, make_right, make_student
from tests.support.archives import Archive


@pytest.fixture
def custodian_(archive: Archive) -> User:
    return make_user("director", role="custodian")


@pytest.fixture
def family(archive: Archive) -> tuple[Student, Person]:
    student, mother = make_student("Ana", "Torres", local_id="S-17"), make_person("Rosa", "Torres")
    make_right(mother, student)
    return student, mother
