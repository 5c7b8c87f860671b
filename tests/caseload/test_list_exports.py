"""Taking a list out as a file, through HTTP: who may, with what, why, until when, and what is asked again at each download."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEvent
from caseload import export_columns, hidden, selectors_export
from caseload.models import (
    Client,
    ClientContact,
    ClientIdentity,
    ListExport,
    ListExportDownload,
)
from caseload.models.export import LONGEST_DAYS
from caseload.selectors_export import Narrowed
from caseload.services import list_exports
from caseload.views.export import ExportFileView
from consent.models import Disclosure
from edatrs.core import clock
from edatrs.core.scope import Actor
from edatrs.organisations.models import Membership, Service, Task, User
from tests.core.world import acting_for, in_sql
from tests.factories.caseload import make_client, make_episode, make_part, make_registration, make_service
from tests.factories.organisations import give, make_organisation, make_person, sign_in
from tests.factories.sharing import make_conflict, make_sensitive
from tests.factories.work import make_export

pytestmark = pytest.mark.django_db
NAMES = ("Leanne", "Marsh", "Priya", "Okafor")
REASON = "To plan cover for the holidays"


class Scene:
    """A manager, an NDTMS administrator, a governance officer and a keyworker; two clients at two services."""

    def __init__(self) -> None:
        self.home = make_organisation("open-road", name="Open Road")
        self.services = [
            make_service(self.home, agency_code="T0901"),
            make_service(self.home, agency_code="T0902"),
        ]
        self.manager = make_person(self.home, role="team_manager")
        self.administrator = make_person(self.home, role="ndtms_administrator")
        self.officer = make_person(self.home, role="information_governance")
        self.keyworker = make_person(self.home)
        self.clients: list[Client] = []
        with acting_for(self.home, actor=Actor.OPERATOR):
            for n, service in enumerate(self.services):
                client = make_client()
                make_part(
                    ClientIdentity,
                    client,
                    forename=NAMES[2 * n],
                    surname=NAMES[2 * n + 1],
                    sex="2",
                    date_of_birth=dt.date(1986, 8, 16),
                    nhs_number="9990142076",
                )
                make_part(ClientContact, client, postcode="CM1 2AB", phone="07700 900001")
                registration = make_registration(client=client, service=service, client_id_text=f"41{n}")
                make_episode(registration=registration, episode_id=f"E{n}", drug_1="1011" if n else "")
                self.clients.append(client)
        self._browsers: dict[uuid.UUID, Browser] = {}

    def browser(self, person: User) -> Browser:
        """Signed in as somebody, with a fresh second factor."""
        return self._browsers.setdefault(person.pk, sign_in(Browser(), person))

    def ask(self, person: User | None = None, *, form: uuid.UUID | None = None, **data: Any) -> Any:
        """Fill in the form, and confirm it."""
        typed = {
            "columns_record": ["record"],
            "columns_identity": ["client_id", "age"],
            "purpose": "work",
            "reason": REASON,
            "hours": "24",
            "leaves": "stays",
            "confirm": "1",
            "export": str(form or uuid.uuid4()),
        } | data
        return self.browser(person or self.manager).post("/o/open-road/exports/new/", typed)

    def made(self, person: User | None = None, **data: Any) -> ListExport:
        """An export that was asked for."""
        answer = self.ask(person, **data)
        assert answer.status_code == 302, answer.content.decode()
        with acting_for(self.home, actor=Actor.OPERATOR):
            return ListExport.objects.get(pk=answer.headers["Location"].split("/")[-2])

    def take(self, export: ListExport, person: User | None = None) -> Any:
        """Download it."""
        return self.browser(person or self.manager).post(f"/o/open-road/exports/{export.pk}/file/")

    def lines(self, export: ListExport, person: User | None = None) -> list[list[str]]:
        """The lines of the file, without the heading."""
        answer = self.take(export, person)
        assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/csv")
        return read(b"".join(answer.streaming_content))[1:]

    def events(self, name: str) -> list[AuditEvent]:
        """Entries of the trail of a kind."""
        with acting_for(self.home, actor=Actor.OPERATOR):
            return list(AuditEvent.objects.filter(name=name).order_by("sequence"))


def read(content: bytes) -> list[list[str]]:
    """As a spreadsheet reads it."""
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_a_manager_takes_a_list_without_names_and_it_is_on_the_trail() -> None:
    scene = Scene()
    export = scene.made()
    answer = scene.take(export)
    content = b"".join(answer.streaming_content)
    rows = read(content)
    assert rows[0] == ["Record number", "Client ID", "Age"]
    assert [row[:2] for row in rows[1:]] == [[str(c), f"41{n}"] for n, c in enumerate(scene.clients)]
    assert not any(name in content.decode() for name in (*NAMES, "9990142076", "999 014"))
    assert (
        "attachment" in answer.headers["Content-Disposition"]
        and answer.headers["Cache-Control"] == "no-store"
    )
    (taken,) = scene.events("caseload.list_export.downloaded")
    assert taken.subject == str(export.pk)
    assert (taken.details["lines"], taken.details["people"]) == (2, 2)
    assert taken.details["sha256"] == hashlib.sha256(content).hexdigest()
    (asked,) = scene.events("caseload.list_export.asked")
    assert asked.details["names"] is False and REASON not in str(asked.details)
    scene.take(export)
    with acting_for(scene.home, actor=Actor.OPERATOR):
        assert ListExportDownload.objects.filter(export=export).count() == 2
        assert not Disclosure.objects.exists(), "nothing left the organisation"


def test_nothing_of_a_client_is_kept_at_rest() -> None:
    scene = Scene()
    export = scene.made(
        columns_who=["forename", "surname"], names_reason="They are called by name", service=["T0901"]
    )
    scene.take(export)
    rows = str(in_sql("SELECT to_jsonb(e) FROM caseload_listexport e")) + str(
        in_sql("SELECT to_jsonb(d) FROM caseload_listexportdownload d")
    )
    with acting_for(scene.home):
        rows += str(in_sql("SELECT to_jsonb(e) FROM caseload_listexport e"))
        rows += str(in_sql("SELECT to_jsonb(d) FROM caseload_listexportdownload d"))
    assert "T0901" in rows
    assert not any(word in rows for word in (*NAMES, "410", *(str(c.pk) for c in scene.clients), REASON))


def test_names_need_a_reason_of_their_own_and_the_officer_is_told() -> None:
    scene = Scene()
    answer = scene.ask(columns_who=["forename", "surname"])
    assert answer.status_code == 422 and "Say why it does not do without names" in answer.content.decode()
    export = scene.made(columns_who=["forename", "surname"], names_reason="They are called by name")
    assert scene.lines(export)[0][2:4] == ["Leanne", "Marsh"]
    task = Task.objects.get(unique_key=f"list-export:{export.pk}")
    assert (task.role, task.organisation_id) == ("information_governance", scene.home.pk)
    assert not any(name in task.words for name in NAMES)


def test_it_is_looked_at_first_and_nothing_is_kept_by_looking() -> None:
    scene = Scene()
    page = scene.ask(confirm=[], columns_treatment=["keyworker", "problem"]).content.decode()
    assert "Check the export" in page and "2 lines, 2 people" in page and "410" in page and "Nobody" in page
    assert "Leanne" not in page
    with acting_for(scene.home, actor=Actor.OPERATOR):
        assert not ListExport.objects.exists()
    back = scene.ask(confirm=[], change="1").content.decode()
    assert REASON in back and "Look at it first" in back


def test_a_reason_a_purpose_and_a_column_are_needed() -> None:
    scene = Scene()
    for wrong, words in (
        ({"reason": ""}, "Say why you need the list"),
        ({"purpose": ""}, "Choose what it is for"),
        ({"columns_record": [], "columns_identity": []}, "Choose at least one column"),
        ({"hours": "169"}, "Choose how long you need it"),
        ({"leaves": "leaves"}, "Write who gets it"),
        ({"state": ["ended"]}, "Nobody matches"),
    ):
        answer = scene.ask(**wrong)
        assert answer.status_code == 422 and words in answer.content.decode(), wrong
    with acting_for(scene.home, actor=Actor.OPERATOR):
        assert not ListExport.objects.exists()


def test_the_same_page_sent_twice_asks_once() -> None:
    scene, form = Scene(), uuid.uuid4()
    assert scene.made(form=form).pk == scene.made(form=form, reason="Another").pk
    assert len(scene.events("caseload.list_export.asked")) == 1


def test_a_keyworker_has_no_export_and_nobody_takes_what_another_asked_for() -> None:
    scene = Scene()
    export = scene.made()
    other = make_person(scene.home, role="team_manager")
    for person in (scene.keyworker, other, scene.administrator):
        assert scene.take(export, person).status_code == 404
        assert scene.browser(person).get(f"/o/open-road/exports/{export.pk}/").status_code == 404
        assert scene.browser(person).post(f"/o/open-road/exports/{export.pk}/end/").status_code == 404
    assert scene.browser(scene.keyworker).get("/o/open-road/exports/").status_code == 404
    assert scene.take(export, scene.officer).status_code == 404, "the officer sees it and cannot take it"
    assert "Only " in scene.browser(scene.officer).get(f"/o/open-road/exports/{export.pk}/").content.decode()


def test_a_stale_second_factor_is_asked_for_again_at_asking_and_at_taking() -> None:
    scene = Scene()
    export = scene.made()
    stale = sign_in(Browser(), scene.manager, fresh=False)
    for answer in (
        stale.get("/o/open-road/exports/new/"),
        stale.post("/o/open-road/exports/new/", {}),
        stale.post(f"/o/open-road/exports/{export.pk}/file/"),
    ):
        assert answer.status_code == 302 and answer.headers["Location"].startswith("/confirm/")
    assert scene.events("caseload.list_export.downloaded") == []


def test_it_ends_by_itself_and_by_hand() -> None:
    scene = Scene()
    first, second = scene.made(), scene.made(hours="1")
    with clock.frozen(clock.now() + dt.timedelta(hours=2)):
        scene._browsers.clear()
        assert scene.take(first).status_code == 200
        assert scene.take(second).status_code == 302
        assert (
            "has ended"
            in scene.browser(scene.manager).get(f"/o/open-road/exports/{second.pk}/").content.decode()
        )
    scene._browsers.clear()
    answer = scene.browser(scene.officer).post(f"/o/open-road/exports/{first.pk}/end/")
    assert answer.status_code == 302
    assert scene.take(first).status_code == 302
    assert len(scene.events("caseload.list_export.downloaded")) == 1
    assert [e.subject for e in scene.events("caseload.list_export.ended")] == [str(first.pk)]


def test_it_lasts_at_most_seven_days_in_the_database_too() -> None:
    scene = Scene()
    now = clock.now()
    with acting_for(scene.home), pytest.raises(Exception, match="list_export_ends_within_a_week"):
        make_export(scene.manager, asked_at=now, expires_at=now + dt.timedelta(days=LONGEST_DAYS, seconds=1))


def hide_by_team(scene: Scene) -> None:
    """The record becomes sensitive, of a team without the manager."""
    with acting_for(scene.home, actor=Actor.OPERATOR):
        make_sensitive(scene.clients[0], scene.keyworker)


def hide_by_conflict(scene: Scene) -> None:
    """The manager declares a conflict of interest."""
    with acting_for(scene.home, actor=Actor.OPERATOR):
        make_conflict(scene.clients[0], scene.manager)


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


# ---- mutants: each control taken out, and what the tests above would find ----------------------------------------


def test_made_in_the_scope_of_nobody_the_file_would_hold_hidden_records(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene()
    export = scene.made()
    hide_by_conflict(scene)

    def for_everybody(*asked: Any) -> Any:
        with hidden.for_everybody():
            return selectors_export.lines_of(*asked)

    monkeypatch.setattr(list_exports, "lines_of", for_everybody)
    assert [row[1] for row in scene.lines(export)] == ["410", "411"]


def test_with_the_columns_that_were_asked_for_the_officer_would_get_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene()
    export = scene.made(columns_who=["surname"], names_reason="They are called by name")
    Membership.objects.filter(user=scene.manager).update(role="information_governance")
    monkeypatch.setattr(
        export_columns, "allowed", lambda keys, *, names: [export_columns.COLUMNS[key] for key in keys]
    )
    assert "Marsh" in str(scene.lines(export))


def test_without_the_end_it_would_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    export = scene.made(hours="1")
    monkeypatch.setattr(list_exports, "is_open", lambda export: True)
    with clock.frozen(clock.now() + dt.timedelta(hours=2)):
        scene._browsers.clear()
        assert scene.take(export).status_code == 200


def test_without_the_question_whose_it_is_the_officer_would_take_it(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    export = scene.made()
    monkeypatch.setattr(
        list_exports, "get_export", lambda pk, own, lock: selectors_export.get_export(pk, lock=lock)
    )
    assert scene.take(export, scene.officer).status_code == 200


def test_without_a_fresh_second_factor_an_old_sign_in_would_do(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    export = scene.made()
    monkeypatch.setattr(ExportFileView, "fresh_second_factor", False)
    stale = sign_in(Browser(), scene.manager, fresh=False)
    assert stale.post(f"/o/open-road/exports/{export.pk}/file/").status_code == 200


def test_with_what_is_left_of_a_narrowing_the_list_would_be_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    export = scene.made(service=["T0901"])
    with acting_for(scene.home, actor=Actor.OPERATOR):
        Service.objects.filter(agency_code="T0901").update(agency_code="T0999")
    assert scene.take(export).status_code == 302, "its service has another code now"
    monkeypatch.setattr(list_exports, "narrowed", lambda kept: Narrowed())
    monkeypatch.setattr(Narrowed, "kept", lambda self: export.filters)
    assert len(scene.lines(export)) == 2
