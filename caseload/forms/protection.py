"""Sensitive records and conflicts of interest: why, and who."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms

from caseload.choices import SensitiveKind
from caseload.forms.clients import Text
from edatrs.core.forms import Form
from edatrs.organisations.models import User

LONGEST_REASON = 1000


class _Reason(forms.CharField):
    """Why, in words, read by the team and the governance officer alone."""

    def __init__(self, label: str, help_text: str) -> None:
        super().__init__(
            label=label,
            help_text=help_text,
            widget=forms.Textarea(attrs={"rows": 3}),
            max_length=LONGEST_REASON,
            error_messages={"required": "Enter the reason"},
        )

    def widget_attrs(self, widget: Any) -> dict[str, Any]:
        """Without Django's maxlength: a text that is too long is refused with how long it is, not cut off."""
        return {}


def _choices(people: Iterable[User], *, without: Iterable[UUID] = ()) -> list[tuple[str, str]]:
    left_out = set(without)
    return [(str(p.pk), p.full_name) for p in people if p.pk not in left_out]


class FlagForm(Form):
    """Mark a record as sensitive. Who marks it is in the team; others can be added at once."""

    kind = forms.ChoiceField(
        label="Why may only a named team find this record?",
        choices=SensitiveKind.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose why", "invalid_choice": "Choose why"},
    )
    reason = _Reason(
        "Reason",
        "The named team and the information governance officer read this, nobody else. No more than is needed.",
    )
    team = forms.MultipleChoiceField(
        label="Who else may find it?",
        help_text="You are in the team. The keyworker needs to be in it to go on working with this person.",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "Choose from the list"},
    )

    def __init__(self, *args: Any, people: Iterable[User], me: UUID, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"].choices = _choices(people, without=[me])  # type: ignore[attr-defined]  # a choice


class AddForm(Form):
    """One more person for the team."""

    person = forms.ChoiceField(
        label="Add somebody to the team",
        error_messages={"required": "Choose whom to add", "invalid_choice": "Choose whom to add"},
    )

    def __init__(self, *args: Any, people: Iterable[User], team: Iterable[UUID], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].choices = [("", "Choose somebody"), *_choices(people, without=team)]  # type: ignore[attr-defined]


class ConflictForm(Form):
    """Who has a conflict, and why. Only who may say so for another is asked whose it is."""

    person = forms.ChoiceField(
        label="Who has a conflict of interest?",
        error_messages={"required": "Choose who", "invalid_choice": "Choose who"},
    )
    reason = _Reason(
        "Reason",
        "For example a relative, a neighbour, a former partner. The information governance officer reads this, nobody else.",
    )

    def __init__(self, *args: Any, people: Iterable[User], me: User, others: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not others:
            del self.fields["person"]
            return
        own = [(str(me.pk), f"I do ({me.full_name})")]
        named = _choices(people, without=[me.pk])
        self.fields["person"].choices = [("", "Choose somebody"), *own, *named]  # type: ignore[attr-defined]


class OfficerConflictForm(ConflictForm):
    """The same, by the governance officer, who names the record by its number."""

    record = Text("Record number", 40, width=10, help_text="Like R1204, or the client ID")
    field_order = ("record", "person", "reason")

    def clean_record(self) -> str:
        """Needed. Raises ValidationError."""
        typed = str(self.cleaned_data["record"]).strip()
        if not typed:
            raise forms.ValidationError("Enter the record number, like R1204")
        return typed
