"""Forms of the day's work: giving clients to somebody."""

from __future__ import annotations

from typing import Any

from django import forms

from caseload.models import AllocationKind
from caseload.services import allocation
from edatrs.core import clock
from edatrs.core.dates import DateBoxes
from edatrs.core.forms import Form
from edatrs.organisations.models import User

LONGEST_REASON = 500


class AllocationForm(Form):
    """Who is to have the chosen clients. Shape only: what can be done is for the service to say."""

    kind = forms.ChoiceField(
        label="What to do",
        choices=[
            (AllocationKind.KEYWORKER, "Make them the keyworker"),
            (AllocationKind.COVER, "Let them cover for the keyworker until a day"),
        ],
        widget=forms.RadioSelect,
        initial=AllocationKind.KEYWORKER,
        error_messages={"required": "Choose what to do"},
    )
    keyworker = forms.ModelChoiceField(
        label="Give them to",
        queryset=User.objects.none(),
        empty_label="Choose a person",
        error_messages={
            "required": "Choose a person",
            "invalid_choice": "This person does not work with clients here today. Choose somebody else",
        },
    )
    valid_from = DateBoxes(label="First day", earliest=clock.today, earliest_words="today")
    valid_until = DateBoxes(
        label="Last day", required=False, help_text="For cover only: the cover ends by itself."
    )
    reason = forms.CharField(
        label="Reason",
        max_length=LONGEST_REASON,
        widget=forms.Textarea,
        help_text="Kept with the allocation. No names of clients.",
        error_messages={
            "max_length": f"The reason must be {LONGEST_REASON} characters or fewer. There are %(show_value)s"
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = [person.pk for person in allocation.people_to_choose()]
        self.fields["keyworker"].queryset = User.objects.filter(pk__in=people).order_by("full_name")  # type: ignore[attr-defined]
        self.fields["reason"].widget.attrs.pop("maxlength", None)

    def clean(self) -> dict[str, Any]:
        """Cover has a last day."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if (
            data.get("kind") == AllocationKind.COVER
            and not data.get("valid_until")
            and "valid_until" not in self.errors
        ):
            self.add_error("valid_until", "Enter the last day of the cover")
        if data.get("kind") == AllocationKind.KEYWORKER:
            data["valid_until"] = None
        first, last = data.get("valid_from"), data.get("valid_until")
        if first and last and last < first:
            self.add_error("valid_until", "The last day is before the first day")
        return data
