"""Forms about asking and referring: shape only, the services check the rules."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django import forms

from consent.choices import HowKnown, ReferralKind, Urgency
from consent.parts import PARTS
from consent.sharing.forms import _parts, _WithParts
from edatrs.core.forms import Form


class AskForm(_WithParts):
    """What is asked of a partner, and why. `directed`: about a record that is shared already, of which `open_now` can be seen."""

    how = forms.ChoiceField(
        label="How do you know this person?",
        choices=[choice for choice in HowKnown.choices if choice[0] != HowKnown.SHARED],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how you know this person"},
    )
    parts = _parts("Which parts of the record do you need?")
    purpose = forms.CharField(
        label="Why do you need to see it?",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The partner reads this, with your name. Do not write anything about health or offending",
        error_messages={"required": "Write why you need to see it"},
    )
    message = forms.CharField(
        label="Anything else they should know (optional)",
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Such as when to call you. No clinical content",
    )
    told = forms.BooleanField(required=False)

    def __init__(
        self, *args: Any, directed: bool = False, open_now: Collection[str] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parts"].choices = [  # type: ignore[attr-defined]
            (part.key, part.words) for part in PARTS if not set(part.categories) <= set(open_now)
        ]
        self.fields["parts"].help_text = "Only what you need. They decide with the person"
        self.fields["told"].label = f"{self.called[:1].upper()}{self.called[1:]} knows that I am asking"
        if directed:
            del self.fields["how"]


class RefuseForm(Form):
    """Why a request is refused."""

    reason = forms.CharField(
        label="Why not",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="It stays here. Who asked reads the same as without an answer",
        error_messages={"required": "Write why. It stays here, and who asked never reads it"},
    )


class ReferForm(_WithParts):
    """A referral or a transfer to a partner. `to` are the choices: partners by slug, their services as slug:id."""

    to = forms.ChoiceField(
        label="To which partner?",
        help_text="Partners that can see something of this record today",
        error_messages={"required": "Choose a partner"},
    )
    kind = forms.ChoiceField(
        label="What is it?",
        choices=ReferralKind.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose whether it is a referral or a transfer"},
    )
    urgency = forms.ChoiceField(
        label="How soon?",
        choices=Urgency.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how soon"},
    )
    reason = forms.CharField(
        label="Why?",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="They read this, with your name",
        error_messages={"required": "Write why"},
    )
    parts = _parts("What is handed over?")
    message = forms.CharField(
        label="Anything else they should know (optional)",
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="No clinical content: what is handed over says that",
    )

    def __init__(self, *args: Any, to: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].choices = [("", "Choose"), *to]  # type: ignore[attr-defined]
        self.fields["parts"].help_text = "Only what is open to them already is handed over"


class AcceptForm(Form):
    """How a referral is taken over: who it is here, where, and under which client ID. `named`: the name is handed over."""

    who = forms.ChoiceField(
        label="Do you know this person already?",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose whether you have a record of this person"},
    )
    service = forms.ChoiceField(label="At which service?", error_messages={"required": "Choose the service"})
    client_id_text = forms.CharField(
        label="Client ID there (optional)",
        max_length=20,
        required=False,
        help_text="Left empty, the next free number is taken",
    )

    record = forms.CharField(
        label="Which record of yours is this person?",
        max_length=20,
        help_text="Its record number, such as R264",
        error_messages={"required": "Enter the number of your record of this person"},
    )
    field_order = ["who", "record", "service", "client_id_text"]

    def __init__(
        self, *args: Any, who: list[Any], services: list[Any], named: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["record" if named else "who"]
        self.fields["service"].choices = services if len(services) == 1 else [("", "Choose"), *services]  # type: ignore[attr-defined]
        if not named:
            return
        self.fields["who"].choices = [(key, words) for key, words, _ in who]  # type: ignore[attr-defined]
        self.fields["who"].choice_hints = {key: why for key, _, why in who if why}  # type: ignore[attr-defined]


class RejectForm(Form):
    """Why a referral is rejected."""

    reason = forms.CharField(
        label="Why not",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Who sent it reads this",
        error_messages={"required": "Write why. They read it"},
    )
