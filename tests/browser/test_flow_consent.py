"""Each answer to the NDTMS question in turn, of an adult and of a young person: the history shows all of them; scripts or none."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from caseload.models import Client, Episode, Registration
from consent.models import ConsentAct
from edatrs.core import clock
from edatrs.organisations.choices import DataSet
from edatrs.organisations.models import Organisation
from tests.browser.flows import AddUser, New, SignIn, both, heading, known, office
from tests.browser.test_consent import PDF
from tests.browser.test_submissions import look_at
from tests.core.world import acting_for
from tests.factories.caseload import make_episode

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def in_treatment(organisation: Organisation, client: Client) -> None:
    with acting_for(organisation):
        make_episode(registration=Registration.objects.get(client=client), consent="")


def adult(organisation: Organisation) -> Client:
    client = known(organisation, "Keeley", "Marsh", dt.date(1984, 3, 14), "20417")
    in_treatment(organisation, client)
    return client


def young(organisation: Organisation) -> Client:
    born = clock.today() - dt.timedelta(days=15 * 365 + 100)
    client = known(organisation, "Ines", "Vale", born, "50417")
    in_treatment(organisation, client)
    return client


def told(page: Page) -> None:
    """What comes before every yes."""
    page.get_by_label("I said or read out").check()
    page.get_by_label("the leaflet, or they have seen it").check()
    page.get_by_label("I asked for questions").check()


def record(page: Page, answer: str, how: str = "By telling me") -> None:
    page.get_by_label(answer, exact=True).check()
    if answer != "Not now":
        page.get_by_label(how).check()
    page.get_by_role("button", name="Record the answer").click()


@both
def test_not_now_then_no_then_yes_in_writing_then_withdrawn_all_stand_in_the_history(
    transactional_db: None,
    add_user: AddUser,
    new_context: New,
    sign_in: SignIn,
    tmp_path: Path,
    javascript: bool,
) -> None:
    organisation = office("open-road", "Open Road", "T0101")
    client = adult(organisation)
    page = new_context(java_script_enabled=javascript).new_page()
    sign_in(page, add_user(organisation, "keyworker"))
    page.goto(f"/o/open-road/clients/{client.pk}/consent/")
    main, history = page.locator("main"), page.locator(".moj-timeline")
    # The form's note stands beside the answer that it belongs to: with scripts it comes with it.
    page.get_by_label("Not now", exact=True).check()
    page.get_by_label("Why not now").fill("Unwell today")
    record(page, "Not now")
    expect(main).to_contain_text("Kept: asked, and no answer yet")
    record(page, "No, do not send it")
    expect(main).to_contain_text("The answer is recorded: no")
    # From no to yes is asked anew. What the steps lack is said at the steps, and what was chosen stays.
    record(page, "Yes, send it", "In writing")
    expect(page.get_by_role("alert")).to_contain_text("Give the leaflet before you record yes")
    expect(page.get_by_label("Yes, send it", exact=True)).to_be_checked()
    told(page)
    form = tmp_path / "signed.pdf"
    form.write_bytes(b"no form at all")
    page.get_by_label("The signed form").set_input_files(form)
    page.get_by_role("button", name="Record the answer").click()
    expect(page.get_by_role("alert")).to_contain_text("PDF")
    form.write_bytes(PDF)
    page.get_by_label("The signed form").set_input_files(form)
    page.get_by_role("button", name="Record the answer").click()
    expect(main).to_contain_text("The answer is recorded: yes")
    page.get_by_role("link", name="Withdraw NDTMS consent").click()
    expect(heading(page)).to_have_text("Withdraw NDTMS consent")
    page.get_by_label("Stop everything from this organisation").check()
    page.get_by_label("By telling me").check()
    page.get_by_role("button", name="Continue: what will happen").click()
    page.get_by_role("button", name="Record the withdrawal").click()
    expect(main).to_contain_text("The withdrawal is recorded for 1 episode")
    for words in ("Unwell today", "Withdrawn", "Yes", "No", "Signed form"):
        expect(history).to_contain_text(words)
    expect(history.locator(".moj-timeline__item")).to_have_count(4)
    expect(history.locator(".moj-timeline__item").first).to_contain_text("Withdrawn")
    expect(history.locator(".moj-timeline__item").first).to_contain_text("In force")
    look_at(page, f"consent-all-{javascript}")
    with acting_for(organisation):
        acts = ConsentAct.objects.order_by("recorded_at").values_list("decision", flat=True)
        assert list(acts) == ["N", "Y", "N"]
        assert Episode.objects.get().consent == "N"


@both
def test_a_young_persons_yes_needs_that_they_can_decide_or_that_a_parent_permits(
    transactional_db: None, add_user: AddUser, new_context: New, sign_in: SignIn, javascript: bool
) -> None:
    """O-106."""
    organisation = office("young-road", "Young Road", "T0303", dataset=DataSet.YOUNG_PEOPLE)
    client = young(organisation)
    page = new_context(java_script_enabled=javascript).new_page()
    sign_in(page, add_user(organisation, "keyworker"))
    page.goto(f"/o/young-road/clients/{client.pk}/consent/")
    main, alert = page.locator("main"), page.get_by_role("alert")
    assert page.locator("main input:checked").count() == 0
    told(page)
    record(page, "Yes, send it")
    expect(alert).to_contain_text("Choose first whether they can decide this")
    page.get_by_label("I am not sure").check()
    page.get_by_role("button", name="Record the answer").click()
    expect(alert).to_contain_text("Ask your team manager first")
    page.get_by_label("Yes, they understand and can decide").check()
    page.get_by_role("button", name="Record the answer").click()
    expect(alert).to_contain_text("Write one line on how you know that they understand")
    look_at(page, f"consent-young-{javascript}")
    page.get_by_label("How you know that they understand").fill("Said back what is sent and to whom")
    page.get_by_role("button", name="Record the answer").click()
    expect(main).to_contain_text("The answer is recorded: yes")
    expect(page.locator(".moj-timeline")).to_contain_text("Said back what is sent and to whom")
    # Asked again a week later, it is a parent who decides with them: a new act, and the first stays.
    told(page)
    page.get_by_label("No, or not for now").check()
    record(page, "Yes, send it")
    expect(alert).to_contain_text("Enter the name of the parent or guardian")
    page.get_by_label("Who gives permission").fill("Berta Vale")
    page.get_by_label("What they are to").select_option("Mother, parental responsibility")
    page.get_by_role("button", name="Record the answer").click()
    expect(main).to_contain_text("The answer is recorded: yes")
    items = page.locator(".moj-timeline__item")
    expect(items).to_have_count(2)
    expect(items.first).to_contain_text("Permission by Berta Vale (Mother, parental responsibility)")
    expect(items.last).to_contain_text("Decides alone")
    # A no of a young person counts whatever was thought of their competence.
    record(page, "No, do not send it")
    expect(main).to_contain_text("The answer is recorded: no")
    with acting_for(organisation):
        assert Episode.objects.get().consent == "N"
        assert ConsentAct.objects.count() == 3
