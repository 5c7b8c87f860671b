"""Dates × signatures × notice → may share or not: the database's answer beside a naive oracle, and the moment at which sharing ends.

Everything is asked as the role that serves requests, of the real function, and nothing but the clock moves: no worker runs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edatrs.core import clock
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations import protocol
from edatrs.organisations.models import Agreement, AgreementParty, Job, Organisation, User
from tests.factories.agreements import make_agreement_in_force
from tests.factories.organisations import make_organisation, make_person, sign_in

pytestmark = pytest.mark.django_db
LONDON = ZoneInfo("Europe/London")
START = dt.date(2026, 10, 20)  # a week around the end of summer time


@dataclass
class PartyDays:
    """What a party did, by days from START; None: not."""

    signed: int | None = 0
    leaves: int | None = None


@dataclass
class AgreementDays:
    """An agreement, by days from START, and what its parties (by number) did."""

    approved: int | None = 0
    status: str = "approved"
    ended: int | None = None
    parties: dict[int, PartyDays] = field(default_factory=dict)


# ---- the oracle: told as a story, a day at a time, in words of the protocol -----------------------------------------


def oracle(agreements: list[AgreementDays], one: int, other: int, today: int) -> bool:
    """Whether two organisations share on a day: somebody walks through the days and keeps who is bound to whom."""
    for agreement in agreements:
        if one not in agreement.parties or other not in agreement.parties or agreement.status != "approved":
            continue
        bound: set[int] = set()
        in_operation = False
        for day in range(-40, today + 1):
            if agreement.approved == day:
                in_operation = True
            for number, party in agreement.parties.items():
                if party.signed == day:
                    bound.add(number)
            # What ended with an earlier day is over, whenever it was approved.
            if agreement.ended is not None and agreement.ended < day:
                in_operation = False
            for number, party in agreement.parties.items():
                if party.leaves is not None and party.leaves < day:
                    bound.discard(number)
        if in_operation and {one, other} <= bound:
            return True
    return False


# ---- the register ------------------------------------------------------------------------------------------------


@dataclass
class Register:
    """Three organisations and two agreements, whose rows are written anew for each case."""

    organisations: list[Organisation]
    agreements: list[Agreement]
    signer: User

    def write(self, wanted: list[AgreementDays]) -> None:
        """The rows of a case."""
        AgreementParty.objects.filter(agreement__in=self.agreements).update(signed_on=None)
        for row, case in zip(self.agreements, wanted, strict=True):
            Agreement.objects.filter(pk=row.pk).update(
                status=case.status, approved_on=at(case.approved), ended_on=at(case.ended)
            )
            for number, organisation in enumerate(self.organisations):
                party = case.parties.get(number)
                leaves = at(party.leaves) if party else None
                AgreementParty.objects.filter(agreement=row, organisation=organisation).update(
                    signed_on=at(party.signed) if party else None,
                    leaves_on=leaves,
                    notice_received_on=leaves - dt.timedelta(days=28) if leaves else None,
                )

    def shares(self, one: int) -> set[int]:
        """With whom an organisation shares now, as the database says."""
        with open_scope(actor=Actor.WORKER, organisation_id=self.organisations[one].pk):
            found = protocol.partners_in_force()
        return {n for n, organisation in enumerate(self.organisations) if organisation.pk in found}


def at(day: int | None) -> dt.date | None:
    return None if day is None else START + dt.timedelta(days=day)


def instant(day: int, time: dt.time) -> dt.datetime:
    """A London time on a day, as an instant."""
    return dt.datetime.combine(START + dt.timedelta(days=day), time, LONDON).astimezone(dt.UTC)


@pytest.fixture
def register() -> Register:
    organisations = [make_organisation() for _ in range(3)]
    signer = make_person(organisations[0])
    agreements = []
    for number in range(2):
        agreement = Agreement.objects.create(slug=f"a-{number}", title="A", owner=organisations[0])
        for organisation in organisations:
            AgreementParty.objects.create(
                agreement=agreement, organisation=organisation, signed_by=signer, signed_as="siro"
            )
        agreements.append(agreement)
    return Register(organisations, agreements, signer)


days = st.one_of(st.none(), st.integers(-3, 9))
parties = st.builds(PartyDays, signed=days, leaves=days)


@st.composite
def agreement_days(draw: Any) -> AgreementDays:
    approved = draw(days)
    status = draw(st.sampled_from(["approved", "approved", "approved", "for_approval", "draft"]))
    return AgreementDays(
        approved=approved,
        status=status if approved is not None else "draft",
        ended=draw(st.one_of(st.none(), st.integers(-3, 9))),
        parties=draw(st.dictionaries(st.integers(0, 2), parties, min_size=1, max_size=3)),
    )


times = st.sampled_from(
    [dt.time(0, 0), dt.time(0, 30), dt.time(12, 0), dt.time(23, 30), dt.time(23, 59, 59, 999999)]
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=st.lists(agreement_days(), min_size=2, max_size=2), day=st.integers(-4, 11), time=times)
def test_the_database_and_the_oracle_say_the_same(
    register: Register, wanted: list[AgreementDays], day: int, time: dt.time
) -> None:
    register.write(wanted)
    with clock.frozen(instant(day, time)):
        for one in range(3):
            expected = {other for other in range(3) if other != one and oracle(wanted, one, other, day)}
            assert register.shares(one) == expected
            assert {other for other in range(3) if in_python(wanted, one, other, day)} == expected


def in_python(wanted: list[AgreementDays], one: int, other: int, day: int) -> bool:
    """The pure rule, for the same case."""
    return one != other and any(
        protocol.in_force(
            START + dt.timedelta(days=day),
            at(case.approved) if case.status == "approved" else None,
            at(case.ended),
            *(
                protocol.Signature(at(case.parties[n].signed), at(case.parties[n].leaves))
                for n in (one, other)
            ),
        )
        for case in wanted
        if one in case.parties and other in case.parties
    )


# ---- the moment at which it ends ---------------------------------------------------------------------------------

ENDS = [
    # last day of the notice, the instant at which London's next day begins
    (dt.date(2026, 12, 21), dt.datetime(2026, 12, 22, 0, 0, tzinfo=dt.UTC)),
    (dt.date(2026, 6, 29), dt.datetime(2026, 6, 29, 23, 0, tzinfo=dt.UTC)),
    (dt.date(2026, 10, 24), dt.datetime(2026, 10, 24, 23, 0, tzinfo=dt.UTC)),
    (dt.date(2026, 10, 25), dt.datetime(2026, 10, 26, 0, 0, tzinfo=dt.UTC)),  # 25 hours long
    (dt.date(2027, 3, 27), dt.datetime(2027, 3, 28, 0, 0, tzinfo=dt.UTC)),
    (dt.date(2027, 3, 28), dt.datetime(2027, 3, 28, 23, 0, tzinfo=dt.UTC)),  # 23 hours long
]


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland"])
@pytest.mark.parametrize(("last_day", "over"), ENDS, ids=[str(day) for day, _ in ENDS])
def test_sharing_ends_at_midnight_in_london_with_every_worker_stopped(
    zone: str, last_day: dt.date, over: dt.datetime
) -> None:
    ours, theirs, third = make_organisation(), make_organisation(), make_organisation()
    agreement = make_agreement_in_force(ours, theirs, third, since=dt.date(2026, 1, 2))
    AgreementParty.objects.filter(agreement=agreement, organisation=theirs).update(
        notice_received_on=last_day - dt.timedelta(days=28), leaves_on=last_day
    )
    assert protocol.last_day_of_notice(last_day - dt.timedelta(days=28)) == last_day
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [zone])

    def partners(organisation: Organisation) -> set[Any]:
        with open_scope(actor=Actor.WORKER, organisation_id=organisation.pk):
            return set(protocol.partners_in_force())

    with clock.frozen(over - dt.timedelta(microseconds=1)):
        assert partners(ours) == {theirs.pk, third.pk} and partners(theirs) == {ours.pk, third.pk}
    with clock.frozen(over):
        assert partners(ours) == {third.pk} and partners(theirs) == set()
    assert not Job.objects.exists(), "nothing was asked of a worker"


def test_the_page_says_so_at_the_next_click(client: Client) -> None:
    ours, theirs = make_organisation(name="Ours"), make_organisation(name="Theirs")
    agreement = make_agreement_in_force(ours, theirs, since=dt.date(2026, 1, 2))
    last_day, over = ENDS[0]
    AgreementParty.objects.filter(agreement=agreement, organisation=theirs).update(
        notice_received_on=last_day - dt.timedelta(days=28), leaves_on=last_day
    )
    person = make_person(ours, role="information_governance")
    path = f"/o/{ours.slug}/agreements/{agreement.pk}/"
    with clock.frozen(over - dt.timedelta(minutes=1)):
        page = sign_in(client, person).get(path).content.decode()
        assert "In force between Ours and Theirs since 2 January 2026" in page
    with clock.frozen(over):
        page = client.get(path).content.decode()
        assert "Ours has signed, but is in force with nobody yet." in page and "how it left" in page


# ---- mutants: each line of the function that decides is taken out, and a case notices ------------------------------

# One case for each thing that decides: the agreement, who asks, on which day and at what time, and what is right.
BOTH = {0: PartyDays(0), 1: PartyDays(0)}
CASES: dict[str, tuple[AgreementDays, dt.datetime, set[int]]] = {
    "in force": (AgreementDays(parties=BOTH), instant(1, dt.time(12)), {1}),
    "not approved": (AgreementDays(status="for_approval", parties=BOTH), instant(1, dt.time(12)), set()),
    "approved later": (AgreementDays(approved=2, parties=BOTH), instant(1, dt.time(12)), set()),
    "ended": (AgreementDays(ended=0, parties=BOTH), instant(1, dt.time(12)), set()),
    "we have not signed": (
        AgreementDays(parties={0: PartyDays(None), 1: PartyDays(0)}),
        instant(1, dt.time(12)),
        set(),
    ),
    "we signed later": (
        AgreementDays(parties={0: PartyDays(2), 1: PartyDays(0)}),
        instant(1, dt.time(12)),
        set(),
    ),
    "they have not signed": (
        AgreementDays(parties={0: PartyDays(0), 1: PartyDays(None)}),
        instant(1, dt.time(12)),
        set(),
    ),
    "they signed later": (
        AgreementDays(parties={0: PartyDays(0), 1: PartyDays(2)}),
        instant(1, dt.time(12)),
        set(),
    ),
    "we left": (AgreementDays(parties={0: PartyDays(0, 0), 1: PartyDays(0)}), instant(1, dt.time(12)), set()),
    "they left": (
        AgreementDays(parties={0: PartyDays(0), 1: PartyDays(0, 0)}),
        instant(1, dt.time(12)),
        set(),
    ),
    "after midnight in London": (
        AgreementDays(parties={0: PartyDays(0), 1: PartyDays(0, 1)}),
        instant(2, dt.time(0, 30)),
        set(),
    ),
}
# What is taken out of the function, what stands there instead, and the cases that must notice.
MUTANTS = {
    "status": ("agreement.status = 'approved'", "true", {"not approved"}),
    "day of approval": ("agreement.approved_on <= clock.today", "true", {"approved later"}),
    "last day of the version": (
        "agreement.ended_on IS NULL OR clock.today <= agreement.ended_on",
        "true",
        {"ended"},
    ),
    "our signature": ("ours.signed_on <= clock.today", "true", {"we have not signed", "we signed later"}),
    "their signature": (
        "theirs.signed_on <= clock.today",
        "true",
        {"they have not signed", "they signed later"},
    ),
    "our day, signature kept": (
        "ours.signed_on <= clock.today",
        "ours.signed_on IS NOT NULL",
        {"we signed later"},
    ),
    "our notice": ("ours.leaves_on IS NULL OR clock.today <= ours.leaves_on", "true", {"we left"}),
    "their notice": (
        "theirs.leaves_on IS NULL OR clock.today <= theirs.leaves_on",
        "true",
        {"they left", "after midnight in London"},
    ),
    "London": ("Europe/London", "UTC", {"after midnight in London"}),
}


@pytest.fixture
def spoilt(owner_connection: psycopg.Connection[Any]) -> Iterator[Any]:
    """Change the function as the owner of the database could, and put it back."""
    name = "organisations_partners_in_force()"
    row = owner_connection.execute("SELECT pg_get_functiondef(%s::regprocedure)", [name]).fetchone()
    assert row is not None
    right = row[0]

    def spoil(old: str, new: str) -> None:
        assert right.count(old) == 1
        owner_connection.execute(right.replace(old, new))

    yield spoil
    owner_connection.execute(right)


def noticed(register: Register) -> set[str]:
    """The cases that the database now answers wrongly."""
    wrong = set()
    for name, (case, now, right) in CASES.items():
        register.write([case, AgreementDays(status="draft")])
        with clock.frozen(now):
            if register.shares(0) != right:
                wrong.add(name)
    return wrong


def test_the_function_as_it_is_answers_every_case(register: Register) -> None:
    assert noticed(register) == set()


@pytest.mark.parametrize("name", MUTANTS)
def test_a_check_taken_out_of_the_function_is_noticed(name: str, register: Register, spoilt: Any) -> None:
    old, new, cases = MUTANTS[name]
    spoilt(old, new)
    assert cases <= noticed(register)
