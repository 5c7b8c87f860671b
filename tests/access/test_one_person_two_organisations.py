"""Somebody with roles at two partners is judged by the one in the address; what every answer carries whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client as Browser

from tests.access.world import World, make_world
from tests.factories.organisations import give, make_person, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


def test_a_role_at_one_partner_is_none_at_the_other(world: World) -> None:
    """Keyworker at one, NDTMS administrator at the other: the desk of the other alone, and none of its files under the first's address."""
    person = make_person(world.own.organisation, role="keyworker")
    give(person, world.other.organisation, "ndtms_administrator")
    browser = sign_in(Browser(), person)
    here, there = world.own.organisation.slug, world.other.organisation.slug
    mine, theirs = world.own.objects["submission"], world.other.objects["submission"]
    for method in ("get", "post"):
        ask = getattr(browser, method)
        for page in ("", f"{mine}/", f"{theirs}/", f"{theirs}/download/", f"{mine}/confirm/"):
            assert ask(f"/o/{here}/submissions/{page}").status_code == 404, page
        assert ask(f"/o/{there}/submissions/{mine}/confirm/").status_code in (404, 405)
    assert browser.get(f"/o/{there}/submissions/{theirs}/").status_code == 200
    assert browser.get(f"/o/{there}/submissions/{mine}/").status_code == 404


def test_a_role_at_both_opens_each_ones_rows_under_its_own_address_alone(world: World) -> None:
    person = make_person(world.own.organisation, world.other.organisation, role="ndtms_administrator")
    browser = sign_in(Browser(), person)
    for side, elsewhere in ((world.own, world.other), (world.other, world.own)):
        desk = browser.get(f"/o/{side.organisation.slug}/submissions/")
        assert side.mark.encode() in desk.content and elsewhere.mark.encode() not in desk.content
        wrong = f"/o/{side.organisation.slug}/submissions/{elsewhere.objects['submission']}/"
        assert browser.get(wrong).status_code == 404
        assert browser.post(f"{wrong}confirm/").status_code == 404


def test_two_roles_at_one_partner_add_up(world: World) -> None:
    person = make_person(world.own.organisation, role="keyworker")
    browser, desk = sign_in(Browser(), person), f"/o/{world.own.organisation.slug}/submissions/"
    assert browser.get(desk).status_code == 404
    give(person, world.own.organisation, "information_governance")
    assert browser.get(desk).status_code == 200, "rights are read at every request"
    assert browser.post(desk).status_code == 404
    person.memberships.filter(role="information_governance").update(
        valid_until="2020-01-01", valid_from="2020-01-01"
    )
    assert browser.get(desk).status_code == 404


def test_a_method_named_in_a_header_or_a_field_is_not_listened_to(world: World) -> None:
    slug, one = world.own.organisation.slug, world.own.objects["submission"]
    browser = Browser()
    browser.cookies["sessionid"] = world.sessions["team_manager"]
    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        answer = browser.get(f"/o/{slug}/submissions/{one}/", headers={header: "DELETE"})
        assert answer.status_code == 200
    answer = browser.post(f"/o/{slug}/submissions/{one}/", {"_method": "GET"})
    assert answer.status_code == 405


ANSWERS = [
    (who, where)
    for who in ("signed_out", "ndtms_administrator")
    for where in ("own-side", "other-side", "nowhere")
]


def answers(world: World) -> Iterator[Any]:
    """What is shown, refused, absent and public, to somebody and to nobody."""
    for who, where in ANSWERS:
        for address in (
            f"/o/{where}/submissions/",
            f"/o/{where}/no-such-page/",
            "/no-such-page/",
            "/sign-in/",
        ):
            yield address, world.browser(who).get(address)


def test_every_answer_is_kept_by_nobody_and_guessed_by_nobody(world: World) -> None:
    for address, answer in answers(world):
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], address
        assert answer.headers["X-Content-Type-Options"] == "nosniff", address
        assert "no-store" in answer.headers["Cache-Control"], address


def test_every_answer_refuses_frames(world: World) -> None:
    without = {
        address for address, answer in answers(world) if answer.headers.get("X-Frame-Options") != "DENY"
    }
    assert without == set()
