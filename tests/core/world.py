"""Rows of every tenant model for some organisations, and walls that can be taken down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from edatrs.core.database_lint import tenant_models as tenant_models
from edatrs.core.history import History
from edatrs.core.managers import TenantManager
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import Organisation
from tests.conftest import owner_connect
from tests.factories.asks import make_asking
from tests.factories.caseload import make_client, make_record, make_service
from tests.factories.consent import make_act, make_deferral, make_invalidation, make_signed_form
from tests.factories.linking import make_link_side
from tests.factories.ndtms import (
    make_content,
    make_download,
    make_holding,
    make_import,
    make_mismatch,
    make_nil_return,
    make_quality_answer,
    make_quality_count,
    make_submission,
)
from tests.factories.organisations import make_organisation, make_person
from tests.factories.share_consents import make_sharing
from tests.factories.sharing import make_conflict, make_emergency, make_grant, make_sensitive
from tests.factories.staff import make_staff
from tests.factories.work import make_work


def number_of(model: type[Any]) -> int:
    """How many rows `fill` makes of a model: one; of clients two, because one was merged into the other."""
    return (
        2
        if model._meta.db_table.startswith("caseload_client")
        and "record_number" in {field.name for field in model._meta.get_fields()}
        else 1
    )


def managers() -> list[type[TenantManager]]:
    """The manager of rows of an organisation, and every one that is made of it."""
    found = [TenantManager]
    for manager in found:
        found += [made for made in manager.__subclasses__() if made not in found and not _by_django(made)]
    return found


def _by_django(manager: type[TenantManager]) -> bool:
    """Whether Django made it, of one of ours, for the far side of a foreign key: at its first use, so that it is not always there."""
    return manager.__module__.startswith("django.")


def histories() -> list[type[Any]]:
    """The models of row history."""
    return [model for model in tenant_models() if issubclass(model, History)]


def acting_for(organisation: Organisation, *roles: str, actor: Actor = Actor.PERSON) -> Any:
    """A scope of the organisation."""
    return open_scope(
        actor=actor,
        organisation_id=organisation.pk,
        organisation_label=organisation.slug,
        person_label="a test",
        roles=frozenset(roles),
    )


def fill(organisation: Organisation) -> dict[type[Any], Any]:
    """One row of every tenant model, one history row of every tracked one; the rows by model."""
    make_service(organisation)
    partner = make_organisation()
    with acting_for(partner):
        of_partner = make_client()
    with acting_for(organisation):
        episode = make_record(consent="Y", items={"X": "1"})
        act = make_act(episode=episode)
        make_signed_form(act)
        make_invalidation(act)
        make_deferral(episode)
        make_sharing(episode.client, make_organisation())
        make_link_side(episode.client, partner)
        make_asking(episode.client, partner)
        person = make_person(organisation)
        make_grant(episode.client, partner, ["identity"])
        make_sensitive(episode.client, person)
        make_conflict(episode.client, person)
        make_emergency(of_partner, person, ["identity"])
        submission = make_submission()
        make_content(submission, episode)
        make_download(submission)
        make_holding(episode)
        make_import()
        make_quality_answer(episode)
        make_quality_count(submission.service)
        make_mismatch(episode, service=episode.service)
        make_nil_return(episode.service)
        make_work(episode, make_person(organisation))
        make_staff(organisation, make_person(organisation))
        for history in histories():
            history.pgh_tracked_model.objects.update(created_at=Now())
        return {model: _row(model, episode.client_id) for model in tenant_models()}


def _row(model: type[Any], client: Any) -> Any:
    """The row about the client at hand: another was merged into it."""
    fields = {field.name for field in model._meta.get_fields()}
    if "survivor" in fields:
        return model.objects.get(survivor_id=client)
    return model.objects.get(
        **(
            {"client_id": client}
            if "client" in fields
            else {"id": client}
            if "record_number" in fields
            else {}
        )
    )


def two_organisations() -> tuple[Organisation, dict[type[Any], Any], Organisation, dict[type[Any], Any]]:
    """Two organisations with a row of everything."""
    one, two = make_organisation(), make_organisation()
    return one, fill(one), two, fill(two)


@contextmanager
def row_security_off() -> Iterator[list[str]]:
    """Every table without its row security, for as long as it lasts. Done as owner and committed: open no transaction before."""
    with owner_connect() as owner:
        tables = [
            row[0]
            for row in owner.execute(
                "SELECT relname FROM pg_class WHERE relrowsecurity AND relkind IN ('r', 'p') ORDER BY relname"
            )
        ]
        owner.execute("; ".join(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY' for table in tables))
        try:
            yield tables
        finally:
            owner.execute("; ".join(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY' for table in tables))


def in_sql(statement: str, *params: Any) -> list[tuple[Any, ...]]:
    """Rows as the role that serves requests sees them, past the managers."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else []


def rows_in(tables: list[str]) -> dict[str, int]:
    """How many rows of each table the open scope sees in SQL; one statement."""
    counts = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM \"{table}\"" for table in tables)
    return dict(in_sql(counts))
