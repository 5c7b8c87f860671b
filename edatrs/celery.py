"""The Celery application: wiring only."""

from __future__ import annotations

import logging
import os
from typing import Any

from celery import Celery
from celery.signals import after_setup_logger, after_setup_task_logger

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "edatrs.settings.local")

app = Celery("edatrs")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.set_default()


@after_setup_logger.connect
@after_setup_task_logger.connect
def clean_logs(logger: logging.Logger, **kwargs: Any) -> None:
    """Celery writes its logs by handlers of its own: they hold no more than ours."""
    from edatrs.core.logs import clean  # Django is not set up yet when this module is read

    clean(logger.handlers)
