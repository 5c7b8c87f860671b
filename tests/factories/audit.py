"""Entries and chains of the trail, made without the database and in it."""

from __future__ import annotations

import datetime as dt
import random
from uuid import UUID, uuid4

from audit.chain import NOTHING_BEFORE, Head, Row, canonical, head_bytes, instant, link, seal
from edatrs.core import trail
from edatrs.core.scope import Actor, open_scope

KEY = b"a key of the tests, 32 bytes lon"
NAMES = ("caseload.client.viewed", "caseload.client.changed", "access.refused", "organisations.signed_in")
BEGIN = dt.datetime(2026, 4, 6, 8, 30, tzinfo=dt.UTC)


def make_row(sequence: int, chain: str, dice: random.Random) -> Row:
    """An entry that nobody has linked yet."""

    def some_id() -> str:
        return str(UUID(int=dice.getrandbits(128)))

    return Row(
        act=some_id(),
        actor="person",
        actor_id=some_id(),
        actor_label=dice.choice(["Anna Bell", "Zoë O’Hara", 'Sam "Mac" Adé', ""]),
        at=instant(BEGIN + dt.timedelta(microseconds=dice.randrange(10**12))),
        chain=chain,
        details=dice.choice([{}, {"panel": "notes"}, {"what": ["review", "outcome"], "version": 3}]),
        event_id=some_id(),
        id=1000 + sequence,
        name=dice.choice(NAMES),
        organisation_id=chain,
        organisation_label="open-road",
        roles="keyworker,team_manager",
        sequence=sequence,
        subject=some_id(),
    )


def relink(rows: list[Row], key: bytes | None) -> list[Row]:
    """The same columns, numbered, linked and, with a key, sealed anew."""
    previous, linked = NOTHING_BEFORE, []
    for number, old in enumerate(rows, start=1):
        row = old._replace(sequence=number, previous=previous)
        previous = link(previous, canonical(row))
        linked.append(row._replace(hash=previous, mac=seal(key, previous) if key else row.mac))
    return linked


def head_of(rows: list[Row], key: bytes) -> Head:
    """A sealed head for the last of some rows."""
    last = rows[-1]
    bytes_ = head_bytes(last.chain, last.sequence, last.hash, last.at)
    return Head(last.chain, last.sequence, last.hash, seal(key, bytes_), last.at)


def make_chain(length: int, *, seed: int = 7, key: bytes = KEY) -> tuple[list[Row], Head]:
    """A whole chain and its head."""
    dice = random.Random(seed)
    chain = str(UUID(int=dice.getrandbits(128)))
    rows = relink([make_row(number, chain, dice) for number in range(1, length + 1)], key)
    return rows, head_of(rows, key)


def record_events(
    organisation_id: UUID | None, number: int, *, at_once: int = 1000, label: str = "Anna Bell"
) -> None:
    """Append entries to a chain of the database, in scopes of their own."""
    for begun in range(0, number, at_once):
        with open_scope(
            actor=Actor.PERSON,
            organisation_id=organisation_id,
            organisation_label="open-road",
            person_id=uuid4(),
            person_label=label,
            roles=frozenset({"keyworker", "team_manager"}),
        ):
            for step in range(begun, min(begun + at_once, number)):
                trail.record(
                    "caseload.client.viewed", subject=str(uuid4()), details={"panel": f"p{step % 7}"}
                )
