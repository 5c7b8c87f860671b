"""Settings that hold everywhere. What differs comes from the environment or from `local`, `test` and `production`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from celery.schedules import crontab

from edatrs.core import embedded

BASE_DIR = Path(__file__).resolve().parent.parent.parent
STATE_DIR = embedded.state_dir()
VERSION = "0.1.0"
CMSID = f"EDATRS caseload {VERSION}"


def database_from_url(url: str) -> dict[str, Any]:
    """Django's database settings from `postgresql://user:password@host:port/name?option=value`. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError("DATABASE_URL: only postgresql:// is supported")
    options = dict(parse_qsl(parts.query))
    return {
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", "") or unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }


def database(role: str) -> dict[str, Any]:
    """Connection settings of a database role: its own URL, else (for `app`) DATABASE_URL, else the embedded server's."""
    url = os.environ.get(f"DATABASE_{role.upper()}_URL") or (
        os.environ.get("DATABASE_URL") if role == "app" else None
    )
    if url:
        found = database_from_url(url)
    elif os.environ.get("DATABASE_URL"):
        # One address was given: the role's own is not known, so what needs it (migrate) runs as the address given.
        found = database_from_url(os.environ["DATABASE_URL"])
    else:
        found = embedded.database(role)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "OPTIONS": {},
        "CONN_HEALTH_CHECKS": True,
        # Behind a pooler that gives out a server for each transaction (docs/operations.md): nothing may outlive one.
        "DISABLE_SERVER_SIDE_CURSORS": os.environ.get("EDATRS_TRANSACTION_POOL") == "1",
        **found,
    }


SECRET_KEY = os.environ.get("EDATRS_SECRET_KEY") or embedded.secret("django_secret_key", 48)
AUDIT_KEY = os.environ.get("EDATRS_AUDIT_KEY") or embedded.secret("audit_key", 32)
# Signs the heads of the trail (Ed25519, audit/heads.py); partners hold the public key. Public keys of before, in hex, stay believed.
HEADS_KEY = os.environ.get("EDATRS_HEADS_KEY") or embedded.secret("heads_key", 32)
HEADS_OLD_KEYS = [key for key in os.environ.get("EDATRS_HEADS_OLD_KEYS", "").split(",") if key]
# Encrypted columns: every EDATRS_FIELD_KEY_<version> opens what was sealed with it; the one named current seals.
FIELD_KEYS = {
    name.removeprefix("EDATRS_FIELD_KEY_"): value
    for name, value in os.environ.items()
    if name.startswith("EDATRS_FIELD_KEY_") and name != "EDATRS_FIELD_KEY_CURRENT" and value
} or {"1": embedded.secret("field_key_1", 32)}
FIELD_KEY_CURRENT = os.environ.get("EDATRS_FIELD_KEY_CURRENT") or max(
    FIELD_KEYS, key=lambda version: version.zfill(9)
)
# Keyed digests (recovery codes, links, counted tries) have a key of their own, so that changing a field key does not end them.
HASH_KEY = os.environ.get("EDATRS_HASH_KEY") or embedded.secret("hash_key", 32)
# How many proxies of our own stand in front: only what they write in X-Forwarded-For is believed.
TRUSTED_PROXIES = int(os.environ.get("EDATRS_TRUSTED_PROXIES") or "0")
DEBUG = False
DEMO = False
ALLOWED_HOSTS = [h for h in os.environ.get("EDATRS_HOSTS", "localhost,127.0.0.1,[::1]").split(",") if h]
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("EDATRS_ORIGINS", "").split(",") if o]

INSTALLED_APPS = [
    "edatrs.core",
    "edatrs.organisations",
    "audit",
    "caseload",
    "consent",
    "ndtms",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "guardian",
    "django_otp",
    "django_otp_webauthn",
    "pgtrigger",
    "pghistory",
    "django_htmx",
    "rest_framework",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "edatrs.organisations.idle.IdleMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "edatrs.organisations.middleware.ScopeMiddleware",
]
ROOT_URLCONF = "edatrs.urls"
WSGI_APPLICATION = "edatrs.wsgi.application"
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
                "edatrs.organisations.context.frame",
            ],
        },
    }
]

