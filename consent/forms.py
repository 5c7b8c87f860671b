"""Forms of the consent app: shape only, the services check the rules."""

from __future__ import annotations

from typing import Any

from django import forms

from consent.choices import Competence, Method
from edatrs.core import clock
from edatrs.core.dates import DateBoxes
from edatrs.core.forms import Form

NOT_NOW = "not-now"
ANSWERS = [("Y", "Yes, send it"), ("N", "No, do not send it"), (NOT_NOW, "Not now")]


class DecisionForm(Form):
    """What was done and what the client answered. Nothing is ticked beforehand (O-133)."""

    said = forms.BooleanField(label="I said or read out what the statement says", required=False)
    leaflet = forms.BooleanField(label="I gave the leaflet, or they have seen it", required=False)
    questions = forms.BooleanField(
        label="I asked for questions and answered them",
        required=False,
        help_text="No questions is an answer: tick it",
    )
    competence = forms.ChoiceField(
        label="Can they decide this themselves?",
        choices=Competence.choices,
        widget=forms.RadioSelect,
        required=False,
    )
    competence_note = forms.CharField(label="How you know", max_length=300, required=False)
    permission_by = forms.CharField(label="Who gives permission", max_length=120, required=False)
    permission_relation = forms.CharField(label="Relation", max_length=60, required=False)
    method = forms.ChoiceField(
        label="How was it answered?",
        choices=[(Method.ORAL.value, "By telling me"), (Method.WRITTEN.value, "In writing")],
        widget=forms.RadioSelect,
        required=False,
    )
    answer = forms.ChoiceField(
        label="What is the answer?",
        choices=ANSWERS,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose the answer that was given"},
    )
    decided_on = DateBoxes(label="Day of the answer", latest=clock.today, latest_words="today")

    def __init__(self, *args: Any, young_person: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not young_person:
            for name in ("competence", "competence_note", "permission_by", "permission_relation"):
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        """A decision needs how it was given; a yes needs that the statement was said."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("answer") in {"Y", "N"} and not data.get("method"):
            self.add_error("method", "Choose how it was answered")
        if data.get("answer") == "Y" and not data.get("said"):
            self.add_error("said", "Say or read out the statement before you record yes")
        if data.get("answer") == "Y" and not data.get("leaflet"):
            self.add_error("leaflet", "Give the leaflet before you record yes")
        if data.get("answer") == "Y" and not data.get("questions"):
            self.add_error("questions", "Ask for questions and answer them before you record yes")
        return data
