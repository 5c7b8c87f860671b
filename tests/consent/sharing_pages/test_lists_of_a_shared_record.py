"""The lists of a shared treatment episode: few words stand in one line, many are folded under their day."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from caseload.models import Episode, Intervention, Outcome
from tests.consent.sharing_pages.sharing_desk import Desk
from tests.core.world import acting_for
from tests.factories.caseload import make_entry

pytestmark = pytest.mark.django_db

ANSWERS = {"ALCUSE": "14", "OPIUSE": "NA", "CRAUSE": "0", "COCAUSE": "2", "AMPHUSE": "3", "CANNUSE": "4"}


def test_an_outcome_form_is_folded_and_the_last_one_lies_open(desk: Desk) -> None:
    desk.post("consents/new/", desk.said())
    with acting_for(desk.ours):
        episode = Episode.objects.get()
        for day in (1, 20):
            make_entry(Outcome, episode, stage="S", completed_on=dt.date(2026, 5, day), items=ANSWERS)
        make_entry(Intervention, episode, modality="94", referred_on=dt.date(2026, 5, 3))
    page = desk.other_side().content.decode()
    page = re.sub(r"</?time[^>]*>", "", page)
    folded = re.findall(
        r"<details[^>]*?( open)?><summary[^>]*><span[^>]*>(.*?)</span>(.*?)</details>", page, re.S
    )
    assert [(head, bool(state)) for state, head, _ in folded if "answers" in head] == [
        ("1 May 2026: 8 answers", False),
        ("20 May 2026: 8 answers", True),
    ]
    for _, head, inside in folded:
        if "answers" in head:
            assert inside.count("<dt") == 8 and "Alcohol" in inside
    line = re.search(r"<h4[^>]*>Interventions</h4>(.*?)</p>", page, re.S)
    assert line and "<details" not in line[1] and " · " in line[1] and "3 May 2026" in line[1]
