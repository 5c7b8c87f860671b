"""The review of access: what everybody may do, what needs a look, and reviews that are kept."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from edatrs.core import clock
from edatrs.organisations import access_review
from edatrs.organisations.access_review import ReviewLine
from edatrs.organisations.models import AccessReview, Membership, Organisation, SignInAttempt, User
from edatrs.organisations.services.attempts import account_of
from tests.factories.organisations import give, make_organisation, make_person, sign_in
from tests.factories.staff import make_clearance, make_clearances, make_review
from tests.organisations.test_people import role_fields, trail_of

pytestmark = pytest.mark.django_db
ADMINISTRATOR, OFFICER = "organisation_administrator", "information_governance"


@pytest.fixture
def here() -> Organisation:
    return make_organisation("here")


@pytest.fixture
def officer(here: Organisation) -> User:
    return make_person(here, role=OFFICER, full_name="Imran Officer")


@pytest.fixture
def desk(client: Client, officer: User) -> Client:
    """The governance officer's browser."""
    return sign_in(client, officer)


def signed_in(person: User, days: int = 1) -> None:
    SignInAttempt.objects.create(
        account=account_of(person.email),
        address="10.0.0.1",
        at=clock.now() - dt.timedelta(days=days),
        step=SignInAttempt.Step.SECOND_FACTOR,
        result=SignInAttempt.Result.RIGHT,
    )


def in_order(here: Organisation, acting: Any, **fields: Any) -> User:
    """Somebody of whom nothing needs a look."""
    person = make_person(here, **fields)
    Membership.objects.filter(user=person).update(valid_from=clock.today() - dt.timedelta(days=200))
    make_clearances(person, here)
    signed_in(person)
    with acting(here, OFFICER):
        make_review(here, person, days=10)
    return person


def line_of(here: Organisation, person: User, acting: Any) -> ReviewLine:
    with acting(here, OFFICER):
        lines = access_review.lines(here, clock.now(), clock.today())
    return next(line for line in lines if line.person == person)


def test_of_whom_everything_is_in_order_nothing_needs_a_look(here: Organisation, acting: Any) -> None:
    assert line_of(here, in_order(here, acting), acting).look == ()


def _no_factor(person: User, here: Organisation, acting: Any) -> None:
    person.authenticatorapp_set.all().delete()


def _long_ago(person: User, here: Organisation, acting: Any) -> None:
    SignInAttempt.objects.all().delete()
    signed_in(person, days=46)


def _ran_out(person: User, here: Organisation, acting: Any) -> None:
    make_clearance(person, here, left=-1)


def _not_recorded(person: User, here: Organisation, acting: Any) -> None:
    # Rows are not deleted: a day that has not come counts for nothing.
    tomorrow = clock.today() + dt.timedelta(days=1)
    person.clearances.filter(kind="background_check").update(done_on=tomorrow)


def _old_review(person: User, here: Organisation, acting: Any) -> None:
    # Reviews are kept as they were made: a later day is looked at instead.
    give(person, here, "clinician")


@pytest.mark.parametrize(
    ("happens", "words"),
    [
        (_no_factor, "No second step"),
        (_long_ago, "Not signed in for 45 days"),
        (_ran_out, "Training or a check"),
        (_not_recorded, "Training or a check"),
        (_old_review, "Roles changed since the review"),
    ],
)
def test_what_needs_a_look_is_said(here: Organisation, acting: Any, happens: Any, words: str) -> None:
    person = in_order(here, acting)
    happens(person, here, acting)
    [said] = line_of(here, person, acting).look
    assert words in said


def test_a_review_is_due_every_quarter(here: Organisation, acting: Any) -> None:
    person = in_order(here, acting)
    with acting(here, OFFICER):
        for days, due in ((81, False), (84, True)):
            now = clock.now() + dt.timedelta(days=days)
            [line] = access_review.lines(here, now, clock.today())
            assert ("Review is more than 3 months old" in line.look) == due
            assert line.person == person


def test_a_role_that_needs_a_passkey_and_has_none(here: Organisation, acting: Any, settings: Any) -> None:
    person = in_order(here, acting, role=ADMINISTRATOR)
    assert line_of(here, person, acting).look == ()
    settings.PASSKEY_REQUIRED = True
    assert line_of(here, person, acting).look == ("No passkey, and the role needs one",)


