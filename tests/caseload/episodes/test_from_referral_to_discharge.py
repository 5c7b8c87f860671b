"""An episode from its referral to its discharge: where it begins, confidentiality before triage, what is looked at before it closes."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

import pytest

from caseload.models import (
    ConfidentialityExplained,
    Episode,
    EpisodeClosing,
    Intervention,
    Outcome,
    Registration,
)
from tests.caseload.episodes.support import (
    Home,
    date_of,
    fields_of,
    make_home,
    make_one,
    problems_of,
    text_of,
)
from tests.core.world import acting_for
from tests.factories.caseload import make_entry, make_service

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 10, 1)


@pytest.fixture
def home() -> Home:
    return make_home()


def bare(home: Home, **fields: Any) -> Episode:
    """A new episode of the same client: nothing but the referral."""
    with acting_for(home.organisation):
        registration = Registration.objects.get(client=home.client)
        return Episode.objects.create(
            registration=registration,
            client_id=home.client.pk,
            service_id=home.service.pk,
            episode_id=f"N{uuid4().hex[:8]}",
            referred_on=dt.date(2026, 9, 1),
            **fields,
        )


# ---- referral ---------------------------------------------------------------------------------------------------------


def test_a_referral_where_an_episode_is_open_says_so_and_asks(home: Home) -> None:
    path = home.of_client("episodes/new/")
    page = text_of(home.browser.get(path))
    assert "An episode is open at this service" in page and home.episode.episode_id in page
    form = fields_of(page) | date_of("REFLD", DAY) | {"RFLS": "4"}
    answer = home.browser.post(path, form)
    assert answer.status_code == 422 and "another episode is meant" in problems_of(text_of(answer))[0]
    answer = home.browser.post(path, form | {"second": "on"})
    assert answer.status_code == 302
    made = next(e for e in home.rows(Episode) if e.pk != home.episode.pk)
    assert (made.referred_on, made.referral_source, made.consent) == (DAY, "4", "")
    assert answer["Location"] == home.at(episode=made)
    again = home.browser.post(path, form | {"second": "on"})
    assert again["Location"] == answer["Location"] and len(home.rows(Episode)) == 2


def test_at_a_service_without_a_registration_the_client_is_registered_with_it(home: Home) -> None:
    other = make_service(home.organisation, name="Another")
    path = home.of_client("episodes/new/")
    page = text_of(home.browser.get(path))
    assert "At which service?" in page and f"?at={other.pk}" in page
    form = fields_of(text_of(home.browser.get(f"{path}?at={other.pk}"))) | date_of("REFLD", DAY)
    assert form["client_id_text"] == "1"
    answer = home.browser.post(path, form)
    assert answer.status_code == 302
    made = next(r for r in home.rows(Registration) if r.service_id == other.pk)
    assert (made.client_id, made.client_id_text) == (home.client.pk, "1")
    with acting_for(home.organisation):
        _, _ = make_one(home.organisation, other), None
    form |= {"form_id": str(uuid4()), "at": str(made.pk), "second": "on"}
    assert home.browser.post(path, form).status_code == 302


def test_a_client_id_that_was_used_is_refused_with_the_next_free_one(home: Home) -> None:
    other = make_service(home.organisation)
    with acting_for(home.organisation):
        someone = make_one(home.organisation, other)[0]
        taken = Registration.objects.get(client=someone).client_id_text
    path = home.of_client("episodes/new/")
    form = fields_of(text_of(home.browser.get(f"{path}?at={other.pk}"))) | date_of("REFLD", DAY)
    answer = home.browser.post(path, form | {"client_id_text": taken})
    assert answer.status_code == 422 and "never used again" in problems_of(text_of(answer))[0]
    assert len(home.rows(Episode)) == 2


def test_a_referral_of_another_client_or_at_another_organisations_service_is_refused(home: Home) -> None:
    path = home.of_client("episodes/new/")
    form = fields_of(text_of(home.browser.get(path))) | date_of("REFLD", DAY) | {"second": "on"}
    foreign = make_home()
    for wrong in ({"client": str(foreign.client.pk)}, {"at": str(foreign.service.pk)}, {"form_id": "x"}):
        assert home.browser.post(path, form | wrong).status_code == 404
    assert len(home.rows(Episode)) == 1


def test_a_data_set_without_a_referral_date_begins_and_ends_too() -> None:
    home = make_home(dataset="cjit", discharged_on=dt.date(2026, 1, 1), discharge_reason="80")
    answer = home.browser.post(
        home.of_client("episodes/new/"), fields_of(text_of(home.browser.get(home.of_client("episodes/new/"))))
    )
    assert answer.status_code == 302
    home.episode = next(e for e in home.rows(Episode) if e.pk != home.episode.pk)
    page = home.get()
    assert "Triage not done" not in page and home.at("discharge/") in page
    assert home.post("discharge/", **DISCHARGED, anyway="x").status_code in (302, 422)


# ---- confidentiality and triage ------------------------------------------------------------------------------------------


def test_triage_waits_for_confidentiality_and_loses_nothing(home: Home) -> None:
    """O-132."""
    home.episode = bare(home)
    assert "First: explain confidentiality" in home.get("triage/")
    answer = home.post("triage/", **date_of("TRIAGED", DAY))
    assert answer.status_code == 422 and "confidentiality" in problems_of(text_of(answer))[0]
    assert 'value="2026"' in text_of(answer) and home.fresh().triaged_on is None
    done = home.post("confidentiality/", done="done", said="on", on_paper="on", understanding="understood")
    assert done.status_code == 302 and done["Location"] == home.at("triage/")
    assert home.post("triage/", **date_of("TRIAGED", DAY)).status_code == 302
    assert home.fresh().triaged_on == DAY
    assert "by Kay One" in home.get("triage/") and "Kay One" in home.get()


def test_without_the_question_about_confidentiality_triage_would_go_through(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above: it is that question alone which refuses."""
    home.episode = bare(home)
    form = home.form("triage/", **date_of("TRIAGED", DAY))
    monkeypatch.setattr("caseload.services.episode_acts.confidentiality_of", lambda episode: object())
    assert home.browser.post(home.at("triage/"), form).status_code == 302


