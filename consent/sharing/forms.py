"""Forms about sharing: shape only, the services check the rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from caseload.choices import LawfulGround
from consent.choices import (
    Answer,
    Condition,
    DisclosureGround,
    DisclosureWay,
    Ends,
    ReviewOutcome,
    Standing,
    Way,
    WitnessAnswer,
)
from consent.forms import SignedFormField, _signed_form
from consent.parts import PARTS, categories_of
from consent.sharing.partners import Partner
from consent.signatures import NotASignature, read_signature
from consent.uploads import SignedForm
from edatrs.core import clock
from edatrs.core.dates import DateBoxes, long_date
from edatrs.core.forms import Form

OUTSIDE = "outside"
_AREA = {"rows": 2}


def recipients(partners: Sequence[Partner], *, outside: bool, nobody: str = "Choose") -> list[Any]:
    """The choices of a recipient: partners with a protocol in force, those without, and somebody outside. Values are slugs, never ids."""
    sharing = [(p.slug, _with_protocol(p)) for p in partners if p.in_force]
    others = [(p.slug, _without(p)) for p in partners if not p.in_force]
    groups: list[Any] = [("", nobody)]
    if sharing:
        groups.append(("Can be given access", sharing))
    if others:
        groups.append(("Kept, and gives no access", others))
    if outside:
        groups.append((OUTSIDE, "Someone outside the partnership (GP, family, employer …)"))
    return groups


def _with_protocol(partner: Partner) -> str:
    return (
        f"{partner.name} (protocol in force since {long_date(partner.since)})"
        if partner.since
        else partner.name
    )


def _without(partner: Partner) -> str:
    since = partner.no_protocol_since
    return f"{partner.name}: no protocol in force" + (f" since {long_date(since)}" if since else "")


def _parts(label: str = "Which parts of the record") -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[(part.key, part.words) for part in PARTS],
    )


class _WithParts(Form):
    """A form that asks for parts of the record; `called` is the client's first name."""

    def __init__(self, *args: Any, called: str = "the client", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.called = called
        self.fields["parts"].choice_hints = {part.key: part.holds.format(called=called) for part in PARTS}  # type: ignore[attr-defined]

    def clean_parts(self) -> list[str]:
        """The categories of the parts that are ticked."""
        return categories_of(self.cleaned_data["parts"])


class ShareForm(_WithParts):
    """One answer to one recipient. Nothing is ticked beforehand but what a partner asked for, or an earlier consent held."""

    recipient = forms.ChoiceField(
        label="“I consent to share my data with”",
        error_messages={"required": "Choose with whom, or somebody outside"},
        help_text="Only organisations with a protocol in force with yours can be given access here",
    )
    recipient_name = forms.CharField(
        label="Name of the person or organisation outside",
        max_length=200,
        required=False,
        help_text="They get no access here. What is given to them is logged under “Given to others”",
    )
    purposes = forms.CharField(
        label="“for the purposes of”", max_length=1000, required=False, widget=forms.Textarea(attrs=_AREA)
    )
    parts = _parts()
    decided_on = DateBoxes(
        label="Date of consent",
        help_text="Today, or the date on the paper",
        latest=clock.today,
        latest_words="today",
    )
    ends = forms.ChoiceField(
        label="When does it end?", choices=Ends.choices, widget=forms.RadioSelect, required=False
    )
    until = DateBoxes(label="End date", required=False)
    told_who_sees = forms.BooleanField(required=False)
    told_notice = forms.BooleanField(required=False)
    way = forms.ChoiceField(choices=Way.choices, widget=forms.RadioSelect, required=False)
    drawn = forms.CharField(widget=forms.HiddenInput, required=False)
    signed_form = _signed_form()
    spoken_words = forms.CharField(
        label="What was said", max_length=1000, required=False, widget=forms.Textarea(attrs=_AREA)
    )
    witness = forms.ChoiceField(
        label="The colleague who heard it",
        required=False,
        help_text="They get a task and confirm within 24 hours. Until then nothing can be seen",
    )
    note = forms.CharField(
        label="Why not, if they said so",
        max_length=500,
        required=False,
        help_text="Only for a refusal, and only if they want it kept",
    )

    def __init__(
        self, *args: Any, partners: Sequence[Partner], colleagues: Sequence[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        called, fields = self.called, self.fields
        fields["recipient"].choices = recipients(partners, outside=True)  # type: ignore[attr-defined]
        fields["purposes"].help_text = f"In {called}’s own words where you can"
        fields["parts"].label = "They will be able to see"
        fields["parts"].help_text = f"Tick only what {called} agrees to"
        fields["ends"].choice_hints = {  # type: ignore[attr-defined]
            Ends.OPEN.value: f"{_big(called)} can still withdraw at any time. We remind you to ask again in 12 months"
        }
        fields[
            "told_who_sees"
        ].label = f"told {called} who will see what, and what happens if they say no: their treatment here goes on just the same"
        fields["told_notice"].label = "gave or read them the privacy notice as it stands today"
        fields["way"].label = f"How does {called} give consent?"
        fields["spoken_words"].help_text = f"In {called}’s own words"
        fields["witness"].choices = [("", "Choose"), *colleagues]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """A drawing and a scan become one signature; what belongs to another way is left out."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        data["signature"] = None
        if data.get("recipient") == OUTSIDE and not (data.get("recipient_name") or "").strip():
            self.add_error("recipient_name", "Write the name of whoever it is outside")
        if self.data.get("answer") == Answer.REFUSED.value:
            return data
        if data.get("way") == Way.DRAWN and data.get("drawn"):
            try:
                data["signature"] = read_signature(data["drawn"])
            except NotASignature as problem:
                self.add_error("way", str(problem))
        elif data.get("way") == Way.PAPER:
            held = data.get("signed_form")
            data["signature"] = held if isinstance(held, SignedForm) else None
        return data


def _big(words: str) -> str:
    return words[:1].upper() + words[1:]


class WithdrawConsentForm(Form):
    """A consent to share is taken back."""

    on = DateBoxes(
        label="When did they say it?",
        latest=clock.today,
        latest_words="today",
        error_messages={"required": "Enter the day they said it"},
    )
    reason = forms.CharField(
        label="In their own words",
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs=_AREA),
        help_text="If they want it kept. Nobody has to give a reason",
    )


class WitnessForm(Form):
    """What the named colleague says."""

    answer = forms.ChoiceField(
        label="Did you hear it?",
        choices=[
            (WitnessAnswer.HEARD.value, "Yes, I heard it"),
            (WitnessAnswer.NOT_HEARD.value, "No, I did not hear it"),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose whether you heard it"},
    )
    note = forms.CharField(label="Anything to add", max_length=500, required=False)


class DecisionForm(_WithParts):
    """A decision to share without consent."""

    recipient = forms.ChoiceField(label="With whom", error_messages={"required": "Choose with whom"})
    ground = forms.ChoiceField(
        label="On which ground",
        choices=LawfulGround.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose the ground"},
    )
    parts = _parts("What they need to see")
    reason = forms.CharField(
        label="Why",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What would happen without, and why consent was not asked for or is not enough",
        error_messages={"required": "Write why"},
    )
    decided_by = forms.CharField(label="Who decided", max_length=120)
    decided_as = forms.CharField(
        label="Their role", max_length=120, help_text="Such as Caldicott Guardian or team manager"
    )
    decided_on = DateBoxes(
        label="When was it decided?",
        latest=clock.today,
        latest_words="today",
        error_messages={"required": "Enter the day of the decision"},
    )
    review_on = DateBoxes(
        label="When is it reviewed, at the latest?",
        earliest=clock.today,
        earliest_words="today",
        help_text="Access ends with that day, unless the review carries it on. At most a year",
        error_messages={"required": "Enter the day by which it is reviewed"},
    )

    def __init__(self, *args: Any, partners: Sequence[Partner], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["recipient"].choices = recipients(partners, outside=False)  # type: ignore[attr-defined]
        self.fields["parts"].help_text = "Only what is needed for this purpose"


class ReviewForm(Form):
    """What the review of a decision says."""

    outcome = forms.ChoiceField(
        label="What do you decide?",
        choices=[(ReviewOutcome.GOES_ON.value, "It goes on"), (ReviewOutcome.ENDS.value, "It ends now")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose whether it goes on"},
    )
    reason = forms.CharField(
        label="Why",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Write why"},
    )
    review_on = DateBoxes(
        label="Next review, at the latest", required=False, earliest=clock.today, earliest_words="today",
        help_text="Only if it goes on. At most a year",
    )  # fmt: skip


class DisclosureForm(_WithParts):
    """Something was given to somebody outside the system."""

    way = forms.ChoiceField(
        label="How was it given?",
        # A hand-over is logged by the referral that was accepted.
        choices=[choice for choice in DisclosureWay.choices if choice[0] != DisclosureWay.HAND_OVER],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how it was given"},
    )
    recipient_name = forms.CharField(
        label="To whom",
        max_length=200,
        help_text="Name and place, such as Dr Osei, Moulsham Street surgery",
        error_messages={"required": "Write to whom it was given"},
    )
    what = forms.CharField(
        label="What, in a few words",
        max_length=200,
        help_text="Such as prescription summary. The thing itself is not kept here",
        error_messages={"required": "Write what was given, in a few words"},
    )
    parts = _parts("Which parts of the record it was about")
    purpose = forms.CharField(
        label="What for", max_length=500, error_messages={"required": "Write what it was for"}
    )
    ground = forms.ChoiceField(
        label="Why could it be given?",
        choices=DisclosureGround.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose why it could be given"},
    )
    consent = forms.ChoiceField(label="Which consent", required=False)
    standing = forms.ChoiceField(
        label="Which standing recipient",
        choices=[("", "Choose"), *Standing.choices],
        required=False,
        help_text="The privacy notice names these three",
    )
    condition = forms.ChoiceField(
        label="Under which condition",
        choices=[("", "Choose"), *Condition.choices],
        required=False,
        help_text="GP: for prescribing. Pharmacy: for dispensing. Next of kin: in an emergency, or when contact is lost",
    )
    lawful_ground = forms.ChoiceField(
        label="Which lawful ground", choices=[("", "Choose"), *LawfulGround.choices], required=False
    )
    given_on = DateBoxes(
        label="When was it given?",
        latest=clock.today,
        latest_words="today",
        error_messages={"required": "Enter the day it was given"},
    )

    def __init__(self, *args: Any, consents: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["consent"].choices = [("", "Choose"), *consents]  # type: ignore[attr-defined]


__all__ = [
    "OUTSIDE",
    "DecisionForm",
    "DisclosureForm",
    "ReviewForm",
    "ShareForm",
    "SignedFormField",
    "WithdrawConsentForm",
    "WitnessForm",
]
