"""Links by mail: one use, one hour, nothing said about who is known, and the second factor still needed."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.core import mail
from django.test import Client

from audit.models.trail import AuditEvent
from edatrs.core import clock
from edatrs.organisations.models import OutboundMail, PasswordLink, User
from edatrs.organisations.services import outbox, password_links
from tests.factories.organisations import PASSWORD, code_of, make_organisation, make_person, sign_in

pytestmark = pytest.mark.django_db
MORNING = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)
NEW = "eleven slow barges at dusk"


@pytest.fixture
def user() -> User:
    return make_person(make_organisation("here"))


def link_for(email: str) -> str:
    """Ask for a link and read it in the mail."""
    Client().post("/cannot-sign-in/", {"email": email})
    found = re.search(
        r"http://\S+(/new-password/\S+/)", OutboundMail.objects.filter(to=email).latest("created_at").text
    )
    assert found
    return found[1]


def use(link: str, password: str = NEW, again: str = "") -> int:
    return int(Client().post(link, {"password": password, "again": again or password}).status_code)


def signs_in_with(user: User, password: str) -> bool:
    return bool(Client().post("/sign-in/", {"email": user.email, "password": password}).status_code == 302)


def test_a_link_sets_the_password_once_and_signs_nobody_in(client: Client, user: User) -> None:
    link = link_for(user.email)
    assert client.get(link).status_code == 200
    assert client.get(link).status_code == 200
    done = client.post(link, {"password": NEW, "again": NEW})
    assert done.url == "/sign-in/?ended=password"
    assert client.get("/account/").url == "/sign-in/?next=%2Faccount%2F"
    assert signs_in_with(user, NEW)
    assert not signs_in_with(user, PASSWORD)
    assert client.get(link).status_code == 410
    assert use(link, "another long way to say it") == 410
    assert signs_in_with(user, NEW)


def test_a_reset_does_not_skip_the_second_factor(client: Client, user: User) -> None:
    use(link_for(user.email))
    answer = client.post("/sign-in/", {"email": user.email, "password": NEW})
    assert answer.url == "/confirm/"
    assert client.get("/o/here/").status_code == 302
    assert client.get("/set-up/").url == "/confirm/?next=%2Fset-up%2F"


def test_a_link_ends_after_an_hour(user: User) -> None:
    with clock.frozen(MORNING):
        link = link_for(user.email)
    with clock.frozen(MORNING + dt.timedelta(minutes=59)):
        assert Client().get(link).status_code == 200
    with clock.frozen(MORNING + dt.timedelta(minutes=60)):
        assert Client().get(link).status_code == 410
        assert use(link) == 410


def test_a_link_ends_when_its_owner_signs_in(client: Client, user: User) -> None:
    link = link_for(user.email)
    client.post("/sign-in/", {"email": user.email, "password": PASSWORD})
    client.post("/confirm/", {"code": code_of(user)})
    assert use(link) == 410


def test_a_link_ends_when_the_password_is_changed_and_so_do_all_others(client: Client, user: User) -> None:
    first, second = link_for(user.email), link_for(user.email)
    assert use(second) == 302
    assert use(first) == 410
    third = link_for(user.email)
    sign_in(client, user)
    done = client.post(
        "/account/password/",
        {"current": NEW, "password": "twelve brave otters", "again": "twelve brave otters"},
    )
    assert done.status_code == 302
    assert use(third) == 410


def test_a_link_of_a_disabled_person_has_ended(user: User) -> None:
    link = link_for(user.email)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert use(link) == 410


def test_a_password_that_breaks_a_rule_leaves_the_link_good(user: User) -> None:
    link = link_for(user.email)
    assert use(link, "short") == 200
    assert use(link, NEW, again="something else entirely") == 200
    assert use(link) == 302


def test_known_and_unknown_addresses_get_the_same_answer_and_only_one_gets_a_mail(
    client: Client, user: User
) -> None:
    known = client.post("/cannot-sign-in/", {"email": user.email.upper()})
    unknown = client.post("/cannot-sign-in/", {"email": "nobody@test.example"})
    assert (
        (known.status_code, known.url)
        == (unknown.status_code, unknown.url)
        == (302, "/cannot-sign-in/?sent=1")
    )
    assert [m.to for m in OutboundMail.objects.all()] == [user.email]


def test_nobody_is_sent_more_than_three_links_an_hour(user: User) -> None:
    with clock.frozen(MORNING):
        for _ in range(5):
            Client().post("/cannot-sign-in/", {"email": user.email})
        assert OutboundMail.objects.count() == 3
    with clock.frozen(MORNING + dt.timedelta(minutes=61)):
        Client().post("/cannot-sign-in/", {"email": user.email})
        assert OutboundMail.objects.count() == 4


def test_the_token_is_kept_as_a_digest_and_stands_on_no_trail(acting: object, user: User) -> None:
    link = link_for(user.email)
    token = link.rstrip("/").split("/")[-1]
    use(link)
    use(link)
    assert not PasswordLink.objects.filter(digest=token).exists()
    with acting(user.memberships.get().organisation, "information_governance"):  # type: ignore[operator]
        rows = list(AuditEvent.objects.values_list("name", "subject", "details"))
    assert {name for name, _, _ in rows} == {
        "organisations.password_reset_asked",
        "organisations.password_changed",
    }
    assert token not in str(rows)
    assert user.email not in str(rows)


def test_the_mail_holds_words_and_a_link_and_its_reader_is_told_afterwards(user: User) -> None:
    use(link_for(user.email))
    outbox.send_due()
    assert [m.subject for m in mail.outbox] == ["Set a new password", "Your password was changed"]
    assert all(user.full_name not in str(m.body) for m in mail.outbox)


def test_setting_a_password_ends_the_other_sessions(client: Client, user: User) -> None:
    sign_in(client, user)
    use(link_for(user.email))
    assert client.get("/o/here/").status_code == 302


def test_an_invitation_is_good_for_three_days(user: User) -> None:
    with clock.frozen(MORNING):
        _, address = password_links.make(user=user, purpose=PasswordLink.Purpose.INVITATION)
    path = re.sub(r"^https?://[^/]+", "", address)
    with clock.frozen(MORNING + dt.timedelta(days=2, hours=23)):
        assert "Set your password" in Client().get(path).content.decode()
    with clock.frozen(MORNING + dt.timedelta(days=3)):
        assert Client().get(path).status_code == 410


def test_changing_ones_password_needs_the_present_one_and_keeps_only_this_session(
    client: Client, user: User
) -> None:
    other = sign_in(Client(), user)
    sign_in(client, user)
    before = client.session.session_key
    fields = {"current": "not the one at all", "password": NEW, "again": NEW}
    assert client.post("/account/password/", fields).status_code == 200
    assert client.post("/account/password/", {**fields, "current": PASSWORD}).url == "/account/"
    assert client.session.session_key != before
    assert "You are signed out everywhere else" in client.get("/account/").content.decode()
    assert other.get("/account/").status_code == 302
