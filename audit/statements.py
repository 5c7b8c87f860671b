"""Statements of the heads of all chains: what they say, how they are signed, how they follow each other. Pure: no database, no clock.

A statement is canonical JSON (sorted keys, no spaces, ASCII): the heads of all chains at one moment, a running number, and the SHA-256 of
the statement before. It is signed with Ed25519, leaves the database, and is mailed to the partners: who holds one can show that a chain
was cut, rewritten or put back since. `audit/verifier/verify_trail.py` reads the same bytes with the public key alone.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import json
import re
import textwrap
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

HEADS = "edatrs-trail-heads-1"
EXPORT = "edatrs-trail-export-1"
EXPORT_END = "edatrs-trail-export-end-1"
NOTHING_BEFORE = "0" * 64
BEGIN, END = "-----BEGIN EDATRS TRAIL HEADS-----", "-----END EDATRS TRAIL HEADS-----"
_KEYS = {"at", "heads", "key", "kind", "number", "previous", "restored"}
_HEAD_KEYS = {"at", "chain", "hash", "organisation", "sequence"}
_HASH = re.compile(r"[0-9a-f]{64}")
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


class Unreadable(ValueError):
    """This is no statement of ours."""


class SignedHead(NamedTuple):
    """The head of one chain as it was signed: ids, labels, numbers; no personal data."""

    chain: str
    organisation: str
    sequence: int
    hash: str
    at: str


class Statement(NamedTuple):
    """A statement. `restored`: the operator said that the trail was put back from a backup before this one."""

    number: int
    at: str
    previous: str
    heads: tuple[SignedHead, ...]
    key: str
    restored: bool = False

    @property
    def entries(self) -> int:
        """How many entries all chains have together."""
        return sum(head.sequence for head in self.heads)

    @property
    def instant(self) -> dt.datetime:
        """When it was made."""
        return dt.datetime.fromisoformat(self.at.replace("Z", "+00:00"))


class Signed(NamedTuple):
    """A statement with the bytes that were signed."""

    statement: Statement
    body: bytes
    signature: bytes

    @property
    def digest(self) -> str:
        """The SHA-256 of the body: what the next one names, and what people compare."""
        return digest(self.body)


class Fault(StrEnum):
    """What is wrong with a statement, in words for the person who reads the report."""

    UNREADABLE = "this is no statement of the heads"
    SIGNATURE = "the statement was not signed with our key"
    MISSING = "the statement is missing"
    LINK = "the statement does not follow the one before it"
    TIME = "the statement is older than the one before it"
    BACK = "a chain went back: it is shorter, or another, than was signed before"
    COPY = "the copy in the database is not the statement that is held outside"
    NOT_OUTSIDE = "the statement is not held outside the database"
    NOT_INSIDE = "the statement is held outside and gone from the database"


class Problem(NamedTuple):
    """The first bad statement, by its number; `chain` where one chain is meant."""

    number: int
    fault: Fault
    chain: str = ""


def canonical(value: dict[str, Any]) -> bytes:
    """The bytes that are signed. Raises ValueError on what JSON does not know."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def digest(body: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(body).hexdigest()


def public_bytes(private: Ed25519PrivateKey) -> bytes:
    """The public key, 32 bytes."""
    return private.public_key().public_bytes_raw()


def sign(private: Ed25519PrivateKey, statement: Statement) -> Signed:
    """The statement, signed."""
    body = canonical(
        {
            "at": statement.at,
            "heads": [head._asdict() for head in statement.heads],
            "key": statement.key,
            "kind": HEADS,
            "number": statement.number,
            "previous": statement.previous,
            "restored": statement.restored,
        }
    )
    return Signed(statement, body, private.sign(body))


def signed_line(body: bytes, signature: bytes) -> bytes:
    """A signed thing as it is kept and handed out: one line of JSON."""
    return b'{"signature":"' + signature.hex().encode() + b'","statement":' + body + b"}\n"


