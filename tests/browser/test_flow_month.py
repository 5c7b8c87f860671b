"""The month around a file, in a browser: a red list put right, built, downloaded, loaded; then a withdrawal to its resolved mismatch."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from caseload.models import Episode, Registration
from consent import services
from edatrs.core import clock, registry
from edatrs.organisations.models import Organisation, User
from ndtms.models import Submission
from tests.browser.axe import serious
from tests.browser.flows import AddUser, New, SignIn, heading, known, office
from tests.browser.test_submissions import look_at, messages_of
from tests.core.world import acting_for
from tests.factories.caseload import make_episode
from tests.factories.work import allocate

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def agreed(organisation: Organisation, worker: User) -> Any:
    """A client of a keyworker with an agreed episode of which the main substance is not recorded: nothing of it can be sent (E07)."""
    client = known(organisation, "Keeley", "Marsh", dt.date(1984, 3, 14), "20417", sex="F")
    with acting_for(organisation):
        allocate(client, worker)
        registration = Registration.objects.get(client=client)
        episode = make_episode(
            registration=registration,
            consent="",
            referred_on=dt.date(2026, 1, 5),
            triaged_on=dt.date(2026, 1, 6),
            drug_1="",
        )
        services.record_ndtms_decision(
            episode=episode,
            decision="Y",
            decided_on=dt.date(2026, 1, 6),
            method="oral",
            statement_version="1",
            statement_said=True,
            leaflet_given=True,
            questions_answered=True,
            acting_user=worker,
        )
        registry.episodes_changed([episode.pk])
    return client


def build_and_load(page: Page) -> str:
    """A file built by the worker, looked at, downloaded and recorded as loaded."""
    page.goto("/o/open-road/submissions/")
    page.get_by_role("button", name="Build the file").click()
    for _ in range(60):
        if page.get_by_role("heading", name="What NDTMS will do with this file").count():
            break
        page.wait_for_timeout(500)
        if page.get_by_role("link", name="See what became of it").count():
            page.get_by_role("link", name="See what became of it").click()
    expect(heading(page)).to_have_text("What NDTMS will do with this file")
    with page.expect_download() as taken:
        page.get_by_role("button", name="Download").first.click()
    text = Path(taken.value.path()).read_text(encoding="utf-8")
    page.reload()
    page.get_by_role("button", name="Record as loaded").click()
    expect(heading(page)).to_have_text("NDTMS took this file")
    return text


def test_from_a_red_list_to_a_confirmed_load_and_a_withdrawal_to_its_resolved_mismatch(
    transactional_db: None,
    add_user: AddUser,
    new_context: New,
    sign_in: SignIn,
    celery_worker: Any,
    tmp_path: Path,
) -> None:
    organisation = office("open-road", "Open Road", "T0101")
    worker, administrator = (add_user(organisation, r) for r in ("keyworker", "ndtms_administrator"))
    client = agreed(organisation, worker)
    key, desk = new_context().new_page(), new_context().new_page()
    said = [*messages_of(key), *messages_of(desk)]
    sign_in(key, worker)
    sign_in(desk, administrator)

    # Nobody can say that there is nothing to report, and the red list says what is in the way.
    desk.goto("/o/open-road/submissions/calendar/")
    desk.locator("tbody a").filter(has_text="Due").first.click()
    desk.get_by_role("button", name="Record a nil return").click()
    expect(desk.locator("main")).to_contain_text("There is something to report: 1 agreed episode")
    assert serious(desk) == []
    key.goto("/o/open-road/data-quality/")
    expect(key.locator("main")).to_contain_text("MARSH, Keeley")
    look_at(key, "month-red")
    key.locator("a[href*='#id_DRUG1']").first.click()
    key.locator("#id_DRUG1").select_option(index=1)
    key.get_by_role("button", name="Save").first.click()
    expect(heading(key)).to_have_text("Data quality")
    with acting_for(organisation):
        assert Episode.objects.get().drug_1

    # Built, downloaded, loaded: the calendar says so.
    text = build_and_load(desk)
    assert ",20417," in text and text.count("\n") == 2
    desk.goto("/o/open-road/submissions/calendar/")
    expect(desk.locator("main")).to_contain_text("Loaded")
    expect(desk.locator("tbody tr").first).to_contain_text("Done")
    look_at(desk, "month-loaded")

    # She does not want NDTMS to have it any more.
    key.goto(f"/o/open-road/clients/{client.pk}/consent/withdraw/")
    key.get_by_label("Stop everything from this organisation").check()
    key.get_by_label("By telling me").check()
    key.get_by_role("button", name="Continue: what will happen").click()
    expect(key.locator("main")).to_contain_text("Removed")
    assert serious(key) == []
    look_at(key, "month-withdrawal-check")
    key.get_by_role("button", name="Record the withdrawal").click()
    expect(key.locator("main")).to_contain_text("It takes effect when we next send our file, due")

    # The next file says it, NDTMS returns it as a mismatch, and consent explains that by itself.
    text = build_and_load(desk)
    assert text.count("\n") == 2 and "MARSH" not in text
    with acting_for(organisation):
        assert Submission.objects.count() == 2
        episode = Episode.objects.get()
    returned = tmp_path / "mismatches.csv"
    line = f"T0101,20417,{episode.episode_id},missing\n"
    returned.write_text("agency_code,client_id,episode_id,kind\n" + line + line, encoding="utf-8")
    desk.goto("/o/open-road/submissions/mismatches/")
    desk.get_by_label("The list that NDTMS returned").set_input_files(returned)
    desk.get_by_role("button", name="Take the list in").click()
    expect(desk.locator("main")).to_contain_text("mismatches.csv:3: the same as line 2")
    assert serious(desk) == []
    returned.write_text("agency_code,client_id,episode_id,kind\n" + line, encoding="utf-8")
    desk.get_by_label("The list that NDTMS returned").set_input_files(returned)
    desk.get_by_role("button", name="Take the list in").click()
    expect(desk.locator("main")).to_contain_text("1 resolved by consent, nothing to work")
    assert serious(desk) == []
    look_at(desk, "month-mismatches")
    key.goto(f"/o/open-road/clients/{client.pk}/consent/{episode.pk}/")
    expect(key.locator("main")).to_contain_text("Seen as a resolved mismatch")
    expect(key.locator("main")).to_contain_text("Loaded by NDTMS: taken out")
    assert serious(key) == []
    look_at(key, "month-withdrawn")
    assert said == [] and clock.today() >= episode.consent_on
