"""What an emergency may find and how long it lasts, asked of the database itself: past the pages, the services and the managers."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from caseload.match_keys import keys_of
from caseload.models import Client, EmergencyAccess, Person
from caseload.services import emergency
from edatrs.core import clock
from edatrs.core.scope import Actor
from edatrs.organisations.models import Organisation
from tests.caseload.known_elsewhere.registered import JORDAN, register
from tests.core.world import acting_for, in_sql
from tests.factories.organisations import make_organisation, make_person
from tests.factories.sharing import make_agreement, make_emergency, make_sensitive

pytestmark = pytest.mark.django_db
KEYS = keys_of(
    forename=JORDAN["forename"],
    surname=JORDAN["surname"],
    born=JORDAN["date_of_birth"],
    sex="",
    nhs_number="",
    postcode="",
)


class Partners:
    """Jordan is known to us and, as the same person, to others: one partner in force, and one of each who must not be found."""

    def __init__(self) -> None:
        self.ours = make_organisation("ours")
        self.person = Person.objects.create()
        self.mine = register(self.ours, person=self.person)
        self.held: dict[str, Client] = {}
        yesterday = clock.today() - dt.timedelta(days=1)
        for state in ("in force", "no agreement", "left", "sensitive", "entered in error"):
            holder = make_organisation(state.replace(" ", "-"))
            if state == "left":
                make_agreement(self.ours, holder, ended_on=yesterday)
            elif state != "no agreement":
                make_agreement(self.ours, holder)
            self.held[state] = register(holder, person=self.person)
            with acting_for(holder, actor=Actor.OPERATOR):
                if state == "sensitive":
                    make_sensitive(self.held[state])
                if state == "entered in error":
                    Client.objects.filter(pk=self.held[state].pk).update(
                        voided_at=clock.now(), voided_reason="Wrong"
                    )

    def named(self, found: list[tuple[Any, ...]]) -> set[str]:
        """The states of what was found; everything else by its id."""
        by_id = {client.pk: state for state, client in self.held.items()}
        return {by_id.get(row[0], str(row[0])) for row in found}


def linked(organisation: Organisation, client: Client) -> list[tuple[Any, ...]]:
    """What is linked to a client, asked as an organisation."""
    with acting_for(organisation):
        return in_sql("SELECT client FROM caseload_emergency_linked(%s)", client.pk)


def test_linked_records_are_found_only_where_they_may_be() -> None:
    partners = Partners()
    assert partners.named(linked(partners.ours, partners.mine)) == {"in force"}
    for state, client in partners.held.items():
        assert linked(partners.ours, client) == [], (
            f"{state}: of another organisation's client nothing is said"
        )
    assert in_sql("SELECT client FROM caseload_emergency_linked(%s)", partners.mine.pk) == [], (
        "without a scope"
    )


def test_strangers_are_found_only_where_they_may_be() -> None:
    partners = Partners()
    with acting_for(partners.ours):
        found = in_sql(
            "SELECT client FROM caseload_emergency_stranger('', %s::text[], %s::text[], %s)",
            KEYS.fore,
            KEYS.sur,
            JORDAN["date_of_birth"],
        )
    assert partners.named(found) == {"in force"}


def test_the_database_holds_no_emergency_longer_than_an_hour() -> None:
    partners = Partners()
    person = make_person(partners.ours, role="keyworker")
    now = clock.now()
    client = partners.held["in force"]
    with acting_for(partners.ours):
        make_emergency(client, person, opened_at=now, ends_at=now + dt.timedelta(minutes=60))
        with pytest.raises(IntegrityError, match="emergency_at_most_an_hour"), transaction.atomic():
            make_emergency(client, person, opened_at=now, ends_at=now + dt.timedelta(minutes=61))


def test_the_next_working_day_is_no_saturday_and_no_sunday() -> None:
    friday = dt.datetime(2026, 11, 27, 10, tzinfo=dt.UTC)
    row = EmergencyAccess(opened_at=friday)
    assert emergency.account_due(row) == dt.date(2026, 11, 30)
    assert emergency.review_due(row) == dt.date(2026, 12, 2)
    assert emergency.account_due(EmergencyAccess(opened_at=friday - dt.timedelta(days=1))) == dt.date(
        2026, 11, 27
    )
