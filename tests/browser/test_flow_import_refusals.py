"""A zip that an NDTMS administrator must not load is refused with words, and nothing of it is written; scripts or none."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from edatrs.organisations.models import Organisation, User
from ndtms.models import ImportRun
from tests.browser.flows import AddUser, New, SignIn, both, heading
from tests.browser.test_import import IMPORT, SLUG, until
from tests.browser.test_submissions import SAMPLE
from tests.core.world import acting_for
from tests.ndtms.importing import bring

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def administrator(transactional_db: None, add_user: AddUser) -> User:
    call_command("load_partnership", stdout=io.StringIO())
    return add_user(Organisation.objects.get(slug=SLUG), "ndtms_administrator")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The part of the sample that the organisation may bring."""
    return bring.of_agencies(tmp_path / "own", SAMPLE / "bundle-1", {"E1001"})


def with_names(folder: Path, names: dict[str, str]) -> bytes:
    """A zip of the folder in which some files carry other names."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for path in sorted(folder.glob("*.csv")):
            made.writestr(names.get(path.name, path.name), path.read_bytes())
    return out.getvalue()


@both
def test_names_that_lead_out_folders_and_what_is_no_zip_are_refused_at_once(
    administrator: User, own: Path, new_context: New, sign_in: SignIn, tmp_path: Path, javascript: bool
) -> None:
    page = new_context(java_script_enabled=javascript).new_page()
    sign_in(page, administrator)
    page.goto(IMPORT)
    page.get_by_role("button", name="Read the file").click()
    expect(page.get_by_role("alert")).to_contain_text("There is a problem")
    sent = tmp_path / "caseload.zip"
    for raw, words in (
        (
            with_names(own, {"clients.csv": "../clients.csv"}),
            "../clients.csv has a name that leads out of the zip",
        ),
        (
            with_names(own, {"clients.csv": "november/clients.csv"}),
            "is in a folder. Mark the CSV files themselves",
        ),
        (
            (own / "clients.csv").read_bytes(),
            "This is not a zip. Put the CSV files of the bundle into one zip",
        ),
        (with_names(own, {})[:-200], "The zip is damaged or cut off"),
    ):
        sent.write_bytes(raw)
        page.get_by_label("Zip with the CSV files").set_input_files(sent)
        page.get_by_role("button", name="Read the file").click()
        expect(page.get_by_role("alert")).to_contain_text(words)
        expect(page).to_have_title(re.compile("^Error: "))
        expect(page.locator("main")).to_contain_text("Nothing was imported yet")
    with acting_for(Organisation.objects.get(slug=SLUG)):
        assert not ImportRun.objects.exists()


@both
def test_lines_of_another_organisations_service_are_refused_by_line_and_nothing_is_written(
    administrator: User,
    new_context: New,
    sign_in: SignIn,
    celery_worker: Any,
    tmp_path: Path,
    javascript: bool,
) -> None:
    page = new_context(java_script_enabled=javascript).new_page()
    sign_in(page, administrator)
    # The whole partnership's bundle: what is ours is in it, and so is what is not.
    sent = tmp_path / "partnership.zip"
    sent.write_bytes(bring.zipped(SAMPLE / "bundle-1"))
    page.goto(IMPORT)
    page.get_by_label("Zip with the CSV files").set_input_files(sent)
    page.get_by_role("button", name="Read the file").click()
    until(page, "This file cannot be loaded yet", javascript)
    main = page.locator("main")
    expect(main).to_contain_text("Nothing was written: lines are wrong")
    expect(page.get_by_role("table", name="Lines of the import")).to_contain_text(
        f"You load for {SLUG}: take out the lines of other organisations"
    )
    expect(main.get_by_role("row").filter(has_text="services.csv:").first).to_be_visible()
    expect(page.get_by_role("button", name="Write this import")).to_have_count(0)
    page.get_by_role("button", name="Delete this file and its preview").click()
    page.goto(IMPORT)
    expect(heading(page)).to_have_text("Import a caseload")
    with acting_for(Organisation.objects.get(slug=SLUG)):
        from caseload.models import Client

        assert not Client.objects.exists()
