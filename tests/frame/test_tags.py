"""The template tags of every page."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django import forms
from django.template import Context, Template, TemplateSyntaxError

from edatrs.core.dates import DateBoxes
from edatrs.core.templatetags import page


def drawn(source: str, **context: object) -> str:
    return Template("{% load page %}" + source).render(Context(context))


class EpisodeForm(forms.Form):
    email = forms.EmailField(label="E-mail address", help_text="Your work address")
    password = forms.CharField(label="Password", widget=forms.PasswordInput)
    code = forms.CharField(label="Code")
    born = DateBoxes(label="Date of birth")
    days = forms.IntegerField(label="Days used", min_value=0, max_value=28)
    kind = forms.ChoiceField(
        label="Kind", choices=[("a", "First"), ("b", "<Second>")], widget=forms.RadioSelect
    )
    seen = forms.MultipleChoiceField(label="Seen", choices=[("x", "X")], widget=forms.CheckboxSelectMultiple)
    agreed = forms.BooleanField(label="I have read it")
    drug = forms.ChoiceField(label="Substance", choices=[("", "Choose"), ("Opiates", [("1", "Heroin")])])
    note = forms.CharField(label="Note", widget=forms.Textarea)
    token = forms.CharField(widget=forms.HiddenInput, required=False)


EpisodeForm.base_fields["kind"].choice_hints = {"a": "The usual one"}  # type: ignore[attr-defined]


@pytest.fixture
def blank() -> EpisodeForm:
    return EpisodeForm()


@pytest.fixture
def wrong() -> EpisodeForm:
    form = EpisodeForm(
        {"email": "a@b", "born_day": "31", "born_month": "2", "born_year": "1985", "note": "</textarea><b>"}
    )
    form.add_error(None, "One of them is not right")
    return form


def test_every_error_of_the_summary_leads_to_a_box_and_repeats_the_words_of_the_field(
    wrong: EpisodeForm,
) -> None:
    fields = "".join(drawn("{% field f %}", f=bound) for bound in wrong)
    ids = set(re.findall(r'<(?:input|select|textarea)[^>]* id="([^"]+)"', fields))
    summary = drawn("{% error_summary form %}", form=wrong)
    links = re.findall(r'<a href="#([^"]+)">([^<]+)</a>', summary)
    assert len(links) == 10 and links[0] == ("id_email", "One of them is not right")
    assert {box for box, _words in links} <= ids
    assert ("id_born_day", "Date of birth: February 1985 has only 28 days") in links
    assert ("id_kind_0", "This field is required.") in links and (
        "id_seen_0",
        "This field is required.",
    ) in links
    for _box, words in links[1:]:
        assert re.search(rf"Error:</span> {re.escape(words)}", fields)
    assert 'tabindex="-1"' in summary and 'role="alert"' in summary


def test_no_summary_without_errors(blank: EpisodeForm) -> None:
    assert drawn("{% error_summary form %}", form=blank) == ""
    assert drawn("{% error_summary form %}", form=None) == ""


def test_label_hint_and_error_are_tied_to_the_box(wrong: EpisodeForm, blank: EpisodeForm) -> None:
    html = drawn("{% field form.email %}", form=wrong)
    assert '<label class="govuk-label govuk-label--s" for="id_email">E-mail address</label>' in html
    assert 'aria-describedby="id_email-hint id_email-error"' in html and 'aria-invalid="true"' in html
    assert 'id="id_email-hint">Your work address<' in html and 'id="id_email-error"' in html
    assert "govuk-input--error" in html and 'value="a@b"' in html
    html = drawn("{% field form.email %}", form=blank)
    assert 'aria-describedby="id_email-hint"' in html and "aria-invalid" not in html and "error" not in html


def test_only_the_wrong_box_of_a_date_is_marked(wrong: EpisodeForm) -> None:
    html = drawn("{% field form.born %}", form=wrong)
    boxes = {name: tag for tag, name in re.findall(r'(<input[^>]* name="born_(\w+)"[^>]*>)', html)}
    assert list(boxes) == ["day", "month", "year"]
    assert [name for name, tag in boxes.items() if 'aria-invalid="true"' in tag] == ["day"]
    assert all('inputmode="numeric"' in tag and "autocomplete" in tag for tag in boxes.values())
    assert 'value="31"' in boxes["day"] and "govuk-input--width-4" in boxes["year"]
    assert '<fieldset class="govuk-fieldset" role="group" aria-describedby="id_born-error">' in html


def test_kinds_of_boxes(blank: EpisodeForm) -> None:
    assert 'type="password"' in (html := drawn("{% field form.password %}", form=blank))
    assert 'autocomplete="current-password"' in html
    html = drawn('{% field form.code kind="code" %}', form=blank)
    assert (
        'autocomplete="one-time-code"' in html
        and 'inputmode="numeric"' in html
        and "govuk-input--width-5" in html
    )
    html = drawn("{% field form.days width=2 %}", form=blank)
    assert (
        'type="text"' in html
        and 'inputmode="numeric"' in html
        and "max=" not in html
        and 'autocomplete="off"' in html
    )
    html = drawn("{% field form.kind small=True inline=True %}", form=blank)
    assert (
        "govuk-radios--small govuk-radios--inline" in html
        and 'type="radio"' in html
        and "checked" not in html
    )
    assert '<legend class="govuk-fieldset__legend govuk-fieldset__legend--s">Kind</legend>' in html
    assert "The usual one" in html and "&lt;Second&gt;" in html
    assert (
        'type="checkbox"' in (html := drawn("{% field form.seen %}", form=blank))
        and "govuk-checkboxes__item" in html
    )
    html = drawn("{% field form.agreed %}", form=blank)
    assert html.count("I have read it") == 1 and 'for="id_agreed"' in html
    html = drawn("{% field form.drug %}", form=blank)
    assert '<optgroup label="Opiates">' in html and '<option value="" selected>Choose</option>' in html
    assert 'rows="3"' in drawn("{% field form.note rows=3 %}", form=blank)
    assert "Your work address" not in drawn('{% field form.email hint="" %}', form=blank)
    assert '<h1 class="govuk-label-wrapper">' in drawn(
        '{% field form.code size="l" heading=True %}', form=blank
    )


def test_a_password_is_never_sent_back() -> None:
    assert "hunter2" not in drawn("{% field form.password %}", form=EpisodeForm({"password": "hunter2"}))


def test_what_was_typed_is_escaped(wrong: EpisodeForm) -> None:
    html = drawn("{% field form.note %}", form=wrong)
    assert "&lt;/textarea&gt;&lt;b&gt;" in html and html.count("</textarea>") == 1


def test_values_are_carried_along_unseen(wrong: EpisodeForm) -> None:
    html = drawn(
        "{% field form.born hidden=True %}{% field form.email hidden=True %}{% field form.token %}",
        form=wrong,
    )
    assert re.findall(r'name="(\w+)" value="([^"]*)"', html) == [
        ("born_day", "31"),
        ("born_month", "2"),
        ("born_year", "1985"),
        ("email", "a@b"),
        ("token", ""),
    ]
    assert html.count('type="hidden"') == 5


def test_an_unknown_option_is_an_error(blank: EpisodeForm) -> None:
    with pytest.raises(TemplateSyntaxError):
        drawn("{% field form.code widht=2 %}", form=blank)
    with pytest.raises(TemplateSyntaxError):
        drawn('{% button "Save" class="x" %}')


def test_buttons() -> None:
    html = drawn('{% button "Save" %}')
    assert html.startswith('<button type="submit"') and 'class="govuk-button"' in html
    html = drawn(
        '{% button "Fix" kind="secondary" name="row" value=7 more=who %}', who="for DUNSTER, <Wayne>"
    )
    assert (
        'name="row" value="7"' in html
        and "govuk-button--secondary" in html
        and "for DUNSTER, &lt;Wayne&gt;" in html
    )
    html = drawn('{% button "Open" href=url %}', url="/x?a=1&b=2")
    assert html.startswith('<a href="/x?a=1&amp;b=2" role="button"')


def test_badges_are_of_seven_kinds() -> None:
    assert drawn('{% badge "ok" "Loaded" %}') == '<strong class="govuk-tag app-ok">Loaded</strong>'
    assert "&lt;b&gt;" in drawn('{% badge "none" words %}', words="<b>")
    assert len(page.BADGES) == 7
    with pytest.raises(ValueError, match="badge"):
        drawn('{% badge "green" "Loaded" %}')


@pytest.mark.parametrize(
    ("instant", "words"),
    [
        (dt.datetime(2026, 11, 23, 16, 40, tzinfo=dt.UTC), "Mon 23 Nov 2026, 16:40 GMT"),
        (dt.datetime(2026, 7, 1, 23, 30, tzinfo=dt.UTC), "Thu 2 Jul 2026, 00:30 BST"),
        (dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC), "Sun 25 Oct 2026, 01:30 BST"),
        (dt.datetime(2026, 10, 25, 1, 30, tzinfo=dt.UTC), "Sun 25 Oct 2026, 01:30 GMT"),
    ],
)
def test_instants_are_told_in_london(instant: dt.datetime, words: str) -> None:
    html = drawn("{% when at %}", at=instant)
    assert f">{words}</time>" in html
    assert dt.datetime.fromisoformat(re.findall(r'datetime="([^"]+)"', html)[0]) == instant


def test_an_instant_without_a_zone_is_an_error_and_none_is_said() -> None:
    with pytest.raises(ValueError, match="time zone"):
        drawn("{% when at %}", at=dt.datetime(2026, 11, 23, 16, 40))
    assert drawn('{% when at "Not yet" %}', at=None) == "Not yet"
    assert drawn('{% day at "Not known" %}', at=None) == "Not known"
    assert drawn("{% day at %}", at=dt.date(2026, 1, 5)) == '<time datetime="2026-01-05">5 Jan 2026</time>'


def test_numbers_and_their_nouns() -> None:
    assert drawn("{% number n %}", n=1234567) == "1,234,567"
    assert drawn('{% number n "–" %}', n=None) == "–"
    assert (
        drawn('{% count 1 "episode" %}, {% count n "person" "people" %}', n=1044) == "1 episode, 1,044 people"
    )


def test_messages_become_alerts() -> None:
    assert [page.alert_kind(tags) for tags in ("info", "extra success", "error", "")] == [
        "information",
        "success",
        "error",
        "information",
    ]
