"""What an export holds: by role, by what is hidden at the moment of taking, and what leaves the organisation."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from caseload import export_columns, selectors_export
from caseload.models import (
    Client,
    ListExport,
)
from caseload.selectors_export import Narrowed
from caseload.services import list_exports
from consent.models import Disclosure
from edatrs.core import clock
from edatrs.core.scope import Actor
from edatrs.organisations.models import Membership
from tests.caseload.exports.scene import Scene, hide_by_conflict
from tests.core.world import acting_for, in_sql
from tests.factories.caseload import make_episode, make_registration
from tests.factories.organisations import give, make_organisation
from tests.factories.sharing import make_sensitive

pytestmark = pytest.mark.django_db


def hide_by_team(scene: Scene) -> None:
    """The record becomes sensitive, of a team without the manager."""
    with acting_for(scene.home, actor=Actor.OPERATOR):
        make_sensitive(scene.clients[0], scene.keyworker)


def void(scene: Scene) -> None:
    """The record was entered in error."""
    with acting_for(scene.home, actor=Actor.OPERATOR):
        Client.objects.filter(pk=scene.clients[0].pk).update(voided_at=clock.now())


@pytest.mark.parametrize("happens", [hide_by_team, hide_by_conflict, void])
def test_who_is_hidden_after_asking_is_in_no_line_and_no_count_of_the_download(happens: Any) -> None:
    scene = Scene()
    export = scene.made()
    happens(scene)
    assert [row[1] for row in scene.lines(export)] == ["411"]
    (taken,) = scene.events("caseload.list_export.downloaded")
    assert (taken.details["lines"], taken.details["people"]) == (1, 1)


def test_a_role_that_ended_after_asking_takes_nothing() -> None:
    scene = Scene()
    export = scene.made()
    Membership.objects.filter(user=scene.manager).update(role="keyworker")
    assert scene.take(export).status_code == 404


def test_a_manager_who_became_the_officer_takes_no_more_than_numbers() -> None:
    scene = Scene()
    export = scene.made(columns_who=["surname"], names_reason="They are called by name")
    narrowed = scene.made(state=["open", "waiting"])
    Membership.objects.filter(user=scene.manager).update(role="information_governance")
    assert scene.lines(export) == [[str(c)] for c in scene.clients]
    assert scene.take(narrowed).status_code == 302, "fewer filters would be a longer list"


def test_the_officer_takes_record_numbers_alone() -> None:
    scene = Scene()
    page = scene.browser(scene.officer).get("/o/open-road/exports/new/").content.decode()
    for word in ("Forename", "Client ID", "Keyworker", "Substance", "leaves"):
        assert word not in page, word
    typed = {
        "columns_identity": ["client_id"],
        "columns_who": ["surname"],
        "names_reason": "x",
        "keyworker": "x",
    }
    export = scene.made(scene.officer, **typed)
    assert (export.columns, export.names) == (["record"], False)
    assert scene.lines(export, scene.officer) == [[str(c)] for c in scene.clients]


def test_an_ndtms_administrator_is_offered_what_the_data_set_has() -> None:
    scene = Scene()
    answer = scene.ask(
        scene.administrator, columns_who=["born", "surname", "phone"], names_reason="To match them"
    )
    assert answer.status_code == 422, "surname and phone are not offered"
    export = scene.made(
        scene.administrator, columns_who=["born"], names_reason="To match them", columns_contact=["district"]
    )
    assert scene.lines(export, scene.administrator)[0][2:] == ["1986-08-16", "40", "CM1"]


def test_a_second_role_that_may_not_export_adds_no_columns() -> None:
    """A clinician sees prescribing and more; the file is the NDTMS administrator's."""
    scene = Scene()
    with acting_for(scene.home, "ndtms_administrator", "clinician"):
        both = set(export_columns.offered())
    with acting_for(scene.home, "ndtms_administrator"):
        assert set(export_columns.offered()) == both
    with acting_for(scene.home, "ndtms_administrator", "team_manager"):
        assert set(export_columns.offered()) > both
    for role in ("keyworker", "clinician", "organisation_administrator", "commissioner", "platform_support"):
        with acting_for(scene.home, role):
            assert set(export_columns.offered()) <= {"record"}


def test_it_is_narrowed_by_service_keyworker_state_substance_and_consent() -> None:
    scene = Scene()
    with acting_for(scene.home, "team_manager"):
        assert selectors_export.count_of(Narrowed()) == (2, 2)
        for asked, found in (
            (Narrowed(services=("T0902",)), 1),
            (Narrowed(substances=("opiate",)), 1),
            (Narrowed(states=("open",)), 2),
            (Narrowed(states=("none", "ended")), 0),
            (Narrowed(consents=("not-asked",)), 2),
            (Narrowed(consents=("yes",)), 0),
            (Narrowed(keyworker=str(scene.keyworker.pk)), 0),
        ):
            lines, _ = selectors_export.count_of(asked)
            assert found is None or lines == found, asked
            columns = list(export_columns.offered().values())
            assert len(selectors_export.lines_of(asked, columns).cells) == lines


