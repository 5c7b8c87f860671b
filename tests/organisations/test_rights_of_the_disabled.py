"""Whoever is disabled has no role anywhere, whatever their memberships say: asked below sign-in, which ends their sessions as well."""

from __future__ import annotations

import pytest

from edatrs.core import clock
from edatrs.organisations import selectors
from edatrs.organisations.models import User
from tests.factories.organisations import make_organisation, make_person

pytestmark = pytest.mark.django_db


def test_whoever_is_disabled_has_no_role() -> None:
    here = make_organisation()
    person = make_person(here)
    today = clock.today()
    assert selectors.memberships_on(person, today).count() == 1
    assert person in selectors.people_holding(here.pk, ["keyworker"], today)
    User.objects.filter(pk=person.pk).update(is_active=False)
    person.refresh_from_db()
    assert selectors.memberships_on(person, today).count() == 0
    assert selectors.memberships_by_date(person, today).count() == 0
    assert person not in selectors.people_holding(here.pk, ["keyworker"], today)
