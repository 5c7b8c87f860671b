"""The page of an episode and the forms of its sections: what is recorded, what NDTMS would say, what is saved."""

from __future__ import annotations

import datetime as dt

import pytest

from caseload.models import Episode, EpisodeItems
from caseload.sections import SECTIONS
from tests.caseload.episodes.support import Home, date_of, make_home, make_one, text_of
from tests.core.world import acting_for
from tests.factories.caseload import make_service
from tests.factories.organisations import make_organisation

pytestmark = pytest.mark.django_db


@pytest.fixture
def home() -> Home:
    return make_home()


def test_the_list_leads_to_the_episode_and_the_episode_to_every_section(home: Home) -> None:
    page = text_of(home.browser.get(home.of_client("episodes/")))
    assert home.at() in page and "New referral" in page
    page = home.get()
    for key in ("referral", "triage", "substances", "discharge", "health", "offending"):
        if f"s-{key}-h" in page:
            assert home.at(f"{key}/") in page
    assert "Not recorded" in page and home.at("interventions/new/") in page


@pytest.mark.parametrize("key", sorted(SECTIONS))
def test_every_section_opens_for_whoever_may_or_is_not_there(key: str) -> None:
    for dataset in ("adult", "yp", "cjit"):
        home = make_home(dataset=dataset, role="clinician")
        answer = home.browser.get(home.at(f"{key}/"))
        there = f"s-{key}-h" in home.get()
        assert answer.status_code == (200 if there else 404), (dataset, key)


def test_what_is_typed_is_saved_and_shown_in_words(home: Home) -> None:
    answer = home.post("substances/", DRUG1="7000", INJSTAT="C", ALCDDAYS="12")
    assert answer.status_code == 302 and answer["Location"] == home.at()
    now = home.fresh()
    assert (now.drug_1, now.injecting_status, now.items) == ("7000", "C", {"ALCDDAYS": "12"})
    assert "Alcohol" in home.get()


def test_what_ndtms_would_refuse_is_on_the_page_with_the_remedy_and_a_link_to_the_box(home: Home) -> None:
    with acting_for(home.organisation):
        Episode.objects.filter(pk=home.episode.pk).update(drug_1="")
    page = home.get()
    assert "Main problem substance is missing" in page and "(E07)" in page
    assert home.at("substances/") + "#id_DRUG1" in page
    assert "the file leaves this episode out" in page


def test_rules_speak_in_the_answer_to_autosave_and_after_saving_without_scripts(home: Home) -> None:
    form = home.form("triage/", **date_of("TRIAGED", dt.date(2026, 4, 1)))
    said = home.browser.post(
        home.at("triage/"), form | {"_draft": "keep"}, headers={"X-Autosave": "1"}
    ).json()
    assert "Triage is before the referral" in said["speaks"]["TRIAGED"][0]
    answer = home.browser.post(home.at("triage/"), form)
    assert answer.status_code == 302
    assert "Triage is before the referral" in home.get()
    assert "app-says" in home.get("triage/")


def test_two_people_see_both_texts_and_lose_neither(home: Home) -> None:
    mine = home.form("substances/", DRUG1="7000")
    home.post("substances/", DRUG1="1011", DRUG2="5000")
    home.post("substances/", DRUG1="5000")
    answer = home.browser.post(home.at("substances/"), mine)
    assert answer.status_code == 409
    assert "Alcohol" in text_of(answer) and "keep_DRUG1" in text_of(answer)
    assert home.fresh().drug_1 == "5000"


def test_a_form_of_another_client_or_episode_writes_nothing(home: Home) -> None:
    client, episode = make_one(home.organisation, home.service)
    form = home.form("substances/", DRUG1="7000")
    assert home.browser.post(home.at("substances/", episode=episode), form).status_code == 404
    mixed = f"/o/{home.organisation.slug}/clients/{client.pk}/episodes/{home.episode.pk}/substances/"
    assert home.browser.get(mixed).status_code == 404
    assert home.browser.post(mixed, form | {"client": str(client.pk)}).status_code == 404
    assert {e.drug_1 for e in home.rows(Episode)} == {"1011"}


def test_another_organisations_episode_is_not_found(home: Home) -> None:
    elsewhere = make_organisation()
    _, foreign = make_one(elsewhere, make_service(elsewhere))
    for rest in ("", "referral/", "interventions/new/", "void/", "reopen/", "confidentiality/", "discharge/"):
        assert home.browser.get(home.at(rest, episode=foreign)).status_code == 404


@pytest.mark.parametrize(
    ("role", "sees", "hides"),
    [
        ("keyworker", {"risk", "safeguarding"}, set()),
        ("ndtms_administrator", {"referral", "health", "offending"}, {"risk", "safeguarding", "prescribing"}),
    ],
)
def test_a_section_is_there_for_its_category_alone(role: str, sees: set[str], hides: set[str]) -> None:
    home = make_home(role=role)
    page = home.get()
    for key in hides:
        assert f"s-{key}-h" not in page
        assert home.browser.get(home.at(f"{key}/")).status_code == 404
    for key in sees:
        if f"s-{key}-h" in page:
            assert home.browser.get(home.at(f"{key}/")).status_code == 200
    if role == "ndtms_administrator":
        assert "s-residence-h" in page and f'"{home.at("residence/")}"' not in page, "seen, not changed"
        assert home.browser.get(home.at("residence/")).status_code == 404
        assert home.browser.get(home.at("void/")).status_code == 404
        assert home.browser.get(home.of_client("episodes/new/")).status_code == 404


def test_items_of_a_category_go_to_their_own_row(home: Home) -> None:
    assert home.post("health/", HEPCSTAT="A").status_code == 302
    rows = home.rows(EpisodeItems)
    assert [(r.category, r.items) for r in rows] == [("health", {"HEPCSTAT": "A"})]
    page = home.get("health/")
    assert "Kay One" in page or "Nothing was changed since it was first recorded" in page


def test_the_page_costs_the_same_however_long_the_lists_are(
    home: Home, django_assert_max_num_queries: object
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from caseload.models import Intervention, Outcome, SubInterventionReview
    from tests.factories.caseload import make_entry

    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            home.get()
        return len(asked)

    cost()
    first = cost()
    with acting_for(home.organisation):
        for number in range(40):
            day = dt.date(2026, 5, 1) + dt.timedelta(days=number)
            make_entry(Intervention, home.episode, started_on=day)
            make_entry(Outcome, home.episode, completed_on=day, stage="R")
            make_entry(SubInterventionReview, home.episode, reviewed_on=day)
    assert cost() == first
