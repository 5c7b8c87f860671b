"""Registering a client: the form, the look for the same person, the client ID, and what must not happen."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client as Browser

from audit.models import AuditEvent
from caseload.matching import candidates
from caseload.models import Client, ClientIdentity, Person, Registration, SearchToken
from caseload.services import clients as services
from caseload.services import search_index
from edatrs.core.scope import open_scope
from edatrs.organisations.models import Organisation, Service
from tests.core.world import acting_for
from tests.factories.caseload import make_client, make_part, make_registration, make_service
from tests.factories.organisations import make_organisation, make_person, sign_in

pytestmark = pytest.mark.django_db
__all__ = ["open_scope"]


@pytest.fixture
def home() -> tuple[Organisation, Service, Browser]:
    """An organisation with a service, and a keyworker of it who is signed in."""
    organisation = make_organisation()
    service = make_service(organisation)
    return organisation, service, sign_in(Browser(), make_person(organisation))


def known(
    organisation: Organisation, forename: str, surname: str, born: dt.date | None, nhs: str = ""
) -> Client:
    with acting_for(organisation):
        client = make_client()
        make_part(
            ClientIdentity, client, forename=forename, surname=surname, date_of_birth=born, nhs_number=nhs
        )
        make_registration(client=client)
        search_index.refresh([client.pk])
    return client


def opened(browser: Browser, organisation: Organisation) -> dict[str, str]:
    """The form as it stands when it is opened, as somebody would send it."""
    page = browser.get(f"/o/{organisation.slug}/clients/new/")
    assert page.status_code == 200
    found = re.findall(r'name="(service|form_id)" value="([^"]+)"', page.content.decode())
    typed = {"forename": "Ana", "surname": "Ferreira", "date_of_birth_day": "6", "date_of_birth_month": "4",
             "date_of_birth_year": "1984", "client_id_text": str(page.context["form"].initial["client_id_text"])}  # fmt: skip
    return {**dict(found), **typed}


def post(browser: Browser, organisation: Organisation, data: dict[str, Any]) -> Any:
    return browser.post(f"/o/{organisation.slug}/clients/new/", data)


def clients_of(organisation: Organisation) -> list[Client]:
    with acting_for(organisation):
        return list(Client.objects.select_related("clientidentity"))


def test_a_keyworker_registers_a_client(home: tuple[Organisation, Service, Browser]) -> None:
    organisation, service, browser = home
    answer = post(browser, organisation, {**opened(browser, organisation), "postcode": "CO1 1AA"})
    (client,) = clients_of(organisation)
    assert (answer.status_code, answer["Location"]) == (302, f"/o/{organisation.slug}/clients/{client.pk}/")
    with acting_for(organisation):
        registration = Registration.objects.get()
        assert (registration.service_id, registration.client_id_text) == (service.pk, "1")
        assert client.clientidentity.surname == "Ferreira"
        assert client.clientidentity.date_of_birth == dt.date(1984, 4, 6)
        assert {"ana", "ferreira", "1984-04-06", "co11aa", "1"} <= set(
            SearchToken.objects.values_list("token", flat=True)
        )
        event = AuditEvent.objects.get(name="caseload.client.changed")
        assert (event.subject, event.details) == (str(client.pk), {"what": ["registered"], "via": "form"})
        assert client.act == event.act
    assert browser.get(answer["Location"]).status_code == 200


def test_sending_the_form_twice_registers_once(home: tuple[Organisation, Service, Browser]) -> None:
    organisation, _, browser = home
    data = opened(browser, organisation)
    first, second = post(browser, organisation, data), post(browser, organisation, data)
    (client,) = clients_of(organisation)
    assert first.status_code == second.status_code == 302
    assert second["Location"] == f"/o/{organisation.slug}/clients/{client.pk}/details/"
    assert Person.objects.count() == 1


@pytest.mark.parametrize(
    ("held", "why"),
    [
        (("Anna", "Fereira", dt.date(1984, 4, 6), ""), "Name sounds alike, same date of birth"),
        (("Ana", "Ferreira", dt.date(1984, 4, 6), ""), "Same name and date of birth"),
        (("Ferreira", "Aná", dt.date(1984, 6, 4), ""), "Like name, day and month of birth swapped"),
        (("Somebody", "Else", None, "9434765919"), "Same NHS number"),
    ],
)
def test_a_person_who_may_be_known_is_shown_first_and_nothing_is_lost(
    home: tuple[Organisation, Service, Browser], held: tuple[Any, ...], why: str
) -> None:
    organisation, _, browser = home
    there = known(organisation, *held)
    data = {**opened(browser, organisation), "nhs_number": "943 476 5919", "phone": "07700 900123"}
    answer = post(browser, organisation, data)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert len(clients_of(organisation)) == 1
    assert why in html and str(there.pk) in html and "07700 900123" in html and 'value="Ferreira"' in html
    # A tick without having seen them says nothing.
    assert post(browser, organisation, {**data, "none_of_these": "on"}).status_code == 422
    answer = post(browser, organisation, {**data, "none_of_these": "on", "seen": str(there.pk)})
    assert answer.status_code == 302
    assert len(clients_of(organisation)) == 2
    with acting_for(organisation):
        assert AuditEvent.objects.get(name="caseload.client.changed").details["what"] == [
            "registered", "known_as_somebody_else"
        ]  # fmt: skip


def test_nobody_of_another_organisation_or_unlike_is_a_candidate() -> None:
    one, two = make_organisation(), make_organisation()
    make_service(one), make_service(two)
    known(one, "Ana", "Ferreira", dt.date(1984, 4, 6))
    known(two, "Bob", "Ferreira", dt.date(1990, 1, 1))
    with acting_for(two):
        assert not candidates(forename="Ana", surname="Ferreira", born=dt.date(1984, 4, 6), nhs_number="")


def test_a_client_id_is_proposed_kept_and_never_used_again(
    home: tuple[Organisation, Service, Browser],
) -> None:
    organisation, service, browser = home
    with acting_for(organisation):
        out = make_client()
        make_registration(client=out, client_id_text="0099")
        services.void_client(client=out, reason="a trial", acting_user=make_person(organisation))
    data = opened(browser, organisation)
    assert data["client_id_text"] == "0100"
    answer = post(browser, organisation, {**data, "client_id_text": "0099"})
    assert answer.status_code == 422
    assert "0099 is or was a client ID" in answer.content.decode()
    assert "the next free number is 0100" in answer.content.decode()
    post(browser, organisation, {**data, "client_id_text": "X/7"})
    with acting_for(organisation):
        assert Registration.objects.filter(client_id_text="X/7", service=service).exists()


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("surname", "x" * 10_000, "Surname must be 200 characters or fewer. There are 10000"),
        ("date_of_birth_day", "31", "April 1984 has only 30 days"),
        ("date_of_birth_year", "2999", "today or earlier"),
        ("nhs_number", "12345", "NHS number must have 10 digits"),
        ("sex", "Q", "Select a valid choice"),
        ("client_id_text", " ", "Enter the client ID"),
    ],
)
def test_bad_input_is_refused_with_words_and_stays(
    home: tuple[Organisation, Service, Browser], field: str, typed: str, words: str
) -> None:
    organisation, _, browser = home
    answer = post(browser, organisation, {**opened(browser, organisation), field: typed})
    html = answer.content.decode()
    assert answer.status_code == 422 and words in html, html
    assert typed.strip() in html or field == "sex"
    assert not clients_of(organisation)


@pytest.mark.parametrize("surname", ["😀😀", "محمد", "\u202eevil", "O'Brien-Łukasz", "李"])
def test_any_script_is_kept_as_typed(home: tuple[Organisation, Service, Browser], surname: str) -> None:
    organisation, _, browser = home
    answer = post(browser, organisation, {**opened(browser, organisation), "surname": surname})
    assert answer.status_code == 302
    assert clients_of(organisation)[0].clientidentity.surname == surname
    assert browser.get(answer["Location"]).status_code == 200


def test_a_wrong_check_digit_is_warned_of_and_saved(home: tuple[Organisation, Service, Browser]) -> None:
    organisation, _, browser = home
    answer = post(browser, organisation, {**opened(browser, organisation), "nhs_number": "9434765918"})
    assert "its check digit does not fit" in browser.get(answer["Location"]).content.decode()
    assert clients_of(organisation)[0].clientidentity.nhs_number == "9434765918"


def test_another_organisations_service_is_not_found(home: tuple[Organisation, Service, Browser]) -> None:
    organisation, _, browser = home
    foreign = make_service(make_organisation())
    data = {**opened(browser, organisation), "service": str(foreign.pk)}
    assert post(browser, organisation, data).status_code == 404
    assert not clients_of(organisation)


def test_an_administrator_of_ndtms_may_not_register() -> None:
    organisation = make_organisation()
    make_service(organisation)
    browser = sign_in(Browser(), make_person(organisation, role="ndtms_administrator"))
    assert browser.get(f"/o/{organisation.slug}/clients/new/").status_code == 404


def test_the_look_costs_the_same_for_one_and_for_many(
    home: tuple[Organisation, Service, Browser], django_assert_num_queries: Any
) -> None:
    organisation, _, _ = home
    for number in range(12):
        known(organisation, f"Ana{'bcdefghijklm'[number]}", "Ferreira", dt.date(1984, 4, 6))
    with acting_for(organisation), django_assert_num_queries(4):
        found = candidates(forename="Ana", surname="Ferreira", born=dt.date(1984, 4, 6), nhs_number="")
        assert len(found) == 12
        assert all(len(list(c.client.registrations.all())) == 1 for c in found)
