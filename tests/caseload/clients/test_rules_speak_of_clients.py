"""The rules speak while a client's own details are typed, and after saving; they never stop anybody from saving."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from caseload.models import ClientIdentity
from tests.caseload.work.conftest import Team, make_team
from tests.core.world import acting_for

pytestmark = pytest.mark.django_db


def form_of(team: Team, client: Any, **fields: str) -> dict[str, str]:
    with acting_for(team.organisation):
        version = ClientIdentity.objects.get(client=client).version
    typed = {
        "forename": "Marc",
        "surname": "Fenwick",
        "date_of_birth_day": "1",
        "date_of_birth_month": "5",
        "date_of_birth_year": "1984",
        "sex": "M",
    }
    return {"client": str(client.pk), "version": str(version), **typed, **fields}


def test_what_is_typed_speaks_with_the_draft_and_is_said_again_when_it_is_saved() -> None:
    team = make_team()
    client = team.client(referred_on=dt.date(2026, 3, 1))
    browser = team.browser(team.worker)
    address = f"/o/{team.organisation.slug}/clients/{client.pk}/details/identity/"
    young = form_of(team, client, date_of_birth_year="2015")
    kept = browser.post(address, {**young, "_draft": "keep"}, headers={"X-Autosave": "1"})
    spoken = kept.json()["speaks"]
    assert any("(W23)" in words for words in spoken["date_of_birth"])
    unborn = form_of(team, client, date_of_birth_year="2026")
    spoken = browser.post(address, {**unborn, "_draft": "keep"}, headers={"X-Autosave": "1"}).json()["speaks"]
    assert any("(E04)" in words for words in spoken["date_of_birth"])
    sound = form_of(team, client)
    assert (
        browser.post(address, {**sound, "_draft": "keep"}, headers={"X-Autosave": "1"}).json()["speaks"] == {}
    )
    saved = browser.post(address, young, follow=True)
    assert saved.status_code == 200
    assert "Saved, and to be looked at: The client was under 18 at triage" in saved.content.decode()
    with acting_for(team.organisation):
        assert ClientIdentity.objects.get(client=client).date_of_birth == dt.date(2015, 5, 1)


def test_a_client_whose_episodes_are_closed_is_not_spoken_of() -> None:
    team = make_team()
    client = team.client(discharged_on=dt.date(2026, 4, 1), discharge_reason="80")
    address = f"/o/{team.organisation.slug}/clients/{client.pk}/details/identity/"
    young = form_of(team, client, date_of_birth_year="2015")
    kept = team.browser(team.worker).post(address, {**young, "_draft": "keep"}, headers={"X-Autosave": "1"})
    assert kept.json()["speaks"] == {}
