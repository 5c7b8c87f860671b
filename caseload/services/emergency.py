"""Emergency access (break-glass, T11): opened by one person for one record, for at most 60 minutes, ended, accounted for and reviewed.

Opening writes the row, the alert to both organisations' governance officers and the entry in both chains in one transaction. The alert
names no client: a record number and a link.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import F

from caseload import shared
from caseload.choices import Category, LawfulGround
from caseload.match_keys import keys_of
from caseload.models import EmergencyAccess
from edatrs.core import access, clock, trail
from edatrs.core.access import Denied
from edatrs.core.scope import current_organisation, scope_for_organisation
from edatrs.organisations.choices import Role
from edatrs.organisations.models import Organisation, User
from edatrs.organisations.selectors import people_holding
from edatrs.organisations.services import outbox

MINUTES = 60
ALARM_ABOVE = 3  # openings by one person on one London day
REVIEW_WORKING_DAYS = 3


@dataclass(frozen=True)
class Found:
    """A record of a partner that an emergency may open: ids alone, nothing of the person."""

    client_id: UUID
    organisation_id: UUID


def find_linked(client_id: UUID) -> list[Found]:
    """The records that partners hold of the same person as a client of one's own."""
    return _found("SELECT client, organisation FROM caseload_emergency_linked(%s)", client_id)


def find_stranger(*, nhs_number: str, forename: str, surname: str, born: dt.date | None) -> list[Found]:
    """The records of partners that have exactly this NHS number; without one, exactly this name and date of birth.

    Case, accents and hyphens do not count, nothing else is guessed. Sensitive records are not found.
    """
    keys = keys_of(forename=forename, surname=surname, born=born, sex="", nhs_number=nhs_number, postcode="")
    return _found(
        "SELECT client, organisation FROM caseload_emergency_stranger(%s, %s::text[], %s::text[], %s)",
        keys.nhs,
        keys.fore,
        keys.sur,
        born,
    )


def _found(statement: str, *params: object) -> list[Found]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return [Found(*row) for row in cursor.fetchall()]


def open_access(
    *,
    found: Sequence[Found],
    categories: Sequence[str],
    ground: str,
    reason: str,
    acting_user: User,
    organisation_name: str,
) -> list[EmergencyAccess]:
    """Open these records for the person acting: the rows, the alerts, and one event in both chains, all or nothing.

    Raises ValueError for a ground, a category or a reason that cannot be, Denied where the role may not open at all.
    """
    access.require("break_glass.open", by="N")
    if ground not in LawfulGround.values or not categories or not set(categories) <= set(Category.values):
        raise ValueError("one of the five grounds and at least one part")
    if len(reason.split()) < 3:
        raise ValueError("a reason in words")
    now = clock.now()
    made: list[EmergencyAccess] = []
    if not found:
        trail.record("caseload.emergency.nothing_found", details={"ground": ground})
    for one in found:
        if one.organisation_id == current_organisation():
            raise Denied("break_glass.open", "own record", subject=str(one.client_id))
        row = EmergencyAccess.objects.create(
            user_id=acting_user.pk,
            client_organisation_id=one.organisation_id,
            opened_client_id=one.client_id,
            categories=list(categories),
            ground=ground,
            reason=reason,
            opened_at=now,
            ends_at=now + dt.timedelta(minutes=MINUTES),
        )
        made.append(row)
        trail.record(
            "caseload.emergency.opened",
            subject=str(one.client_id),
            details={"access": str(row.pk), "ground": ground, "categories": list(categories)},
            also=[one.organisation_id],
        )
        # Open now, so its number can be read.
        client, _ = shared.get_shared(one.client_id, "B")
        for organisation_id in (current_organisation(), one.organisation_id):
            _alert(row, str(client), organisation_id, organisation_name)
    _alarm_when_often(acting_user)
    return made


def _alert(row: EmergencyAccess, record: str, organisation_id: UUID, organisation_name: str) -> None:
    """Mail and in-app task for every governance officer: no name, no ground in the mail."""
    words = f"Emergency access by {organisation_name} to record {record}"
    for officer in people_holding(organisation_id, [Role.INFORMATION_GOVERNANCE], clock.today()):
        outbox.post(
            unique_key=f"emergency:{row.pk}:{officer.pk}",
            to=officer.email,
            subject="EDATRS caseload: emergency access was opened",
            text=(
                f"{words} was opened at {row.opened_at.astimezone(clock.LONDON):%H:%M on %d/%m/%Y}.\n"
                "Sign in to see who, why and what was opened, and to review it.\n"
            ),
        )
    outbox.tell(
        unique_key=f"emergency:{row.pk}:{organisation_id}",
        organisation_id=organisation_id,
        role=Role.INFORMATION_GOVERNANCE,
        words=words,
        link="emergency/review/",
    )


def _alarm_when_often(acting_user: User) -> None:
    """More than three on one day by one person: the officers are told apart from the alerts."""
    day = clock.today()
    midnight = dt.datetime.combine(day, dt.time(), clock.LONDON)
    today = EmergencyAccess.objects.filter(
        organisation_id=current_organisation(), user_id=acting_user.pk, opened_at__gte=midnight
    ).count()
    if today > ALARM_ABOVE:
        outbox.tell(
            unique_key=f"emergency-often:{acting_user.pk}:{day}",
            organisation_id=current_organisation(),
            role=Role.INFORMATION_GOVERNANCE,
            words=f"{acting_user.full_name} opened emergency access {today} times today",
            link="emergency/review/",
        )
        trail.record("caseload.emergency.often", subject=str(acting_user.pk), details={"times": today})


