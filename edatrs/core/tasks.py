"""Work for the workers: a handler is registered per kind of job and gets a lease, never data.

Celery carries the id of a `Job` row and wakes a worker; the row decides (design section 8). `celery_task` is the only way to declare a
task, so that none can exist that does not say who acts in it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from celery import current_app

from edatrs.core import registry

# A worker process that hangs for longer is killed by Celery; its job goes to another. Shorter than the broker's visibility timeout.
HARD_LIMIT = dt.timedelta(hours=3)


class Lease(Protocol):
    """What a handler holds while it works."""

    job_id: UUID
    organisation_id: UUID
    requested_by: UUID | None
    subject: UUID
    token: UUID
    attempt: int

    def progress(self, done: int, of: int, words: str = "") -> None:
        """Show how far the work is; not written at once. Raises LeaseLost once another worker may have the job."""

    def publish(self) -> Any:
        """Lock the job row and check that the lease is still ours. Raises LeaseLost."""


class LeaseLost(RuntimeError):
    """Another worker holds the job now: this one must publish nothing."""


class JobRefused(RuntimeError):
    """The work cannot be done and trying again would not help; the words are for the person who asked."""


@dataclass(frozen=True)
class JobKind:
    """How jobs of a kind are worked: `timeout` is the longest an attempt may take, `attempts` how often it is tried at all.

    An attempt that raises, as one that was killed does not, is the last one from the `errors`th on.
    """

    name: str
    handler: Callable[[Any], None]
    timeout: dt.timedelta
    attempts: int
    errors: int
    clean: Callable[[], None] | None = None
    failed: Callable[[Any, str], None] | None = None


def job_kind(
    name: str,
    *,
    timeout: dt.timedelta,
    attempts: int = 1000,
    errors: int = 20,
    clean: Callable[[], None] | None = None,
    failed: Callable[[Any, str], None] | None = None,
) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Register a handler. A worker that is killed costs an attempt like any other; `errors` bounds those that raise.

    `clean` is called at worker start and by the sweeper to remove what dead attempts left. `failed(lease, words)` is called in the
    transaction that closes a job as failed, to say so on what the job is about. Raises ValueError on a timeout that is too long.
    """
    if timeout >= HARD_LIMIT:
        raise ValueError(f"{name}: an attempt must end within {HARD_LIMIT}")

    def register(handler: Callable[[Any], None]) -> Callable[[Any], None]:
        registry.jobs.add(
            name, JobKind(name, handler, timeout, attempts, min(attempts, errors), clean, failed)
        )
        return handler

    return register


def celery_task(name: str, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Declare a Celery task. Its arguments are ids; it opens its own scope."""
    return lambda function: current_app.task(name=name, **options)(function)
