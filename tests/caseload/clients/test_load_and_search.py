"""A load keeps what clients are found by, writes nothing the second time, and knows who was merged."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db.models import Max

from caseload import search, selectors
from caseload.models import Client, ClientIdentity, Registration, SearchToken
from caseload.services import merge, search_index, unmerge
from edatrs.organisations.models import Job, Organisation, User
from tests.core.world import acting_for
from tests.factories.organisations import make_person

pytestmark = pytest.mark.django_db
SAMPLE = Path(__file__).parents[2] / "data" / "sample"


def load(name: str) -> None:
    call_command("import_caseload", str(SAMPLE / name), stdout=io.StringIO(), stderr=io.StringIO())


@pytest.fixture
def stars() -> Organisation:
    call_command("load_partnership", stdout=io.StringIO())
    load("bundle-1")
    return Organisation.objects.get(slug="eput-essex-stars")


def state() -> tuple[int, list[tuple[str, int, str]]]:
    newest = SearchToken.objects.aggregate(last=Max("pk"))["last"]
    return newest, list(ClientIdentity.objects.order_by("pk").values_list("pk", "version", "act"))


@pytest.mark.django_db(transaction=True)
def test_a_load_makes_its_clients_findable_and_a_second_writes_nothing(stars: Organisation) -> None:
    with acting_for(stars, "keyworker"):
        found = selectors.search(search.read_query("taylor mohammed"))
        assert [f.client.clientidentity.surname for f in found] == ["Taylor"]
        assert set(
            SearchToken.objects.values("client_id").distinct().values_list("client_id", flat=True)
        ) == set(Client.objects.values_list("pk", flat=True))
        before = state()
    load("bundle-1")
    with acting_for(stars):
        assert state() == before
    assert not Job.objects.filter(kind=search_index.INDEX_CLIENTS).exists()


def test_many_clients_are_left_to_a_worker_even_while_one_runs(
    stars: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_index, "AT_ONCE", 1)
    with acting_for(stars):
        ids = list(Client.objects.values_list("pk", flat=True)[:3])
        search_index.refresh_later(ids)
        search_index.refresh_later(ids)
        jobs = Job.objects.filter(kind=search_index.INDEX_CLIENTS)
        assert jobs.count() == 1
        jobs.update(state="running", lease_token=ids[0], lease_until=jobs.get().created_at)
        search_index.refresh_later(ids)
        assert jobs.count() == 2


def test_a_name_too_long_for_the_index_stops_nothing(stars: Organisation) -> None:
    with acting_for(stars):
        client = ClientIdentity.objects.first()
        assert client is not None
        client.surname = "".join(chr(0x4E00 + (n * 7919) % 20_000) for n in range(10_000))
        client.save()
        search_index.refresh([client.client_id])


@pytest.mark.django_db(transaction=True)
def test_the_same_bundle_after_a_merge_leaves_the_merge_alone(stars: Organisation) -> None:
    manager: User = make_person(stars, role="team_manager")
    with acting_for(stars, "team_manager"):
        one, two = Client.objects.filter(registrations__episodes__isnull=False).distinct().order_by("pk")[:2]
        plan = merge.plan(survivor=one, merged=two)
        row = merge.merge_clients(
            survivor=one, merged=two, choices={f"{d.category}.{d.name}": "keep" for d in plan.differences},
            reason="x", stamp=plan.stamp, acting_user=manager,
        )  # fmt: skip
        before = state()
    load("bundle-1")
    with acting_for(stars, "team_manager"):
        assert state() == before
    load("bundle-1-later")
    with acting_for(stars, "team_manager"):
        assert not Registration.objects.filter(client=two).exists()
        assert Client.objects.get(pk=two.pk).voided_at is not None
        unmerge.undo_merge(merge=row, reason="x", acting_user=manager)
        assert Registration.objects.filter(client=two).exists()
