"""Who may come in: training and background checks that are in date (obligations 59 and 62), and what everybody is told of them.

What has run out holds every role of the person at that organisation from the next request; what is not recorded does so only where the
organisation requires it. Both are worked out from the dates whenever somebody asks: no job has to run.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from edatrs.core.dates import long_date
from edatrs.organisations.choices import ClearanceKind
from edatrs.organisations.models import Clearance, Organisation

# So many days before the end somebody is told.
REMIND_BEFORE = (30, 7, 1)
_SHORT = {ClearanceKind.TRAINING: "Training", ClearanceKind.BACKGROUND_CHECK: "Background check"}
_RAN_OUT = {
    ClearanceKind.TRAINING: "Your data-protection training",
    ClearanceKind.BACKGROUND_CHECK: "Your background check",
}


def in_date(day: dt.date) -> Q:
    """Memberships of people whose training and checks at that organisation hold nothing on a day."""
    mine = Clearance.objects.filter(user=OuterRef("user"), organisation=OuterRef("organisation"))
    free = ~Q(Exists(mine.filter(valid_until__lt=day)))
    for kind in ClearanceKind:
        recorded = Q(Exists(mine.filter(kind=kind, done_on__lte=day)))
        free &= recorded | ~Q(organisation__required_clearances__contains=[kind.value])
    return free


@dataclass(frozen=True)
class Standing:
    """One kind of clearance of one person at one organisation, on a day."""

    kind: ClearanceKind
    clearance: Clearance | None
    required: bool
    day: dt.date

    @property
    def missing(self) -> bool:
        """Whether nothing is recorded that counts today."""
        return self.clearance is None or self.clearance.done_on > self.day

    @property
    def ran_out(self) -> bool:
        """Whether the last valid day has passed."""
        until = self.clearance.valid_until if self.clearance else None
        return until is not None and until < self.day

    @property
    def holds(self) -> bool:
        """Whether it holds the access."""
        return self.ran_out or (self.missing and self.required)

    @property
    def days_left(self) -> int | None:
        """Days to the last valid one; None without an end."""
        until = self.clearance.valid_until if self.clearance else None
        return None if until is None else (until - self.day).days

    @property
    def soon(self) -> bool:
        """Whether it runs out within the days of the first reminder."""
        return self.days_left is not None and 0 <= self.days_left <= REMIND_BEFORE[0]

    @property
    def badge(self) -> str:
        """The kind of badge."""
        if self.holds:
            return "late"
        return "soon" if self.soon else "none" if self.missing else "ok"

    @property
    def short(self) -> str:
        """What a list calls it."""
        return _SHORT[self.kind]

    @property
    def words(self) -> str:
        """How it stands, without its name."""
        if self.missing or self.clearance is None:
            return "Not recorded"
        until = self.clearance.valid_until
        if until is None:
            return "No end date"
        return f"{'Ran out on' if self.ran_out else 'Valid until'} {long_date(until)}"

    @property
    def in_list(self) -> str:
        """How it stands, with its name."""
        return f"{self.short}: {self.words[0].lower()}{self.words[1:]}"

    @property
    def to_the_person(self) -> str:
        """What they read when it holds their access."""
        if self.ran_out and self.clearance and self.clearance.valid_until:
            return f"{_RAN_OUT[self.kind]} ran out on {long_date(self.clearance.valid_until)}"
        return f"{_RAN_OUT[self.kind]} is not recorded"


def standings(
    organisation: Organisation, people: Iterable[UUID], day: dt.date
) -> dict[UUID, tuple[Standing, ...]]:
    """Every kind for each person at an organisation, by id. One query."""
    ids = list(people)
    held = {(c.user_id, c.kind): c for c in Clearance.objects.filter(organisation=organisation, user__in=ids)}
    return {
        pk: tuple(
            Standing(kind, held.get((pk, kind.value)), kind.value in organisation.required_clearances, day)
            for kind in ClearanceKind
        )
        for pk in ids
    }


def standing_of(organisation: Organisation, person_id: UUID, day: dt.date) -> tuple[Standing, ...]:
    """Every kind for one person."""
    return standings(organisation, [person_id], day)[person_id]
