"""What the frame leads to and says: how long the sign-in lasts, shortcuts with their switch, help, privacy notice, accessibility."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

import pytest
from django.test import Client as Browser

from edatrs.core import clock
from edatrs.organisations import context
from edatrs.organisations.models import Organisation, User
from edatrs.organisations.views.frame import TOPICS
from tests.factories.organisations import make_organisation, make_person, sign_in

pytestmark = pytest.mark.django_db
MORNING = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def worker() -> User:
    return make_person(make_organisation("here", name="Open Road"))


@pytest.fixture
def begun(client: Browser, worker: User) -> Browser:
    with clock.frozen(MORNING):
        return sign_in(client, worker)


def at(minutes: float) -> Any:
    return clock.frozen(MORNING + dt.timedelta(minutes=minutes))


# ---- how long the sign-in lasts -----------------------------------------------------------------------------------


def test_every_page_says_when_the_sign_in_ends_and_nobody_signed_out_is_told(begun: Browser) -> None:
    with at(10):
        html = begun.get("/o/here/").content.decode()
    assert (
        'data-unused="900"' in html
        and f'data-long="{12 * 3600 - 600}"' in html
        and 'data-warning="120"' in html
    )
    assert "data-app-idle" not in Browser().get("/sign-in/").content.decode()
    assert '<dialog class="app-dialog"' in html and " open" not in re.search("<dialog[^>]*>", html)[0]  # type: ignore[index]


def test_asking_how_long_is_left_is_no_use_and_saying_that_one_is_here_is(begun: Browser) -> None:
    with at(10):
        asked = begun.get("/account/stay/", headers={"X-Autosave": "1"})
        assert json.loads(asked.content) == {"unused": 300, "long": 12 * 3600 - 600}
        assert asked["Cache-Control"] == "no-store"
    with at(14):
        plain = begun.get("/account/stay/")
        assert json.loads(plain.content)["unused"] == 60, "even without the header"
        assert json.loads(begun.post("/account/stay/").content)["unused"] == 900
    with at(28):
        assert json.loads(begun.get("/account/stay/").content)["unused"] == 60
    with at(29.1):
        over = begun.get("/account/stay/", headers={"X-Autosave": "1"})
        assert over.status_code == 401


def test_nothing_puts_off_the_end_after_twelve_hours(begun: Browser) -> None:
    for minute in range(0, 12 * 60, 10):
        with at(minute):
            assert begun.post("/account/stay/").status_code == 200
    with at(12 * 60 - 1):
        assert json.loads(begun.post("/account/stay/").content) == {"unused": 900, "long": 60}
    with at(12 * 60):
        assert begun.post("/account/stay/", headers={"X-Autosave": "1"}).status_code == 401


def test_half_a_sign_in_cannot_be_put_off(client: Browser, worker: User) -> None:
    with at(0):
        sign_in(client, worker, second_factor=False)
        assert client.post("/account/stay/").status_code == 302
    with at(14):
        assert client.post("/account/stay/").status_code == 302
    with at(15):
        assert client.get("/confirm/").url.startswith("/sign-in/")


# ---- shortcuts ----------------------------------------------------------------------------------------------------


def test_keys_stand_on_what_the_role_may_open_and_on_nothing_else(worker: User) -> None:
    organisation = Organisation.objects.get(slug="here")
    found = {}
    for role in ("keyworker", "organisation_administrator", "commissioner"):
        browser = sign_in(Browser(), make_person(organisation, role=role))
        html = browser.get("/o/here/").content.decode()
        found[role] = set(re.findall('data-app-shortcut="([^"]*)"', html))
    assert {"/", "?", "g h", "g c", "g l"} <= found["keyworker"] and "g p" not in found["keyworker"]
    assert "g p" in found["organisation_administrator"]
    assert not {"/", "g c", "g l"} & found["organisation_administrator"]
    assert found["commissioner"] <= {"?", "g h"}


def test_a_person_switches_them_off_for_themselves_alone(worker: User) -> None:
    browser = sign_in(Browser(), worker)
    other = sign_in(Browser(), make_person(Organisation.objects.get(slug="here")))
    assert browser.post("/keyboard-shortcuts/", {"shortcuts": "off"}).status_code == 302
    html = browser.get("/o/here/").content.decode()
    assert "data-app-shortcut" not in html and "Keyboard shortcuts are off" in html
    assert "data-app-shortcut" in other.get("/o/here/").content.decode()
    assert "Switch shortcuts on" in browser.get("/keyboard-shortcuts/").content.decode()
    browser.post("/keyboard-shortcuts/", {"shortcuts": "on"})
    assert "data-app-shortcut" in browser.get("/o/here/").content.decode()


def test_somebody_signed_out_reads_the_keys_and_switches_nothing(worker: User) -> None:
    browser = Browser()
    assert "Sign in to switch them" in browser.get("/keyboard-shortcuts/").content.decode()
    assert browser.post("/keyboard-shortcuts/", {"shortcuts": "off"})["Location"].startswith("/sign-in/")


def test_every_key_is_listed_and_no_key_twice(worker: User) -> None:
    keys = list(context.SHORTCUTS.values())
    assert len(keys) == len(set(keys))
    html = sign_in(Browser(), worker).get("/keyboard-shortcuts/").content.decode()
    for key in keys:
        for part in key.split():
            assert f'<kbd class="app-keys">{part}</kbd>' in html, key


# ---- help and notices ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", list(TOPICS))
def test_every_topic_has_its_page_in_the_list(topic: str) -> None:
    browser = Browser()
    html = browser.get(f"/help/{topic}/").content.decode()
    assert TOPICS[topic] in html and "{{" not in html and "{%" not in html
    assert f'href="/help/{topic}/"' in browser.get("/help/").content.decode()


def test_what_is_no_topic_is_not_found() -> None:
    for topic in ("secrets", "_topic", "index"):
        assert Browser().get(f"/help/{topic}/").status_code == 404


def test_the_help_says_the_times_that_hold(settings: Any) -> None:
    settings.SESSION_IDLE_SECONDS = 7 * 60
    assert "After 7 minutes without use" in Browser().get("/help/drafts/").content.decode()


def test_the_privacy_notice_names_the_controller_and_the_parties() -> None:
    make_organisation("county", name="Essex <b>County</b>", is_controller=True)
    make_organisation(
        "road", name="Open Road", data_protection_officer="Olu Farrant", ico_references=["ZA123"]
    )
    html = Browser().get("/privacy/").content.decode()
    assert "Essex &lt;b&gt;County&lt;/b&gt; decides how and why" in html
    assert "Open Road: data protection officer Olu Farrant" in html and "ZA123" in html


def test_the_privacy_notice_without_anybody_says_so() -> None:
    assert "not recorded in this system yet" in Browser().get("/privacy/").content.decode()


def test_the_footer_of_every_page_leads_there() -> None:
    html = Browser().get("/sign-in/").content.decode()
    for address in ("/privacy/", "/help/", "/accessibility/", "/keyboard-shortcuts/"):
        assert f'href="{address}"' in html and Browser().get(address).status_code == 200
