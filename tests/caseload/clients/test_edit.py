"""Changing what is known of a client: by category, against a newer version, in two tabs, and never somebody else's record."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEvent
from caseload.models import (
    Client,
    ClientContact,
    ClientDisability,
    ClientEquality,
    ClientIdentity,
    ClientItems,
    Episode,
    SearchToken,
)
from edatrs.organisations.models import Organisation
from tests.core.world import acting_for
from tests.factories.caseload import make_client, make_episode, make_part, make_registration, make_service
from tests.factories.organisations import make_organisation, make_person, sign_in

pytestmark = pytest.mark.django_db
BORN = {"date_of_birth_day": "6", "date_of_birth_month": "4", "date_of_birth_year": "1984"}


def made(organisation: Organisation, **identity: Any) -> Client:
    """A client with every part and an open episode."""
    fields = {"forename": "Ana", "surname": "Ferreira", "date_of_birth": dt.date(1984, 4, 6), **identity}
    with acting_for(organisation):
        client = make_client()
        make_part(ClientIdentity, client, **fields)
        for part in (ClientContact, ClientEquality, ClientDisability):
            make_part(part, client)
        make_episode(registration=make_registration(client=client))
    return client


@pytest.fixture
def home() -> tuple[Organisation, Client, Browser]:
    organisation = make_organisation()
    make_service(organisation)
    return (
        organisation,
        made(organisation),
        sign_in(Browser(), make_person(organisation, full_name="Kay One")),
    )


def address(organisation: Organisation, client: Client, rest: str = "details/identity/") -> str:
    return f"/o/{organisation.slug}/clients/{client.pk}/{rest}"


def typed(client: Client, version: int = 1, **fields: str) -> dict[str, str]:
    return {
        "client": str(client.pk),
        "version": str(version),
        "forename": "Ana",
        "surname": "Ferreira",
        **BORN,
        **fields,
    }


def identity_of(organisation: Organisation, client: Client) -> ClientIdentity:
    with acting_for(organisation):
        return ClientIdentity.objects.get(client=client)


def test_a_change_is_saved_found_and_told_with_who_and_when(
    home: tuple[Organisation, Client, Browser],
) -> None:
    organisation, client, browser = home
    answer = browser.post(address(organisation, client), typed(client, surname="Nowak"))
    assert (answer.status_code, answer["Location"]) == (302, address(organisation, client, "details/"))
    now = identity_of(organisation, client)
    assert (now.surname, now.version) == ("Nowak", 2)
    with acting_for(organisation):
        tokens = set(SearchToken.objects.values_list("kind", "token"))
        assert {("name", "nowak"), ("earlier_name", "ferreira")} <= tokens
        event = AuditEvent.objects.get(name="caseload.client.changed")
        assert event.details == {"category": "identity", "what": ["surname"], "version": 2, "via": "form"}
        assert event.act == now.act
    html = browser.get(address(organisation, client)).content.decode()
    assert "Kay One" in html and "Surname: <bdi>Ferreira</bdi>, then <bdi>Nowak</bdi>" in html


def test_saving_what_is_there_writes_nothing(home: tuple[Organisation, Client, Browser]) -> None:
    organisation, client, browser = home
    assert browser.post(address(organisation, client), typed(client)).status_code == 302
    assert identity_of(organisation, client).version == 1
    with acting_for(organisation):
        assert not AuditEvent.objects.filter(name="caseload.client.changed").exists()


def test_a_form_of_another_client_is_refused(home: tuple[Organisation, Client, Browser]) -> None:
    organisation, client, browser = home
    other = made(organisation, surname="Other")
    for path in ("details/identity/", "void/"):
        answer = browser.post(address(organisation, client, path), typed(other, surname="Wrong", reason="x"))
        assert answer.status_code == 404
    assert identity_of(organisation, client).surname == "Ferreira"
    with acting_for(organisation):
        assert not Client.objects.filter(voided_at__isnull=False).exists()


def test_another_organisations_client_is_not_found(home: tuple[Organisation, Client, Browser]) -> None:
    organisation, _, browser = home
    elsewhere = make_organisation()
    make_service(elsewhere)
    foreign = made(elsewhere)
    for rest in ("details/", "details/identity/", "details/contact/", "void/"):
        assert browser.get(address(organisation, foreign, rest)).status_code == 404
    assert browser.post(address(organisation, foreign), typed(foreign, surname="X")).status_code == 404
    assert identity_of(elsewhere, foreign).surname == "Ferreira"


def test_a_save_against_a_newer_version_shows_both_and_loses_neither(
    home: tuple[Organisation, Client, Browser],
) -> None:
    organisation, client, browser = home
    second = sign_in(Browser(), make_person(organisation, full_name="Kay Two"))
    second.post(address(organisation, client), typed(client, surname="Nowak", title="Dr"))
    answer = browser.post(address(organisation, client), typed(client, surname="Novak", forename="Anna"))
    html = answer.content.decode()
    assert answer.status_code == 409
    assert "Kay Two saved this" in html and "<bdi>Nowak</bdi>" in html and "<bdi>Novak</bdi>" in html
    assert identity_of(organisation, client).surname == "Nowak"
    rows = {row["name"]: row["chosen"] for row in answer.context["conflict"]}
    # Only both changed: somebody must say. What one side changed is chosen already.
    assert rows == {"surname": "", "forename": "mine", "title": "theirs"}
    again = {**typed(client, 2, surname="Novak", forename="Anna"), "resolving": "1",
             "keep_forename": "mine", "keep_title": "theirs"}  # fmt: skip
    assert browser.post(address(organisation, client), again).status_code == 422
    assert identity_of(organisation, client).surname == "Nowak"
    assert browser.post(address(organisation, client), {**again, "keep_surname": "mine"}).status_code == 302
    now = identity_of(organisation, client)
    assert (now.title, now.forename, now.surname) == ("Dr", "Anna", "Novak")
    html = browser.get(address(organisation, client)).content.decode()
    assert "Nowak" in html, "theirs stays in the history"


def test_a_third_version_while_choosing_is_a_conflict_again(
    home: tuple[Organisation, Client, Browser],
) -> None:
    organisation, client, browser = home
    for version, surname in ((1, "Two"), (2, "Three")):
        browser.post(address(organisation, client), typed(client, version, surname=surname))
    answer = browser.post(
        address(organisation, client),
        typed(client, 2, surname="Mine", resolving="1", keep_surname="mine"),
    )
    assert answer.status_code == 409
    assert identity_of(organisation, client).surname == "Three"


def test_double_submit_saves_once(home: tuple[Organisation, Client, Browser]) -> None:
    organisation, client, browser = home
    for _ in range(2):
        answer = browser.post(address(organisation, client), typed(client, surname="Nowak"))
        assert answer.status_code == 302
    assert identity_of(organisation, client).version == 2


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"surname": "y" * 10_000}, "200 characters or fewer"),
        ({"date_of_birth_day": "30", "date_of_birth_month": "2"}, "February 1984 has only 29 days"),
        ({"surname": "", "forename": ""}, "Enter a surname or a forename"),
        ({"nhs_number": "x"}, "10 digits"),
    ],
)
def test_bad_input_stays_with_words(
    home: tuple[Organisation, Client, Browser], fields: dict[str, str], words: str
) -> None:
    organisation, client, browser = home
    answer = browser.post(address(organisation, client), typed(client, **fields))
    html = answer.content.decode()
    assert answer.status_code == 422 and words in html
    assert all(text in html for text in fields.values())
    assert identity_of(organisation, client).version == 1


def test_what_is_recorded_and_left_as_it_was_is_never_refused() -> None:
    organisation = make_organisation()
    make_service(organisation)
    odd = {"surname": "z" * 300, "date_of_birth": dt.date(1850, 1, 1), "sex": "9", "nhs_number": "unknown"}
    client = made(organisation, **odd)
    browser = sign_in(Browser(), make_person(organisation))
    html = browser.get(address(organisation, client)).content.decode()
    assert "9 (recorded, not in the list of data set" in html
    data = typed(client, forename="Anna", surname="z" * 300, sex="9", nhs_number="unknown",
                 date_of_birth_day="1", date_of_birth_month="1", date_of_birth_year="1850")  # fmt: skip
    assert browser.post(address(organisation, client), data).status_code == 302
    now = identity_of(organisation, client)
    assert (now.forename, now.sex, now.nhs_number, now.surname) == ("Anna", "9", "unknown", "z" * 300)


@pytest.mark.parametrize(
    ("category", "field", "value"),
    [
        ("contact", "town", "Maldon"),
        ("equality", "ethnicity", "A"),
        ("equality", "nationality", "GBR"),
        ("disability", "disability_1", "2"),
        ("circumstances", "VETERAN", "1"),
    ],
)
def test_each_category_is_saved_where_it_belongs(
    home: tuple[Organisation, Client, Browser], category: str, field: str, value: str
) -> None:
    organisation, client, browser = home
    path = address(organisation, client, f"details/{category}/")
    version = "0" if category == "circumstances" else "1"
    answer = browser.post(path, {"client": str(client.pk), "version": version, field: value})
    assert answer.status_code == 302, answer.content.decode()
    assert value in browser.get(path).content.decode()
    with acting_for(organisation):
        if category == "circumstances":
            assert ClientItems.objects.get(client=client).items == {"VETERAN": "1"}
        else:
            part = {"contact": ClientContact, "equality": ClientEquality, "disability": ClientDisability}[
                category
            ]
            assert getattr(part.objects.get(client=client), field) == value


def test_an_administrator_of_ndtms_changes_items_and_no_contact(
    home: tuple[Organisation, Client, Browser],
) -> None:
    organisation, client, _ = home
    browser = sign_in(Browser(), make_person(organisation, role="ndtms_administrator"))
    assert browser.get(address(organisation, client)).status_code == 200
    assert browser.get(address(organisation, client, "details/contact/")).status_code == 404


def test_void_takes_client_and_episodes_out_and_undo_brings_them_back(
    home: tuple[Organisation, Client, Browser],
) -> None:
    organisation, client, browser = home
    void = address(organisation, client, "void/")
    assert browser.get(void).status_code == 200
    assert browser.post(void, {"client": str(client.pk), "reason": " "}).status_code == 422
    answer = browser.post(void, {"client": str(client.pk), "reason": "a trial entry"})
    assert answer.status_code == 302
    assert "a trial entry" in browser.get(answer["Location"]).content.decode()
    assert browser.get(address(organisation, client, "")).status_code == 404
    with acting_for(organisation):
        assert not SearchToken.objects.exists()
        assert not Episode.objects.filter(voided_at__isnull=True).exists()
    back = f"/o/{organisation.slug}/clients/entered-in-error/{client.pk}/"
    assert browser.get(back).status_code == 200
    assert browser.post(back, {"client": str(client.pk)}).status_code == 302
    assert browser.get(address(organisation, client, "details/")).status_code == 200
    with acting_for(organisation):
        assert SearchToken.objects.exists()
        assert Episode.objects.get().voided_reason == ""
    assert browser.get(back).status_code == 404


def test_the_pages_cost_the_same_after_one_change_and_after_many(
    home: tuple[Organisation, Client, Browser],
) -> None:
    organisation, client, browser = home

    def cost(rest: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert browser.get(address(organisation, client, rest)).status_code == 200
        return len(asked)

    browser.post(address(organisation, client), typed(client, surname="A0"))
    browser.get(address(organisation, client))
    before = cost("details/identity/"), cost("details/")
    for number in range(1, 6):
        browser.post(address(organisation, client), typed(client, number + 1, surname=f"A{number}"))
    browser.get(address(organisation, client))
    assert (cost("details/identity/"), cost("details/")) == before
