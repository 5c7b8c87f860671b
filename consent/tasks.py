"""What the clock asks of sharing."""

from __future__ import annotations

from consent.sharing import reminders
from edatrs.core.tasks import celery_task


@celery_task("consent.remind_sharing", acks_late=False)
def remind_sharing() -> None:
    """Consents to ask again, decisions to review, and consents that ended with their episode."""
    reminders.remind_all()
