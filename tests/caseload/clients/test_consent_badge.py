"""Consent that nobody asked for is one click away: from the identity bar of every page of a client and from what a search finds."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client as Browser
from django.urls import reverse

from caseload.forms.clients import IdentityForm
from caseload.models import Client, ClientIdentity, Episode
from caseload.services import search_index
from edatrs.organisations.models import Organisation
from tests.core.world import acting_for
from tests.factories.caseload import make_client, make_episode, make_part, make_registration, make_service
from tests.factories.organisations import make_organisation, make_person, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def organisation(db: None) -> Organisation:
    made = make_organisation("open-road")
    make_service(made)
    return made


@pytest.fixture
def client(organisation: Organisation) -> Client:
    with acting_for(organisation):
        made = make_client()
        make_part(
            ClientIdentity, made, forename="Marcus", surname="Fenwick", date_of_birth=dt.date(1984, 3, 14)
        )
        make_episode(registration=make_registration(client=made), consent="")
        search_index.refresh([made.pk])
    return made


@pytest.mark.parametrize("role", ["keyworker", "ndtms_administrator"])
def test_the_badge_leads_to_asking_for_those_who_may(
    organisation: Organisation, client: Client, role: str
) -> None:
    browser = sign_in(Browser(), make_person(organisation, role=role))
    ask = f'<a class="app-badge-link" href="{reverse("consent:ndtms", args=["open-road", client.pk])}">'
    bar = browser.get(reverse("caseload:client", args=["open-road", client.pk])).content.decode()
    found = browser.post("/o/open-road/clients/", {"q": "fenwick"}).content.decode()
    for page in (bar, found):
        assert "Consent not asked" in page
        assert ask in page
    with acting_for(organisation):
        Episode.objects.update(consent="N")
    assert "Consent not asked" not in browser.post("/o/open-road/clients/", {"q": "fenwick"}).content.decode()


def test_a_short_list_of_codes_shows_words_alone() -> None:
    shown = dict(IdentityForm(part=None, letter="Q").fields["sex"].choices)  # type: ignore[attr-defined]  # a list of codes
    assert shown["M"] == "Male" and shown["F"] == "Female"
