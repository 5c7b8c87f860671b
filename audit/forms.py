"""Forms of the trail pages."""

from __future__ import annotations

from typing import Any

from django import forms

from audit.events import REFUSED
from edatrs.core.dates import DateBoxes
from edatrs.core.forms import Form


class TrailForm(Form):
    """What the trail is asked for; everything may be left open."""

    who = forms.ChoiceField(label="Who", required=False)
    what = forms.ChoiceField(label="What", required=False)
    about = forms.CharField(
        label="Record number or client ID",
        required=False,
        max_length=100,
        error_messages={"max_length": "A record number or client ID is at most 100 characters: shorten it"},
    )
    since = DateBoxes(label="From", required=False)
    until = DateBoxes(label="To", required=False)

    def __init__(
        self,
        *args: Any,
        people: list[tuple[Any, str]],
        kinds: list[tuple[str, list[tuple[str, str]]]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        who, what = self.fields["who"], self.fields["what"]
        assert isinstance(who, forms.ChoiceField) and isinstance(what, forms.ChoiceField)  # noqa: S101  # for the type checker
        who.choices = [("", "Everyone"), *((str(pk), name) for pk, name in people)]
        what.choices = [("", "Everything"), (REFUSED, "Refused"), *kinds]

    def clean(self) -> dict[str, Any]:
        """The first day may not lie after the last."""
        found: dict[str, Any] = super().clean() or {}
        since, until = found.get("since"), found.get("until")
        if since and until and since > until:
            self.add_error("until", "To must be on or after From")
        return found
