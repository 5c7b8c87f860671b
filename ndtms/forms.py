"""Forms of the NDTMS pages: shape only, the services check the rules."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms

from edatrs.core.dates import DateBoxes
from edatrs.core.forms import Form
from ndtms.choices import ExtractKind


class BuildForm(Form):
    """What to build."""

    service = forms.ChoiceField(label="Service", error_messages={"required": "Choose the service"})
    kind = forms.ChoiceField(
        label="Kind of file",
        choices=ExtractKind.choices,
        widget=forms.RadioSelect,
        help_text="A reporting extract leaves out what ended before the reporting window; a full extract carries everything.",
        error_messages={"required": "Choose the kind of file"},
    )
    as_of = DateBoxes(label="As of", help_text="Today, unless NDTMS asked for another day")

    def __init__(self, *args: Any, services: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["service"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  # declared above; for the type checker
        field.choices = services

    def order(self) -> tuple[str, str, dt.date]:
        """Agency code, kind, as-of date of a valid form."""
        return self.cleaned_data["service"], self.cleaned_data["kind"], self.cleaned_data["as_of"]


class RefuseForm(Form):
    """Why NDTMS refused the file."""

    reason = forms.CharField(
        label="Reason that NDTMS gave",
        widget=forms.Textarea,
        max_length=2000,
        error_messages={
            "required": "Enter the reason that NDTMS gave",
            "max_length": "The reason is longer than 2,000 characters: shorten it",
        },
    )
