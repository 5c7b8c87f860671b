"""People of an organisation: inviting, giving and ending roles, disabling, and the reset of a second factor."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from typing import Any

import pytest
from django.test import Client

from audit.models.trail import AuditEvent
from edatrs.core import clock
from edatrs.organisations.models import Membership, Organisation, OutboundMail, User
from edatrs.organisations.services import second_factor
from tests.factories.organisations import code_of, give, make_organisation, make_person, sign_in

pytestmark = pytest.mark.django_db
ADMINISTRATOR = "organisation_administrator"


@pytest.fixture
def here() -> Organisation:
    return make_organisation("here")


@pytest.fixture
def administrator(here: Organisation) -> User:
    return make_person(here, role=ADMINISTRATOR)


@pytest.fixture
def desk(client: Client, administrator: User) -> Client:
    """The administrator's browser."""
    return sign_in(client, administrator)


def boxes(name: str, day: dt.date) -> dict[str, str]:
    return {f"{name}_day": str(day.day), f"{name}_month": str(day.month), f"{name}_year": str(day.year)}


def role_fields(role: str = "keyworker", **more: Any) -> dict[str, Any]:
    return {"role": role, **boxes("valid_from", clock.today()), **more}


def trail_of(acting: Any, organisation: Organisation) -> list[tuple[str, str, dict[str, Any]]]:
    with acting(organisation, "information_governance"):
        return list(AuditEvent.objects.order_by("sequence").values_list("name", "subject", "details"))


def test_an_administrator_invites_somebody_who_then_sets_everything_up(
    desk: Client, acting: Any, here: Organisation
) -> None:
    fields = role_fields("clinician", name="Ada Obi", email="Ada.Obi@test.example")
    done = desk.post("/o/here/people/invite/", fields)
    person = User.objects.get(email="Ada.Obi@test.example")
    assert done.url == f"/o/here/people/{person.pk}/"
    mail = OutboundMail.objects.get()
    assert (mail.to, mail.subject) == ("Ada.Obi@test.example", "Set up your sign-in")
    link = re.search(r"/new-password/\S+", mail.text)
    assert link
    newcomer = Client()
    newcomer.post(link[0], {"password": "nine quiet herons again", "again": "nine quiet herons again"})
    first = newcomer.post(
        "/sign-in/", {"email": "ada.obi@test.example", "password": "nine quiet herons again"}
    )
    assert first.url == "/set-up/"
    newcomer.get("/set-up/")
    newcomer.post("/set-up/", {"code": code_of(person, confirmed=False)})
    assert newcomer.get("/o/here/").status_code == 200
    events = [(name, subject) for name, subject, _ in trail_of(acting, here)]
    for name in ("person_invited", "role_given", "password_changed", "second_factor_enrolled", "signed_in"):
        assert (f"organisations.{name}", str(person.pk)) in events


def test_the_trail_of_people_holds_no_name_and_no_address(
    desk: Client, acting: Any, here: Organisation
) -> None:
    desk.post("/o/here/people/invite/", role_fields(name="Quillon Obi", email="quillon.obi@test.example"))
    written = str(trail_of(acting, here)).lower()
    assert "person_invited" in written and "quillon" not in written


