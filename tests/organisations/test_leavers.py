"""Somebody leaves: numbers for the administrator, hand-over by the manager, the end by itself on the day, undo until then."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.test import Client

from edatrs.core import clock, registry
from edatrs.organisations import selectors
from edatrs.organisations.models import Draft, Leaver, LeaverDraft, Organisation, Task, User
from edatrs.organisations.services import drafts, leavers
from tests.factories.organisations import give, make_organisation, make_person, sign_in
from tests.organisations.test_people import boxes, trail_of

pytestmark = pytest.mark.django_db
WORDS = "Register a client"
ADMINISTRATOR, MANAGER = "organisation_administrator", "team_manager"


@pytest.fixture
def here() -> Organisation:
    return make_organisation("here")


@pytest.fixture
def desk(here: Organisation) -> Client:
    """The administrator's browser."""
    return sign_in(Client(), make_person(here, role=ADMINISTRATOR))


@pytest.fixture
def manager(here: Organisation) -> User:
    return make_person(here, role=MANAGER, full_name="Grace Manager")


@pytest.fixture
def office(manager: User) -> Client:
    """The manager's browser."""
    return sign_in(Client(), manager)


@pytest.fixture
def person(here: Organisation) -> User:
    return make_person(here, full_name="Lee Ving")


def in_days(days: int) -> dt.date:
    return clock.today() + dt.timedelta(days=days)


def start(desk: Client, person: User, manager: User | None, days: int = 7) -> Any:
    fields = boxes("last_day", in_days(days)) | ({"manager": str(manager.pk)} if manager else {})
    return desk.post(f"/o/here/people/{person.pk}/leaving/", fields)


def leaver_of(acting: Any, here: Organisation) -> Leaver:
    with acting(here, ADMINISTRATOR):
        return Leaver.objects.select_related("user").latest("started_at")


def keep_draft(acting: Any, here: Organisation, person: User, word: str = "Ada Typed") -> None:
    """A draft of the form that invites somebody: of no client, and one that only an administrator may use."""
    with acting(here, "keyworker", person=person):
        Draft.objects.create(
            user=person,
            form="caseload.client.register",
            address="/o/here/clients/new/",
            text=json.dumps([["surname", [word]]]),
            kept_at=clock.now(),
        )


def make_task(here: Organisation, person: User, key: str) -> Task:
    return Task.objects.create(
        organisation=here, user=person, unique_key=key, words=f"Task {key}", created_at=clock.now()
    )


def test_access_ends_by_itself_after_the_last_day(
    desk: Client, person: User, manager: User, here: Organisation
) -> None:
    give(person, here, "clinician", until=100)
    give(person, here, "ndtms_administrator", until=2)
    give(person, here, "information_governance", since=30)
    assert start(desk, person, manager).status_code == 302
    last = in_days(7)
    midnight = dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), tzinfo=clock.LONDON)
    with clock.frozen(midnight - dt.timedelta(seconds=1)):
        roles = set(selectors.memberships_on(person, clock.today()).values_list("role", flat=True))
    assert roles == {"keyworker", "clinician"}
    for later in (midnight, midnight + dt.timedelta(days=60)):
        with clock.frozen(later):
            assert not selectors.memberships_on(person, clock.today()).exists()
    ends = dict(person.memberships.values_list("role", "valid_until"))
    assert ends["ndtms_administrator"] == in_days(2), "what ends before stays as it is"


def test_another_organisation_is_not_touched(desk: Client, here: Organisation, manager: User) -> None:
    person = make_person(here, make_organisation("there"))
    start(desk, person, manager)
    assert person.memberships.get(organisation__slug="there").valid_until is None


@pytest.mark.parametrize(
    ("days", "with_manager", "words"),
    [(-1, True, "Last day must be today or later"), (5, False, "Choose who hands the work over")],
)
def test_a_wrong_start_says_what_is_wrong_and_changes_nothing(
    desk: Client, person: User, manager: User, days: int, with_manager: bool, words: str
) -> None:
    answer = start(desk, person, manager if with_manager else None, days)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert person.memberships.get().valid_until is None


