"""The outcome form through HTTP: week by week or by total, not answered is never 0, drafts, conflicts, bad input."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEvent
from caseload import outcomes
from caseload.dataset.reader import load_dictionary
from caseload.models import ClientIdentity, Episode, Intervention, Outcome
from caseload.sections import list_items
from caseload.services import tops
from edatrs.core import clock
from edatrs.organisations.choices import DataSet
from edatrs.organisations.models import Organisation
from tests.core.world import acting_for
from tests.factories.caseload import (
    make_client,
    make_entry,
    make_episode,
    make_part,
    make_registration,
    make_service,
)
from tests.factories.organisations import make_organisation, make_person, sign_in

pytestmark = pytest.mark.django_db
LETTER = load_dictionary().default_letter
QUESTIONS = [i for i in list_items("tops", "adult", LETTER) if outcomes.is_question(i)]
STARTED = dt.date(2026, 4, 10)


def made(organisation: Organisation, *, service: Any = None, **fields: Any) -> Episode:
    """A client with a name, and an episode in treatment since April."""
    with acting_for(organisation):
        client = make_client()
        make_part(ClientIdentity, client, forename="Ana", surname="Ferreira")
        episode = make_episode(registration=make_registration(client=client, service=service), **fields)
        make_entry(Intervention, episode, modality="94", started_on=STARTED)
        return episode


@pytest.fixture
def home() -> tuple[Organisation, Episode, Browser]:
    organisation = make_organisation()
    make_service(organisation)
    return (
        organisation,
        made(organisation),
        sign_in(Browser(), make_person(organisation, full_name="Kay One")),
    )


def address(organisation: Organisation, episode: Episode, rest: str = "tops/new/") -> str:
    return f"/o/{organisation.slug}/clients/{episode.client_id}/episodes/{episode.pk}/{rest}"


def answers(**over: str) -> dict[str, str]:
    """Every question answered: 3, 4, 3 and 4 days of alcohol by week, the rest by total; `over` are boxes by name."""
    found: dict[str, str] = {}
    for item in QUESTIONS:
        kind = outcomes.kind_of(item)
        found[item.name] = {"days": "0", "rating": "10", "yes_no": "N"}[kind]
    found |= {"ALCUSE": "", "ALCUSE_w4": "3", "ALCUSE_w3": "4", "ALCUSE_w2": "3", "ALCUSE_w1": "4"}
    return {**found, **over}


def typed(episode: Episode, **over: str) -> dict[str, str]:
    return {
        "client": str(episode.client_id),
        "version": "0",
        "form_id": str(uuid.uuid4()),
        "TRSTAGE": "S",
        "TOPDATE_day": "12",
        "TOPDATE_month": "4",
        "TOPDATE_year": "2026",
        **answers(),
        **over,
    }


def tops_of(organisation: Organisation) -> list[Outcome]:
    with acting_for(organisation):
        return list(Outcome.objects.order_by("completed_on"))


def test_weeks_add_up_to_the_total_that_the_data_set_wants(
    home: tuple[Organisation, Episode, Browser],
) -> None:
    organisation, episode, browser = home
    answer = browser.post(address(organisation, episode), typed(episode, OPIUSE="", OPIUSE_na="1"))
    assert answer.status_code == 302, answer.context["form"].errors
    assert answer["Location"].endswith(f"/outcomes/?episode={episode.pk}")
    [top] = tops_of(organisation)
    assert (top.stage, top.completed_on) == ("S", dt.date(2026, 4, 12))
    assert top.items["ALCUSE"] == "14" and top.items["OPIUSE"] == "NA" and top.items["CRAUSE"] == "0"
    assert top.items["ALCUSE_WEEKS"] == "3 4 3 4" and "CRAUSE_WEEKS" not in top.items
    assert len(top.identifier) == 16
    with acting_for(organisation):
        [event] = AuditEvent.objects.filter(name="caseload.client.changed")
        assert "ALCUSE" in event.details["what"] and "14" not in str(event.details["what"])


def test_a_form_sent_twice_is_there_once(home: tuple[Organisation, Episode, Browser]) -> None:
    organisation, episode, browser = home
    data = typed(episode)
    for _ in range(2):
        assert browser.post(address(organisation, episode), data).status_code == 302
    assert len(tops_of(organisation)) == 1
    page = browser.get(address(organisation, episode, "tops/new/"))
    assert page.context["form"].initial["TRSTAGE"] == "" and "saved already" in page.content.decode()


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({"ALCUSE_w3": "8"}, "Alcohol: week 3 must be a whole number from 0 to 7"),
        ({"ALCUSE_w3": "-1"}, "Alcohol: week 3 must be a whole number from 0 to 7"),
        ({"ALCUSE_w3": "½"}, "Alcohol: week 3 must be a whole number from 0 to 7"),
        ({"ALCUSE_w3": "٣"}, "Alcohol: week 3 must be a whole number from 0 to 7"),
        ({"ALCUSE_w1": ""}, "Alcohol: fill in week 1 too, or clear the weeks and type the total"),
        ({"ALCUSE_w2": "", "ALCUSE_w1": ""}, "Alcohol: fill in weeks 2 and 1 too"),
        ({"ALCUSE": "12"}, "Alcohol: the weeks add up to 14, the total says 12. Clear one of them"),
        ({"ALCUSE_na": "1"}, "Alcohol: days are typed and “not answered” is ticked. Clear one of them"),
        ({"OPIUSE": "29"}, "Opiates, not prescribed: the total must be a whole number from 0 to 28"),
        ({"OPIUSE": "many"}, "the total must be a whole number from 0 to 28"),
        ({"OPIUSE": "9" * 10_000}, "the total must be a whole number from 0 to 28"),
        ({"OPIUSE": ""}, "Opiates, not prescribed: enter days, or tick “not answered”"),
        ({"QUALLIFE": "21"}, "Quality of life must be a whole number from 0 to 20"),
        ({"QUALLIFE": ""}, "Quality of life: enter a rating, or tick “not answered”"),
        ({"QUALLIFE_na": "1"}, "Quality of life: a rating is typed and “not answered” is ticked"),
        ({"HRISK": ""}, "At risk of eviction: choose yes, no or not answered"),
        ({"HRISK": "maybe"}, "At risk of eviction: choose yes, no or not answered"),
        ({"TRSTAGE": ""}, "Choose the stage of this TOP"),
        ({"TRSTAGE": "X"}, "Choose the stage of this TOP"),
        ({"TOPDATE_day": "31"}, "April 2026 has only 30 days"),
        ({"TOPDATE_day": ""}, "Date of this TOP must include a day"),
        ({"TOPDATE_year": "2099"}, "Date of this TOP must be today or earlier"),
    ],
)
def test_bad_input_names_the_box_and_nothing_is_lost(
    home: tuple[Organisation, Episode, Browser], over: dict[str, str], words: str
) -> None:
    organisation, episode, browser = home
    answer = browser.post(address(organisation, episode), typed(episode, CANNUSE="17", **over))
    html = answer.content.decode()
    assert answer.status_code == 422 and words in html
    assert 'name="CANNUSE" value="17"' in html and 'name="ALCUSE_w4" value="3"' in html
    assert tops_of(organisation) == []


@pytest.mark.parametrize("item", [i.name for i in QUESTIONS])
def test_each_question_is_kept_as_answered_and_as_not_answered(
    home: tuple[Organisation, Episode, Browser], item: str
) -> None:
    organisation, episode, browser = home
    kind = outcomes.kind_of(load_dictionary().item(item))
    first = {"days": "5", "rating": "5", "yes_no": "Y"}[kind]
    weeks = {f"ALCUSE_w{n}": "" for n in outcomes.WEEKS}
    plain = typed(episode, **{**weeks, "ALCUSE": "0", item: first})
    not_answered = {item: "NA"} if kind == "yes_no" else {item: "", f"{item}_na": "1"}
    other = typed(episode, **{**weeks, "ALCUSE": "0", **not_answered})
    for data in (plain, other):
        answer = browser.post(address(organisation, episode), data)
        assert answer.status_code == 302, answer.context["form"].errors
    kept = {top.items[item] for top in tops_of(organisation)}
    assert kept == {first, "NA"}


def test_a_correction_shows_the_weeks_as_they_were_typed(
    home: tuple[Organisation, Episode, Browser],
) -> None:
    organisation, episode, browser = home
    browser.post(address(organisation, episode), typed(episode))
    [top] = tops_of(organisation)
    page = address(organisation, episode, f"tops/{top.pk}/")
    html = browser.get(page).content.decode()
    assert 'name="ALCUSE_w3" value="4"' in html and 'name="ALCUSE" value=""' in html
    changed = typed(episode, version=str(top.version), ALCUSE_w3="7")
    assert browser.post(page, changed).status_code == 302
    [top] = tops_of(organisation)
    assert (top.items["ALCUSE"], top.items["ALCUSE_WEEKS"], top.version) == ("17", "3 7 3 4", 2)
    html = browser.get(page).content.decode()
    assert "Alcohol: <bdi>14</bdi>, then <bdi>17</bdi>" in html
    weekless = typed(episode, version="2", ALCUSE="9", ALCUSE_w4="", ALCUSE_w3="", ALCUSE_w2="", ALCUSE_w1="")
    assert browser.post(page, weekless).status_code == 302
    [top] = tops_of(organisation)
    assert top.items["ALCUSE"] == "9" and "ALCUSE_WEEKS" not in top.items


def test_weeks_that_do_not_add_up_to_an_imported_total_are_not_shown() -> None:
    assert outcomes.weeks_kept("3 4 3 4", "14") == (3, 4, 3, 4)
    for text, answer in (
        ("3 4 3 4", "15"),
        ("3 4 3", "10"),
        ("9 1 2 2", "14"),
        ("3 4 x 4", "11"),
        (None, "0"),
    ):
        assert outcomes.weeks_kept(text, answer) == ()


def test_what_is_recorded_and_odd_or_missing_may_stay(home: tuple[Organisation, Episode, Browser]) -> None:
    organisation, episode, browser = home
    odd = {"ALCUSE": "31", "PSYHSTAT": "99", "ASSAULT": "3", "SHARING": "Z", "HRISK": "N"}
    with acting_for(organisation):
        top = make_entry(Outcome, episode, stage="9", completed_on=dt.date(1850, 1, 1), items=odd)
    page = address(organisation, episode, f"tops/{top.pk}/")
    html = browser.get(page).content.decode()
    assert "3 (as recorded)" in html and "9 (as recorded)" in html and 'value="31"' in html
    data = {"client": str(episode.client_id), "version": str(top.version), "TRSTAGE": "9", **odd}
    data |= {"TOPDATE_day": "1", "TOPDATE_month": "1", "TOPDATE_year": "1850", "HRISK": "Y"}
    assert browser.post(page, data).status_code == 302
    [now] = tops_of(organisation)
    assert now.items == {**odd, "HRISK": "Y"} and now.stage == "9"


def test_previous_answers_are_not_on_the_form(home: tuple[Organisation, Episode, Browser]) -> None:
    organisation, episode, browser = home
    browser.post(address(organisation, episode), typed(episode, OPIUSE="26"))
    form = re.search(r"<main.*</main>", browser.get(address(organisation, episode)).content.decode(), re.S)
    assert form and 'value="26"' not in form[0] and ">26<" not in form[0]
    assert "done 12 Apr 2026" in form[0]


def draft(browser: Browser, at: str, data: dict[str, str], *, script: bool = False) -> Any:
    headers = {"HTTP_X_AUTOSAVE": "1"} if script else {}
    return browser.post(at, {**data, "_draft": "keep", "_page": str(uuid.uuid4())}, **headers)


def test_a_draft_comes_back_in_another_session_and_is_finished_there(
    home: tuple[Organisation, Episode, Browser],
) -> None:
    organisation, episode, _ = home
    person = make_person(organisation)
    first, second = sign_in(Browser(), person), sign_in(Browser(), person)
    at = address(organisation, episode)
    half = typed(episode, ALCUSE_w1="", OPIUSE="", HRISK="", QUALLIFE="", QUALLIFE_na="1")
    kept = draft(first, at, half, script=True)
    assert kept.status_code == 200 and kept.json()["kept"]
    assert tops_of(organisation) == []
    page = second.get(at)
    html = page.content.decode()
    assert 'name="ALCUSE_w4" value="3"' in html and 'name="ALCUSE_w1" value=""' in html
    assert "There is a problem" not in html, "a draft is brought back without words of error"
    assert page.context["form_id"] == half["form_id"]
    left = [words for _, words in page.context["unanswered"]]
    assert left == ["Alcohol", "Opiates, not prescribed", "At risk of eviction"]
    assert (
        "Continue draft TOP"
        in second.get(f"/o/{organisation.slug}/clients/{episode.client_id}/outcomes/").content.decode()
    )
    done = typed(episode, form_id=half["form_id"], QUALLIFE="", QUALLIFE_na="1")
    assert second.post(at, done).status_code == 302
    [top] = tops_of(organisation)
    assert top.items["QUALLIFE"] == "NA" and top.items["ALCUSE"] == "14"
    assert 'name="ALCUSE_w4" value=""' in first.get(at).content.decode(), "the draft is gone when it is saved"
    assert first.post(at, done).status_code == 302 and len(tops_of(organisation)) == 1


def test_a_correction_keeps_a_draft_of_its_own(home: tuple[Organisation, Episode, Browser]) -> None:
    organisation, episode, browser = home
    browser.post(address(organisation, episode), typed(episode))
    [top] = tops_of(organisation)
    at = address(organisation, episode, f"tops/{top.pk}/")
    changed = typed(episode, version=str(top.version), OPIUSE="9")
    assert draft(browser, at, changed, script=True).json()["kept"]
    page = browser.get(at).content.decode()
    assert 'name="OPIUSE" value="9"' in page and "This is your draft of" in page
    assert 'name="OPIUSE" value="9"' not in browser.get(address(organisation, episode)).content.decode()
    outcomes_page = f"/o/{organisation.slug}/clients/{episode.client_id}/outcomes/"
    assert "Continue draft<" in browser.get(outcomes_page).content.decode()
    assert browser.post(at, {**changed, "_page": str(uuid.uuid4())}).status_code == 302
    assert "This is your draft of" not in browser.get(at).content.decode()
    assert tops_of(organisation)[0].items["OPIUSE"] == "9"


def test_the_rules_speak_of_what_is_typed(home: tuple[Organisation, Episode, Browser]) -> None:
    organisation, episode, browser = home
    at = address(organisation, episode)
    said = draft(browser, at, typed(episode, SHARING="Y"), script=True).json()["speaks"]
    assert any("equipment" in words for words in said.get("SHARING", said.get("IVDRGUSE", [])))
    assert draft(browser, at, typed(episode, SHARING="Y", IVDRGUSE="2"), script=True).json()["speaks"] == {}
    with acting_for(organisation):
        make_entry(Outcome, episode, stage="S", completed_on=dt.date(2026, 4, 11), items={"OPIUSE": "99"})
    review = typed(episode, TRSTAGE="R", TOPDATE_month="5")
    said = draft(browser, at, review, script=True).json()["speaks"]
    assert said == {}, (
        "neither the missing start form nor the odd answer of another form is this form's fault"
    )
    said = draft(browser, at, typed(episode), script=True).json()["speaks"]
    assert "more than one start TOP" in said["TRSTAGE"][0]


def test_a_conflict_shows_both_and_loses_neither(home: tuple[Organisation, Episode, Browser]) -> None:
    organisation, episode, browser = home
    other = sign_in(Browser(), make_person(organisation, full_name="Kay Two"))
    browser.post(address(organisation, episode), typed(episode))
    [top] = tops_of(organisation)
    page = address(organisation, episode, f"tops/{top.pk}/")
    opened = str(top.version)
    other.post(page, typed(episode, version=opened, OPIUSE="5"))
    mine = typed(episode, version=opened, OPIUSE="7", ALCUSE_w4="0")
    answer = browser.post(page, mine)
    html = answer.content.decode()
    assert answer.status_code == 409 and "Kay Two saved this" in html
    assert {r["name"]: r["chosen"] for r in answer.context["conflict"]} == {"ALCUSE": "mine", "OPIUSE": ""}
    hidden = dict(re.findall(r'<input type="hidden" name="([A-Za-z_]+)" value="([^"]*)">', html))
    assert hidden["ALCUSE"] == "0+4+3+4"
    again = {
        **hidden,
        "version": str(answer.context["version"]),
        "resolving": "1",
        "keep_ALCUSE": "mine",
        "keep_OPIUSE": "theirs",
    }
    assert browser.post(page, again).status_code == 302
    [now] = tops_of(organisation)
    assert (now.items["OPIUSE"], now.items["ALCUSE"], now.items["ALCUSE_WEEKS"]) == ("5", "11", "0 4 3 4")


def test_saving_an_older_page_without_changes_keeps_the_weeks_of_somebody_else(
    home: tuple[Organisation, Episode, Browser],
) -> None:
    organisation, episode, browser = home
    browser.post(address(organisation, episode), typed(episode))
    [top] = tops_of(organisation)
    page = address(organisation, episode, f"tops/{top.pk}/")
    opened = typed(episode, version=str(top.version))
    browser.post(page, {**opened, "ALCUSE_w4": "4", "ALCUSE_w3": "3"})
    assert browser.post(page, opened).status_code == 302
    assert tops_of(organisation)[0].items["ALCUSE_WEEKS"] == "4 3 3 4"


def test_another_clients_form_episode_or_entry_is_not_found(
    home: tuple[Organisation, Episode, Browser],
) -> None:
    organisation, episode, browser = home
    second = made(organisation)
    elsewhere = make_organisation()
    make_service(elsewhere)
    foreign = made(elsewhere)
    with acting_for(organisation):
        top = make_entry(Outcome, second, stage="S")
    mixed = f"/o/{organisation.slug}/clients/{episode.client_id}/episodes/{second.pk}/tops/new/"
    for at in (mixed, address(organisation, foreign), address(organisation, episode, f"tops/{top.pk}/")):
        assert browser.get(at).status_code == 404
        assert browser.post(at, typed(episode)).status_code == 404
    wrong = browser.post(address(organisation, episode), {**typed(episode), "client": str(second.client_id)})
    assert wrong.status_code == 404
    assert [t.pk for t in tops_of(organisation)] == [top.pk] and tops_of(elsewhere) == []


def test_who_may_not_edit_treatment_does_not_see_the_form(
    home: tuple[Organisation, Episode, Browser],
) -> None:
    organisation, episode, _ = home
    for role, status in (("ndtms_administrator", 200), ("clinician", 200), ("commissioner", 404)):
        browser = sign_in(Browser(), make_person(organisation, role=role))
        assert browser.get(address(organisation, episode)).status_code == status


def test_a_form_of_young_people_asks_for_date_and_stage_only() -> None:
    organisation = make_organisation()
    make_service(organisation)
    with acting_for(organisation):
        young = make_service(organisation, dataset=DataSet.YOUNG_PEOPLE)
        local = make_service(organisation, dataset=DataSet.CJIT)
    browser = sign_in(Browser(), make_person(organisation))
    episode = made(organisation, service=young)
    page = browser.get(address(organisation, episode))
    assert page.status_code == 200 and page.context["groups"] == []
    data = {k: v for k, v in typed(episode).items() if k not in answers()}
    assert browser.post(address(organisation, episode), data).status_code == 302
    assert browser.get(address(organisation, made(organisation, service=local))).status_code == 404


def test_the_form_costs_the_same_with_one_form_and_with_many(
    home: tuple[Organisation, Episode, Browser],
) -> None:
    organisation, episode, browser = home
    with acting_for(organisation):
        make_entry(Outcome, episode, stage="S", completed_on=STARTED)

    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(address(organisation, episode)).status_code == 200
        return len(asked)

    cost()
    one = cost()
    with acting_for(organisation):
        for number in range(30):
            make_entry(Outcome, episode, stage="R", completed_on=STARTED + dt.timedelta(days=number))
    assert cost() == one


def test_a_new_form_says_today_and_the_stage_of_its_button(
    home: tuple[Organisation, Episode, Browser],
) -> None:
    organisation, episode, browser = home
    page = browser.get(address(organisation, episode, "tops/new/?stage=R"))
    assert page.context["form"].initial["TRSTAGE"] == "R"
    assert page.context["period"][1] == clock.today() - dt.timedelta(days=1)
    assert (
        browser.get(address(organisation, episode, "tops/new/?stage=<x>")).context["form"].initial["TRSTAGE"]
        == ""
    )


def test_kept_weeks_read_only_what_adds_up(home: tuple[Organisation, Episode, Browser]) -> None:
    organisation, episode, _ = home
    with acting_for(organisation):
        items = {"ALCUSE": "14", "ALCUSE_WEEKS": "3 4 3 4", "OPIUSE": "2", "OPIUSE_WEEKS": "1 0 0 0"}
        row = make_entry(Outcome, episode, items=items)
    assert tops.kept_weeks(row) == {"ALCUSE": (3, 4, 3, 4)}
