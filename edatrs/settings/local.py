"""A person's own machine: the embedded services, plain HTTP."""

from __future__ import annotations

import os

from edatrs.settings.base import *

# `manage.py demo` leaves the mark, so that `demo_code` works from another terminal.
DEMO = os.environ.get("EDATRS_DEMO", "") == "1" or (STATE_DIR / "demo").exists()
if DEMO:
    PASSKEY_REQUIRED = False
EMAIL_BACKEND = (
    "django.core.mail.backends.filebased.EmailBackend"
    if not os.environ.get("EDATRS_SMTP_HOST")
    else EMAIL_BACKEND
)
EMAIL_FILE_PATH = STATE_DIR / "mail"
