"""Emergency access, through HTTP: who may, what opens, when it ends, who is told, how it is accounted for and reviewed (T11)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client as Browser

from audit.models import AuditEvent
from caseload import shared
from caseload.models import Client, ClientContact, ClientIdentity, EmergencyAccess
from caseload.services import emergency, match_index
from edatrs.core import clock
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import Membership, OutboundMail, Task, User
from tests.core.world import acting_for
from tests.factories.caseload import make_client, make_part, make_registration, make_service
from tests.factories.organisations import make_organisation, make_person, sign_in
from tests.factories.sharing import make_agreement, make_sensitive, party

pytestmark = pytest.mark.django_db
BORN = dt.date(1987, 3, 14)
NHS = "9990142076"


class Scene:
    """A keyworker of one organisation, and a record that another holds."""

    def __init__(self, role: str = "keyworker", **fields: Any) -> None:
        self.ours, self.holder = make_organisation("ours"), make_organisation("holder")
        self.agreement = make_agreement(self.ours, self.holder)
        self.person = make_person(self.ours, role=role, **fields)
        self.officer = make_person(self.ours, role="information_governance", email="ours@ig.example")
        self.their_officer = make_person(
            self.holder, role="information_governance", email="theirs@ig.example"
        )
        self.browser = sign_in(Browser(), self.person)
        make_service(self.holder)
        with acting_for(self.holder, actor=Actor.OPERATOR):
            self.client = make_client()
            make_part(
                ClientIdentity,
                self.client,
                forename="Leanne",
                surname="Marsh",
                date_of_birth=BORN,
                nhs_number=NHS,
            )
            make_part(ClientContact, self.client, town="Wivenhoe")
            make_registration(client=self.client)
            match_index.write([self.client.pk])

    def open(self, browser: Browser | None = None, **typed: Any) -> Any:
        """Send the form."""
        day = typed.pop("born", None)
        fields = {
            "nhs_number": NHS,
            "ground": "welfare",
            "reason": "Collapsed, with paramedics, dose needed",
            "categories": ["identity"],
            **({f"date_of_birth_{k}": getattr(day, k) for k in ("day", "month", "year")} if day else {}),
        } | typed
        return (browser or self.browser).post("/o/ours/emergency/open/", fields)

    @property
    def record(self) -> str:
        """The address of the opened record."""
        return f"/o/ours/emergency/{self.client.pk}/"

    def rows(self) -> list[EmergencyAccess]:
        """What was opened."""
        with acting_for(self.ours, actor=Actor.OPERATOR):
            return list(EmergencyAccess.objects.all())


def test_an_exact_nhs_number_opens_the_parts_asked_for_and_no_other() -> None:
    scene = Scene()
    assert scene.browser.get(scene.record).status_code == 404
    answer = scene.open()
    assert (answer.status_code, answer.headers["Location"]) == (302, scene.record)
    page = scene.browser.get(scene.record).content.decode()
    assert "MARSH, Leanne" in page and "Emergency access is open until" in page
    assert "Wivenhoe" not in page, "contact was not asked for"
    assert scene.browser.get(f"/o/ours/shared/{scene.client.pk}/").status_code == 404, "nothing is shared"


def test_an_exact_name_and_date_of_birth_open_and_nothing_similar_does() -> None:
    scene = Scene()
    for wrong in (
        {"forename": "Leane", "surname": "Marsh", "born": BORN},
        {"forename": "Leanne", "surname": "Marsh", "born": BORN + dt.timedelta(days=1)},
        {"forename": "Leanne", "surname": "Marshall", "born": BORN},
    ):
        answer = scene.open(nhs_number="", **wrong)
        assert (
            answer.status_code == 422 and b"No partner holds a record that matches exactly" in answer.content
        )
    assert scene.rows() == []
    assert scene.open(nhs_number="", forename="LEANNE", surname="marsh", born=BORN).status_code == 302


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"ground": ""}, "Choose the ground"),
        ({"reason": ""}, "Say what has happened"),
        ({"reason": "urgent"}, "Say in a sentence"),
        ({"categories": []}, "Choose at least one part"),
        ({"nhs_number": ""}, "Enter the NHS number, or the full name"),
    ],
)
def test_without_ground_reason_part_or_person_nothing_opens(typed: dict[str, Any], words: str) -> None:
    scene = Scene()
    answer = scene.open(**typed)
    assert answer.status_code == 422 and words in answer.content.decode()
    assert scene.rows() == []


def test_the_second_factor_must_be_fresh() -> None:
    scene = Scene()
    stale = sign_in(Browser(), scene.person, fresh=False)
    answer = scene.open(stale)
    assert answer.status_code == 302 and answer.headers["Location"].startswith("/confirm/")
    assert scene.rows() == []


@pytest.mark.parametrize(
    "role", ["team_manager", "ndtms_administrator", "organisation_administrator", "commissioner"]
)
def test_a_role_that_may_not_is_answered_like_absence(role: str) -> None:
    scene = Scene(role)
    assert scene.open().status_code == 404
    assert scene.rows() == []


def test_it_ends_after_sixty_minutes_by_itself() -> None:
    now = clock.now()
    with clock.frozen(now):
        scene = Scene()
        scene.open()
        assert scene.browser.get(scene.record).status_code == 200
    for minutes, status in ((59, 200), (60, 404)):
        with clock.frozen(now + dt.timedelta(minutes=minutes)):
            browser = sign_in(Browser(), scene.person)
            assert browser.get(scene.record).status_code == status


def test_it_ends_when_asked_and_at_sign_out() -> None:
    scene = Scene()
    scene.open()
    row = scene.rows()[0]
    assert scene.browser.post(f"/o/ours/emergency/{row.pk}/end/").status_code == 302
    assert scene.browser.get(scene.record).status_code == 404
    scene.open()
    assert scene.browser.get(scene.record).status_code == 200
    other = sign_in(Browser(), scene.person)
    other.post("/sign-out/")
    assert scene.browser.get(scene.record).status_code == 404


@pytest.mark.parametrize(
    "what", ["role ended", "disabled", "partner left", "record became sensitive", "record voided"]
)
def test_the_next_request_is_refused_when_the_right_goes(what: str) -> None:
    scene = Scene()
    scene.open()
    assert scene.browser.get(scene.record).status_code == 200
    yesterday = clock.today() - dt.timedelta(days=1)
    if what == "role ended":
        Membership.objects.filter(user=scene.person).update(valid_until=yesterday)
    elif what == "disabled":
        User.objects.filter(pk=scene.person.pk).update(is_active=False)
    elif what == "partner left":
        party(scene.agreement, scene.holder, notice_received_on=yesterday, leaves_on=yesterday)
    elif what == "record became sensitive":
        with acting_for(scene.holder, actor=Actor.OPERATOR):
            make_sensitive(scene.client)
    else:
        with acting_for(scene.holder, actor=Actor.OPERATOR):
            Client.objects.filter(pk=scene.client.pk).update(voided_at=clock.now(), voided_reason="Wrong")
    assert scene.browser.get(scene.record).status_code in (302, 404)
    assert b"Leanne" not in scene.browser.get(scene.record).content


def test_a_colleague_sees_nothing_of_it() -> None:
    scene = Scene()
    scene.open()
    colleague = sign_in(Browser(), make_person(scene.ours, role="clinician"))
    assert colleague.get(scene.record).status_code == 404


def test_without_a_protocol_or_of_a_sensitive_record_nobody_is_found() -> None:
    scene = Scene()
    with acting_for(scene.holder, actor=Actor.OPERATOR):
        make_sensitive(scene.client)
    assert scene.open().status_code == 422
    with acting_for(scene.holder, actor=Actor.OPERATOR):
        scene.client.sensitive.lifted_at = clock.now()
        scene.client.sensitive.save()
    scene.agreement.status = "draft"
    scene.agreement.save()
    assert scene.open().status_code == 422
    assert scene.rows() == []


def test_both_officers_are_told_at_once_without_a_name_and_both_trails_hold_one_event() -> None:
    scene = Scene()
    scene.open()
    mails = {mail.to: mail for mail in OutboundMail.objects.filter(subject__contains="emergency")}
    assert set(mails) == {"ours@ig.example", "theirs@ig.example"}
    for mail in mails.values():
        assert not any(word in mail.subject + mail.text for word in ("Leanne", "Marsh", NHS, "Collapsed"))
        assert str(scene.client) in mail.text
    assert (
        Task.objects.filter(
            role="information_governance", organisation__in=[scene.ours, scene.holder]
        ).count()
        == 2
    )
    events = []
    for organisation in (scene.ours, scene.holder):
        with acting_for(organisation):
            events.append(AuditEvent.objects.get(name="caseload.emergency.opened"))
    assert events[0].event_id == events[1].event_id
    assert events[0].subject == str(scene.client.pk)
    assert "Collapsed" not in str(events[0].details)


def test_a_look_is_one_event_in_both_chains() -> None:
    scene = Scene()
    scene.open()
    scene.browser.get(scene.record)
    ids = []
    for organisation in (scene.ours, scene.holder):
        with acting_for(organisation):
            ids.append(AuditEvent.objects.get(name="caseload.shared.viewed").event_id)
    assert ids[0] == ids[1]


def test_more_than_three_on_a_day_alarm_the_officer() -> None:
    scene = Scene()
    for _ in range(3):
        scene.open()
    assert not Task.objects.filter(unique_key__startswith="emergency-often").exists()
    scene.open()
    assert Task.objects.filter(unique_key__startswith="emergency-often", organisation=scene.ours).count() == 1


def test_it_is_accounted_for_once_and_reviewed_by_somebody_else() -> None:
    scene = Scene()
    scene.open()
    row = scene.rows()[0]
    address = f"/o/ours/emergency/{row.pk}/account/"
    assert scene.browser.post(address, {"account": ""}).status_code == 422
    assert scene.browser.post(address, {"account": "Told the paramedics the dose"}).status_code == 302
    scene.browser.post(address, {"account": "Something else"})
    assert scene.rows()[0].account == "Told the paramedics the dose"
    officer = sign_in(Browser(), scene.officer)
    assert b"Told the paramedics" in officer.get(f"/o/ours/emergency/review/{row.pk}/").content
    assert (
        officer.post(
            f"/o/ours/emergency/review/{row.pk}/", {"justified": "yes", "review": "Right"}
        ).status_code
        == 302
    )
    assert scene.rows()[0].justified is True
    assert (
        officer.post(
            f"/o/ours/emergency/review/{row.pk}/", {"justified": "no", "review": "Again"}
        ).status_code
        == 422
    )
    # The holder's officer reads it and cannot review it.
    theirs = sign_in(Browser(), scene.their_officer)
    assert b"Told the paramedics" in theirs.get(f"/o/holder/emergency/review/{row.pk}/").content
    with acting_for(scene.holder), pytest.raises(emergency.Denied):
        emergency.review(pk=row.pk, justified=True, words="x", acting_user=scene.their_officer)


def test_nobody_reviews_what_they_opened_themselves() -> None:
    scene = Scene("information_governance")
    scene.open()
    row = scene.rows()[0]
    answer = scene.browser.post(f"/o/ours/emergency/review/{row.pk}/", {"justified": "yes", "review": "Fine"})
    assert answer.status_code == 422 and b"Somebody else must review" in answer.content


def test_a_review_that_is_late_shows_as_overdue_although_nobody_worked() -> None:
    monday = dt.datetime(2026, 11, 23, 10, tzinfo=dt.UTC)
    with clock.frozen(monday):
        scene = Scene()
        scene.open()
    for days, late in ((3, False), (4, True)):
        with clock.frozen(monday + dt.timedelta(days=days)):
            officer = sign_in(Browser(), scene.officer)
            assert (b"Overdue" in officer.get("/o/ours/emergency/review/").content) is late


def test_the_hour_is_held_by_the_database_too() -> None:
    scene = Scene()
    scene.open()
    with open_scope(actor=Actor.PERSON, organisation_id=scene.ours.pk, person_id=scene.person.pk):
        assert shared.ReachedQuerySet(ClientIdentity).filter(client_id=scene.client.pk).exists()
    with (
        clock.frozen(clock.now() + dt.timedelta(minutes=61)),
        open_scope(actor=Actor.PERSON, organisation_id=scene.ours.pk, person_id=scene.person.pk),
    ):
        assert not shared.ReachedQuerySet(ClientIdentity).filter(client_id=scene.client.pk).exists()
