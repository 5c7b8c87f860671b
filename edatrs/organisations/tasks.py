"""Celery tasks of the kernel: run a job, sweep, send mail. They take ids and open their own scope."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery.signals import worker_ready
from django.core.management import call_command
from django.db import connection

from edatrs.core.faults import kill_point
from edatrs.core.tasks import HARD_LIMIT, celery_task
from edatrs.organisations.services import clearances, drafts, jobs, outbox


@celery_task(jobs.RUN_JOB, time_limit=HARD_LIMIT.total_seconds())
def run_job(job_id: str) -> None:
    """Work on one job, if it is due and nobody else has it."""
    kill_point("delivered")
    jobs.run(UUID(job_id))


@celery_task("edatrs.organisations.sweep_jobs", acks_late=False)
def sweep_jobs() -> None:
    """Wake the workers for what is due; lost messages and dead workers are found here."""
    jobs.sweep()


@celery_task("edatrs.organisations.send_mail", acks_late=False)
def send_mail() -> None:
    """Send the outbox."""
    outbox.send_due()


@celery_task("edatrs.organisations.clear_sessions", acks_late=False)
def clear_sessions() -> None:
    """Remove the rows of sessions that have ended."""
    call_command("clearsessions")


@celery_task("edatrs.organisations.purge_drafts", acks_late=False)
def purge_drafts() -> None:
    """Delete drafts that are too old."""
    drafts.purge()


@celery_task("edatrs.organisations.remind_people", acks_late=False)
def remind_people() -> None:
    """Tell people whose training or background check runs out."""
    clearances.remind()


@worker_ready.connect
def clean_up(**kwargs: Any) -> None:
    """A worker that starts removes what dead ones left, and finds their work."""
    try:
        jobs.sweep()
    finally:
        # This is the parent: children that are forked later must not inherit a connection.
        connection.close()