def test_somebody_who_works_elsewhere_too_gets_the_role_and_keeps_their_sign_in(desk: Client) -> None:
    elsewhere = make_person(make_organisation("elsewhere"), full_name="Bo Lind", email="bo@test.example")
    fields = role_fields(name="Another Name", email="BO@test.example")
    assert desk.post("/o/here/people/invite/", fields).status_code == 302
    elsewhere.refresh_from_db()
    assert elsewhere.full_name == "Bo Lind"
    assert {m.organisation.slug for m in elsewhere.memberships.all()} == {"here", "elsewhere"}
    page = desk.get(f"/o/here/people/{elsewhere.pk}/").content.decode()
    assert "elsewhere" not in page.lower()
    assert OutboundMail.objects.get().subject == "You were given a role"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name": ""}, "Enter the person&#x27;s full name"),
        ({"email": "not an address"}, "Enter an e-mail address, such as"),
        ({"role": ""}, "Choose a role"),
        ({"role": "commissioner"}, "Choose a role from the list"),
        ({"role": "platform_support"}, "Choose a role from the list"),
        ({"valid_from_day": "31", "valid_from_month": "2"}, "First day"),
        (
            {"valid_until_day": "1", "valid_until_month": "1", "valid_until_year": "2020"},
            "Last day must be today or later",
        ),
    ],
)
def test_a_wrong_invitation_says_what_is_wrong_and_sends_nothing(
    desk: Client, changed: dict[str, str], words: str
) -> None:
    fields = {**role_fields(name="Ada Obi", email="ada.obi@test.example"), **changed}
    response = desk.post("/o/here/people/invite/", fields)
    assert response.status_code == 200
    assert words in response.content.decode()
    assert not OutboundMail.objects.exists()
    assert not User.objects.filter(email="ada.obi@test.example").exists()


def test_a_role_may_be_narrowed_to_services_of_the_organisation_only(
    desk: Client, here: Organisation
) -> None:
    own = here.services.create(agency_code="OURCODE1", dataset="adult")
    strange = make_organisation().services.create(agency_code="THEIRCODE2", dataset="adult")
    person = make_person(here)
    address = f"/o/here/people/{person.pk}/"
    page = desk.get(address).content.decode()
    assert "OURCODE1" in page
    assert "THEIRCODE2" not in page
    refused = desk.post(address, role_fields("clinician", services=[str(strange.pk)]))
    assert "Choose services from the list" in refused.content.decode()
    assert desk.post(address, role_fields("clinician", services=[str(own.pk)])).status_code == 302
    assert list(person.memberships.get(role="clinician").services.all()) == [own]


def test_a_role_given_again_takes_the_new_dates(desk: Client, here: Organisation) -> None:
    person = make_person()
    give(person, here, "keyworker", since=-100, until=-50)
    assert desk.post(f"/o/here/people/{person.pk}/", role_fields("keyworker")).status_code == 302
    membership = person.memberships.get()
    assert (membership.valid_from, membership.valid_until) == (clock.today(), None)


@pytest.mark.parametrize("since", [-30, 0, 10])
def test_a_role_that_ends_now_gives_nothing_from_the_next_request(
    desk: Client, here: Organisation, since: int
) -> None:
    person = make_person()
    give(person, here, "keyworker", since=since)
    worker = sign_in(Client(), person)
    assert worker.get("/o/here/").status_code == (200 if since <= 0 else 404)
    address = f"/o/here/people/{person.pk}/roles/{person.memberships.get().pk}/end/"
    assert desk.get(address).status_code == 200
    assert desk.post(address, {"when": "now"}).status_code == 302
    assert worker.get("/o/here/").status_code == 404
    assert desk.get(f"/o/here/people/{person.pk}/").status_code == 200


def test_a_role_that_ends_on_a_day_lasts_to_its_end(desk: Client, here: Organisation) -> None:
    person = make_person(here)
    membership = person.memberships.get()
    address = f"/o/here/people/{person.pk}/roles/{membership.pk}/end/"
    assert "Enter the last day" in desk.post(address, {"when": "day"}).content.decode()
    last = clock.today() + dt.timedelta(days=3)
    assert desk.post(address, {"when": "day", **boxes("last_day", last)}).status_code == 302
    membership.refresh_from_db()
    assert membership.valid_until == last


def test_ending_all_access_signs_out_at_once_and_closes_the_sign_in(desk: Client, here: Organisation) -> None:
    person = make_person(here)
    give(person, here, "clinician")
    worker = sign_in(Client(), person)
    assert desk.post(f"/o/here/people/{person.pk}/disable/").status_code == 302
    assert worker.get("/account/").status_code == 302
    person.refresh_from_db()
    assert not person.is_active
    assert all(m.valid_until < clock.today() for m in person.memberships.all())


