"""Signing in with the district's OpenID Connect provider: authorization code, PKCE, state, nonce, signed ID token.

allauth brings state, PKCE and the exchange of the code. A person is who issuer and subject say, and nothing else: no
account is made, linked or matched by an address of mail.
"""

from __future__ import annotations

import logging
import secrets
from typing import Any, Final
from urllib.parse import urlsplit

import jwt
import requests
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.base import AuthError, AuthProcess
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from appliance.contract.errors import PlainSightError
from archive.configuration.fields import read_secret
from archive.configuration.sign_in import Provider

from . import id_token
from .events import provider_refused
from .id_token import Expected, ProviderAnswerError
from .models import ProviderSubject, User
from .pages import refused_page
from .typed import remember

PROVIDER: Final = "district"
"""The provider's name inside allauth: there is one."""
_log = logging.getLogger(__name__)


class DistrictProvider(OpenIDConnectProvider):
    """allauth's provider, asked for no more than who somebody is."""

    pkce_enabled_default = True

    def get_oauth2_adapter(self, request: HttpRequest) -> Exchange:
        """Return what talks to the provider."""
        return Exchange(request, PROVIDER)

    def get_default_scope(self) -> list[str]:
        """Return what is asked for: never an address of mail."""
        return ["openid", "profile"]

    def extract_uid(self, data: dict[str, Any]) -> str:
        """Return the subject; only the ID token counts."""
        return str(data["id_token"]["sub"])

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002 - allauth calls it so
        """Return nothing: no member of an account comes from the provider."""
        return {}

    def extract_email_addresses(self, data: dict[str, Any]) -> list[Any]:  # noqa: ARG002 - the same
        """Return none."""
        return []


class Exchange(OpenIDConnectOAuth2Adapter):
    """allauth's exchange with the provider; the discovery document and the ID token are checked by us."""

    nonce: str = ""
    """Of this sign-in, from its state."""

    def get_provider(self) -> DistrictProvider:
        """Return the provider."""
        return district_provider(self.request)

    @property
    def openid_config(self) -> dict[str, Any]:
        """Return the discovery document; raise ProviderAnswerError if it is another provider's."""
        if not hasattr(self, "_document"):
            self._document = discover(self.get_provider().app.settings["server_url"])
        return self._document

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:  # noqa: ARG002 - allauth calls it so
        """Return where the provider sends people back to, by the site's one address."""
        return f"{settings.ARCHIVE.site.url}{reverse('pages:provider-callback')}"

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> SocialLogin:  # noqa: ARG002
        """Return whom the ID token names; userinfo is not asked: what is not signed counts for nothing."""
        encoded = kwargs["response"].get("id_token")
        if not isinstance(encoded, str):
            raise ProviderAnswerError("the provider gave no ID token", field="id_token")
        wanted = provider_settings()
        keys = _key_set(_fetched(self.openid_config["jwks_uri"]))
        claims = id_token.check(encoded, keys, Expected(wanted.issuer, wanted.client_id, self.nonce))
        return self.get_provider().sociallogin_from_response(request, {"id_token": claims})


class Callback(OAuth2CallbackView):
    """allauth's return from the provider, with the nonce of its state."""

    adapter: Exchange

    def _get_state(self, request: HttpRequest, provider: DistrictProvider) -> tuple[Any, Any]:
        state, response = super()._get_state(request, provider)
        self.adapter.nonce = str((state or {}).get("nonce", ""))
        return state, response


def provider_settings() -> Provider:
    """Return the provider's settings; raise Http404 where there is none: its addresses do not exist then."""
    provider: Provider | None = settings.ARCHIVE.sign_in.provider
    if provider is None:
        raise Http404
    return provider


def district_provider(request: HttpRequest) -> DistrictProvider:
    """Return the one provider that the settings name."""
    wanted = provider_settings()
    app = SocialApp(
        provider=DistrictProvider.id,
        provider_id=PROVIDER,
        name=wanted.label,
        client_id=wanted.client_id,
        secret=secret_of(wanted),
        settings={"server_url": wanted.issuer},
    )
    return DistrictProvider(request, app=app)


def secret_of(provider: Provider) -> str:
    """Return the secret that the provider gave the archive; raise SettingsError."""
    return read_secret(provider.secret_file, "sign_in.provider.secret_file")


