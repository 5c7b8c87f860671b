"""Scopes: what is told to the database, put back, kept and dropped."""

from __future__ import annotations

import contextvars
import datetime as dt
import threading
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import DatabaseError, IntegrityError, connection, transaction

from caseload.models import Client
from edatrs.core import clock
from edatrs.core import scope as scopes
from edatrs.core.scope import (
    Actor,
    Scope,
    ScopeMissing,
    current_organisation,
    current_scope,
    open_scope,
    scope_for_organisation,
    scope_or_none,
)
from edatrs.organisations.models import Organisation
from tests.core.world import acting_for, in_sql
from tests.factories.caseload import make_client
from tests.factories.organisations import make_organisation

NAMES = ("organisation", "person", "operator", "act", "now")


def told() -> dict[str, str]:
    """What the database has been told; empty is not set."""
    columns = ", ".join(f"nullif(current_setting('app.{name}', true), '')" for name in NAMES)
    row = in_sql(f"SELECT {columns}")[0]
    return {name: value for name, value in zip(NAMES, row, strict=True) if value}


def expected(scope: Scope) -> dict[str, str]:
    """What it should have been told."""
    return {key.removeprefix("app."): value for key, value in scope.settings().items() if value}


class Interrupted(Exception):
    """Something went wrong inside."""


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The hooks before commit, empty, for this test alone."""
    mine: list[Any] = []
    monkeypatch.setattr(scopes, "_before_commit", mine)
    return mine


@pytest.mark.django_db
def test_a_scope_tells_the_database_who_acts_and_takes_it_back() -> None:
    person, one = uuid4(), make_organisation()
    assert told() == {}
    with open_scope(actor=Actor.PERSON, organisation_id=one.pk, person_id=person) as scope:
        assert told() == {"organisation": str(one.pk), "person": str(person), "act": str(scope.act)}
        assert current_organisation() == one.pk and scope_or_none() is scope
    assert told() == {} and scope_or_none() is None
    # What an operator or a worker does at a person's request is done for everybody's records.
    with open_scope(actor=Actor.OPERATOR, organisation_id=one.pk, person_id=person) as scope:
        assert told() == {"organisation": str(one.pk), "operator": "on", "act": str(scope.act)}
    assert told() == {} and scope_or_none() is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    "ending", ["well", "raised", "database error", "unnoticed database error", "rolled back"]
)
def test_a_nested_scope_hands_back_the_outer_one_however_it_ends(ending: str) -> None:
    one, two, three = make_organisation(), make_organisation(), make_organisation()

    def inner() -> None:
        with acting_for(two, actor=Actor.WORKER), acting_for(three, actor=Actor.OPERATOR) as inside:
            assert told() == expected(inside)
            if ending == "raised":
                raise Interrupted
            if ending == "database error":
                in_sql("SELECT 1 / 0")
            if ending == "unnoticed database error":
                try:
                    in_sql("SELECT 1 / 0")
                except DatabaseError:
                    return
            if ending == "rolled back":
                transaction.set_rollback(True)

    with acting_for(one, "keyworker") as outer:
        mine = make_client()
        try:
            inner()
        except (Interrupted, DatabaseError):
            assert ending not in ("well", "rolled back")
        assert scope_or_none() is outer
        assert told() == expected(outer)
        assert list(Client.objects.all()) == [mine]
    assert told() == {} and scope_or_none() is None


@pytest.mark.django_db
def test_a_savepoint_rolled_back_around_a_scope_leaves_no_setting() -> None:
    one, two = make_organisation(), make_organisation()
    with acting_for(one) as outer:
        with pytest.raises(Interrupted), transaction.atomic():
            with acting_for(two):
                pass
            assert told() == expected(outer)
            raise Interrupted
        assert told() == expected(outer)
    with pytest.raises(Interrupted), transaction.atomic(), acting_for(two):
        raise Interrupted
    assert told() == {}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("ending", ["well", "raised", "database error", "at commit", "connection killed"])
def test_after_the_transaction_nothing_is_set_on_the_connection(ending: str, owner_connection: Any) -> None:
    one = make_organisation()
    try:
        with acting_for(one):
            make_client()
            if ending == "raised":
                raise Interrupted
            if ending == "database error":
                in_sql("SELECT 1 / 0")
            if ending == "at commit":
                in_sql("SET CONSTRAINTS ALL DEFERRED")
                in_sql("UPDATE caseload_client SET person_id = gen_random_uuid()")
            if ending == "connection killed":
                in_sql("SELECT pg_terminate_backend(pg_backend_pid())")
    except (Interrupted, DatabaseError):
        assert ending != "well"
    assert scope_or_none() is None
    if ending == "connection killed":
        connection.close()
    assert told() == {}
    assert in_sql("SELECT count(*) FROM caseload_client") == [(0,)]
    with acting_for(one):
        assert Client.objects.count() == (1 if ending == "well" else 0)


@pytest.mark.django_db
def test_what_is_asked_without_a_scope_says_what_to_do() -> None:
    with pytest.raises(ScopeMissing, match=r"open one with open_scope"):
        current_scope()
    with pytest.raises(ScopeMissing, match=r"open one with open_scope"):
        Client.objects.count()
    with open_scope(actor=Actor.OPERATOR), pytest.raises(ScopeMissing, match="the partnership's"):
        Client.objects.count()
    with pytest.raises(ScopeMissing, match="say who acts"), scope_for_organisation(Organisation(slug="x")):
        pass


@pytest.mark.django_db
def test_roles_do_not_come_along_to_another_organisation() -> None:
    one, two = make_organisation(), make_organisation()
    with acting_for(one, "keyworker"):
        with scope_for_organisation(one) as same:
            assert same.roles == {"keyworker"}
        with scope_for_organisation(two) as other:
            assert other.roles == frozenset()
            assert (other.actor, other.person_label) == (Actor.PERSON, "a test")


@pytest.mark.django_db(transaction=True)
def test_one_snapshot_is_of_one_moment_and_only_outermost(owner_connection: Any) -> None:
    one = make_organisation()
    arguments: dict[str, Any] = {"actor": Actor.WORKER, "organisation_id": one.pk, "one_snapshot": True}
    with open_scope(**arguments):
        assert in_sql("SHOW transaction_isolation") == [("repeatable read",)]
        before = Organisation.objects.count()
        owner_connection.execute(
            "INSERT INTO organisations_organisation SELECT gen_random_uuid(), 'late', 'Late', '', 'provider', false, '', '', "
            "'{}', '', '{}', '{}'"
        )
        assert Organisation.objects.count() == before
    assert Organisation.objects.count() == before + 1
    with acting_for(one) as outer:
        with pytest.raises(RuntimeError, match="outermost"), open_scope(**arguments):
            pass
        assert told() == expected(outer) and scope_or_none() is outer
    with transaction.atomic(), pytest.raises(RuntimeError, match="outermost"), open_scope(**arguments):
        pass
    assert in_sql("SHOW transaction_isolation") == [("read committed",)]


@pytest.mark.django_db(transaction=True)
def test_hooks_run_once_last_inside_the_transaction_and_not_on_rollback(hooks: list[Any]) -> None:
    one, two, seen = make_organisation(), make_organisation(), []

    def hook(scope: Scope) -> None:
        assert connection.in_atomic_block and told() == expected(scope) and scope_or_none() is scope
        seen.append((scope.organisation_id, list(scope.events), Client.objects.count()))

    hooks.append(hook)
    with acting_for(one) as outer:
        outer.events.append("a")
        with acting_for(two) as inner:
            inner.events.append("b")
        make_client()
        assert seen == []
    assert seen == [(one.pk, ["a", "b"], 1)]
    with pytest.raises(Interrupted), acting_for(one):
        raise Interrupted
    assert len(seen) == 1
    hooks.append(lambda scope: 1 / 0)
    with pytest.raises(ZeroDivisionError), acting_for(one):
        make_client()
    hooks.clear()
    with acting_for(one):
        assert Client.objects.count() == 1, "a hook that fails takes the act with it"


@pytest.mark.django_db
def test_events_go_with_what_they_tell_of(hooks: list[Any]) -> None:
    one, two, kept = make_organisation(), make_organisation(), []
    hooks.append(lambda scope: kept.extend(scope.events))
    with acting_for(one) as outer:
        outer.events.append("before")
        with pytest.raises(Interrupted), acting_for(two) as inner:
            inner.events.append("in a nested scope that fails")
            raise Interrupted
        with pytest.raises(IntegrityError), transaction.atomic():
            outer.events.append("in a savepoint that fails")
            Organisation.objects.create(slug=one.slug, name="twice", kind="provider")
        with pytest.raises(Interrupted), transaction.atomic():
            with transaction.atomic():
                outer.events.append("in a savepoint inside one that fails")
            raise Interrupted
        with transaction.atomic():
            outer.events.append("in a savepoint")
        with acting_for(two) as inner:
            inner.events.append("in a nested scope")
        outer.events.append("after")
    assert kept == ["before", "in a savepoint", "in a nested scope", "after"]


@pytest.mark.django_db(transaction=True)
def test_what_runs_on_commit_finds_no_scope() -> None:
    """The flush is over: an event recorded there would be lost without a word."""
    one, seen = make_organisation(), []
    with acting_for(one):
        transaction.on_commit(lambda: seen.append((scope_or_none(), told())))
        with acting_for(one):
            transaction.on_commit(lambda: seen.append((scope_or_none(), told())))
    assert seen == [(None, {}), (None, {})]


@pytest.mark.django_db
def test_the_clock_of_a_test_reaches_the_database() -> None:
    one, then = make_organisation(), dt.datetime(2026, 10, 25, 0, 59, 30, tzinfo=dt.UTC)
    with acting_for(one) as real:
        assert "now" not in told()
        assert abs(real.now - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=5)  # noqa: TID251  # the machine's, on purpose
        assert clock.now() == real.now
        with clock.frozen(then), acting_for(one) as inner:
            assert told()["now"] == then.isoformat() and inner.now == then == clock.now()
            assert in_sql("SELECT current_setting('app.now')::timestamptz") == [(then,)]
        assert "now" not in told()
    with pytest.raises(ValueError, match="aware"), clock.frozen(then.replace(tzinfo=None)):
        pass


@pytest.mark.django_db
def test_a_nested_scope_shares_the_act_and_its_time() -> None:
    one, two = make_organisation(), make_organisation()
    with acting_for(one) as outer, acting_for(two) as inner:
        assert (inner.act, inner.now) == (outer.act, outer.now)
        assert inner.events is outer.events
    with acting_for(one) as later:
        assert later.act != outer.act


@pytest.mark.django_db(transaction=True)
def test_another_thread_has_no_scope_and_a_copied_one_has_no_database_behind_it() -> None:
    one = make_organisation()
    found: dict[str, Any] = {}

    def ask(name: str) -> None:
        try:
            found[name] = Client.objects.count()
        except ScopeMissing:
            found[name] = "missing"
        try:
            make_client()
        except (ScopeMissing, DatabaseError) as refused:
            found[f"{name}, writing"] = type(refused).__name__
        connection.close()

    with acting_for(one):
        make_client()
        for name, run in (("bare", ask), ("copied", contextvars.copy_context().run)):
            thread = threading.Thread(target=run, args=("bare",) if run is ask else (ask, name))
            thread.start()
            thread.join()
    assert found == {
        "bare": "missing",
        "bare, writing": "ScopeMissing",
        "copied": 0,
        "copied, writing": "ProgrammingError",
    }


@pytest.mark.django_db
def test_coroutines_have_scopes_of_their_own() -> None:
    one, two = make_organisation(), make_organisation()
    for organisation, number in ((one, 1), (two, 2)):
        with acting_for(organisation):
            for _ in range(number):
                make_client()

    def count_in(organisation: Organisation) -> int:
        with acting_for(organisation):
            return Client.objects.count()

    async def both() -> list[int]:
        from asyncio import gather

        return await gather(*(sync_to_async(count_in)(o) for o in (one, two) * 20))

    assert async_to_sync(both)() == [1, 2] * 20
    assert scope_or_none() is None
    with acting_for(one):

        async def inherited() -> int:
            return await Client.objects.acount()

        assert async_to_sync(inherited)() == 1
    with pytest.raises(ScopeMissing):
        async_to_sync(inherited)()
