"""The timeline: from every app, newest first, by key; the overview: what is next, who works with them, who looked."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from caseload import timeline
from caseload.models import Allocation, ClientIdentity, ClientMerge, Episode, Intervention, Outcome
from edatrs.core import clock, registry
from tests.caseload.episodes.support import Home, make_home, make_one, text_of
from tests.core.world import acting_for
from tests.factories.caseload import make_entry
from tests.factories.consent import make_act
from tests.factories.organisations import make_person, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def home() -> Home:
    return make_home(discharged_on=dt.date(2026, 9, 1), discharge_reason="80")


def titles(page: str) -> list[str]:
    return [t.strip() for t in re.findall(r'moj-timeline__title">([^<]*)<', page)]


def look(home: Home, query: str = "") -> str:
    return text_of(home.browser.get(home.of_client(f"timeline/{query}")))


def test_what_happened_is_there_newest_first_from_every_app(home: Home) -> None:
    with acting_for(home.organisation):
        make_entry(
            Intervention,
            home.episode,
            modality="95",
            started_on=dt.date(2026, 5, 1),
            ended_on=dt.date(2026, 8, 1),
        )
        make_entry(Outcome, home.episode, completed_on=dt.date(2026, 5, 3), stage="S")
        make_act(episode=home.episode, decided_on=dt.date(2026, 4, 7))
        _, other = make_one(home.organisation, home.service)
        ClientMerge.objects.create(
            client_id=other.client_id,
            survivor_id=home.client.pk,
            reason="The same person",
            merged_at=clock.now(),
            merged_by=home.person.pk,
            merged_by_label="Kay One",
        )
    assert (
        home.browser.post(
            home.of_client("details/contact/"),
            {"client": str(home.client.pk), "version": "1", "phone": "07700 900214"},
        ).status_code
        == 302
    )
    found = titles(look(home))
    for title in (
        "Discharged",
        "Intervention ended: Psychosocial intervention",
        "TOP: start",
        "NDTMS consent: yes",
        "Triage",
        "Referred",
        "Contact changed",
    ):
        assert title in found, found
    assert any("was merged into this record" in title for title in found)
    order = [found.index(t) for t in ("Discharged", "TOP: start", "NDTMS consent: yes", "Referred")]
    assert order == sorted(order)


def test_it_is_narrowed_by_kind_and_an_unknown_kind_counts_for_nothing(home: Home) -> None:
    with acting_for(home.organisation):
        make_entry(Intervention, home.episode, modality="95", started_on=dt.date(2026, 5, 1))
    assert titles(look(home, "?kind=interventions")) == ["Intervention started: Psychosocial intervention"]
    assert titles(look(home, "?kind=nonsense")) == titles(look(home))


def test_pages_follow_each_other_by_key_and_lose_nothing(home: Home, monkeypatch: Any) -> None:
    monkeypatch.setattr(timeline.page, "__kwdefaults__", {"kinds": (), "before": "", "limit": 7})
    with acting_for(home.organisation):
        for number in range(20):
            make_entry(Intervention, home.episode, started_on=dt.date(2026, 5, 1 + number // 2))
    seen, query = [], "?kind=interventions"
    for _ in range(10):
        page = look(home, query)
        seen += re.findall(r'moj-timeline__date"><time[^>]*datetime="(2026-05-\d\d)"', page)
        older = re.search(r'href="(\?[^"]*before=[^"]*)"', page)
        if not older:
            break
        query = older[1].replace("&amp;", "&")
        with acting_for(home.organisation):
            make_entry(Intervention, home.episode, started_on=dt.date(2026, 6, 1))
    assert len(seen) == 20 and seen == sorted(seen, reverse=True)


def test_what_a_role_may_not_see_is_not_on_it(home: Home) -> None:
    manager = sign_in(Browser(), make_person(home.organisation, role="ndtms_administrator"))
    page = text_of(manager.get(home.of_client("timeline/")))
    assert "Discharged" in page and 'value="consent"' in page
    with acting_for(home.organisation, "organisation_administrator"):
        assert timeline.sources() == {}


def test_what_was_entered_in_error_is_not_on_it(home: Home) -> None:
    with acting_for(home.organisation):
        make_entry(Intervention, home.episode, started_on=dt.date(2026, 5, 1), voided_at=clock.now())
        Episode.objects.filter(pk=home.episode.pk).update(voided_at=clock.now(), voided_reason="x")
    assert not {"Discharged", "Referred", "Triage"} & set(titles(look(home)))
    assert "Confidentiality explained" not in titles(look(home))


def test_another_organisations_timeline_is_not_found(home: Home) -> None:
    foreign = make_home()
    assert (
        home.browser.get(f"/o/{home.organisation.slug}/clients/{foreign.client.pk}/timeline/").status_code
        == 404
    )


def test_every_source_names_an_act_of_the_access_table() -> None:
    from edatrs.core import access

    for key, source in registry.timeline:
        assert access.knows(source.act, source.category), key


@pytest.mark.parametrize("rest", ["timeline/", ""])
def test_it_costs_the_same_for_one_and_for_many(home: Home, rest: str) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert home.browser.get(home.of_client(rest)).status_code == 200
        return len(asked)

    with acting_for(home.organisation):
        make_entry(Intervention, home.episode, started_on=dt.date(2026, 5, 1))
        make_entry(Outcome, home.episode, completed_on=dt.date(2026, 5, 1), stage="S")
        make_act(episode=home.episode)
    cost()
    first = cost()
    with acting_for(home.organisation):
        for number in range(60):
            day = dt.date(2026, 5, 1) + dt.timedelta(days=number)
            make_entry(Intervention, home.episode, started_on=day, modality="95")
            make_entry(Outcome, home.episode, completed_on=day, stage="R")
            make_act(episode=home.episode)
    assert cost() == first


# ---- overview ------------------------------------------------------------------------------------------------------------


def test_the_overview_says_what_is_next_who_works_with_them_and_who_looked() -> None:
    home = make_home(consent="", drug_1="")
    colleague = make_person(home.organisation, full_name="Dana Okoro")
    with acting_for(home.organisation):
        Allocation.objects.create(
            client_id=home.client.pk,
            kind="keyworker",
            keyworker=home.person,
            valid_from=clock.today(),
            reason="New",
            by=home.person.pk,
            by_label="x",
        )
        Allocation.objects.create(
            client_id=home.client.pk,
            kind="cover",
            keyworker=colleague,
            valid_from=clock.today(),
            valid_until=clock.today(),
            reason="Leave",
            by=home.person.pk,
            by_label="x",
        )
    assert home.post("substances/", DRUG1="").status_code == 302
    sign_in(Browser(), colleague).get(home.of_client())
    page = text_of(home.browser.get(home.of_client()))
    assert "Consent not asked" in page and "Main problem" in page
    assert "Kay One</strong>, keyworker since" in page and "Dana Okoro</strong> covers until" in page
    looked = page.partition("looked-h")[2]
    assert looked.index("Dana Okoro") < looked.index("Kay One") and home.at() in page


def test_the_overview_without_an_episode_leads_to_a_referral(home: Home) -> None:
    with acting_for(home.organisation):
        Episode.objects.filter(pk=home.episode.pk).update(voided_at=clock.now(), voided_reason="x")
    page = text_of(home.browser.get(home.of_client()))
    assert "No episode yet" in page and home.of_client("episodes/new/") in page


def test_the_overview_shows_what_ndtms_would_refuse(home: Home) -> None:
    with acting_for(home.organisation):
        ClientIdentity.objects.filter(client=home.client).update(sex="")
    assert home.post("substances/", DRUG1="7000").status_code == 302
    page = text_of(home.browser.get(home.of_client()))
    assert "(E01)" in page and f"{home.at()}#to-put-right" in page
