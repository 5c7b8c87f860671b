"""The data-quality desk over HTTP: counts, filters, ages, the words and the way to the box, and that keyworkers see their own caseload."""

from __future__ import annotations

import datetime as dt
import io
import re
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from caseload.dataset.rules import ERROR_RULES, WARNING_RULES, Context, failing
from caseload.links import link_to_item
from caseload.models import ClientIdentity, Episode, EpisodeQuality
from caseload.reading import records_of
from edatrs.core import clock, registry
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import Job, Service, User
from ndtms import desk, quality, tasks
from tests.caseload.work.conftest import NOW, Team, make_team
from tests.core.world import acting_for
from tests.factories.caseload import make_episode
from tests.factories.organisations import make_person
from tests.ndtms.quality.test_quality_of_episodes import SAMPLE, TODAY, run

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(db: None) -> Any:
    with clock.frozen(NOW):
        yield make_team()


def address(team: Team, rest: str = "") -> str:
    return f"/o/{team.organisation.slug}/data-quality/{rest}"


def check(team: Team) -> None:
    with acting_for(team.organisation, actor=Actor.OPERATOR):
        registry.episodes_changed(list(Episode.objects.values_list("pk", flat=True)))


def broken(team: Team, surname: str, who: User | None = None, **fields: Any) -> Any:
    client = team.client(surname, **{"referral_source": "", "drug_1": "7000", **fields})
    with acting_for(team.organisation, actor=Actor.OPERATOR):
        ClientIdentity.objects.filter(client=client).update(sex="F")
    if who:
        team.give(client, who)
    return client


@pytest.fixture
def desk_of_three(team: Team) -> Team:
    """E07 of the worker, E05 and E07 of the colleague, E05 of nobody; one unasked, one sound."""
    broken(team, "Fenwick", team.worker, drug_1="")
    broken(team, "Dunster", team.colleague, drug_1="", triaged_on=None)
    broken(team, "Thacker", None, triaged_on=None)
    broken(team, "Unasked", team.worker, consent="")
    broken(
        team,
        "Past",
        team.worker,
        consent="",
        discharged_on=dt.date(2024, 12, 31),
        discharge_reason="80",
        referred_on=dt.date(2024, 1, 1),
        triaged_on=dt.date(2024, 1, 2),
    )
    broken(team, "Sound", team.worker)
    check(team)
    return team


def people(html: bytes) -> list[str]:
    text = html.decode()
    table = text[text.index('id="list-h"') :]
    return sorted(re.findall(r'role="rowheader"><a href="[^"]+">([^<]+), Marc</a>', table))


def counts(html: bytes) -> dict[str, int]:
    """Episodes by rule, as the page says."""
    text = html.decode()
    return {
        rule: int(number)
        for rule, number in re.findall(
            r'<span class="app-muted">([EW]\d\d)</span></th>.*?<strong>(\d+)</strong>', text
        )
    }


@pytest.fixture
def administrator(desk_of_three: Team) -> Any:
    return desk_of_three.browser(make_person(desk_of_three.organisation, role="ndtms_administrator"))


def test_counts_by_rule_service_keyworker_and_words_with_remedy(
    desk_of_three: Team, administrator: Any
) -> None:
    page = administrator.get(address(desk_of_three))
    assert counts(page.content) == {"E05": 2, "E07": 2}
    assert people(page.content) == ["DUNSTER", "FENWICK", "THACKER"]
    text = page.content.decode()
    for words in (
        "Main problem substance is missing",
        "Ask the client which substance is the main problem and enter it.",
        "Stops the row",
        "No keyworker 1",
        "3 of them with consent",
    ):
        assert words in text
    assert "SOUND" not in text


@pytest.mark.parametrize(
    ("query", "there"),
    [
        ("?rule=E07", ["DUNSTER", "FENWICK"]),
        ("?rule=W01", []),
        ("?effect=stops", ["DUNSTER", "FENWICK", "THACKER"]),
        ("?effect=check", []),
        ("?effect=consent", ["UNASKED"]),
        ("?keyworker=none", ["THACKER"]),
        ("?keyworker=worker", ["FENWICK"]),
        ("?service=NOPE", []),
        ("?age=7", []),
        ("?rule=nonsense&age=x&effect=y&keyworker=z&after=q", ["DUNSTER", "FENWICK", "THACKER"]),
    ],
)
def test_filters(desk_of_three: Team, administrator: Any, query: str, there: list[str]) -> None:
    query = query.replace("worker=worker", f"worker={desk_of_three.worker.pk}")
    page = administrator.get(address(desk_of_three, query))
    assert page.status_code == 200
    assert people(page.content) == there


