"""A client is found however somebody remembers them, the page says why, and nobody else's client is ever among the found."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from audit.models import AuditEvent
from caseload import search, selectors
from caseload.models import Client, ClientContact, ClientDisability, ClientEquality, ClientIdentity
from caseload.services import clients, search_index
from edatrs.core import clock
from edatrs.organisations.models import Organisation
from tests.core.world import acting_for
from tests.factories.caseload import make_client, make_part, make_registration, make_service
from tests.factories.organisations import make_organisation, make_person, sign_in

pytestmark = pytest.mark.django_db
BORN = dt.date(1984, 3, 9)


def known(
    organisation: Organisation, forename: str, surname: str, client_id: str = "", **more: Any
) -> Client:
    """A client who can be found."""
    with acting_for(organisation):
        client = make_client()
        make_part(ClientIdentity, client, forename=forename, surname=surname, **more)
        make_part(ClientContact, client, postcode="CM1 1QH")
        for part in (ClientEquality, ClientDisability):
            make_part(part, client)
        make_registration(client=client, **({"client_id_text": client_id} if client_id else {}))
        search_index.refresh([client.pk])
    return client


@pytest.fixture
def home() -> Organisation:
    organisation = make_organisation()
    make_service(organisation)
    return organisation


@pytest.fixture
def siobhan(home: Organisation) -> Client:
    known(home, "Marc", "Fenwick")
    return known(home, "Siobhán", "Ó Briain-Nowak", "A0171", date_of_birth=BORN, nhs_number="9990142076")


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("siobhan briain", "Name"),
        ("NOWAK, Siobhán", "Name"),
        ("Nowak-Briain", "Name"),
        ("shivon brian", ""),  # sounds like the surname, the forename does not
        ("breein nowack", "Sounds alike"),
        ("9/3/1984", "Date of birth"),
        ("9 3 84", "Date of birth"),
        ("1984-03-09", "Date of birth"),
        ("3/9/1984", "Date of birth with day and month swapped"),
        ("nowak 3/9/1984", "Date of birth with day and month swapped"),
        ("999 014 2076", "NHS number"),
        ("9990142076", "NHS number"),
        ("a0171", "Client ID"),
        ("CM1 1QH nowak", "Postcode"),
        ("cm11qh siobhan", "Postcode"),
    ],
)
def test_a_client_is_found_and_the_page_says_why(
    home: Organisation, siobhan: Client, typed: str, why: str
) -> None:
    browser = sign_in(Browser(), make_person(home))
    page = browser.post(f"/o/{home.slug}/clients/", {"q": typed}).content.decode()
    assert (f"/clients/{siobhan.pk}/" in page.partition("Recently opened")[0]) == bool(why), typed
    if why:
        assert "1 client found" in page and why in page and "FENWICK" not in page


def test_an_earlier_name_finds_and_says_so(home: Organisation, siobhan: Client) -> None:
    person = make_person(home)
    with acting_for(home, "keyworker"):
        part = clients.read_part(siobhan, "identity")
        clients.change_part(
            client=siobhan,
            category="identity",
            values={**part.values, "surname": "Kowalska"},
            version=part.version,
            acting_user=person,
        )
        found = selectors.search(search.read_query("nowak"))
    assert [(f.client.pk, f.reasons, f.exact) for f in found] == [(siobhan.pk, ("Earlier name",), False)]


def test_nobody_found_offers_what_to_do_next(home: Organisation) -> None:
    page = sign_in(Browser(), make_person(home)).post(f"/o/{home.slug}/clients/", {"q": "nobody here"})
    assert "Nobody found" in page.content.decode() and "/clients/new/" in page.content.decode()
    administrator = sign_in(Browser(), make_person(home, role="ndtms_administrator"))
    page = administrator.post(f"/o/{home.slug}/clients/", {"q": "nobody here"})
    assert "Nobody found" in page.content.decode() and "/clients/new/" not in page.content.decode()


def test_another_organisations_client_is_not_found_nor_counted(home: Organisation, siobhan: Client) -> None:
    elsewhere = make_organisation()
    make_service(elsewhere)
    known(elsewhere, "Siobhan", "Briain", "A0171")
    page = sign_in(Browser(), make_person(home)).post(f"/o/{home.slug}/clients/", {"q": "siobhan"})
    assert "1 client found" in page.content.decode()
    page = sign_in(Browser(), make_person(elsewhere)).post(f"/o/{elsewhere.slug}/clients/", {"q": "kowalska"})
    assert "Nobody found" in page.content.decode()


def test_what_was_typed_is_on_no_trail_and_in_no_address(home: Organisation, siobhan: Client) -> None:
    browser = sign_in(Browser(), make_person(home))
    page = browser.post(f"/o/{home.slug}/clients/", {"q": "siobhan nowak"})
    assert page.status_code == 200
    with acting_for(home):
        event = AuditEvent.objects.filter(name="caseload.client.searched").get()
        assert event.details["hits"] == 1 and "siobhan" not in str(event.details).lower()
    assert "q=" not in page.content.decode()


def test_a_voided_client_is_not_found(home: Organisation, siobhan: Client) -> None:
    with acting_for(home, "keyworker"):
        clients.void_client(client=siobhan, reason="Twice", acting_user=make_person(home))
        assert selectors.search(search.read_query("nowak")) == []


def test_exact_matches_come_before_what_sounds_alike(home: Organisation) -> None:
    sounds, exact = known(home, "Ann", "Smyth"), known(home, "Ann", "Smith")
    with acting_for(home, "keyworker"):
        assert [f.client.pk for f in selectors.search(search.read_query("smith"))] == [exact.pk, sounds.pk]


def test_a_search_costs_the_same_for_one_and_for_many(home: Organisation) -> None:
    known(home, "Ann", "Carter")
    browser = sign_in(Browser(), make_person(home))

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            browser.post(f"/o/{home.slug}/clients/", {"q": "carter"})
        return len(captured)

    cost()
    one = cost()
    for _ in range(25):
        known(home, "Ann", "Carter")
    assert cost() == one


def test_two_digits_of_a_year_are_the_latest_that_has_been() -> None:
    with clock.frozen(dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)):
        assert search.read_date("1/2/26") == dt.date(2026, 2, 1)
        assert search.read_date("1/2/27") == dt.date(1927, 2, 1)
    with clock.frozen(dt.datetime(2031, 1, 1, 12, tzinfo=dt.UTC)):
        assert search.read_date("1/2/27") == dt.date(2027, 2, 1)


@given(st.text(max_size=300))
def test_any_text_is_read_without_a_failure(text: str) -> None:
    for part in search.read_query(text):
        assert part.alternatives and all(token.text for token in part.alternatives)


@given(st.lists(st.sampled_from(["Ana", "Nowak", "Łukasz", "O'Neill"]), min_size=1, max_size=4, unique=True))
def test_a_name_is_found_by_its_words_in_any_order(words: list[str]) -> None:
    tokens = search.tokens_of_client(
        names=words, earlier_names=[], born=None, nhs_number="", postcode="", client_ids=[]
    )
    for part in search.read_query(" ".join(reversed(words))):
        assert set(part.alternatives) & tokens
