"""What the walks through the site share: an office with people in it, invented clients that can be found, and the pages of sign-in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from caseload.models import Client, ClientContact, ClientDisability, ClientEquality, ClientIdentity
from caseload.services import search_index
from edatrs.organisations.models import AuthenticatorApp, Organisation, User
from tests.browser.conftest import PASSWORD, current_code
from tests.core.world import acting_for
from tests.factories.caseload import make_client, make_part, make_registration, make_service
from tests.factories.organisations import make_organisation

SignIn = Callable[[Page, User], None]
New = Callable[..., BrowserContext]
AddUser = Callable[..., User]
# Each walk with scripts and without: what a page promises holds either way.
both = pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "no-javascript"])


def office(slug: str, name: str, code: str, **service: Any) -> Organisation:
    """An organisation with one service."""
    made = make_organisation(slug, name=name)
    make_service(made, agency_code=code, name=name, **service)
    return made


def known(
    organisation: Organisation,
    forename: str,
    surname: str,
    born: dt.date,
    client_id: str,
    *,
    contact: dict[str, str] | None = None,
    **identity: str,
) -> Client:
    """A client of the organisation, found by all that a search goes by."""
    with acting_for(organisation):
        client = make_client()
        make_part(ClientIdentity, client, forename=forename, surname=surname, date_of_birth=born, **identity)
        make_part(ClientContact, client, **(contact or {}))
        for part in (ClientEquality, ClientDisability):
            make_part(part, client)
        make_registration(client=client, client_id_text=client_id)
        search_index.refresh([client.pk])
        return client


def give_password(page: Page, user: User, password: str = PASSWORD) -> None:
    """The first page of sign-in, where one stands."""
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Continue").click()


def give_code(page: Page, code: str) -> None:
    """The second page of sign-in, where one stands."""
    page.get_by_label("6-digit code").fill(code)
    page.get_by_role("button", name="Continue").click()


def let_pass(user: User) -> None:
    """As if half a minute had gone by: the code of now counts, although this person used it before. Saves the wait for the next one."""
    AuthenticatorApp.objects.filter(user=user).update(last_step=0)


def sign_in_again(page: Page, user: User) -> None:
    """Both factors on the page of sign-in that one was led to; one goes on from there by oneself."""
    let_pass(user)
    give_password(page, user)
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirm it is you")
    give_code(page, current_code(user))


def find(page: Page, words: str) -> None:
    """Ask the box in the header of every page."""
    page.get_by_label("Find a client").fill(words)
    page.get_by_role("button", name="Find", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("found")


def type_date(page: Page, field: str, day: dt.date) -> None:
    """The three boxes of a date, by the name of the field."""
    for key, part in zip(("day", "month", "year"), (day.day, day.month, day.year), strict=True):
        page.locator(f"#id_{field}_{key}").fill(str(part))


def heading(page: Page) -> Any:
    """What the page calls itself."""
    return page.get_by_role("heading", level=1)
