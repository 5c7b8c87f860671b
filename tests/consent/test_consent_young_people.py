"""A young person's consent: competence, or the permission of somebody with parental responsibility (O-106)."""

from __future__ import annotations

import pytest

from tests.factories.consent_desk import Desk, make_desk

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "Choose first whether they can decide this"),
        ({"competence": "unsure"}, "Ask your team manager first"),
        ({"competence": "competent"}, "Write one line on how you know"),
        ({"competence": "permission", "permission_relation": "Guardian"}, "Enter the name of the parent"),
        ({"competence": "permission", "permission_by": "Joanne Marsh"}, "Choose what they are"),
    ],
)
def test_a_young_persons_yes_needs_competence_or_permission(given: dict[str, str], words: str) -> None:
    desk = make_desk("yp")
    answer = desk.answer(**given)
    assert answer.status_code == 422 and words in answer.content.decode() and desk.consent() == ""
    assert desk.answer("N", **given).status_code == 302, "a no always counts"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"competence": "competent", "competence_note": "Said it back in her words"},
            "Said it back in her words",
        ),
        (
            {
                "competence": "permission",
                "permission_by": "Joanne Marsh",
                "permission_relation": "Mother, parental responsibility",
                "young_person_knows": "on",
            },
            "Permission by Joanne Marsh (Mother, parental responsibility)",
        ),
    ],
)
def test_how_a_young_persons_yes_came_about_is_in_the_history(given: dict[str, str], words: str) -> None:
    desk = make_desk("yp")
    answer = desk.answer(**given)
    assert words in desk.browser.get(answer["Location"]).content.decode()


def test_an_adult_is_not_asked_for_competence_and_what_is_sent_of_it_is_not_kept(desk: Desk) -> None:
    assert "competence" not in desk.browser.get(desk.here).content.decode()
    desk.answer(competence="permission", permission_by="Somebody")
    act = desk.acts()[0]
    assert (act.competence, act.permission_by, act.young_person_knows) == ("", "", None)
