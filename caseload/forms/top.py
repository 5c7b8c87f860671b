"""The outcome form: the days of four weeks or their total, yes or no, ratings; "not answered" is an answer of its own, never 0 nor empty.

Every question has one field, called as its item. What is recorded already may stay, whatever it is; all else needs an answer or "not
answered" before the form is complete. The page draws the boxes itself (`TopForm.groups`).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms

from caseload import outcomes
from caseload.dataset.reader import Item, load_dictionary
from caseload.forms.clients import NOT_RECORDED
from caseload.forms.items import EARLIEST, item_field
from edatrs.core import clock
from edatrs.core.dates import DateBoxes, long_date
from edatrs.core.forms import Form

NA_WORDS = "Not answered"
DATE, STAGE = "TOPDATE", "TRSTAGE"
_SUM = re.compile(r"\d(?:\s*\+\s*\d){3}", re.ASCII)


@dataclass(frozen=True)
class Typed:
    """What stands in the boxes of a question, as typed: four weeks (none, for a rating), the total or rating, the box for not answered."""

    weeks: tuple[str, ...] = ()
    whole: str = ""
    na: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing was done."""
        return not self.na and not self.whole and not any(self.weeks)

    @property
    def text(self) -> str:
        """All in one text, which the boxes read again: NA, 3+4+3+4, or the number."""
        if self.na:
            return outcomes.not_answered()
        return "+".join(self.weeks) if any(self.weeks) else self.whole


def as_typed(value: Any, *, weeks: Sequence[int] = (), with_weeks: bool) -> Typed:
    """The boxes of a recorded answer."""
    text = str(value or "").strip()
    if text == outcomes.not_answered():
        return Typed(("",) * 4 if with_weeks else (), "", True)
    if with_weeks and weeks:
        return Typed(tuple(str(days) for days in weeks))
    return Typed(("",) * 4 if with_weeks else (), text)


