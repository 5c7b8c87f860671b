"""Verifying a chain, from the page or once a day: a worker does it, and what it found stands on the chain itself."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.urls import reverse

from audit.verification import Report, verify_chains
from edatrs.core import clock, trail
from edatrs.core.scope import Actor, current_organisation
from edatrs.core.tasks import job_kind
from edatrs.organisations.choices import Role
from edatrs.organisations.models import Job, Organisation, User
from edatrs.organisations.models.work import UNFINISHED
from edatrs.organisations.services import jobs, outbox

VERIFY = "audit.verify_chain"


def ask(*, acting_user: User) -> bool:
    """Have the chain of the organisation acted for verified; False when that is under way already."""
    return _ask(current_organisation(), acting_user.pk)


def ask_for_all() -> int:
    """Have every organisation's chain verified, in nobody's name; how many were not under way already."""
    return sum(_ask(pk, None) for pk in Organisation.objects.values_list("pk", flat=True))


def _ask(organisation: UUID, requested_by: UUID | None) -> bool:
    try:
        with transaction.atomic():
            jobs.enqueue(
                kind=VERIFY,
                organisation_id=organisation,
                subject=organisation,
                unique_key=f"{VERIFY}:{organisation}",
                requested_by=requested_by,
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
    if report.findings:
        _alarm(organisation)
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
            "problems": report.findings,
            "by": report.role,
            "statements": report.outside.held,
            **_first(report),
        },
    )


def _first(report: Report) -> dict[str, Any]:
    """The first that is not as it must be, as the trail takes it: an entry, a statement, or an act without an entry."""
    for found in report.problems:
        if found.problem:
            return {"first_bad": found.problem.sequence, "fault": found.problem.fault.name.lower()}
    if report.outside.problem:
        return {
            "statement": report.outside.problem.number,
            "fault": report.outside.problem.fault.name.lower(),
        }
    return {"fault": "without_entry"} if report.unrecorded else {}


def _alarm(organisation: Organisation) -> None:
    """Tell the governance officers, once a day."""
    outbox.tell(
        unique_key=f"trail.bad:{clock.today().isoformat()}:{organisation.pk}",
        organisation_id=organisation.pk,
        words="The trail does not add up. See what was found before anything else is done.",
        link=reverse("audit:trail-check", args=[organisation.slug]),
        role=Role.INFORMATION_GOVERNANCE,
    )
