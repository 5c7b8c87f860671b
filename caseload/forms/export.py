"""Taking a list out as a file: which list, which columns, what for, until when. Shape only; the service says what may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from caseload import export_columns
from caseload.choices import Category, ExportPurpose, LawfulGround
from caseload.models.export import LONGEST_DAYS
from caseload.selectors_export import Narrowed, keyworkers
from caseload.selectors_work import CONSENTS, STATES, SUBSTANCES, service_choices
from caseload.services.list_exports import HOURS
from edatrs.core.forms import Form

LONGEST_REASON = 500
STAYS, LEAVES = "stays", "leaves"
_COLUMNS = "columns_"
_WHO = f"{_COLUMNS}who"
_ANY = "Choose from the list"


class Reason(forms.CharField):
    """Why, in words. Too long a text is refused with how long it is, and stays in the box."""

    def __init__(self, label: str, *, help_text: str = "", required: bool = True, words: str = "") -> None:
        super().__init__(
            label=label,
            help_text=help_text,
            required=required,
            widget=forms.Textarea(attrs={"rows": 3}),
            max_length=LONGEST_REASON,
            error_messages={
                "required": words,
                "max_length": f"Write {LONGEST_REASON} characters or fewer. There are %(show_value)s",
            },
        )

    def widget_attrs(self, widget: Any) -> dict[str, Any]:
        """Without Django's maxlength."""
        return {}


def _boxes(label: str, choices: Sequence[tuple[str, str]], help_text: str = "") -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label,
        help_text=help_text,
        choices=choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _ANY},
    )


class ExportForm(Form):
    """Which list, with which columns, why and until when. Only what the roles may take out is offered."""

    purpose = forms.ChoiceField(
        label="What is it for?",
        choices=ExportPurpose.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what it is for", "invalid_choice": "Choose what it is for"},
    )
    reason = Reason(
        "Why do you need it?",
        help_text="In a sentence. The governance officer reads it. No names of clients.",
        words="Say why you need the list",
    )
    hours = forms.TypedChoiceField(
        label="How long do you need it?",
        help_text="After that the file cannot be downloaded again.",
        choices=[
            (1, "1 hour"),
            (HOURS, "24 hours"),
            (72, "3 days"),
            (LONGEST_DAYS * 24, f"{LONGEST_DAYS} days"),
        ],
        coerce=int,
        initial=HOURS,
        error_messages={
            "required": "Choose how long you need it",
            "invalid_choice": "Choose how long you need it",
        },
    )
    leaves = forms.ChoiceField(
        label="Does it leave your organisation?",
        choices=[(STAYS, "No, it stays here"), (LEAVES, "Yes, I give it to somebody outside")],
        widget=forms.RadioSelect,
        initial=STAYS,
        error_messages={"required": "Say whether it leaves your organisation", "invalid_choice": _ANY},
    )
    recipient = forms.CharField(
        label="Who gets it?", required=False, max_length=200, help_text="If it leaves your organisation"
    )
    lawful_ground = forms.ChoiceField(
        label="On which lawful ground?",
        help_text="If it leaves your organisation. It is logged as a disclosure of each client in the list.",
        required=False,
        choices=[("", "Choose a ground"), *LawfulGround.choices],
        error_messages={"invalid_choice": _ANY},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["recipient"].widget.attrs.pop("maxlength", None)
        narrowing: dict[str, forms.Field] = {"service": _boxes("Service", list(service_choices().items()))}
        if export_columns.reaches_clients():
            people = [("", "Anybody"), *((str(person.pk), person.full_name) for person in keyworkers())]
            narrowing |= {
                "keyworker": forms.ChoiceField(
                    label="Keyworker", choices=people, required=False, error_messages={"invalid_choice": _ANY}
                ),
                "state": _boxes("Latest episode", list(STATES.items())),
                "consent": _boxes("Consent to NDTMS", list(CONSENTS.items())),
                "substance": _boxes("Substance", list(SUBSTANCES.items())),
            }
        else:
            for name in ("leaves", "recipient", "lawful_ground"):
                del self.fields[name]
        self.columns = _column_fields()
        reason = {}
        if _WHO in self.columns:
            reason["names_reason"] = Reason(
                "Why does it not do without names?", required=False, help_text="If you ticked any of these"
            )
        self.fields = {**narrowing, **self.columns, **reason, **self.fields}
        self.narrowing = list(narrowing)

    def column_boxes(self) -> list[Any]:
        """For the template: the columns by category, those that say who somebody is apart."""
        return [self[name] for name in self.columns if name != _WHO]

    def who_boxes(self) -> Any:
        """For the template: what says directly who somebody is, where the roles may have any of it."""
        return self[_WHO] if _WHO in self.columns else None

    def narrowing_boxes(self) -> list[Any]:
        """For the template: what narrows the list."""
        return [self[name] for name in self.narrowing]

    def asked(self) -> Narrowed:
        """Which list."""
        data = self.cleaned_data
        return Narrowed(
            services=tuple(data["service"]),
            keyworker=data.get("keyworker", ""),
            states=tuple(data.get("state", ())),
            substances=tuple(data.get("substance", ())),
            consents=tuple(data.get("consent", ())),
        )

    def wish(self) -> dict[str, Any]:
        """What the service is asked, beside which list."""
        data = self.cleaned_data
        leaves = data.get("leaves") == LEAVES
        return {
            "columns": [key for name in self.columns for key in data.get(name, ())],
            "names": bool(data.get(_WHO)),
            "names_reason": data.get("names_reason", ""),
            "purpose": data["purpose"],
            "reason": data["reason"],
            "hours": data["hours"],
            "leaves": leaves,
            "recipient": data.get("recipient", ""),
            "lawful_ground": data.get("lawful_ground", ""),
        }

    def refuse(self, field: str | None, words: str) -> None:
        """What the service said, at the box that it is about."""
        if field == "columns":
            field = next(iter(self.columns))
        self.add_error(field if field in self.fields else None, words)

    def clean(self) -> dict[str, Any]:
        """Names need a reason of their own; what leaves needs who gets it and a ground."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get(_WHO) and not data.get("names_reason") and "names_reason" not in self.errors:
            self.add_error("names_reason", "Say why it does not do without names")
        if data.get("leaves") == LEAVES:
            if not data.get("recipient") and "recipient" not in self.errors:
                self.add_error("recipient", "Write who gets it")
            if not data.get("lawful_ground") and "lawful_ground" not in self.errors:
                self.add_error("lawful_ground", "Choose the lawful ground")
        return data


def _column_fields() -> dict[str, forms.Field]:
    """A list of boxes for each category of which the roles may take anything out, and one for what says who somebody is."""
    groups: dict[str, list[tuple[str, str]]] = {}
    who: list[tuple[str, str]] = []
    for key, column in export_columns.offered().items():
        (who if column.says_who else groups.setdefault(column.category, [])).append((key, column.words))
    fields: dict[str, forms.Field] = {}
    for category, choices in groups.items():
        # Our own number, which says nothing of anybody, stands with what says little.
        name = f"{_COLUMNS}{category or 'record'}"
        words = Category(category).label if category else "Number"
        fields[name] = _boxes(words, choices)
        fields[name].initial = [key for key, _ in choices if key in export_columns.USUAL]
    if who:
        fields[_WHO] = _boxes(
            "Names and what else says directly who somebody is",
            who,
            "Left out unless you tick them. The governance officer is told.",
        )
    return fields


def initial_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """What a list's address narrows to, for the form."""
    return {key: value for key, value in data.items() if value}
