"""What somebody with the database, but without the key, could do to a chain (security.md, tamper evidence).

Each attack takes the rows, the head and a position and gives rows and head as they would lie in the database afterwards, and what the
verifier must say. T10's 14 attacks, and some more.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from audit.chain import Fault, Head, Problem, Row
from tests.factories.audit import head_of, relink

Outcome = tuple[list[Row], Head | None, Problem]
Attack = Callable[[list[Row], Head, int], Outcome]
OTHER_KEY = b"a key that the attacker made up."
DROPPED = 25

# Another value of the same kind for every column that can be overwritten in place.
EDITS = {
    "id": 999_999_999,
    "chain": "11111111-1111-4111-8111-111111111111",
    "sequence": 888_888_888,
    "event_id": "22222222-2222-4222-8222-222222222222",
    "act": "33333333-3333-4333-8333-333333333333",
    "name": "organisations.signed_out",
    "actor": "worker",
    "actor_id": "44444444-4444-4444-8444-444444444444",
    "actor_label": "Nobody At All",
    "roles": "commissioner",
    "organisation_id": "55555555-5555-4555-8555-555555555555",
    "organisation_label": "phoenix-futures",
    "subject": "66666666-6666-4666-8666-666666666666",
    "details": {"panel": "elsewhere"},
    "at": "2001-01-01T00:00:00.000000Z",
    "previous": b"p" * 32,
    "hash": b"h" * 32,
    "mac": b"m" * 32,
}
# Moved out of the chain the entry is simply not there; the columns that are made from the others say what they say.
_SAYS = {
    "chain": Fault.MISSING,
    "sequence": Fault.MISSING,
    "previous": Fault.LINK,
    "mac": Fault.SEAL,
}


def fault_of_edit(column: str) -> Fault:
    return _SAYS.get(column, Fault.CONTENT)


def edit(column: str) -> Attack:
    def attack(rows: list[Row], head: Head, at: int) -> Outcome:
        rows = list(rows)
        rows[at - 1] = rows[at - 1]._replace(**{column: EDITS[column]})
        mine = sorted((row for row in rows if row.chain == head.chain), key=lambda row: row.sequence)
        return mine, head, Problem(at, fault_of_edit(column))

    return attack


def delete_one(rows: list[Row], head: Head, at: int) -> Outcome:
    return rows[: at - 1] + rows[at:], head, Problem(at, Fault.MISSING)


def delete_one_and_renumber(rows: list[Row], head: Head, at: int) -> Outcome:
    later = [row._replace(sequence=row.sequence - 1) for row in rows[at:]]
    return rows[: at - 1] + later, head, Problem(at, Fault.LINK)


def swap_two(rows: list[Row], head: Head, at: int) -> Outcome:
    one, other = rows[at - 1], rows[at]
    swapped = [other._replace(sequence=at), one._replace(sequence=at + 1)]
    return rows[: at - 1] + swapped + rows[at + 1 :], head, Problem(at, Fault.LINK)


def insert_a_copy(rows: list[Row], head: Head, at: int) -> Outcome:
    copy = rows[at - 1]._replace(id=10**9, event_id=str(uuid4()), sequence=at + 1)
    later = [row._replace(sequence=row.sequence + 1) for row in rows[at:]]
    return rows[:at] + [copy, *later], head, Problem(at + 1, Fault.LINK)


def duplicate_the_last(rows: list[Row], head: Head, at: int) -> Outcome:
    number = len(rows) + 1
    return [*rows, rows[-1]._replace(id=10**9, sequence=number)], head, Problem(number, Fault.LINK)


def drop_the_last(rows: list[Row], head: Head, at: int) -> Outcome:
    left = rows[:-DROPPED]
    return left, head, Problem(len(left) + 1, Fault.END_MISSING)


def drop_the_last_and_make_a_head_of_the_seals_there_are(rows: list[Row], head: Head, at: int) -> Outcome:
    left = rows[:-DROPPED]
    last = left[-1]
    return (
        left,
        Head(head.chain, last.sequence, last.hash, last.mac, last.at),
        Problem(last.sequence, Fault.HEAD_SEAL),
    )


def drop_the_last_and_point_the_head_back(rows: list[Row], head: Head, at: int) -> Outcome:
    left = rows[:-DROPPED]
    last = left[-1]
    return (
        left,
        Head(head.chain, last.sequence, last.hash, head.mac, last.at),
        Problem(last.sequence, Fault.HEAD_SEAL),
    )


def edit_and_rewrite_keeping_the_seals(rows: list[Row], head: Head, at: int) -> Outcome:
    rows = list(rows)
    rows[at - 1] = rows[at - 1]._replace(actor_label="Somebody Else")
    rewritten = relink(rows, None)
    return rewritten, head_of(rewritten, OTHER_KEY), Problem(at, Fault.SEAL)


def edit_and_rewrite_with_another_key(rows: list[Row], head: Head, at: int) -> Outcome:
    rows = list(rows)
    rows[at - 1] = rows[at - 1]._replace(actor_label="Somebody Else")
    sealed = relink(rows, OTHER_KEY)
    rewritten = rows[: at - 1] + sealed[at - 1 :]
    return rewritten, head_of(rewritten, OTHER_KEY), Problem(at, Fault.SEAL)


def delete_one_and_rewrite(rows: list[Row], head: Head, at: int) -> Outcome:
    rewritten = relink(rows[: at - 1] + rows[at:], None)
    return rewritten, head_of(rewritten, OTHER_KEY), Problem(at, Fault.SEAL)


def wipe(rows: list[Row], head: Head, at: int) -> Outcome:
    return [], head, Problem(1, Fault.END_MISSING)


def wipe_and_begin_again(rows: list[Row], head: Head, at: int) -> Outcome:
    fresh = relink(rows[-10:], OTHER_KEY)
    return fresh, head_of(fresh, OTHER_KEY), Problem(1, Fault.SEAL)


def take_the_head_away(rows: list[Row], head: Head, at: int) -> Outcome:
    return rows, None, Problem(len(rows), Fault.HEAD_MISSING)


def point_the_head_at_another_hash(rows: list[Row], head: Head, at: int) -> Outcome:
    return rows, head._replace(hash=b"x" * 32), Problem(len(rows), Fault.HEAD)


def append_a_forged_entry(rows: list[Row], head: Head, at: int) -> Outcome:
    forged = rows[at - 1]._replace(id=10**9, event_id=str(uuid4()))
    longer = rows + relink([*rows, forged], OTHER_KEY)[-1:]
    return longer, head_of(longer, OTHER_KEY), Problem(len(longer), Fault.SEAL)


def append_without_touching_the_head(rows: list[Row], head: Head, at: int) -> Outcome:
    """With our own key: the process was made to write an entry whose head was then put back."""
    longer, old, _ = append_a_forged_entry(rows, head, at)
    return longer, head, Problem(len(longer), Fault.SEAL)


def act_of_another_person(rows: list[Row], head: Head, at: int) -> Outcome:
    rows = list(rows)
    other = rows[0] if at > 1 else rows[1]
    rows[at - 1] = rows[at - 1]._replace(actor_id=str(uuid4()), actor_label=other.actor_label + " II")
    return rows, head, Problem(at, Fault.CONTENT)


ATTACKS: dict[str, Attack] = {
    **{f"edit {column}": edit(column) for column in EDITS},
    **{
        attack.__name__: attack
        for attack in (
            delete_one,
            delete_one_and_renumber,
            swap_two,
            insert_a_copy,
            duplicate_the_last,
            drop_the_last,
            drop_the_last_and_make_a_head_of_the_seals_there_are,
            drop_the_last_and_point_the_head_back,
            edit_and_rewrite_keeping_the_seals,
            edit_and_rewrite_with_another_key,
            delete_one_and_rewrite,
            wipe,
            wipe_and_begin_again,
            take_the_head_away,
            point_the_head_at_another_hash,
            append_a_forged_entry,
            append_without_touching_the_head,
            act_of_another_person,
        )
    },
}
