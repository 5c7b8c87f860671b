"""What the clock starts for the trail: signing the heads, and a check of every chain a day."""

from __future__ import annotations

from audit import checking, heads
from edatrs.core.tasks import celery_task

__all__ = ["check_chains", "checking", "sign_heads"]


@celery_task("audit.sign_heads", acks_late=False)
def sign_heads() -> None:
    """Every minute: sign the heads when 14 minutes or 1,000 entries have passed, and mail them once a day."""
    heads.run()


@celery_task("audit.check_chains", acks_late=False)
def check_chains() -> None:
    """Ask for a check of every organisation's chain: one job each."""
    checking.ask_for_all()
