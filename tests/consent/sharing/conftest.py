"""Fixtures of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from edatrs.core import clock
from tests.consent.sharing.pair import TODAY, Acting, Pair
from tests.core.world import acting_for
from tests.factories.caseload import make_client, make_episode, make_registration, make_service
from tests.factories.organisations import make_organisation, make_person
from tests.factories.sharing import make_agreement


@pytest.fixture
def pair() -> Pair:
    ours, theirs = make_organisation(), make_organisation()
    make_agreement(ours, theirs)
    make_service(ours)
    with acting_for(ours):
        client = make_client()
        make_episode(registration=make_registration(client=client))
    return Pair(ours, theirs, make_person(ours), make_person(ours), make_person(theirs), client)


@pytest.fixture
def at_work(pair: Pair, acting: Acting) -> Iterator[Pair]:
    with clock.frozen(TODAY), acting(pair.ours, "keyworker", person=pair.worker):
        yield pair
