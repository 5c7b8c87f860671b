"""The door to the trail, for every app: what happened is said here and written by `audit` (design section 7).

`record` collects an event in the open scope; it is written with the rest of the act, as the last statement before COMMIT, or not at all.
`record_now` writes at once in a transaction of its own: for what must stay although the act fails. Without the audit app behind the door
both raise, so that nothing can go on unrecorded.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid4

from django.db import connection

from edatrs.core import clock
from edatrs.core.scope import Actor, Scope, before_commit, current_scope, open_scope, scope_or_none


class TrailMissing(RuntimeError):
    """Nothing stands behind the door: the audit app has not installed itself."""


class _Own:
    """The chain of the organisation that the scope acts for."""

    def __repr__(self) -> str:
        return "OWN"


OWN: Final = _Own()


@dataclass(frozen=True, kw_only=True)
class Pending:
    """An event that waits for the end of its scope. One entry is written per organisation; None is the partnership's chain.

    Who acted is copied when the event is recorded: nested scopes of one act may act for several organisations.
    """

    name: str
    organisation_ids: tuple[UUID | None, ...]
    subject: str
    details: dict[str, Any]
    at: dt.datetime
    act: UUID
    actor: Actor
    actor_id: UUID | None
    actor_label: str
    roles: frozenset[str]
    acting_for: UUID | None
    acting_for_label: str
    event_id: UUID = field(default_factory=uuid4)


# (event, subject, details) -> what may be written of it; raises on anything that is not declared.
Scrub = Callable[[str, str, Mapping[str, Any]], tuple[str, dict[str, Any]]]
_scrub: list[Scrub] = []


def install(*, scrub: Scrub, flush: Callable[[Scope], None]) -> None:
    """Take the writer of the trail: what it lets through, and what writes it. Called once, by the audit app."""
    _scrub[:] = [scrub]
    before_commit(flush)


def _scrubbed(event: str, subject: str, details: Mapping[str, Any] | None) -> tuple[str, dict[str, Any]]:
    if not _scrub:
        raise TrailMissing(
            f"'{event}' cannot be recorded: the audit app is not installed, so nothing may happen either"
        )
    return _scrub[0](event, subject, details or {})


def record(
    event: str,
    *,
    organisation_id: UUID | None | _Own = OWN,
    subject: str = "",
    details: Mapping[str, Any] | None = None,
    also: Iterable[UUID | None] = (),
) -> UUID:
    """Collect an event in the open scope and return its id.

    It goes to the chain of the organisation acted for, else the partnership's; `organisation_id` names another (None: the partnership's),
    and `also` further ones, each with an entry under the same event id. Written when the outermost scope commits; gone if it rolls back.
    Raises ScopeMissing without a scope, TrailMissing without the audit app, and what the scrubber raises.
    """
    scope = current_scope()
    clean_subject, clean_details = _scrubbed(event, subject, details)
    first = scope.organisation_id if isinstance(organisation_id, _Own) else organisation_id
    pending = Pending(
        name=event,
        organisation_ids=tuple(dict.fromkeys((first, *also))),
        subject=clean_subject,
        details=clean_details,
        at=clock.now(),
        act=scope.act,
        actor=scope.actor,
        actor_id=scope.person_id,
        actor_label=scope.person_label,
        roles=scope.roles,
        acting_for=scope.organisation_id,
        acting_for_label=scope.organisation_label,
    )
    scope.events.append(pending)
    return pending.event_id


def record_now(
    event: str,
    *,
    actor_id: UUID | None,
    actor_label: str,
    organisation_id: UUID | None = None,
    organisation_label: str = "",
    subject: str = "",
    details: Mapping[str, Any] | None = None,
    actor: Actor = Actor.PERSON,
    roles: frozenset[str] = frozenset(),
    act: UUID | None = None,
) -> UUID:
    """Write an event in a scope and a transaction of its own and return its id; when this returns it is committed.

    For denials, failed sign-ins and failures: it stays whatever becomes of the act around it. `organisation_id` is the organisation acted
    for and the chain written to; None: the partnership's. `act` ties it to the act that failed. Inside an open transaction it is written
    over a second connection. Raises as `record`, and what the database raises: then the answer must be a failure.
    """
    clean_subject, clean_details = _scrubbed(event, subject, details)
    event_id, outer, fixed = uuid4(), scope_or_none(), clock.frozen_at()

    def pending(scope: Scope) -> Pending:
        return Pending(
            event_id=event_id,
            name=event,
            organisation_ids=(organisation_id,),
            subject=clean_subject,
            details=clean_details,
            at=scope.now,
            act=act or (outer.act if outer else scope.act),
            actor=actor,
            actor_id=actor_id,
            actor_label=actor_label,
            roles=roles,
            acting_for=organisation_id,
            acting_for_label=organisation_label,
        )

    def write() -> None:
        with (
            clock.frozen(fixed) if fixed else nullcontext(),
            open_scope(actor=actor, organisation_id=organisation_id, person_id=actor_id) as scope,
        ):
            scope.events.append(pending(scope))

    if _inside_a_test():
        # There is only the test's own transaction, and a second connection would wait for it for ever.
        if outer is not None:
            outer.events.append(pending(outer))
        else:
            write()
    elif outer is not None or connection.in_atomic_block:
        _elsewhere(write)
    else:
        write()
    return event_id


def _inside_a_test() -> bool:
    """Whether a Django TestCase holds everything in a transaction that it will roll back (Django's own mark)."""
    return any(getattr(block, "_from_testcase", False) for block in connection.atomic_blocks)


def _elsewhere(write: Callable[[], None]) -> None:
    """Run in a thread, which has a connection and a context of its own. Raises what it raised."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            write()
        except BaseException as error:  # noqa: BLE001  # handed to the caller below
            failed.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run, name="trail")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