def test_triage_may_go_on_when_it_is_said_why_it_could_not_be_explained(home: Home) -> None:
    home.episode = bare(home)
    answer = home.post("confidentiality/", done="not")
    assert answer.status_code == 422 and "why" in problems_of(text_of(answer))[0]
    assert home.post("confidentiality/", done="not", reason="Came in withdrawal").status_code == 302
    assert home.post("triage/", **date_of("TRIAGED", DAY)).status_code == 302
    assert "Confidentiality not explained" in home.get() and "Came in withdrawal" in home.get()


@pytest.mark.parametrize("left_out", ["said", "on_paper", "understanding", "done"])
def test_explained_needs_both_ways_the_day_and_how_it_went(home: Home, left_out: str) -> None:
    home.episode = bare(home)
    ticks = {"done": "done", "said": "on", "on_paper": "on", "understanding": "understood"}
    ticks.pop(left_out)
    assert home.post("confidentiality/", **ticks).status_code == 422
    assert not home.rows(ConfidentialityExplained, episode_id=home.episode.pk)


def test_it_is_recorded_once_however_often_the_form_is_sent(home: Home) -> None:
    home.episode = bare(home)
    form = home.form("confidentiality/", done="not", reason="Later")
    for _ in range(2):
        assert home.browser.post(home.at("confidentiality/"), form).status_code == 302
    [row] = home.rows(ConfidentialityExplained, episode_id=home.episode.pk)
    assert (row.policy_version, row.recorded_by_label, row.explained_on) == ("1", "Kay One", None)


def test_what_was_triaged_already_may_be_corrected_without_it(home: Home) -> None:
    home.episode = bare(home, triaged_on=DAY)
    assert home.post("triage/", **date_of("TRIAGED", dt.date(2026, 10, 2))).status_code == 302


# ---- discharge ---------------------------------------------------------------------------------------------------------


def started(home: Home, **fields: Any) -> Any:
    with acting_for(home.organisation):
        defaults = {"modality": "95", "started_on": dt.date(2026, 5, 1)}
        return make_entry(Intervention, home.episode, **{**defaults, **fields})


def exit_top(home: Home) -> None:
    with acting_for(home.organisation):
        make_entry(Outcome, home.episode, completed_on=DAY, stage="E")


DISCHARGED = {**date_of("DISD", DAY), "DISRSN": "80"}


