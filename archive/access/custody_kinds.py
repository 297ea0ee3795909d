"""Custody entries about people and what they may do."""

from __future__ import annotations

from collections.abc import Iterator

from archive.accounts.models import User
from archive.custody.actors import SubjectType
from archive.custody.check import compare_with_log
from archive.custody.kinds import register
from archive.custody.models import Entry
from archive.custody.phrases import name_deeds

from .deeds import Deed
from .models import Grant

name_deeds({deed.value: str(deed.label) for deed in Deed})
REFUSAL = register("refusal", "refused", "deed", "page", "why", "code")
SIGN_IN = register("sign-in", "signed in", "how")
SIGN_IN_REFUSED = register("sign-in-refused", "was refused a sign-in", "why")
ACCOUNT = register("account", "an account was made")
ACCOUNT_END = register("account-end", "an account was ended", "until", "grants")
RIGHTS_END = register("rights-end", "rights end with their account", "deeds", "scope", "scope_id", "until")
ACCOUNT_OPEN = register("account-open", "an ended account was opened again")
PASSWORD = register("password", "a new password was set")
ACCOUNT_ANEW = register("account-anew", "an operator gave the account a new password and took its second step away")
INVITATION = register("invitation", "a link to choose a password was given out", "until")
FACTOR = register("factor", "a second factor was added", "factor")
FACTOR_END = register("factor-end", "a second factor was taken away", "factor")
RECOVERY_CODE = register("recovery-code", "a recovery code was used")
SESSIONS_END = register("sessions-end", "sessions were ended", "count")
OFFER_END = register("offer-end", "an offered role was turned down", "role")
GRANT = register("grant", "a right was granted", "deed", "scope", "scope_id", "until")
REVOKE = register("revoke", "a right was taken away", "deed", "scope", "scope_id")


@compare_with_log
def rights_without_entry() -> Iterator[str]:
    """Yield accounts and grants that no entry tells of."""
    about = Entry.objects.filter(subject_type=SubjectType.USER)
    made = set(about.filter(code=ACCOUNT.code).values_list("subject_id", flat=True))
    granted = {
        (entry.subject_id, entry.member("deed"), entry.member("scope"), entry.member("scope_id"))
        for entry in about.filter(code=GRANT.code).iterator()
    }
    for pk in User.objects.order_by("pk").values_list("pk", flat=True):
        if str(pk) not in made:
            yield f"there is an account {pk} that nobody made"
    for pk, deed, scope, scope_id in Grant.objects.order_by("pk").values_list("user", "deed", "scope_type", "scope_id"):
        if (str(pk), deed, scope, scope_id) not in granted:
            yield f"the account {pk} may {deed}, which nobody granted"
