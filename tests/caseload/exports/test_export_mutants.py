"""Each control of the list export taken out, and what the other tests would find."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client as Browser

from caseload import export_columns, hidden, selectors_export
from caseload.selectors_export import Narrowed
from caseload.services import list_exports
from caseload.views.export import ExportFileView
from edatrs.core import clock
from edatrs.core.scope import Actor
from edatrs.organisations.models import Membership, Service
from tests.caseload.exports.scene import Scene, hide_by_conflict
from tests.core.world import acting_for
from tests.factories.organisations import sign_in

pytestmark = pytest.mark.django_db


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
