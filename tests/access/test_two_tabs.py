"""T2: two tabs, two clients, two organisations. A form never writes into the record, or for the organisation, of another tab."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection, transaction
from django.test import Client as Browser

import edatrs.urls  # noqa: F401  # every view is loaded before one test takes a control away
from tests.access.filling import Pairs, filled, form_for
from tests.access.matrix import _CONVERTER
from tests.access.tables import ROLES, Line, lines
from tests.access.world import Side, World, make_world
from tests.core.world import histories, tenant_models
from tests.factories.organisations import give, sign_in

pytestmark = pytest.mark.django_db
# Says who looked and what is half typed, of the one who does it; no part of anybody's record.
NOT_A_RECORD = {"caseload_opening", "organisations_draft", "audit_auditevent"}
# Forms whose page is another page's: the button stands there. And those that the client of this world has no use for.
_SHARING = "o/<slug:organisation>/clients/<uuid:pk>/sharing/"
WITHOUT_A_PAGE: dict[str, str] = {
    f"{_SHARING}asks/new/": "one request is open already; sent for another client in tests/consent/asks",
    f"{_SHARING}refer/": "nothing is open to a partner; sent for another client in tests/consent/referrals",
}


@dataclass
class Tab:
    """A form opened in a tab: where it is sent, and what is sent."""

    path: str
    pairs: Pairs


def posts() -> list[Line]:
    """Every form of an organisation's pages that has a page of its own."""
    return [
        line
        for (route, method), line in sorted(lines().items())
        if method == "POST" and line.offered and line.of_organisation and lines()[route, "GET"].offered
    ]


def role_of(line: Line) -> str:
    """Somebody who may."""
    return next(role for role in ROLES if line.may(role) and lines()[line.route, "GET"].may(role))


def path_of(line: Line, side: Side, who: str, swapped: dict[str, str] | None = None) -> str:
    kinds = dict(line.objects)

    def value(match: Any) -> str:
        if match[1] == "organisation":
            return side.organisation.slug
        kind = (swapped or {}).get(kinds[match[1]], kinds[match[1]])
        return str(side.object(kind, who))

    return "/" + _CONVERTER.sub(value, line.route)


def rows(world: World) -> str:
    """Every row of both organisations."""
    tables = sorted({m._meta.db_table for m in tenant_models() if m not in histories()} - NOT_A_RECORD)
    found = []
    with connection.cursor() as cursor:
        for side in (world.own, world.other):
            cursor.execute("SELECT set_config('app.organisation', %s, true)", [str(side.organisation.pk)])
            parts = " UNION ALL ".join(f"SELECT t::text AS x FROM {table} t" for table in tables)
            cursor.execute(f"SELECT md5(string_agg(x, '|' ORDER BY x)) FROM ({parts}) r")
            found.append(cursor.fetchone()[0])
        cursor.execute("SELECT set_config('app.organisation', '', true)")
    return ",".join(found)


def opened(browser: Browser, path: str) -> Tab | None:
    page = browser.get(path)
    if page.status_code != 200:
        return None
    form = form_for(page.content.decode(), path)
    return Tab(path, filled(form)) if form else None


def send_and_read(browser: Browser, path: str, pairs: Pairs) -> tuple[int, str]:
    """Send a form; the status and the page."""
    browser.raise_request_exception = False
    answer = browser.post(path, urlencode(pairs), content_type="application/x-www-form-urlencoded")
    streaming = getattr(answer, "streaming", False)
    return int(answer.status_code), "" if streaming else answer.content.decode(errors="replace")


def send(browser: Browser, path: str, pairs: Pairs) -> int:
    return send_and_read(browser, path, pairs)[0]


@pytest.fixture
def world() -> World:
    return make_world()


def about_a_client() -> Iterator[Line]:
    yield from (line for line in posts() if ("pk", "client") in line.objects)


def sent_to_another_client(world: World) -> tuple[int, list[str]]:
    """Client A's form sent to client B's address, and a form that says B sent to A's. How many were sent, and what went wrong."""
    before, asked, wrong = rows(world), 0, []
    for line in about_a_client():
        who = role_of(line)
        browser = world.browser(who)
        tab = opened(browser, path_of(line, world.own, who))
        if tab is None:
            wrong += [f"{line.route}: shows no form to {who}"] if line.route not in WITHOUT_A_PAGE else []
            continue
        mine, second = (str(world.own.objects[kind]) for kind in ("client", "second"))
        other_path = tab.path.replace(mine, second)
        said_other = [(name, second if value == mine else value) for name, value in tab.pairs]
        for path, pairs in ((other_path, tab.pairs), (tab.path, said_other)):
            with transaction.atomic():
                status = send(browser, path, pairs)
                asked += 1
                if rows(world) != before:
                    wrong.append(f"{line.route}: wrote, answered {status}")
                elif status != 404:
                    wrong.append(f"{line.route}: answered {status}")
                transaction.set_rollback(True)
    return asked, wrong


def test_a_form_of_one_client_sent_to_another_writes_nothing(world: World) -> None:
    asked, wrong = sent_to_another_client(world)
    print(f"two tabs, two clients: {asked} forms sent, {len(wrong)} wrong")
    assert wrong == []
    assert asked >= 20


def test_a_form_of_one_organisation_sent_to_another_writes_nothing_there(world: World) -> None:
    """Somebody with the same role at both: the form opened for one is sent to the other's address, with the ids as they are and with
    the other's."""
    before, asked, wrong = rows(world), 0, []
    for line in posts():
        who = role_of(line)
        person = world.own.people[who]
        if not person.memberships.filter(organisation=world.other.organisation).exists():
            give(person, world.other.organisation, who)
            before = rows(world)
        browser = sign_in(Browser(), person)
        tab = opened(browser, path_of(line, world.own, who))
        if tab is None or not line.objects:
            continue  # nothing of one organisation is in it: it is the address that says for whom it is sent
        here, there = world.own.organisation.slug, world.other.organisation.slug
        same_ids = tab.path.replace(f"/o/{here}/", f"/o/{there}/")
        # Where the form says nothing of whom it is about, the address alone does.
        says = any(name == "client" for name, _ in tab.pairs)
        for path in (same_ids, *([path_of(line, world.other, who)] if says else [])):
            with transaction.atomic():
                status = send(browser, path, tab.pairs)
                asked += 1
                if rows(world) != before:
                    wrong.append(f"{line.route}: wrote, answered {status}")
                elif path == same_ids and status != 404:
                    wrong.append(f"{line.route}: answered {status}")
                transaction.set_rollback(True)
    print(f"two tabs, two organisations: {asked} forms, {len(wrong)} wrong")
    assert wrong == []
    assert asked >= 20


def test_the_test_would_see_a_form_that_takes_any_client(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the look at the client in the form, client A's form is saved as client B's."""
    from caseload.views import record_form

    monkeypatch.setattr(record_form, "same_client", lambda request, client, act: None)
    _, wrong = sent_to_another_client(world)
    assert len([words for words in wrong if ": wrote" in words]) >= 4, wrong