def test_the_list_says_who_may_what_since_when_and_by_whom(desk: Client, here: Organisation) -> None:
    sign_in(Client(), administrator := make_person(here, role=ADMINISTRATOR, full_name="Jo Fairley"))
    service = here.services.create(agency_code="T1", dataset="adult", name="North")
    person = make_person(full_name="New Nell")
    give(person, here, "keyworker", since=-5, until=-2)
    sign_in(office := Client(), administrator)
    fields = role_fields("clinician", services=[str(service.pk)])
    assert office.post(f"/o/here/people/{person.pk}/", fields).status_code == 302
    signed_in(person)
    page = desk.get("/o/here/access-review/").content.decode()
    for words in (
        "New Nell",
        "Clinician",
        "T1 North",
        "by Jo Fairley",
        "Authenticator app",
        "Never reviewed",
    ):
        assert words in page
    assert "people/" not in page, "the officer changes nothing here"


def test_reviews_are_marked_with_a_date_and_kept(
    desk: Client, here: Organisation, officer: User, acting: Any
) -> None:
    people = [make_person(here), make_person(here)]
    data = {"person": [str(p.pk) for p in people]}
    assert desk.post("/o/here/access-review/", data).status_code == 302
    again = {"person": [str(people[0].pk)]}
    assert desk.post("/o/here/access-review/", again).status_code == 302, "sent twice it is one"
    give(people[0], here, "clinician")
    assert desk.post("/o/here/access-review/", again).status_code == 302
    with acting(here, OFFICER):
        kept = AccessReview.objects.filter(user=people[0]).order_by("at").values_list("by_label", "roles")
        assert list(kept) == [("Imran Officer", "keyworker"), ("Imran Officer", "clinician keyworker")]
    events = [s for n, s, _ in trail_of(acting, here) if n == "organisations.access_reviewed"]
    assert sorted(events) == sorted(str(p.pk) for p in (*people, people[0]))
    page = desk.get("/o/here/access-review/?show=all").content.decode()
    assert "by Imran Officer" in page


def test_a_review_can_not_be_changed_by_who_serves_requests(here: Organisation, acting: Any) -> None:
    with acting(here, OFFICER):
        make_review(here, make_person(here))
        for statement in (
            "UPDATE organisations_accessreview SET roles = ''",
            "DELETE FROM organisations_accessreview",
        ):
            with (
                pytest.raises(DatabaseError, match="permission denied"),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(statement)


@pytest.mark.parametrize("who", ["nobody", "oneself"])
def test_nobody_reviews_themselves_and_somebody_must_be_chosen(
    desk: Client, officer: User, who: str, here: Organisation, acting: Any
) -> None:
    data = {} if who == "nobody" else {"person": [str(officer.pk)]}
    answer = desk.post("/o/here/access-review/", data)
    assert answer.status_code == 422
    assert (
        "Choose at least one" if who == "nobody" else "Nobody reviews their own"
    ) in answer.content.decode()
    with acting(here, OFFICER):
        assert not AccessReview.objects.exists()


def test_people_of_another_organisation_are_not_reviewed(
    desk: Client, here: Organisation, acting: Any
) -> None:
    strange = make_person(make_organisation())
    for pk in (str(strange.pk), "no-id"):
        data = {"person": [str(make_person(here).pk), pk]}
        assert desk.post("/o/here/access-review/", data).status_code == 404
    with acting(here, OFFICER):
        assert not AccessReview.objects.exists()


def test_the_filters_and_that_many_people_cost_the_same(
    desk: Client, here: Organisation, acting: Any
) -> None:
    in_order(here, acting, full_name="Fine Fay")
    make_person(here, full_name="Look Lou", role="clinician")

    def cost(address: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            desk.get(address)
        return len(queries)

    assert "Fine Fay" not in desk.get("/o/here/access-review/").content.decode()
    assert "Fine Fay" in desk.get("/o/here/access-review/?show=all").content.decode()
    assert "Look Lou" not in desk.get("/o/here/access-review/?role=keyworker").content.decode()
    few = cost("/o/here/access-review/?show=all")
    for _ in range(8):
        in_order(here, acting)
    assert cost("/o/here/access-review/?show=all") == few


@pytest.mark.parametrize("role", ["keyworker", "team_manager", "ndtms_administrator"])
def test_other_roles_do_not_reach_it(client: Client, here: Organisation, role: str) -> None:
    sign_in(client, make_person(here, role=role))
    assert client.get("/o/here/access-review/").status_code == 404
    assert client.post("/o/here/access-review/", {}).status_code == 404
