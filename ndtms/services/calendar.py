"""Nil returns, and the draft of each month that is built by the clock."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q

from caseload.dataset.window import DUE_DAY, window_start
from caseload.hidden import for_everybody
from caseload.models import Episode
from edatrs.core import clock, trail
from edatrs.core.scope import current_organisation, current_scope
from edatrs.organisations.choices import Role
from edatrs.organisations.models import Service
from edatrs.organisations.selectors import services_of
from edatrs.organisations.services.outbox import tell
from ndtms import months
from ndtms.choices import ExtractKind, SubmissionState
from ndtms.models import NationalHolding, NilReturn, Submission
from ndtms.services import submissions


class Refused(ValueError):
    """It cannot be done; the message says why and what to do."""


def to_report(service: Service, month: dt.date) -> tuple[int, int]:
    """(agreed episodes in the reporting window, withdrawals that NDTMS was not told of) of a service for a month: while there is one, there
    is something to report, also where a rule holds it back now. With whomever the person acting may not find.
    """
    start = window_start(min(months.last_day(month), clock.today()))
    held = NationalHolding.objects.filter(episode_id=OuterRef("pk"), held=True)
    with for_everybody():
        rows = Episode.objects.filter(service_id=service.pk, voided_at__isnull=True)
        agreed = rows.filter(
            Q(discharged_on__isnull=True) | Q(discharged_on__gte=start),
            consent="Y",
            referred_on__lte=months.last_day(month),
        )
        return agreed.count(), rows.filter(Exists(held), consent="N").count()


def record_nil(*, service: Service, month: dt.date) -> NilReturn:
    """Say that there was nothing to report. Said twice it is there once. Raises Refused: while there is something, for a month that is not
    open yet, and where a file of the month was built.
    """
    if service.organisation_id != current_organisation():
        raise Refused("That is not a service of this organisation")
    if month not in months.shown_on(clock.today()):
        raise Refused("Choose one of the months of the calendar")
    before = NilReturn.objects.filter(service=service, month=month, ended_at__isnull=True).first()
    if before is not None:
        return before
    agreed, withdrawn = to_report(service, month)
    if agreed or withdrawn:
        said = [
            words
            for number, words in (
                (
                    agreed,
                    f"{agreed} agreed {'episode' if agreed == 1 else 'episodes'} in the reporting window",
                ),
                (
                    withdrawn,
                    f"{withdrawn} {'withdrawal' if withdrawn == 1 else 'withdrawals'} to tell NDTMS of",
                ),
            )
            if number
        ]
        raise Refused(
            f"There is something to report: {' and '.join(said)}. Build the file and send it; what a rule holds back has to be put right"
        )
    live = Submission.objects.filter(
        service=service, state__in=(SubmissionState.BUILDING, SubmissionState.BUILT, SubmissionState.LOADED)
    )
    if any(
        months.month_of(as_of) == month
        for as_of in live.filter(kind=ExtractKind.REPORTING, manifest__episodes_sent__gt=0).values_list(
            "as_of", flat=True
        )
    ):
        raise Refused("A file of this month with episodes in it was built. Record what NDTMS said to that")
    scope = current_scope()
    made = NilReturn(
        service=service, month=month, recorded_at=clock.now(), by=scope.person_id, by_label=scope.person_label
    )
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:  # said twice at once
        return NilReturn.objects.get(service=service, month=month, ended_at__isnull=True)
    _say("ndtms.nil_return_recorded", made)
    return made


def end_nil(*, service: Service, month: dt.date) -> bool:
    """Take a nil return back. Returns whether there was one."""
    found = (
        NilReturn.objects.select_for_update()
        .filter(service=service, month=month, ended_at__isnull=True)
        .first()
    )
    if found is None:
        return False
    found.ended_at, found.ended_by_label = clock.now(), current_scope().person_label
    found.save(update_fields=["ended_at", "ended_by_label"])
    _say("ndtms.nil_return_ended", found)
    return True


def _say(event: str, nil: NilReturn) -> None:
    details = {"agency": nil.service.agency_code, "month": nil.month}
    trail.record(event, subject=str(nil.service_id), details=details)


def ask_for_drafts(slug: str) -> list[Submission]:
    """Ask for the draft of the month that just ended, for every service of the organisation acted for that has no file as of its last day
    yet, and tell the NDTMS administrators. After the month's due day it asks for none. Returns what was asked for.
    """
    today = clock.today()
    if today.day > DUE_DAY:
        return []
    month = months.shifted(months.first_of(today), -1)
    as_of, asked = months.last_day(month), []
    for service in services_of(current_organisation()):
        if Submission.objects.filter(service=service, as_of=as_of, kind=ExtractKind.REPORTING).exists():
            continue
        try:
            order = submissions.check_order(
                agency_code=service.agency_code,
                dataset=None,
                letter=None,
                kind=ExtractKind.REPORTING,
                as_of=as_of,
            )
            submission, _ = submissions.ask_for_extract(order=order, acting_user=None)
        except submissions.Refused:
            continue  # it is being built already, or its letter is not known: the desk says so when somebody asks
        asked.append(submission)
        tell(
            unique_key=f"draft:{submission.pk}",
            organisation_id=submission.organisation_id,
            role=Role.NDTMS_ADMINISTRATOR,
            words=(
                f"The draft for {month:%B %Y} of {service.agency_code} is being built. Look at what NDTMS would do, put right what is held "
                f"back, and build again before you send it by {months.due_of(month):%d/%m/%Y}."
            ),
            link=f"/o/{slug}/submissions/{submission.pk}/",
        )
    return asked
