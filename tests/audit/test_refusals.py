"""A denial is on the trail before its answer leaves, whatever became of the act; if it cannot be written the answer is a failure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory

from audit.models import AuditEvent
from audit.verification import verify_chains
from edatrs.core import refusals
from edatrs.core.access import Denied
from edatrs.core.crypto import keyed_hash
from edatrs.core.scope import Actor, Scope, open_scope
from edatrs.core.trail import record
from edatrs.organisations.middleware import ScopeMiddleware
from edatrs.organisations.models import Membership, Organisation, User

CLIENT = UUID("0b7c9c4e-4f1b-4a0e-9a51-0f1c2d3e4f50")
ADDRESS = "/o/open-road/clients/somewhere/"


def entries(organisation_id: UUID | None) -> list[AuditEvent]:
    with open_scope(actor=Actor.OPERATOR, organisation_id=organisation_id):
        return list(AuditEvent.objects.order_by("sequence"))


@pytest.fixture
def organisation() -> Organisation:
    return Organisation.objects.create(slug="open-road", name="Open Road", kind="provider")


@pytest.fixture
def person(organisation: Organisation) -> User:
    made = User.objects.create_user(email="anna@example.org", full_name="Anna Bell")
    Membership.objects.create(
        user=made, organisation=organisation, role="keyworker", valid_from=dt.date(2020, 1, 1)
    )
    return made


def ask(
    person: User,
    raised: Exception | None,
    *,
    path: str = ADDRESS,
    before: Callable[[], object] = lambda: None,
) -> HttpResponse:
    """A request through the middleware to a view that does something and then raises."""
    request: Any = RequestFactory().get(path)
    request.user = person
    request.user.is_verified = lambda: True

    def view(request: HttpRequest) -> HttpResponse:
        before()
        if raised is None:
            return HttpResponse("done")
        middleware.process_exception(request, raised)  # as Django does before it makes an answer of it
        return HttpResponse("not found", status=404)

    middleware = ScopeMiddleware(view)
    return middleware(request)  # type: ignore[return-value]  # never a streaming answer here


@pytest.mark.django_db(transaction=True)
def test_a_denial_survives_the_rollback_of_the_act_and_is_there_before_the_answer(
    organisation: Organisation, person: User
) -> None:
    def changes() -> None:
        record("caseload.client.changed", subject=CLIENT)
        Organisation.objects.filter(pk=organisation.pk).update(brand="changed")

    response = ask(person, Denied("client.change", "role", subject=str(CLIENT)), before=changes)
    assert response.status_code == 404
    (row,) = entries(organisation.pk)
    assert (row.name, row.subject, row.details["act"], row.details["why"]) == (
        "access.refused",
        str(CLIENT),
        "client.change",
        "role",
    )
    assert (row.actor_id, row.actor_label, row.roles, row.organisation_id) == (
        person.pk,
        "Anna Bell",
        "keyworker",
        organisation.pk,
    )
    organisation.refresh_from_db()
    assert organisation.brand == ""
    assert verify_chains("open-road").problems == []


@pytest.mark.django_db(transaction=True)
def test_a_denial_that_cannot_be_written_is_a_failure(
    organisation: Organisation, person: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUDIT_KEY = ""
    with pytest.raises(ImproperlyConfigured):
        ask(person, Denied("client.change", "role"))
    settings.AUDIT_KEY = "a key that is long enough"

    def cannot(*args: Any) -> Any:
        raise OperationalError("the connection is gone")

    monkeypatch.setattr("audit.services._lock_heads", cannot)
    with pytest.raises(OperationalError):
        ask(person, Denied("client.change", "role"))
    assert entries(organisation.pk) == []


@pytest.mark.django_db
def test_what_is_allowed_is_no_refusal(organisation: Organisation, person: User) -> None:
    assert ask(person, None).content == b"done"
    assert entries(organisation.pk) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("raised", "why"),
    [(Http404(), "not there"), (PermissionDenied(), "not permitted"), (Denied("x", ""), "unsaid")],
)
def test_absent_and_forbidden_are_both_written(
    organisation: Organisation, person: User, raised: Exception, why: str
) -> None:
    ask(person, raised)
    (row,) = entries(organisation.pk)
    assert row.details["why"] == why


@pytest.mark.django_db
def test_a_stranger_stands_on_the_partnerships_chain(organisation: Organisation, person: User) -> None:
    other = Organisation.objects.create(slug="phoenix-futures", name="Phoenix Futures", kind="provider")
    assert ask(person, None, path="/o/phoenix-futures/clients/").status_code == 404
    (row,) = entries(None)
    assert (row.details["act"], row.subject, row.actor_id) == ("organisation.enter", str(other.pk), person.pk)
    assert entries(organisation.pk) == entries(other.pk) == []


@pytest.mark.django_db
@pytest.mark.parametrize("slug", ["john-smith", "smith", "x" * 300])
def test_what_somebody_made_up_in_an_address_is_kept_as_a_hash_only(person: User, slug: str) -> None:
    assert ask(person, None, path=f"/o/{slug}/clients/").status_code == 404
    (row,) = entries(None)
    assert row.subject == ""
    assert row.details["asked"] == keyed_hash("trail.refused", slug)
    assert slug not in str(vars(row))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "asked",
    [
        "a,b\x00c",
        "\x00",
        "x" * 10_000,
        "é漢,'; DROP TABLE x--",
        ",,,",
        "1980-02-03",
        "../../etc/passwd",
        "Anna Bell",
    ],
)
def test_no_address_makes_the_recorder_fail(asked: str) -> None:
    person = uuid4()
    scope = Scope(actor=Actor.PERSON, organisation_id=uuid4(), person_id=person, person_label="Anna Bell")
    refusals.record(scope, Http404(), "no such route\n", f"{asked},{CLIENT}")
    (row,) = entries(scope.organisation_id)
    assert row.subject == str(CLIENT) and row.details["route"] is None and row.act == scope.act


@pytest.mark.django_db
def test_all_ids_of_an_address_are_kept_the_first_as_the_subject() -> None:
    scope = Scope(actor=Actor.PERSON, organisation_id=uuid4())
    refusals.record(scope, Denied("episode.change", "role"), "caseload:episode", f"{CLIENT},R-7,R-8")
    (row,) = entries(scope.organisation_id)
    assert (row.subject, row.details["ids"], row.actor_id) == (str(CLIENT), ["R-7", "R-8"], None)


@pytest.mark.django_db
def test_a_long_list_in_an_address_costs_no_more_than_a_short_one(django_assert_max_num_queries: Any) -> None:
    scope = Scope(actor=Actor.PERSON, organisation_id=uuid4())
    with django_assert_max_num_queries(30):
        refusals.record(scope, Http404(), "x", ",".join(["open-road"] * 500))
    assert len(entries(scope.organisation_id)) == 1
