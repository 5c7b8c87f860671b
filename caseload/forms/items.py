"""Form fields made from the dictionary: every item with its label, its list and its limits. What is recorded may stay, whatever it is."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from caseload.dataset.reader import Item, load_dictionary
from caseload.forms.clients import NOT_RECORDED, Code, Text
from caseload.help import LABELS, hint_of
from edatrs.core.dates import DateBoxes, long_date
from edatrs.core.forms import Form

EARLIEST = dt.date(1900, 1, 1)
LATEST = dt.date(2100, 12, 31)
NA = "NA"
_RANGE = re.compile(r"^(\d+)-(\d+)")
_MOST_RADIOS = 3


class Number(Text):
    """A whole number, kept as it was typed without blanks; limits come from the dictionary's format ("0-28")."""

    def __init__(self, item: Item, label: str, **kwargs: Any) -> None:
        found = _RANGE.match(item.format)
        self.least, self.most = (
            (int(found[1]), int(found[2])) if found else (0, 10 ** (item.max_length or 3) - 1)
        )
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "numeric"}))
        super().__init__(label, 40, width=3, **kwargs)

    def clean(self, value: Any) -> str:
        """The number as text, nothing, or what is recorded. Raises ValidationError."""
        typed = str(super().clean(value)).strip()
        if not typed or typed == self.recorded.strip():
            return typed
        if not (typed.isascii() and typed.isdigit() and len(typed) < 10):
            raise forms.ValidationError(
                f"{self.label} must be a whole number from {self.least} to {self.most}, in digits"
            )
        if not self.least <= int(typed) <= self.most:
            raise forms.ValidationError(f"{self.label} must be from {self.least} to {self.most}")
        return str(int(typed))


class FewCodes(Code):
    """A short list of codes, all in view."""

    inline = True
    widget = forms.RadioSelect


class Day(DateBoxes):
    """A date item. What is recorded may stay."""


def label_of(item: Item) -> str:
    """The label of an item as a form shows it: short words of our own where we have them, else the dictionary's."""
    return LABELS.get(item.name, item.label)


def item_field(item: Item, letter: str, recorded: Any) -> forms.Field:
    """The field of an item."""
    label, hint = label_of(item), hint_of(item)
    if item.type == "date":
        earliest = min(recorded, EARLIEST) if isinstance(recorded, dt.date) else EARLIEST
        return Day(label=label, required=False, earliest=earliest, latest=LATEST, help_text=hint)
    if item.code_list and load_dictionary().list_is_established(item.code_list):
        codes = load_dictionary().codes(item.code_list, letter)
        made = FewCodes if len(codes) <= _MOST_RADIOS else Code
        field = made(item.name, label, help_text=hint)
        field.offer(letter, str(recorded or ""))
        return field
    made_of: Text = (
        Number(item, label, help_text=hint)
        if item.type == "int"
        else Text(
            label, item.max_length or 40, width=10, help_text=hint or "The code or text, as NDTMS gives it"
        )
    )
    made_of.recorded = str(recorded or "")
    return made_of


class ItemsForm(Form):
    """A form of data-set items. `recorded` is what is held by CSV header: dates as dates, everything else as text exactly as recorded."""

    heading = ""

    def __init__(
        self,
        data: Any = None,
        *,
        items: Sequence[Item],
        letter: str,
        recorded: Mapping[str, Any],
        heading: str = "",
        **kwargs: Any,
    ) -> None:
        self.heading = heading
        self.recorded = recorded
        self.items = tuple(items)
        initial = {i.name: recorded.get(i.name) for i in items} | kwargs.pop("initial", {})
        super().__init__(data, initial=initial, **kwargs)
        for item in items:
            self.fields[item.name] = item_field(item, letter, recorded.get(item.name))

    def values(self) -> dict[str, Any]:
        """What to save, by CSV header: '' or None is missing. What differs from the recorded by blanks around it is as it is recorded."""
        found: dict[str, Any] = {}
        for item in self.items:
            value, held = self.cleaned_data.get(item.name), self.recorded.get(item.name)
            if isinstance(held, str) and isinstance(value, str) and held.strip() == value.strip():
                value = held
            found[item.name] = value
        return found

    def typed(self) -> dict[str, Any]:
        """What stands in the boxes as far as it is sound, for rules that speak while one types; the rest counts as missing."""
        self.full_clean()
        return {
            item.name: self.cleaned_data.get(item.name, None if item.type == "date" else "")
            for item in self.items
        }

    def shown(self, name: str, value: Any) -> str:
        """A value in words."""
        if value in (None, ""):
            return NOT_RECORDED
        if isinstance(value, dt.date):
            return long_date(value)
        field = self.fields.get(name)
        return str(dict(field.choices).get(value, value)) if isinstance(field, Code) else str(value)
