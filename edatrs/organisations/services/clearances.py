"""Training and background checks: recorded by an administrator, required by an organisation, and reminded of before they run out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from edatrs.core import clock, trail
from edatrs.core.dates import long_date
from edatrs.core.scope import current_organisation, current_scope
from edatrs.organisations import directory
from edatrs.organisations.choices import ClearanceKind, Role
from edatrs.organisations.clearances import REMIND_BEFORE, standing_of
from edatrs.organisations.models import Clearance, Membership, Organisation, User
from edatrs.organisations.services import outbox


class ClearanceRefused(ValueError):
    """It cannot be recorded or required like this; the words are for the person who tried."""


def write(
    *,
    person: User,
    organisation: Organisation,
    kind: str,
    done_on: dt.date,
    valid_until: dt.date | None,
) -> Clearance:
    """Write the dates of one kind, in the open transaction, with what stood before on the trail. The same again changes nothing."""
    kind = ClearanceKind(kind).value
    held = (
        Clearance.objects.select_for_update()
        .filter(user=person, organisation=organisation, kind=kind)
        .first()
    )
    if held is not None and (held.done_on, held.valid_until) == (done_on, valid_until):
        return held
    clearance, _ = Clearance.objects.update_or_create(
        user=person,
        organisation=organisation,
        kind=kind,
        defaults={
            "done_on": done_on,
            "valid_until": valid_until,
            "recorded_at": clock.now(),
            "recorded_by_label": current_scope().person_label,
        },
    )
    trail.record(
        "organisations.clearance_recorded",
        organisation_id=organisation.pk,
        subject=str(person.pk),
        details={
            "person": person.pk,
            "kind": kind,
            "from": done_on,
            "until": valid_until,
            "before_from": held.done_on if held else None,
            "before_until": held.valid_until if held else None,
        },
    )
    return clearance


@transaction.atomic
def record(
    *, person_id: UUID, kind: str, done_on: dt.date, valid_until: dt.date | None, acting_user: User
) -> Clearance:
    """Record when somebody of the organisation acted for was trained or checked. Raises Denied, ClearanceRefused."""
    person = directory.person_of(current_organisation(), person_id, act="people.manage")
    if person.pk == acting_user.pk:
        raise ClearanceRefused("Ask another administrator: nobody records their own training and checks")
    if done_on > clock.today():
        raise ClearanceRefused("The day must be today or earlier")
    if valid_until is not None and valid_until < done_on:
        raise ClearanceRefused("The last valid day must not be before the day it was done")
    organisation = Organisation.objects.get(pk=current_organisation())
    return write(
        person=person, organisation=organisation, kind=kind, done_on=done_on, valid_until=valid_until
    )


@transaction.atomic
def require(*, kinds: Iterable[str], acting_user: User) -> Organisation:
    """Set which clearances hold access while they are not recorded. Raises ClearanceRefused where it would hold the one who sets it."""
    wanted = [kind.value for kind in ClearanceKind if kind.value in set(kinds)]
    organisation = Organisation.objects.select_for_update().get(pk=current_organisation())
    if wanted == organisation.required_clearances:
        return organisation
    organisation.required_clearances = wanted
    mine = standing_of(organisation, acting_user.pk, clock.today())
    if any(standing.holds for standing in mine):
        raise ClearanceRefused(
            "This would hold your own access. Ask another administrator to record your dates first"
        )
    organisation.save(update_fields=["required_clearances"])
    trail.record("organisations.clearances_required", details={"kinds": wanted})
    return organisation


def remind() -> int:
    """Tell people whose training or check runs out in 30, 7 or 1 days, and administrators of what holds access. Returns how many mails.

    Safe to run at any time and as often as one likes: each reminder has a key of its own. One that was missed while every worker was dead
    is not sent late when the next one is due.
    """
    today = clock.today()
    last = today + dt.timedelta(days=REMIND_BEFORE[0])
    due = (
        Clearance.objects.filter(valid_until__lte=last, user__is_active=True)
        .select_related("user", "organisation")
        .order_by("pk")
    )
    works = set(
        Membership.objects.filter(user__in=due.values("user"), valid_from__lte=today)
        .exclude(valid_until__lt=today)
        .values_list("user_id", "organisation_id")
    )
    sent = 0
    for clearance in due.iterator():
        until = clearance.valid_until
        if until is None or (clearance.user_id, clearance.organisation_id) not in works:
            continue
        left = (until - today).days
        with transaction.atomic():
            if left < 0:
                _tell_administrators(clearance, until)
                continue
            step = min(days for days in REMIND_BEFORE if left <= days)
            _remind(clearance, until, step)
            sent += 1
    return sent


def _remind(clearance: Clearance, until: dt.date, step: int) -> None:
    what = ClearanceKind(clearance.kind).label
    outbox.post(
        unique_key=f"clearance:{clearance.pk}:{until.isoformat()}:{step}",
        to=clearance.user.email,
        subject=f"{what}: valid until {long_date(until)}",
        text=(
            f"{what} at {clearance.organisation.name} is valid until {long_date(until)}. After that day your access there is "
            "held until the new date is recorded.\n\nAsk your organisation administrator what to do. They record the new date."
            f"\n\n{settings.BASE_URL.rstrip('/')}{reverse('organisations:account')}"
        ),
    )


def _tell_administrators(clearance: Clearance, until: dt.date) -> None:
    people = reverse("organisations:people", args=[clearance.organisation.slug])
    outbox.tell(
        unique_key=f"clearance-held:{clearance.pk}:{until.isoformat()}",
        organisation_id=clearance.organisation_id,
        role=Role.ORGANISATION_ADMINISTRATOR,
        words=f"{ClearanceKind(clearance.kind).label} of a colleague ran out: their access is held",
        link=f"{people}?state=held",
    )
