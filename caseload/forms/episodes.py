"""Forms about an episode beside those of its items: its beginning, its end, confidentiality, and why something is taken out of use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms

from caseload.dataset.reader import load_dictionary
from caseload.forms.clients import Code, ReasonForm, Text
from caseload.forms.items import ItemsForm
from caseload.models import Understanding
from caseload.present import code_words
from edatrs.core import clock
from edatrs.core.dates import DateBoxes
from edatrs.core.forms import Form

DONE, NOT_DONE = "done", "not"


class Tick(forms.CheckboxInput):
    """A box whose tick is not lost where the form is carried along unseen."""

    def format_value(self, value: Any) -> str:
        """What a ticked box sends; nothing."""
        return "on" if value else ""


class ReferralForm(ItemsForm):
    """The items of a referral; the client id where they are not registered at the service; and that a second open episode is meant."""

    def __init__(
        self, data: Any = None, *, next_client_id: str = "", open_ones: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(data, heading="New referral", **kwargs)
        if next_client_id:
            self.fields["client_id_text"] = Text(
                "Client ID",
                40,
                width=10,
                required=True,
                initial=next_client_id,
                help_text="The next free number of the agency, or your own. It is kept exactly as it stands here and never used again",
            )
        if open_ones:
            self.fields["second"] = forms.BooleanField(
                label="Begin another episode at this service all the same",
                error_messages={"required": "Tick that another episode is meant, or go on with the open one"},
            )
        referred = self.fields.get("REFLD")
        if referred is not None:
            referred.required = True
            referred.error_messages["required"] = "Enter the day of the referral"


class ConfidentialityForm(Form):
    """What was done about the confidentiality policy before assessment (O-132). Nothing is ticked for anybody."""

    done = forms.ChoiceField(
        label="Was it explained?",
        choices=[(DONE, "Yes, aloud and on paper"), (NOT_DONE, "Not yet, or only in part")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose whether it was explained"},
    )
    said = forms.BooleanField(label="I explained it aloud, in words they understand", required=False)
    on_paper = forms.BooleanField(
        label="They have it in writing, in a language and format they can use", required=False
    )
    explained_on = DateBoxes(
        label="Day it was explained",
        required=False,
        earliest=dt.date(2000, 1, 1),
        latest=clock.today,
        latest_words="today",
    )
    understanding = forms.ChoiceField(
        label="How did it go?", choices=Understanding.choices, widget=forms.RadioSelect, required=False
    )
    note = Text(
        "What needs repeating, or helped",
        1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="For example: with an interpreter; ask again when sober",
    )
    reason = Text(
        "Why could it not be explained?",
        1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Assessment may then go on, and the reminder stays until it is explained",
    )

    def clean(self) -> dict[str, Any]:
        """Explained needs both ways, the day and how it went; not explained needs the reason."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("done") == NOT_DONE and not data.get("reason") and "reason" not in self.errors:
            self.add_error("reason", "Enter why it could not be explained: it is kept with the record")
        if data.get("done") == DONE:
            if not data.get("said"):
                self.add_error(
                    "said", "Tick that it was explained aloud, or choose “Not yet, or only in part”"
                )
            if not data.get("on_paper"):
                self.add_error(
                    "on_paper", "Tick that they have it in writing, or choose “Not yet, or only in part”"
                )
            if data.get("explained_on") is None and "explained_on" not in self.errors:
                self.add_error("explained_on", "Enter the day it was explained")
            if not data.get("understanding") and "understanding" not in self.errors:
                self.add_error("understanding", "Choose how it went")
            if (
                data.get("understanding") == Understanding.REPEAT
                and not data.get("note")
                and "note" not in self.errors
            ):
                self.add_error("note", "Enter what needs repeating")
        return data

    def values(self) -> dict[str, Any]:
        """What is recorded: of an explanation that was none only the reason."""
        data = self.cleaned_data
        if data["done"] == NOT_DONE:
            return {"reason": data["reason"], "note": data["note"]}
        return {name: data[name] for name in ("explained_on", "understanding", "note")}


class DischargeForm(ItemsForm):
    """The items of a discharge; for each open intervention whether it ends with it and how; and why it is closed in spite of checks."""

    def __init__(
        self,
        data: Any = None,
        *,
        interventions: Sequence[Any],
        closing: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        self.closing = closing
        self.interventions = list(interventions)
        for row in self.interventions:
            kind = code_words("intervention_type", row.modality) or "Intervention, type not recorded"
            self.fields[f"end_{row.pk}"] = forms.BooleanField(
                label=f"End “{kind}” on the day of discharge", required=False, widget=Tick
            )
            status = Code("MODEXIT", "Exit status", help_text="How it ended")
            status.offer(self._letter(kwargs), "")
            self.fields[f"exit_{row.pk}"] = status
        self.fields["anyway"] = Text(
            "Why it is closed all the same",
            2000,
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text="Only needed where a check above is not in order. It is kept with the record",
        )

    @staticmethod
    def _letter(kwargs: dict[str, Any]) -> str:
        return str(kwargs.get("letter") or load_dictionary().default_letter)

    def clean(self) -> dict[str, Any]:
        """No open intervention is left behind when the episode is closed, and none ends without saying how."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        for row in self.interventions:
            ticked, status = data.get(f"end_{row.pk}"), data.get(f"exit_{row.pk}")
            if ticked and not status and f"exit_{row.pk}" not in self.errors:
                self.add_error(f"exit_{row.pk}", "Choose how the intervention ended")
            if ticked and data.get("DISD") is None and "DISD" not in self.errors:
                self.add_error("DISD", "Enter the discharge date: the intervention ends on that day")
            if self.closing and data.get("DISD") is not None and not ticked:
                self.add_error(
                    f"end_{row.pk}",
                    "This intervention is open. Tick it to end it with the discharge, or end it on a day of its own first",
                )
            if ticked and data.get("DISD") and row.started_on and data["DISD"] < row.started_on:
                self.add_error(f"end_{row.pk}", "This intervention began after that day. Check the dates")
        return data

    def ending(self) -> dict[UUID, str]:
        """The interventions to end, with their exit status."""
        data = self.cleaned_data
        return {row.pk: data[f"exit_{row.pk}"] for row in self.interventions if data.get(f"end_{row.pk}")}


class ReopenForm(ReasonForm):
    """Why a closed episode is opened again, and which interventions that ended with it go on."""

    def __init__(self, data: Any = None, *, ended: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        if ended:
            self.fields["again"] = forms.MultipleChoiceField(
                label="Open again with it",
                required=False,
                choices=[
                    (str(row.pk), code_words("intervention_type", row.modality) or "Type not recorded")
                    for row in ended
                ],
                widget=forms.CheckboxSelectMultiple,
                help_text="These ended on the day of the discharge",
            )
