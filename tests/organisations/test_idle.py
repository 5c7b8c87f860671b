"""A sign-in ends after 15 minutes without use and after 12 hours with it; what a page does by itself is no use."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from edatrs.core import clock
from edatrs.core.views import PublicView
from edatrs.organisations.models import User
from tests.factories.organisations import make_organisation, make_person, sign_in

pytestmark = pytest.mark.django_db
MORNING = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)


class PollingView(PublicView):
    """A part of a page that is fetched again by itself."""

    public_because = "a test"
    extends_session = False

    def get(self, request: HttpRequest) -> HttpResponse:
        """Nothing."""
        return HttpResponse("still here" if request.user.is_authenticated else "signed out")


urlpatterns = [path("polled/", PollingView.as_view()), path("", include("edatrs.organisations.urls"))]


@pytest.fixture
def user() -> User:
    return make_person(make_organisation("here"))


def at(client: Client, minutes: float, address: str = "/account/", **headers: Any) -> Any:
    with clock.frozen(MORNING + dt.timedelta(minutes=minutes)):
        return client.get(address, headers=headers or None)


@pytest.fixture
def begun(client: Client, user: User) -> Client:
    with clock.frozen(MORNING):
        return sign_in(client, user)


def test_after_fifteen_minutes_without_use_the_sign_in_is_over(begun: Client) -> None:
    assert at(begun, 14.9).status_code == 200
    over = at(begun, 14.9 + 15, "/o/here/?page=2")
    assert (over.status_code, over.url) == (302, "/sign-in/?next=/o/here/%3Fpage%3D2&ended=idle")
    assert over["Cache-Control"] == "no-store"
    page = at(begun, 30, over.url).content.decode()
    assert "You were signed out because nothing happened for 15 minutes" in page
    assert 'name="next" value="/o/here/?page=2"' in page
    assert at(begun, 30).url.startswith("/sign-in/")


def test_use_goes_on_until_twelve_hours_are_over(begun: Client) -> None:
    minute = 0
    while minute < 12 * 60 - 10:
        minute += 10
        assert at(begun, minute).status_code == 200
    assert at(begun, 12 * 60 - 0.1).status_code == 200
    over = at(begun, 12 * 60)
    assert over.url == "/sign-in/?next=/account/&ended=long"
    assert "because you had been signed in for 12 hours" in at(begun, 721, over.url).content.decode()


def test_polling_and_autosave_do_not_extend_it(begun: Client, settings: Any) -> None:
    settings.ROOT_URLCONF = __name__
    assert at(begun, 10, "/polled/").content == b"still here"
    assert at(begun, 14, **{"X-Autosave": "1"}).status_code == 200
    assert at(begun, 15.1).url.endswith("ended=idle")


def test_a_part_of_a_page_is_told_to_load_the_sign_in_page(begun: Client) -> None:
    response = at(begun, 16, **{"HX-Request": "true", "HX-Current-URL": "http://testserver/o/here/people/"})
    assert response.status_code == 401
    assert response["HX-Redirect"] == "/sign-in/?next=/o/here/people/&ended=idle"


def test_a_form_sent_too_late_is_not_saved_and_leads_back_to_its_page(begun: Client) -> None:
    with clock.frozen(MORNING + dt.timedelta(minutes=16)):
        response = begun.post(
            "/organisation/", {}, headers={"Referer": "http://testserver/o/here/people/invite/"}
        )
        assert response.url == "/sign-in/?next=/o/here/people/invite/&ended=idle"


def test_a_form_of_another_site_leads_to_the_start_page(begun: Client) -> None:
    with clock.frozen(MORNING + dt.timedelta(minutes=16)):
        response = begun.post("/organisation/", {}, headers={"Referer": "https://evil.example/o/here/"})
        assert response.url == "/sign-in/?next=/&ended=idle"


def test_half_a_sign_in_ends_too(client: Client, user: User) -> None:
    with clock.frozen(MORNING):
        sign_in(client, user, second_factor=False)
    assert at(client, 14, "/confirm/").status_code == 200
    assert at(client, 30, "/confirm/").url.startswith("/sign-in/")


def test_a_session_without_clocks_gets_them(client: Client, user: User) -> None:
    with clock.frozen(MORNING):
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        client.get("/confirm/")
    assert at(client, 16, "/confirm/").url.startswith("/sign-in/")


def test_words_that_nobody_wrote_are_not_shown(client: Client) -> None:
    page = client.get("/sign-in/?ended=<b>send your password to me</b>").content.decode()
    assert "send your password" not in page
