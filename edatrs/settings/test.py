"""Tests: real PostgreSQL and Valkey from the embedded launcher; test bodies connect as `app`."""

from __future__ import annotations

import os
import re

from edatrs.settings.base import *

DEMO = True
# The tests of passkeys switch it on; the others sign in by a code.
PASSKEY_REQUIRED = False
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
ALLOWED_HOSTS = ["*"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# Test processes run beside each other on one broker, each in a database of its own: so do their queues.
_number = re.search(r"[0-9]+$", os.environ.get("PYTEST_XDIST_WORKER", ""))
CELERY_BROKER_URL = re.sub(
    r"virtual_host=[0-9]+", f"virtual_host={int(_number[0]) + 1 if _number else 0}", CELERY_BROKER_URL
)