def test_with_everything_in_order_it_closes_and_can_be_opened_again(home: Home) -> None:
    row = started(home)
    exit_top(home)
    page = home.get("discharge/")
    assert "Open interventions" in page and "Before you close it" not in page
    answer = home.post("discharge/", **DISCHARGED, **{f"end_{row.pk}": "on", f"exit_{row.pk}": "A"})
    assert answer.status_code == 302, problems_of(text_of(answer))
    assert (home.fresh().discharged_on, home.fresh().discharge_reason) == (DAY, "80")
    [row] = home.rows(Intervention)
    assert (row.ended_on, row.exit_status) == (DAY, "A")
    answer = home.post("reopen/", reason="Came back the next day", again=str(row.pk))
    assert answer.status_code == 302
    assert home.fresh().discharged_on is None and home.rows(Intervention)[0].ended_on is None
    assert [c.reopened for c in home.rows(EpisodeClosing)] in ([False, True], [True, False])
    assert "Came back the next day" in home.get()


def test_an_open_intervention_refuses_and_nothing_is_written(home: Home) -> None:
    row = started(home)
    exit_top(home)
    answer = home.post("discharge/", **DISCHARGED)
    assert answer.status_code == 422 and "This intervention is open" in problems_of(text_of(answer))[0]
    answer = home.post("discharge/", **DISCHARGED, **{f"end_{row.pk}": "on"})
    assert answer.status_code == 422 and "how the intervention ended" in problems_of(text_of(answer))[0]
    assert home.fresh().discharged_on is None and home.rows(Intervention)[0].ended_on is None


def test_each_check_is_said_and_closing_in_spite_needs_a_reason(home: Home) -> None:
    with acting_for(home.organisation):
        Episode.objects.filter(pk=home.episode.pk).update(consent="", drug_1="")
    started(home, ended_on=dt.date(2026, 6, 1), exit_status="A")
    draft = home.form("substances/", DRUG1="7000") | {"_draft": "keep"}
    assert home.browser.post(home.at("substances/"), draft).status_code == 302
    page = home.get("discharge/")
    for words in (
        "NDTMS consent was not asked",
        "There is no exit TOP",
        "a draft about this client",
        "Main problem substance is missing",
    ):
        assert words in page
    assert home.at("substances/") in page
    answer = home.post("discharge/", **DISCHARGED)
    assert answer.status_code == 422 and "why it is closed" in problems_of(text_of(answer))[0]
    assert home.post("discharge/", **DISCHARGED, anyway="Moved away").status_code == 302
    [closing] = home.rows(EpisodeClosing)
    assert sorted(closing.overruled) == ["consent", "drafts", "rules", "top_exit"]
    assert (closing.reason, closing.recorded_by_label) == ("Moved away", "Kay One")


def test_a_check_that_nobody_saw_cannot_be_overruled(home: Home) -> None:
    form = home.form("discharge/", **DISCHARGED, anyway="A reason for something else")
    with acting_for(home.organisation):
        Episode.objects.filter(pk=home.episode.pk).update(consent="")
    answer = home.browser.post(home.at("discharge/"), form)
    assert answer.status_code == 422 and "NDTMS consent was not asked" in text_of(answer)
    assert home.fresh().discharged_on is None


def test_a_closed_episode_may_be_corrected_without_the_checks(home: Home) -> None:
    with acting_for(home.organisation):
        Episode.objects.filter(pk=home.episode.pk).update(
            discharged_on=DAY, discharge_reason="80", consent=""
        )
    started(home)
    assert home.post("discharge/", DISRSN="82").status_code == 302
    assert home.fresh().discharge_reason == "82" and not home.rows(EpisodeClosing)


def test_opening_again_needs_a_reason_and_a_closed_episode(home: Home) -> None:
    assert home.post("reopen/", reason="x").status_code == 302
    assert not home.rows(EpisodeClosing)
    with acting_for(home.organisation):
        Episode.objects.filter(pk=home.episode.pk).update(discharged_on=DAY)
    assert home.post("reopen/", reason=" ").status_code == 422
    assert home.fresh().discharged_on == DAY


def test_a_conflict_at_the_discharge_ends_no_intervention(home: Home) -> None:
    row = started(home)
    exit_top(home)
    form = home.form("discharge/", **DISCHARGED, **{f"end_{row.pk}": "on", f"exit_{row.pk}": "A"})
    with acting_for(home.organisation):
        Episode.objects.filter(pk=home.episode.pk).update(discharge_reason="82")
    answer = home.browser.post(home.at("discharge/"), form)
    assert answer.status_code == 409 and home.rows(Intervention)[0].ended_on is None
    assert not home.rows(EpisodeClosing)
    chosen = fields_of(text_of(answer)) | {"keep_DISD": "mine", "keep_DISRSN": "mine"}
    assert home.browser.post(home.at("discharge/"), chosen).status_code == 302
    assert home.rows(Intervention)[0].ended_on == DAY and home.fresh().discharge_reason == "80"
