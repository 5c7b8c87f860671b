"""Writing the trail: the flush at the end of an act, and the recorder of refusals. Nothing else writes `AuditEvent` or `ChainHead`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from itertools import islice
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import connection

from audit import chain, events, scrub
from audit.chain import NOTHING_BEFORE, Head, Row
from audit.models.trail import PARTNERSHIP_CHAIN
from edatrs.core import trail
from edatrs.core.access import Denied
from edatrs.core.crypto import keyed_hash
from edatrs.core.scope import Scope
from edatrs.core.trail import Pending
from edatrs.organisations.models import Organisation

AT_ONCE = 2_000  # rows in one INSERT
_BEGINNING = "0001-01-01T00:00:00.000000Z"
# SQL that gives what `chain.instant` gives.
INSTANT = "to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
HEADS = f"SELECT chain::text, sequence, hash, mac, {INSTANT} FROM audit_chainhead WHERE chain = ANY(%s::uuid[]) ORDER BY chain"  # noqa: S608  # fixed text
# Locked in order, and ids for the rows with them. None is locked while one is missing: what was made first must be locked in its order.
_LOCK = f"""
SELECT chain::text, sequence, hash, mac, {INSTANT},
       (SELECT array_agg(nextval(pg_get_serial_sequence('audit_auditevent', 'id'))) FROM generate_series(1, %s))
FROM audit_chainhead WHERE chain = ANY(%s::uuid[])
AND (SELECT count(*) FROM audit_chainhead WHERE chain = ANY(%s::uuid[])) = %s ORDER BY chain FOR UPDATE"""  # noqa: S608  # fixed text
# The same for one chain, which is almost always the case: it is planned in a third of the time.
_LOCK_ONE = f"""
SELECT chain::text, sequence, hash, mac, {INSTANT},
       (SELECT array_agg(nextval(pg_get_serial_sequence('audit_auditevent', 'id'))) FROM generate_series(1, %s))
