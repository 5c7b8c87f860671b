"""Who acts, for which organisation, and when: opened once per request, task or command, and handed to the database.

The first wall (managers, roles) and the second (row security) both stand on it. The settings are made with `set_config(..., true)`, so they
end with the transaction and cannot leak through a connection pool; a nested scope puts the outer one's values back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID, uuid4

from django.db import connection, transaction

from edatrs.core import clock

T = TypeVar("T")


class ScopeMissing(RuntimeError):
    """Data of an organisation was asked for outside a scope: a fault of the program, never an empty answer."""


class ScopeViolation(RuntimeError):
    """Something was about to be written for an organisation that is not the scope's."""


class Actor(StrEnum):
    """What kind of actor holds the scope."""

    PERSON = "person"
    WORKER = "worker"
    OPERATOR = "operator"


class Events(list[Any]):
    """The events of an act. One that was recorded in a savepoint goes with it when that is rolled back, as the rows do.

    Django drops what waits for COMMIT when the savepoint it was asked in is rolled back; a mark that does nothing waits with each event.
    """

    def __init__(self) -> None:
        super().__init__()
        self._marks: dict[int, Callable[[], None]] = {}

    def append(self, event: Any) -> None:
        """Collect an event."""
        super().append(event)
        if connection.in_atomic_block:
            mark = self._marks[id(event)] = lambda: None
            transaction.on_commit(mark)

    def settle(self) -> None:
        """Drop the events whose savepoint was rolled back."""
        waiting = {id(asked[1]) for asked in connection.run_on_commit}  # (savepoints, function, robust)
        self[:] = [e for e in self if id(e) not in self._marks or id(self._marks[id(e)]) in waiting]


@dataclass
class Scope:
    """One act: `organisation_id` None means the partnership itself, where no client data can be reached.

    `act` is the id that ties the rows written to the entries of the trail; nested scopes share it.
    """

    actor: Actor
    organisation_id: UUID | None = None
    organisation_label: str = ""
    person_id: UUID | None = None
    person_label: str = ""
    roles: frozenset[str] = frozenset()
    now: dt.datetime = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
    # The instant that a test has set, as it was when the scope was opened: a nested scope hands back what was, not what is.
    fixed: dt.datetime | None = field(default_factory=clock.frozen_at)
    act: UUID = field(default_factory=uuid4)
    events: Events = field(default_factory=Events)
    # A request that changes no record (GET, HEAD): what it read once it need not read again (`remembered`).
    reads_only: bool = False
    memory: dict[Hashable, Any] = field(default_factory=dict)

    def settings(self) -> dict[str, str]:
        """The database settings that row security reads; an empty text is 'not set'."""
        return {
            "app.organisation": str(self.organisation_id or ""),
            # Whom a person may not find is asked of people alone: what a worker does at somebody's request is done for everybody's records.
            "app.person": str(self.person_id or "") if self.actor is Actor.PERSON else "",
            "app.operator": "on" if self.actor is Actor.OPERATOR else "",
            "app.act": str(self.act),
            "app.now": self.fixed.isoformat() if self.fixed else "",
        }


_current: ContextVar[Scope | None] = ContextVar("edatrs_scope", default=None)
_NOTHING = dict.fromkeys(("app.organisation", "app.person", "app.operator", "app.act", "app.now"), "")
_before_commit: list[Callable[[Scope], None]] = []


def before_commit(hook: Callable[[Scope], None]) -> None:
    """Register what runs as the last statement of an outermost scope (the trail's flush)."""
    if hook not in _before_commit:
        _before_commit.append(hook)


def scope_or_none() -> Scope | None:
    """The open scope, or None."""
    return _current.get()


def current_scope() -> Scope:
    """The open scope. Raises ScopeMissing."""
    scope = _current.get()
    if scope is None:
        raise ScopeMissing(
            "no scope is open: open one with open_scope(...) before touching an organisation's data"
        )
    return scope


def current_organisation() -> UUID:
    """The organisation acted for. Raises ScopeMissing outside a scope and in one of the partnership."""
    scope = current_scope()
    if scope.organisation_id is None:
        raise ScopeMissing("this scope is the partnership's: it reaches no organisation's data")
    return scope.organisation_id


