"""Training and background checks: what has run out, or is required and missing, holds every role at that organisation (O-59, O-62)."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit.models.trail import AuditEvent
from edatrs.core import clock
from edatrs.organisations import clearances as rules
from edatrs.organisations import selectors
from edatrs.organisations.models import Clearance, Organisation, OutboundMail, Task, User
from edatrs.organisations.services import clearances
from tests.factories.organisations import give, make_organisation, make_person, sign_in
from tests.factories.staff import make_clearance, make_clearances
from tests.organisations.test_people import boxes, trail_of

pytestmark = pytest.mark.django_db
ADMINISTRATOR = "organisation_administrator"
# What every answer changes: the token of the form, and the clock.
SAME = re.compile(rb'name="csrfmiddlewaretoken" value="\w+"|<time[^>]*>[^<]*</time>|data-app-idle="[^"]*"')


@pytest.fixture
def here() -> Organisation:
    return make_organisation("here", name="Here House")


@pytest.fixture
def administrator(here: Organisation) -> User:
    return make_person(here, role=ADMINISTRATOR, full_name="Jo Fairley")


@pytest.fixture
def desk(client: Client, administrator: User) -> Client:
    """The administrator's browser."""
    return sign_in(client, administrator)


def require(organisation: Organisation, *kinds: str) -> None:
    organisation.required_clearances = list(kinds)
    organisation.save()


@pytest.mark.parametrize("kind", ["training", "background_check"])
@pytest.mark.parametrize(
    ("left", "status"), [(None, 200), (30, 200), (1, 200), (0, 200), (-1, 403), (-400, 403)]
)
def test_what_has_run_out_holds_every_role_there_from_the_next_request(
    here: Organisation, administrator: User, kind: str, left: int | None, status: int
) -> None:
    person = make_person(here)
    give(person, here, "team_manager")
    worker = sign_in(Client(), person)
    assert worker.get("/o/here/").status_code == 200
    make_clearance(person, here, kind, left=left)
    assert worker.get("/o/here/").status_code == status
    assert selectors.memberships_on(person, clock.today()).exists() == (status == 200)
    assert (person in selectors.people_holding(here.pk, ["keyworker"], clock.today())) == (status == 200)


def test_without_the_rule_the_test_above_would_notice(
    monkeypatch: pytest.MonkeyPatch, here: Organisation
) -> None:
    """The control: memberships that ask nothing of training let everybody in."""
    from django.db.models import Q

    person = make_person(here)
    make_clearance(person, here, left=-1)
    monkeypatch.setattr(selectors, "in_date", lambda day: Q())
    assert sign_in(Client(), person).get("/o/here/").status_code == 200


@pytest.mark.parametrize("kind", ["training", "background_check"])
def test_what_is_not_recorded_holds_only_where_it_is_required(here: Organisation, kind: str) -> None:
    person = make_person(here)
    worker = sign_in(Client(), person)
    assert worker.get("/o/here/").status_code == 200
    require(here, kind)
    assert worker.get("/o/here/").status_code == 403
    make_clearance(person, here, kind, done=1)
    assert worker.get("/o/here/").status_code == 403, "a day that has not come counts for nothing"
    make_clearance(person, here, kind)
    assert worker.get("/o/here/").status_code == 200


def test_another_organisation_is_not_touched_and_its_dates_do_not_count(here: Organisation) -> None:
    there = make_organisation("there")
    person = make_person(here, there)
    require(here, "training")
    make_clearance(person, there)
    worker = sign_in(Client(), person)
    assert worker.get("/o/here/").status_code == 403
    assert worker.get("/o/there/").status_code == 200
    make_clearance(person, there, left=-1)
    make_clearance(person, here)
    assert worker.get("/o/here/").status_code == 200
    assert worker.get("/o/there/").status_code == 403


def test_the_person_is_told_what_ran_out_and_whom_to_ask_and_nothing_else(
    here: Organisation, administrator: User, acting: Any
) -> None:
    person = make_person(here)
    until = make_clearance(person, here, left=-3).valid_until
    worker = sign_in(Client(), person)
    page = worker.get("/o/here/clients/")
    text = page.content.decode()
    assert page.status_code == 403
    assert f"Your data-protection training ran out on {rules.long_date(until)}" in text
    assert "Ask Jo Fairley" in text
    assert "/o/here/" not in text, "no way in is offered"
    # The same for every address there, whatever it names and however it is asked.
    tails = ("", "people/", "nothing/like/it/")
    answers = {SAME.sub(b"", worker.get(f"/o/here/{tail}").content) for tail in tails}
    assert len(answers) == 1
    assert worker.post("/o/here/people/invite/", {}).status_code == 403
    events = [(name, d) for name, _, d in trail_of(acting, here) if name == "access.refused"]
    assert events and all(d["why"] == "training or a check is out of date" for _, d in events)