def test_a_keyworker_sees_their_own_caseload_alone(desk_of_three: Team) -> None:
    team = desk_of_three
    for query in (
        "",
        "?effect=stops",
        "?keyworker=none",
        f"?keyworker={team.colleague.pk}",
        "?effect=consent",
    ):
        page = team.browser(team.worker).get(address(team, query))
        assert people(page.content) == (["UNASKED"] if "consent" in query else ["FENWICK"]), query
        assert b"DUNSTER" not in page.content
        assert b"Dana Okoro" not in page.content
    page = team.browser(team.worker).get(address(team))
    assert counts(page.content) == {"E07": 1}
    assert people(team.browser(team.manager).get(address(team)).content) == ["DUNSTER", "FENWICK", "THACKER"]


def test_without_the_filter_of_the_keyworker_the_test_above_would_see_others(
    desk_of_three: Team, monkeypatch: Any
) -> None:
    """The mutant: the control taken away is noticed, so the test above is not blind."""
    monkeypatch.setattr(desk, "_own_only", lambda rows: rows)
    page = desk_of_three.browser(desk_of_three.worker).get(address(desk_of_three))
    assert people(page.content) == ["DUNSTER", "FENWICK", "THACKER"]
    assert counts(page.content) == {"E05": 2, "E07": 2}


def test_covered_clients_are_of_ones_own_caseload_while_the_cover_lasts(desk_of_three: Team) -> None:
    team = desk_of_three
    with acting_for(team.organisation):
        client = ClientIdentity.objects.get(surname="Dunster").client
    team.give(client, team.worker, kind="cover", valid_until=clock.today())
    assert people(team.browser(team.worker).get(address(team)).content) == ["DUNSTER", "FENWICK"]
    with clock.frozen(NOW + dt.timedelta(days=1)):
        assert people(team.browser(team.worker).get(address(team)).content) == ["FENWICK"]


def test_another_organisations_episodes_are_not_there(desk_of_three: Team, administrator: Any) -> None:
    other = make_team()
    broken(other, "Elsewhere", drug_1="")
    check(other)
    page = administrator.get(address(desk_of_three))
    assert b"ELSEWHERE" not in page.content
    assert counts(page.content)["E07"] == 2
    assert administrator.get(address(other)).status_code == 404


def test_who_may_not_look_finds_nothing(desk_of_three: Team) -> None:
    for role in ("organisation_administrator", "information_governance"):
        someone = make_person(desk_of_three.organisation, role=role)
        assert desk_of_three.browser(someone).get(address(desk_of_three)).status_code == 404


def test_the_age_of_a_rule_is_kept_while_others_come_and_go(team: Team) -> None:
    client = broken(team, "Fenwick", team.worker, drug_1="")
    check(team)
    episode = team.episode(client)
    with clock.frozen(NOW + dt.timedelta(days=10)):
        with acting_for(team.organisation):
            Episode.objects.filter(pk=episode.pk).update(triaged_on=None)
        check(team)
        with acting_for(team.organisation):
            row = EpisodeQuality.objects.get(pk=episode.pk)
        assert {rule: dt.datetime.fromisoformat(at) for rule, at in row.since.items()} == {
            "E05": NOW + dt.timedelta(days=10),
            "E07": NOW,
        }
        assert row.failing_since == NOW
        assert row.checked_at == NOW + dt.timedelta(days=10)
        page = team.browser(team.worker).get(address(team)).content.decode()
        assert "(E07), 10 days" in page
        assert "(E05), since today" in page
        assert people(team.browser(team.worker).get(address(team, "?age=7")).content) == ["FENWICK"]
        assert people(team.browser(team.worker).get(address(team, "?age=7&rule=E05")).content) == []
    with clock.frozen(NOW + dt.timedelta(days=15)):
        with acting_for(team.organisation):
            Episode.objects.filter(pk=episode.pk).update(triaged_on=dt.date(2026, 4, 6))
        check(team)
        with acting_for(team.organisation):
            row = EpisodeQuality.objects.get(pk=episode.pk)
        # From the record of each rule, not from when the row was written last: that was on day 10.
        assert {rule: dt.datetime.fromisoformat(at) for rule, at in row.since.items()} == {"E07": NOW}
    with clock.frozen(NOW + dt.timedelta(days=20)):
        with acting_for(team.organisation):
            Episode.objects.filter(pk=episode.pk).update(drug_1="7000", triaged_on=dt.date(2026, 4, 6))
        check(team)
        with acting_for(team.organisation):
            row = EpisodeQuality.objects.get(pk=episode.pk)
        assert (row.since, row.failing_since, row.errors) == ({}, None, [])