DATABASES = {"default": database("app")}
DATABASE_OWNER_ROLE = "owner"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "organisations.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False
GUARDIAN_RAISE_403 = False

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email", "full_name"]},
    },
    {"NAME": "edatrs.organisations.passwords.OwnWordsValidator"},
]
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
FRESH_SECOND_FACTOR_SECONDS = 15 * 60
# Organisation administrators and platform support must have shown a passkey (security.md, threat 10). On, unless somebody says otherwise.
PASSKEY_REQUIRED = os.environ.get("EDATRS_PASSKEY_REQUIRED", "1") != "0"
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_IDLE_SECONDS = 15 * 60
# How long before an end the page warns.
SESSION_WARNING_SECONDS = 2 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "edatrs.organisations.drafted.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
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
        "object-src": ["'none'"],
        "frame-ancestors": ["'none'"],
        "manifest-src": ["'self'"],
    }
}

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = None

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "build" / "collected"
STATICFILES_DIRS = [d for d in [BASE_DIR / "build" / "static"] if d.is_dir()]
EXTRACT_DIR = Path(os.environ.get("EDATRS_EXTRACT_DIR") or STATE_DIR / "extracts")
# Signed heads of the trail, outside the database.
HEADS_DIR = Path(os.environ.get("EDATRS_HEADS_DIR") or STATE_DIR / "heads")

DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
# Files stay in memory, up to a limit: nothing that is sent lies on a disk in clear.
FILE_UPLOAD_HANDLERS = ["edatrs.core.uploads.MemoryUploadHandler"]

CELERY_BROKER_URL = os.environ.get("REDIS_URL") or embedded.redis_url()
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = TIME_ZONE
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 4 * 60 * 60}
JOB_LEASE_SECONDS = float(os.environ.get("EDATRS_JOB_LEASE_SECONDS", "30"))
JOB_SWEEP_SECONDS = float(os.environ.get("EDATRS_JOB_SWEEP_SECONDS", "15"))
CELERY_BEAT_SCHEDULE = {
    "sweep-jobs": {
        "task": "edatrs.organisations.sweep_jobs",
        "schedule": JOB_SWEEP_SECONDS,
        "options": {"expires": JOB_SWEEP_SECONDS},
    },
    "purge-drafts": {"task": "edatrs.organisations.purge_drafts", "schedule": 6 * 60 * 60},
    "remind-people": {"task": "edatrs.organisations.remind_people", "schedule": 6 * 60 * 60},
    "remind-sharing": {"task": "consent.remind_sharing", "schedule": crontab(hour=5, minute=0)},
    "check-quality": {"task": "ndtms.check_everybody", "schedule": 24 * 60 * 60},
    "draft-monthly": {"task": "ndtms.draft_monthly", "schedule": crontab(hour=4, minute=0)},
    "sign-heads": {"task": "audit.sign_heads", "schedule": 60, "options": {"expires": 60}},
    # By the clock, not by an interval: one that is longer than beat runs never comes.
    "check-chains": {"task": "audit.check_chains", "schedule": crontab(hour=6, minute=0)},
    "clear-sessions": {"task": "edatrs.organisations.clear_sessions", "schedule": 24 * 60 * 60},
    "send-mail": {
        "task": "edatrs.organisations.send_mail",
        "schedule": JOB_SWEEP_SECONDS,
        "options": {"expires": JOB_SWEEP_SECONDS},
    },
}

EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = os.environ.get("EDATRS_SMTP_HOST", "localhost")
EMAIL_PORT = int(os.environ.get("EDATRS_SMTP_PORT", "25"))
EMAIL_HOST_USER = os.environ.get("EDATRS_SMTP_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EDATRS_SMTP_PASSWORD", "")
EMAIL_USE_TLS = os.environ.get("EDATRS_SMTP_TLS", "") == "1"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = os.environ.get("EDATRS_MAIL_FROM", "caseload@edatrs.example")
BASE_URL = os.environ.get("EDATRS_BASE_URL", "http://localhost:8000")
# A passkey is of the host that people type: changed later, everybody makes a new one.
_base = urlsplit(BASE_URL)
OTP_WEBAUTHN_RP_ID = _base.hostname or "localhost"
OTP_WEBAUTHN_RP_NAME = "EDATRS caseload"
OTP_WEBAUTHN_ALLOWED_ORIGINS = [f"{_base.scheme}://{_base.netloc}"]
OTP_WEBAUTHN_ALLOW_PASSWORDLESS_LOGIN = False

PGHISTORY_APPEND_ONLY = True
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "EXCEPTION_HANDLER": "edatrs.core.api.explained",
    "UNAUTHENTICATED_USER": None,
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    # A link that sets a password stands in its address, and what failed quotes what it failed on: neither must stand in a log.
    "filters": {"no-links": {"()": "edatrs.core.logs.WithoutLinks"}},
    "formatters": {
        "line": {
            "()": "edatrs.core.logs.WithoutContent",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["no-links"]}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("EDATRS_LOG_LEVEL", "WARNING")},
}
CONFIRM_URL = "/confirm/"
