"""What a search by date finds, and a list whose address was cut off."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client as Browser

from caseload.models import ClientIdentity
from caseload.services import search_index
from edatrs.organisations.models import Organisation
from tests.core.world import acting_for
from tests.factories.caseload import make_client, make_part, make_registration, make_service
from tests.factories.organisations import make_organisation, make_person, sign_in

pytestmark = pytest.mark.django_db
ADDRESS = "/o/open-road/clients/"


@pytest.fixture
def organisation(db: None) -> Organisation:
    made = make_organisation("open-road")
    make_service(made)
    with acting_for(made):
        client = make_client()
        make_part(ClientIdentity, client, forename="Siân", surname="Pełka", date_of_birth=dt.date(1984, 3, 4))
        make_registration(client=client)
        search_index.refresh([client.pk])
    return made


@pytest.fixture
def browser(organisation: Organisation) -> Browser:
    return sign_in(Browser(), make_person(organisation))


@pytest.mark.parametrize(
    ("typed", "reasons"),
    [
        ("04/03/1984", ("Date of birth",)),
        ("03/04/1984", ("Date of birth with day and month swapped",)),
        ("pelka 3.4.1984", ("Name", "Date of birth with day and month swapped")),
        ("1984-04-03", ("Date of birth with day and month swapped",)),
        ("04/04/1984", None),
        ("13/04/1984", None),
    ],
)
def test_a_date_is_found_with_day_and_month_in_each_others_place(
    browser: Browser, typed: str, reasons: tuple[str, ...] | None
) -> None:
    found = browser.post(ADDRESS, {"q": typed}).context["found"]
    assert [row["reasons"] for row in found] == ([reasons] if reasons else [])


@pytest.mark.parametrize("after", ["1", "~", "C1~", "C1~1", "~~~", "'"])
def test_a_page_key_that_is_none_begins_at_the_start(browser: Browser, after: str) -> None:
    answer = browser.get(ADDRESS, {"after": after})
    assert answer.status_code == 200 and len(answer.context["rows"]) == 1
