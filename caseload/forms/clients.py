"""Forms about a client: shape only. What is recorded and left as it was is never refused, whatever it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms

from caseload import present
from caseload.dataset.reader import load_dictionary
from caseload.matching import nhs_number_is_sound
from caseload.search import digits
from caseload.services.clients import Part, names_of
from edatrs.core import clock
from edatrs.core.dates import DateBoxes, long_date
from edatrs.core.forms import Form

EARLIEST_BIRTH = dt.date(1900, 1, 1)
NOT_RECORDED = "Not recorded"
# A longer list shows the code behind the words.
MOST_PLAIN = 5


class Text(forms.CharField):
    """A line of text. Too long a text is refused with how long it is, and stays in the box: no browser cuts it off unseen."""

    recorded: str = ""

    def __init__(self, label: str, longest: int, *, width: int | None = None, **kwargs: Any) -> None:
        self.width = width
        words = f"{label} must be %(limit_value)s characters or fewer. There are %(show_value)s"
        kwargs.setdefault("required", False)
        super().__init__(label=label, max_length=longest, error_messages={"max_length": words}, **kwargs)

    def widget_attrs(self, widget: Any) -> dict[str, Any]:
        """Without Django's maxlength."""
        return {}

    def run_validators(self, value: Any) -> None:
        """What is recorded already may stay. Raises ValidationError."""
        if value != self.recorded.strip():
            super().run_validators(value)


class NhsNumber(Text):
    """Ten digits, with or without blanks. The check digit is not asked here: a wrong one is warned of, not refused."""

    def clean(self, value: Any) -> str:
        """The ten digits, nothing, or what is recorded. Raises ValidationError."""
        typed = str(super().clean(value))
        found = digits(typed)
        if not typed or typed == self.recorded.strip():
            return typed
        if len(found) != 10 or set(typed) - set(found) - set(" -"):
            raise forms.ValidationError(
                "NHS number must have 10 digits, like 999 014 2076. Leave it empty if it is not known"
            )
        return found


class Code(forms.ChoiceField):
    """A code of the national data set by its label. A recorded code that the list does not have stays selectable and says so."""

    def __init__(self, item: str, label: str, **kwargs: Any) -> None:
        self.item = load_dictionary().item(item)
        super().__init__(label=label, required=False, choices=[("", NOT_RECORDED)], **kwargs)

    def offer(self, letter: str, recorded: str) -> None:
        """The codes of a letter, and the recorded one. A long list shows the code behind the words."""
        known = load_dictionary().codes(self.item.code_list, letter)
        plain = len(known) <= MOST_PLAIN and len(set(known.values())) == len(known)
        said = {code: words if plain else f"{words} ({code})" for code, words in known.items()}
        offered = [("", NOT_RECORDED), *said.items()]
        if recorded and recorded not in known:
            offered.append((recorded, f"{recorded} (recorded, not in the list of data set {letter})"))
        self.choices = offered


def coded(item: str, label: str, hint: str = "") -> forms.Field:
    """A list of the codes, or where no source gives any a box for the code itself."""
    found = load_dictionary().item(item)
    if load_dictionary().list_is_established(found.code_list):
        return Code(item, label, help_text=hint)
    # Longer than the item only where something longer is recorded already.
    return Text(label, found.max_length or 20, width=5, help_text=hint or "The code, as NDTMS gives it")


class DetailsForm(Form):
    """One category of a client. `part` is what is recorded, `letter` says which code lists are shown."""

    category: ClassVar[str] = ""
    heading: ClassVar[str] = ""

    def __init__(self, data: Any = None, *, part: Part | None, letter: str, **kwargs: Any) -> None:
        super().__init__(data, initial=kwargs.pop("initial", part.values if part else {}), **kwargs)
        self.recorded: Mapping[str, Any] = part.values if part else {}
        for name, bound in self.fields.items():
            held = self.recorded.get(name)
            if isinstance(bound, Text):
                bound.recorded = str(held or "")
            elif isinstance(bound, Code):
                bound.offer(letter, str(held or ""))
            elif isinstance(bound, DateBoxes) and held:
                bound.earliest = min(held, EARLIEST_BIRTH)
                bound.latest = max(held, clock.today())

    def values(self) -> dict[str, Any]:
        """What to save: what differs from the recorded by blanks around it alone is as it is recorded."""
        found = {}
        for name in names_of(self.category):
            value, held = self.cleaned_data.get(name), self.recorded.get(name)
            same = isinstance(held, str) and held.strip() == (value or "").strip()
            found[name] = held if same else value
        return found

    def shown(self, name: str, value: Any) -> str:
        """A value in words."""
        if value in (None, ""):
            return NOT_RECORDED
        if isinstance(value, dt.date):
            return long_date(value)
        field = self.fields.get(name)
        if isinstance(field, NhsNumber):
            return present.nhs_number(str(value))
        if isinstance(field, Code):
            return str(dict(field.choices).get(value, value))
        return str(value)


