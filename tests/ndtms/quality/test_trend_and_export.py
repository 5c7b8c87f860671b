"""The trend as numbers by day and week, the desk as a file without names, and the way back from a box to the list."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEvent
from caseload.models import Episode
from edatrs.core import clock
from edatrs.core.scope import Actor
from ndtms import quality_counts
from ndtms.models import QualityCount
from ndtms.services import quality_export
from tests.caseload.work.conftest import NOW, Team, make_team
from tests.core.world import acting_for
from tests.factories.ndtms import make_quality_count
from tests.factories.organisations import make_person
from tests.ndtms.quality.test_answers import give
from tests.ndtms.quality.test_desk import address, broken, check

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(db: None) -> Any:
    with clock.frozen(NOW):
        yield make_team()


def count(team: Team) -> dict[str, int]:
    """The counts of today, written by what the daily check writes them with."""
    with acting_for(team.organisation, actor=Actor.WORKER):
        quality_counts.record(team.service)
        rows = QualityCount.objects.filter(day=clock.today()).values_list("rule", "episodes")
        return dict(rows)


def test_the_counts_of_a_day_are_what_the_check_found_and_written_over_on_the_same_day(team: Team) -> None:
    drinker = broken(team, "Fenwick", team.worker, items={"ALCDDAYS": "40"})
    broken(team, "Dunster", team.worker, drug_1="", triaged_on=None)
    broken(team, "Sound", team.worker)
    check(team)
    assert count(team) == {
        "checked": 3,
        "stops": 1,
        "check": 1,
        "answered": 0,
        "E05": 1,
        "E07": 1,
        "W12": 1,
    }
    give(team, drinker)
    with acting_for(team.organisation, actor=Actor.OPERATOR):
        Episode.objects.filter(drug_1="").update(drug_1="7000")
    check(team)
    assert count(team) == {
        "checked": 3,
        "stops": 1,
        "check": 0,
        "answered": 1,
        "E05": 1,
        "E07": 0,
        "W12": 0,
    }


def test_the_daily_check_writes_them(team: Team, monkeypatch: Any) -> None:
    from ndtms import quality

    broken(team, "Dunster", team.worker, drug_1="")

    class Lease:
        organisation_id = team.organisation.pk

        def progress(self, *args: Any) -> None:
            pass

    quality.check_quality(Lease())
    with acting_for(team.organisation):
        found = dict(QualityCount.objects.values_list("rule", "episodes"))
    assert found["E07"] == found["stops"] == found["checked"] == 1


def test_the_page_shows_days_weeks_and_changes_of_a_service_and_a_rule(team: Team) -> None:
    with acting_for(team.organisation, actor=Actor.OPERATOR):
        for days, stops, e07 in ((0, 4, 4), (7, 6, 5), (28, 9, 9), (40, 30, 30)):
            day = clock.today() - dt.timedelta(days=days)
            for rule, episodes in (("stops", stops), ("checked", 50), ("E07", e07)):
                make_quality_count(team.service, day=day, rule=rule, episodes=episodes)
        points = quality_counts.points(["stops"])
        assert [(p.day, p.of("stops"), p.of("check")) for p in points] == [
            (clock.today() - dt.timedelta(days=7), 6, 0),
            (clock.today(), 4, 0),
        ]
        weeks = quality_counts.points(["stops"], by_week=True)
        assert [p.of("stops") for p in weeks] == [30, 9, 6, 4]
        assert quality_counts.changes() == [quality_counts.Change("E07", 4, 5, 9)]
        assert quality_counts.points(["stops"], agency="NOPE") == []
    browser = team.browser(team.manager)
    page = browser.get(address(team, "trend/")).content.decode()
    assert page.count("app-chart__svg") == 2
    assert "Episodes with something that stops the row, episodes: 19 November 6, 26 November 4" in re.sub(
        r" 2026|\s+", lambda m: "" if "2026" in m[0] else " ", page
    ) or re.search(r"stops the row, episodes: [^<]*6, [^<]* 4<", page)
    assert "Main problem substance is missing" in page
    page = browser.get(address(team, "trend/?rule=E07&by=week")).content.decode()
    assert page.count("app-chart__svg") == 1
    assert re.search(r"\(E07\), episodes: [^<]*30, [^<]*9, [^<]*5, [^<]* 4<", page)
    assert "Nothing is counted yet" in make_and_look()


def make_and_look() -> str:
    other = make_team()
    return other.browser(other.manager).get(address(other, "trend/?service=x&rule=y&by=z")).content.decode()


def test_last_count_of_a_week_counts_and_a_day_is_the_sum_of_its_services(team: Team) -> None:
    from tests.factories.caseload import make_service

    monday = clock.today() - dt.timedelta(days=clock.today().weekday())
    with acting_for(team.organisation, actor=Actor.OPERATOR):
        second = make_service(team.organisation)
        for days, one, two in ((0, 10, 20), (1, 1, 2), (-7, 5, 5)):
            for service, episodes in ((team.service, one), (second, two)):
                make_quality_count(service, day=monday + dt.timedelta(days=days), episodes=episodes)
        weeks = quality_counts.points(["stops"], by_week=True)
        assert [p.of("stops") for p in weeks] == [10, 3]
        own = quality_counts.points(["stops"], agency=second.agency_code, by_week=True)
        assert [p.of("stops") for p in own] == [5, 2]


def test_the_trend_costs_the_same_for_many_days(team: Team) -> None:
    browser = team.browser(team.manager)

    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(address(team, "trend/")).status_code == 200
        return len(asked)

    def days(first: int, last: int) -> None:
        with acting_for(team.organisation, actor=Actor.OPERATOR):
            for number in range(first, last):
                make_quality_count(team.service, day=clock.today() - dt.timedelta(days=number))

    days(0, 2)
    cost()
    few = cost()
    days(2, 20)
    assert cost() == few


def take(team: Team, who: Any, **fields: str) -> list[list[str]]:
    answer = team.browser(who).post(address(team, "export/"), fields)
    assert answer.status_code == 200, answer
    content = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(content)))


def test_the_file_has_numbers_and_rules_and_never_a_name_and_is_on_the_trail(team: Team) -> None:
    drinker = broken(team, "Fenwick", team.worker, items={"ALCDDAYS": "40"})
    missing = broken(team, "Dunster", team.colleague, drug_1="", triaged_on=None)
    answered = broken(team, "Thacker", team.worker, items={"ALCDDAYS": "40"})
    check(team)
    give(team, answered)
    heading, *rows = take(team, team.manager)
    assert heading == list(quality_export.HEADING)
    said = sorted((row[0], row[4]) for row in rows)
    assert said == sorted(
        [(f"R{drinker.record_number}", "W12"), *((f"R{missing.record_number}", r) for r in ("E05", "E07"))]
    )
    assert {row[7] for row in rows} == {"2026-11-26"}
    whole = str(rows).upper()
    assert not any(
        name in whole for name in ("FENWICK", "DUNSTER", "THACKER", "MARC", "PRIYA", "1984", "OKORO")
    )
    assert len(take(team, team.manager, rule="E07")) == 2
    assert len(take(team, team.manager, effect="check")) == 2
    with acting_for(team.organisation):
        first, *_ = AuditEvent.objects.filter(name="ndtms.quality_exported").order_by("sequence")
        assert (first.details["lines"], first.details["people"], first.details["names"]) == (3, 2, False)


def test_nothing_to_export_is_said_and_makes_no_file(team: Team) -> None:
    answer = team.browser(team.manager).post(address(team, "export/"), {"rule": "E07"})
    assert (answer.status_code, answer.headers["Location"]) == (302, address(team, "export/?rule=E07"))
    with acting_for(team.organisation):
        assert not AuditEvent.objects.filter(name="ndtms.quality_exported").exists()


def test_too_long_a_list_is_refused(team: Team, monkeypatch: Any) -> None:
    broken(team, "Dunster", team.colleague, drug_1="", triaged_on=None)
    check(team)
    monkeypatch.setattr(quality_export, "MOST_LINES", 1)
    assert team.browser(team.manager).post(address(team, "export/")).status_code == 302


@pytest.mark.parametrize(
    ("role", "there"),
    [
        ("keyworker", False),
        ("clinician", False),
        ("team_manager", True),
        ("ndtms_administrator", True),
        ("information_governance", False),
    ],
)
def test_who_may_export(team: Team, role: str, there: bool) -> None:
    """The governance officer's letter for exports is of numbers alone: this file says which clients."""
    browser = team.browser(make_person(team.organisation, role=role))
    assert (browser.get(address(team, "export/")).status_code == 200) is there
    if role != "information_governance":
        assert (b"Export without names" in browser.get(address(team)).content) is there


