"""Random sequences of linking, changing, unlinking, undoing and leaving the protocol, held against a naive model in Python."""

from __future__ import annotations

import datetime as dt
from random import Random

import pytest
from django.db import transaction

from caseload.linked import LinkProblem
from caseload.services import linked_records
from edatrs.core import clock
from edatrs.core.access import Denied
from edatrs.organisations.models import AgreementParty
from tests.caseload.linking.two_sides import Side, sides

pytestmark = pytest.mark.django_db
STEPS = 8
SLUGS = ("mill", "hope", "quay")


class Model:
    """What should be so: which records are one, what each says, who is party to the protocol, and what each may still undo."""

    def __init__(self) -> None:
        self.groups: list[frozenset[str]] = [frozenset({slug}) for slug in SLUGS]
        self.says = dict.fromkeys(SLUGS, "0100")
        self.party = dict.fromkeys(SLUGS, True)
        self.left: dict[str, tuple[frozenset[str], int]] = {}
        self.linked_at = dict.fromkeys(SLUGS, -1)

    def group(self, slug: str) -> frozenset[str]:
        """Those whose record is one with this."""
        return next(group for group in self.groups if slug in group)

    def partners(self, slug: str) -> set[str]:
        """Those it is linked with today."""
        return {o for o in self.group(slug) - {slug} if self.party[slug] and self.party[o]}

    def join(self, one: frozenset[str]) -> None:
        """Make one group of these."""
        self.groups = [group for group in self.groups if not group & one] + [one]

    def link(self, one: str, other: str, now: int) -> bool:
        """Whether it can be done, all others agreeing."""
        wanted = self.group(one) | self.group(other)
        if self.group(one) == self.group(other) or not all(self.party[slug] for slug in wanted):
            return False
        self.join(wanted)
        self.linked_at |= dict.fromkeys(wanted, now)
        return True

    def change(self, slug: str, value: str) -> None:
        """Written here and to those it is linked with today."""
        for one in {slug} | self.partners(slug):
            self.says[one] = value

    def unlink(self, slug: str, now: int) -> None:
        """It leaves; the rest stay together."""
        rest = self.group(slug) - {slug}
        if rest:
            self.groups = [g for g in self.groups if slug not in g] + [frozenset({slug}), rest]
            self.left[slug] = (rest, now)

    def undo(self, slug: str) -> bool:
        """Whether the leaving can be taken back."""
        if self.group(slug) != {slug} or slug not in self.left:
            return False
        rest, at = self.left[slug]
        wanted = rest | {slug}
        possible = (
            rest in self.groups
            and all(self.linked_at[one] <= at for one in wanted)
            and all(self.party[one] for one in wanted)
        )
        if possible:
            self.join(wanted)
            del self.left[slug]
        return possible


def play(world: dict[str, Side], random: Random) -> list[str]:
    """One sequence; after every step the records say what the model says. Returns what was done."""
    model, done, start = Model(), [], clock.now()
    for step in range(STEPS):
        with clock.frozen(start + dt.timedelta(minutes=step + 1)):
            what = random.choice(("link", "link", "change", "change", "unlink", "undo", "party"))
            slug = random.choice(SLUGS)
            side = world[slug]
            if what == "link":
                other = random.choice([s for s in SLUGS if s != slug])
                expected = model.link(slug, other, step)
                done.append(f"{slug} links with {other}: {expected}")
                assert _link(world, slug, other) == expected, done
            elif what == "change":
                model.change(slug, f"{step}")
                done.append(f"{slug} says {step}")
                side.change(phone=f"{step}")
            elif what == "unlink":
                model.unlink(slug, step)
                done.append(f"{slug} unlinks")
                side.unlink()
            elif what == "undo":
                already = len(model.group(slug)) > 1
                expected = model.undo(slug)
                done.append(f"{slug} undoes: {expected}")
                assert _undo(side) == (expected or already), done
            else:
                model.party[slug] = not model.party[slug]
                done.append(f"{slug} is party: {model.party[slug]}")
                # Not by a notice: who has left may not link at all.
                signed = dt.date(2026, 1, 1) if model.party[slug] else clock.today() + dt.timedelta(days=1)
                AgreementParty.objects.filter(organisation=side.organisation).update(signed_on=signed)
            _agree(world, model, done)
    return done


def _link(world: dict[str, Side], slug: str, other: str) -> bool:
    with transaction.atomic():
        sid = transaction.savepoint()
        try:
            world[slug].ask(world[other])
            for one in SLUGS:
                with world[one].acting():
                    waiting = world[one].client.link_sides.filter(state="open", answer="").exists()
                if waiting:
                    world[one].answer()
            return True
        except (LinkProblem, Denied):
            transaction.savepoint_rollback(sid)
            return False


def _undo(side: Side) -> bool:
    try:
        side.undo()
        return True
    except LinkProblem:
        return False


def _agree(world: dict[str, Side], model: Model, done: list[str]) -> None:
    people = {slug: side.person() for slug, side in world.items()}
    for slug, side in world.items():
        assert side.value("phone") == model.says[slug], (slug, done)
        same = {other for other in SLUGS if people[other] == people[slug]}
        assert same == model.group(slug), (slug, done)
        with side.acting():
            at = {one.organisation_id for one in linked_records.of_client(side.client.pk)}
        assert at == {world[o].organisation.pk for o in model.partners(slug)}, (slug, done)


@pytest.mark.parametrize(
    ("first", "last"), [(0, 20), pytest.param(20, 320, marks=pytest.mark.long)], ids=["20", "300-more"]
)
def test_any_sequence_leaves_what_the_model_says(first: int, last: int) -> None:
    found = sides(*SLUGS)
    world = {side.organisation.slug: side for side in found}
    steps: dict[str, int] = {}
    for number in range(first, last):
        sid = transaction.savepoint()
        for line in play(world, Random(number)):  # noqa: S311  # the same sequences every time
            kind = " ".join(line.split()[1:2])
            steps[kind] = steps.get(kind, 0) + 1
        transaction.savepoint_rollback(sid)
    print(f"{last - first} sequences of {STEPS} steps: {steps}")
    assert {"links", "says", "unlinks", "undoes:", "is"} <= set(steps)