def test_a_manager_who_leaves_cannot_take_over_from_themselves(
    desk: Client, manager: User, here: Organisation
) -> None:
    answer = start(desk, manager, manager)
    assert answer.status_code in (302, 422)
    if answer.status_code == 422:
        assert manager.memberships.get().valid_until is None


def test_one_s_own_and_a_second_start_are_refused(
    desk: Client, here: Organisation, person: User, manager: User
) -> None:
    me = User.objects.get(memberships__role=ADMINISTRATOR)
    assert "nobody enters their own last day" in start(desk, me, manager).content.decode()
    assert start(desk, person, manager).status_code == 302
    again = start(desk, person, manager, 3)
    assert "entered already" in again.content.decode()
    assert person.memberships.get().valid_until == in_days(7)


def test_the_administrator_sees_numbers_and_no_names(
    desk: Client,
    person: User,
    manager: User,
    here: Organisation,
    acting: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret = "Zebulon Secretname"
    keep_draft(acting, here, person, secret)
    make_task(here, person, "one")
    make_task(here, person, secret)
    work = registry.leaver_work.get("clients")
    monkeypatch.setitem(
        registry.leaver_work._entries,
        "clients",
        leavers.Work(work.one, work.many, lambda pk: 34, work.address, work.act),
    )
    before = desk.get(f"/o/here/people/{person.pk}/leaving/").content.decode()
    start(desk, person, manager)
    page = desk.get(f"/o/here/leavers/{leaver_of(acting, here).pk}/").content.decode()
    for text in (before, page):
        for number in ("34", "1", "2"):
            assert f'numeric">{number}</td>' in text
        assert secret not in text
        assert "/caseload/allocation/" not in text
    assert "You see numbers only" in page
    assert "Seal them to me" not in page


def test_an_administrator_cannot_hand_over(
    desk: Client, person: User, manager: User, here: Organisation, acting: Any
) -> None:
    start(desk, person, manager)
    leaver = leaver_of(acting, here)
    make_task(here, person, "one")
    for tail in ("tasks/", "drafts/"):
        assert desk.post(f"/o/here/leavers/{leaver.pk}/{tail}").status_code == 404
    assert Task.objects.get(unique_key="one").user == person


def test_a_manager_can_neither_start_nor_undo(
    desk: Client, office: Client, person: User, manager: User, here: Organisation, acting: Any
) -> None:
    assert start(office, person, manager).status_code == 404
    start(desk, person, manager)
    leaver = leaver_of(acting, here)
    assert office.post(f"/o/here/leavers/{leaver.pk}/undo/").status_code == 404
    assert person.memberships.get().valid_until == in_days(7)


def test_the_manager_is_told_and_takes_the_tasks_over(
    desk: Client, office: Client, person: User, manager: User, here: Organisation, acting: Any
) -> None:
    for key in ("one", "two"):
        make_task(here, person, key)
    done = make_task(here, person, "done")
    Task.objects.filter(pk=done.pk).update(done_at=clock.now())
    start(desk, person, manager)
    leaver = leaver_of(acting, here)
    told = Task.objects.get(user=manager)
    assert told.link == f"/o/here/leavers/{leaver.pk}/"
    assert "Lee Ving" not in told.words
    page = office.get(told.link).content.decode()
    assert "Take them over" in page
    assert "/caseload/allocation/?of=" not in page, "nothing is left of the clients"
    for _ in range(2):
        assert office.post(f"{told.link}tasks/").status_code == 302
    assert set(Task.objects.filter(user=manager).values_list("unique_key", flat=True)) == {
        "one",
        "two",
        f"leaver:{leaver.pk}",
    }
    assert Task.objects.get(pk=done.pk).user == person
    moved = [d for n, _, d in trail_of(acting, here) if n == "organisations.leaver_tasks_moved"]
    assert [d["rows"] for d in moved] == [2]


def test_drafts_go_sealed_and_opening_is_on_the_trail(
    desk: Client, office: Client, person: User, manager: User, here: Organisation, acting: Any
) -> None:
    here.services.create(agency_code="T1", dataset="adult")
    keep_draft(acting, here, person, "Half a reason")
    start(desk, person, manager)
    leaver = leaver_of(acting, here)
    address = f"/o/here/leavers/{leaver.pk}/"
    assert office.post(f"{address}drafts/").status_code == 302
    with acting(here, "keyworker", person=person):
        assert drafts.mine() == [], "the leaver has it no more"
    page = office.get(address).content.decode()
    assert WORDS in page
    assert "Half a reason" not in page, "sealed"
    # Another manager sees neither the draft nor its name.
    other = sign_in(Client(), make_person(here, role=MANAGER))
    assert WORDS not in other.get(address).content.decode()
    with acting(here, MANAGER, person=manager):
        sealed = LeaverDraft.objects.get()
    assert other.post(f"{address}drafts/{sealed.pk}/").status_code == 404
    opened = office.post(f"{address}drafts/{sealed.pk}/")
    assert opened.url == "/o/here/clients/new/"
    assert "Half a reason" in office.get(opened.url).content.decode()
    assert office.post(f"{address}drafts/{sealed.pk}/").status_code == 404, "opened once"
    events = {n: (s, d) for n, s, d in trail_of(acting, here)}
    assert events["organisations.leaver_drafts_sealed"][1]["rows"] == 1
    subject, details = events["organisations.leaver_draft_opened"]
    assert (subject, details["form"]) == (str(person.pk), "caseload.client.register")
    with acting(here, MANAGER, person=manager):
        assert LeaverDraft.objects.get().text == "[]"


def test_row_security_alone_keeps_a_sealed_draft_from_everybody_else(
    desk: Client, office: Client, person: User, manager: User, here: Organisation, acting: Any
) -> None:
    keep_draft(acting, here, person)
    start(desk, person, manager)
    office.post(f"/o/here/leavers/{leaver_of(acting, here).pk}/drafts/")
    for reader, number in ((manager, 1), (person, 0), (make_person(here, role=MANAGER), 0)):
        with acting(here, MANAGER, person=reader):
            assert LeaverDraft.objects.count() == number


def test_a_draft_of_a_form_that_one_may_not_use_stays_sealed(
    desk: Client, office: Client, person: User, manager: User, here: Organisation, acting: Any
) -> None:
    keep_draft(acting, here, person)
    with acting(here, "keyworker", person=person):
        Draft.objects.update(form="organisations.invite", address="/o/here/people/invite/")
    start(desk, person, manager)
    address = f"/o/here/leavers/{leaver_of(acting, here).pk}/"
    office.post(f"{address}drafts/")
    with acting(here, MANAGER, person=manager):
        sealed = LeaverDraft.objects.get()
    assert office.post(f"{address}drafts/{sealed.pk}/").url == address
    assert "stays sealed" in office.get(address).content.decode()
    with acting(here, MANAGER, person=manager):
        assert LeaverDraft.objects.get().opened_at is None


def test_a_draft_of_one_s_own_in_the_form_is_not_written_over(
    desk: Client, office: Client, person: User, manager: User, here: Organisation, acting: Any
) -> None:
    for who, word in ((person, "theirs"), (manager, "mine")):
        keep_draft(acting, here, who, word)
    start(desk, person, manager)
    address = f"/o/here/leavers/{leaver_of(acting, here).pk}/"
    office.post(f"{address}drafts/")
    with acting(here, MANAGER, person=manager):
        sealed = LeaverDraft.objects.get()
    assert office.post(f"{address}drafts/{sealed.pk}/").url == address
    assert "draft of your own" in office.get(address).content.decode()
    with acting(here, MANAGER, person=manager):
        assert "mine" in Draft.objects.get().text


def test_until_the_last_day_it_is_undone_and_everything_goes_back(
    desk: Client, office: Client, person: User, manager: User, here: Organisation, acting: Any
) -> None:
    coming = give(person, here, "clinician", since=30, until=60)
    make_task(here, person, "one")
    keep_draft(acting, here, person, "again mine")
    start(desk, person, manager)
    leaver = leaver_of(acting, here)
    office.post(f"/o/here/leavers/{leaver.pk}/tasks/")
    office.post(f"/o/here/leavers/{leaver.pk}/drafts/")
    assert desk.post(f"/o/here/leavers/{leaver.pk}/undo/").url == f"/o/here/people/{person.pk}/"
    assert person.memberships.get(role="keyworker").valid_until is None
    coming.refresh_from_db()
    assert (coming.valid_from, coming.valid_until) == (in_days(30), in_days(60))
    assert Task.objects.get(unique_key="one").user == person
    with acting(here, "keyworker", person=person):
        assert "again mine" in Draft.objects.get(closed_at__isnull=True).text
    assert desk.get(f"/o/here/leavers/{leaver.pk}/").status_code == 404
    assert not Task.objects.filter(unique_key__startswith="leaver", done_at__isnull=True).exists()
    assert start(desk, person, manager, 3).status_code == 302, "and can be entered again"


def test_after_the_last_day_nothing_is_undone_and_the_manager_still_hands_over(
    desk: Client, office: Client, person: User, manager: User, here: Organisation, acting: Any
) -> None:
    make_task(here, person, "one")
    start(desk, person, manager, 0)
    leaver = leaver_of(acting, here)
    with acting(here, ADMINISTRATOR):
        Leaver.objects.update(last_day=in_days(-1))
    address = f"/o/here/leavers/{leaver.pk}/"
    assert "Undo the leaving" not in desk.get(address).content.decode()
    assert desk.post(f"{address}undo/").url == address
    assert "last day has passed" in desk.get(address).content.decode()
    assert person.memberships.get().valid_until == clock.today()
    assert office.post(f"{address}tasks/").status_code == 302
    assert Task.objects.get(unique_key="one").user == manager


def test_a_role_changed_since_is_not_put_back(
    desk: Client, person: User, manager: User, here: Organisation, acting: Any
) -> None:
    start(desk, person, manager)
    person.memberships.update(valid_until=in_days(2))
    desk.post(f"/o/here/leavers/{leaver_of(acting, here).pk}/undo/")
    assert person.memberships.get().valid_until == in_days(2)


def test_a_leaver_of_another_organisation_is_not_found(desk: Client, office: Client, acting: Any) -> None:
    there = make_organisation("there")
    strange = make_person(there)
    with acting(there, ADMINISTRATOR):
        leaver = leavers.start(
            person_id=strange.pk,
            last_day=in_days(3),
            manager_id=None,
            acting_user=make_person(there, role=ADMINISTRATOR),
        )
    for browser, tail in ((desk, ""), (office, ""), (desk, "undo/"), (office, "tasks/"), (office, "drafts/")):
        method = browser.post if tail else browser.get
        assert method(f"/o/here/leavers/{leaver.pk}/{tail}").status_code == 404
    assert "Nobody is leaving" in desk.get("/o/here/leavers/").content.decode()
    assert strange.memberships.get().valid_until == in_days(3)


def test_sealed_drafts_are_gone_after_thirty_days(
    desk: Client, office: Client, person: User, manager: User, here: Organisation, acting: Any
) -> None:
    keep_draft(acting, here, person)
    start(desk, person, manager)
    office.post(f"/o/here/leavers/{leaver_of(acting, here).pk}/drafts/")
    with acting(here, MANAGER, person=manager):
        LeaverDraft.objects.update(kept_at=clock.now() - dt.timedelta(days=31))
    drafts.purge()
    with acting(here, MANAGER, person=manager):
        assert not LeaverDraft.objects.exists()