def test_pages_follow_by_key_the_longest_known_first(team: Team, monkeypatch: Any) -> None:
    for number in range(5):
        with clock.frozen(NOW + dt.timedelta(hours=number // 2)):
            client = broken(team, f"N{number}", drug_1="")
            with acting_for(team.organisation):
                registry.episodes_changed([team.episode(client).pk])
    with acting_for(team.organisation, "team_manager"):
        seen, after = [], ""
        while True:
            lines, after = desk.work_list(desk.Asked(), after=after, limit=2)
            seen += [line.episode.client.clientidentity.surname for line in lines]
            if not after:
                break
    assert sorted(seen) == [f"N{n}" for n in range(5)]
    assert {*seen[:2]} == {"N0", "N1"}
    assert seen[4] == "N4"


def test_the_same_queries_for_one_episode_and_for_many(team: Team) -> None:
    manager = team.browser(team.manager)

    def count(query: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert manager.get(address(team, query)).status_code == 200
        return len(asked)

    broken(team, "One", team.worker, drug_1="", consent="")
    check(team)
    count("")
    few = [count(query) for query in ("", "?effect=consent", "?rule=E07")]
    for number in range(30):
        broken(
            team,
            f"Many{number}",
            team.worker if number % 2 else team.colleague,
            drug_1="",
            triaged_on=None,
            consent="",
        )
    check(team)
    assert [count(query) for query in ("", "?effect=consent", "?rule=E07")] == few


def test_only_the_administrator_asks_for_a_check_and_twice_is_once(
    desk_of_three: Team, administrator: Any
) -> None:
    team = desk_of_three
    for who in (team.worker, team.manager):
        assert team.browser(who).post(address(team)).status_code == 404
        assert b"Check everything again" not in team.browser(who).get(address(team)).content
    for _ in range(2):
        assert administrator.post(address(team)).status_code == 302
    job = Job.objects.get(kind=quality.CHECK_QUALITY)
    assert job.requested_by is not None
    assert b"Waiting for a free worker" in administrator.get(address(team)).content


def test_every_night_every_organisation_is_asked_for_once(team: Team) -> None:
    """Some rules depend on the date alone: the schedule asks for a check of each organisation that has a service."""
    other = make_team()
    for _ in range(2):
        tasks.check_everybody()
    asked = Job.objects.filter(kind=quality.CHECK_QUALITY).values_list("organisation_id", flat=True)
    assert sorted(asked) == sorted([team.organisation.pk, other.organisation.pk])


def test_every_link_leads_to_a_page_that_has_the_box(desk_of_three: Team) -> None:
    team = desk_of_three
    browser = team.browser(team.manager)
    page = browser.get(address(team)).content.decode()
    links = set(re.findall(r'<span class="app-go">(.*?)</p>', page, re.DOTALL))
    found = {link for part in links for link in re.findall(r'href="([^"]+)"', part)}
    assert len(found) >= 3
    for link in found:
        where, _, box = link.partition("#")
        answer = browser.get(where)
        assert answer.status_code == 200, link
        if box:
            assert f'id="{box}"' in answer.content.decode(), link


@pytest.mark.parametrize(
    ("role", "item", "there"),
    [
        ("ndtms_administrator", "DRUG1", True),
        ("ndtms_administrator", "DOB", True),
        ("ndtms_administrator", "PC", False),
        ("keyworker", "PC", True),
        ("keyworker", "DOB", True),
        ("keyworker", "EPISODID", False),
        ("keyworker", "CLIENTID", False),
        ("team_manager", "MODEND", True),
        ("information_governance", "DOB", False),
    ],
)
def test_no_link_where_the_role_may_not_change_it(team: Team, role: str, item: str, there: bool) -> None:
    episode = team.episode(team.client())
    with acting_for(team.organisation, role):
        link = link_to_item(team.organisation.slug, episode, item)
    assert bool(link) is there
    if there and item == "DOB":
        assert link.endswith("/details/identity/#id_date_of_birth")
    if there and item == "DRUG1":
        assert link.endswith(f"/{episode.pk}/substances/#id_DRUG1")


def test_records_read_in_python_fail_what_the_database_says() -> None:
    """All rules over the whole sample: the reader that names the items at fault reads what the SQL reads."""
    with clock.frozen(TODAY):
        run("load_partnership")
        run("import_caseload", str(SAMPLE / "bundle-2"))
        seen = 0
        for service in Service.objects.select_related("organisation"):
            with open_scope(
                actor=Actor.OPERATOR, organisation_id=service.organisation_id, person_label="operator"
            ):
                rows = {row.pk: row for row in EpisodeQuality.objects.filter(episode__service=service)}
                records = records_of(rows)
                context = Context(service.dataset, "Q", TODAY.date())
                for pk, row in rows.items():
                    assert list(failing(ERROR_RULES, records[pk], context)) == row.errors
                    assert list(failing(WARNING_RULES, records[pk], context)) == row.warnings
                    seen += len(row.errors) + len(row.warnings)
        assert seen > 100


def test_the_desk_of_the_sample_explains_every_failure_with_its_items() -> None:
    with clock.frozen(TODAY):
        call_command("load_partnership", stdout=io.StringIO())
        run("import_caseload", str(SAMPLE / "bundle-2"))
        for service in Service.objects.filter(agency_code__in=["E1001", "E1002"]).select_related(
            "organisation"
        ):
            with acting_for(service.organisation, "ndtms_administrator"):
                after = ""
                while True:
                    lines, after = desk.work_list(desk.Asked(service=service.agency_code), after=after)
                    for line in lines:
                        assert line.faults
                        for fault in line.faults:
                            assert fault.explanation.words
                            assert fault.explanation.remedy
                    if not after:
                        break


def test_mutant_without_the_stamp_of_each_rule_the_age_would_start_anew(team: Team, monkeypatch: Any) -> None:
    """The age comes from `since`: with it emptied, the page can say no age, so the test of ages is not blind."""
    broken(team, "Fenwick", team.worker, drug_1="")
    check(team)
    with acting_for(team.organisation):
        EpisodeQuality.objects.update(since={})
    assert b"(E07), " not in team.browser(team.worker).get(address(team)).content


def test_two_open_episodes_are_said_of_both_and_gone_from_both_when_one_is_closed(team: Team) -> None:
    """W30 needs the episode beside: whatever changes one is checked for both, and the way to the box is the discharge."""
    client = broken(team, "Fenwick", team.worker)
    first = team.episode(client)
    with acting_for(team.organisation, actor=Actor.OPERATOR):
        second = make_episode(registration=first.registration, consent="Y", drug_1="7000", referral_source="")
        registry.episodes_changed([second.pk])
        rows = EpisodeQuality.objects.filter(client=client)
        assert [row.warnings for row in rows] == [["W30"], ["W30"]]
        records = records_of([first.pk, second.pk])
        context = Context(team.service.dataset, "Q", clock.today())
        assert all("W30" in failing(WARNING_RULES, record, context) for record in records.values())
        Episode.objects.filter(pk=first.pk).update(discharged_on=dt.date(2026, 11, 25), discharge_reason="80")
        registry.episodes_changed([first.pk])
        assert ["W30" in row.warnings for row in rows.all()] == [False, False]
        Episode.objects.filter(pk=first.pk).update(discharged_on=None, discharge_reason="", voided_at=NOW)
        registry.episodes_changed([first.pk])
        assert ["W30" in row.warnings for row in rows.all()] == [False, False]
