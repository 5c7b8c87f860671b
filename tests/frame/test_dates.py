"""A date in three boxes: what it takes, what it refuses, and in which words."""

from __future__ import annotations

import datetime as dt

import pytest
from django import forms
from django.core.exceptions import ValidationError

from edatrs.core.dates import DateBoxes, DateBoxesWidget, lowered, month_number

DAY = dt.date(2026, 11, 23)


class TriageForm(forms.Form):
    triaged = DateBoxes(label="Triage date")
    ended = DateBoxes(label="NHS end date", required=False)


def typed(day: str, month: str, year: str) -> dict[str, str]:
    return {"triaged_day": day, "triaged_month": month, "triaged_year": year}


@pytest.mark.parametrize(
    ("given", "date"),
    [
        (("23", "11", "2026"), DAY),
        ((" 23 ", "Nov", "2026"), DAY),
        (("23", "november", "2026"), DAY),
        (("3", "09", "2026"), dt.date(2026, 9, 3)),
        (("29", "2", "2024"), dt.date(2024, 2, 29)),
        (("1", "Sept", "1925"), dt.date(1925, 9, 1)),
    ],
)
def test_a_date_is_understood_as_it_is_typed(given: tuple[str, str, str], date: dt.date) -> None:
    form = TriageForm(typed(*given))
    assert form.is_valid(), form.errors
    assert form.cleaned_data == {"triaged": date, "ended": None}


@pytest.mark.parametrize(
    ("given", "words", "boxes"),
    [
        (("", "", ""), "Enter the triage date", ("day", "month", "year")),
        (("", "11", "2026"), "Triage date must include a day", ("day",)),
        (("23", "", ""), "Triage date must include a month and a year", ("month", "year")),
        (("31", "11", "2026"), "Triage date: November 2026 has only 30 days", ("day",)),
        (("29", "2", "2025"), "Triage date: February 2025 has only 28 days", ("day",)),
        (("32", "11", "2026"), "Triage date: the day must be a number from 1 to 31", ("day",)),
        (("0", "11", "2026"), "Triage date: the day must be a number from 1 to 31", ("day",)),
        (
            ("1", "13", "2026"),
            "Triage date: the month must be a number from 1 to 12, or its name",
            ("month",),
        ),
        (
            ("1", "Ma", "2026"),
            "Triage date: the month must be a number from 1 to 12, or its name",
            ("month",),
        ),
        (("1", "1", "26"), "Triage date: the year must have 4 digits, like 2026", ("year",)),
        (("1", "1", "0026"), "Triage date: the year must have 4 digits, like 2026", ("year",)),
        (("١", "1", "2026"), "Triage date: the day must be a number from 1 to 31", ("day",)),
        (
            ("x", "1", "99999"),
            "Triage date: the day must be a number from 1 to 31; the year must have 4 digits, like 2026",
            ("day", "year"),
        ),
    ],
)
def test_a_wrong_date_says_which_box_and_what_to_do(
    given: tuple[str, str, str], words: str, boxes: tuple[str, ...]
) -> None:
    form = TriageForm(typed(*given))
    assert form.errors["triaged"] == [words]
    (error,) = form.errors["triaged"].as_data()
    assert error.params["boxes"] == boxes
    assert form["triaged"].value() == tuple(part.strip() for part in given), "what was typed stays"


def test_limits_are_asked_for_when_the_form_is_sent_and_told_in_words() -> None:
    limits = {"latest": DAY}
    field = DateBoxes(
        label="As-of date",
        latest=lambda: limits["latest"],
        latest_words="today",
        earliest=dt.date(2026, 1, 1),
    )
    assert field.clean(("23", "11", "2026")) == DAY
    with pytest.raises(ValidationError, match="As-of date must be today or earlier"):
        field.clean(("24", "11", "2026"))
    limits["latest"] = dt.date(2026, 11, 24)
    assert field.clean(("24", "11", "2026")) == limits["latest"]
    with pytest.raises(ValidationError, match="As-of date must be 1 January 2026 or later"):
        field.clean(("31", "12", "2025"))


def test_a_message_of_its_own_is_kept_and_a_percent_sign_does_no_harm() -> None:
    with pytest.raises(ValidationError) as raised:
        DateBoxes(label="Date", error_messages={"required": "Say when, 100% sure"}).clean(("", "", ""))
    assert raised.value.messages == ["Say when, 100% sure"]


def test_a_change_is_another_date_and_not_another_way_of_writing_it() -> None:
    field = DateBoxes()
    assert not field.has_changed(DAY, ("23", "Nov", "2026"))
    assert field.has_changed(DAY, ("24", "11", "2026"))
    assert field.has_changed(DAY, ("24", "", "2026"))
    assert not field.has_changed(None, ("", "", ""))


def test_the_widget_knows_its_boxes() -> None:
    widget = DateBoxesWidget()
    assert [box["id"] for box in widget.boxes("born", DAY, "id_born")] == [
        "id_born_day",
        "id_born_month",
        "id_born_year",
    ]
    assert [box["value"] for box in widget.boxes("born", DAY, "id_born")] == ["23", "11", "2026"]
    assert widget.value_omitted_from_data({}, {}, "born")
    assert not widget.value_omitted_from_data({"born_day": ""}, {}, "born")
    assert widget.typed("2026-11-23") == ("23", "11", "2026")
    assert '"><script>' not in widget.render("born", ('"><script>', "", ""))


def test_words_in_the_middle_of_a_sentence_keep_their_capitals() -> None:
    assert [lowered(words) for words in ("Triage date", "NHS number", "TOP", "")] == [
        "triage date",
        "NHS number",
        "TOP",
        "",
    ]
    assert [month_number(words) for words in ("DEC", "sept", "Ju", "12", "13th")] == [12, 9, None, 12, None]
