"""The chain: how an entry becomes bytes, how it is linked to the one before, sealed, and how all of it is verified.

Pure: no database, no settings, no clock. An entry's hash is SHA-256 over the hash before it and the canonical bytes of every column; its
mac is an HMAC of that hash under a key outside the database. The head is sealed over other bytes than any row, so that nobody without the
key can turn the seal of an earlier row into a head.

What a chain with its head in the same database cannot see: everything put back as it was earlier (an old backup; the last rows dropped
and an old head put back), a chain wiped together with its head, a chain written anew by somebody who has the key. For that the heads that
were signed and sent out (`audit.statements`) are held against it. Whatever never wrote is found by `audit.reconciliation`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from json.encoder import encode_basestring as quoted
from typing import Any, NamedTuple

NOTHING_BEFORE = bytes(32)
details_text = json.JSONEncoder(
    sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
).encode


class Row(NamedTuple):
    """A stored entry: the columns that are hashed, in the order of their names, then what is made from them.

    Ids are lower-case text, `at` is as `instant` writes it, so that a writer and a verifier in any language give the same bytes.
    """

    act: str
    actor: str
    actor_id: str | None
    actor_label: str
    at: str
    chain: str
    details: dict[str, Any]
    event_id: str
    id: int
    name: str
    organisation_id: str | None
    organisation_label: str
    roles: str
    sequence: int
    subject: str
    previous: bytes = NOTHING_BEFORE
    hash: bytes = b""
    mac: bytes = b""


HASHED = 15
COLUMNS = Row._fields[:HASHED]


class Head(NamedTuple):
    """The stored head of a chain."""

    chain: str
    sequence: int
    hash: bytes
    mac: bytes
    at: str


class Fault(StrEnum):
    """What is wrong with a row, in words for the person who reads the report."""

    MISSING = "the entry is missing"
    REPEATED = "a number is used again or out of order"
    FOREIGN = "the entry belongs to another chain"
    LINK = "the entry does not follow the one before it"
    CONTENT = "the entry was changed"
    SEAL = "the entry was not sealed with our key"
    HEAD_MISSING = "the chain has no head"
    END_MISSING = "entries at the end are missing"
    BEYOND_HEAD = "there are entries that the head does not know"
    HEAD = "the head does not match the last entry"
    HEAD_SEAL = "the head was not sealed with our key"
    SIGNED = "the entry is not the one whose hash was signed and sent out"
    SIGNED_END = "entries that were signed and sent out are missing at the end"


class Problem(NamedTuple):
    """The first bad row of a chain, by its number."""

    sequence: int
    fault: Fault


def instant(at: dt.datetime) -> str:
    """An aware instant as UTC with microseconds: 2026-04-06T09:30:00.000000Z."""
    return at.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def canonical(row: tuple[Any, ...]) -> bytes:
    """The bytes of an entry that are hashed: its columns as JSON with sorted keys, no spaces, UTF-8.

    Equal to `json.dumps(columns, sort_keys=True, ensure_ascii=False, separators=(",", ":"))`; spelled out because that takes half as long
    again. Raises UnicodeEncodeError on text that is not Unicode, ValueError on numbers that JSON does not know.
    """
    (
        act,
        actor,
        actor_id,
        label,
        at,
        chain,
        details,
        event_id,
        number,
        name,
        for_id,
        for_label,
        roles,
        seq,
        subject,
    ) = row[:HASHED]
    return (
        f'{{"act":{quoted(act)},"actor":{quoted(actor)},"actor_id":{quoted(actor_id) if actor_id is not None else "null"}'
        f',"actor_label":{quoted(label)},"at":{quoted(at)},"chain":{quoted(chain)}'
        f',"details":{"{}" if details == {} else details_text(details)},"event_id":{quoted(event_id)},"id":{number:d}'
        f',"name":{quoted(name)},"organisation_id":{quoted(for_id) if for_id is not None else "null"}'
        f',"organisation_label":{quoted(for_label)},"roles":{quoted(roles)},"sequence":{seq:d},"subject":{quoted(subject)}}}'
    ).encode()


def link(previous: bytes, entry: bytes) -> bytes:
    """The hash of an entry: over the hash before it and its canonical bytes."""
    return hashlib.sha256(previous + entry).digest()


def seal(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA-256."""
    return hmac.digest(key, message, "sha256")


def head_bytes(chain: str, sequence: int, last_hash: bytes, at: str) -> bytes:
    """What is sealed of a head; never 32 bytes long, as what is sealed of a row is."""
    return b"head:" + json.dumps([chain, sequence, last_hash.hex(), at]).encode()


def verify(
    rows: Iterable[tuple[Any, ...]],
    key: bytes | None,
    head: Head | None = None,
    *,
    chain: str = "",
    signed: Mapping[int, bytes] | None = None,
) -> Problem | None:
    """The first problem of a chain, or None. `rows` are as `Row`, by sequence; without a key the seals are not looked at.

    `head` is checked against the last row; None means that the chain has none, which is right only for a chain without rows. `chain` is
    whose rows these should be. `signed` are hashes by sequence that were signed and left the database. Streams: holds one row at a time.
    """
    signed = signed or {}
    sealed = _sealer(key) if key is not None else None
    expected, previous = 1, NOTHING_BEFORE
    for row in rows:
        sequence = row[13]
        if sequence != expected:
            return (
                Problem(expected, Fault.MISSING) if sequence > expected else Problem(sequence, Fault.REPEATED)
            )
        if chain and row[5] != chain:
            return Problem(sequence, Fault.FOREIGN)
        if row[15] != previous:
            return Problem(sequence, Fault.LINK)
        try:
            previous = link(previous, canonical(row))
        except (TypeError, ValueError):  # a column that no writer of ours could have filled so
            return Problem(sequence, Fault.CONTENT)
        if row[16] != previous:
            return Problem(sequence, Fault.CONTENT)
        if sealed is not None and row[17] != sealed(previous):
            return Problem(sequence, Fault.SEAL)
        if sequence in signed and signed[sequence] != previous:
            return Problem(sequence, Fault.SIGNED)
        expected += 1
    last = expected - 1
    problem = _verify_head(last, previous, key, head, chain)
    if problem is None and any(sequence > last for sequence in signed):
        return Problem(last + 1, Fault.SIGNED_END)
    return problem


def _verify_head(
    last: int, last_hash: bytes, key: bytes | None, head: Head | None, chain: str
) -> Problem | None:
    if head is None:
        return Problem(last, Fault.HEAD_MISSING) if last else None
    if head.sequence > last:
        return Problem(last + 1, Fault.END_MISSING)
    if head.sequence < last:
        return Problem(head.sequence + 1, Fault.BEYOND_HEAD)
    if head.hash != last_hash or (chain and head.chain != chain):
        return Problem(last, Fault.HEAD)
    if key is not None and head.mac != seal(key, head_bytes(head.chain, head.sequence, head.hash, head.at)):
        return Problem(last, Fault.HEAD_SEAL)
    return None


def _sealer(key: bytes) -> Callable[[bytes], bytes]:
    """`seal` under one key, with the two halves of HMAC (RFC 2104) begun once: a third of the time of a row."""
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner, outer = (hashlib.sha256(bytes(byte ^ pad for byte in block)) for pad in (0x36, 0x5C))

    def sealed(message: bytes) -> bytes:
        first, second = inner.copy(), outer.copy()
        first.update(message)
        second.update(first.digest())
        return second.digest()

    return sealed
