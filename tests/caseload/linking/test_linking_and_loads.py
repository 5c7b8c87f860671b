"""A bundle of the operator after records were linked: its keys go on meaning who they meant, and nothing of one is written to the other."""

from __future__ import annotations

import io
from collections import defaultdict
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command

from caseload.models import Client, ClientIdentity, LinkSide
from caseload.services import linking
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import Organisation
from tests.factories.organisations import make_person
from tests.factories.sharing import make_agreement, make_grant

pytestmark = pytest.mark.django_db(transaction=True)
SAMPLE = Path(__file__).parents[2] / "data" / "sample"


def load(name: str) -> None:
    """As the operator does."""
    call_command("import_caseload", str(SAMPLE / name), stdout=io.StringIO(), stderr=io.StringIO())


def acting(organisation: Organisation, person: Any = None) -> Any:
    """A scope of a team manager, or of a worker."""
    return open_scope(
        actor=Actor.PERSON if person else Actor.WORKER,
        organisation_id=organisation.pk,
        organisation_label=organisation.slug,
        person_id=person.pk if person else None,
        roles=frozenset({"team_manager"} if person else ()),
    )


def two_people() -> list[tuple[Organisation, Client]]:
    """Records of two people, each held by one organisation alone, by two organisations."""
    held: dict[UUID, list[tuple[Organisation, Client]]] = defaultdict(list)
    for organisation in Organisation.objects.order_by("slug"):
        with acting(organisation):
            for client in Client.objects.order_by("pk"):
                held[client.person_id].append((organisation, client))
    alone = [rows[0] for rows in held.values() if len(rows) == 1]
    first = alone[0]
    return [first, next(one for one in alone if one[0] != first[0])]


def state(rows: list[tuple[Organisation, Client]]) -> list[Any]:
    """What is held of each, and how many records each organisation has."""
    found: list[Any] = []
    for organisation, client in rows:
        with acting(organisation):
            row = ClientIdentity.objects.get(client=client)
            found += [(row.forename, row.surname, row.date_of_birth, row.version), Client.objects.count()]
    return found


def test_the_same_bundle_after_linking_and_unlinking_changes_nothing() -> None:
    call_command("load_partnership", stdout=io.StringIO())
    load("bundle-1")
    rows = two_people()
    (here, one), (there, other) = rows
    make_agreement(here, there)
    managers = {organisation.pk: make_person(organisation, role="team_manager") for organisation, _ in rows}
    with acting(there):
        make_grant(other, here, ["identity"])
    before = state(rows)
    with acting(here, managers[here.pk]):
        linking.propose(
            client=one, other=other, reason="x", form_id=uuid4(), acting_user=managers[here.pk], organisation_name="x"
        )  # fmt: skip
    with acting(there, managers[there.pk]):
        side = LinkSide.objects.get()
        linking.answer(pk=side.pk, agreed=True, acting_user=managers[there.pk], organisation_name="x")
    load("bundle-1")
    assert state(rows) == before
    load("bundle-1-later")
    after = state(rows)
    for organisation, client in rows:
        with acting(organisation, managers[organisation.pk]):
            row = Client.objects.get(pk=client.pk)
            if LinkSide.objects.filter(state="linked").exists():
                linking.unlink(
                    client=row, reason="x", acting_user=managers[organisation.pk], organisation_name="x"
                )
    load("bundle-1-later")
    assert state(rows) == after
