"""A form of a page, filled in by somebody who changes everything: new words, one choice each, dates of today."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

Pairs = list[tuple[str, str]]
# Further boxes of a question of an outcome form: the weeks beside the total, and "not answered".
_OTHER_WAYS = ("_w4", "_w3", "_w2", "_w1", "_na")


@dataclass
class Control:
    """A box of a form."""

    name: str
    kind: str
    value: str = ""
    numeric: bool = False
    checked: bool = False
    short: bool = False
    options: list[tuple[str, bool]] = field(default_factory=list)


@dataclass
class PageForm:
    """A form of a page: where it is sent, and its boxes in order."""

    action: str
    method: str
    controls: list[Control] = field(default_factory=list)

    @property
    def asked(self) -> list[Control]:
        """The boxes that a person sees, one a question: radios and checkboxes of one name count once, and so do the boxes of a date."""
        seen: dict[str, Control] = {}
        for control in self.controls:
            if control.kind not in ("hidden", "submit"):
                name = control.name
                for part in ("_day", "_month", "_year"):
                    name = name.removesuffix(part)
                seen.setdefault(name, control)
        return list(seen.values())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[PageForm] = []
        self._select: Control | None = None
        self._area: Control | None = None
        self._in = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(PageForm(given.get("action", ""), given.get("method", "get").lower()))
            self._in = True
        if not self._in:
            return
        here = self.forms[-1].controls
        if tag == "input" and given.get("name"):
            kind = given.get("type", "text")
            here.append(
                Control(
                    given["name"],
                    "submit" if kind == "image" else kind,
                    given.get("value", ""),
                    given.get("inputmode") == "numeric",
                    "checked" in given,
                    any(f"width-{n}" in given.get("class", "").split("--") for n in (2, 3, 4, 5)),
                )
            )
        elif tag == "button" and given.get("name"):
            here.append(Control(given["name"], "submit", given.get("value", "")))
        elif tag == "select" and given.get("name"):
            self._select = Control(given["name"], "select")
            here.append(self._select)
        elif tag == "option" and self._select is not None:
            self._select.options.append((given.get("value", ""), "selected" in given))
        elif tag == "textarea" and given.get("name"):
            self._area = Control(given["name"], "textarea")
            here.append(self._area)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._in = False
        elif tag == "select":
            self._select = None
        elif tag == "textarea" and self._area is not None:
            self._area.value = self._area.value.removeprefix("\n")
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._area.value += data


def forms_of(page: str) -> list[PageForm]:
    """Every form of a page."""
    reader = _Reader()
    reader.feed(page)
    return reader.forms


def form_for(page: str, path: str) -> PageForm | None:
    """The form of the page itself that is sent to its own address: the one with the most boxes."""
    mine = [
        form
        for form in forms_of(page)
        if form.method == "post"
        and (urlsplit(form.action).path or path) == path
        and "_draft" not in _only(form)
    ]
    return max(mine, key=lambda form: len(form.controls), default=None)


def _only(form: PageForm) -> set[str]:
    """The names of a form without any question: one button, as the one that throws a draft away."""
    return set() if form.asked else {control.name for control in form.controls}


def filled(form: PageForm, word: str = "Changed") -> Pairs:
    """What is sent when everything is changed that can be: a word for every text, 1 for every number, today, one choice each."""
    today = dt.date.today()  # noqa: TID251  # typed by a person
    dates = {"_day": str(today.day), "_month": str(today.month), "_year": str(today.year)}
    pairs: Pairs = []
    chosen: set[str] = set()
    last = {c.name: c for c in form.controls if c.kind == "radio"}
    ticked = {c.name for c in form.controls if c.kind == "radio" and c.checked}
    pressed = False
    for control in form.controls:
        part = next((p for p in dates if control.name.endswith(p)), "")
        if control.kind == "hidden":
            pairs.append((control.name, control.value))
        elif control.kind == "radio":
            take = (
                control.checked
                if control.name in ticked
                else last[control.name] is control or control.value == "Y"
            )
            if take and control.name not in chosen:
                pairs.append((control.name, control.value))
                chosen.add(control.name)
        elif control.name.endswith(_OTHER_WAYS):
            continue  # the same question is answered in another box
        elif control.kind == "checkbox":
            pairs.append((control.name, control.value or "on"))
        elif control.kind == "select":
            kept = [value for value, selected in control.options if selected and value]
            others = [value for value, _ in control.options if value]
            pairs += [(control.name, value) for value in (kept or others)[:1]]
        elif control.kind == "submit":
            if not pressed and control.name != "_draft":
                pairs.append((control.name, control.value))
                pressed = True
        elif control.kind != "file":
            text = (
                dates[part] if part and control.numeric else "1" if control.numeric or control.short else word
            )
            pairs.append((control.name, control.value or text if control.numeric else text))
    return pairs
