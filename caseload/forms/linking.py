"""Linking with partners' records: the reason, and how a record is named."""

from __future__ import annotations

from django import forms

from edatrs.core.forms import Form

LONGEST_REASON = 1000


class LinkReasonForm(Form):
    """Why, in words that the partner reads."""

    reason = forms.CharField(
        label="Reason",
        help_text="The partner reads this. No health details, and no more about the person than needed.",
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=LONGEST_REASON,
        error_messages={"required": "Enter the reason: the partner reads it"},
    )


class OptionalReasonForm(LinkReasonForm):
    """Needed for a refusal alone; the service says so."""

    reason = forms.CharField(
        label="Words for the partner",
        help_text="Needed if you refuse. No health details.",
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=LONGEST_REASON,
        required=False,
    )


class RecordNumberForm(Form):
    """A record by its number, like R1204."""

    number = forms.CharField(
        label="Record number",
        help_text="Like R1204",
        max_length=20,
        error_messages={"required": "Enter a record number, like R1204"},
    )
