"""Verifying the own chain from the page: a worker does it, and what it found stands on the chain itself."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import IntegrityError, transaction

from audit.verification import verify_chains
from edatrs.core import trail
from edatrs.core.scope import Actor, current_organisation
from edatrs.core.tasks import job_kind
from edatrs.organisations.models import Job, Organisation, User
from edatrs.organisations.models.work import UNFINISHED
from edatrs.organisations.services import jobs

VERIFY = "audit.verify_chain"


def ask(*, acting_user: User) -> bool:
    """Have the chain of the organisation acted for verified; False when that is under way already."""
    organisation = current_organisation()
    try:
        with transaction.atomic():
            jobs.enqueue(
                kind=VERIFY,
                organisation_id=organisation,
                subject=organisation,
                unique_key=f"{VERIFY}:{organisation}",
                requested_by=acting_user.pk,
            )
    except IntegrityError:
        return False
    return True


def is_under_way() -> bool:
    """Whether the chain of the organisation acted for is being verified, or will be."""
    return Job.objects.filter(kind=VERIFY, subject=current_organisation(), state__in=UNFINISHED).exists()


@job_kind(VERIFY, timeout=dt.timedelta(hours=1), errors=3)
def verify(lease: Any) -> None:
    """Verify the whole chain and note the outcome. A chain whose head is forged takes no note: then this raises, and the job says so."""
    organisation = Organisation.objects.get(pk=lease.organisation_id)
    person = User.objects.filter(pk=lease.requested_by).first() if lease.requested_by else None
    report = verify_chains(organisation.slug)
    trail.record_now(
        "audit.verified",
        actor=Actor.WORKER,
        actor_id=person.pk if person else None,
        actor_label=person.full_name if person else "worker",
        organisation_id=organisation.pk,
        organisation_label=organisation.slug,
        details={
            "chains": 1,
            "rows": sum(found.rows for found in report.chains),
            "problems": len(report.problems),
            "by": report.role,
        },
    )
