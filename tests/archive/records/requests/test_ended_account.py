"""A parent's account that was ended: no link is made that opens nothing, and the account can be opened again."""

from __future__ import annotations

from archive.access.deeds import Deed
from archive.access.models import Grant
from archive.records.people.models import Person, Student
from archive.records.requests.models import ParentLink
from tests.archive.page_fixtures import signed_in
from tests.archive.pages import check
from tests.archive.records.factories import make_request
from tests.support.archives import Archive


def test_a_parents_ended_account_is_opened_again_and_granted_anew(
    archive: Archive, family: tuple[Student, Person]
) -> None:
    """34 CFR 99.10, 300.613: who holds rights inspects the records; an account that was ended does not end that."""
    case, person = make_request(*family), family[1]
    staff = signed_in(archive, "director", role="custodian")
    there = f"/requests/{case.pk}/open/"
    assert staff.post(there, {"days": "14"}).status_code == 200
    person.refresh_from_db()
    assert person.user is not None
    staff.post(f"/accounts/{person.user.pk}/end/")
    made = ParentLink.objects.count()
    answer = staff.post(there, {"days": "14"})
    assert answer.status_code == 422
    assert "This person's account has ended" in check(answer.content.decode()).text
    assert ParentLink.objects.count() == made
    staff.post(f"/accounts/{person.user.pk}/open/")
    assert not Grant.objects.filter(user=person.user, valid_until=None).exists()
    page = check(staff.post(there, {"days": "14"}).content.decode())
    link, code = [node.text for node in page.all("dd")][:2]
    parent = archive.client()
    assert parent.post(link[link.index("/link/") :], {"code": code}).status_code == 302
    assert "Ana Torres" in parent.get("/own/").content.decode()
    assert Grant.objects.filter(user=person.user, deed=Deed.OWN).exists()
