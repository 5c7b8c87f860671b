"""Tamperings by a superuser's SQL (T10): each in a transaction that is rolled back, with the guards off as only a superuser can.

A tampering changes the chain at a position and gives what the verification must say: the first bad row and why. None where no row of the
chain is bad, and the record is what gives it away.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

from audit.chain import Fault, Problem, Row, canonical, head_bytes, link, seal
from audit.services import audit_key
from audit.verification import read_rows

OTHER_KEY = b"a key that the attacker made up."
_COLUMNS = ", ".join(Row._fields)
_FAR = 10_000_000


class Chain:
    """A chain as a superuser finds it. `signed` is the last sequence that left the database; `statements`: sequence by statement."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        chain: UUID,
        statements: dict[int, int],
        dice: random.Random,
    ) -> None:
        self.sql = connection
        self.chain = chain
        self.statements = statements
        self.signed = max(statements.values())
        self.dice = dice
        with connection.transaction():
            self.rows = [Row(*row) for row in read_rows(connection, chain)]

    @property
    def last(self) -> int:
        return len(self.rows)

    def set(self, at: int, /, **columns: Any) -> None:
        """Overwrite columns of one row in place."""
        names = ", ".join(f"{name} = %s" for name in columns)
        values = [Jsonb(value) if isinstance(value, dict) else value for value in columns.values()]
        self._one(
            f"UPDATE audit_auditevent SET {names} WHERE chain = %s AND sequence = %s",
            [*values, self.chain, at],
        )

    def delete(self, since: int, until: int) -> None:
        """Take rows out."""
        self.sql.execute(
            "DELETE FROM audit_auditevent WHERE chain = %s AND sequence BETWEEN %s AND %s",
            [self.chain, since, until],
        )

    def move(self, since: int, by: int) -> None:
        """Give all rows from one on other numbers."""
        for step in (_FAR, by - _FAR):
            self.sql.execute(
                "UPDATE audit_auditevent SET sequence = sequence + %s WHERE chain = %s AND sequence >= %s",
                [step, self.chain, since if step == _FAR else since + _FAR],
            )

    def add(self, row: Row) -> None:
        """Put a row in."""
        values = [Jsonb(value) if isinstance(value, dict) else value for value in row]
        marks = ", ".join("%s" for _ in row)
        self._one(f"INSERT INTO audit_auditevent ({_COLUMNS}) VALUES ({marks})", values)

    def head(self, row: Row, mac: bytes | None = None, key: bytes = OTHER_KEY) -> None:
        """Make this row the head."""
        mac = mac or seal(key, head_bytes(str(self.chain), row.sequence, row.hash, row.at))
        self._one(
            "UPDATE audit_chainhead SET sequence = %s, hash = %s, mac = %s, at = %s WHERE chain = %s",
            [row.sequence, row.hash, mac, row.at, self.chain],
        )

    def rewrite(self, rows: list[Row], since: int, key: bytes = OTHER_KEY) -> list[Row]:
        """Number, link and seal rows anew from a position on, in place of what is there, and make the last one the head."""
        previous = rows[since - 2].hash if since > 1 else bytes(32)
        made = rows[: since - 1]
        for number, old in enumerate(rows[since - 1 :], start=since):
            row = old._replace(sequence=number, previous=previous)
            previous = link(previous, canonical(row))
            made.append(row._replace(hash=previous, mac=seal(key, previous)))
        self.delete(since, self.last)
        with (
            self.sql.cursor() as cursor,
            cursor.copy(f"COPY audit_auditevent ({_COLUMNS}) FROM STDIN") as copy,
        ):
            for row in made[since - 1 :]:
                copy.write_row([Jsonb(value) if isinstance(value, dict) else value for value in row])
        self.head(made[-1], key=key)
        return made

    def _one(self, statement: str, params: list[Any]) -> None:
        assert self.sql.execute(statement, params).rowcount == 1, statement


Tampering = Callable[[Chain, int], Problem | None]


def edit_a_field(chain: Chain, at: int) -> Problem:
    column, value = chain.dice.choice(
        [
            ("name", "organisations.signed_out"),
            ("actor", "worker"),
            ("roles", "commissioner"),
            ("subject", str(uuid4())),
            ("details", {"panel": "elsewhere"}),
            ("act", uuid4()),
            ("event_id", uuid4()),
            ("id", _FAR + at),
        ]
    )
    chain.set(at, **{column: value})
    return Problem(at, Fault.CONTENT)


def edit_the_time(chain: Chain, at: int) -> Problem:
    chain.set(at, at="2001-01-01T00:00:00.000001Z")
    return Problem(at, Fault.CONTENT)


def edit_the_tenant(chain: Chain, at: int) -> Problem:
    if chain.dice.random() < 0.5:
        chain.set(at, organisation_id=uuid4(), organisation_label="phoenix-futures")
        return Problem(at, Fault.CONTENT)
    chain.set(at, chain=uuid4())
    return Problem(at, Fault.MISSING)


