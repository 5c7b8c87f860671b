"""Whom the person acting may not find: conflicts of interest, and sensitive records of whose named team they are not (access.md).

The first wall's part: every manager of rows with a client leaves them out. The second is the policy `hidden` (migration 0009); neither
knows of the other. A worker is no person and sees everybody: an extract is whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Exists, F, OuterRef

from caseload.models import Client, ConflictOfInterest, NamedTeamMember, SensitiveRecord
from edatrs.core.scope import Actor, Scope, current_scope, forget_setting, open_scope

_KEY = "clients hidden from the person"


class NotHidden(models.Expression):
    """True for the rows of a client that the person of the scope may find. Asked when SQL is made of it, once a scope."""

    conditional = True

    def __init__(self, client: str) -> None:
        super().__init__(output_field=models.BooleanField())
        self.client = F(client)

    def get_source_expressions(self) -> list[Any]:
        """The column of the client."""
        return [self.client]

    def set_source_expressions(self, exprs: list[Any]) -> None:
        """The column of the client, once Django has found it."""
        (self.client,) = exprs

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """Nothing to leave out is the common case and costs nothing. Raises ScopeMissing."""
        hidden = hidden_clients()
        if not hidden:
            return "TRUE", []
        column, params = compiler.compile(self.client)
        # A row about no client of ours (a request about a partner's record) hides nobody.
        return f"({column} <> ALL(%s::uuid[])) IS NOT FALSE", [*params, [str(pk) for pk in hidden]]


def hidden_clients() -> frozenset[UUID]:
    """The clients of the organisation acted for that the person of the scope may not find; read once a scope. Raises ScopeMissing."""
    scope = current_scope()
    if scope.actor is not Actor.PERSON or scope.person_id is None or scope.organisation_id is None:
        return frozenset()
    if _KEY not in scope.memory:
        conflicts = ConflictOfInterest.objects.filter(user_id=scope.person_id, ended_at__isnull=True)
        named = NamedTeamMember.objects.filter(
            client_id=OuterRef("client_id"), user_id=scope.person_id, removed_at__isnull=True
        )
        sensitive = SensitiveRecord.objects.filter(~Exists(named), lifted_at__isnull=True)
        found = conflicts.values_list("client_id").union(sensitive.values_list("client_id"))
        scope.memory[_KEY] = frozenset(pk for (pk,) in found)
    held: frozenset[UUID] = scope.memory[_KEY]
    return held


def ask_again() -> None:
    """After a flag, a team or a conflict was changed in this very scope."""
    current_scope().memory.pop(_KEY, None)
    forget_setting("app.hidden_for")


@contextmanager
def for_everybody() -> Iterator[Scope]:
    """What the system itself has to do for every record although a person asked for it, as a worker would; nothing of it may be shown.

    The next free client id, what a file to NDTMS carried, a governance officer's act on a record that the officer may not find. Say what
    happened on the trail outside of it, where the person acts. Raises ScopeMissing.
    """
    outer = current_scope()
    with open_scope(
        actor=Actor.OPERATOR if outer.actor is Actor.OPERATOR else Actor.WORKER,
        organisation_id=outer.organisation_id,
        organisation_label=outer.organisation_label,
        person_id=outer.person_id,
        person_label=outer.person_label,
        roles=outer.roles,
    ) as scope:
        yield scope


def narrowing(model: type[models.Model]) -> NotHidden | None:
    """The condition of a model, or None where it has no client or says itself that it does not hide (`hides = False`)."""
    if not getattr(model, "hides", True):
        return None
    if model is Client or getattr(model, "pgh_tracked_model", None) is Client:
        return NotHidden("id")
    return NotHidden("client_id") if any(f.name == "client" for f in model._meta.fields) else None