def remembered(key: Hashable, make: Callable[[], T]) -> T:
    """What `make` gives; in a scope that only reads, made once for a key and given again.

    The memory is the scope's own: it ends with it, and a nested scope (another organisation's, one that may write) begins with none. The
    key carries the id of whatever it is about. Raises ScopeMissing.
    """
    scope = current_scope()
    if not scope.reads_only:
        return make()
    if key not in scope.memory:
        scope.memory[key] = make()
    found: T = scope.memory[key]
    return found


def forget_setting(name: str) -> None:
    """Have the database find out again what it noted in a setting of the transaction ("app.hidden_for")."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, '', true)", [name])


def _apply(settings: dict[str, str]) -> dt.datetime:
    sets = ", ".join("set_config(%s, %s, true)" for _ in settings)
    params = [part for pair in settings.items() for part in pair]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT clock_timestamp(), {sets}", params)
        row = cursor.fetchone()
    return row[0]


@contextmanager
def open_scope(
    *,
    actor: Actor,
    organisation_id: UUID | None = None,
    organisation_label: str = "",
    person_id: UUID | None = None,
    person_label: str = "",
    roles: frozenset[str] = frozenset(),
    one_snapshot: bool = False,
    reads_only: bool = False,
) -> Iterator[Scope]:
    """Open a scope in a transaction of its own (a savepoint when nested).

    `one_snapshot` makes the transaction REPEATABLE READ, so that everything read in it is of one moment; only an outermost scope can ask
    for it, and it should record nothing on the trail (the heads of the chains move meanwhile). `reads_only` says that nothing in it changes
    a record, so that `remembered` may give again what was read.

    The outermost one runs the before-commit hooks as its last statement; events of nested scopes are collected in it. An exception rolls
    everything back, the events with it.
    """
    outer = _current.get()
    if one_snapshot and (outer is not None or connection.in_atomic_block):
        raise RuntimeError(
            "one_snapshot: only an outermost scope, in no transaction yet, can be of one moment"
        )
    scope = Scope(
        actor=actor,
        organisation_id=organisation_id,
        organisation_label=organisation_label,
        person_id=person_id,
        person_label=person_label,
        roles=roles,
        reads_only=reads_only,
        events=outer.events if outer else Events(),
        act=outer.act if outer else uuid4(),
    )
    held = len(scope.events)
    try:
        with transaction.atomic():
            if one_snapshot:
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            read_at = _apply(scope.settings())
            scope.now = scope.fixed or (outer.now if outer else read_at.astimezone(dt.UTC))
            token = _current.set(scope)
            try:
                yield scope
                if outer is None:
                    scope.events.settle()
                    for hook in _before_commit:
                        hook(scope)
            finally:
                # Before COMMIT: what runs on commit must not find a scope whose settings and whose flush are over.
                _current.reset(token)
    except BaseException:
        del scope.events[held:]
        raise
    finally:
        # The settings outlive a released savepoint: hand the outer scope (or nothing) back to the database.
        if connection.in_atomic_block and not connection.needs_rollback:
            _apply(outer.settings() if outer else _NOTHING)


@contextmanager
def scope_for_organisation(organisation: Any, *, actor: Actor | None = None) -> Iterator[Scope]:
    """A scope for an `Organisation`, keeping who acts from the open scope (operator commands, workers).

    Roles are held at one organisation and do not come along to another.
    """
    outer = scope_or_none()
    if outer is None and actor is None:
        raise ScopeMissing("say who acts: scope_for_organisation(organisation, actor=...)")
    with open_scope(
        actor=actor or outer.actor,  # type: ignore[union-attr]  # one of the two is there, checked above
        organisation_id=organisation.pk,
        organisation_label=organisation.slug,
        person_id=outer.person_id if outer else None,
        person_label=outer.person_label if outer else "",
        roles=outer.roles if outer and outer.organisation_id == organisation.pk else frozenset(),
    ) as scope:
        yield scope