def delete_in_the_middle(chain: Chain, at: int) -> Problem:
    chain.delete(at, at)
    return Problem(at, Fault.MISSING)


def reorder(chain: Chain, at: int) -> Problem:
    chain.set(at, sequence=_FAR)
    chain.set(at + 1, sequence=at)
    chain.set(_FAR, sequence=at + 1)
    return Problem(at, Fault.LINK)


def insert_a_copy(chain: Chain, at: int) -> Problem:
    chain.move(at + 1, 1)
    chain.add(chain.rows[at - 1]._replace(id=_FAR, event_id=str(uuid4()), sequence=at + 1))
    return Problem(at + 1, Fault.LINK)


def duplicate_the_last(chain: Chain, at: int) -> Problem:
    chain.add(chain.rows[-1]._replace(id=_FAR + at, sequence=chain.last + 1))
    return Problem(chain.last + 1, Fault.LINK)


def drop_the_last(chain: Chain, at: int) -> Problem:
    chain.delete(at, chain.last)
    return Problem(at, Fault.END_MISSING)


def drop_the_last_and_fix_the_head(chain: Chain, at: int) -> Problem:
    chain.delete(at, chain.last)
    end = chain.rows[at - 2]
    chain.head(end, mac=chain.dice.choice([end.mac, None]))
    return Problem(at - 1, Fault.HEAD_SEAL)


def edit_and_rewrite_the_rest(chain: Chain, at: int) -> Problem:
    rows = list(chain.rows)
    rows[at - 1] = rows[at - 1]._replace(subject=str(uuid4()))
    chain.rewrite(rows, at)
    return Problem(at, Fault.SEAL)


def delete_renumber_and_rewrite_the_rest(chain: Chain, at: int) -> Problem:
    chain.rewrite(chain.rows[: at - 1] + chain.rows[at:], at)
    return Problem(at, Fault.SEAL)


def wipe_and_begin_again(chain: Chain, at: int) -> Problem:
    begin = min(at, chain.last - 10)
    chain.rewrite(chain.rows[begin : begin + 10], 1)
    return Problem(1, Fault.SEAL)


def put_an_older_backup_back(chain: Chain, at: int) -> Problem:
    """Everything as it was: rows, head with its true seal, statements. Before the last signature; what is younger nobody has seen."""
    end = min(at, chain.signed - 1)
    chain.delete(end + 1, chain.last)
    chain.head(chain.rows[end - 1], key=audit_key())
    held = max((number for number, sequence in chain.statements.items() if sequence <= end), default=0)
    chain.sql.execute("DELETE FROM audit_headstatement WHERE number > %s", [held])
    return Problem(end + 1, Fault.SIGNED_END)


def append_a_forged_row(chain: Chain, at: int) -> Problem:
    forged = chain.rows[at - 1]._replace(id=_FAR + at, event_id=str(uuid4()))
    chain.rewrite([*chain.rows, forged], chain.last + 1)
    return Problem(chain.last + 1, Fault.SEAL)


def row_for_another_actor(chain: Chain, at: int) -> Problem:
    other = next(row for row in chain.rows if row.actor_id != chain.rows[at - 1].actor_id)
    chain.set(at, actor_id=other.actor_id, actor_label=other.actor_label)
    return Problem(at, Fault.CONTENT)


def action_without_row(chain: Chain, at: int) -> None:
    """A change of the record that wrote no entry: outside every act, or under an id that nothing on the trail bears."""
    chain.sql.execute("SET LOCAL session_replication_role = DEFAULT")
    act = chain.dice.choice(["", str(uuid4())])
    chain.sql.execute("SELECT set_config('app.act', %s, true)", [act])
    table, change = chain.dice.choice(
        [
            ("caseload_clientidentity", "surname = surname || 'x'"),
            ("caseload_clientcontact", "phone = '01632 960999'"),
            ("caseload_episode", "referred_on = referred_on - 1"),
        ]
    )
    ids = [
        row[0]
        for row in chain.sql.execute(
            f"SELECT client_id FROM {table} WHERE organisation_id = %s", [chain.chain]
        )
    ]
    chosen = sorted(ids)[at % len(ids)]
    assert chain.sql.execute(f"UPDATE {table} SET {change} WHERE client_id = %s", [chosen]).rowcount == 1


# The fourteen attacks of the table in security.md, and the two that it names beside them.
KINDS: tuple[Tampering, ...] = (
    edit_a_field,
    edit_the_time,
    edit_the_tenant,
    delete_in_the_middle,
    reorder,
    insert_a_copy,
    duplicate_the_last,
    drop_the_last,
    drop_the_last_and_fix_the_head,
    edit_and_rewrite_the_rest,
    delete_renumber_and_rewrite_the_rest,
    wipe_and_begin_again,
    put_an_older_backup_back,
    append_a_forged_row,
    action_without_row,
    row_for_another_actor,
)
