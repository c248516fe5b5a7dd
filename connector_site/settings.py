"""Every setting of the site, each variable read once.

Importing this module opens no connection and starts nothing: mypy, ``check`` and every forked
worker import it. What has to run first (the embedded database) is started by the doors, see
``connector_site.database``.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import django_stubs_ext

from connector_site import database, logs
from connector_site.env import Environment, SettingRefused
from connector_site.knobs import Knobs, queue_retry_seconds, read_knobs
from connector_site.local_keys import local_key

# Lets Django's generic classes be written as ModelAdmin[Tenant] at run time too.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
ENVIRONMENT = Environment(os.environ)
CONNECTOR: Knobs = read_knobs(ENVIRONMENT)

# Where we are ---------------------------------------------------------------------------------

DEBUG = ENVIRONMENT.flag("DEBUG", default=False, meaning="For developers: detailed error pages.")
DATA_DIR = Path(
    ENVIRONMENT.text(
        "CONNECTOR_DATA_DIR",
        str(BASE_DIR / ".data"),
        meaning="Where the embedded database and keys made by ourselves are kept.",
    )
)
PUBLIC_URL = ENVIRONMENT.origin(
    "PUBLIC_URL",
    meaning="The address people and BILL reach us at. Without it: loopback, and polling only.",
)
_PUBLIC_HOST = urlsplit(PUBLIC_URL).hostname or ""
_IS_HTTPS = PUBLIC_URL.startswith("https://")
ALLOWED_HOSTS = [
    "localhost",
    "127.0.0.1",
    "[::1]",
    *([_PUBLIC_HOST] if _PUBLIC_HOST else []),
    *ENVIRONMENT.words("ALLOWED_HOSTS", meaning="Further host names we answer to, with commas."),
]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
ROOT_URLCONF = "connector_site.urls"
WSGI_APPLICATION = "connector_site.wsgi.application"

# Keys -----------------------------------------------------------------------------------------

_KEYS_DIR = DATA_DIR / "keys"
_given_secret_key = ENVIRONMENT.secret("SECRET_KEY", meaning="Signs sessions and queued jobs.")
SECRET_KEY = _given_secret_key or local_key(_KEYS_DIR, "secret_key", size=48)
SECRET_KEY_FALLBACKS = [
    key.strip()
    for key in ENVIRONMENT.secret(
        "SECRET_KEY_FALLBACKS", meaning="Earlier SECRET_KEYs still honoured, with commas."
    ).split(",")
    if key.strip()
]
_given_credential_keys = ENVIRONMENT.secret(
    "CREDENTIAL_KEYS",
    meaning="Keys that encrypt BILL and Sage passwords (URL-safe base64 of 32 bytes each), with"
    " commas; the first encrypts, all decrypt.",
)
CREDENTIAL_KEYS: list[str] = [
    key.strip() for key in _given_credential_keys.split(",") if key.strip()
] or [local_key(_KEYS_DIR, "credential_key", size=32)]
KEYS_ARE_LOCAL = not (_given_secret_key and _given_credential_keys)

# Apps -----------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "connector_site",
    "sync",
    "integrations",
    "tenants",
    "tenants.operators.OperatorAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "drf_spectacular",
    "django_filters",
    "django_htmx",
    "csp",
    "django_q",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    # Pages, parts of pages, CSV and style sheets; it pads at random, so that a secret cannot be
    # told from a length.
    "django.middleware.gzip.GZipMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tenants.context.site",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
INSTALLED_APPS.append("django.forms")

# Database -------------------------------------------------------------------------------------

ENVIRONMENT.secret(
    "DATABASE_URL",
    meaning="postgresql://user:password@host:port/name. Unset: an embedded PostgreSQL is used.",
)
DATABASES = {
    "default": database.database_settings(
        os.environ.get("DATABASE_URL", ""),
        data_directory=DATA_DIR,
        statement_timeout_seconds=CONNECTOR.statement_timeout_seconds,
        connection_seconds=CONNECTOR.database_connection_seconds,
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# People ---------------------------------------------------------------------------------------

AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "tenants.passwords.LongEnough",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "tenants.passwords.NotWellKnown"},
    {"NAME": "tenants.passwords.NotAboutYou"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"

_mail_url = ENVIRONMENT.secret(
    "EMAIL_URL",
    meaning="smtp://user:password@host:587 (STARTTLS) or smtps://…:465; file:///directory keeps"
    " each mail as a file there and sends none. Unset: no mail is sent.",
)
_mail = urlsplit(_mail_url)
if _mail.scheme not in {"", "smtp", "smtps", "file"} or (_mail_url and not _mail.scheme):
    raise SettingRefused("EMAIL_URL must begin with smtp://, smtps:// or file:///.")
# Where mails lie that nobody gets; "" where they are sent, or none is written.
MAIL_DIRECTORY = unquote(_mail.path) if _mail.scheme == "file" else ""
MAIL_IS_SET_UP = _mail.scheme in {"smtp", "smtps"}
if MAIL_IS_SET_UP:
    EMAIL_HOST = _mail.hostname or "localhost"
    EMAIL_PORT = _mail.port or (465 if _mail.scheme == "smtps" else 587)
    EMAIL_HOST_USER = unquote(_mail.username or "")
    EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
    EMAIL_USE_SSL = _mail.scheme == "smtps"
    EMAIL_USE_TLS = _mail.scheme == "smtp" and bool(_mail.username)
elif MAIL_DIRECTORY:
    EMAIL_BACKEND = "connector_site.mail_files.EmailBackend"
else:
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
DEFAULT_FROM_EMAIL = ENVIRONMENT.text(
    "MAIL_FROM",
    f"ml-connector@{_PUBLIC_HOST or 'localhost'}",
    meaning="The sender of the mails we send.",
)
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_TIMEOUT = CONNECTOR.connect_seconds

ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if MAIL_IS_SET_UP else "optional"
ACCOUNT_PREVENT_ENUMERATION = MAIL_IS_SET_UP
ACCOUNT_SIGNUP_FORM_CLASS = "tenants.forms.SignUpDetails"
ACCOUNT_ADAPTER = "tenants.accounts.AccountAdapter"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if _IS_HTTPS else "http"
SIGN_UP_IS_OPEN = ENVIRONMENT.flag(
    "SIGN_UP",
    default=True,
    meaning="Whether strangers may sign up. Off: only invited people get an account.",
)
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "ml-connector"
MFA_ADAPTER = "tenants.accounts.SecondStepAdapter"
# Without mail nobody can confirm an address, and a second step is still better than none.
MFA_ALLOW_UNVERIFIED_EMAIL = not MAIL_IS_SET_UP

# The wire -------------------------------------------------------------------------------------

SESSION_COOKIE_AGE = CONNECTOR.session_seconds
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _IS_HTTPS
SESSION_COOKIE_NAME = "__Host-session" if _IS_HTTPS else "connector_session"
CSRF_COOKIE_NAME = "__Host-csrf" if _IS_HTTPS else "connector_csrf"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = _IS_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^health/$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _IS_HTTPS
# No other site learns an address, which may hold an invitation. "no-referrer" would go too far:
# a browser then sends a form with "Origin: null", and every form of that page is refused.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
TRUST_PROXY = ENVIRONMENT.flag(
    "TRUST_PROXY",
    default=False,
    meaning="On: a proxy before us sets X-Forwarded-Proto and X-Forwarded-For, and removes any"
    " that a client sent.",
)
if TRUST_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
DATA_UPLOAD_MAX_MEMORY_SIZE = CONNECTOR.request_body_bytes

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    },
}

STATIC_URL = "static/"
# No STATIC_ROOT: the few files are served from where they lie, so nothing has to be collected.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

# API ------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tenants.tokens.ApiTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["tenants.tokens.HasTenant"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "sync.api.errors.answer",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "ml-connector",
    "DESCRIPTION": (
        "Approved payables from BILL, posted to Sage 300. Sign in with `Authorization: Bearer mlc_…`."
        ' Every refusal is `{"error": {…}}` with its sentence, who can mend it, and where: 401'
        " without a known token, 403 where the token's role may not, 404 where it is not yours."
    ),
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "PostingState": "sync.models.posting.STATES",
        "VendorLinkState": "sync.models.vendor.LinkState.choices",
        "System": "sync.services.trying.Side.choices",
    },
    "OAS_VERSION": "3.1.1",  # the policy's JSON Schema stands in it as it is
}

# Queue ----------------------------------------------------------------------------------------
# The queue only says "look now"; rows are the truth. Its time-out, retry and limits follow from
# one another, so only the knobs are set by hand.

Q_CLUSTER: dict[str, Any] = {
    "name": "connector",
    "orm": "default",
    "workers": CONNECTOR.queue_workers,
    "queue_limit": 1,
    "bulk": 1,
    "timeout": CONNECTOR.queue_timeout_seconds,
    "retry": queue_retry_seconds(
        timeout=CONNECTOR.queue_timeout_seconds,
        workers=CONNECTOR.queue_workers,
        queue_limit=1,
        bulk=1,
        margin=CONNECTOR.queue_retry_margin_seconds,
    ),
    "ack_failures": True,
    "max_attempts": 1,
    "save_limit": -1,
    "catch_up": False,
    "recycle": CONNECTOR.queue_recycle_jobs,
    "poll": CONNECTOR.queue_poll_seconds,
    "guard_cycle": 1,
    "log_level": "WARNING",
    "label": "Queue",
}

# BILL and Sage 300 ----------------------------------------------------------------------------

PRACTICE = ENVIRONMENT.flag(
    "CONNECTOR_PRACTICE",
    default=DEBUG,
    meaning="Allows the two practice addresses when DEBUG is off.",
)
PRACTICE_BILL_URL = ENVIRONMENT.origin(
    "CONNECTOR_PRACTICE_BILL_URL",
    meaning="A practice BILL, with /connect/v3 and /connect-events/v3 below it.",
)
PRACTICE_SAGE_URL = ENVIRONMENT.origin(
    "CONNECTOR_PRACTICE_SAGE_URL", meaning="A practice Sage 300 Web API."
)
SAGE_EGRESS_POLICY = ENVIRONMENT.choice(
    "SAGE_EGRESS_POLICY",
    ("public", "allowlist", "private-ok"),
    "public",
    meaning="Which addresses a customer's Sage 300 may have: public ones, those of"
    " SAGE_EGRESS_ALLOW, or private networks too.",
)
SAGE_EGRESS_ALLOW = ENVIRONMENT.words(
    "SAGE_EGRESS_ALLOW", meaning="Networks allowed beside the policy, as 10.1.0.0/16, with commas."
)
try:
    SAGE_EGRESS_PORTS = [
        int(port)
        for port in ENVIRONMENT.words(
            "SAGE_EGRESS_PORTS", ("443",), meaning="Ports a customer's Sage 300 may have."
        )
    ]
except ValueError as error:
    raise SettingRefused("SAGE_EGRESS_PORTS holds something that is no port number.") from error

OUTBOUND_ADDRESSES = ENVIRONMENT.words(
    "OUTBOUND_ADDRESSES",
    meaning="The addresses our calls come from, with commas; told to customers' IT.",
)

# Logs -----------------------------------------------------------------------------------------

LOGGING = logs.logging_settings(
    level=ENVIRONMENT.choice(
        "LOG_LEVEL",
        ("debug", "info", "warning", "error"),
        "info",
        meaning="The least weight of a log line that is written.",
    )
)
