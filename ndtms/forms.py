"""Forms of the NDTMS pages: shape only, the services check the rules."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms

from edatrs.core.dates import DateBoxes
from edatrs.core.forms import Form
from edatrs.core.uploads import LONGEST_FILE, TooLarge
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
    as_of = DateBoxes(
        label="As of",
        help_text="Today, unless NDTMS asked for another day",
        error_messages={"required": "Enter the day that the file shall be as of"},
    )

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


class ImportForm(Form):
    """A bundle to import. `form_id` is of the form as it was opened, so that sending it twice is one import."""

    file = forms.FileField(
        label="Zip with the CSV files of the bundle",
        help_text=f"At most {LONGEST_FILE // (1024 * 1024)} MB. The CSV files themselves, not a folder, without a password.",
        error_messages={
            "required": "Choose the zip to import",
            "empty": "The file is empty. Choose the zip with the CSV files of the bundle",
            "invalid": "Choose the zip to import",
        },
    )
    form_id = forms.UUIDField(widget=forms.HiddenInput)

    def clean_file(self) -> Any:
        """The upload. Raises ValidationError on one that was too large to be kept."""
        sent = self.cleaned_data["file"]
        if isinstance(sent, TooLarge):
            raise forms.ValidationError(
                f"The file is larger than {LONGEST_FILE // (1024 * 1024)} MB. Split the bundle by service, or ask the operator to load it"
            )
        return sent


class ConfirmImportForm(Form):
    """Which preview is confirmed: its number and the digest of its lines."""

    preview = forms.IntegerField(min_value=1)
    digest = forms.RegexField(r"^[0-9a-f]{64}$")


class MismatchForm(Form):
    """A list of mismatches to take in."""

    service = forms.ChoiceField(label="Agency code", error_messages={"required": "Choose the agency code"})
    file = forms.FileField(
        label="The list that NDTMS returned",
        help_text="CSV in UTF-8 with the columns agency_code, client_id, episode_id, kind. At most 5 MB",
        error_messages={
            "required": "Choose the list to take in",
            "empty": "The file is empty. Choose the list that NDTMS returned",
            "invalid": "Choose the list to take in",
        },
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )

    def __init__(self, *args: Any, services: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["service"].choices = services  # type: ignore[attr-defined]  # a choice field

    def clean_file(self) -> Any:
        """The upload. Raises ValidationError on one that was too large to be kept."""
        sent = self.cleaned_data["file"]
        if isinstance(sent, TooLarge):
            raise forms.ValidationError("The file is larger than 5 MB. Send one agency code at a time")
        return sent


class SettleForm(Form):
    """What became of a mismatch."""

    reason = forms.CharField(
        label="What became of it",
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=500,
        help_text="For example: sent again with the full file of 12 November. No names",
        error_messages={
            "required": "Say what became of it",
            "max_length": "The words must be 500 characters or fewer",
        },
    )
