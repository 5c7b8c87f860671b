"""Production: behind TLS, everything secret from the environment."""

from __future__ import annotations

import os

from django.core.exceptions import ImproperlyConfigured

from edatrs.settings.base import *

for _name in (
    "EDATRS_SECRET_KEY",
    "EDATRS_AUDIT_KEY",
    "EDATRS_HEADS_KEY",
    "EDATRS_FIELD_KEY_1",
    "EDATRS_HASH_KEY",
    "DATABASE_URL",
    "REDIS_URL",
    "EDATRS_HOSTS",
):
    if not os.environ.get(_name):
        raise ImproperlyConfigured(
            f"{_name} is not set: production takes its secrets and addresses from the environment"
        )

SECURE_SSL_REDIRECT = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31536000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-session"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_NAME = "__Host-csrf"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
