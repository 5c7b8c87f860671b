"""Each manager by itself, with row security down: to who is on no side of a row it shows nothing, and it writes nothing for others."""

from __future__ import annotations

import pytest
from django.db import transaction

from caseload.models import Client, Person
from edatrs.core.scope import ScopeMissing, ScopeViolation
from tests.core.world import acting_for, fill, row_security_off, tenant_models
from tests.factories.caseload import make_client
from tests.factories.organisations import make_organisation

pytestmark = pytest.mark.django_db(transaction=True)


def test_no_manager_shows_a_row_to_who_is_on_no_side_of_it() -> None:
    with row_security_off():
        one, stranger = make_organisation(), make_organisation()
        fill(one)
        with acting_for(stranger):
            seen = {model.__name__: number for model in tenant_models() if (number := model.objects.count())}
        assert seen == {}
        with acting_for(one):
            assert [model.__name__ for model in tenant_models() if not model.objects.count()] == []


def test_nothing_is_made_for_another_organisation() -> None:
    with row_security_off():
        one, two = make_organisation(), make_organisation()
        with acting_for(one):
            theirs = Client(organisation=two, person=Person.objects.create())
            with pytest.raises(ScopeViolation), transaction.atomic():
                Client.objects.bulk_create([theirs])


def test_no_row_changes_its_organisation() -> None:
    one = make_organisation()
    with acting_for(one), pytest.raises(ScopeViolation), transaction.atomic():
        Client.objects.update(organisation=one.pk)


def test_without_a_scope_a_manager_raises_and_does_not_answer() -> None:
    with pytest.raises(ScopeMissing):
        list(Client.objects.all())


def test_what_using_gives_without_a_scope_is_empty() -> None:
    """Django calls it while it loads; then there must be nothing in it, whatever the table holds."""
    with row_security_off():
        one = make_organisation()
        with acting_for(one):
            make_client()
            assert Client.objects.using("default").count() == 1
        assert list(Client.objects.using("default")) == []