FROM audit_chainhead WHERE chain = %s FOR UPDATE"""  # noqa: S608  # fixed text
_MOVE = """
WITH moved AS (
    UPDATE audit_chainhead h SET sequence = n.sequence, hash = n.hash, mac = n.mac, at = n.at
    FROM unnest(%s::uuid[], %s::bigint[], %s::bytea[], %s::bytea[], %s::timestamptz[]) AS n(chain, sequence, hash, mac, at)
    WHERE h.chain = n.chain)"""
_SLUG = re.compile(r"[-a-zA-Z0-9_]{1,60}")
_IDS = 10  # ids of an address that are looked at; ours have two or three
_ARRAYS = {
    "id": "bigint",
    "chain": "uuid",
    "sequence": "bigint",
    "event_id": "uuid",
    "act": "uuid",
    "name": "text",
    "actor": "text",
    "actor_id": "uuid",
    "actor_label": "text",
    "roles": "text",
    "organisation_id": "uuid",
    "organisation_label": "text",
    "subject": "text",
    "details": "jsonb",
    "at": "timestamptz",
    "previous": "bytea",
    "hash": "bytea",
    "mac": "bytea",
}
_INSERT = "INSERT INTO audit_auditevent ({}) SELECT * FROM unnest({})".format(  # noqa: S608  # names and types from above
    ", ".join(_ARRAYS), ", ".join(f"%s::{kind}[]" for kind in _ARRAYS.values())
)


# One entry, one head: what most acts write. Arrays would be taken apart again by the database for nothing.
_ONE = """
WITH moved AS (UPDATE audit_chainhead SET sequence = %s, hash = %s, mac = %s, at = %s::timestamptz WHERE chain = %s)
INSERT INTO audit_auditevent ({}) VALUES ({})""".format(  # noqa: S608  # names and types from above
    ", ".join(_ARRAYS), ", ".join(f"%s::{kind}" for kind in _ARRAYS.values())
)


class HeadForged(RuntimeError):
    """The head of a chain does not bear our seal: writing on would cover up what was done to it."""


def audit_key() -> bytes:
    """The key of the seals. Raises ImproperlyConfigured where there is none worth the name."""
    key = str(settings.AUDIT_KEY or "").encode()
    if len(key) < 16:
        raise ImproperlyConfigured(
            "set EDATRS_AUDIT_KEY to at least 16 characters; it must not lie in the database"
        )
    return hashlib.sha256(b"edatrs-audit-key:" + key).digest()


def flush(scope: Scope) -> None:
    """Append the events of a scope to their chains, as the last statement of its transaction.

    The heads are locked in the order of the chains, whoever writes, so that two acts never wait for each other in a ring; they stay
    locked until COMMIT, which is why this comes last. Nothing to write: no statement. Raises HeadForged, and what the database raises.
    """
    pending: list[Pending] = list(scope.events)
    if not pending:
        return
    key = audit_key()
    heads, ids = _lock_heads(pending, key)
    rows: list[Row] = []
    for event in pending:
        for organisation_id in event.organisation_ids:
            row = _next_row(event, str(organisation_id or PARTNERSHIP_CHAIN), ids.pop(), heads, key)
            rows.append(row)
    if len(rows) == 1:
        _write_one(rows[0], heads[rows[0].chain])
    else:
        _write(rows, heads)
    scope.events.clear()


def _write_one(row: Row, head: Head) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _ONE,
            [head.sequence, head.hash, head.mac, head.at, head.chain, *(_stored(row, c) for c in _ARRAYS)],
        )


def _write(rows: list[Row], heads: dict[str, Head]) -> None:
    """The entries, many in one statement, and the heads with the last of them."""
    moved = [list(column) for column in zip(*sorted(heads.values()), strict=True)]
    with connection.cursor() as cursor:
        remaining = iter(rows)
        some = list(islice(remaining, AT_ONCE))
        while some:
            later = list(islice(remaining, AT_ONCE))
            columns = [[_stored(row, column) for row in some] for column in _ARRAYS]
            # The heads go with the last rows, in one statement: between the lock and COMMIT others wait.
            cursor.execute(
                _INSERT if later else f"{_MOVE} {_INSERT}", columns if later else [*moved, *columns]
            )
            some = later


def _lock_heads(pending: Iterable[Pending], key: bytes) -> tuple[dict[str, Head], list[int]]:
    """The heads of the chains that are written, made where missing and locked in order, and as many ids as there are rows."""
    wanted = [str(o or PARTNERSHIP_CHAIN) for event in pending for o in event.organisation_ids]
    chains = sorted(set(wanted))
    with connection.cursor() as cursor:
        one = len(chains) == 1
        lock = _LOCK_ONE if one else _LOCK
        locking = [len(wanted), chains[0]] if one else [len(wanted), chains, chains, len(chains)]
        cursor.execute(lock, locking)
        found = cursor.fetchall()
        if not found:  # the first entry of a chain
            _begin(cursor, chains, key)
            cursor.execute(lock, locking)
            found = cursor.fetchall()
    heads = {row[0]: head_from(row) for row in found}
    for head in heads.values():
        if head.mac != chain.seal(key, chain.head_bytes(head.chain, head.sequence, head.hash, head.at)):
            raise HeadForged(
                f"the head of chain {head.chain} at {head.sequence} is not sealed with our key: run manage.py verify_audit"
            )
    return heads, sorted(found[0][5], reverse=True)


def _begin(cursor: Any, chains: list[str], key: bytes) -> None:
    """Make the heads of chains that have none."""
    seals = [chain.seal(key, chain.head_bytes(c, 0, NOTHING_BEFORE, _BEGINNING)) for c in chains]
    cursor.execute(
        "INSERT INTO audit_chainhead (chain, sequence, hash, mac, at) "
        "SELECT n.chain, 0, %s, n.mac, %s::timestamptz FROM unnest(%s::uuid[], %s::bytea[]) AS n(chain, mac) ORDER BY n.chain "
        "ON CONFLICT DO NOTHING",
        [NOTHING_BEFORE, _BEGINNING, chains, seals],
    )


def head_from(row: Any) -> Head:
    """A head as the database gives it."""
    return Head(row[0], row[1], bytes(row[2]), bytes(row[3]), row[4])


def _next_row(event: Pending, chain_id: str, number: int, heads: dict[str, Head], key: bytes) -> Row:
    """The next entry of a chain; moves its head on."""
    head = heads[chain_id]
    at = chain.instant(event.at)
    row = Row(
        act=str(event.act),
        actor=str(event.actor.value),
        actor_id=_text(event.actor_id),
        actor_label=scrub.plain_line(event.actor_label, 120),
        at=at,
        chain=chain_id,
        details=event.details,
        event_id=str(event.event_id),
        id=number,
        name=event.name,
        organisation_id=_text(event.acting_for),
        organisation_label=scrub.plain_line(event.acting_for_label, 60),
        roles=",".join(sorted(event.roles)),
        sequence=head.sequence + 1,
        subject=event.subject,
        previous=head.hash,
    )
    digest = chain.link(head.hash, chain.canonical(row))
    heads[chain_id] = Head(
        chain_id,
        row.sequence,
        digest,
        chain.seal(key, chain.head_bytes(chain_id, row.sequence, digest, at)),
        at,
    )
    return row._replace(hash=digest, mac=chain.seal(key, digest))


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _stored(row: Row, column: str) -> Any:
    value = getattr(row, column)
    return chain.details_text(value) if column == "details" else value


def record_refusal(scope: Scope, raised: Exception, route: str, subject: str) -> None:
    """Write that an act was refused, in a transaction of its own, before the answer leaves. Raises what the writing raises.

    On the chain of the organisation acted for, else the partnership's. What stood in the address goes in only as far as it is ids, or the
    address of one of our organisations; the rest could be anything, so its keyed hash is kept.
    """
    asked = raised.subject if isinstance(raised, Denied) and raised.subject else subject
    ids, rest = _ids_in(asked)
    trail.record_now(
        events.REFUSED,
        actor=scope.actor,
        actor_id=scope.person_id,
        actor_label=scope.person_label,
        roles=scope.roles,
        organisation_id=scope.organisation_id,
        organisation_label=scope.organisation_label,
        act=scope.act,
        subject=ids[0] if ids else "",
        details={
            "ids": ids[1:] or None,
            "act": _or_none(scrub.code, raised.act) if isinstance(raised, Denied) else None,
            "route": _or_none(scrub.code, route),
            "why": _why(raised),
            "asked": keyed_hash("trail.refused", rest) if rest else None,
        },
    )


def _why(raised: Exception) -> str:
    if isinstance(raised, Denied):
        return _or_none(scrub.label, raised.why) or "unsaid"
    return "not permitted" if isinstance(raised, PermissionDenied) else "not there"


def _or_none(kind: scrub.Kind, value: Any) -> Any:
    """A refusal must be answered like absence, whatever was in its address: what does not pass is left out."""
    try:
        return kind(value)
    except scrub.Unscrubbed:
        return None


def _ids_in(asked: str) -> tuple[list[str], str]:
    """What of an address may be written: (ids, all that could not)."""
    ids: list[str] = []
    rest: list[str] = []
    for part in filter(None, asked.split(",", _IDS)):
        known = _or_none(scrub.record, part)
        if known is None and _SLUG.fullmatch(part):
            known = Organisation.objects.filter(slug=part).values_list("pk", flat=True).first()
        if known is not None:
            ids.append(str(known))
        else:
            rest.append(part)
    return ids, ",".join(rest)
