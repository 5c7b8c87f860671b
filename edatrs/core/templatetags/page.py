"""Template tags of every page: form fields with their errors, buttons, badges, dates and numbers. `{% load page %}`."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms, template
from django.forms.boundfield import BoundField
from django.forms.utils import flatatt
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from edatrs.core.clock import LONDON
from edatrs.core.dates import MONTHS, DateBoxesWidget

register = template.Library()

BADGES = ("now", "late", "soon", "info", "guard", "ok", "none")
BUTTONS = {"main": "", "secondary": "govuk-button--secondary", "warning": "govuk-button--warning"}
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ALERTS = ("information", "success", "warning", "error")
# Django's levels of messages in the Ministry's words.
LEVELS = {
    "debug": "information",
    "info": "information",
    "success": "success",
    "warning": "warning",
    "error": "error",
}
_CHOICES = (forms.RadioSelect, forms.CheckboxSelectMultiple)
_OPTIONS = frozenset(
    {
        "kind",
        "width",
        "size",
        "heading",
        "inline",
        "small",
        "rows",
        "autocomplete",
        "inputmode",
        "hidden",
        "hint",
        "label",
    }
)


# ---- forms ------------------------------------------------------------------------------------------------------


def first_box(bound: BoundField) -> str:
    """The id of the box that an error of this field leads to: the first wrong one, of a date; else the first."""
    widget, id_ = bound.field.widget, _id(bound)
    if isinstance(widget, DateBoxesWidget):
        wrong = _wrong_boxes(bound)
        return f"{id_}_{wrong[0]}" if wrong else widget.id_for_label(id_)
    if isinstance(widget, _CHOICES):
        return widget.id_for_label(id_, index="0")
    return id_


def _id(bound: BoundField) -> str:
    return str(bound.field.widget.attrs.get("id") or bound.auto_id or bound.html_name)


def _wrong_boxes(bound: BoundField) -> list[str]:
    """Which boxes of a date are wrong; all, where an error does not say."""
    wrong: set[str] = set()
    for error in bound.errors.as_data():
        wrong |= set((error.params or {}).get("boxes", ("day", "month", "year")))
    return [key for key in ("day", "month", "year") if key in wrong]


@register.simple_tag
def error_summary(*given: Any, title: str = "There is a problem") -> str:
    """All problems of the forms, in the words of the fields, each leading to its box. Nothing without errors."""
    lines: list[dict[str, str]] = []
    for form in given:
        if not form or not getattr(form, "errors", None):
            continue
        seen = [bound for bound in form if not bound.is_hidden]
        start = first_box(seen[0]) if seen else ""
        lines += [{"box": start, "words": str(words)} for words in form.non_field_errors()]
        for bound in form:
            box = "" if bound.is_hidden else first_box(bound)
            lines += [{"box": box, "words": str(words)} for words in bound.errors]
    return (
        render_to_string("components/error_summary.html", {"lines": lines, "title": title}) if lines else ""
    )


@register.simple_tag
def field(bound: BoundField, **options: Any) -> str:
    """A form field: label, hint, error and its box or boxes, tied together for assistive technology.

    Options: `width` (characters 2 3 4 5 10 20 30), `size` of the label (s m l, or "plain"), `heading=True` where the
    label is the page's h1, `inline=True` and `small=True` for choices, `rows`, `autocomplete`, `inputmode`, `hint`,
    `label`, `kind="code"` for a one-time code, `hidden=True` to carry the value along unseen.
    """
    unknown = set(options) - _OPTIONS
    if unknown:
        raise template.TemplateSyntaxError(f"field: unknown option {', '.join(sorted(unknown))}")
    widget = bound.field.widget
    if options.get("hidden") or bound.is_hidden:
        return _hidden(bound)
    id_, label = _id(bound), str(options.get("label") or bound.label)
    hint = options.get("hint", bound.help_text)
    errors = [str(words) for words in bound.errors]
    described = [f"{id_}-hint"] if hint else []
    described += [f"{id_}-error"] if errors else []
    context: dict[str, Any] = {
        "id": id_,
        "for": first_box(bound),
        "label": label,
        "size": options.get("size", "s"),
        "heading": bool(options.get("heading")),
        "hint": hint,
        "errors": errors,
        "inline": bool(options.get("inline")),
        "small": bool(options.get("small")),
        "described": " ".join(described),
    }
    part = _part(widget)
    getattr(_Parts, part)(context, bound, options)
    context["part"] = f"components/field_{part}.html"
    return render_to_string("components/field.html", context)


def _part(widget: Any) -> str:
    if isinstance(widget, DateBoxesWidget):
        return "date"
    if isinstance(widget, _CHOICES):
        return "choices"
    if isinstance(widget, forms.Select):
        return "select"
    if isinstance(widget, forms.CheckboxInput):
        return "checkbox"
    if isinstance(widget, forms.Textarea):
        return "textarea"
    if isinstance(widget, forms.FileInput):
        return "file"
    return "text"


def _hidden(bound: BoundField) -> SafeString:
    """The value as hidden inputs, for a question in between; the three texts of a date stay three."""
    widget, value = bound.field.widget, bound.value()
    if isinstance(widget, DateBoxesWidget):
        pairs = [(box["name"], box["value"]) for box in widget.boxes(bound.html_name, value, _id(bound))]
    else:
        given = widget.format_value(value)
        texts = given if isinstance(given, list | tuple) else [given]  # widgets with choices give a list
        pairs = [(bound.html_name, "" if text is None else str(text)) for text in texts]
    return SafeString(
        "".join(format_html('<input type="hidden" name="{}" value="{}">', *pair) for pair in pairs)
    )


class _Parts:
    """What each kind of box needs beside the frame of a field."""

    @staticmethod
    def attributes(
        context: dict[str, Any], bound: BoundField, options: dict[str, Any], base: str
    ) -> dict[str, Any]:
        """The attributes of a single box: what the form declared, and what ties it to hint and error."""
        declared = {
            k: v
            for k, v in bound.field.widget.attrs.items()
            if k not in ("class", "aria-invalid", "aria-describedby")
        }
        classes = [base, str(bound.field.widget.attrs.get("class", ""))]
        classes += [f"{base}--error"] if context["errors"] else []
        attributes = {**declared, "id": context["id"], "name": bound.html_name}
        for name in ("autocomplete", "inputmode", "rows"):
            if options.get(name):
                attributes[name] = options[name]
        if options.get("width"):
            classes.append(f"govuk-input--width-{options['width']}")
        if context["described"]:
            attributes["aria-describedby"] = context["described"]
        if context["errors"]:
            attributes["aria-invalid"] = "true"
        if bound.field.disabled:
            attributes["disabled"] = True
        return {**attributes, "class": " ".join(c for c in classes if c)}

    @classmethod
    def text(cls, context: dict[str, Any], bound: BoundField, options: dict[str, Any]) -> None:
        widget: Any = bound.field.widget
        inner = widget.get_context(bound.html_name, bound.value(), {})["widget"]
        kind = str(inner.get("type") or "text")
        defaults: dict[str, Any] = {
            "autocomplete": "off"
        }  # what is known of a client is not kept by the browser
        if kind == "number":
            kind = "text"  # no arrows, and nothing typed is swallowed
            whole = not isinstance(bound.field, forms.FloatField | forms.DecimalField)
            defaults["inputmode"] = "numeric" if whole else "decimal"
        elif kind == "password":
            defaults = {"autocomplete": "current-password", "spellcheck": "false", "autocapitalize": "none"}
        elif kind == "email":
            defaults.update({"spellcheck": "false", "autocapitalize": "none"})
        elif kind not in ("text", "tel", "search"):
            kind = "text"
        if options.get("kind") == "code":
            defaults = {"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}
            options = {"width": 5, **options}
        given = cls.attributes(context, bound, options, "govuk-input")
        if options.get("kind") == "code":
            given["class"] += " govuk-input--extra-letter-spacing"
        for name in ("min", "max", "step"):
            given.pop(name, None)
        attributes = {**defaults, **given, "type": kind}
        if inner.get("value") is not None:
            attributes["value"] = inner["value"]
        context["attributes"] = flatatt(attributes)

    @classmethod
    def textarea(cls, context: dict[str, Any], bound: BoundField, options: dict[str, Any]) -> None:
        given = cls.attributes(context, bound, options, "govuk-textarea")
        given.pop("cols", None)
        context["attributes"] = flatatt({"rows": 5, "autocomplete": "off", **given})
        context["value"] = bound.field.widget.format_value(bound.value()) or ""

    @classmethod
    def file(cls, context: dict[str, Any], bound: BoundField, options: dict[str, Any]) -> None:
        given = cls.attributes(context, bound, options, "govuk-file-upload")
        context["attributes"] = flatatt({**given, "type": "file"})

    @classmethod
    def select(cls, context: dict[str, Any], bound: BoundField, options: dict[str, Any]) -> None:
        widget: Any = bound.field.widget
        given = cls.attributes(context, bound, options, "govuk-select")
        if widget.allow_multiple_selected:
            given["multiple"] = True
        context["attributes"] = flatatt(given)
        groups = widget.get_context(bound.html_name, bound.value(), {})["widget"]["optgroups"]
        context["groups"] = [{"label": label, "options": choices} for label, choices, _index in groups]

    @classmethod
    def choices(cls, context: dict[str, Any], bound: BoundField, options: dict[str, Any]) -> None:
        """Radios or checkboxes. The form field may carry `choice_hints`, a dictionary from value to words."""
        widget: Any = bound.field.widget
        kind = "checkboxes" if isinstance(widget, forms.CheckboxSelectMultiple) else "radios"
        hints = getattr(bound.field, "choice_hints", {})
        groups = widget.get_context(bound.html_name, bound.value(), {"id": context["id"]})["widget"][
            "optgroups"
        ]
        items = []
        for _label, choices, _index in groups:
            for choice in choices:
                id_ = choice["attrs"]["id"]
                words = hints.get(choice["value"]) or hints.get(str(choice["value"])) or ""
                attributes = {
                    "class": f"govuk-{kind}__input",
                    "id": id_,
                    "name": choice["name"],
                    "type": "radio" if kind == "radios" else "checkbox",
                    "value": str(choice["value"]),
                }
                if choice["selected"]:
                    attributes["checked"] = True
                if words:
                    attributes["aria-describedby"] = f"{id_}-hint"
                if bound.field.disabled:
                    attributes["disabled"] = True
                items.append(
                    {"id": id_, "label": choice["label"], "hint": words, "attributes": flatatt(attributes)}
                )
        context.update({"kind": kind, "items": items, "group": True})

    @classmethod
    def checkbox(cls, context: dict[str, Any], bound: BoundField, options: dict[str, Any]) -> None:
        given = cls.attributes(context, bound, options, "govuk-checkboxes__input")
        given["class"] = "govuk-checkboxes__input"
        if bound.field.widget.check_test(bound.value()):
            given["checked"] = True
        context.update({"attributes": flatatt({**given, "type": "checkbox"}), "own_label": True})

    @classmethod
    def date(cls, context: dict[str, Any], bound: BoundField, options: dict[str, Any]) -> None:
        widget: Any = bound.field.widget
        wrong = _wrong_boxes(bound)
        boxes = []
        for box in widget.boxes(bound.html_name, bound.value(), context["id"]):
            classes = f"govuk-input govuk-date-input__input govuk-input--width-{box['width']}"
            attributes = {"id": box["id"], "name": box["name"], "type": "text", "inputmode": "numeric"}
            attributes["autocomplete"] = str(options.get("autocomplete") or "off")
            if box["key"] in wrong:
                classes += " govuk-input--error"
                attributes["aria-invalid"] = "true"
                attributes["aria-describedby"] = f"{context['id']}-error"
            if bound.field.disabled:
                attributes["disabled"] = True
            attributes["class"] = classes
            if box["value"]:
                attributes["value"] = box["value"]
            boxes.append({**box, "attributes": flatatt(attributes)})
        context.update({"boxes": boxes, "group": True})


@register.simple_tag
def button(words: str, kind: str = "main", **options: Any) -> SafeString:
    """A button that sends its form, or with `href` a link that looks like one.

    Options: `name`, `value`, `formaction`, `href`, `id`, `more` (hidden words that say which, for buttons in rows).
    """
    classes = " ".join(c for c in ("govuk-button", BUTTONS[kind]) if c)
    more = options.pop("more", "")
    inside = format_html('{} <span class="govuk-visually-hidden">{}</span>', words, more) if more else words
    unknown = set(options) - {"name", "value", "formaction", "href", "id"}
    if unknown:
        raise template.TemplateSyntaxError(f"button: unknown option {', '.join(sorted(unknown))}")
    rest = flatatt({k: v for k, v in options.items() if v not in (None, "")})
    if options.get("href"):
        return format_html(
            '<a{} role="button" draggable="false" class="{}" data-module="govuk-button">{}</a>',
            rest,
            classes,
            inside,
        )
    return format_html(
        '<button type="submit"{} class="{}" data-module="govuk-button" data-prevent-double-click="true">{}</button>',
        rest,
        classes,
        inside,
    )


@register.simple_tag(takes_context=True)
def drafted(context: Any) -> SafeString | str:
    """What a form's tag needs to keep what is typed as a draft; nothing on a page that keeps none.

    A browser must not fill in old choices again when somebody comes back: what comes back is the draft.
    """
    draft = context.get("draft")
    return format_html(' autocomplete="off" data-app-draft="{}"', draft["address"]) if draft else ""


# ---- words, dates, numbers --------------------------------------------------------------------------------------


@register.simple_tag
def badge(kind: str, words: Any) -> SafeString:
    """One of the seven badges; the words carry the meaning. Raises ValueError on another kind."""
    if kind not in BADGES:
        raise ValueError(f"badge: {kind!r} is none of {', '.join(BADGES)}")
    return format_html('<strong class="govuk-tag app-{}">{}</strong>', kind, words)


@register.filter
def alert_kind(tags: str) -> str:
    """The Ministry's kind of alert for a message's tags."""
    return next((LEVELS[tag] for tag in str(tags).split() if tag in LEVELS), "information")


@register.simple_tag
def when(instant: dt.datetime | None, absent: str = "") -> SafeString | str:
    """An instant in London: Mon 23 Nov 2026, 16:40 GMT. `absent` is said for none. Raises ValueError on a naive one."""
    if instant is None:
        return absent
    if instant.tzinfo is None:
        raise ValueError("when: the instant has no time zone")
    local = instant.astimezone(LONDON)
    words = f"{DAYS[local.weekday()]} {short_date(local)}, {local:%H:%M} {local.tzname()}"
    return format_html('<time datetime="{}">{}</time>', local.isoformat(timespec="minutes"), words)


@register.simple_tag
def day(date: dt.date | None, absent: str = "") -> SafeString | str:
    """A date: 23 Nov 2026. `absent` is said for none."""
    if date is None:
        return absent
    return format_html('<time datetime="{}">{}</time>', f"{date:%Y-%m-%d}", short_date(date))


def short_date(date: dt.date) -> str:
    """23 Nov 2026, whatever the language of the machine."""
    return f"{date.day} {MONTHS[date.month - 1][:3]} {date.year}"


@register.simple_tag
def number(value: int | float | None, absent: str = "") -> str:
    """1,234. `absent` is said for none."""
    return absent if value is None else f"{value:,}"


@register.simple_tag
def count(value: int | None, one: str, many: str = "", absent: str = "") -> str:
    """A number with its noun: 1 episode, 1,234 episodes. `many` is the noun with an s where it is not given."""
    if value is None:
        return absent
    return f"{value:,} {one if value == 1 else many or one + 's'}"
