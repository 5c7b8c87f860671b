"""Every state of a grant, an agreement and an emergency access, asked of each wall by itself: no page, no role, only the wall.

The same states as the matrix of test_sharing_matrix.py (`sharing_states.csv`). Short enough to be the named test of a mutant that takes one
condition out of one wall, which no test through both walls could see.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from caseload import shared
from caseload.choices import Category
from caseload.models import Client, ClientIdentity, NamedTeamMember, SensitiveRecord
from edatrs.core import clock
from edatrs.core.access import Denied
from edatrs.core.scope import Actor, forget_setting, open_scope
from edatrs.organisations.models import Organisation
from tests.access.tables import read
from tests.access.test_sharing_matrix import DAY, World
from tests.core.world import acting_for, in_sql, row_security_off
from tests.factories.caseload import make_client
from tests.factories.organisations import make_organisation, make_person
from tests.factories.sharing import make_agreement, make_grant

ROLE = "clinician"  # may see every category by S and by B
TABLES = {
    "identity": "caseload_clientidentity",
    "contact": "caseload_clientcontact",
    "equality": "caseload_clientequality",
    "disability": "caseload_clientdisability",
    "treatment": "caseload_episode",
}
# Of the states that open one category alone: a table of its own, items of an episode, and episodes; the matrix asks all of them.
SOME = ("identity", "health", "treatment")
# What the second wall does not know: the page and the first wall keep a record that was entered in error away.
OF_THE_FIRST_WALL = {"voided"}
# A sensitive record is kept away by `hidden`; what is reached by grants and emergencies says nothing of it.
OF_HIDDEN = {"sensitive", "emergency_sensitive", "voided"}


class OnePerson(World):
    """The states of the matrix, for one person in one role, without a browser."""

    def __init__(self, *states: str) -> None:
        """All states, or those named."""
        self.today = clock.today()
        self.ours, self.third = make_organisation("receiver"), make_organisation("third")
        self.person = make_person(self.ours, role=ROLE)
        self.people = {ROLE: self.person}
        self.colleague = make_person(self.ours, role=ROLE)
        self.clients, self.words, self.holders = {}, {}, {}
        for line in read("sharing_states.csv"):
            if states and line["state"] not in states:
                continue
            for category in SOME if line["open"] == "only" else ("",):
                self._make(line["state"], category)

    def cells(self) -> Iterator[tuple[str, str, Client, set[str]]]:
        """(state and category, letter, client, what is open) of every client."""
        for line in read("sharing_states.csv"):
            for (state, category), client in self.clients.items():
                if state == line["state"]:
                    opened = {
                        part
                        for part in Category.values
                        if self.wanted(state, category, part, ROLE, line["by"], line["open"])
                    }
                    yield f"{state} {category}".strip(), line["by"], client, opened

    def acting(self) -> Any:
        """The scope of the person."""
        return open_scope(
            actor=Actor.PERSON,
            organisation_id=self.ours.pk,
            organisation_label=self.ours.slug,
            person_id=self.person.pk,
            person_label=self.person.full_name,
            roles=frozenset([ROLE]),
        )


def opened_by_scope(client: Client, by: str) -> set[str]:
    """What the first wall opens; the lists must agree with the record."""
    try:
        _, categories = shared.get_shared(client.pk, by)
    except Denied:
        categories = frozenset()
    if by == "S":
        assert shared.shared_clients().filter(pk=client.pk).exists() is bool(categories), (
            "list and record disagree"
        )
        identity = client.pk in shared.identities_of([client.pk])
        assert identity is ("identity" in categories) or client.voided_at is not None or not categories
    return set(categories)


def opened_by_rows(client: Client) -> tuple[set[str], bool]:
    """The categories of which the second wall shows rows, and whether it shows the client at all."""
    found = {
        category
        for category, table in TABLES.items()
        if in_sql(f'SELECT count(*) FROM "{table}" WHERE client_id = %s', client.pk) != [(0,)]
    }
    items = in_sql("SELECT DISTINCT category FROM caseload_episodeitems WHERE client_id = %s", client.pk)
    there = in_sql("SELECT count(*) FROM caseload_client WHERE id = %s", client.pk) == [(1,)]
    return found | {category for (category,) in items}, there


@pytest.fixture
def _no_row_security(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock(), row_security_off():
        yield


@pytest.mark.usefixtures("_no_row_security", "db")
def test_the_scope_alone_opens_what_is_open_and_nothing_else() -> None:
    wrong = []
    with clock.frozen(clock.now()):
        world = OnePerson()
        with world.acting():
            for name, by, client, wanted in world.cells():
                opened = opened_by_scope(client, by)
                if opened != wanted:
                    wrong.append(f"{name}: {sorted(opened ^ wanted)}")
    assert wrong == []


@pytest.mark.django_db
def test_row_security_alone_opens_what_is_open_and_nothing_else() -> None:
    wrong = []
    with clock.frozen(clock.now()):
        world = OnePerson()
        with world.acting():
            recorded = {*TABLES, *(part for part in Category.values if _is_item(world, part))}
            for name, _, client, wanted in world.cells():
                if name in OF_THE_FIRST_WALL:
                    continue
                opened, there = opened_by_rows(client)
                if opened != wanted & recorded or there is not bool(wanted):
                    wrong.append(f"{name}: {sorted(opened ^ (wanted & recorded))}, client {there}")
    assert wrong == []


@pytest.mark.django_db
def test_each_of_the_three_functions_says_what_is_reached() -> None:
    """All, one category, or whatever: three functions, because a policy asks the cheapest that says enough."""
    wrong = []
    with clock.frozen(clock.now()):
        world = OnePerson()
        with world.acting():
            together = set(in_sql("SELECT reached, category FROM caseload_reached_categories()"))
            apart = {
                (row[0], part)
                for part in Category.values
                for row in in_sql("SELECT reached FROM caseload_reached(%s) AS reached", part)
            }
            whatever = {row[0] for row in in_sql("SELECT reached FROM caseload_reached() AS reached")}
            for name, _, client, wanted in world.cells():
                right = set(Category.values) if name in OF_HIDDEN else wanted
                for said, by in ((together, "categories"), (apart, "one")):
                    if {part for pk, part in said if pk == client.pk} != right:
                        wrong.append(f"{name}: {by}")
                if (client.pk in whatever) is not bool(right):
                    wrong.append(f"{name}: any")
    assert wrong == []


def _is_item(world: OnePerson, part: str) -> bool:
    """Whether a word of the category could be kept among the items of an episode."""
    return part not in TABLES and world.by_client["live", "", part] in world.words


@pytest.mark.usefixtures("_no_row_security", "db")
def test_a_sensitive_record_that_somebody_left_the_team_of_is_closed_by_the_scope_alone() -> None:
    """Named once and taken out: the first wall does not go by what was."""
    with clock.frozen(clock.now()):
        world = OnePerson("named_here")
        client, holder = world.clients["named_here", ""], world.holders["named_here"]
        with world.acting():
            assert opened_by_scope(client, "S")
        leave(client, holder, world)
        with world.acting():
            assert opened_by_scope(client, "S") == set()


@pytest.mark.django_db
def test_a_sensitive_record_that_somebody_left_the_team_of_is_closed_by_row_security_alone() -> None:
    with clock.frozen(clock.now()):
        world = OnePerson("named_here")
        client, holder = world.clients["named_here", ""], world.holders["named_here"]
        with world.acting():
            assert opened_by_rows(client)[1]
        leave(client, holder, world)
        with world.acting():
            assert opened_by_rows(client) == (set(), False)
        with acting_for(holder, actor=Actor.OPERATOR):
            SensitiveRecord.objects.filter(client=client).update(lifted_at=clock.now())
        forget_setting("app.hidden_for")
        with world.acting():
            assert opened_by_rows(client)[1], "lifted, everybody whom it is shared with finds it again"


def leave(client: Client, holder: Organisation, world: OnePerson) -> None:
    """The person is taken out of the named team; in one transaction, what was noted before is forgotten."""
    with acting_for(holder, actor=Actor.OPERATOR):
        NamedTeamMember.objects.filter(client=client, user=world.person).update(removed_at=clock.now())
    forget_setting("app.hidden_for")


@pytest.mark.django_db
def test_rows_of_a_category_that_is_not_open_are_none() -> None:
    """Whatever the second wall would show: the first gives no row of a category that `get_shared` did not name."""
    with clock.frozen(clock.now()):
        world = OnePerson("live")
        client = world.clients["live", ""]
        with world.acting():
            whole = shared.reached(ClientIdentity, client, "identity", frozenset({"identity"}))
            none = shared.reached(ClientIdentity, client, "identity", frozenset({"contact"}))
            assert (whole.count(), none.count()) == (1, 0)


@pytest.mark.django_db
def test_who_gave_a_grant_reaches_nothing_by_it() -> None:
    """A grant is for who holds it: to who gave it, and to a third, it opens nothing."""
    with clock.frozen(clock.now()):
        world = OnePerson("live")
        for organisation in (world.holders["live"], world.third):
            with acting_for(organisation):
                client = world.clients["live", ""].pk
                for asked in (
                    "caseload_reached_categories()",
                    "caseload_reached('identity')",
                    "caseload_reached()",
                ):
                    found = {row[0] for row in in_sql(f"SELECT * FROM {asked}")}
                    assert client not in found, (organisation.slug, asked)


@pytest.mark.django_db
def test_the_database_refuses_a_grant_that_makes_no_sense() -> None:
    """Over before it begins, or to who holds the record anyway."""
    mine, other = make_organisation(), make_organisation()
    make_agreement(mine, other)
    today = clock.today()
    with acting_for(mine):
        client = make_client()
        with pytest.raises(IntegrityError, match="grant_ends_after_it_starts"), transaction.atomic():
            make_grant(client, other, ["risk"], valid_from=today, valid_until=today - DAY)
        with pytest.raises(IntegrityError, match="grant_to_another"), transaction.atomic():
            make_grant(client, mine, ["risk"])
        make_grant(client, other, ["risk"], valid_from=today, valid_until=today)
