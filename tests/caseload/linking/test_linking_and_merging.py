"""Merging two records of one organisation of which one is linked: the survivor stands in its place, and the undo gives it back."""

from __future__ import annotations

from typing import Any

import pytest

from caseload.models import Client, ClientContact, ClientIdentity, Episode, LinkSide
from caseload.services import emergency, linked_records, match_index, merge, unmerge
from caseload.services.merge import Refused
from tests.caseload.linking.two_sides import Side, linked, sides
from tests.factories.caseload import make_client, make_episode, make_part, make_registration

pytestmark = pytest.mark.django_db


def second(side: Side, **identity: Any) -> Client:
    """Another record of the organisation, of the same person."""
    with side.acting():
        client = make_client()
        make_part(ClientIdentity, client, **({"forename": "Jordan", "surname": "Ashby"} | identity))
        make_part(ClientContact, client)
        make_registration(client=client)
        client.refresh_from_db()
    return client


def merged(side: Side, survivor: Client, other: Client) -> Any:
    """Merge, keeping what the survivor says."""
    with side.managing():
        survivor, other = (Client.objects.get(pk=client.pk) for client in (survivor, other))
        made = merge.plan(survivor=survivor, merged=other)
        choices = {f"{d.category}.{d.name}": merge.KEEP for d in made.differences}
        return merge.merge_clients(
            survivor=survivor,
            merged=other,
            choices=choices,
            reason="One person",
            stamp=made.stamp,
            acting_user=side.manager,
        )


def at(side: Side, client: Client) -> int:
    """With how many partners' records a client is linked."""
    with side.acting():
        return len(linked_records.of_client(client.pk))


@pytest.mark.parametrize("keep", ["the linked one", "the other one"])
def test_the_survivor_is_linked_and_the_undo_gives_the_link_back(keep: str) -> None:
    mill, hope = linked("mill", "hope")
    linked_one, other = mill.client, second(mill)
    survivor, gone = (linked_one, other) if keep == "the linked one" else (other, linked_one)
    done = merged(mill, survivor, gone)
    assert (at(mill, survivor), at(mill, gone)) == (1, 0)
    with mill.acting():
        person = Client.objects.values_list("person_id", flat=True).get(pk=survivor.pk)
        match_index.write([survivor.pk])
    with hope.acting():
        match_index.write([hope.client.pk])
    assert person == hope.person()
    hope.change(phone="0200")
    with mill.acting():
        assert ClientContact.objects.get(client=survivor).phone == "0200"
        assert [one.client_id for one in emergency.find_linked(survivor.pk)] == [hope.client.pk]
    with mill.managing():
        unmerge.undo_merge(merge=done, reason="Two people after all", acting_user=mill.manager)
    assert (at(mill, linked_one), at(mill, other)) == (1, 0)
    mill.client = linked_one
    assert mill.person() == hope.person()


def test_two_linked_records_are_not_merged_into_nonsense() -> None:
    mill, hope, quay = sides("mill", "hope", "quay")
    mill.ask(hope)
    hope.answer()
    first = mill.client
    mill.client = second(mill)
    mill.ask(quay)
    quay.answer()
    with pytest.raises(Refused, match="Unlink one of them first"):
        merged(mill, first, mill.client)
    with mill.acting():
        assert Client.objects.filter(voided_at__isnull=True).count() == 2
    assert (at(mill, first), at(mill, mill.client)) == (1, 1)


def test_what_a_merge_takes_over_is_written_to_the_partner() -> None:
    mill, hope = linked("mill", "hope")
    other = second(mill, nhs_number="9990142076")
    with mill.managing():
        survivor = Client.objects.get(pk=mill.client.pk)
        made = merge.plan(survivor=survivor, merged=other)
        merge.merge_clients(
            survivor=survivor,
            merged=other,
            choices={},
            reason="One person",
            stamp=made.stamp,
            acting_user=mill.manager,
        )
    assert hope.value("nhs_number", "identity") == "9990142076"


def test_a_no_to_ndtms_is_inherited_at_a_merge_of_a_linked_record_and_at_no_partner() -> None:
    mill, hope = linked("mill", "hope")
    other = second(mill)
    with mill.acting():
        yes = make_episode(registration=mill.client.registrations.get(), consent="Y")
        make_episode(registration=other.registrations.get(), consent="N")
    with hope.acting():
        theirs = make_episode(registration=hope.client.registrations.get(), consent="Y")
    merged(mill, mill.client, other)
    with mill.acting():
        assert Episode.objects.get(pk=yes.pk).consent == "N"
    with hope.acting():
        assert Episode.objects.get(pk=theirs.pk).consent == "Y", "each organisation's consents are its own"


def test_an_undo_waits_for_what_was_linked_since() -> None:
    mill, hope, quay = sides("mill", "hope", "quay")
    mill.ask(hope)
    hope.answer()
    first = mill.client
    mill.client = second(mill)
    done = merged(mill, mill.client, first)
    mill.ask(quay)
    hope.answer()
    quay.answer()
    with mill.managing(), pytest.raises(Refused, match="Unlink it first"):
        unmerge.undo_merge(merge=done, reason="Two people", acting_user=mill.manager)
    with mill.acting():
        assert LinkSide.objects.filter(state="linked", client=mill.client).count() == 2
