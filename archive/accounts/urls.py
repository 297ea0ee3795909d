"""Addresses of the sign-in. `plain` are those that allauth looks up by its own names; no other one of it exists."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import factors, provider, views

plain: list[URLPattern] = [
    path("sign-in/", views.SignIn.as_view(), name="account_login"),
    path("sign-in/second-factor/", factors.SecondFactor.as_view(), name="mfa_authenticate"),
    path("sign-in/passkey/", factors.SignInByPasskey.as_view(), name="mfa_login_webauthn"),
    path("my/", views.own_sign_ins, name="mfa_index"),
    path("my/confirm/", factors.Confirm.as_view(), name="account_reauthenticate"),
    path("my/confirm/code/", factors.ConfirmByCode.as_view(), name="mfa_reauthenticate"),
    path("my/confirm/passkey/", factors.ConfirmByPasskey.as_view(), name="mfa_reauthenticate_webauthn"),
    path("my/app/", factors.AddApp.as_view(), name="mfa_activate_totp"),
    path("my/app/remove/", factors.RemoveApp.as_view(), name="mfa_deactivate_totp"),
    path("my/passkeys/add/", factors.AddPasskey.as_view(), name="mfa_add_webauthn"),
    path("my/passkeys/<int:pk>/remove/", factors.RemovePasskey.as_view(), name="mfa_remove_webauthn"),
    path("my/recovery-codes/", factors.RecoveryCodes.as_view(), name="mfa_view_recovery_codes"),
    path("my/recovery-codes/new/", factors.NewRecoveryCodes.as_view(), name="mfa_generate_recovery_codes"),
]

urlpatterns: list[URLPattern] = [
    path("sign-in/provider/", provider.start, name="provider"),
    path("sign-in/provider/callback/", provider.callback, name="provider-callback"),
    path("sign-in/invitation/<str:text>/", views.invitation, name="invitation"),
    path("sign-out/", views.SignOut.as_view(), name="sign-out"),
    path("my/sessions/end/", views.sign_out_elsewhere, name="sign-out-elsewhere"),
    path("my/password/", views.own_password, name="own-password"),
]