class AnswerWidget(forms.Widget):
    """The boxes of a question: <item>_w4 to <item>_w1, <item> (the total or the rating), <item>_na. The page draws them."""

    def __init__(self, *, with_weeks: bool) -> None:
        self.with_weeks = with_weeks
        super().__init__()

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Typed:
        """What was typed. The one box also takes NA and a sum of weeks (3+4+3+4), in which a conflict carries the answer."""
        whole = str(data.get(name) or "").strip()
        na = bool(data.get(f"{name}_na")) or whole.upper() == outcomes.not_answered()
        weeks = tuple(str(data.get(f"{name}_w{n}") or "").strip() for n in outcomes.WEEKS)
        if not self.with_weeks:
            weeks = ()
        elif _SUM.fullmatch(whole) and not any(weeks):
            weeks, whole = tuple(part.strip() for part in whole.split("+")), ""
        return Typed(weeks, "" if na and whole.upper() == outcomes.not_answered() else whole, na)

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Whether none of its boxes was sent."""
        return all(key not in data for key in (name, f"{name}_na", *(f"{name}_w{n}" for n in outcomes.WEEKS)))

    def format_value(self, value: Any) -> str:
        """All in one text."""
        return value.text if isinstance(value, Typed) else str(value or "")


class Answer(forms.Field):
    """A count of days or a rating. Cleans to the text that is recorded: the number, NA, or '' where nothing is recorded and may stay so."""

    def __init__(self, item: Item, recorded: str) -> None:
        known = load_dictionary()
        self.item, self.recorded = item, recorded.strip()
        self.may_be_empty = False  # set by the form: an entry that was recorded without this answer
        self.with_weeks = outcomes.kind_of(item) == outcomes.DAYS
        self.most = known.setting_number("days_counted" if self.with_weeks else "rating_top")
        # Not required as Django means it: what is missing and was missing before may stay.
        super().__init__(
            label=outcomes.words_of(item), required=False, widget=AnswerWidget(with_weeks=self.with_weeks)
        )

    def clean(self, value: Any) -> str:
        """The text. Raises ValidationError that says which box and what to do."""
        typed = value if isinstance(value, Typed) else as_typed(value, with_weeks=self.with_weeks)
        if typed.na:
            if typed.whole or any(typed.weeks):
                what = "days are typed" if self.with_weeks else "a rating is typed"
                raise self._error(f"{what} and “not answered” is ticked. Clear one of them")
            return outcomes.not_answered()
        if typed.empty:
            if self.may_be_empty:
                return ""
            raise self._error(f"enter {'days' if self.with_weeks else 'a rating'}, or tick “not answered”")
        if any(typed.weeks):
            return str(self._of_weeks(typed))
        if typed.whole == self.recorded:
            return self.recorded
        return str(self._whole(typed.whole))

    def weeks(self, typed: Any) -> tuple[int, ...]:
        """The weeks that were typed, where they are four sound ones."""
        sound = isinstance(typed, Typed) and all(_is_day(text) for text in typed.weeks) and typed.weeks
        return tuple(int(text) for text in typed.weeks) if sound else ()

    def _of_weeks(self, typed: Typed) -> int:
        wrong = [n for n, text in zip(outcomes.WEEKS, typed.weeks, strict=True) if text and not _is_day(text)]
        if wrong:
            raise self._error(f"week {wrong[0]} must be a whole number from 0 to {outcomes.DAYS_IN_WEEK}")
        empty = [str(n) for n, text in zip(outcomes.WEEKS, typed.weeks, strict=True) if not text]
        if empty:
            missing = f"{'week' if len(empty) == 1 else 'weeks'} {' and '.join(empty)}"
            raise self._error(f"fill in {missing} too, or clear the weeks and type the total")
        found = outcomes.total([int(text) for text in typed.weeks])
        if typed.whole and (not _is_whole(typed.whole) or int(typed.whole) != found):
            raise self._error(f"the weeks add up to {found}, the total says {typed.whole}. Clear one of them")
        return found

    def _whole(self, text: str) -> int:
        if not _is_whole(text) or int(text) > self.most:
            what = "the total must be" if self.with_weeks else "must be"
            raise self._error(f"{what} a whole number from 0 to {self.most}")
        return int(text)

    def _error(self, words: str) -> forms.ValidationError:
        joined = f"{self.label} {words}" if words.startswith("must") else f"{self.label}: {words}"
        return forms.ValidationError(joined.replace("%", "%%"))


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 4


def _is_day(text: str) -> bool:
    return len(text) == 1 and text.isascii() and text.isdigit() and int(text) <= outcomes.DAYS_IN_WEEK


class Choice(forms.ChoiceField):
    """A few codes, all in view, none chosen. A recorded code that is not among them stays and says so."""

    def __init__(self, item: Item, choices: Mapping[str, str], recorded: str, missing: str) -> None:
        offered = list(choices.items())
        if recorded and recorded not in choices:
            offered.append((recorded, f"{recorded} (as recorded)"))
        super().__init__(
            label=outcomes.words_of(item),
            choices=offered,
            required=False,
            widget=forms.RadioSelect,
            error_messages={"invalid_choice": missing},
        )
        self.offered, self.missing = offered, missing
        self.may_be_empty = False

    def clean(self, value: Any) -> str:
        """The code. Raises ValidationError for none, unless nothing was recorded."""
        found = str(super().clean(value))
        if not found and not self.may_be_empty:
            raise forms.ValidationError(self.missing)
        return found


@dataclass(frozen=True)
class Question:
    """A question as the page draws it."""

    name: str
    kind: str
    label: str
    weeks: tuple[tuple[int, str], ...]
    whole: str
    na: bool
    output: str
    options: tuple[tuple[str, str, bool], ...]
    errors: tuple[str, ...]
    bound: Any


class TopForm(Form):
    """An outcome form. `recorded` is what is held by CSV header, `weeks` the weeks that were kept, by item; `new`: nothing is recorded."""

    heading = "Treatment Outcomes Profile"

    def __init__(
        self,
        data: Any = None,
        *,
        items: Sequence[Item],
        letter: str,
        recorded: Mapping[str, Any],
        weeks: Mapping[str, Sequence[int]],
        new: bool,
        stage: str = "",
        **kwargs: Any,
    ) -> None:
        self.items, self.recorded, self.kept_weeks, self.new = tuple(items), recorded, weeks, new
        initial = {i.name: self._initial(i, recorded.get(i.name)) for i in items}
        if new:
            initial |= {DATE: clock.today(), STAGE: stage}
        super().__init__(data, initial=initial, **kwargs)
        for item in items:
            self.fields[item.name] = self._field(item, letter, recorded.get(item.name))

    def _initial(self, item: Item, held: Any) -> Any:
        kind = outcomes.kind_of(item) if outcomes.is_question(item) else outcomes.OTHER
        if kind in (outcomes.DAYS, outcomes.RATING):
            return as_typed(held, weeks=self.kept_weeks.get(item.name, ()), with_weeks=kind == outcomes.DAYS)
        return held

    def _field(self, item: Item, letter: str, held: Any) -> forms.Field:
        missing_before = not self.new and held in (None, "")
        if item.name == DATE:
            latest = max(held, clock.today()) if isinstance(held, dt.date) else clock.today()
            earliest = min(held, EARLIEST) if isinstance(held, dt.date) else EARLIEST
            return DateBoxes(
                label=outcomes.words_of(item),
                required=not missing_before,
                earliest=earliest,
                latest=latest,
                latest_words="today",
            )
        made: Any
        recorded = str(held or "")
        if item.name == STAGE:
            known = load_dictionary().codes(item.code_list, letter)
            stages = {code: outcomes.STAGES.get(code, words) for code, words in known.items()}
            made = Choice(item, stages, recorded, "Choose the stage of this TOP")
        elif outcomes.kind_of(item) == outcomes.YES_NO:
            codes = {"Y": "Yes", "N": "No", outcomes.not_answered(): NA_WORDS}
            words = f"{outcomes.words_of(item)}: choose yes, no or not answered"
            made = Choice(item, codes, recorded, words)
        elif outcomes.kind_of(item) in (outcomes.DAYS, outcomes.RATING):
            made = Answer(item, recorded)
        else:
            return item_field(item, letter, held)
        made.may_be_empty = missing_before
        return made

    # ---- what to save ------------------------------------------------------------------------------------------

    def values(self) -> dict[str, Any]:
        """What to save, by CSV header."""
        found: dict[str, Any] = {}
        for item in self.items:
            value, held = self.cleaned_data.get(item.name), self.recorded.get(item.name)
            same = isinstance(held, str) and isinstance(value, str) and held.strip() == value.strip()
            found[item.name] = held if same else value
        return found

    def typed_weeks(self) -> dict[str, tuple[int, ...]]:
        """The weeks of each question that was answered by week."""
        found = {}
        for name, made in self.fields.items():
            if isinstance(made, Answer) and made.with_weeks:
                weeks = made.weeks(self[name].value())
                if weeks:
                    found[name] = weeks
        return found

    def typed(self) -> dict[str, Any]:
        """What stands in the boxes as far as it is sound, for rules that speak while one types; the rest counts as missing."""
        self.full_clean()
        return {
            item.name: self.cleaned_data.get(item.name, None if item.type == "date" else "")
            for item in self.items
        }

    # ---- what the page shows -------------------------------------------------------------------------------------

    def shown(self, name: str, value: Any) -> str:
        """A value in words."""
        if value in (None, ""):
            return NOT_RECORDED
        if isinstance(value, dt.date):
            return long_date(value)
        if str(value) == outcomes.not_answered():
            return NA_WORDS
        field = self.fields.get(name)
        if isinstance(field, Choice):
            return str(dict(field.offered).get(value, value))
        return str(value)

    def day(self) -> dt.date:
        """The day that the four weeks end before: the one typed, else today."""
        bound = self[DATE]
        try:
            found = bound.field.to_python(bound.value())
        except forms.ValidationError:
            found = None
        sound = isinstance(found, dt.date) and EARLIEST <= found <= dt.date(2100, 12, 31)
        return found if sound else clock.today()  # type: ignore[return-value]  # sound says so

    def groups(self) -> list[tuple[str, list[Question]]]:
        """The questions under their headings, with what stands in each."""
        return [
            (title, [self._question(item) for item in items])
            for title, items in outcomes.questions(self.items)
        ]

    def _question(self, item: Item) -> Question:
        bound, made = self[item.name], self.fields[item.name]
        errors = tuple(str(words) for words in bound.errors)
        if isinstance(made, Answer):
            typed = bound.value()
            typed = typed if isinstance(typed, Typed) else as_typed(typed, with_weeks=made.with_weeks)
            kind = outcomes.DAYS if made.with_weeks else outcomes.RATING
            weeks = tuple(zip(outcomes.WEEKS, typed.weeks, strict=True)) if made.with_weeks else ()
            output = output_of(typed, made)
            return Question(
                item.name, kind, str(made.label), weeks, typed.whole, typed.na, output, (), errors, bound
            )
        if isinstance(made, Choice):
            value = str(bound.value() or "")
            options = tuple((str(code), str(words), code == value) for code, words in made.offered)
            return Question(
                item.name, outcomes.YES_NO, str(made.label), (), "", False, "", options, errors, bound
            )
        return Question(item.name, outcomes.OTHER, str(made.label), (), "", False, "", (), errors, bound)

    def unanswered(self) -> list[tuple[str, str]]:
        """(name, words) of what has no sound answer yet, of a draft too."""
        found = []
        for item in self.items:
            made = self.fields[item.name]
            if not isinstance(made, Answer | Choice) or item.name == STAGE:
                continue
            try:
                made.clean(self[item.name].value())
            except forms.ValidationError:
                found.append((item.name, str(made.label)))
        return found


def output_of(typed: Typed, made: Answer) -> str:
    """What stands in the place of the total: the sum, NA, the total that was typed, or a dash while it cannot be said."""
    if typed.na:
        return outcomes.not_answered() if not typed.whole and not any(typed.weeks) else "–"
    weeks = made.weeks(typed)
    if weeks:
        return str(outcomes.total(weeks))
    return typed.whole if typed.whole and not any(typed.weeks) else "–"
