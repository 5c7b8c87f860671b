"""My caseload over HTTP: order, filters, paging by key, saved views, whose it is, and what it costs."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from caseload import selectors_work
from caseload.models import AllocationKind, EpisodeQuality, Intervention, SavedView
from caseload.services import saved_views
from edatrs.core import clock
from edatrs.core.access import Denied
from edatrs.core.scope import Actor
from edatrs.organisations.models import User
from tests.caseload.work.conftest import NOW, Team, make_team
from tests.core.world import acting_for
from tests.factories.caseload import make_client, make_entry, make_registration
from tests.factories.organisations import make_person

pytestmark = pytest.mark.django_db


def names(html: bytes) -> list[str]:
    """The people of the list, in order."""
    text = html.decode()
    table = text[text.find("<tbody") : text.find("</tbody>")]
    return re.findall(r'role="rowheader"><a href="[^"]+">([^<]+)</a>', table)


def started(team: Team, client: Any, ago: int) -> None:
    with acting_for(team.organisation, actor=Actor.OPERATOR):
        make_entry(Intervention, team.episode(client), started_on=clock.today() - dt.timedelta(days=ago))


def test_order_bands_and_badges(team: Team) -> None:
    quiet, top, consent, error = (team.client(n) for n in ("Quiet", "Overdue", "Unasked", "Errors"))
    for client in (quiet, top, consent, error):
        team.give(client, team.worker)
    started(team, top, 40)
    with acting_for(team.organisation, actor=Actor.OPERATOR):
        team.episode(consent)
        type(team.episode(consent)).objects.filter(client=consent).update(consent="")
        EpisodeQuality.objects.create(
            organisation=team.organisation,
            client=error,
            episode=team.episode(error),
            errors=["E07"],
            letter="Q",
            checked_at=NOW,
        )
    page = team.browser(team.worker).get(team.address())
    assert names(page.content) == ["UNASKED, Marc", "OVERDUE, Marc", "ERRORS, Marc", "QUIET, Marc"]
    for words in (
        "Do today (1)",
        "Do this week (2)",
        "Nothing due this week (1)",
        "TOP start 26 days overdue",
        "Extract error E07",
    ):
        assert words in page.content.decode()


def test_own_and_covered_clients_only_and_cover_ends_on_its_day(team: Team) -> None:
    mine, covered, theirs = (team.client(n) for n in ("Mine", "Covered", "Theirs"))
    team.give(mine, team.worker)
    team.give(theirs, team.colleague)
    team.give(covered, team.colleague)
    until = clock.today() + dt.timedelta(days=3)
    team.give(covered, team.worker, kind=AllocationKind.COVER, valid_until=until)
    page = team.browser(team.worker).get(team.address())
    assert names(page.content) == ["COVERED, Marc", "MINE, Marc"]
    assert b"Covered for Dana Okoro until" in page.content
    for days, there in ((3, True), (4, False)):
        with clock.frozen(NOW + dt.timedelta(days=days)), acting(team, team.worker):
            found = selectors_work.caseload_page(selectors_work.Filters())
        assert ("COVERED, Marc" in [r.name for r in found.rows]) is there, days


def acting(team: Team, who: User, *roles: str) -> Any:
    from edatrs.core.scope import open_scope

    return open_scope(
        actor=Actor.PERSON,
        organisation_id=team.organisation.pk,
        organisation_label=team.organisation.slug,
        person_id=who.pk,
        person_label=who.full_name,
        roles=frozenset(roles or ("keyworker",)),
    )


def test_whoever_was_allocated_last_is_the_keyworker(team: Team) -> None:
    client = team.client()
    team.give(client, team.worker)
    team.give(client, team.colleague, valid_from=clock.today())
    assert names(team.browser(team.worker).get(team.address()).content) == []
    assert names(team.browser(team.colleague).get(team.address()).content) == ["FENWICK, Marc"]


def test_a_manager_may_look_at_anybodys_and_a_keyworker_only_at_their_own(team: Team) -> None:
    team.give(team.client(), team.worker)
    asked = team.address(f"?person={team.worker.pk}")
    page = team.browser(team.manager).get(asked)
    assert names(page.content) == ["FENWICK, Marc"]
    assert b"Caseload of Priya Raman" in page.content
    assert team.browser(team.colleague).get(asked).status_code == 404
    assert team.browser(team.manager).get(team.address("?person=nobody")).status_code == 404


def test_the_walk_of_a_keyworker_into_another_caseload_is_stopped_in_the_selector(team: Team) -> None:
    team.give(team.client(), team.worker)
    with acting(team, team.colleague), pytest.raises(Denied):
        selectors_work.caseload_page(selectors_work.Filters(), person=team.worker.pk)


def test_a_person_of_another_organisation_has_no_caseload_here(team: Team) -> None:
    other = make_team()
    other.give(other.client("Elsewhere"), other.worker)
    assert team.browser(team.manager).get(team.address(f"?person={other.worker.pk}")).status_code == 404
    page = team.browser(team.manager).get(team.address())
    assert b"ELSEWHERE" not in page.content


@pytest.mark.parametrize(
    ("query", "there"),
    [
        ("kind=consent", ["BRANNIGAN, Colm"]),
        ("state=closed", ["CLOSED, Ann"]),
        ("state=ended", ["GONE, Al"]),
        ("state=open", ["BRANNIGAN, Colm"]),
        ("state=waiting", ["WAITS, Bo"]),
        ("consent=not-asked", ["BRANNIGAN, Colm"]),
        ("consent=no", ["WAITS, Bo"]),
        ("substance=alcohol", ["WAITS, Bo"]),
        ("kind=nonsense&state=nonsense", ["BRANNIGAN, Colm", "CLOSED, Ann", "WAITS, Bo"]),
        ("service=NOPE", ["BRANNIGAN, Colm", "CLOSED, Ann", "WAITS, Bo"]),
    ],
)
def test_filters_and_their_chips(team: Team, query: str, there: list[str]) -> None:
    today = clock.today()
    for client in (
        team.client("Brannigan", "Colm", consent=""),
        team.client("Closed", "Ann", discharged_on=today - dt.timedelta(days=14), discharge_reason="80"),
        team.client("Gone", "Al", discharged_on=today - dt.timedelta(days=15), discharge_reason="80"),
        team.client("Waits", "Bo", consent="N", triaged_on=None, drug_1="7000"),
    ):
        team.give(client, team.worker)
    page = team.browser(team.worker).get(team.address(f"?{query}"))
    assert sorted(names(page.content)) == there
    assert ("Remove filter" in page.content.decode()) is ("nonsense" not in query and "NOPE" not in query)


def test_a_name_is_posted_and_in_no_address(team: Team) -> None:
    team.give(team.client("Brannigan", "Colm"), team.worker)
    team.give(team.client("Pell", "Sam"), team.worker)
    page = team.browser(team.worker).post(team.address(), {"name": "bran", "state": "open"})
    assert names(page.content) == ["BRANNIGAN, Colm"]
    assert not re.findall(r'(?:href|action)="[^"]*bran[^"]*"', page.content.decode(), re.IGNORECASE)
    moved = team.browser(team.worker).post(team.address(), {"name": " ", "state": "open"})
    assert (moved.status_code, moved.headers["Location"]) == (302, f"{team.address()}?state=open")


def test_pages_follow_each_other_by_key_and_miss_nobody(team: Team, monkeypatch: Any) -> None:
    monkeypatch.setattr(selectors_work, "PAGE", 2)
    for surname in ("Adams", "Bell", "Cole", "Dunn", "Eze"):
        team.give(team.client(surname, consent="" if surname in ("Dunn", "Eze") else "Y"), team.worker)
    browser, address, seen = team.browser(team.worker), team.address(), []
    while address:
        page = browser.get(address).content.decode()
        seen += names(page.encode())
        more = re.search(r'<a href="(\?[^"]*after=[^"]+)">Next page', page)
        assert "DUNN" not in (more[1] if more else "").upper()
        address = team.address(more[1].replace("&amp;", "&")) if more else ""
    assert seen == [f"{n}, Marc" for n in ("DUNN", "EZE", "ADAMS", "BELL", "COLE")]


@pytest.mark.parametrize("path", ["", "waiting/", "allocation/", "allocation/?of=worker"])
def test_the_same_queries_for_one_client_and_for_many(team: Team, path: str) -> None:
    where = path.replace("worker", str(team.worker.pk))
    # The first page of a process fills caches; the second asks what each one asks.
    browser = team.browser(team.manager)
    ours = path in ("", "allocation/?of=worker")

    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(team.address(where or f"?person={team.worker.pk}")).status_code == 200
        return len(asked)

    for number in range(2):
        client = team.client(f"First{number}", triaged_on=None)
        if ours:
            team.give(client, team.worker)
            started(team, client, 40)
    count()
    few = count()
    for number in range(25):
        client = team.client(f"Many{number}", consent="", triaged_on=None)
        if ours:
            team.give(client, team.worker)
            started(team, client, 400)
    assert count() == few


def test_views_are_kept_renamed_removed_and_never_hold_a_name(team: Team) -> None:
    browser = team.browser(team.worker)
    for _ in range(2):  # sent twice, kept once
        kept = browser.post(
            team.address("views/new/"),
            {
                "view_name": "  Early   weeks ",
                "state": ["open", "bogus"],
                "name": "secret",
                "client_id": "C1",
            },
        )
        assert (kept.status_code, kept.headers["Location"]) == (302, f"{team.address()}?state=open")
    with acting_for(team.organisation):
        view = SavedView.objects.get()
    assert view.name == "Early weeks"
    assert view.filters == {
        "kind": "",
        "substance": [],
        "state": ["open"],
        "service": [],
        "consent": [],
        "cover": False,
    }
    assert b"Early weeks" in browser.get(team.address()).content
    assert b"Early weeks" not in team.browser(team.colleague).get(team.address()).content
    assert (
        team.browser(team.colleague)
        .post(team.address("views/"), {"view": view.pk, "view_name": "Mine"})
        .status_code
        == 404
    )
    assert (
        team.browser(team.colleague)
        .post(team.address("views/"), {"view": view.pk, "what": "remove"})
        .status_code
        == 404
    )
    assert (
        browser.post(team.address("views/"), {"view": view.pk, "view_name": "Later weeks"}).status_code == 302
    )
    wrong = browser.post(team.address("views/"), {"view": view.pk, "view_name": "x" * 61})
    assert wrong.status_code == 422
    assert b"must be 60 characters or fewer. There are 61" in wrong.content
    assert b"x" * 61 in wrong.content
    assert browser.post(team.address("views/"), {"view": view.pk, "what": "remove"}).status_code == 302
    browser.get(team.address())  # says that it is removed
    assert b"Later weeks" not in browser.get(team.address()).content


def test_a_view_without_a_name_and_one_too_many_are_refused(team: Team, monkeypatch: Any) -> None:
    monkeypatch.setattr(saved_views, "MOST", 1)
    browser = team.browser(team.worker)
    assert b"Enter a name for the view" in browser.post(team.address("views/new/"), {"state": "open"}).content
    assert browser.post(team.address("views/new/"), {"view_name": "One"}).status_code == 302
    refused = browser.post(team.address("views/new/"), {"view_name": "Two", "state": "open"})
    assert refused.status_code == 422
    assert b"You keep 1 views. Remove one first" in refused.content
    assert b'name="state" value="open"' in refused.content


def test_no_clients_no_episode_no_identity(team: Team) -> None:
    assert b"You have no clients yet" in team.browser(team.worker).get(team.address()).content
    with acting_for(team.organisation, actor=Actor.OPERATOR):
        bare = make_registration(client=make_client()).client
    team.give(bare, team.worker)
    page = team.browser(team.worker).get(team.address())
    assert names(page.content) == ["Name not recorded"]
    assert b"No episode" in page.content


def test_who_has_no_caseload_has_no_such_page(team: Team) -> None:
    for role in ("ndtms_administrator", "organisation_administrator", "information_governance"):
        someone = make_person(team.organisation, role=role)
        assert team.browser(someone).get(team.address()).status_code == 404
        assert (
            team.address().encode() not in team.browser(someone).get(f"/o/{team.organisation.slug}/").content
        )
