"""The pages of the import: what is shown to whom, by key, at a fixed cost; looking at lines is on the trail."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEvent
from edatrs.core import clock
from edatrs.organisations.models import Organisation
from ndtms.choices import ImportState, LineKind
from ndtms.models import ImportLine, ImportRun
from ndtms.selectors_imports import LINES, PAGE
from tests.factories.ndtms import make_import
from tests.ndtms.importing import bring

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def own() -> Organisation:
    return bring.provider(("E1", "adult"))


def made(organisation: Organisation, **fields: Any) -> ImportRun:
    with bring.acting_for(organisation):
        return make_import(**fields)


def rows(page: str) -> list[str]:
    lines = page[page.index('id="lines"') :]
    return re.findall(r'<tr><th scope="row" class="app-nowrap">([^<]*)<', lines)


@pytest.mark.parametrize("act", ["", "progress", "confirm", "cancel"])
def test_another_organisations_import_is_not_there(act: str, own: Organisation) -> None:
    run = made(bring.provider(("E2", "adult")))
    browser = bring.browser_of(own)
    ask = browser.post if act in ("confirm", "cancel") else browser.get
    answers = [ask(bring.address(own, pk, act)) for pk in (run.pk, uuid4())]
    assert [answer.status_code for answer in answers] == [404, 404]
    token = re.compile(rb'csrfmiddlewaretoken" value="\w+"')
    assert token.sub(b"", answers[0].content) == token.sub(b"", answers[1].content)


@pytest.mark.parametrize(
    "role", ["keyworker", "team_manager", "information_governance", "organisation_administrator"]
)
def test_only_the_ndtms_administrator_imports(role: str, own: Organisation) -> None:
    browser = bring.browser_of(own, role)
    assert browser.get(bring.address(own)).status_code == 404
    assert bring.send(browser, own, b"PK").status_code == 404


def test_every_line_is_met_once_by_key_with_old_and_new(own: Organisation) -> None:
    run = made(own, lines=LINES * 2 + 7)
    browser = bring.browser_of(own)
    seen: list[str] = []
    query = ""
    while True:
        page = browser.get(bring.address(own, run.pk) + query).content.decode()
        seen += rows(page)
        more = re.search(r'href="(\?kind=changes&amp;file=&amp;after=\d+)', page)
        if more is None:
            break
        query = more[1].replace("&amp;", "&")
    assert seen == [f"episodes.csv:{place + 1}" for place in range(1, LINES * 2 + 8)]
    assert "<del>2026-01-01</del>" in page and "<ins>2026-01-02</ins>" in page and "Referral date" in page


def test_lines_are_filtered_by_kind_and_file(own: Organisation) -> None:
    run = made(own, lines=3)
    with bring.acting_for(own):
        ImportLine.objects.filter(run=run, place=1).update(kind=LineKind.UNCHANGED, changes=[])
        ImportLine.objects.filter(run=run, place=2).update(kind=LineKind.CREATED)
    browser = bring.browser_of(own)

    def shown(query: str) -> int:
        return len(rows(browser.get(bring.address(own, run.pk) + query).content.decode()))

    asked = (
        "",
        "?kind=changes",
        "?kind=all",
        "?kind=unchanged",
        "?kind=nonsense",
        "?file=episodes.csv",
        "?file=../x",
    )
    assert [shown(query) for query in asked] == [2, 2, 3, 1, 2, 2, 2]
    assert (
        shown("?kind=all&after=2") == 1
        and shown("?kind=all&after=x") == 3
        and shown(f"?kind=all&after={9**30}") == 3
    )


def test_a_preview_and_the_list_cost_the_same_for_one_line_and_for_many(own: Organisation) -> None:
    browser = bring.browser_of(own)

    def cost(address: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(address).status_code == 200
        return len(asked)

    few, many = made(own), made(own, lines=1000)
    cost(bring.address(own))
    cost(bring.address(own, few.pk))  # the first entry of a chain makes its head
    assert cost(bring.address(own, few.pk)) == cost(bring.address(own, many.pk))
    one = cost(bring.address(own))
    for _ in range(PAGE * 2):
        made(own)
    assert cost(bring.address(own)) == one


def test_the_list_is_paged_by_key(own: Organisation) -> None:
    runs = [made(own, file_name=f"number-{n}.zip") for n in range(PAGE + 3)]
    browser = bring.browser_of(own)
    first = browser.get(bring.address(own)).content.decode()
    more = re.search(r'href="(\?before=[0-9a-f-]+)"', first)
    assert more is not None
    second = browser.get(bring.address(own) + more[1]).content.decode()
    found = [re.findall(r"number-\d+\.zip", page) for page in (first, second)]
    assert [len(names) for names in found] == [PAGE, 3]
    assert {name for names in found for name in names} == {run.file_name for run in runs}
    assert browser.get(bring.address(own) + "?before=nonsense").status_code == 200


def test_looking_at_lines_is_on_the_trail_and_a_closed_import_shows_none(own: Organisation) -> None:
    browser = bring.browser_of(own)
    run = made(own, lines=2)
    browser.get(bring.address(own, run.pk))
    closed = made(own, state=ImportState.LOADED, finished_at=clock.now())
    page = browser.get(bring.address(own, closed.pk)).content.decode()
    assert 'id="lines"' not in page and "This import is loaded" in page
    with bring.acting_for(own):
        [event] = AuditEvent.objects.filter(name="ndtms.import_viewed")
    assert event.subject == str(run.pk) and event.details["rows"] == 2


@pytest.mark.parametrize("state", ImportState.values)
def test_every_state_has_a_page_and_a_line_in_the_list(state: str, own: Organisation) -> None:
    run = made(own, state=state, problem="Words.", finished_at=clock.now(), refused=["episodes.csv:7"])
    browser = bring.browser_of(own)
    page = browser.get(bring.address(own, run.pk)).content.decode()
    assert ImportState(state).label in page
    assert ("Write this import" in page) == (state == "ready")
    assert ("Cancel this import" in page or "Delete this file" in page) == (
        state in ("reading", "ready", "refused")
    )
    assert ('http-equiv="refresh"' in page) == (state in ("reading", "loading"))
    assert ImportState(state).label in browser.get(bring.address(own)).content.decode()
    fragment = browser.get(bring.address(own, run.pk, "progress")).content.decode()
    assert ("hx-get" in fragment) == (state in ("reading", "loading")) and "<html" not in fragment


def test_a_confirmation_without_what_was_seen_confirms_nothing(own: Organisation) -> None:
    run = made(own)
    browser = bring.browser_of(own)
    for form in ({}, {"preview": "1"}, {"preview": "1", "digest": "x"}, {"preview": "1", "digest": "0" * 64}):
        assert browser.post(bring.address(own, run.pk, "confirm"), form).status_code == 302
    assert bring.run_of(own).state == ImportState.READY


def test_what_is_in_the_lines_is_shown_as_text(own: Organisation) -> None:
    run = made(own)
    with bring.acting_for(own):
        ImportLine.objects.filter(run=run).update(
            changes=[["REFLD", "<script>alert(1)</script>", "a\u202eb"]]
        )
    page = bring.browser_of(own).get(bring.address(own, run.pk)).content.decode()
    assert "<script>alert" not in page and "&lt;script&gt;" in page