def test_somebody_disabled_here_who_works_elsewhere_keeps_that(desk: Client, here: Organisation) -> None:
    there = make_organisation("there")
    person = make_person(here, there)
    before = sign_in(Client(), person)
    desk.post(f"/o/here/people/{person.pk}/disable/")
    assert before.get("/account/").url.startswith("/sign-in/")
    worker = sign_in(Client(), person)
    assert worker.get("/o/there/").status_code == 200
    assert worker.get("/o/here/").status_code == 404


def test_a_disabled_person_comes_back_with_a_new_role(desk: Client, here: Organisation) -> None:
    person = make_person(here)
    desk.post(f"/o/here/people/{person.pk}/disable/")
    assert desk.post(f"/o/here/people/{person.pk}/", role_fields("clinician")).status_code == 302
    person.refresh_from_db()
    assert person.is_active


def test_nobody_changes_or_resets_themselves(desk: Client, administrator: User) -> None:
    me = f"/o/here/people/{administrator.pk}/"
    answer = {"identity_check": "in_person", "reason": "lost"}
    assert desk.get(f"{me}second-factor/").status_code == 404
    assert desk.post(f"{me}second-factor/", answer).status_code == 404
    assert "nobody changes their own roles" in desk.post(me, role_fields("clinician")).content.decode()
    end = f"{me}roles/{administrator.memberships.get().pk}/end/"
    assert "nobody changes their own roles" in desk.post(end, {"when": "now"}).content.decode()
    desk.post(f"{me}disable/")
    fields = role_fields("clinician", name="Me", email=administrator.email)
    assert desk.post("/o/here/people/invite/", fields).status_code == 200
    assert administrator.memberships.count() == 1
    assert desk.get("/o/here/people/").status_code == 200


def test_the_reset_after_an_identity_check_ends_sessions_and_is_told(
    desk: Client, acting: Any, here: Organisation
) -> None:
    person = make_person(here)
    codes = second_factor.new_recovery_codes(user=person)
    worker = sign_in(Client(), person)
    address = f"/o/here/people/{person.pk}/second-factor/"
    assert desk.post(address, {"identity_check": "in_person"}).status_code == 200
    assert desk.post(address, {"reason": "lost"}).status_code == 200
    assert worker.get("/o/here/").status_code == 200
    assert desk.post(address, {"identity_check": "in_person", "reason": "lost"}).status_code == 302
    assert worker.get("/account/").url.startswith("/sign-in/")
    assert not person.authenticatorapp_set.exists()
    assert not person.recovery_codes.exists()
    half = sign_in(Client(), person, second_factor=False)
    assert half.post("/confirm/", {"recovery": codes[0]}).url == "/set-up/"
    assert OutboundMail.objects.get().subject == "Your second step was reset"
    [(subject, details)] = [
        (s, d) for n, s, d in trail_of(acting, here) if n == "organisations.second_factor_reset"
    ]
    assert subject == str(person.pk)
    assert (details["check"], details["label"]) == ("in_person", "The phone is lost or was stolen")


def test_the_reset_needs_a_fresh_second_factor(
    client: Client, here: Organisation, administrator: User
) -> None:
    person = make_person(here)
    sign_in(client, administrator, fresh=False)
    response = client.get(f"/o/here/people/{person.pk}/second-factor/")
    assert response.url.startswith("/confirm/?next=")
    client.post(
        f"/o/here/people/{person.pk}/second-factor/", {"identity_check": "in_person", "reason": "lost"}
    )
    assert person.authenticatorapp_set.exists()


def test_people_of_another_organisation_are_not_found_and_nothing_happens_to_them(desk: Client) -> None:
    strange = make_person(make_organisation("strange"))
    held = strange.memberships.get()
    absent = uuid.uuid4()
    tails = ["", "second-factor/", "disable/", f"roles/{held.pk}/end/"]
    fields = {**role_fields("keyworker"), "identity_check": "in_person", "reason": "lost", "when": "now"}
    for tail in tails:
        for method in ("get", "post"):
            answers = {
                (r.status_code, r.content)
                for pk in (strange.pk, absent)
                for r in [getattr(desk, method)(f"/o/here/people/{pk}/{tail}", fields)]
            }
            assert {status for status, _ in answers} == {404}, tail
            assert len(answers) == 1, tail
    strange.refresh_from_db()
    assert strange.authenticatorapp_set.exists()
    assert strange.is_active
    assert list(strange.memberships.all()) == [held]


