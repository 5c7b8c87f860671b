"""A date in three boxes: day, month, year. What was typed stays there, and the error says which box and what to do."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

BOXES = ("day", "month", "year")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WHOLE = re.compile(r"[0-9]{1,4}", re.ASCII)
_YEAR = re.compile(r"[1-9][0-9]{3}", re.ASCII)

Bound = dt.date | Callable[[], dt.date] | None


def long_date(value: dt.date) -> str:
    """23 November 2026, whatever the language of the machine."""
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}"


def month_number(typed: str) -> int | None:
    """The month of 11, Nov or November; None when it is none."""
    if _WHOLE.fullmatch(typed):
        return int(typed)
    for number, name in enumerate(MONTHS, start=1):
        if len(typed) >= 3 and name.lower().startswith(typed.lower()):
            return number
    return None


class DateBoxesWidget(forms.Widget):
    """Three text boxes called <name>_day, <name>_month, <name>_year; drawn by `{% field %}`."""

    use_fieldset = True

    def boxes(self, name: str, value: Any, id_: str) -> list[dict[str, Any]]:
        """What each box is called, its id, its words and what stands in it."""
        typed = self.typed(value)
        return [
            {
                "key": key,
                "name": f"{name}_{key}",
                "id": f"{id_}_{key}",
                "label": key.capitalize(),
                "value": text,
                "width": 4 if key == "year" else 2,
            }
            for key, text in zip(BOXES, typed, strict=True)
        ]

    @staticmethod
    def typed(value: Any) -> tuple[str, str, str]:
        """The three texts of a date, of what was typed, or of nothing."""
        if value in (None, ""):
            return ("", "", "")
        if isinstance(value, dt.date):
            return (str(value.day), str(value.month), str(value.year))
        if isinstance(value, str):
            value = dt.date.fromisoformat(value)
            return (str(value.day), str(value.month), str(value.year))
        day, month, year = value
        return (str(day), str(month), str(year))

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        """The bare boxes; pages draw them by `{% field %}`, with their labels and errors."""
        boxes = self.boxes(name, value, str((attrs or {}).get("id") or f"id_{name}"))
        markup = '<input type="text" inputmode="numeric" id="{}" name="{}" value="{}" aria-label="{}">'
        return format_html_join(" ", markup, ((b["id"], b["name"], b["value"], b["label"]) for b in boxes))

    def value_from_datadict(self, data: Any, files: Any, name: str) -> tuple[str, str, str]:
        """The three texts, without the blanks around them."""
        day, month, year = (str(data.get(f"{name}_{key}") or "").strip() for key in BOXES)
        return (day, month, year)

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Whether none of the boxes was sent."""
        return all(f"{name}_{key}" not in data for key in BOXES)

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        """The first box."""
        return f"{id_}_day" if id_ else ""


class DateBoxes(forms.Field):
    """A date typed in three boxes. Cleans to a date, or None when it may be left out.

    `earliest` and `latest` are dates, or give one when asked (`clock.today`); `latest_words` replaces the date in the
    message ("today"). The month may be typed as a word; a year needs its four digits. The params of the
    ValidationError name the boxes that are wrong.
    """

    widget = DateBoxesWidget

    def __init__(
        self,
        *,
        earliest: Bound = None,
        latest: Bound = None,
        earliest_words: str = "",
        latest_words: str = "",
        **kwargs: Any,
    ) -> None:
        self.earliest, self.latest = earliest, latest
        self.earliest_words, self.latest_words = earliest_words, latest_words
        super().__init__(**kwargs)

    @property
    def words(self) -> str:
        """What the messages call it."""
        return str(self.label or "Date")

    def prepare_value(self, value: Any) -> Any:
        """What was typed stays as it was typed."""
        return value

    def to_python(self, value: Any) -> dt.date | None:
        """The date. Raises ValidationError saying which box is wrong."""
        if value is None or isinstance(value, dt.date):
            return value
        typed = dict(zip(BOXES, DateBoxesWidget.typed(value), strict=True))
        if not any(typed.values()):
            return None
        missing = [key for key in BOXES if not typed[key]]
        if missing:
            raise self._error(
                "incomplete", f"{self.words} must include a {' and a '.join(missing)}", *missing
            )
        month = month_number(typed["month"])
        wrong = {}
        if not _WHOLE.fullmatch(typed["day"]) or not 1 <= int(typed["day"]) <= 31:
            wrong["day"] = "the day must be a number from 1 to 31"
        if month is None or not 1 <= month <= 12:
            wrong["month"] = "the month must be a number from 1 to 12, or its name"
        if not _YEAR.fullmatch(typed["year"]):
            wrong["year"] = "the year must have 4 digits, like 2026"
        if wrong or month is None:
            raise self._error("invalid", f"{self.words}: {'; '.join(wrong.values())}", *wrong)
        day, year = int(typed["day"]), int(typed["year"])
        last = calendar.monthrange(year, month)[1]
        if day > last:
            raise self._error(
                "impossible", f"{self.words}: {MONTHS[month - 1]} {year} has only {last} days", "day"
            )
        return dt.date(year, month, day)

    def validate(self, value: dt.date | None) -> None:
        """Not left out where it is needed, and within the limits."""
        if value is None:
            if self.required:
                raise self._error("required", self._required_words(), *BOXES)
            return
        earliest = self.earliest() if callable(self.earliest) else self.earliest
        latest = self.latest() if callable(self.latest) else self.latest
        if earliest is not None and value < earliest:
            limit = self.earliest_words or long_date(earliest)
            raise self._error("early", f"{self.words} must be {limit} or later", *BOXES)
        if latest is not None and value > latest:
            limit = self.latest_words or long_date(latest)
            raise self._error("late", f"{self.words} must be {limit} or earlier", *BOXES)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether the boxes hold another date than before."""
        if self.disabled:
            return False
        try:
            return self.to_python(initial) != self.to_python(data)
        except ValidationError:
            return True

    def _required_words(self) -> str:
        given = str(self.error_messages["required"])
        usual = str(forms.Field.default_error_messages["required"])
        return f"Enter the {lowered(self.words)}" if given == usual else given

    @staticmethod
    def _error(code: str, words: str, *boxes: str) -> ValidationError:
        return ValidationError(words.replace("%", "%%"), code=code, params={"boxes": boxes})


def lowered(words: str) -> str:
    """The words in the middle of a sentence: "Triage date" → "triage date", but "NHS number" and "TOP date" stay."""
    return words if len(words) > 1 and words[1].isupper() else words[:1].lower() + words[1:]