def test_what_leaves_the_organisation_is_a_disclosure_of_each_client() -> None:
    scene = Scene()
    export = scene.made(leaves="leaves", recipient="County coroner", lawful_ground="law", purpose="audit")
    with acting_for(scene.home, actor=Actor.OPERATOR):
        assert not Disclosure.objects.exists(), "nothing was given yet"
    scene.take(export)
    with acting_for(scene.home, actor=Actor.OPERATOR):
        rows = list(Disclosure.objects.all())
    assert {row.client_id for row in rows} == {c.pk for c in scene.clients}
    for row in rows:
        assert (row.way, row.ground, row.lawful_ground) == ("export", "lawful", "law")
        assert (row.recipient_name, row.categories, row.recorded_by) == (
            "County coroner",
            ["identity"],
            scene.manager.pk,
        )
    assert {e.subject for e in scene.events("consent.disclosure.recorded")} == {
        str(c.pk) for c in scene.clients
    }


def test_what_leaves_is_not_handed_out_where_nobody_logs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    export = scene.made(leaves="leaves", recipient="County coroner", lawful_ground="law")
    monkeypatch.setattr("edatrs.core.registry.after_list_given._entries", {})
    with pytest.raises(LookupError):
        scene.take(export)
    assert scene.events("caseload.list_export.downloaded") == []


def test_what_leaves_is_of_a_limited_number_of_people(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    monkeypatch.setattr(list_exports, "MOST_GIVEN", 1)
    answer = scene.ask(leaves="leaves", recipient="County coroner", lawful_ground="law")
    assert answer.status_code == 422 and "At most 1 can be given" in answer.content.decode()


def test_an_export_of_another_organisation_is_not_there() -> None:
    scene = Scene()
    export = scene.made()
    elsewhere = make_organisation("mill-street")
    give(scene.officer, elsewhere, "information_governance")
    browser = scene.browser(scene.officer)
    assert browser.get(f"/o/open-road/exports/{export.pk}/").status_code == 200
    assert browser.get(f"/o/mill-street/exports/{export.pk}/").status_code == 404
    assert str(export.pk) not in browser.get("/o/mill-street/exports/").content.decode()
    with acting_for(elsewhere):
        assert in_sql("SELECT id FROM caseload_listexport WHERE id = %s", export.pk) == [], (
            "row security alone"
        )


def test_pages_and_files_cost_the_same_queries_for_one_line_and_for_many() -> None:
    scene = Scene()
    export, one = scene.made(), scene.made(service=["T0901"])

    def queries(made: ListExport) -> int:
        with CaptureQueriesContext(connection) as counted:
            assert scene.take(made).status_code == 200
            return len(counted)

    scene.take(one)  # what is remembered of a process
    few = queries(one)
    with acting_for(scene.home, actor=Actor.OPERATOR):
        for _ in range(20):
            make_episode(registration=make_registration(service=scene.services[1]))
    assert queries(export) == few


def test_the_list_of_exports_costs_the_same_queries_for_one_and_for_many() -> None:
    scene = Scene()
    scene.take(scene.made())
    browser = scene.browser(scene.officer)

    def queries() -> int:
        with CaptureQueriesContext(connection) as counted:
            assert browser.get("/o/open-road/exports/").status_code == 200
            return len(counted)

    queries()  # what is remembered of a process
    few = queries()
    for _ in range(3):
        scene.take(scene.made())
    assert queries() == few


def test_the_lists_lead_to_their_export_with_what_they_are_narrowed_to() -> None:
    scene = Scene()
    page = (
        scene.browser(scene.manager).get("/o/open-road/caseload/?service=T0901&state=open").content.decode()
    )
    link = next(part for part in page.split('"') if "/exports/new/?" in part).replace("&amp;", "&")
    assert "service=T0901" in link and "state=open" in link and f"keyworker={scene.manager.pk}" in link
    form = scene.browser(scene.manager).get(link).content.decode()
    assert 'value="T0901" checked' in form or "checked" in form.split('value="T0901"')[1][:20]
    assert "/exports/new/" not in scene.browser(scene.keyworker).get("/o/open-road/clients/").content.decode()
    assert "/exports/new/" in scene.browser(scene.administrator).get("/o/open-road/clients/").content.decode()
