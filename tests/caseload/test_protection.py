"""Sensitive records and conflicts of interest, through HTTP: who marks, who is in the team, who ends it, and what is never written."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from typing import Any

import pytest
from django.test import Client as Browser

from audit.models import AuditEvent
from caseload.models import (
    Client,
    ClientIdentity,
    ConflictOfInterest,
    NamedTeamMember,
    SensitiveRecord,
)
from caseload.services import protection, search_index
from caseload.services.clients import next_client_id
from edatrs.core import clock
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import Membership, Task, User
from ndtms.models import NationalHolding
from ndtms.services import submissions
from tests.core.world import acting_for
from tests.factories.caseload import make_client, make_episode, make_part, make_registration, make_service
from tests.factories.ndtms import make_content, make_submission
from tests.factories.organisations import make_organisation, make_person, sign_in

pytestmark = pytest.mark.django_db
REASON = "Her sister works at the front desk"


class Scene:
    """A client, a keyworker and a manager who find her, and the governance officer."""

    def __init__(self) -> None:
        self.home = make_organisation("open-road")
        self.service = make_service(self.home)
        self.keyworker, self.other = make_person(self.home), make_person(self.home)
        self.manager = make_person(self.home, role="team_manager")
        self.officer = make_person(self.home, role="information_governance")
        with acting_for(self.home, actor=Actor.OPERATOR):
            self.client = make_client()
            make_part(ClientIdentity, self.client, forename="Leanne", surname="Marsh")
            self.registration = make_registration(client=self.client, client_id_text="41")
            search_index.refresh([self.client.pk])
        self._browsers: dict[uuid.UUID, Browser] = {}

    def browser(self, person: User) -> Browser:
        """Signed in as somebody."""
        return self._browsers.setdefault(person.pk, sign_in(Browser(), person))

    def page(self, part: str = "") -> str:
        """An address of the client."""
        return f"/o/open-road/clients/{self.client.pk}/{part}"

    def finds(self, person: User) -> bool:
        """Whether somebody finds the client: by address, and alike in the list."""
        browser = self.browser(person)
        opened = browser.get(self.page()).status_code == 200
        assert opened is (str(self.client.pk) in browser.get("/o/open-road/clients/").content.decode())
        return opened

    def send(self, who: User, part: str, **data: Any) -> Any:
        """Post a form of the client."""
        return self.browser(who).post(self.page(part), {"client": str(self.client.pk)} | data)

    def flag(self, person: User | None = None, **data: Any) -> Any:
        """Mark as sensitive."""
        return self.send(
            person or self.keyworker,
            "sensitive/",
            **{"do": "flag", "kind": "relative", "reason": REASON} | data,
        )

    def stamp(self) -> int:
        """What a form that is opened now carries."""
        with acting_for(self.home, actor=Actor.OPERATOR):
            held = protection.of_client(self.client.pk)
            return held.stamp if held else 0

    def change(self, person: User, do: str, of: User | None = None, **data: Any) -> Any:
        """Change the team from the page of the client."""
        data = {"version": self.stamp()} | data
        return self.send(person, "sensitive/", do=do, person=str(of.pk) if of else "", **data)

    def row(self, model: type[Any], **fields: Any) -> Any:
        """A row, whoever may find it."""
        with acting_for(self.home, actor=Actor.OPERATOR):
            return model.objects.get(client=self.client, **fields)


def test_who_marks_a_record_is_in_its_team_and_nobody_else_finds_it() -> None:
    scene = Scene()
    assert scene.finds(scene.other) and scene.finds(scene.manager)
    answer = scene.flag()
    assert (answer.status_code, answer.headers["Location"]) == (302, scene.page("sensitive/"))
    assert scene.finds(scene.keyworker)
    assert not scene.finds(scene.other) and not scene.finds(scene.manager)
    assert scene.flag(scene.other).status_code == 404, "to who is outside there is nothing to mark"
    page = scene.browser(scene.keyworker).get(scene.page("details/")).content.decode()
    assert "Only the named team finds it" in page and scene.keyworker.full_name in page
    row = scene.row(SensitiveRecord)
    assert row.act is not None and row.flagged_by_id == scene.keyworker.pk


def test_others_can_be_named_at_once_and_later_taken_out() -> None:
    scene = Scene()
    scene.flag(team=[str(scene.manager.pk)])
    assert scene.finds(scene.manager)
    assert scene.change(scene.manager, "add", scene.other).status_code == 302
    assert scene.finds(scene.other)
    assert scene.change(scene.other, "remove", scene.keyworker).status_code == 302
    assert not scene.finds(scene.keyworker)
    assert scene.change(scene.other, "add", scene.keyworker).status_code == 302
    assert scene.finds(scene.keyworker), "named again"
    answer = scene.change(scene.other, "remove", scene.other)
    assert answer.headers["Location"] == "/o/open-road/clients/", "one's own way leads to the list"
    assert (
        "no longer found for you" in scene.browser(scene.other).get("/o/open-road/clients/").content.decode()
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"kind": ""}, "Choose why"),
        ({"reason": " "}, "Enter the reason"),
        ({"team": ["x"]}, "Choose from the list"),
    ],
)
def test_without_kind_or_reason_nothing_is_marked(data: dict[str, Any], words: str) -> None:
    scene = Scene()
    answer = scene.flag(**data)
    assert answer.status_code == 422 and words in answer.content.decode()
    assert scene.finds(scene.other)


def test_somebody_who_works_here_stays_in_the_team_always() -> None:
    scene = Scene()
    scene.flag(team=[str(scene.other.pk)])
    Membership.objects.filter(user=scene.other).update(valid_until=clock.today() - dt.timedelta(days=1))
    answer = scene.change(scene.keyworker, "remove", scene.keyworker)
    assert answer.status_code == 422 and "Nobody would find this record" in answer.content.decode()
    assert scene.finds(scene.keyworker)


def test_only_who_finds_clients_here_today_can_be_named() -> None:
    scene = Scene()
    scene.flag()
    elsewhere = make_person(make_organisation())
    for nobody in (elsewhere, scene.officer):
        assert scene.change(scene.keyworker, "add", nobody).status_code == 422
    assert scene.change(scene.keyworker, "add").status_code == 422
    assert scene.change(scene.keyworker, "").status_code == 422


def test_a_form_that_is_older_than_the_team_changes_nothing() -> None:
    scene = Scene()
    scene.flag()
    old = scene.stamp()
    scene.change(scene.keyworker, "add", scene.other)
    answer = scene.change(scene.keyworker, "remove", scene.other, version=old)
    assert answer.status_code == 422 and "changed the team meanwhile" in answer.content.decode()
    assert scene.finds(scene.other)
    assert (
        scene.send(scene.keyworker, "sensitive/", do="lift", version=scene.stamp(), client="").status_code
        == 404
    )


def test_lifted_everybody_finds_it_and_a_new_flag_begins_a_new_team() -> None:
    scene = Scene()
    scene.flag(team=[str(scene.other.pk)])
    assert scene.change(scene.keyworker, "lift").status_code == 302
    assert scene.finds(scene.manager)
    assert scene.flag(scene.manager).status_code == 302
    assert scene.finds(scene.manager) and not scene.finds(scene.other) and not scene.finds(scene.keyworker)


def test_a_conflict_of_ones_own_takes_the_record_away_and_says_so() -> None:
    scene = Scene()
    answer = scene.send(scene.keyworker, "conflict/", reason=REASON)
    assert answer.headers["Location"] == "/o/open-road/clients/"
    assert (
        "no longer found for you"
        in scene.browser(scene.keyworker).get("/o/open-road/clients/").content.decode()
    )
    assert not scene.finds(scene.keyworker) and scene.finds(scene.other)
    assert scene.row(ConflictOfInterest).act is not None
    assert scene.send(scene.other, "conflict/").status_code == 422, "a reason is asked for"


def test_a_keyworker_says_so_for_themselves_alone_and_a_manager_for_another() -> None:
    scene = Scene()
    scene.send(scene.keyworker, "conflict/", reason=REASON, person=str(scene.other.pk))
    assert scene.finds(scene.other) and not scene.finds(scene.keyworker)
    with (
        open_scope(
            actor=Actor.PERSON,
            organisation_id=scene.home.pk,
            person_id=scene.other.pk,
            roles=frozenset(["keyworker"]),
        ),
        pytest.raises(protection.Denied),
    ):
        protection.declare_conflict(
            client_id=scene.client.pk, person=scene.manager.pk, reason="x", acting_user=scene.other
        )
    answer = scene.send(scene.manager, "conflict/", reason=REASON, person=str(scene.other.pk))
    assert answer.status_code == 302 and not scene.finds(scene.other) and scene.finds(scene.manager)


def test_a_conflict_is_stronger_than_the_team_and_cannot_be_named_away() -> None:
    scene = Scene()
    scene.flag(team=[str(scene.other.pk)])
    scene.send(scene.other, "conflict/", reason=REASON)
    assert not scene.finds(scene.other)
    scene.change(scene.keyworker, "remove", scene.other)
    answer = scene.change(scene.keyworker, "add", scene.other)
    assert answer.status_code == 422 and "has a conflict of interest" in answer.content.decode()


def test_the_officer_sees_numbers_and_reasons_no_names_and_can_change_all() -> None:
    scene = Scene()
    scene.flag()
    scene.send(scene.other, "conflict/", reason=REASON)  # not found for them any more: nothing happens
    officer = scene.browser(scene.officer)
    page = officer.get("/o/open-road/protection/").content.decode()
    assert str(scene.client) in page and scene.keyworker.full_name in page
    assert "Marsh" not in page and "MARSH" not in page and str(scene.client.pk) not in page
    one = re.search(r'/o/open-road/protection/sensitive/[^"]+', page)[0]  # type: ignore[index]  # asserted by using it
    page = officer.get(one).content.decode()
    assert REASON in page and "MARSH" not in page.upper()
    assert officer.get(scene.page()).status_code == 404
    answer = officer.post(one, {"do": "add", "person": str(scene.manager.pk), "version": scene.stamp()})
    assert answer.status_code == 302 and scene.finds(scene.manager)
    answer = officer.post(one, {"do": "remove", "person": str(scene.keyworker.pk), "version": scene.stamp()})
    assert answer.status_code == 302 and not scene.finds(scene.keyworker)
    assert officer.post(one, {"do": "lift", "version": 0}).status_code == 422
    assert officer.post(one, {"do": "lift", "version": scene.stamp()}).status_code == 302
    assert scene.finds(scene.other) and officer.get(one).status_code == 404


def test_the_officer_says_a_conflict_by_number_and_ends_it_but_not_their_own() -> None:
    scene = Scene()
    officer = scene.browser(scene.officer)
    typed = {"person": str(scene.keyworker.pk), "reason": REASON}
    wrong = officer.post("/o/open-road/protection/", {"record": "R999999999", **typed})
    assert wrong.status_code == 422 and "No record here has this number" in wrong.content.decode()
    assert officer.post("/o/open-road/protection/", {"record": str(scene.client), **typed}).status_code == 302
    assert not scene.finds(scene.keyworker)
    row = scene.row(ConflictOfInterest)
    address = f"/o/open-road/protection/conflicts/{row.pk}/"
    page = officer.get(address).content.decode()
    assert str(scene.client) in page and REASON in page and "Leanne" not in page
    assert officer.post(address).status_code == 302 and scene.finds(scene.keyworker)
    assert officer.post(address).status_code == 404, "ended"
    both = make_person(scene.home, role="information_governance")
    Membership.objects.create(
        user=both, organisation=scene.home, role="keyworker", valid_from=both.memberships.get().valid_from
    )
    browser = sign_in(Browser(), both)
    browser.post(
        scene.page("conflict/"), {"client": str(scene.client.pk), "reason": "x", "person": str(both.pk)}
    )
    own = scene.row(ConflictOfInterest, user=both)
    answer = browser.post(f"/o/open-road/protection/conflicts/{own.pk}/")
    assert answer.status_code == 422 and "Another governance officer" in answer.content.decode()


def test_when_nobody_of_the_team_is_left_the_officer_is_told_by_number() -> None:
    scene = Scene()
    scene.flag()
    scene.send(scene.keyworker, "conflict/", reason=REASON)
    told = Task.objects.get(role="information_governance", words__contains="named team")
    assert str(scene.client) in told.words and "Marsh" not in told.words


@pytest.mark.parametrize(
    "role", ["keyworker", "team_manager", "ndtms_administrator", "organisation_administrator"]
)
def test_the_lists_of_the_officer_are_not_there_for_others(role: str) -> None:
    scene = Scene()
    scene.flag()
    browser = sign_in(Browser(), make_person(scene.home, role=role))
    pk = scene.row(SensitiveRecord).pk
    for path in ("", f"sensitive/{pk}/", f"conflicts/{pk}/"):
        assert browser.get(f"/o/open-road/protection/{path}").status_code == 404


def test_the_trail_names_the_act_and_never_the_reason() -> None:
    scene = Scene()
    scene.flag(team=[str(scene.other.pk)])
    scene.change(scene.keyworker, "remove", scene.other)
    scene.send(scene.keyworker, "conflict/", reason=REASON)
    with acting_for(scene.home, actor=Actor.OPERATOR):
        events = list(AuditEvent.objects.filter(name__startswith="caseload.protection."))
    assert sorted(e.name.rpartition(".")[2] for e in events) == [
        "conflict_declared",
        "flagged",
        "team_removed",
    ]
    assert all(e.subject == str(scene.client.pk) and e.actor_id == scene.keyworker.pk for e in events)
    assert REASON not in "".join(str(e.details) for e in events)


# ---- what a person asks for, and the system does for everybody ------------------------------------------------------


def test_a_worker_sees_everybody_also_when_a_person_asked() -> None:
    """An extract is whole (mutant: a worker's scope that carries the person into row security finds nobody)."""
    scene = Scene()
    scene.flag()
    for actor, found in ((Actor.WORKER, True), (Actor.OPERATOR, True), (Actor.PERSON, False)):
        with open_scope(actor=actor, organisation_id=scene.home.pk, person_id=scene.other.pk):
            assert Client.objects.filter(pk=scene.client.pk).exists() is found


def test_a_file_taken_by_who_may_not_find_the_client_is_held_as_a_whole() -> None:
    scene = Scene()
    with acting_for(scene.home, actor=Actor.OPERATOR):
        episode = make_episode(registration=scene.registration)
        submission = make_submission()
        make_content(submission, episode)
    scene.flag()
    with open_scope(actor=Actor.PERSON, organisation_id=scene.home.pk, person_id=scene.other.pk):
        submissions.record_download(submission=submission, acting_user=scene.other)
        assert not NationalHolding.objects.exists(), "they may not find it"
    assert scene.row(NationalHolding).held


def test_the_next_client_id_does_not_tell_of_a_record_one_may_not_find() -> None:
    scene = Scene()
    scene.flag()
    with open_scope(actor=Actor.PERSON, organisation_id=scene.home.pk, person_id=scene.other.pk):
        assert next_client_id(scene.service) == "42"


def test_taking_part_in_a_team_is_kept_row_by_row() -> None:
    scene = Scene()
    scene.flag(team=[str(scene.other.pk)])
    scene.change(scene.keyworker, "remove", scene.other)
    with acting_for(scene.home, actor=Actor.OPERATOR):
        member = NamedTeamMember.objects.get(client=scene.client, user=scene.other)
        assert member.removed_at is not None and member.history.count() == 1
