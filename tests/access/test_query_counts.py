"""A page costs the same queries however many rows stand behind it (design section 10).

Every GET page of routes.csv is asked by the first and the last role that may, with a few rows of everything behind it and again with MANY
more: clients, and what hangs on the very client, episode, person, service and desk that the page is about. The long test does the same with
1,000 more clients for the pages whose rows are the organisation's: list, caseload, desk, trail, waiting, data quality.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from caseload.models import (
    Client,
    ConfidentialityExplained,
    Episode,
    EpisodeClosing,
    Opening,
    SavedView,
)
from edatrs.core import clock, trail
from edatrs.core.scope import Actor
from edatrs.organisations.models import Membership, Organisation, Task, User
from tests.access.tables import ROLES, Line, lines
from tests.access.test_two_tabs import path_of
from tests.access.world import Side, World, make_world
from tests.core.world import acting_for
from tests.factories.caseload import (
    LISTS,
    make_act_of_episode,
    make_client,
    make_entry,
    make_episode,
    make_record,
    make_registration,
    make_service,
)
from tests.factories.consent import make_act, make_deferral, make_invalidation, make_signed_form
from tests.factories.ndtms import (
    COUNTS,
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
from tests.factories.organisations import give, make_person
from tests.factories.share_consents import make_sharing
from tests.factories.work import allocate, make_draft, make_merge, make_run, make_work

pytestmark = pytest.mark.django_db
MANY, A_FEW = 30, 3
_numbers = count(1)
# The pages whose rows are the organisation's.
LARGE = {
    f"o/<slug:organisation>/{page}"
    for page in ("clients/", "caseload/", "caseload/waiting/", "", "trail/", "data-quality/")
}
# What grows, and why it may: (route) -> reason.
GROWS: dict[str, str] = {}


def of_organisation(side: Side, number: int) -> None:
    """So many more clients with everything, imports, submissions, tasks."""
    keyworker = side.people["keyworker"]
    for _ in range(number):
        episode = make_record()
        make_work(episode, make_person(side.organisation))
        make_deferral(episode)
        act = make_act(episode=episode)
        make_signed_form(act)
        make_holding(episode)
        make_quality_answer(episode)
        make_mismatch(episode, service=episode.service)
        allocate(episode.client, keyworker)
        for person in side.people.values():
            Opening.objects.create(
                organisation=side.organisation, client=episode.client, user=person, at=clock.now()
            )
        make_episode(registration=make_registration(), triaged_on=None)
        make_client(voided_at=clock.now(), voided_reason="Entered in error")
        for role in ROLES:
            trail.record("caseload.client.viewed", subject=str(episode.client_id), details={"panel": role})


def of_desk(side: Side, number: int) -> None:
    """More of what is not about a client: services, people, tasks, views, drafts, imports, submissions, runs of allocation."""
    person = User.objects.get(pk=side.objects["person"])
    held = set(Membership.objects.filter(user=person).values_list("role", flat=True))
    for role in [role for role in ROLES if role not in held][:number]:
        give(person, side.organisation, role)
    for _ in range(number):
        make_import(lines=2)
        submission = make_submission(manifest=COUNTS)
        make_content(submission)
        make_download(submission)
        service = make_service(side.organisation)
        service.letters.create(letter="Q", in_force_from=dt.date(2025, 4, 1))
        make_submission(service=service, manifest=COUNTS)
        make_quality_count(service)
        make_nil_return(service)
        make_run(side.people["team_manager"])
        for role, who in side.people.items():
            number_ = next(_numbers)
            Task.objects.create(
                organisation=side.organisation,
                unique_key=f"more-{number_}",
                role=role,
                words="More",
                link="/",
                created_at=clock.now(),
            )
            SavedView.objects.create(
                organisation=side.organisation, user=who, page="caseload", name=f"View {number_}"
            )
            make_draft(who, object=str(number_), address="/")


def of_client(side: Side, number: int) -> None:
    """More of the very client and episode that the pages are about, and of the submission and import."""
    episode = Episode.objects.get(pk=side.objects["episode"])
    client, person = episode.client, side.people["keyworker"]
    for n in range(number):
        other = make_episode(
            registration=make_registration(client=client),
            discharged_on=dt.date(2026, 4, 7) + dt.timedelta(days=n),
            consent="Y",
        )
        make_holding(other)
        for one in (episode, other):
            for model in LISTS:
                make_entry(model, one)
                make_entry(model, one, voided_at=clock.now(), voided_reason="Entered in error")
            make_act_of_episode(ConfidentialityExplained, one, policy_version="1", reason="No time")
            make_act_of_episode(EpisodeClosing, one, reopened=True, reason="Back")
            make_deferral(one)
            make_signed_form(make_act(episode=one))
            make_invalidation(make_act(episode=one))
        make_sharing(client, Organisation.objects.get(slug="third-side"))
        make_episode(
            registration=episode.registration, voided_at=clock.now(), voided_reason="Entered in error"
        )
        # Somebody before, and the keyworker again: what a keyworker sees of the own caseload alone stays within it.
        allocate(client, make_person(side.organisation))
        allocate(client, person)
        make_merge(make_client(voided_at=clock.now()), client, merged_by=person.pk)
        for who in side.people.values():
            trail.record(
                "caseload.client.viewed", subject=str(client.pk), details={"panel": who.full_name[:9]}
            )
            make_draft(who, about_client=client.pk, object=str(uuid4()))


def statement(sql: str) -> str:
    """Without its values and the length of its lists, so that what is asked again and again looks alike."""
    bare = re.sub(r"'[^']*'(::\w+)?|s\d+_x\d+|\b\d+\b", "?", sql)
    return re.sub(r"\?\)?(, \(?\?\)?)+", "?", bare)


def asked(world: World, line: Line, who: str) -> Counter[str]:
    """What a page asks of the database; the second time, as the first may still have something to do once."""
    browser, path = world.browser(who), path_of(line, world.own, who)
    browser.get(path)
    with CaptureQueriesContext(connection) as captured:
        answer = browser.get(path)
        if getattr(answer, "streaming", False):
            b"".join(answer.streaming_content)  # type: ignore[arg-type]  # a test's answer is not asynchronous
    assert answer.status_code in line.answers, (path, answer.status_code)
    said = [query["sql"] for query in captured.captured_queries]
    # When somebody was seen last is kept once a minute: whether it falls on this page says nothing of the page.
    return Counter(
        statement(sql) for sql in said if not re.match(r'UPDATE "django_session"|SAVEPOINT|RELEASE', sql)
    )


def pages(routes: set[str] | None = None) -> list[tuple[Line, str]]:
    """Every page of an organisation with the first and the last role that may: between them they see all that a page shows."""
    found = []
    for (route, method), line in sorted(lines().items()):
        if method == "GET" and line.offered and line.of_organisation and (routes is None or route in routes):
            may = [role for role in ROLES if line.may(role)]
            found += [(line, role) for role in dict.fromkeys((may[0], may[-1]))]
    return found


def grown(world: World, number: int, routes: set[str] | None = None, *, make: Any) -> dict[str, list[str]]:
    """By route and role: what is asked more often with more rows."""
    before = {(line.route, who): asked(world, line, who) for line, who in pages(routes)}
    with acting_for(world.own.organisation, actor=Actor.OPERATOR):
        make(number)
    found: dict[str, list[str]] = {}
    for line, who in pages(routes):
        was, now = before[line.route, who], asked(world, line, who)
        if now.total() != was.total():
            more = [f"{who} {n:+} {sql[:230]}" for sql, n in sorted(((now - was) + Counter()).items())]
            found.setdefault(line.route, []).extend([f"{who}: {was.total()} became {now.total()}", *more])
    return found


def unexplained(found: dict[str, list[str]]) -> str:
    return "\n".join(
        f"{route}\n   " + "\n   ".join(said) for route, said in found.items() if route not in GROWS
    )


@pytest.fixture
def world() -> World:
    world = make_world()
    with acting_for(world.own.organisation, actor=Actor.OPERATOR):  # two of a thing already look like many
        more(world.own, A_FEW)
    return world


def more(side: Side, number: int) -> None:
    """More of everything."""
    of_organisation(side, number)
    of_desk(side, max(2, number // 5))
    of_client(side, max(2, number // 3))


def test_every_page_costs_the_same_for_many_rows(world: World) -> None:
    found = grown(world, MANY, make=lambda number: more(world.own, number))
    assert unexplained(found) == ""
    assert set(found) >= set(GROWS), "a route is excused that no longer grows"
    print(f"{len(pages())} pages by route and role, {MANY} more rows: the same queries")


@pytest.mark.long
def test_list_caseload_desk_and_trail_cost_the_same_for_a_thousand(world: World) -> None:
    found = grown(world, 1_000, LARGE, make=lambda number: of_organisation(world.own, number))
    assert unexplained(found) == ""


def test_it_would_see_a_page_that_asks_for_each_row(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from caseload.views import clients

    row = clients._row

    def asks(held: dict[str, Any], today: Any) -> dict[str, Any]:
        Client.objects.filter(pk=held["client_id"]).exists()
        return row(held, today)

    monkeypatch.setattr(clients, "_row", asks)
    found = grown(
        world, A_FEW, {"o/<slug:organisation>/clients/"}, make=lambda n: of_organisation(world.own, n)
    )
    assert list(found) == ["o/<slug:organisation>/clients/"]
