"""What may stand on the trail. Everything else is refused when it is recorded, so that the one who wrote the code sees it at once."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import scrub
from audit.events import UnknownEvent, event_types, scrub_event, words
from audit.scrub import Unscrubbed
from edatrs.core.scope import Actor, open_scope
from edatrs.core.trail import record

AN_ID = UUID("0b7c9c4e-4f1b-4a0e-9a51-0f1c2d3e4f50")
# As somebody may type them: names, sentences, addresses. None is an id, a code or a hash.
FREE_TEXT = (
    "Anna Bell",
    "Bell",
    "anna",
    "O'Hara",
    "relapsed on Tuesday",
    "12 High Street, Colchester",
    "anna.bell@example.org",
    "Bell\n1980-02-03",
    "é",
    " ",
)


def test_the_events_of_issue_2_are_declared_with_words_for_people() -> None:
    names = set(event_types.keys())
    assert {
        "organisations.signed_in",
        "organisations.sign_in_failed",
        "organisations.signed_out",
        "organisations.signed_out_everywhere",
        "organisations.second_factor_enrolled",
        "organisations.second_factor_reset",
        "organisations.recovery_code_used",
        "organisations.password_reset_asked",
        "organisations.password_changed",
        "organisations.person_invited",
        "organisations.role_given",
        "organisations.role_ended",
        "organisations.person_disabled",
        "organisations.partnership_loaded",
        "access.refused",
        "caseload.client.searched",
        "caseload.client.viewed",
        "caseload.client.changed",
        "consent.ndtms.recorded",
        *(f"ndtms.import_{state}" for state in ("started", "finished", "refused")),
        *(
            f"ndtms.extract_{act}"
            for act in ("asked", "built", "failed", "downloaded", "confirmed", "refused")
        ),
        "ndtms.preview_viewed",
        "audit.trail_read",
        "audit.verified",
    } <= names
    assert words("access.refused") == "Refused"
    assert words("an.older.event") == "an.older.event"
    for name, declared in event_types:
        assert len(name) <= 60 and declared.words[0].isupper() and "_" not in declared.words


def test_an_event_or_a_detail_that_is_not_declared_is_refused() -> None:
    with open_scope_without_database():
        with pytest.raises(UnknownEvent, match="caseload.client.admired"):
            record("caseload.client.admired")
        with pytest.raises(UnknownEvent, match="'name'"):
            record("caseload.client.viewed", details={"name": "x"})


@pytest.mark.parametrize("text", FREE_TEXT)
def test_free_text_is_refused_and_not_repeated_in_the_message(text: str) -> None:
    for kind in (
        scrub.record,
        scrub.count,
        scrub.digest,
        scrub.date,
        scrub.flag,
        scrub.counts,
        scrub.several(scrub.record),
    ):
        with pytest.raises(Unscrubbed) as refused:
            kind(text)
        assert text.strip() == "" or text not in str(refused.value)
    with pytest.raises(Unscrubbed) as refused:
        scrub_event("caseload.client.viewed", text, {})
    assert text.strip() == "" or text not in str(refused.value)


@pytest.mark.parametrize("name", [name for name, _ in event_types])
@pytest.mark.parametrize("text", ["Anna Bell relapsed on Tuesday", "12 High Street, Colchester"])
def test_no_event_takes_a_sentence_in_a_detail_but_labels_of_staff(name: str, text: str) -> None:
    for key, kind in event_types.get(name).details.items():
        if kind is not scrub.label:
            with pytest.raises(Unscrubbed):
                scrub_event(name, "", {key: text})


def test_labels_are_of_staff_roles_and_refusals_only() -> None:
    labelled = {
        f"{name}.{key}"
        for name, declared in event_types
        for key, kind in declared.details.items()
        if kind is scrub.label
    }
    assert labelled == {
        "access.refused.why",
        *(f"organisations.{act}.label" for act in ("person_invited", "role_given", "role_ended")),
        *(f"caseload.client.{act}.label" for act in ("allocated", "allocation_undone")),
        "organisations.person_disabled.label",
        "organisations.second_factor_reset.label",
        "caseload.known_elsewhere.alerted.label",
    }


@pytest.mark.parametrize(
    ("kind", "good", "stored", "bad"),
    [
        (
            scrub.record,
            AN_ID,
            str(AN_ID),
            [None, 1.5, "", str(AN_ID).upper() + "x", "X" * 41 + "1", "../1", "R 1"],
        ),
        (scrub.record, "R-1042", "R-1042", ["r-1042x", "Bell1", "1\n", "1980-02-03", "3/2/1980", True]),
        # 943 476 5919 is the NHS's own example of a number that is valid and nobody's.
        (scrub.record, 1042, "1042", ["9434765919", "943-476-5919", 9434765919]),
        (scrub.record, "9434765918", "9434765918", []),
        (
            scrub.code,
            "caseload:client-detail",
            "caseload:client-detail",
            [None, "", "two words", "x" * 81, "-x", "a\n", 3],
        ),
        (scrub.count, 7, 7, [-1, True, 2**53, 1.0, "7", None]),
        (scrub.flag, False, False, [0, 1, "yes", None]),
        (scrub.digest, "0a" * 32, "0a" * 32, ["0A" * 32, "0a" * 31, b"0" * 64, None]),
        (
            scrub.date,
            dt.date(2026, 4, 6),
            "2026-04-06",
            ["06/04/2026", "2026-02-30", 20260406, dt.datetime(2026, 4, 6)],
        ),
        (
            scrub.date,
            dt.datetime(2026, 4, 6, 9, 30, tzinfo=dt.timezone(dt.timedelta(hours=1))),
            "2026-04-06T08:30:00+00:00",
            ["now"],
        ),
        (
            scrub.label,
            "Zoë O’Hara-Adé",
            "Zoë O’Hara-Adé",
            ["", "x" * 121, "a\nb", "a\x00b", "w " * 13, 5, None],
        ),
        (scrub.several(scrub.code), ("a", "b"), ["a", "b"], ["ab", b"ab", {"a": 1}, 5, ["a b"], ["a"] * 51]),
        (
            scrub.counts,
            {"episodes": 3},
            {"episodes": 3},
            [[], {"two words": 1}, {"a": -1}, {f"k{n}": 1 for n in range(51)}],
        ),
    ],
)
def test_kinds(kind: Any, good: Any, stored: Any, bad: list[Any]) -> None:
    assert kind(good) == stored
    assert type(kind(good)) is type(stored)
    for value in bad:
        with pytest.raises(Unscrubbed):
            kind(value)


def test_missing_stays_missing() -> None:
    assert scrub_event("ndtms.extract_built", "", {"rows": None, "letter": "Q", "why": ""}) == (
        "",
        {"rows": None, "letter": "Q", "why": None},
    )


@given(st.text(max_size=60))
def test_whatever_passes_as_an_id_or_a_code_is_one_plain_word(text: str) -> None:
    for kind in (scrub.record, scrub.code):
        try:
            stored = kind(text)
        except Unscrubbed:
            continue
        assert stored == text and text.isascii() and text.isprintable() and " " not in text
        if kind is scrub.record:
            assert any(c.isdigit() for c in text)


@pytest.mark.django_db
def test_what_was_scrubbed_is_what_is_stored() -> None:
    from audit.models import AuditEvent

    organisation = uuid4()
    with open_scope(
        actor=Actor.PERSON, organisation_id=organisation, person_label="Anna\x00 \x1bBell" + "x" * 200
    ):
        record(
            "organisations.role_given",
            subject=AN_ID,
            details={"role": "keyworker", "from": dt.date(2026, 4, 6), "services": [AN_ID]},
        )
    with open_scope(actor=Actor.PERSON, organisation_id=organisation):
        row = AuditEvent.objects.get()
    assert row.subject == str(AN_ID)
    assert row.details == {"role": "keyworker", "from": "2026-04-06", "services": [str(AN_ID)]}
    assert row.actor_label.startswith("Anna Bellxxx") and len(row.actor_label) == 120
    json.dumps(row.details)


def open_scope_without_database() -> Any:
    """A scope for what never reaches the database."""
    from contextlib import contextmanager

    from edatrs.core import scope

    @contextmanager
    def opened() -> Any:
        token = scope._current.set(
            scope.Scope(actor=Actor.PERSON, now=dt.datetime(2026, 4, 6, tzinfo=dt.UTC))
        )
        try:
            yield
        finally:
            scope._current.reset(token)

    return opened()