def discover(issuer: str) -> dict[str, Any]:
    """Return the discovery document of `issuer`; raise ProviderAnswerError."""
    document = _fetched(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if document.get("issuer") != issuer:
        raise ProviderAnswerError(
            f"the provider calls itself {document.get('issuer')!r}; write exactly that in the settings, if it is right",
            field="sign_in.provider.issuer",
        )
    for member in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        address = document.get(member)
        if not isinstance(address, str) or urlsplit(address).scheme not in {"https", urlsplit(issuer).scheme}:
            raise ProviderAnswerError(f"the provider's discovery document has no {member}", field=member)
    return document


def _fetched(address: str) -> dict[str, Any]:
    try:
        with get_adapter().get_requests_session() as session:
            answer = session.get(address, allow_redirects=False)
            answer.raise_for_status()
            found = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise ProviderAnswerError(f"the provider does not answer at {address}: {error}", field="issuer") from error
    if not isinstance(found, dict):
        raise ProviderAnswerError(f"the provider does not answer with an object at {address}", field="issuer")
    return found


def _key_set(found: dict[str, Any]) -> jwt.PyJWKSet:
    try:
        return jwt.PyJWKSet.from_dict(found)
    except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
        raise ProviderAnswerError(f"the provider's keys cannot be read: {error}", field="jwks_uri") from error


@login_not_required
@require_POST
def start(request: HttpRequest) -> HttpResponseBase:
    """Send somebody to the provider, by a page: a form's own redirect must stay here (Content Security Policy)."""
    remember(request, request.POST.get("typed", ""))
    provider, nonce = district_provider(request), secrets.token_urlsafe(32)
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    try:
        away = provider.redirect(
            request, AuthProcess.LOGIN, next_url=wanted if safe else None, auth_params={"nonce": nonce}, nonce=nonce
        )
    except ProviderAnswerError as error:
        return failed_page(request, AuthError.UNKNOWN, error)
    return render(request, "accounts/to_provider.html", {"address": away.headers["Location"]})


@login_not_required
@require_safe
def callback(request: HttpRequest) -> HttpResponseBase:
    """Take somebody back from the provider."""
    wanted = provider_settings()
    exchange = Exchange(request, PROVIDER)
    if request.GET.get("iss", wanted.issuer) != wanted.issuer:
        # RFC 9207: an answer that another provider gave
        return failed_page(request, AuthError.UNKNOWN, ProviderAnswerError("another provider answered", field="iss"))
    try:
        answer: HttpResponseBase = Callback.adapter_view(exchange)(request)
    except ProviderAnswerError as error:
        provider_refused.send(None, why="provider-answer")
        return failed_page(request, AuthError.UNKNOWN, error)
    return answer


def failed_page(request: HttpRequest, error: str | None, exception: Exception | None) -> HttpResponse:
    """Return the page of a sign-in at the provider that did not work."""
    if error == AuthError.CANCELLED:
        return refused_page(request, _("You did not sign in"), _("Your district's sign-in was left before it ended."))
    _log.warning("a sign-in at the provider failed: %(problem)s", {"problem": exception or error})
    detail = exception.message if isinstance(exception, PlainSightError) else ""
    if isinstance(exception, ProviderAnswerError):
        message = _("Your district's sign-in gave an answer that the archive does not accept.")
        return refused_page(request, _("Signing in did not work"), f"{message} {detail}", status=exception.status)
    message = _("This sign-in was begun too long ago, or in another browser, or it was ended already. Begin again.")
    return refused_page(request, _("Signing in did not work"), message)


def account_of(request: HttpRequest, claims: dict[str, Any]) -> User:
    """Return the account of whom `claims` name; note who it is, and end the sign-in with a page if there is none."""
    person = note(claims)
    user = person.user()
    if user is not None:
        return user
    provider_refused.send(None, why="unknown-subject")
    raise ImmediateHttpResponse(
        refused_page(
            request,
            _("Your account is not known here"),
            _("Your district's sign-in worked, but nobody has made an account for you in this archive yet."),
            subject=person.subject,
        )
    )


@transaction.atomic
def note(claims: dict[str, Any]) -> ProviderSubject:
    """Keep that somebody signed in at the provider, and which role their groups offer; never a right.

    A sign-in without the claim that lists groups changes no offer, and warns.
    """
    provider = provider_settings()
    person, _new = ProviderSubject.objects.select_for_update().get_or_create(
        issuer=claims["iss"], subject=claims["sub"], defaults={"last_at": timezone.now()}
    )
    person.last_at = timezone.now()
    name = claims.get("name") or claims.get("preferred_username")
    if isinstance(name, str) and name.isprintable():
        person.name = name[:200]
    groups = claims.get(provider.groups_claim) if provider.groups_claim else []
    person.groups_missing = not isinstance(groups, list)
    if isinstance(groups, list):
        offered = list(dict.fromkeys(role for group, role in provider.roles.items() if group in groups))
        # whoever was taken off the list of those who tried stands there again with a new offer
        person.dismissed = person.dismissed and set(offered) <= set(person.roles)
        person.roles = offered
        # what was taken back and is offered later is a new offer, also of a role that was turned down before
        person.roles_settled = [role for role in person.roles_settled if role in person.roles]
    else:
        _log.warning(
            "the provider's ID token has no list %(claim)s; what groups offer stays as it was",
            {"claim": provider.groups_claim},
        )
    person.save()
    return person
