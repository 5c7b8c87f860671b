"""The id of a record that was merged away or entered in error: it leads to the survivor where there is one today, and nowhere else."""

from __future__ import annotations

import pytest

from caseload import selectors
from caseload.models import Client, ClientMerge
from caseload.services import merge
from edatrs.core import clock
from edatrs.core.access import Denied
from tests.core.world import acting_for
from tests.factories.caseload import make_client
from tests.factories.organisations import make_organisation, make_person
from tests.factories.work import make_merge

pytestmark = pytest.mark.django_db


def test_a_merged_id_leads_to_the_survivor_while_the_merge_stands() -> None:
    here = make_organisation()
    with acting_for(here, "keyworker"):
        survivor, merged = make_client(), make_client(voided_at=clock.now())
        assert merge.survivor_of(merged.pk, "client.view") is None
        made = make_merge(merged, survivor, merged_by=make_person().pk)
        assert merge.survivor_of(merged.pk, "client.view") == survivor
        ClientMerge.objects.filter(pk=made.pk).update(undone_at=clock.now())
        assert merge.survivor_of(merged.pk, "client.view") is None, "undone, and entered in error by itself"


def test_what_was_entered_in_error_is_not_found() -> None:
    here = make_organisation()
    with acting_for(here, "keyworker"):
        client = make_client()
        assert selectors.get_client(client.pk, "client.view") == client
        Client.objects.filter(pk=client.pk).update(voided_at=clock.now(), voided_reason="Wrong")
        with pytest.raises(Denied):
            selectors.get_client(client.pk, "client.view")


def test_who_may_see_no_client_is_led_to_none() -> None:
    here = make_organisation()
    with acting_for(here, "keyworker"):
        survivor, merged = make_client(), make_client(voided_at=clock.now())
        make_merge(merged, survivor, merged_by=make_person().pk)
    with acting_for(here, "organisation_administrator"), pytest.raises(Denied):
        merge.survivor_of(merged.pk, "client.view")
