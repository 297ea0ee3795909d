"""Django's settings, from the archive's configuration. Deny by default: pages need a sign-in unless they say no."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

from appliance.contract.errors import SettingsError

from .configuration.file import configuration, home
from .database import database_settings

_config = configuration()
_https = _config.site.url.startswith("https://")

ARCHIVE_HOME: Path = home()
ARCHIVE = _config
"""The whole configuration, typed."""


def _secret_key() -> str:
    """Return the secret that `make-keys` made; without it a throw-away one, with which `web` refuses to start."""
    path = ARCHIVE_HOME / "keys" / "django.secret"
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return secrets.token_urlsafe(48)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read {path}: {error}; run the archive as the user who owns it") from error


SECRET_KEY = _secret_key()
DEBUG = False
ALLOWED_HOSTS = _config.site.hosts
_scheme, _, _address = _config.site.url.partition("://")
# by each of its names: people may write another than [site] url
CSRF_TRUSTED_ORIGINS = sorted({_config.site.url, *(f"{_scheme}://{host}" for host in _config.site.hosts)})
DATABASES = {"default": database_settings(_config.database, ARCHIVE_HOME)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "archive.urls"
WSGI_APPLICATION = "archive.wsgi.application"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "archive.core",
    "archive.ui",
    "archive.authority",
    "archive.keystore",
    "archive.accounts",
    # below ours, so that our templates are found first
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.mfa",
    "allauth.usersessions",
    "archive.custody",
    "archive.access",
    "archive.devices",
    "archive.rooms",
    "archive.enrollment",
    "archive.recordings",
    "archive.ingest",
    "archive.sealing",
    "archive.backup",
    "archive.control",
    "archive.doctor",
    "archive.records.people",
    "archive.records.letters",
    "archive.records.meetings",
    "archive.records.outside_recordings",
    "archive.records.incidents",
    "archive.records.grants",
    "archive.records.requests",
    "archive.records.restrictions",
    "archive.records.transcripts",
    "archive.records.holds",
    "archive.records.retention",
    "archive.records.redactions",
    "archive.records.evidence",
    "archive.records.disclosures",
    "archive.records.disclosures.papers",
    "archive.records.destruction",
    "archive.records.public_lists",
    "archive.records.today",
    "archive.transfers",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "archive.core.headers.SecurityHeaders",
    # before whatever may answer with words
    "django.middleware.locale.LocaleMiddleware",
    "archive.core.errors.ErrorAnswers",
    "archive.ingest.middleware.BoxInterface",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "archive.core.headers.HiddenOrigin",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "archive.accounts.sessions.SessionLimits",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "archive.accounts.typed.KeepTyped",
    "archive.access.middleware.AccessMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "archive.access.context.may",
            ]
        },
    }
]

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in/"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]

# what allauth is used for, and what of it is off: docs/sign-in.md
ACCOUNT_ADAPTER = "archive.accounts.adapters.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_RATE_LIMITS = False
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
SOCIALACCOUNT_ADAPTER = "archive.accounts.adapters.ProviderAdapter"
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_STORE_TOKENS = False
MFA_ADAPTER = "archive.accounts.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "authenticate": "archive.accounts.forms.CodeForm",
    "reauthenticate": "archive.accounts.forms.ConfirmingCodeForm",
}
ACCOUNT_FORMS = {"reauthenticate": "archive.accounts.forms.ConfirmingPasswordForm"}
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RATE_LIMITS = False
MFA_RECOVERY_CODES_SHOW_ONCE = True
# codes of the step before and after this one: a phone's clock may be half a minute off
MFA_TOTP_TOLERANCE = 1

CSRF_FAILURE_VIEW = "archive.accounts.typed.csrf_failed"
SESSION_COOKIE_NAME = "__Host-session" if _https else "session"
SESSION_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_NAME = "__Host-csrf" if _https else "csrf"
CSRF_COOKIE_SECURE = _https
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _https else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = [
    # other names below the site's are the district's, and none of the archive's to bind for a year
    "security.W005",
    "security.W021",
    # nothing of the archive listens without TLS but for a proxy, which does the redirecting
    "security.W008",
]
"""What `check --deploy` would ask for and must not have. With an http:// address, which is for this machine alone, it
warns of the rest."""

STATIC_URL = "/static/"
# served straight from the installed packages, so that there is no collected copy to forget
WHITENOISE_USE_FINDERS = True
# while somebody works on a page, a changed style sheet is read again
WHITENOISE_AUTOREFRESH = "runserver" in sys.argv

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
"""Each by its own name, as the switch in the footer shows it."""
LANGUAGE_COOKIE_NAME = "__Host-language" if _https else "language"
LANGUAGE_COOKIE_SECURE = _https
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
# none of Django's own, which put what is large into a file: archive/core/uploads.py
FILE_UPLOAD_HANDLERS = ["archive.core.uploads.InMemory"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = _config.site.time_zone

_mail = _config.mail
# off unless [mail] says how: Django's own default would try a server on this host
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
if _mail is not None:
    EMAIL_BACKEND = "archive.core.mail.EmailBackend"
    EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER = _mail.host, _mail.port, _mail.user
    EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.security == "starttls", _mail.security == "tls"
    EMAIL_TIMEOUT = 20

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"()": "archive.core.logs.TextFormatter", "format": "%(levelname)s %(name)s: %(message)s"},
        "json": {"()": "archive.core.logs.JsonFormatter"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": _config.logs.format}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # boxes ask for a receipt until there is one; refusals are logged where they are decided
        "django.request": {"level": "ERROR"},
        # it tells each step
        "weasyprint": {"level": "WARNING"},
    },
}
