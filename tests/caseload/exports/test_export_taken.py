"""A list is exported: looked at, asked for, taken, ended; nothing of it at rest."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import uuid

import pytest
from django.test import Client as Browser

from caseload.models import (
    ListExport,
    ListExportDownload,
)
from caseload.models.export import LONGEST_DAYS
from consent.models import Disclosure
from edatrs.core import clock
from edatrs.core.scope import Actor
from edatrs.organisations.models import Task
from tests.caseload.exports.scene import NAMES, REASON, Scene, read
from tests.core.world import acting_for, in_sql
from tests.factories.organisations import make_person, sign_in
from tests.factories.work import make_export

pytestmark = pytest.mark.django_db


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
    # Whole words: "410" stands by chance inside a digest or a sealed reason.
    kept = (*NAMES, "410", *(str(c.pk) for c in scene.clients), REASON)
    assert not [word for word in kept if re.search(rf"\b{re.escape(word)}\b", rows)]


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
