"""Invitations: good for three days, sent again with the link before ended, taken back; and never for who has a password."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client

from edatrs.core import clock
from edatrs.organisations.models import Organisation, OutboundMail, User
from edatrs.organisations.services import password_links
from tests.factories.organisations import make_organisation, make_person, sign_in
from tests.organisations.test_people import role_fields, trail_of

pytestmark = pytest.mark.django_db
GOOD = {"password": "nine quiet herons again", "again": "nine quiet herons again"}


@pytest.fixture
def here() -> Organisation:
    return make_organisation("here")


@pytest.fixture
def desk(client: Client, here: Organisation) -> Client:
    """The administrator's browser."""
    return sign_in(client, make_person(here, role="organisation_administrator"))


def invite(desk: Client) -> User:
    fields = role_fields("clinician", name="Ada Obi", email="ada.obi@test.example")
    assert desk.post("/o/here/people/invite/", fields).status_code == 302
    return User.objects.get(email="ada.obi@test.example")


def links() -> list[str]:
    """The links that were mailed, the oldest first."""
    mails = OutboundMail.objects.filter(to="ada.obi@test.example").order_by("created_at", "pk")
    return [found[0] for mail in mails if (found := re.search(r"/new-password/\S+", mail.text))]


def works(link: str) -> bool:
    """Whether a link still offers a password."""
    return b'name="again"' in Client().get(link).content


def test_the_page_says_until_when_it_is_good_and_when_it_has_ended(desk: Client) -> None:
    person = invite(desk)
    address = f"/o/here/people/{person.pk}/"
    assert "The invitation is good until" in desk.get(address).content.decode()
    person.password_links.update(expires_at=clock.now() - dt.timedelta(minutes=1))
    assert "The invitation has ended" in desk.get(address).content.decode()


def test_sent_again_there_is_a_new_link_and_the_one_before_has_ended(
    desk: Client, here: Organisation, acting: Any
) -> None:
    person = invite(desk)
    assert desk.post(f"/o/here/people/{person.pk}/invitation/").url == f"/o/here/people/{person.pk}/"
    found = {link: works(link) for link in links()}
    assert sorted(found.values()) == [False, True]
    [good] = [link for link, works in found.items() if works]
    assert Client().post(good, GOOD).status_code == 302
    person.refresh_from_db()
    assert person.has_usable_password()
    assert "organisations.invitation_sent" in [name for name, _, _ in trail_of(acting, here)]


def test_after_it_ended_it_can_be_sent_again(desk: Client) -> None:
    person = invite(desk)
    person.password_links.update(expires_at=clock.now() - dt.timedelta(days=2))
    desk.post(f"/o/here/people/{person.pk}/invitation/")
    assert [works(link) for link in links()].count(True) == 1


def test_nobody_is_sent_mail_without_end(desk: Client) -> None:
    person = invite(desk)
    for _ in range(6):
        desk.post(f"/o/here/people/{person.pk}/invitation/")
    assert len(links()) == password_links.INVITATIONS_A_DAY
    assert "several times today" in desk.get(f"/o/here/people/{person.pk}/").content.decode()


def test_taken_back_the_link_and_the_role_have_ended_and_a_new_role_invites_anew(
    desk: Client, here: Organisation, acting: Any
) -> None:
    person = invite(desk)
    assert desk.post(f"/o/here/people/{person.pk}/invitation/revoke/").status_code == 302
    assert not any(works(link) for link in links())
    person.refresh_from_db()
    assert not person.is_active
    assert person.memberships.get().valid_until < clock.today()
    assert "organisations.invitation_revoked" in [name for name, _, _ in trail_of(acting, here)]
    refused = desk.post(f"/o/here/people/{person.pk}/invitation/")
    assert "no role here any more" in desk.get(refused.url).content.decode()
    invite(desk)
    assert [works(link) for link in links()].count(True) == 1


def test_somebody_whom_another_partner_invited_too_keeps_their_link(desk: Client) -> None:
    person = invite(desk)
    there = make_organisation("there")
    office = sign_in(Client(), make_person(there, role="organisation_administrator"))
    fields = role_fields("keyworker", name="Ada Obi", email="ada.obi@test.example")
    assert office.post("/o/there/people/invite/", fields).status_code == 302
    desk.post(f"/o/here/people/{person.pk}/invitation/revoke/")
    assert any(works(link) for link in links())
    person.refresh_from_db()
    assert person.is_active
    assert person.memberships.get(organisation=there).valid_until is None


def test_who_has_a_password_is_not_invited_and_not_taken_back(desk: Client, here: Organisation) -> None:
    person = make_person(here)
    for tail in ("", "revoke/"):
        answer = desk.post(f"/o/here/people/{person.pk}/invitation/{tail}")
        assert "there is no invitation any more" in desk.get(answer.url).content.decode()
    assert not OutboundMail.objects.exists()
    assert person.memberships.get().valid_until is None


def test_people_of_another_organisation_are_not_found(desk: Client) -> None:
    strange = make_person(make_organisation(), password=None, second_factor=False)
    for tail in ("", "revoke/"):
        assert desk.post(f"/o/here/people/{strange.pk}/invitation/{tail}").status_code == 404
    assert not OutboundMail.objects.exists()
