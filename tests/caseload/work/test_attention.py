"""The order of what needs attention (mockups/README.md): pure, so thousands of made-up caseloads are looked at."""

from __future__ import annotations

import datetime as dt
import random
import uuid

import pytest

from caseload.attention import (
    BADGE_ORDER,
    Attention,
    ClientFacts,
    EpisodeFacts,
    Group,
    Place,
    arranged,
    needs_of,
    top_due,
)

TODAY = dt.date(2026, 11, 26)


def day(ago: int) -> dt.date:
    return TODAY - dt.timedelta(days=ago)


def facts(**episode: object) -> ClientFacts:
    made: dict[str, object] = {"id": uuid.uuid4(), "open": True, "consent": "Y", **episode}
    return ClientFacts(uuid.uuid4(), None, (EpisodeFacts(**made),))  # type: ignore[arg-type]


def words(fact: ClientFacts) -> list[str]:
    return [a.words for a in needs_of([fact], TODAY)[fact.client].all]


def test_settled_order_of_the_places() -> None:
    order = [
        "SAFEGUARDING",
        "RISK_REVIEW",
        "MISSED",
        "CONSENT",
        "TOP_OVERDUE",
        "SHARING_ENDS",
        "EXTRACT_ERROR",
        "SOON",
    ]
    assert [p.name for p in sorted(Place) if p.name in order] == order


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        (facts(consent=""), ["Consent not asked"]),
        (facts(consent="", open=False), []),
        (facts(consent="N"), []),
        (facts(first_started=day(10)), ["TOP start due 30 Nov 2026"]),
        (facts(first_started=day(14)), ["TOP start due today"]),
        (facts(first_started=day(13)), ["TOP start due tomorrow"]),
        (facts(first_started=day(15)), ["TOP start 1 day overdue"]),
        (facts(first_started=day(6)), []),
        (facts(first_started=day(300), has_start_top=True, last_top=day(182)), ["TOP review due today"]),
        (
            facts(first_started=day(300), has_start_top=True, last_top=day(194)),
            ["TOP review 12 days overdue"],
        ),
        (facts(first_started=day(300), has_start_top=True, last_top=day(100)), []),
        (facts(first_started=day(300), open=False), []),
        (facts(first_started=day(300), has_tops=False), []),
        (facts(errors=("E07",)), ["Extract error E07"]),
        (facts(errors=("E11", "E07"), open=False), ["Extract error E07 and 1 more"]),
    ],
)
def test_what_a_client_needs(fact: ClientFacts, said: list[str]) -> None:
    assert words(fact) == said


def test_new_for_a_week_and_no_longer() -> None:
    for ago, there in ((0, True), (7, True), (8, False), (-1, False)):
        fact = ClientFacts(uuid.uuid4(), day(ago), ())
        assert bool(words(fact)) is there, ago


def test_no_outcome_form_is_due_before_treatment_began_or_after_it_ended() -> None:
    assert top_due(EpisodeFacts(uuid.uuid4(), open=True)) is None
    assert top_due(EpisodeFacts(uuid.uuid4(), open=False, first_started=day(400))) is None


def made_up(seed: int) -> list[Attention]:
    dice = random.Random(seed)  # noqa: S311  # made-up caseloads, no secret
    return [
        Attention(
            dice.choice("abcdef"),
            dice.choice(list(Place)),
            dice.choice(list(Group)),
            dice.choice(BADGE_ORDER),
            "words",
            day(dice.randrange(-40, 40)),
        )
        for _ in range(dice.randrange(8))
    ]


@pytest.mark.parametrize("seed", range(0, 3000, 100))
def test_badges_are_in_order_one_shouts_and_nothing_is_lost(seed: int) -> None:
    for number in range(seed, seed + 100):
        some = made_up(number)
        needs = arranged(some)
        kinds = [a.badge for a in needs.all]
        assert kinds == sorted(kinds, key=BADGE_ORDER.index)
        assert kinds.count("now") == min(1, sum(a.badge == "now" for a in some))
        assert sorted((a.kind, a.place, a.on) for a in needs.all) == sorted(
            (a.kind, a.place, a.on) for a in some
        )
        if some:
            first = min(some, key=lambda a: (a.group, a.place, a.on))
            assert needs.key == (first.group, first.place, first.on.isoformat())
            assert needs.group == min(a.group for a in some)
        shuffled = random.Random(number).sample(some, len(some))  # noqa: S311  # as above
        assert arranged(shuffled) == needs


def test_the_one_that_shouts_comes_first_by_place() -> None:
    risk = Attention("risk", Place.RISK_REVIEW, Group.TODAY, "now", "Risk review 9 days overdue", day(9))
    safe = Attention("safe", Place.SAFEGUARDING, Group.TODAY, "now", "Safeguarding action due today", TODAY)
    assert [(a.kind, a.badge) for a in arranged([risk, safe]).all] == [("safe", "now"), ("risk", "late")]