def test_who_puts_something_right_comes_back_to_the_same_place(team: Team) -> None:
    broken(team, "Fenwick", team.worker, drug_1="")
    with clock.frozen(NOW + dt.timedelta(hours=1)):
        second = broken(team, "Dunster", team.worker, drug_1="")
        check(team)
    browser = team.browser(team.manager)
    here = address(team, "?rule=E07")
    page = browser.get(here).content.decode()
    links = re.findall(r'<a href="([^"]+came_from=[^"]+#id_DRUG1)"', page)
    assert len(links) == 2
    rows = re.findall(r'<tr role="row" id="(row-[^"]+)"', page)
    place = rows.index(f"row-{team.episode(second).pk}")
    link = links[place].replace("&amp;", "&")
    opened = browser.get(link.partition("#")[0]).content.decode()
    came_from = re.search(r'name="came_from" value="([^"]+)"', opened)
    expected = f"{here}#{rows[place - 1] if place else 'list-h'}"
    assert came_from and came_from[1] == expected
    assert f'href="{expected}">Leave without saving' in opened
    version = re.search(r'name="version" value="(\d+)"', opened)
    assert version
    sent = {
        "client": str(second.pk),
        "version": version[1],
        "came_from": came_from[1],
        "DRUG1": "7000",
    }
    saved = browser.post(link.partition("?")[0], sent)
    assert (saved.status_code, saved.headers["Location"]) == (302, expected)
    with acting_for(team.organisation):
        assert team.episode(second).drug_1 == "7000"


@pytest.mark.parametrize(
    "said",
    [
        "https://evil.example/",
        "//evil.example/",
        "/o/{slug}/../../x",
        "/o/other/data-quality/",
        "/o/{slug}/nowhere/at/all/",
        "/o/{slug}/\\evil.example",
        "javascript:alert(1)",
        "/o/{slug}/data-quality/?" + "x" * 600,
    ],
)
def test_no_form_leads_to_somebody_elses_page(team: Team, said: str) -> None:
    client = broken(team, "Fenwick", team.worker, drug_1="")
    episode = team.episode(client)
    where = f"/o/{team.organisation.slug}/clients/{client.pk}/episodes/{episode.pk}/substances/"
    said = said.replace("{slug}", team.organisation.slug)
    page = team.browser(team.worker).get(where, {"came_from": said})
    assert page.status_code == 200
    assert b'name="came_from"' not in page.content
    sent = {"client": str(client.pk), "version": str(episode.version), "DRUG1": "7000", "came_from": said}
    saved = team.browser(team.worker).post(where, sent)
    assert saved.headers["Location"].startswith(f"/o/{team.organisation.slug}/clients/{client.pk}/")
