"""Forms of the pages about people."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms

from edatrs.core import clock
from edatrs.core.dates import DateBoxes
from edatrs.core.forms import Form
from edatrs.organisations.models import Organisation
from edatrs.organisations.selectors import services_of
from edatrs.organisations.services.second_factor import IdentityCheck, ResetReason

_HOW_LONG = "Leave it empty for no end. The role ends at the end of that day."


class RoleForm(Form):
    """A role, where, and from when to when."""

    role = forms.ChoiceField(
        label="Role",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a role", "invalid_choice": "Choose a role from the list"},
    )
    services = forms.MultipleChoiceField(
        label="Services",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Choose none for all services of the organisation.",
        error_messages={"invalid_choice": "Choose services from the list"},
    )
    valid_from = DateBoxes(label="First day", initial=clock.today)
    valid_until = DateBoxes(
        label="Last day", required=False, help_text=_HOW_LONG, earliest=clock.today, earliest_words="today"
    )

    def __init__(
        self, *args: Any, organisation: Organisation, roles: list[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.known = {str(s.pk): s for s in services_of(organisation.pk)}
        fields: dict[str, Any] = self.fields
        fields["role"].choices = roles
        fields["services"].choices = [(pk, str(service)) for pk, service in self.known.items()]
        if not self.known:
            del fields["services"]

    def clean(self) -> dict[str, Any]:
        """The last day is not before the first."""
        found: dict[str, Any] = super().clean() or {}
        first, last = found.get("valid_from"), found.get("valid_until")
        if first and last and last < first:
            self.add_error("valid_until", "Last day must not be before the first day")
        return found

    def values(self) -> dict[str, Any]:
        """What the services take."""
        found = {**self.cleaned_data}
        found["services"] = [self.known[pk] for pk in found.get("services", [])]
        return found


class InviteForm(RoleForm):
    """Somebody new, and their first role."""

    name = forms.CharField(
        label="Full name",
        max_length=120,
        error_messages={
            "required": "Enter the person's full name",
            "max_length": "Enter at most 120 characters",
        },
    )
    email = forms.EmailField(
        label="E-mail address",
        help_text="Their own work address. They sign in with it, and the link to set a password goes there.",
        max_length=254,
        error_messages={
            "required": "Enter the person's e-mail address",
            "invalid": "Enter an e-mail address, such as name@organisation.example",
        },
    )
    field_order = ["name", "email", "role", "services", "valid_from", "valid_until"]


class EndRoleForm(Form):
    """When a role ends."""

    when = forms.ChoiceField(
        label="When does the role end?",
        choices=[("now", "Now"), ("day", "At the end of a day")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose when the role ends"},
    )
    last_day = DateBoxes(label="Last day", required=False, earliest=clock.today, earliest_words="today")

    def clean(self) -> dict[str, Any]:
        """A day where one is needed."""
        found: dict[str, Any] = super().clean() or {}
        if found.get("when") == "day" and not found.get("last_day") and "last_day" not in self.errors:
            self.add_error("last_day", "Enter the last day of the role")
        return found

    def last(self) -> dt.date | None:
        """The last day, or None for now."""
        return self.cleaned_data["last_day"] if self.cleaned_data["when"] == "day" else None


class ResetSecondFactorForm(Form):
    """How the identity was checked, and why it is done."""

    identity_check = forms.ChoiceField(
        label="How did you check who they are?",
        help_text="A mail or a message is not a check.",
        choices=IdentityCheck.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how you checked who they are"},
    )
    reason = forms.ChoiceField(
        label="Why is it reset?",
        choices=ResetReason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose why it is reset"},
    )
