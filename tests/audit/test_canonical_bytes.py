"""The bytes of an entry: every column counts, nothing else does, and any JSON library gives the same."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import random
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from audit.chain import COLUMNS, Row, _sealer, canonical, head_bytes, instant, link, seal
from tests.factories.audit import make_row

text = st.text(max_size=40)
plain = st.one_of(st.none(), st.booleans(), st.integers(min_value=-(2**53), max_value=2**53), text)
rows = st.builds(
    Row,
    act=text,
    actor=text,
    actor_id=st.none() | text,
    actor_label=text,
    at=text,
    chain=text,
    details=st.dictionaries(
        text, plain | st.lists(plain, max_size=4) | st.dictionaries(text, plain, max_size=3), max_size=5
    ),
    event_id=text,
    id=st.integers(min_value=0, max_value=2**63 - 1),
    name=text,
    organisation_id=st.none() | text,
    organisation_label=text,
    roles=text,
    sequence=st.integers(min_value=1, max_value=2**63 - 1),
    subject=text,
)


def columns(row: Row) -> dict[str, Any]:
    return dict(zip(COLUMNS, row, strict=False))


@given(rows)
def test_bytes_are_those_of_any_json_library(row: Row) -> None:
    reference = json.dumps(columns(row), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    assert canonical(row) == reference
    assert json.loads(canonical(row)) == columns(row)


@given(rows, rows)
def test_two_different_entries_never_share_bytes(one: Row, other: Row) -> None:
    assume(columns(one) != columns(other))
    assert canonical(one) != canonical(other)


@given(rows, st.sampled_from(COLUMNS), st.data())
def test_a_change_of_any_column_changes_the_bytes(row: Row, column: str, data: st.DataObject) -> None:
    changed = row._replace(**{column: getattr(data.draw(rows), column)})
    assume(columns(changed) != columns(row))
    assert canonical(changed) != canonical(row)


@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_details_does_not_matter(row: Row, dice: random.Random) -> None:
    items = list(row.details.items())
    dice.shuffle(items)
    assert canonical(row._replace(details=dict(items))) == canonical(row)


def test_what_is_made_from_an_entry_is_not_part_of_its_bytes() -> None:
    row = make_row(1, str(uuid4()), random.Random(1))
    assert canonical(row._replace(previous=b"1" * 32, hash=b"2" * 32, mac=b"3" * 32)) == canonical(row)
    assert tuple(sorted(COLUMNS)) == COLUMNS and set(Row._fields) - set(COLUMNS) == {
        "previous",
        "hash",
        "mac",
    }


def test_every_column_of_the_table_is_in_the_bytes() -> None:
    from audit.models import AuditEvent

    stored = {field.column for field in AuditEvent._meta.local_fields}
    assert stored == set(Row._fields)


@pytest.mark.parametrize("details", [[], None, 0, "", False])
def test_empty_details_are_told_from_other_emptiness(details: Any) -> None:
    row = make_row(1, str(uuid4()), random.Random(1))._replace(details={})
    assert canonical(row._replace(details=details)) != canonical(row)


def test_text_that_is_not_unicode_and_numbers_that_json_does_not_know_raise() -> None:
    row = make_row(1, str(uuid4()), random.Random(1))
    with pytest.raises(UnicodeEncodeError):
        canonical(row._replace(actor_label="\ud800"))
    with pytest.raises(ValueError, match="Out of range"):
        canonical(row._replace(details={"n": float("nan")}))


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_the_fast_seal_is_hmac_sha256(key: bytes, message: bytes) -> None:
    assert _sealer(key)(message) == seal(key, message) == hmac.new(key, message, hashlib.sha256).digest()


@given(st.binary(min_size=32, max_size=32), rows)
def test_a_link_is_sha256_of_the_hash_before_and_the_bytes(previous: bytes, row: Row) -> None:
    assert link(previous, canonical(row)) == hashlib.sha256(previous + canonical(row)).digest()


@given(text, st.integers(min_value=0), st.binary(min_size=32, max_size=32), text)
def test_what_is_sealed_of_a_head_cannot_be_the_hash_of_a_row(
    chain: str, sequence: int, last: bytes, at: str
) -> None:
    assert len(head_bytes(chain, sequence, last, at)) > 32


@given(st.datetimes(timezones=st.timezones()))
def test_instants_are_utc_with_microseconds(at: dt.datetime) -> None:
    assume(1 < at.year < 9998)
    written = instant(at)
    assert len(written) == 27 and written.endswith("Z")
    assert dt.datetime.fromisoformat(written) == at.astimezone(dt.UTC)
