"""Whether two organisations may share on a day: pure rules of the sharing protocol, and the one door to what the database says.

Sharing is pairwise. It begins on the later of the two days on which the parties signed (obligations 84 and 85), never before the agreement
was approved, and ends with the last day of a notice to leave: 28 days after the day on which the written notice was received (obligation
86), so access ends at 00:00 London of the day after.
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from edatrs.core.scope import current_organisation, remembered

NOTICE_DAYS = 28
REVIEW_YEARS = 3


@dataclass(frozen=True)
class Signature:
    """What decides of one party: the day it signed (None: not yet) and the last day of its notice (None: no notice)."""

    signed_on: dt.date | None = None
    leaves_on: dt.date | None = None


def last_day_of_notice(received: dt.date) -> dt.date:
    """The last day on which a partner that gave notice still shares: 28 days after the day the notice was received."""
    return received + dt.timedelta(days=NOTICE_DAYS)


def review_due(commenced: dt.date) -> dt.date:
    """Three calendar years after commencement (obligation 38); 29 February becomes 28 February."""
    year = commenced.year + REVIEW_YEARS
    return commenced.replace(year=year, day=min(commenced.day, calendar.monthrange(year, commenced.month)[1]))


def commences(approved_on: dt.date | None, ours: Signature, theirs: Signature) -> dt.date | None:
    """The first day on which two parties may share; None while a signature or the approval is missing."""
    days = (approved_on, ours.signed_on, theirs.signed_on)
    return None if None in days else max(day for day in days if day is not None)


def ends(ended_on: dt.date | None, ours: Signature, theirs: Signature) -> dt.date | None:
    """The last day on which two parties may share; None: until further notice."""
    days = [day for day in (ended_on, ours.leaves_on, theirs.leaves_on) if day is not None]
    return min(days, default=None)


def in_force(
    day: dt.date, approved_on: dt.date | None, ended_on: dt.date | None, ours: Signature, theirs: Signature
) -> bool:
    """Whether two parties may share on a London day under one agreement (`approved_on` None: it is not approved)."""
    first, last = commences(approved_on, ours, theirs), ends(ended_on, ours, theirs)
    return first is not None and first <= day and (last is None or day <= last)


def partners_in_force() -> frozenset[UUID]:
    """The organisations that the one acted for shares a protocol in force with, today, as the database says. Raises ScopeMissing."""

    def ask() -> frozenset[UUID]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT partner FROM organisations_partners_in_force() AS partner")
            return frozenset(row[0] for row in cursor.fetchall())

    return remembered(("partners in force", current_organisation()), ask)
