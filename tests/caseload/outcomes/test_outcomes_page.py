"""The outcomes part of a record, its panel on the overview, and what leaves: not answered is NA everywhere and never 0."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from caseload.models import Client, ClientIdentity, Episode, EpisodeItems, Intervention, Outcome
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
STARTED = dt.date(2026, 4, 10)
FIRST = {
    "ALCUSE": "10",
    "OPIUSE": "26",
    "CRAUSE": "NA",
    "COCAUSE": "0",
    "SHARING": "NA",
    "HRISK": "Y",
    "QUALLIFE": "5",
}
SECOND = {
    "ALCUSE": "14",
    "OPIUSE": "NA",
    "CRAUSE": "0",
    "COCAUSE": "0",
    "SHARING": "N",
    "HRISK": "N",
    "QUALLIFE": "11",
}
THIRD = {**SECOND, "OPIUSE": "4"}


def in_treatment(organisation: Organisation, client: Any, *, service: Any = None, **fields: Any) -> Episode:
    with acting_for(organisation):
        registration = make_registration(client=client, service=service)
        episode = make_episode(registration=registration, **fields)
        make_entry(Intervention, episode, modality="94", started_on=STARTED)
        return episode


@pytest.fixture
def home() -> tuple[Organisation, Episode, Browser]:
    organisation = make_organisation()
    make_service(organisation)
    with acting_for(organisation):
        client = make_client()
        make_part(ClientIdentity, client, forename="Ana", surname="Ferreira")
    episode = in_treatment(organisation, client)
    return organisation, episode, sign_in(Browser(), make_person(organisation))


def add(
    organisation: Organisation, episode: Episode, stage: str, days: int | None, items: dict[str, str]
) -> Outcome:
    with acting_for(organisation):
        on = None if days is None else STARTED + dt.timedelta(days=days)
        top: Outcome = make_entry(Outcome, episode, stage=stage, completed_on=on, items=items)
        return top


def page(organisation: Organisation, episode: Episode, rest: str = "") -> str:
    return f"/o/{organisation.slug}/clients/{episode.client_id}/outcomes/{rest}"


def cells(html: str, label: str) -> list[str]:
    """The cells of the last row with this label, which is that of the table of all answers."""
    row = re.findall(rf"<tr><th scope=\"row\">{label}</th>(.*?)</tr>", html, re.S)[-1]
    return [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.S)]


def test_not_answered_is_na_in_table_chart_and_words(home: tuple[Organisation, Episode, Browser]) -> None:
    organisation, episode, browser = home
    for stage, days, items in (("S", 2, FIRST), ("R", 60, SECOND), ("R", 120, THIRD)):
        add(organisation, episode, stage, days, items)
    html = browser.get(page(organisation, episode)).content.decode()
    assert cells(html, "Opiates, not prescribed, days") == ["26", "NA", "4", "22 fewer days"]
    assert cells(html, "Crack cocaine, days") == ["NA", "0", "0", "Start: not answered"]
    assert cells(html, "Used someone else&#x27;s equipment") == ["NA", "No", "No", "Start: not answered"]
    assert cells(html, "Tobacco, days") == ["Not recorded"] * 3 + ["Start: not recorded"]
    chart = re.search(r'<svg[^>]*aria-labelledby="OPIUSE-t".*?</svg>', html, re.S)
    assert chart and "polyline" not in chart[0] and ">NA</text>" in chart[0]
    assert "10 Apr" not in chart[0] and "9 Jun 2026 not answered" in chart[0]
    assert (
        "Crack cocaine" not in re.findall(r'<svg[^>]*aria-labelledby="since-one-t".*?</svg>', html, re.S)[0]
    )
    assert 'aria-labelledby="COCAUSE-t"' not in html, "never above 0: not drawn unless asked for"
    assert (
        'aria-labelledby="COCAUSE-t"'
        in browser.get(page(organisation, episode, "?show=all")).content.decode()
    )
    assert " style=" not in html


def test_the_overview_has_lines_beside_words(home: tuple[Organisation, Episode, Browser]) -> None:
    organisation, episode, browser = home
    overview = page(organisation, episode).removesuffix("outcomes/")
    assert "No TOP yet" in browser.get(overview).content.decode()
    add(organisation, episode, "S", 2, FIRST)
    assert "Only the start TOP" in browser.get(overview).content.decode()
    add(organisation, episode, "R", 60, SECOND)
    add(organisation, episode, "R", 120, THIRD)
    html = browser.get(overview).content.decode()
    assert "Opiates, not prescribed: 26, not answered, 4" in html and "22 fewer days" in html
    assert "6 higher" in html


def test_two_episodes_are_never_compared(home: tuple[Organisation, Episode, Browser]) -> None:
    organisation, episode, browser = home
    with acting_for(organisation):
        client = Client.objects.get(pk=episode.client_id)
    before = in_treatment(
        organisation, client, referred_on=dt.date(2023, 2, 1), discharged_on=dt.date(2023, 10, 1)
    )
    add(organisation, before, "S", -1000, {"ALCUSE": "28"})
    add(organisation, episode, "R", 60, {"ALCUSE": "3"})
    shown = browser.get(page(organisation, episode))
    assert shown.context["episode"] == episode and shown.context["since"] is None
    assert "28 Apr" not in shown.content.decode() and "No start TOP" in shown.content.decode()
    old = browser.get(page(organisation, episode, f"?episode={before.pk}"))
    assert old.context["episode"] == before and [f.stage for f in old.context["columns"]] == ["S"]
    assert [d["stage"] for d in old.context["dues"]] == ["Start", "Exit"]


def test_another_clients_episode_is_never_shown(home: tuple[Organisation, Episode, Browser]) -> None:
    organisation, episode, browser = home
    with acting_for(organisation):
        other = make_client()
    strange = in_treatment(organisation, other)
    add(organisation, strange, "S", 2, {"ALCUSE": "28"})
    for asked in (str(strange.pk), "nonsense"):
        shown = browser.get(page(organisation, episode, f"?episode={asked}"))
        assert shown.context["episode"] == episode and shown.context["columns"] == []


def test_a_form_without_a_date_is_in_the_table_and_not_on_the_charts(
    home: tuple[Organisation, Episode, Browser],
) -> None:
    organisation, episode, browser = home
    add(organisation, episode, "S", 2, FIRST)
    add(organisation, episode, "", None, {"OPIUSE": "7"})
    shown = browser.get(page(organisation, episode))
    html = shown.content.decode()
    assert cells(html, "Opiates, not prescribed, days") == ["26", "7"]
    assert "No date" in html and "No stage" in html and shown.context["since"] is None
    assert all(len(one.chart.marks) <= 1 for one in shown.context["drawn"])


def test_entered_in_error_goes_and_comes_back(home: tuple[Organisation, Episode, Browser]) -> None:
    organisation, episode, browser = home
    top = add(organisation, episode, "S", 2, FIRST)
    html = browser.get(page(organisation, episode)).content.decode()
    [void] = re.findall(r'href="([^"]+/void/)"', html)
    data = {"client": str(episode.client_id), "reason": "of another client"}
    assert browser.post(void, data).status_code == 302
    html = browser.get(page(organisation, episode)).content.decode()
    assert "of another client" in html and "No TOP yet" in html
    [action] = re.findall(
        r'action="([^"]+)"[^>]*><input type="hidden" name="csrf[^>]*><input[^>]*name="client"', html
    )
    back = {"client": str(episode.client_id), "list": "tops", "entry": str(top.pk)}
    assert browser.post(action, back).status_code == 302
    assert "No TOP yet" not in browser.get(page(organisation, episode)).content.decode()


def test_who_only_reads_sees_no_way_to_change(home: tuple[Organisation, Episode, Browser]) -> None:
    organisation, episode, browser = home
    add(organisation, episode, "S", 2, FIRST)
    assert "Correct" in browser.get(page(organisation, episode)).content.decode()
    administrator = sign_in(Browser(), make_person(organisation, role="ndtms_administrator"))
    html = administrator.get(page(organisation, episode)).content.decode()
    assert "Correct" in html and "Entered in error" not in html
    officer = sign_in(Browser(), make_person(organisation, role="information_governance"))
    assert officer.get(page(organisation, episode)).status_code == 404


def test_young_people_have_two_forms_with_their_dates() -> None:
    organisation = make_organisation()
    make_service(organisation)
    with acting_for(organisation):
        young = make_service(organisation, dataset=DataSet.YOUNG_PEOPLE)
        local = make_service(organisation, dataset=DataSet.CJIT)
        client, other = make_client(), make_client()
    episode = in_treatment(organisation, client, service=young)
    with acting_for(organisation):
        EpisodeItems.objects.create(
            client=client, episode=episode, category="circumstances", items={"YPSGP": "Y", "VETERAN": "1"}
        )
    browser = sign_in(Browser(), make_person(organisation))
    shown = browser.get(page(organisation, episode))
    start, end = shown.context["young"]
    assert (start["filled"], start["last"], end["filled"], end["last"]) == (
        1,
        STARTED + dt.timedelta(days=14),
        0,
        None,
    )
    assert start["asked"] > 10 and "young-person-start" in start["url"]
    form = browser.get(start["url"]).content.decode()
    assert "Registered with a practice now" in form and "No source says what this is" in form
    html = browser.get(page(organisation, in_treatment(organisation, other, service=local))).content.decode()
    assert "No outcome forms" in html


def test_the_page_costs_the_same_for_one_form_and_for_many(
    home: tuple[Organisation, Episode, Browser],
) -> None:
    organisation, episode, browser = home
    add(organisation, episode, "S", 2, FIRST)
    add(organisation, episode, "R", 30, SECOND)
    overview = page(organisation, episode).removesuffix("outcomes/")

    def cost(address: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(address).status_code == 200
        return len(asked)

    places = (page(organisation, episode), page(organisation, episode, "?show=all"), overview)
    for at in places:
        cost(at)
    before = [cost(at) for at in places]
    with acting_for(organisation):
        for number in range(60):
            make_entry(
                Outcome,
                episode,
                stage="R",
                completed_on=STARTED + dt.timedelta(days=40 + number),
                items=THIRD,
            )
        for _ in range(5):
            make_entry(Outcome, episode, stage="R", voided_at=clock.now(), voided_reason="twice")
    assert [cost(at) for at in places] == before