def read(line: bytes) -> Signed:
    """A statement from its line. Says nothing of the signature. Raises Unreadable."""
    try:
        outer = json.loads(line)
        inner, signature = outer["statement"], bytes.fromhex(outer["signature"])
        if set(outer) != {"statement", "signature"} or set(inner) != _KEYS or inner["kind"] != HEADS:
            raise Unreadable("these are not the keys of a statement")
        heads = tuple(_head(head) for head in inner["heads"])
        plain = (
            _AT.fullmatch(inner["at"])
            and _HASH.fullmatch(inner["previous"])
            and _HASH.fullmatch(inner["key"])
            and type(inner["number"]) is int
            and type(inner["restored"]) is bool
        )
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        raise Unreadable("this is no statement of the heads") from problem
    if not plain or [head.chain for head in heads] != sorted({head.chain for head in heads}):
        raise Unreadable("a value of the statement is not of its kind")
    statement = Statement(
        inner["number"], inner["at"], inner["previous"], heads, inner["key"], inner["restored"]
    )
    return Signed(statement, canonical(inner), signature)


def _head(found: dict[str, Any]) -> SignedHead:
    if set(found) != _HEAD_KEYS or type(found["sequence"]) is not int or not _HASH.fullmatch(found["hash"]):
        raise Unreadable("a head is not of its kind")
    return SignedHead(**found)


def is_genuine(keys: Iterable[bytes], body: bytes, signature: bytes) -> bool:
    """Whether one of the public keys signed these bytes."""
    for key in keys:
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, body)
        except InvalidSignature:
            continue
        return True
    return False


def follows(before: Statement | None, digest_before: str, now: Statement) -> Problem | None:
    """What is wrong with a statement after the one before it, or None. The first has the number 1 and nothing before it."""
    number = (before.number if before else 0) + 1
    if now.number != number:
        return Problem(min(number, now.number), Fault.MISSING if now.number > number else Fault.LINK)
    if now.previous != digest_before:
        return Problem(now.number, Fault.LINK)
    if before is None:
        return None
    if now.at < before.at:
        return Problem(now.number, Fault.TIME)
    if not now.restored:
        heads = {head.chain: head for head in now.heads}
        for old in before.heads:
            new = heads.get(old.chain)
            if (
                new is None
                or new.sequence < old.sequence
                or (new.sequence == old.sequence and new.hash != old.hash)
            ):
                return Problem(now.number, Fault.BACK, old.chain)
    return None


class Held:
    """Statements that were checked one after the other, and what they say of each chain."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        self._keys = list(keys)
        self.last: Signed | None = None
        self.restored: list[int] = []
        self.problem: Problem | None = None
        self._signed: dict[str, dict[int, bytes]] = {}

    def add(self, number: int, line: bytes) -> None:
        """Look at the next statement; what follows a bad one is not looked at."""
        if self.problem is not None:
            return
        try:
            found = read(line)
        except Unreadable:
            self.problem = Problem(number, Fault.UNREADABLE)
            return
        if not is_genuine(self._keys, found.body, found.signature):
            self.problem = Problem(number, Fault.SIGNATURE)
            return
        if found.statement.number != number:
            self.problem = Problem(number, Fault.LINK)
            return
        before = self.last.statement if self.last else None
        self.problem = follows(before, self.last.digest if self.last else NOTHING_BEFORE, found.statement)
        if self.problem is None:
            self._take(found)

    def _take(self, found: Signed) -> None:
        if found.statement.restored:
            self.restored.append(found.statement.number)
            ends = {head.chain: head.sequence for head in found.statement.heads}
            for chain, hashes in self._signed.items():
                self._signed[chain] = {n: h for n, h in hashes.items() if n <= ends.get(chain, 0)}
        for head in found.statement.heads:
            if head.sequence:
                self._signed.setdefault(head.chain, {})[head.sequence] = bytes.fromhex(head.hash)
        self.last = found

    def signed(self, chain: str) -> dict[int, bytes]:
        """The hashes of a chain that were signed, by sequence."""
        return self._signed.get(chain, {})

    @property
    def chains(self) -> set[str]:
        """Every chain of which an entry was signed."""
        return {chain for chain, hashes in self._signed.items() if hashes}


def armour(line: bytes) -> str:
    """A line as it stands in a mail: base64 between two marks, short lines."""
    text = "\n".join(textwrap.wrap(base64.b64encode(line).decode("ascii"), 72))
    return f"{BEGIN}\n{text}\n{END}\n"


def unarmour(text: str) -> list[bytes]:
    """The lines of every block in a text. Raises Unreadable."""
    blocks = re.findall(re.escape(BEGIN) + r"(.*?)" + re.escape(END), text, re.DOTALL)
    try:
        return [base64.b64decode(re.sub(r"[\s>]", "", block), validate=True) for block in blocks]
    except binascii.Error as problem:
        raise Unreadable("the block is damaged") from problem
