"""Tests: real PostgreSQL and Valkey from the embedded launcher; test bodies connect as `app`."""

from __future__ import annotations

from edatrs.settings.base import *  # noqa: F403  # settings modules inherit by star, as Django's documentation does

DEMO = True
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
ALLOWED_HOSTS = ["*"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
