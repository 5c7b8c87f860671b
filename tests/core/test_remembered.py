"""What a page read once is given again within its own scope that only reads, and nowhere else (design section 10)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client as Browser
from django.test import RequestFactory

from caseload import client_rows
from caseload.models import Client, Episode
from edatrs.core.scope import (
    Actor,
    ScopeMissing,
    current_scope,
    open_scope,
    remembered,
    scope_for_organisation,
)
from edatrs.organisations.middleware import ScopeMiddleware
from edatrs.organisations.models import Organisation
from tests.core.world import acting_for
from tests.factories.caseload import make_record
from tests.factories.organisations import make_organisation, make_person, sign_in

pytestmark = pytest.mark.django_db


def reading(organisation: Organisation) -> Any:
    """The scope of a GET."""
    return open_scope(actor=Actor.PERSON, organisation_id=organisation.pk, reads_only=True)


@pytest.fixture
def organisation() -> Organisation:
    return make_organisation("one")


def test_it_is_made_once_in_a_scope_that_only_reads(organisation: Organisation) -> None:
    made: list[int] = []
    with reading(organisation):
        assert [remembered("a", lambda: made.append(1) or len(made)) for _ in range(3)] == [1, 1, 1]
        assert remembered("b", lambda: "other") == "other"
    with reading(organisation):
        assert remembered("a", lambda: "the next request") == "the next request"


def test_what_was_found_empty_is_remembered_too(organisation: Organisation) -> None:
    with reading(organisation):
        assert remembered("a", lambda: None) is None
        assert remembered("a", lambda: "later") is None


def test_a_scope_that_may_write_remembers_nothing(organisation: Organisation) -> None:
    made: list[int] = []
    with acting_for(organisation):
        assert [remembered("a", lambda: made.append(1) or len(made)) for _ in range(2)] == [1, 2]
        assert current_scope().memory == {}


def test_without_a_scope_it_raises() -> None:
    with pytest.raises(ScopeMissing):
        remembered("a", lambda: 1)


def test_a_nested_scope_begins_with_none_and_leaves_none(organisation: Organisation) -> None:
    """Another organisation's, or one of the same that writes: neither sees what the page remembers."""
    other = make_organisation("two")
    with reading(organisation):
        remembered("a", lambda: "ours")
        with scope_for_organisation(other):
            assert remembered("a", lambda: "theirs") == "theirs"
            assert remembered("a", lambda: "afresh") == "afresh"
        with scope_for_organisation(organisation):
            assert remembered("a", lambda: "written") == "written"
        assert remembered("a", lambda: "lost") == "ours"


def test_only_get_and_head_are_scopes_that_only_read(organisation: Organisation) -> None:
    browser = sign_in(Browser(), make_person(organisation, role="keyworker"))
    browser.get(f"/o/{organisation.slug}/clients/")
    found: dict[str, bool] = {}

    def answer(request: Any) -> HttpResponse:
        found[request.method] = current_scope().reads_only
        return HttpResponse()

    for method in ("get", "head", "post", "put", "patch", "delete", "options"):
        request = getattr(RequestFactory(), method)("/")
        request.user = make_person(organisation, role="keyworker")
        ScopeMiddleware(answer)(request)
    assert {method for method, reads in found.items() if reads} == {"GET", "HEAD"}
    assert len(found) == 7


LISTS = (
    client_rows.episodes,
    lambda pk: client_rows.entries(pk, "interventions"),
    lambda pk: client_rows.entries(pk, "tops"),
    client_rows.confidentiality,
    client_rows.closings,
    client_rows.allocations,
    client_rows.merged_in,
)


def test_no_client_gets_what_was_read_of_another(organisation: Organisation) -> None:
    """The keys carry the client: each list of one is asked first, then those of the other, who has the same."""
    with acting_for(organisation):
        clients = [make_record(referred_on=dt.date(2026, 4, 6)).client for _ in range(2)]
    with reading(organisation):
        for find in LISTS:
            for client in clients:
                assert {getattr(row, "client_id", None) for row in find(client.pk)} <= {client.pk}, find
        assert client_rows.episodes(clients[0].pk) and client_rows.episodes(clients[1].pk)


def test_no_organisation_gets_what_was_read_for_another(organisation: Organisation) -> None:
    other = make_organisation("two")
    with acting_for(organisation):
        client: Client = make_record().client
    with reading(organisation):
        assert client_rows.episodes(client.pk)
        with open_scope(actor=Actor.PERSON, organisation_id=other.pk, reads_only=True):
            assert client_rows.episodes(client.pk) == ()
    with reading(other):
        assert client_rows.episodes(client.pk) == ()


def test_a_scope_that_may_write_sees_what_it_wrote(organisation: Organisation) -> None:
    with acting_for(organisation):
        episode = make_record()
        assert len(client_rows.episodes(episode.client_id)) == 1
        Episode.objects.filter(pk=episode.pk).update(consent="N")
        assert client_rows.episodes(episode.client_id)[0].consent == "N"