def test_a_role_of_another_organisation_or_person_is_not_ended_through_a_person_of_ours(
    desk: Client, here: Organisation
) -> None:
    both = make_person(here, make_organisation("strange"))
    other = make_person(here)
    foreign = both.memberships.get(organisation__slug="strange")
    for membership in (foreign, other.memberships.get()):
        address = f"/o/here/people/{both.pk}/roles/{membership.pk}/end/"
        assert desk.get(address).status_code == 404
        assert desk.post(address, {"when": "now"}).status_code == 404
        assert Membership.objects.get(pk=membership.pk).valid_until is None


@pytest.mark.parametrize("role", ["keyworker", "clinician", "team_manager", "information_governance"])
def test_other_roles_do_not_reach_the_pages_about_people(
    client: Client, here: Organisation, role: str
) -> None:
    person = make_person(here)
    sign_in(client, make_person(here, role=role))
    for address in (
        "people/",
        "people/invite/",
        f"people/{person.pk}/",
        f"people/{person.pk}/second-factor/",
    ):
        assert client.get(f"/o/here/{address}").status_code == 404
        assert client.post(f"/o/here/{address}", {}).status_code == 404


def test_the_list_says_how_far_everybody_is_and_is_filtered(desk: Client, here: Organisation) -> None:
    make_person(here, full_name="Ready Rita")
    make_person(here, full_name="Invited Ian", password=None, second_factor=False)
    make_person(here, full_name="Halfway Hal", second_factor=False, role="clinician")
    gone = make_person(full_name="Gone Gil")
    give(gone, here, "keyworker", since=-9, until=-2)
    page = desk.get("/o/here/people/").content.decode()
    for words in ("Ready Rita", "Can sign in", "Invited, no password yet", "Second step not set up"):
        assert words in page
    assert "Gone Gil" not in page
    assert "Gone Gil" in desk.get("/o/here/people/?state=ended").content.decode()
    only = desk.get("/o/here/people/?role=clinician&state=all").content.decode()
    assert "Halfway Hal" in only
    assert "Ready Rita" not in only
    assert desk.get("/o/here/people/?role=nonsense&state=nonsense&page=99999").status_code == 200


def test_the_list_costs_the_same_for_one_person_and_for_many(
    desk: Client, here: Organisation, django_assert_max_num_queries: Any, settings: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as few:
        desk.get("/o/here/people/")
    for _ in range(12):
        make_person(here)
    with CaptureQueriesContext(connection) as many:
        desk.get("/o/here/people/")
    assert len(many) == len(few)


def test_the_start_page_shows_ones_own_tasks_and_they_can_be_done(client: Client, here: Organisation) -> None:
    person, other = make_person(here), make_person(here)
    now = clock.now()
    mine, for_role, not_mine = (
        here_task(here, now, "Mine", user=person),
        here_task(here, now, "For keyworkers", role="keyworker"),
        here_task(here, now, "For somebody else", user=other),
    )
    sign_in(client, person)
    page = client.get("/o/here/").content.decode()
    assert "Mine" in page
    assert "For keyworkers" in page
    assert "For somebody else" not in page
    assert client.post(f"/o/here/tasks/{mine.pk}/done/").url == "/o/here/"
    assert client.post(f"/o/here/tasks/{for_role.pk}/done/").url == "/o/here/"
    assert client.post(f"/o/here/tasks/{not_mine.pk}/done/").status_code == 404
    page = client.get("/o/here/").content.decode()
    assert "Nothing is waiting for you" in page
    not_mine.refresh_from_db()
    assert not_mine.done_at is None


def here_task(organisation: Organisation, now: dt.datetime, words: str, **for_whom: Any) -> Any:
    from edatrs.organisations.models import Task

    return Task.objects.create(
        unique_key=words, organisation=organisation, words=words, created_at=now, **for_whom
    )
