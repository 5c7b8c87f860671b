"""What `test_episodes` leaves out: an intervention ended by itself, drafts and checks at the discharge, and the episode opened again."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import expect

from caseload.models import Client, Episode, EpisodeClosing, Intervention, Registration
from edatrs.core import clock
from edatrs.organisations.models import Organisation
from tests.browser.flows import AddUser, New, SignIn, both, heading, known, office, type_date
from tests.browser.test_submissions import look_at
from tests.core.world import acting_for
from tests.factories.caseload import make_entry, make_episode

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def organisation(transactional_db: None) -> Organisation:
    return office("open-road", "Open Road", "T0101")


@pytest.fixture
def client(organisation: Organisation) -> Client:
    return known(organisation, "Marcus", "Fenwick", dt.date(1984, 3, 14), "20417")


@pytest.fixture
def episode(organisation: Organisation, client: Client) -> Episode:
    """In treatment for two months, with two interventions that go on."""
    began = clock.today() - dt.timedelta(days=60)
    with acting_for(organisation):
        made = make_episode(
            registration=Registration.objects.get(client=client),
            referred_on=began,
            triaged_on=began + dt.timedelta(days=3),
        )
        for modality, days in (("94", 5), ("95", 10)):
            make_entry(Intervention, made, modality=modality, started_on=began + dt.timedelta(days=days))
        return made


@both
def test_confidentiality_comes_before_triage_and_not_yet_needs_a_reason(
    organisation: Organisation,
    client: Client,
    add_user: AddUser,
    new_context: New,
    sign_in: SignIn,
    javascript: bool,
) -> None:
    """O-132."""
    with acting_for(organisation):
        waiting = make_episode(
            registration=Registration.objects.get(client=client),
            referred_on=clock.today() - dt.timedelta(days=9),
            triaged_on=None,
        )
    page = new_context(java_script_enabled=javascript).new_page()
    sign_in(page, add_user(organisation, "keyworker"))
    page.goto(f"/o/open-road/clients/{client.pk}/episodes/{waiting.pk}/")
    page.get_by_role("button", name="Triage").click()
    expect(page.get_by_role("region", name="First: explain confidentiality")).to_be_visible()
    triaged = clock.today() - dt.timedelta(days=2)
    type_date(page, "TRIAGED", triaged)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text(
        "Record first that the confidentiality policy was explained"
    )
    page.get_by_role("button", name="Keep as a draft").click()
    page.get_by_role("button", name="Explain confidentiality").click()
    page.get_by_role("button", name="Record what was done").click()
    expect(page.get_by_role("alert")).to_contain_text("There is a problem")
    page.get_by_label("Not yet").check()
    page.get_by_role("button", name="Record what was done").click()
    expect(page.get_by_role("alert")).to_contain_text("There is a problem")
    page.locator("#id_reason").fill("Came in withdrawal, asked to come back on Thursday")
    page.get_by_role("button", name="Record what was done").click()
    expect(heading(page)).to_contain_text("Triage")
    expect(page.locator("#id_TRIAGED_day")).to_have_value(str(triaged.day))
    page.get_by_role("button", name="Save", exact=True).click()
    with acting_for(organisation):
        assert Episode.objects.get().triaged_on == triaged
    # It stays a thing to do, with the reason beside it.
    page.goto(f"/o/open-road/clients/{client.pk}/episodes/{waiting.pk}/")
    box = page.get_by_role("region", name="Confidentiality")
    expect(box).to_contain_text("Not explained yet")
    expect(box).to_contain_text("Came in withdrawal")


@both
def test_ended_discharged_opened_again_and_discharged_once_more(
    organisation: Organisation,
    client: Client,
    episode: Episode,
    add_user: AddUser,
    new_context: New,
    sign_in: SignIn,
    javascript: bool,
) -> None:
    page = new_context(java_script_enabled=javascript).new_page()
    today = clock.today()
    main = page.locator("main")
    here = f"/o/open-road/clients/{client.pk}/episodes/{episode.pk}/"
    sign_in(page, add_user(organisation, "keyworker"))
    # One intervention ends by itself; an end without how it ended is said, and what was typed stays.
    page.goto(here)
    page.get_by_role("region", name="Interventions").get_by_role("link", name="Pharmacological").click()
    ended = today - dt.timedelta(days=10)
    type_date(page, "MODEND", ended)
    page.get_by_label("Mutually agreed planned exit").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(heading(page)).to_contain_text("Episode")
    # A form left open is one of the checks.
    page.get_by_role("link", name="Change substances").click()
    page.get_by_label("Problem substance 1").first.select_option("1011")
    page.get_by_role("button", name="Keep as a draft").click()
    page.goto(here)
    page.get_by_role("button", name="Discharge").click()
    checks = page.get_by_role("region", name="Before you close it")
    expect(checks).to_contain_text("draft")
    expect(checks).to_contain_text("NDTMS consent")
    type_date(page, "DISD", today)
    page.get_by_label("Discharge reason").select_option("80")
    page.get_by_role("button", name="Discharge").click()
    expect(page.locator("#problems")).to_contain_text("This intervention is open")
    look_at(page, f"discharge-checks-{javascript}")
    page.get_by_label("End “Psychosocial intervention”").check()
    page.get_by_label("Exit status").select_option("A")
    page.get_by_role("button", name="Discharge").click()
    expect(page.locator("#problems")).to_contain_text("enter why it is closed all the same")
    expect(page.get_by_label("Discharge reason")).to_have_value("80")
    page.get_by_label("Why it is closed all the same").fill("Moved to Leeds, nobody can ask any more")
    page.get_by_role("button", name="Discharge").click()
    expect(main).to_contain_text("Discharged. The episode can be opened again")
    with acting_for(organisation):
        assert Episode.objects.get().discharged_on == today
        assert set(Intervention.objects.values_list("modality", "ended_on")) == {("94", ended), ("95", today)}
    # Opened again: not without a reason; only what ended with it is offered to go on.
    page.get_by_role("button", name="Open again").click()
    expect(main).to_contain_text("The discharge date, the reason and the destination are taken out")
    offered = page.get_by_role("group", name="Open again with it")
    expect(offered.get_by_role("checkbox")).to_have_count(1)
    page.get_by_role("button", name="Open it again").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter the reason")
    offered.get_by_role("checkbox").check()
    page.get_by_label("Reason").fill("Came back the same week")
    page.get_by_role("button", name="Open it again").click()
    expect(main).to_contain_text("The episode is open again")
    look_at(page, f"reopened-{javascript}")
    told = page.get_by_role("region", name="Closed and opened")
    expect(told).to_contain_text("Opened again")
    expect(told).to_contain_text("Came back the same week")
    expect(told).to_contain_text("Moved to Leeds")
    with acting_for(organisation):
        again = Episode.objects.get()
        assert (again.discharged_on, again.discharge_reason) == (None, "")
        assert set(Intervention.objects.values_list("modality", "ended_on")) == {("94", ended), ("95", None)}
        assert EpisodeClosing.objects.count() == 2
    # And once more: the checks are asked anew, nothing of the first time is taken for granted.
    page.get_by_role("button", name="Discharge").click()
    type_date(page, "DISD", today)
    page.get_by_label("Discharge reason").select_option("80")
    page.get_by_label("End “Psychosocial intervention”").check()
    page.get_by_label("Exit status").select_option("A")
    page.get_by_role("button", name="Discharge").click()
    expect(page.locator("#problems")).to_contain_text("enter why it is closed all the same")
    page.get_by_label("Why it is closed all the same").fill("Gone again")
    page.get_by_role("button", name="Discharge").click()
    expect(main).to_contain_text("Discharged. The episode can be opened again")
    expect(told.get_by_role("listitem")).to_have_count(3)
