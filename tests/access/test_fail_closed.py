"""Whatever breaks inside a permission, the scope or the trail: the answer is a failure, no data leaves, nothing is written (T23, small)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client as Browser

from edatrs.core import scope as scopes
from edatrs.core.scope import Actor, open_scope
from ndtms.choices import SubmissionState
from ndtms.models import Submission
from tests.access.world import World, make_world
from tests.core.world import acting_for, in_sql

COUNTED = (
    "audit_auditevent",
    "audit_chainhead",
    "organisations_job",
    "organisations_membership",
    "organisations_outboundmail",
)


class Broken(RuntimeError):
    """Something that should have said yes or no."""


def broken(*args: Any, **kwargs: Any) -> Any:
    """Anything, out of order."""
    raise Broken("out of order")


def away(*args: Any, **kwargs: Any) -> Any:
    """The database, gone."""
    raise OperationalError("server closed the connection unexpectedly")


# What is broken -> what raises instead. Each is asked for pages that show rows, and for changes.
BREAKS = {
    "role × act": ("edatrs.core.access.require", broken),
    "the table of acts": ("edatrs.core.access.letters", broken),
    "the scope's settings": ("edatrs.core.scope._apply", away),
    "the scope": ("edatrs.organisations.middleware.open_scope", broken),
    "memberships": ("edatrs.organisations.middleware.memberships_on", away),
    "the organisation acted for": ("edatrs.core.views.current_organisation", broken),
    "the manager": ("edatrs.core.managers.TenantManager.get_queryset", broken),
    "who is signed in": ("django.contrib.auth.middleware.auth.get_user", away),
    "the session": ("django.contrib.sessions.backends.db.SessionStore.load", away),
    "the frame of the page": ("edatrs.organisations.context.registry.navigation", None),
}


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world()


@pytest.fixture
def broken_hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The flush of the trail, out of order."""
    monkeypatch.setattr(scopes, "_before_commit", [broken])
    yield


def state_of(world: World) -> list[Any]:
    """What a request could have written."""
    found = [in_sql(f"SELECT count(*) FROM {table}") for table in COUNTED]
    with acting_for(world.own.organisation):
        submission = Submission.objects.get()
        found.append((submission.state, submission.decided_at, submission.downloads.count()))
        found.append(Submission.objects.count())
    with open_scope(actor=Actor.OPERATOR):
        found.append(in_sql("SELECT count(*) FROM audit_auditevent"))
    return found


def questions(world: World) -> list[tuple[str, str, str, dict[str, str]]]:
    """(who, method, address, form): pages with rows, a file, and changes."""
    slug, objects = world.own.organisation.slug, world.own.objects
    one = f"/o/{slug}/submissions/{objects['submission']}/"
    person = f"/o/{slug}/people/{objects['person']}/"
    return [
        ("ndtms_administrator", "get", f"/o/{slug}/submissions/", {}),
        ("ndtms_administrator", "get", one, {}),
        ("ndtms_administrator", "post", f"{one}download/", {}),
        ("ndtms_administrator", "post", f"{one}confirm/", {}),
        ("ndtms_administrator", "post", f"{one}refuse/", {"reason": "Wrong month"}),
        (
            "organisation_administrator",
            "post",
            f"{person}roles/{objects['membership']}/end/",
            {"when": "now"},
        ),
        ("organisation_administrator", "post", f"{person}disable/", {}),
    ]


def ask(world: World, who: str, method: str, address: str, form: dict[str, str]) -> Any:
    """One question, as a browser would ask it."""
    browser = Browser(raise_request_exception=False)
    browser.cookies[settings.SESSION_COOKIE_NAME] = world.sessions[who]
    return getattr(browser, method)(address, form)


def bytes_of(response: Any) -> bytes:
    """Every byte of an answer."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return body + repr(sorted(response.headers.items())).encode()


def assert_a_failure(world: World, response: Any, what: str = "") -> None:
    """500, the page of failures, and not a word of anybody's data."""
    answer = bytes_of(response)
    assert response.status_code == 500, what
    assert world.own.mark.encode() not in answer and world.other.mark.encode() not in answer, what
    assert b"no-store" in answer, what


def test_in_order_the_same_questions_are_answered(world: World) -> None:
    """The control of all the others."""
    before = state_of(world)
    statuses = [ask(world, *question).status_code for question in questions(world)[:4]]
    assert statuses == [200, 200, 200, 302]
    assert state_of(world) != before
    with acting_for(world.own.organisation):
        assert Submission.objects.get().state == SubmissionState.LOADED


def test_what_breaks_answers_with_a_failure_and_writes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One world for all: whatever was tried before has changed nothing in it."""
    before = state_of(world)
    for what, (name, instead) in BREAKS.items():
        with monkeypatch.context() as breaking:
            breaking.setattr(name, instead)
            for question in questions(world):
                if what in ("the manager", "the frame of the page") and "/people/" in question[2]:
                    continue  # asks no tenant model, or shows no page
                if what == "the frame of the page" and question[1] == "post":
                    continue
                assert_a_failure(world, ask(world, *question), f"{what}: {question}")
        assert state_of(world) == before, what


def test_a_trail_that_cannot_be_written_takes_the_act_with_it(world: World, broken_hook: None) -> None:
    with_trail = questions(world)[1:]
    before = state_of_without_hook(world)
    for question in with_trail:
        assert_a_failure(world, ask(world, *question))
    assert state_of_without_hook(world) == before


def state_of_without_hook(world: World) -> list[Any]:
    """`state_of` opens scopes itself, which must end well."""
    kept = scopes._before_commit[:]
    scopes._before_commit.clear()
    try:
        return state_of(world)
    finally:
        scopes._before_commit[:] = kept


@pytest.mark.parametrize("how", [broken, away])
def test_a_refusal_that_cannot_be_written_is_answered_with_a_failure(
    how: Any, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug, objects = world.own.organisation.slug, world.own.objects
    refused = [
        ("keyworker", f"/o/{slug}/submissions/{objects['submission']}/"),
        ("ndtms_administrator", f"/o/{slug}/submissions/{world.other.objects['submission']}/"),
        ("ndtms_administrator", f"/o/{world.other.organisation.slug}/submissions/"),
        ("ndtms_administrator", "/o/no-such-organisation/submissions/"),
    ]
    for who, address in refused:
        assert ask(world, who, "get", address, {}).status_code == 404
    monkeypatch.setattr("edatrs.core.refusals._recorders", [how])
    before = state_of(world)
    for who, address in refused:
        assert_a_failure(world, ask(world, who, "get", address, {}))
    monkeypatch.setattr("edatrs.core.refusals._recorders", [])
    for who, address in refused:
        assert_a_failure(world, ask(world, who, "get", address, {}))
    assert state_of(world) == before


def test_a_statement_that_takes_too_long_is_a_failure(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*args: Any, **kwargs: Any) -> Any:
        in_sql("SET LOCAL statement_timeout = 5")
        in_sql("SELECT pg_sleep(2)")

    before = state_of(world)
    monkeypatch.setattr("ndtms.selectors.get_submission", slow)
    for question in questions(world)[1:5]:
        assert_a_failure(world, ask(world, *question))
    assert state_of(world) == before
