"""A leaver's clients: the administrator sees how many, the manager gives them to somebody by bulk allocation, and none is left."""

from __future__ import annotations

import datetime as dt

import pytest

from edatrs.core import clock
from edatrs.organisations.models import Leaver
from tests.caseload.work.conftest import Team
from tests.caseload.work.test_allocation import confirmation, form, keyworkers
from tests.core.world import acting_for
from tests.factories.organisations import make_person

pytestmark = pytest.mark.django_db


def test_the_clients_of_a_leaver_are_handed_over(team: Team) -> None:
    clients = [team.client("Aster"), team.client("Birch")]
    team.client("Cedar")
    for client in clients:
        team.give(client, team.worker)
    administrator = make_person(team.organisation, role="organisation_administrator")
    desk, office = team.browser(administrator), team.browser(team.manager)
    people = f"/o/{team.organisation.slug}/people/{team.worker.pk}/leaving/"
    last = clock.today() + dt.timedelta(days=3)
    fields = {"last_day_day": last.day, "last_day_month": last.month, "last_day_year": last.year}
    started = desk.post(people, {**fields, "manager": str(team.manager.pk)})
    assert started.status_code == 302
    numbers = desk.get(started.url).content.decode()
    assert '">2</td>' in numbers
    for name in ("aster", "birch", "allocation/?of="):
        assert name not in numbers.lower()
    page = office.get(started.url).content.decode()
    link = team.address(f"allocation/?of={team.worker.pk}")
    assert link in page
    listed = office.get(link).content.decode()
    assert all(name in listed for name in ("ASTER", "BIRCH"))
    assert "CEDAR" not in listed
    shown = office.post(team.address("allocation/"), form(*clients, who=team.colleague))
    assert office.post(team.address("allocation/"), confirmation(shown.content)).status_code == 302
    assert {who for who, _ in (keyworkers(team)[n] for n in ("Aster", "Birch"))} == {team.colleague.full_name}
    after = office.get(started.url).content.decode()
    assert link not in after
    assert "Nothing left to hand over" in after
    with acting_for(team.organisation):
        assert Leaver.objects.get().last_day == last
