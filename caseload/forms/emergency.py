"""Emergency access: who, on what ground, why, and which parts."""

from __future__ import annotations

from typing import Any

from django import forms

from caseload.choices import Category, LawfulGround
from caseload.forms.clients import EARLIEST_BIRTH, NhsNumber, Text
from edatrs.core import clock
from edatrs.core.dates import DateBoxes
from edatrs.core.forms import Form

LONGEST_REASON = 1000
FEWEST_WORDS = 3
GROUND_HINTS = {
    LawfulGround.WELFARE: "Safeguarding a child or an adult, the person included",
    LawfulGround.LAW: "You have seen the order, or know the duty",
    LawfulGround.CRIME: "Asked for in writing by the police or a court",
    LawfulGround.PUBLIC_BODY: "For example a Mental Health Act assessment",
    LawfulGround.OWN_FUNCTION: "For example a serious-incident review of ours",
}


class EmergencyForm(Form):
    """`stranger` asks who it is: an NHS number, or the exact name and date of birth. Of a linked client nothing is asked."""

    nhs_number = NhsNumber("NHS number", 20, width=10)
    forename = Text("Forename", 100, width=20)
    surname = Text("Surname", 100, width=20)
    date_of_birth = DateBoxes(
        label="Date of birth", required=False, earliest=EARLIEST_BIRTH, latest=clock.today
    )
    ground = forms.ChoiceField(
        label="On what ground?",
        choices=LawfulGround.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose the ground", "invalid_choice": "Choose the ground"},
    )
    reason = forms.CharField(
        label="What has happened, and what do you need to see?",
        help_text="Two or three sentences. Governance officers of both organisations read this. No more health detail than needed.",
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=LONGEST_REASON,
        error_messages={"required": "Say what has happened and what you need to see"},
    )
    categories = forms.MultipleChoiceField(
        label="Which parts?",
        help_text="Only these open. You can ask for more.",
        choices=Category.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one part", "invalid_choice": "Choose from the list"},
    )

    def __init__(self, *args: Any, stranger: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stranger = stranger
        if not stranger:
            for name in ("nhs_number", "forename", "surname", "date_of_birth"):
                del self.fields[name]

    def clean_reason(self) -> str:
        """In words. Raises ValidationError."""
        typed = str(self.cleaned_data["reason"]).strip()
        if len(typed.split()) < FEWEST_WORDS:
            raise forms.ValidationError("Say in a sentence what has happened and what you need to see")
        return typed

    def clean(self) -> dict[str, Any]:
        """A stranger is found by one of the two ways. Raises ValidationError."""
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if self.stranger and not self.errors and not found.get("nhs_number"):
            missing = [n for n in ("forename", "surname", "date_of_birth") if not found.get(n)]
            if len(missing) == 3:
                self.add_error("nhs_number", "Enter the NHS number, or the full name and date of birth")
            else:
                for name in missing:
                    self.add_error(name, "Needed to find somebody without an NHS number")
        return found


class AccountForm(Form):
    """What was done with an emergency access."""

    account = forms.CharField(
        label="What did you do with what you saw?",
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=LONGEST_REASON,
        error_messages={"required": "Say what you did with it"},
    )


class ReviewForm(Form):
    """The governance officer's review."""

    justified = forms.ChoiceField(
        label="Was it justified?",
        choices=[("yes", "Yes, in good faith"), ("no", "No, it needs following up")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose yes or no"},
    )
    review = forms.CharField(
        label="Why, and what follows",
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=LONGEST_REASON,
        error_messages={"required": "Say why"},
    )