class IdentityFields(Form):
    """Who it is."""

    title = Text("Title", 35, width=5)
    forename = Text("Forename", 200)
    surname = Text(
        "Surname", 200, help_text="As the client says it. Any script and any accents may stand here"
    )
    date_of_birth = DateBoxes(
        label="Date of birth",
        required=False,
        earliest=EARLIEST_BIRTH,
        latest=clock.today,
        latest_words="today",
        help_text="For example 16 8 1986",
    )
    sex = coded("SEX", "Sex", "As the client states it")
    nhs_number = NhsNumber("NHS number", 40, width=10, help_text="10 digits, for example 999 014 2076")

    def clean(self) -> dict[str, Any]:
        """A name of some kind is needed."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        typed = {"surname", "forename"} - set(self.errors)
        if len(typed) == 2 and not data.get("surname") and not data.get("forename"):
            self.add_error(
                "surname", "Enter a surname or a forename. If neither is known, enter what they are called"
            )
        return data


class ContactFields(Form):
    """How to reach them."""

    address_line_1 = Text("Address line 1", 100)
    address_line_2 = Text("Address line 2", 100)
    town = Text("Town or city", 100)
    postcode = Text("Postcode", 10, width=10)
    phone = Text("Phone", 40, width=20)
    email = Text("E-mail", 254)


class IdentityForm(DetailsForm, IdentityFields):
    """Category identity."""

    category = "identity"
    heading = "Identity"


class ContactForm(DetailsForm, ContactFields):
    """Category contact."""

    category = "contact"
    heading = "Contact"


class EqualityForm(DetailsForm):
    """Category equality."""

    category = "equality"
    heading = "Equality"

    ethnicity = coded("ETHNIC", "Ethnicity", "Ask; do not guess")
    nationality = coded("NATION", "Nationality", "Three capital letters, GBR for British")
    religion = coded("RELIGION", "Religion or belief")
    sexual_orientation = coded("SEXUALO", "Sexual orientation")


class DisabilityForm(DetailsForm):
    """Category disability."""

    category = "disability"
    heading = "Disability"

    disability_1 = coded("DISABLE1", "Disability 1")
    disability_2 = coded("DISABLE2", "Disability 2")
    disability_3 = coded("DISABLE3", "Disability 3")


class CircumstancesForm(DetailsForm):
    """Category circumstances: the items of the client; those of an episode stand with the episode."""

    category = "circumstances"
    heading = "Circumstances"

    VETERAN = coded("VETERAN", "British Armed Forces veteran")


FORMS: Mapping[str, type[DetailsForm]] = {
    form.category: form
    for form in (IdentityForm, ContactForm, EqualityForm, DisabilityForm, CircumstancesForm)
}


class RegisterForm(DetailsForm, ContactFields, IdentityFields):
    """Identity, contact and the client ID of somebody new."""

    field_order = [*names_of("identity"), *names_of("contact"), "client_id_text", "none_of_these"]
    client_id_text = Text(
        "Client ID",
        40,
        width=10,
        required=True,
        help_text="The next free number of the agency, or your own. It is kept exactly as it stands here and never used again",
    )
    none_of_these = forms.BooleanField(label="None of these is the person I am registering", required=False)

    def values_in(self, category: str) -> dict[str, Any]:
        """The fields of a category."""
        return {name: self.cleaned_data.get(name) for name in names_of(category)}


class ReasonForm(Form):
    """Why."""

    reason = Text(
        "Reason",
        2000,
        required=True,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="It is kept with the record",
    )


def warnings(values: Mapping[str, Any]) -> list[str]:
    """What was saved and should be looked at again."""
    found = []
    number = str(values.get("nhs_number") or "")
    if number and not nhs_number_is_sound(number):
        found.append("The NHS number was saved, but its check digit does not fit. Check it with the client")
    email = str(values.get("email") or "")
    if email and "@" not in email:
        found.append("The e-mail address was saved, but it has no @ in it. Check it with the client")
    return found
