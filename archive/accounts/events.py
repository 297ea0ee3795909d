"""What happens at a sign-in and must be an entry of the custody log, which is above this app: archive.access enters it.

Each is sent before the change that it tells, inside of its transaction, unless it says otherwise.
"""

from __future__ import annotations

from typing import Final

from django.dispatch import Signal

sign_in_throttled: Final = Signal()
"""`username` or `user`: an attempt is not looked at, because too many failed."""
second_factor_refused: Final = Signal()
"""`user`: a code, or the answer of a passkey, was wrong."""
provider_refused: Final = Signal()
"""`why`: the provider signed somebody in who has no account here (`unknown-subject`), or its answer was wrong."""
factor_added: Final = Signal()
"""`user`, `factor`: an authenticator app, a passkey or recovery codes were added."""
factor_removed: Final = Signal()
"""`user`, `factor`: one was removed."""
recovery_code_used: Final = Signal()
"""`user`: one of the recovery codes was used up."""
password_set: Final = Signal()
"""`user`: the person set a password of their own, by an invitation or in place of an older one."""
sessions_ended: Final = Signal()
"""`user`, `count`: the person signed out elsewhere."""
