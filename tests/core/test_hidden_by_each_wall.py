"""Whom a person may not find, asked of each wall by itself, in every table: conflicts of interest, sensitive records of another team."""

from __future__ import annotations

from typing import Any

import pytest

from caseload import hidden
from caseload.models import Client, ConflictOfInterest, NamedTeamMember, SensitiveRecord
from edatrs.core import clock
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import Organisation, User
from tests.core.world import acting_for, fill, in_sql, row_security_off, rows_in, tenant_models
from tests.factories.caseload import make_client
from tests.factories.organisations import make_organisation, make_person
from tests.factories.sharing import make_conflict, make_sensitive


def acting(organisation: Organisation, person: User | None, actor: Actor = Actor.PERSON) -> Any:
    """A scope of a person, or of nobody."""
    return open_scope(
        actor=actor,
        organisation_id=organisation.pk,
        organisation_label=organisation.slug,
        person_id=person.pk if person else None,
        person_label="a test",
    )


class Everything:
    """An organisation with a row in every table, all about clients whom a stranger may not find."""

    def __init__(self) -> None:
        self.home = make_organisation()
        self.rows = fill(self.home)
        self.stranger = make_person(self.home)
        with acting_for(self.home, actor=Actor.OPERATOR):
            hides = {row.client_id for row in SensitiveRecord.objects.all()}
            for client in Client.objects.exclude(pk__in=hides):
                make_sensitive(client)
        self.tables = [
            model._meta.db_table for model in tenant_models() if hidden.narrowing(model) is not None
        ]


@pytest.mark.django_db
def test_row_security_alone_leaves_no_row_of_whom_one_may_not_find() -> None:
    everything = Everything()
    with acting(everything.home, everything.stranger):
        left = {table: number for table, number in rows_in(everything.tables).items() if number}
    assert left == {}
    with acting(everything.home, None, Actor.WORKER):
        empty = [table for table, number in rows_in(everything.tables).items() if not number]
    assert empty == [], "the test would be blind there: a worker sees a row of everything"


@pytest.mark.django_db(transaction=True)
def test_the_managers_alone_leave_no_row_of_whom_one_may_not_find() -> None:
    with row_security_off():
        everything = Everything()
        models = [model for model in tenant_models() if model._meta.db_table in everything.tables]
        with acting(everything.home, everything.stranger):
            assert {m.__name__: m.objects.count() for m in models if m.objects.count()} == {}
        with acting(everything.home, None, Actor.WORKER):
            assert [m.__name__ for m in models if not m.objects.count()] == []


class States:
    """A person, and a client in each state: (what it is called, who is hidden)."""

    HIDDEN = {"conflict", "sensitive", "sensitive, taken out of the team", "sensitive, and in conflict"}

    def __init__(self) -> None:
        self.home = make_organisation()
        self.person, self.other = make_person(self.home), make_person(self.home)
        self.clients: dict[str, Client] = {}
        now = clock.now()
        with acting_for(self.home, actor=Actor.OPERATOR):
            self._client("nothing")
            make_conflict(self._client("conflict"), self.person)
            make_conflict(self._client("conflict of another"), self.other)
            ended = make_conflict(self._client("conflict that ended"), self.person)
            ConflictOfInterest.objects.filter(pk=ended.pk).update(ended_at=now)
            make_sensitive(self._client("sensitive"), self.other)
            make_sensitive(self._client("sensitive, in the team"), self.person)
            make_sensitive(self._client("sensitive, taken out of the team"), self.person, self.other)
            team = NamedTeamMember.objects.filter(client=self.clients["sensitive, taken out of the team"])
            team.filter(user=self.person).update(removed_at=now)
            lifted = make_sensitive(self._client("sensitive, lifted"), self.other)
            SensitiveRecord.objects.filter(pk=lifted.pk).update(lifted_at=now)
            both = self._client("sensitive, and in conflict")
            make_sensitive(both, self.person)
            make_conflict(both, self.person)

    def _client(self, state: str) -> Client:
        self.clients[state] = make_client()
        return self.clients[state]

    def named(self, found: set[Any]) -> set[str]:
        """The states of the clients found."""
        return {state for state, client in self.clients.items() if client.pk in found}


@pytest.mark.django_db
def test_the_first_wall_knows_whom_a_person_may_not_find() -> None:
    states = States()
    with acting(states.home, states.person):
        assert states.named(set(hidden.hidden_clients())) == States.HIDDEN
    for actor in (Actor.WORKER, Actor.OPERATOR):
        with acting(states.home, states.person, actor):
            assert hidden.hidden_clients() == frozenset()


@pytest.mark.django_db
def test_the_second_wall_knows_whom_a_person_may_not_find() -> None:
    states = States()
    everybody = set(states.clients)
    with acting(states.home, states.person):
        found = {pk for (pk,) in in_sql("SELECT id FROM caseload_client")}
    assert states.named(found) == everybody - States.HIDDEN
    with acting(states.home, states.person, Actor.WORKER):
        found = {pk for (pk,) in in_sql("SELECT id FROM caseload_client")}
    assert states.named(found) == everybody


@pytest.mark.django_db
def test_what_was_noted_for_one_person_is_not_taken_for_another() -> None:
    """One transaction, two people: the second wall notes whom it hides in a setting, for the person and the organisation it is of."""
    states = States()
    with acting(states.home, states.other):
        in_sql("SELECT id FROM caseload_client")
        with acting(states.home, states.person):
            found = {pk for (pk,) in in_sql("SELECT id FROM caseload_client")}
    assert states.named(found) == set(states.clients) - States.HIDDEN