def test_nobody_else_is_told(here: Organisation) -> None:
    """A stranger, somebody whose role has ended and somebody disabled get what is not there, whatever their dates."""
    gone = make_person()
    give(gone, here, "keyworker", since=-9, until=-1)
    stranger = make_person(make_organisation())
    for person in (gone, stranger):
        make_clearance(person, here, left=-1)
        assert sign_in(Client(), person).get("/o/here/").status_code == 404


def test_the_choice_of_organisations_names_what_is_held(here: Organisation) -> None:
    there = make_organisation("there", name="There House")
    person = make_person(here, there)
    make_clearance(person, here, left=-1)
    page = sign_in(Client(), person).get("/organisation/").content.decode()
    assert "Your access at Here House is held" in page
    assert 'value="there"' in page
    assert 'value="here"' not in page


def test_an_administrator_records_dates_and_each_change_is_on_the_trail(
    desk: Client, here: Organisation, acting: Any
) -> None:
    person = make_person(here)
    make_clearance(person, here, left=-1)
    worker = sign_in(Client(), person)
    assert worker.get("/o/here/").status_code == 403
    before = person.clearances.get()
    today = clock.today()
    until = today + dt.timedelta(days=364)
    address = f"/o/here/people/{person.pk}/checks/training/"
    assert "Ran out on" in desk.get(address).content.decode()
    fields = {**boxes("done_on", today), **boxes("valid_until", until)}
    assert desk.post(address, fields).status_code == 302
    assert desk.post(address, fields).status_code == 302, "the same again changes nothing"
    assert worker.get("/o/here/").status_code == 200
    [details] = [d for n, s, d in trail_of(acting, here) if n == "organisations.clearance_recorded"]
    assert details == {
        "person": str(person.pk),
        "kind": "training",
        "from": today.isoformat(),
        "until": until.isoformat(),
        "before_from": before.done_on.isoformat(),
        "before_until": before.valid_until.isoformat(),
    }


@pytest.mark.parametrize(
    ("kind", "done", "until", "words"),
    [
        ("training", 0, None, "Enter the last valid day"),
        ("training", 1, 30, "must be today or earlier"),
        ("training", -5, -6, "Last valid day must not be before"),
        ("background_check", None, 30, "Enter the date of the check"),
    ],
)
def test_wrong_dates_say_what_is_wrong_and_change_nothing(
    desk: Client, here: Organisation, kind: str, done: int | None, until: int | None, words: str
) -> None:
    person, today = make_person(here), clock.today()
    fields: dict[str, str] = {}
    for name, days in (("done_on", done), ("valid_until", until)):
        if days is not None:
            fields |= boxes(name, today + dt.timedelta(days=days))
    answer = desk.post(f"/o/here/people/{person.pk}/checks/{kind}/", fields)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Clearance.objects.exists()


def test_a_background_check_may_have_no_end(desk: Client, here: Organisation) -> None:
    person = make_person(here)
    address = f"/o/here/people/{person.pk}/checks/background_check/"
    assert desk.post(address, boxes("done_on", clock.today())).status_code == 302
    assert person.clearances.get().valid_until is None


def test_nobody_records_their_own_dates(desk: Client, administrator: User) -> None:
    address = f"/o/here/people/{administrator.pk}/checks/background_check/"
    answer = desk.post(address, boxes("done_on", clock.today()))
    assert answer.status_code == 422
    assert "nobody records their own" in answer.content.decode()
    assert not Clearance.objects.exists()


def test_people_of_another_organisation_and_kinds_that_are_none_are_not_found(
    desk: Client, here: Organisation
) -> None:
    strange, own = make_person(make_organisation()), make_person(here)
    for address in (f"people/{strange.pk}/checks/training/", f"people/{own.pk}/checks/flying/"):
        for method in ("get", "post"):
            answer = getattr(desk, method)(f"/o/here/{address}", boxes("done_on", clock.today()))
            assert answer.status_code == 404
    assert not Clearance.objects.exists()


