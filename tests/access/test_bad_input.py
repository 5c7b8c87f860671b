"""Bad input into every form of an organisation's pages: words that say what to do, what was typed stays, nothing is half written.

Every form is found by its page, filled in, and sent with one kind of badness at a time. No form may answer with a failure; one that is
refused shows what was typed again and writes nothing; one that is taken has taken exactly what was typed.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from django.db import transaction

from tests.access.filling import Control, PageForm, Pairs, filled, form_for
from tests.access.tables import Line
from tests.access.test_two_tabs import path_of, posts, role_of, rows, send_and_read
from tests.access.world import World, make_world

pytestmark = pytest.mark.django_db
RIGHT_TO_LEFT = "عبد الرحمن \u202eabc\u202c 🧑🏽‍⚕️ Zoë"
LONG = "ä" * 10_000
MARKUP = "<script>alert(1)</script>&quot;'\""
_TEXTS = ("text", "tel", "email", "search", "textarea")


def texts(form: PageForm) -> set[str]:
    """The boxes for words; not those of dates and numbers."""
    return {c.name for c in form.controls if c.kind in _TEXTS and not c.numeric}


def _with(value: str) -> Callable[[PageForm, Pairs], Pairs]:
    def change(form: PageForm, pairs: Pairs) -> Pairs:
        return [(name, value if name in texts(form) else old) for name, old in pairs]

    return change


def impossible_dates(form: PageForm, pairs: Pairs) -> Pairs:
    """31 February 20x6, in every date."""
    bad = {"_day": "31", "_month": "2", "_year": "20x6"}
    return [
        (name, next((text for part, text in bad.items() if name.endswith(part)), old)) for name, old in pairs
    ]


def no_numbers(form: PageForm, pairs: Pairs) -> Pairs:
    """Words and Arabic digits where a number is asked."""
    numeric = {
        c.name for c in form.controls if c.numeric and not c.name.endswith(("_day", "_month", "_year"))
    }
    return [(name, "٣ or 4" if name in numeric else old) for name, old in pairs]


def codes_outside(form: PageForm, pairs: Pairs) -> Pairs:
    """A code that no list has."""
    lists: set[str] = {c.name for c in form.controls if c.kind in ("select", "radio")}
    return [(name, "no-such-code" if name in lists else old) for name, old in pairs]


def null_bytes(form: PageForm, pairs: Pairs) -> Pairs:
    """What PostgreSQL cannot hold, in every box that a person fills in."""
    return [(name, old + "\x00" if name in texts(form) else old) for name, old in pairs]


BADNESS: dict[str, Callable[[PageForm, Pairs], Pairs]] = {
    "nothing": lambda form, pairs: [p for p in pairs if _hidden(form, p[0])],
    "10,000 characters": _with(LONG),
    "right to left and emoji": _with(RIGHT_TO_LEFT),
    "markup": _with(MARKUP),
    "impossible dates": impossible_dates,
    "no numbers": no_numbers,
    "codes outside their list": codes_outside,
    "null bytes": null_bytes,
}


def _hidden(form: PageForm, name: str) -> bool:
    return any(c.name == name and c.kind == "hidden" for c in form.controls)


@dataclass
class Found:
    """What was asked and what was wrong."""

    asked: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)


def ask(world: World, line: Line, kind: str, found: Found) -> None:
    """One form, one kind of badness."""
    who = role_of(line)
    browser, path = world.browser(who), path_of(line, world.own, who)
    shown = browser.get(path)
    form = form_for(shown.content.decode(), path) if shown.status_code == 200 else None
    if form is None:
        return
    pairs = BADNESS[kind](form, filled(form))
    if kind != "nothing" and pairs == filled(form):
        return
    with transaction.atomic():
        before = rows(world)
        status, page = send_and_read(browser, path, pairs)
        found.asked += 1
        changed = rows(world) != before
        transaction.set_rollback(True)
    if status not in (200, 302, 303, 400, 404, 409, 413, 422):
        found.wrong.append(f"{line.route}, {kind}: answers {status}")
    if status in (200, 409, 422):
        found.refused += 1
        if changed:
            found.wrong.append(f"{line.route}, {kind}: {status} and something was written")
        if status == 422 and "govuk-error-summary" not in page:
            found.wrong.append(f"{line.route}, {kind}: refused without a summary of what is wrong")
        lost = [
            name for name, value in pairs if name in texts(form) and value not in ("", *_shown(page, value))
        ]
        if status == 422 and kind in ("10,000 characters", "right to left and emoji", "markup") and lost:
            found.wrong.append(f"{line.route}, {kind}: what was typed is lost from {lost[:4]}")
    if MARKUP in page:
        found.wrong.append(f"{line.route}, {kind}: markup comes back as markup")


def _shown(page: str, value: str) -> list[str]:
    """The value, where the page shows it."""
    return [value] if html.escape(value) in page or html.escape(value.strip()) in page else []


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.mark.parametrize("kind", BADNESS)
def test_every_form_takes_bad_input_with_words(kind: str, world: World) -> None:
    found = Found()
    for line in posts():
        ask(world, line, kind, found)
    print(f"{kind}: {found.asked} forms sent, {found.refused} refused, {len(found.wrong)} wrong")
    assert found.wrong == [], "\n".join(found.wrong)
    assert found.asked >= (3 if kind == "no numbers" else 10)


def test_a_form_sent_twice_does_it_once(world: World) -> None:
    """The second time is taken as the first, or refused; it adds no row."""
    wrong, asked = [], 0
    for line in posts():
        who = role_of(line)
        browser, path = world.browser(who), path_of(line, world.own, who)
        shown = browser.get(path)
        form = form_for(shown.content.decode(), path) if shown.status_code == 200 else None
        if form is None:
            continue
        with transaction.atomic():
            before = rows(world)
            first, _ = send_and_read(browser, path, filled(form))
            once = rows(world)
            if once != before:
                asked += 1
                second, _ = send_and_read(browser, path, filled(form))
                if rows(world) != once and line.route not in TWICE_IS_MEANT:
                    wrong.append(f"{line.route}: wrote again ({first}, then {second})")
                if second >= 500:
                    wrong.append(f"{line.route}: {second} the second time")
            transaction.set_rollback(True)
    print(f"{asked} forms sent twice, {len(wrong)} wrong")
    assert wrong == [], "\n".join(wrong)
    assert asked >= 8


# Where the same form again is another act, and why.
TWICE_IS_MEANT: dict[str, str] = {}


def test_the_filler_sees_what_a_form_asks() -> None:
    """A page with a bit of everything, so that the tests above are not blind."""
    page = (
        '<form method="post"><input type="hidden" name="h" value="1"><input name="t" value="a">'
        '<input name="d_day" inputmode="numeric"><input name="d_month" inputmode="numeric"><input name="d_year" inputmode="numeric">'
        '<input type="radio" name="r" value="Y"><input type="radio" name="r" value="N"><select name="s"><option value="">-</option>'
        '<option value="x">X</option></select><textarea name="a">\nold</textarea><button name="go" value="1">Go</button></form>'
    )
    form = form_for(page, "/x/")
    assert form is not None
    assert [control.name for control in form.asked] == ["t", "d_day", "r", "s", "a"]
    sent = dict(filled(form, "New"))
    assert (sent["h"], sent["t"], sent["r"], sent["s"], sent["a"], sent["go"]) == (
        "1",
        "New",
        "Y",
        "x",
        "New",
        "1",
    )
    assert sent["d_year"].startswith("20") and isinstance(form.controls[0], Control)
