"""A list is asked for, looked at and taken as a file; what a field said before; the banner of a partner that left."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path

import pytest
from playwright.sync_api import expect

from edatrs.core import clock
from tests.browser.flows import AddUser, New, SignIn, heading, known, office
from tests.browser.test_episodes import look_at
from tests.factories.sharing import make_agreement, party

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BORN = dt.date(1991, 8, 9)


def test_a_list_is_exported_and_a_field_tells_its_history(
    add_user: AddUser, new_context: New, sign_in: SignIn, tmp_path: Path
) -> None:
    home, other = office("open-road", "Open Road", "T0101"), office("tide-mill", "Tide Mill", "T0202")
    client = known(home, "Jordan", "Ashby", BORN, "7", sex="M")
    known(home, "Priya", "Okafor", BORN, "8", sex="F")
    page = new_context(accept_downloads=True).new_page()
    sign_in(page, add_user(home, "team_manager"))
    page.goto("/o/open-road/clients/")
    page.get_by_role("link", name="Export this list").click()
    expect(heading(page)).to_have_text("Export a list")
    look_at(page, "export-new")
    page.get_by_role("button", name="Look at it first").click()
    expect(page.get_by_role("alert")).to_contain_text("Say why you need the list")
    look_at(page, "export-new-wrong")
    page.get_by_label("Planning or checking our own work").check()
    page.get_by_label("Why do you need it?").fill("To plan cover for the holidays")
    page.get_by_role("button", name="Look at it first").click()
    expect(heading(page)).to_have_text("Check the export")
    expect(page.locator("main")).to_contain_text("2 lines, 2 people")
    expect(page.locator("main")).not_to_contain_text("Ashby")
    look_at(page, "export-check")
    page.get_by_role("button", name="Prepare the file").click()
    expect(heading(page)).to_have_text("Export of a list")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download the file").click()
    waiting.value.save_as(tmp_path / "list.csv")
    rows = list(csv.reader(io.StringIO((tmp_path / "list.csv").read_text("utf-8-sig"))))
    assert rows[0][:2] == ["Record number", "Client ID"] and [row[1] for row in rows[1:]] == ["7", "8"]
    page.reload()
    expect(page.get_by_role("region", name="Downloads")).to_contain_text("2 lines")
    look_at(page, "export")
    page.get_by_role("link", name="Exports of lists").first.click()
    look_at(page, "exports")
    # ---- history
    page.goto(f"/o/open-road/clients/{client.pk}/details/identity/")
    page.get_by_label("Forename").fill("Jordon")
    page.get_by_role("button", name="Save").click()
    look_at(page, "details-with-history")
    page.get_by_role("link", name="History of Forename").click()
    expect(page.locator("main")).to_contain_text("Changed from Jordan to Jordon")
    look_at(page, "history-field")
    page.get_by_role("link", name="All of identity").click()
    look_at(page, "history")
    page.goto(f"/o/open-road/clients/{client.pk}/details/identity/")
    page.get_by_text("History of Forename: 1 change").click()
    look_at(page, "form-with-history")
    # ---- the partner leaves
    yesterday = clock.today() - dt.timedelta(days=1)
    agreement = make_agreement(home, other, signed_on=dt.date(2026, 1, 1))
    party(agreement, home, notice_received_on=dt.date(2026, 1, 2), leaves_on=yesterday)
    page.goto(f"/o/open-road/clients/{client.pk}/")
    expect(page.get_by_role("region", name="Left the agreement")).to_be_visible()
    look_at(page, "left-overview")
    page.goto(f"/o/open-road/clients/{client.pk}/details/identity/")
    expect(heading(page)).to_have_text("Your organisation left the agreement")
    look_at(page, "left-refused")
