"""Where allauth asks the project. It brings the protocols; who has an account, and what is counted, is decided here."""

from __future__ import annotations

import time
from typing import Any, Final

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.stagekit import clear_login
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _

from appliance.contract.errors import StorageError

from . import throttle
from .encrypted_text import decrypt, encrypt
from .forms import begin_attempt, cookie_name
from .models import User
from .pages import refused_page

RECENT_S: Final = 300.0
"""Before a factor or the password is changed, the person must have been known by it within so long, in seconds."""


class AccountAdapter(DefaultAccountAdapter):
    """Accounts: no sign-up, no mail, our throttle, and the browser made known at the end of a sign-in."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - allauth calls it so
        """Tell that nobody makes an account for themself."""
        return False

    def add_message(self, *_args: Any, **_kwargs: Any) -> None:
        """Say nothing: the pages say it."""

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the client's address, which the edge has found out (archive/core/edge.py)."""
        return request.META.get("REMOTE_ADDR") or "0.0.0.0"

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Return whom a password proves while somebody is signed in; it is counted as at the sign-in."""
        attempt = begin_attempt(request, credentials["username"])
        user = authenticate(request, **credentials)
        if user is not None:
            throttle.succeeded(attempt)
        return user

    def is_reauthentication_required(self, *, app: str, **_kwargs: Any) -> bool:  # noqa: ARG002 - allauth calls it so
        """Tell whether the person must show again who they are: not within five minutes of a sign-in."""
        records = get_authentication_records(self.request, self.request.user)
        return not records or time.time() - records[-1]["at"] >= RECENT_S

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:  # noqa: ARG002 - the same
        """Answer somebody whose account has ended."""
        clear_login(request)
        return refused_page(request, _("Your account here has ended"), _("You cannot sign in any more."))

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponseBase:
        """Finish a sign-in: make the browser known as one of this person's."""
        response: HttpResponse = super().post_login(request, user, **kwargs)
        response.set_cookie(
            cookie_name(),
            throttle.device_cookie(user),
            max_age=throttle.COOKIE_AGE,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        return response


class SecondFactorAdapter(DefaultMFAAdapter):
    """Second factors: secrets are encrypted in the database, and names are ours."""

    error_messages = {  # noqa: RUF012 - allauth declares it as an instance variable
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("This code is wrong, or was used already. Wait for the next one."),
    }

    def encrypt(self, text: str) -> str:
        """Return the secret of an authenticator app, or of recovery codes, as it is stored."""
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Return it as it was; raise StorageError if the archive's own secret has changed since."""
        text = decrypt(encrypted_text)
        if text is None:
            raise StorageError(
                "a second factor was encrypted under another keys/django.secret; remove it and set it up again"
            )
        return text

    def get_totp_issuer(self) -> str:
        """Return the name under which an authenticator app shows the account."""
        return f"Plain Sight {context.request.get_host()}"

    def get_totp_label(self, user: User) -> str:
        """Return whose code it is."""
        return str(user)

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, Any]:
        """Return whose passkey it is, as a browser lists it."""
        return {**super().get_public_key_credential_user_entity(user), "name": str(user), "display_name": str(user)}


class ProviderAdapter(DefaultSocialAccountAdapter):
    """The provider: people are known by issuer and subject; nothing is made, linked or matched by e-mail."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:  # noqa: ARG002 - allauth calls it so
        """Tell that the provider makes no account."""
        return False

    def authenticate_by_email(self, login: Any) -> None:
        """Find nobody: an address of mail is no identity."""

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: Any) -> Any:  # noqa: ARG002 - the same
        """Take nothing over from the provider."""
        return sociallogin.user

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Any:  # noqa: ARG002
        """Return the one provider that the settings name."""
        from .provider import district_provider  # noqa: PLC0415 - it is made of what asks this adapter

        return district_provider(request)

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Find the account of whom the provider signed in, or end the sign-in with a page."""
        from .provider import account_of  # noqa: PLC0415 - the same

        sociallogin.user = account_of(request, sociallogin.account.extra_data["id_token"])

    def on_authentication_error(self, request: HttpRequest, provider: Any, **found: Any) -> None:  # noqa: ARG002
        """End a sign-in at the provider that did not work with a page that says what to do."""
        from .provider import failed_page  # noqa: PLC0415 - the same

        raise ImmediateHttpResponse(failed_page(request, found.get("error"), found.get("exception")))
