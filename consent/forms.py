"""Forms of the consent app: shape only, the services check the rules."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from consent.choices import Competence, Method, Wish
from consent.uploads import MOST_BYTES, MOST_WORDS, NotAForm, SignedForm, read_form
from edatrs.core import clock
from edatrs.core.dates import DateBoxes
from edatrs.core.forms import Form

NOT_NOW = "not-now"
ANSWERS = [("Y", "Yes, send it"), ("N", "No, do not send it"), (NOT_NOW, "Not now")]
METHODS = [(Method.ORAL.value, "By telling me"), (Method.WRITTEN.value, "In writing")]
ELSEWHERE = "elsewhere"
WISHES = [
    (Wish.EPISODE.value, "Stop one time only"),
    (Wish.ALL_HERE.value, "Stop everything from this organisation"),
    (ELSEWHERE, "Stop what other services have sent"),
]
COMPETENCE = [
    (Competence.COMPETENT.value, "Yes, they understand and can decide"),
    (Competence.PERMISSION.value, "No, or not for now"),
    (Competence.UNSURE.value, "I am not sure"),
]
RELATIONS = (
    "Mother, parental responsibility",
    "Father, parental responsibility",
    "Guardian",
    "Local authority",
    "Somebody else with parental responsibility",
)
YOUNG_PERSON = ("competence", "competence_note", "permission_by", "permission_relation", "young_person_knows")


class SignedFormField(forms.FileField):
    """The scan or photo of a signed form. Cleans to a `SignedForm`, or None without a file; the name it came with is dropped."""

    def clean(self, data: Any, initial: Any = None) -> SignedForm | None:
        """Read the bytes. Raises ValidationError with what to do."""
        if not isinstance(data, UploadedFile):
            return None
        if (data.size or 0) > MOST_BYTES:
            raise forms.ValidationError(
                f"The file is larger than {MOST_WORDS}. Scan it again with a lower resolution, or as black and white."
            )
        try:
            return read_form(data.read())
        except NotAForm as problem:
            raise forms.ValidationError(str(problem)) from None


def _signed_form() -> SignedFormField:
    return SignedFormField(
        label="The signed form",
        required=False,
        help_text=f"PDF, PNG or JPEG, at most {MOST_WORDS}. Kept encrypted with the record. A draft does not keep it: choose it last.",
        widget=forms.FileInput(attrs={"accept": ".pdf,.png,.jpg,.jpeg,application/pdf,image/png,image/jpeg"}),
    )


class DecisionForm(Form):
    """What was done and what the client answered. Nothing is ticked beforehand (O-133)."""

    said = forms.BooleanField(label="I said or read out what the statement says", required=False)
    leaflet = forms.BooleanField(required=False)
    questions = forms.BooleanField(
        label="I asked for questions and answered them",
        required=False,
        help_text="No questions is an answer: tick it",
    )
    competence = forms.ChoiceField(choices=COMPETENCE, widget=forms.RadioSelect, required=False)
    competence_note = forms.CharField(
        label="How you know that they understand",
        max_length=300,
        required=False,
        help_text="One line, if they can decide themselves",
    )
    permission_by = forms.CharField(label="Who gives permission", max_length=120, required=False)
    permission_relation = forms.ChoiceField(
        choices=[("", "Choose"), *((words, words) for words in RELATIONS)], required=False
    )
    young_person_knows = forms.BooleanField(required=False)
    method = forms.ChoiceField(choices=METHODS, widget=forms.RadioSelect, required=False)
    signed_form = _signed_form()
    answer = forms.ChoiceField(
        choices=ANSWERS,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose the answer that was given"},
    )
    note = forms.CharField(
        label="Why not now",
        max_length=300,
        required=False,
        help_text="Only for “Not now”, if you like. It stays in the history",
    )
    decided_on = DateBoxes(label="When was this?", latest=clock.today, latest_words="today")

    def __init__(
        self,
        *args: Any,
        young_person: bool,
        called: str = "the client",
        hints: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["leaflet"].label = f"I gave {called} the leaflet, or they have seen it"
        self.fields["method"].label = f"How did {called} answer?"
        self.fields["answer"].label = f"What is {called}’s answer?"
        self.fields["answer"].choice_hints = hints or {}  # type: ignore[attr-defined]  # read by the tag of a field
        if not young_person:
            for name in YOUNG_PERSON:
                del self.fields[name]
            return
        self.fields["competence"].label = f"Can {called} decide this alone?"
        self.fields[
            "competence"
        ].help_text = "Do they understand what is sent, to whom, what happens if they say no, and can they say it back to you?"
        self.fields["competence"].choice_hints = {  # type: ignore[attr-defined]
            Competence.COMPETENT.value: "Write one line on how you know",
            Competence.PERMISSION.value: "A parent or guardian decides with them",
            Competence.UNSURE.value: "Ask your team manager before going on. “Yes” cannot be recorded until you are",
        }
        self.fields["permission_relation"].label = f"What they are to {called}"
        self.fields[
            "young_person_knows"
        ].label = f"{called[:1].upper()}{called[1:]} knows that I talk to them about it"

    def clean(self) -> dict[str, Any]:
        """A decision needs how it was given; a yes needs that everything before it was done."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        answer = data.get("answer")
        if answer in {"Y", "N"} and not data.get("method"):
            self.add_error("method", "Choose how it was answered")
        if data.get("signed_form") and answer == NOT_NOW:
            self.add_error(
                "signed_form", "“Not now” has no signed form. Take the file away, or choose the answer"
            )
        elif data.get("signed_form") and data.get("method") == Method.ORAL:
            self.add_error("signed_form", "Choose “In writing” above, or take the file away")
        if answer == "Y":
            self._before_a_yes(data)
        return data

    def _before_a_yes(self, data: dict[str, Any]) -> None:
        for name, words in (
            ("said", "Say or read out the statement before you record yes"),
            ("leaflet", "Give the leaflet before you record yes"),
            ("questions", "Ask for questions and answer them before you record yes"),
        ):
            if not data.get(name):
                self.add_error(name, words)
        if "competence" not in self.fields:
            return
        competence = data.get("competence")
        if not competence:
            self.add_error("competence", "Choose first whether they can decide this")
        elif competence == Competence.UNSURE:
            self.add_error(
                "competence", "Ask your team manager first. Choose “Not now” as the answer until you are sure"
            )
        elif competence == Competence.COMPETENT and not (data.get("competence_note") or "").strip():
            self.add_error("competence_note", "Write one line on how you know that they understand")
        elif competence == Competence.PERMISSION:
            if not (data.get("permission_by") or "").strip():
                self.add_error(
                    "permission_by", "Enter the name of the parent or guardian who gives permission"
                )
            if not data.get("permission_relation"):
                self.add_error("permission_relation", "Choose what they are to the young person")


