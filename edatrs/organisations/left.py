"""A partner that left the protocol: what it may still do, worked out from the agreements whenever somebody asks (access.md, O-86 to O-89).

From 00:00 London of the day after the last day of its notice, its own records are read and exported by its team managers and its
governance officer alone, until the return-or-destroy certificate; then by nobody. What holds no client data goes on. An organisation that
never was in an agreement, and one whose agreement ended for everybody, did not leave: it works with its own data.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from edatrs.core import access, clock
from edatrs.core.scope import current_scope, scope_or_none
from edatrs.organisations.choices import AgreementStatus, Role
from edatrs.organisations.models import AgreementParty, Organisation

READERS = frozenset({Role.TEAM_MANAGER.value, Role.INFORMATION_GOVERNANCE.value})
# What of one's own clients is only looked at, or taken out. Every other act with letter O changes something.
READS = frozenset(
    {
        "client.find",
        "client.view",
        "caseload.view",
        "note.read",
        "trail.client",
        "grant.view",
        "list.export",
        "quality.list",
    }
)
# Acts of the organisation (letter A) that gather or change client data, and so end too.
GATHERS = frozenset(
    {
        "import.caseload",
        "extract.build",
        "extract.preview",
        "extract.download",
        "extract.confirm",
        "client.link",
    }
)
EXPORTS = "list.export"
_OTHERS = frozenset("SBN+")
_KEY = "partner left the protocol"


@dataclass(frozen=True)
class Term:
    """The time in which one approved agreement bound a party: from the day on which it could share with anybody (None: never) to the last
    day of its notice, or of the agreement for everybody.
    """

    begins: dt.date | None
    leaves_on: dt.date | None = None
    ended_on: dt.date | None = None
    certificate_on: dt.date | None = None

    @property
    def last_day(self) -> dt.date | None:
        """The last day; None without one."""
        return min((day for day in (self.leaves_on, self.ended_on) if day is not None), default=None)

    @property
    def commenced(self) -> bool:
        """Whether there was any day of it."""
        return self.begins is not None and (self.last_day is None or self.begins <= self.last_day)

    @property
    def by_notice(self) -> bool:
        """Whether it ended because the party left."""
        return self.leaves_on is not None and self.leaves_on == self.last_day


@dataclass(frozen=True)
class Left:
    """A partner that left: the last day on which it was in, and the day of its certificate (None: not given yet)."""

    last_day: dt.date
    certificate_on: dt.date | None = None

    @property
    def reads(self) -> bool:
        """Whether its own records may still be read and exported."""
        return self.certificate_on is None


def left_on(terms: Iterable[Term], day: dt.date) -> Left | None:
    """Whether a party of these agreements has left the protocol on a London day. Pure.

    It has, when every agreement that ever bound it has ended and the last to end did so by its own notice. One that has not begun yet
    counts as one it is in: it is on its way back.
    """
    bound = [term for term in terms if term.commenced]
    if not bound or any(term.last_day is None or day <= term.last_day for term in bound):
        return None
    last_day = max(term.last_day for term in bound if term.last_day is not None)
    last = [term for term in bound if term.last_day == last_day]
    if not all(term.by_notice for term in last):
        return None
    given = [
        term.certificate_on for term in last if term.certificate_on is not None and term.certificate_on <= day
    ]
    return Left(last_day, max(given) if len(given) == len(last) else None)


def terms_of(organisation_id: UUID) -> list[Term]:
    """The terms of an organisation in every approved agreement. One query where it never gave notice, which is the common case."""
    notices = AgreementParty.objects.filter(organisation_id=organisation_id, leaves_on__isnull=False)
    if not notices.exists():
        return []
    rows = (
        AgreementParty.objects.filter(
            organisation_id=organisation_id, agreement__status=AgreementStatus.APPROVED
        )
        .select_related("agreement")
        .prefetch_related("agreement__parties")
    )
    return [_term(row) for row in rows]


def _term(row: AgreementParty) -> Term:
    others = [
        p.signed_on
        for p in row.agreement.parties.all()
        if p.organisation_id != row.organisation_id and p.signed_on
    ]
    begins = None
    if row.agreement.approved_on and row.signed_on and others:
        begins = max(row.agreement.approved_on, row.signed_on, min(others))
    return Term(begins, row.leaves_on, row.agreement.ended_on, row.certificate_on)


def state_of(organisation_id: UUID, day: dt.date) -> Left | None:
    """Whether an organisation has left the protocol on a day."""
    return left_on(terms_of(organisation_id), day)


def current() -> Left | None:
    """Whether the organisation acted for has left, today; asked once a scope. Raises ScopeMissing."""
    scope = current_scope()
    if scope.organisation_id is None:
        return None
    if _KEY not in scope.memory:
        scope.memory[_KEY] = state_of(scope.organisation_id, clock.london_date(scope.now))
    found: Left | None = scope.memory[_KEY]
    return found


def narrowed(act: str, role: str, letters: str) -> str:
    """What is left of a role's letters for an act: all of them, unless the organisation acted for has left. For `core.access`."""
    scope = scope_or_none()
    if not letters or scope is None or scope.organisation_id is None:
        return letters
    state = current()
    if state is None:
        return letters
    gone = set(_OTHERS)
    if not (state.reads and role in READERS and act in READS):
        gone.add("O")
    if act in GATHERS or (act == EXPORTS and not state.reads):
        gone.add("A")
    return "".join(letter for letter in letters if letter not in gone)


def left_page(request: HttpRequest, organisation: Organisation, state: Left) -> HttpResponse:
    """403 with words, for an act that the role could do if the organisation had not left. It says nothing of any record."""
    return render(
        request,
        "organisations/left.html",
        {"left_protocol": state, "left_name": organisation.name},
        status=403,
    )


def page_for(request: HttpRequest, raised: Any) -> HttpResponse | None:
    """The page of a refusal that was made because the organisation left; None for any other."""
    organisation = getattr(request, "organisation", None)
    if organisation is None or getattr(raised, "why", "") != access.NARROWED:
        return None
    state = state_of(organisation.pk, clock.today())
    return left_page(request, organisation, state) if state else None
