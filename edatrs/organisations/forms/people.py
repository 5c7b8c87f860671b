"""Forms of the pages about people."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django import forms

from edatrs.core import clock
from edatrs.core.dates import DateBoxes
from edatrs.core.forms import Form
from edatrs.organisations.choices import ClearanceKind
from edatrs.organisations.models import Organisation, User
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


class LeaverForm(Form):
    """The last day of somebody who leaves, and who hands their work over."""

    last_day = DateBoxes(label="Last day", earliest=clock.today, earliest_words="today")
    manager = forms.ChoiceField(
        label="Who hands over their clients, drafts and tasks?",
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose who hands the work over",
            "invalid_choice": "Choose somebody from the list",
        },
    )

    def __init__(self, *args: Any, managers: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["manager"].choices = [(str(one.pk), one.full_name) for one in managers]
        if not managers:
            del fields["manager"]

    def manager_id(self) -> UUID | None:
        """Who was chosen; None where nobody can be."""
        chosen = self.cleaned_data.get("manager")
        return UUID(chosen) if chosen else None


class ClearanceForm(Form):
    """When somebody was trained or checked, and until when it counts."""

    done_on = DateBoxes(label="Done on", latest=clock.today, latest_words="today")
    valid_until = DateBoxes(label="Last valid day", required=False)

    def __init__(self, *args: Any, kind: ClearanceKind, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        if kind == ClearanceKind.TRAINING:
            fields["done_on"].label, fields["valid_until"].required = "Training finished on", True
            fields["done_on"].error_messages["required"] = "Enter the day the training was finished"
        else:
            fields["done_on"].label = "Date of the check"
            fields["done_on"].error_messages["required"] = "Enter the date of the check"
            fields["valid_until"].help_text = "Leave it empty if your organisation sets no end."

    def clean(self) -> dict[str, Any]:
        """The last day is not before the first."""
        found: dict[str, Any] = super().clean() or {}
        done, until = found.get("done_on"), found.get("valid_until")
        if done and until and until < done:
            self.add_error("valid_until", "Last valid day must not be before the day it was done")
        return found


class RequirementsForm(Form):
    """What everybody must have recorded."""

    kinds = forms.MultipleChoiceField(
        label="What must be recorded before somebody has access?",
        required=False,
        choices=ClearanceKind.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="A date that has passed holds access in any case, chosen here or not.",
        error_messages={"invalid_choice": "Choose from the list"},
    )


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