def test_what_is_required_is_set_and_never_shuts_out_who_sets_it(
    desk: Client, here: Organisation, administrator: User, acting: Any
) -> None:
    make_person(here, full_name="Untrained Una")
    page = desk.get("/o/here/people/required/").content.decode()
    assert "Untrained Una" in page
    refused = desk.post("/o/here/people/required/", {"kinds": ["training"]})
    assert refused.status_code == 422
    assert "This would hold your own access" in refused.content.decode()
    make_clearances(administrator, here)
    assert desk.post("/o/here/people/required/", {"kinds": ["training"]}).status_code == 302
    here.refresh_from_db()
    assert here.required_clearances == ["training"]
    assert desk.get("/o/here/people/").status_code == 200
    assert desk.post("/o/here/people/required/", {}).status_code == 302
    here.refresh_from_db()
    assert here.required_clearances == []
    kinds = [d["kinds"] for n, _, d in trail_of(acting, here) if n == "organisations.clearances_required"]
    assert kinds == [["training"], []] or kinds == [["training"], None]


def test_the_list_shows_who_is_held_and_who_will_be(desk: Client, here: Organisation) -> None:
    for name, left in (("Held Hal", -1), ("Soon Sue", 20), ("Fine Fay", 200)):
        make_clearance(make_person(here, full_name=name), here, left=left)

    def names(state: str) -> set[str]:
        page = desk.get(f"/o/here/people/?state={state}").content.decode()
        return {n for n in ("Held Hal", "Soon Sue", "Fine Fay") if n in page}

    assert names("now") == {"Held Hal", "Soon Sue", "Fine Fay"}
    assert names("held") == {"Held Hal"}
    assert names("soon") == {"Soon Sue"}
    page = desk.get("/o/here/people/").content.decode()
    assert "Training: ran out on" in page
    assert "Training: valid until" in page


def test_the_list_costs_the_same_for_many(desk: Client, here: Organisation) -> None:
    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            desk.get("/o/here/people/")
        return len(queries)

    make_clearances(make_person(here), here)
    few = cost()
    for _ in range(10):
        make_clearances(make_person(here), here)
    assert cost() == few


@pytest.mark.parametrize(
    ("left", "key"), [(31, None), (30, "30"), (8, "30"), (7, "7"), (2, "7"), (1, "1"), (0, "1")]
)
def test_a_reminder_goes_out_thirty_seven_and_one_days_before_once(
    here: Organisation, left: int, key: str | None
) -> None:
    person = make_person(here)
    made = make_clearance(person, here, left=left)
    for _ in range(2):
        clearances.remind()
    keys = list(OutboundMail.objects.values_list("unique_key", flat=True))
    assert keys == ([f"clearance:{made.pk}:{made.valid_until}:{key}"] if key else [])
    if key:
        mail = OutboundMail.objects.get()
        assert mail.to == person.email
        assert rules.long_date(made.valid_until) in mail.text


def test_each_step_is_its_own_mail_and_a_new_date_begins_again(here: Organisation) -> None:
    person = make_person(here)
    for left in (30, 7, 1):
        made = make_clearance(person, here, left=left)
        Clearance.objects.filter(pk=made.pk).update(valid_until=clock.today() + dt.timedelta(days=left))
        clearances.remind()
    assert OutboundMail.objects.count() == 3


def test_what_ran_out_is_a_task_of_the_administrators_and_those_who_left_are_not_asked(
    here: Organisation,
) -> None:
    make_clearance(make_person(here), here, left=-1)
    gone, disabled = make_person(), make_person(here, is_active=False)
    give(gone, here, "keyworker", since=-9, until=-1)
    for person in (gone, disabled):
        make_clearance(person, here, left=5)
    for _ in range(2):
        clearances.remind()
    assert not OutboundMail.objects.exists()
    task = Task.objects.get()
    assert (task.role, task.organisation) == (ADMINISTRATOR, here)
    assert "access is held" in task.words


def test_nothing_runs_out_by_a_job_alone(here: Organisation) -> None:
    """With every worker stopped the access ends at midnight in London."""
    person = make_person(here)
    last = make_clearance(person, here, left=2).valid_until
    assert last is not None
    midnight = dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), tzinfo=clock.LONDON)
    for instant, counts in ((midnight - dt.timedelta(seconds=1), True), (midnight, False)):
        with clock.frozen(instant):
            assert selectors.memberships_on(person, clock.today()).exists() == counts


def test_the_trail_of_dates_holds_no_name(desk: Client, here: Organisation, acting: Any) -> None:
    person = make_person(here, full_name="Zebedee Quick")
    desk.post(f"/o/here/people/{person.pk}/checks/background_check/", boxes("done_on", clock.today()))
    with acting(here, "information_governance"):
        rows = AuditEvent.objects.filter(name="organisations.clearance_recorded").values_list(
            "details", "subject"
        )
        assert rows
        assert "zebedee" not in str(list(rows)).lower()