def end_access(*, pk: UUID, acting_user: User) -> EmergencyAccess:
    """End one's own emergency access now. Ending twice changes nothing. Raises Denied."""
    row = own_access(pk, acting_user, lock=True)
    if row.ended_at is None:
        row.ended_at = min(clock.now(), row.ends_at)
        row.save(update_fields=["ended_at"])
        trail.record(
            "caseload.emergency.ended",
            subject=str(row.opened_client_id),
            details={"access": str(row.pk)},
            also=[row.client_organisation_id],
        )
    return row


def end_all(*, user_id: UUID) -> int:
    """End every emergency access of a person at once: signed out, disabled, role changed."""
    rows = EmergencyAccess.objects.filter(
        organisation_id=current_organisation(), user_id=user_id, ended_at__isnull=True
    )
    return rows.update(ended_at=clock.now())


def own_access(pk: UUID, user: User, *, lock: bool = False) -> EmergencyAccess:
    """An emergency access that this person opened. Raises Denied."""
    rows = EmergencyAccess.objects.filter(organisation_id=current_organisation(), user_id=user.pk, pk=pk)
    found = (rows.select_for_update(of=("self",)) if lock else rows).first()
    if found is None:
        raise Denied("break_glass.open", "not found", subject=str(pk))
    return found


def account_for(*, pk: UUID, account: str, acting_user: User) -> EmergencyAccess:
    """What one did with it: written once by who opened it, before the end of the next working day. Raises Denied, ValueError."""
    row = own_access(pk, acting_user, lock=True)
    if row.accounted_at is not None:
        raise ValueError("this is accounted for already")
    row.account, row.accounted_at = account, clock.now()
    row.save(update_fields=["account", "accounted_at"])
    trail.record(
        "caseload.emergency.accounted",
        subject=str(row.opened_client_id),
        details={"access": str(row.pk)},
        also=[row.client_organisation_id],
    )
    return row


def review(*, pk: UUID, justified: bool, words: str, acting_user: User) -> EmergencyAccess:
    """The governance officer's review, once, never by who opened it. Raises Denied, ValueError."""
    row = (
        EmergencyAccess.objects.select_for_update(of=("self",))
        .filter(organisation_id=current_organisation(), pk=pk)
        .first()
    )
    if row is None:
        raise Denied("trail.search", "not found", subject=str(pk))
    if row.user_id == acting_user.pk:
        raise ValueError("somebody else must review what you opened")
    if row.reviewed_at is not None:
        raise ValueError("this is reviewed already")
    row.reviewed_at, row.reviewed_by_id, row.review, row.justified = (
        clock.now(),
        acting_user.pk,
        words,
        justified,
    )
    row.save(update_fields=["reviewed_at", "reviewed_by", "review", "justified"])
    trail.record(
        "caseload.emergency.reviewed",
        subject=str(row.opened_client_id),
        details={"access": str(row.pk), "justified": "yes" if justified else "no"},
        also=[row.client_organisation_id],
    )
    return row


_ALONG = ("user", "organisation", "client_organisation")


def own_list(user_id: UUID) -> list[EmergencyAccess]:
    """What a person opened in the organisation acted for, the latest first; at most 200."""
    rows = EmergencyAccess.objects.filter(organisation_id=current_organisation(), user_id=user_id)
    return list(rows.select_related(*_ALONG).order_by("-opened_at")[:200])


def list_for_review() -> list[EmergencyAccess]:
    """By people of the organisation acted for, and to its records: those not reviewed first; at most 200."""
    rows = EmergencyAccess.objects.select_related(*_ALONG)
    return list(rows.order_by(F("reviewed_at").desc(nulls_first=True), "-opened_at")[:200])


def to_review(pk: UUID) -> EmergencyAccess:
    """One of them. Raises Denied."""
    found = EmergencyAccess.objects.select_related(*_ALONG).filter(pk=pk).first()
    if found is None:
        raise Denied("trail.search", "not found", subject=str(pk))
    return found


def account_due(row: EmergencyAccess) -> dt.date:
    """The last day to account for it: the next working day."""
    return next_working_day(clock.london_date(row.opened_at), 1)


def review_due(row: EmergencyAccess) -> dt.date:
    """The last day to review it: the third working day."""
    return next_working_day(clock.london_date(row.opened_at), REVIEW_WORKING_DAYS)


def next_working_day(day: dt.date, count: int) -> dt.date:
    """The day that lies a number of working days after another: Monday to Friday. Bank holidays come with the legal clocks."""
    while count:
        day += dt.timedelta(days=1)
        count -= day.weekday() < 5
    return day


def end_everywhere(user_id: UUID) -> None:
    """Signed out: every emergency access of the person ends, whichever organisation it was opened for."""
    for organisation in Organisation.objects.filter(memberships__user_id=user_id).distinct():
        with scope_for_organisation(organisation):
            end_all(user_id=user_id)