class WithdrawForm(Form):
    """Which wish it is, and which episodes it is about. Where it is everything here, all are ticked: that is the usual wish (O-135)."""

    wish = forms.ChoiceField(
        choices=WISHES,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose which wish it is. Ask, if you are not sure"},
    )
    only = forms.MultipleChoiceField(
        label="Which time?",
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Only if one time is meant. The others stay at yes",
    )
    episodes = forms.MultipleChoiceField(
        label="Every episode here, open and closed",
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="For “everything”. All are ticked: untick one only if they say so. Dates and reasons of leaving stay as they are",
    )
    left_out_reason = forms.CharField(
        label="Why the others stay as they are",
        max_length=300,
        required=False,
        help_text="Only if you untick one. In the words of the client, if you can",
    )
    method = forms.ChoiceField(
        choices=METHODS,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how they said it"},
    )
    decided_on = DateBoxes(label="When did they say it?", latest=clock.today, latest_words="today")
    signed_form = _signed_form()

    def __init__(
        self,
        *args: Any,
        agreed: list[tuple[str, str]],
        episodes: list[tuple[str, str]],
        hints: dict[str, str],
        called: str = "the client",
        organisation: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        for name, choices in (("only", agreed), ("episodes", episodes)):
            self.fields[name].choices = choices  # type: ignore[attr-defined]  # of a field with choices
            self.fields[name].choice_hints = hints  # type: ignore[attr-defined]
        if not agreed:
            # Nothing is sent, so there is no one time to stop.
            del self.fields["only"]
            self.fields["wish"].choices = [c for c in WISHES if c[0] != Wish.EPISODE]  # type: ignore[attr-defined]
        self.fields["wish"].label = f"What does {called} want?"
        self.fields["wish"].choice_hints = {  # type: ignore[attr-defined]
            Wish.EPISODE.value: "Other times that they agreed to stay as they are",
            Wish.ALL_HERE.value: f"{organisation}, all times" if organisation else "All times",
            ELSEWHERE: "We cannot do that for them. You can print a letter for them to take",
        }
        self.fields["method"].label = f"How did {called} say it?"

    @property
    def chosen(self) -> list[str]:
        """The episodes of the wish."""
        data = self.cleaned_data
        return list(data.get("only" if data.get("wish") == Wish.EPISODE else "episodes") or [])

    def clean(self) -> dict[str, Any]:
        """At least one episode; a reason where one is left out; a form only in writing."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("wish") == Wish.EPISODE and "only" in data and not data["only"]:
            self.add_error("only", "Choose which time is meant")
        if data.get("wish") == Wish.ALL_HERE and "episodes" in data:
            offered = len(self.fields["episodes"].choices)  # type: ignore[attr-defined]
            if not data["episodes"]:
                self.add_error("episodes", "Choose at least one episode")
            elif len(data["episodes"]) < offered and not data.get("left_out_reason", "").strip():
                self.add_error(
                    "left_out_reason", "Say why the other episodes stay as they are, or tick them too"
                )
        if data.get("signed_form") and data.get("method") == Method.ORAL:
            self.add_error("signed_form", "Choose “In writing” before, or take the file away")
        return data


class ErrorForm(Form):
    """Why an act counts no longer."""

    reason = forms.CharField(
        label="What was wrong?",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="For example: recorded for the wrong client. It stays in the history with your name",
        error_messages={"required": "Say what was wrong: the record stays in the history with your words"},
    )
