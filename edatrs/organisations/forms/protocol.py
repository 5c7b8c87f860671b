"""Forms of the protocol register."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator, validate_email

from edatrs.core import clock
from edatrs.core.dates import DateBoxes
from edatrs.core.forms import Form
from edatrs.organisations import catalogue
from edatrs.organisations.choices import AuthorisedAs, EntryKind, PartyRole
from edatrs.organisations.models import Agreement, AgreementParty, Organisation, User

_TOO_LONG = "Enter at most {} characters"
_LONG = 2000
_ICO = RegexValidator(r"^Z[A-Z0-9]{7}\Z", "Enter ICO references such as Z1234567, one a line")


def _text(
    label: str, longest: int = 200, *, rows: int = 0, required: bool = False, **more: Any
) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows}) if rows else forms.TextInput()
    return forms.CharField(
        label=label,
        max_length=longest,
        required=required,
        widget=widget,
        error_messages={"max_length": _TOO_LONG.format(f"{longest:,}"), **more.pop("error_messages", {})},
        **more,
    )


def lines_of(text: str) -> list[str]:
    """The lines that are not blank, each once."""
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


class DraftForm(Form):
    """A new agreement."""

    title = _text("Title", required=True, error_messages={"required": "Enter the title of the agreement"})
    summary = _text(
        "What is shared and why, in plain words",
        _LONG,
        rows=5,
        help_text="Anybody can read this once the agreement is approved. You can write it later.",
    )


class DetailsForm(Form):
    """What stands on the first page. Nothing is needed here: what is blank stops the approval and nothing else."""

    title = _text("Title", required=True, error_messages={"required": "Enter the title of the agreement"})
    version = _text("Version", 20, help_text="Such as 3.1")
    owner = forms.ChoiceField(
        label="Owner",
        required=False,
        help_text="The party that decides when partners cannot agree, and begins the review.",
        error_messages={"invalid_choice": "Choose a party from the list"},
    )
    authors = _text("Authors", _LONG, rows=2)
    summary = _text("What is shared and why, in plain words", _LONG, rows=5)
    retention = _text("How long what is shared is kept, and by whose policy", _LONG, rows=3)

    def __init__(self, *args: Any, agreement: Agreement, **kwargs: Any) -> None:
        kwargs.setdefault(
            "initial",
            {
                **{n: getattr(agreement, n) for n in ("title", "version", "authors", "summary", "retention")},
                "owner": agreement.owner.slug if agreement.owner else "",
            },
        )
        super().__init__(*args, **kwargs)
        self.known = {p.organisation.slug: p.organisation for p in agreement.parties.all()}
        fields: dict[str, Any] = self.fields
        fields["owner"].choices = [("", "Not recorded"), *((slug, o.name) for slug, o in self.known.items())]

    def owner_chosen(self) -> Organisation | None:
        """The party, or None."""
        return self.known.get(self.cleaned_data["owner"])


_KINDS = {
    EntryKind.PURPOSE: "Purposes",
    EntryKind.INFORMATION: "Information that is shared",
    EntryKind.ARTICLE_6: "Legal basis: UK GDPR, Article 6",
    EntryKind.ARTICLE_9: "Legal basis: UK GDPR, Article 9",
    EntryKind.DPA_PART_3: "Legal basis: Data Protection Act 2018, part 3",
    EntryKind.STATUTE: "Statutes",
    EntryKind.RIGHT: "Rights that apply",
}
_OWN_WORDS = {EntryKind.PURPOSE: "Other purposes", EntryKind.STATUTE: "Other statutes"}


class ContentsForm(Form):
    """Purposes, information, legal bases and rights, chosen from closed lists; other purposes and statutes one a line."""

    def __init__(self, *args: Any, agreement: Agreement, **kwargs: Any) -> None:
        held: dict[str, list[Any]] = {}
        for entry in agreement.entries.all():
            held.setdefault(entry.kind, []).append(entry)
        initial: dict[str, Any] = {}
        for kind in _KINDS:
            found = held.get(kind.value, [])
            initial[kind.value] = [e.key for e in found if not e.key.startswith(catalogue.OWN)]
            initial[f"{kind.value}_own"] = "\n".join(
                e.words for e in found if e.key.startswith(catalogue.OWN)
            )
        kwargs.setdefault("initial", initial)
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        for kind, label in _KINDS.items():
            fields[kind.value] = forms.MultipleChoiceField(
                label=label,
                required=False,
                widget=forms.CheckboxSelectMultiple,
                choices=[(line.key, line.words) for line in catalogue.LINES[kind]],
                error_messages={"invalid_choice": "Choose from the list"},
            )
            if kind in catalogue.OPEN_KINDS:
                fields[f"{kind.value}_own"] = _text(_OWN_WORDS[kind], _LONG, rows=2, help_text="One a line.")

    def chosen(self) -> dict[str, list[str]]:
        """The keys by kind."""
        return {kind.value: self.cleaned_data[kind.value] for kind in _KINDS}

    def own(self) -> dict[str, list[str]]:
        """The lines of the agreement's own, by kind."""
        return {k.value: lines_of(self.cleaned_data[f"{k.value}_own"]) for k in catalogue.OPEN_KINDS}


class DocumentsForm(Form):
    """Name or link of the supporting documents, and who answers for each (obligation 16)."""

    def __init__(self, *args: Any, agreement: Agreement, **kwargs: Any) -> None:
        held = {e.key: e for e in agreement.entries.all() if e.kind == EntryKind.DOCUMENT}
        initial: dict[str, str] = {}
        for line in catalogue.LINES[EntryKind.DOCUMENT]:
            if line.key in held:
                initial[line.key] = held[line.key].reference
                initial[f"{line.key}_by"] = held[line.key].authority
        kwargs.setdefault("initial", initial)
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        for line in catalogue.LINES[EntryKind.DOCUMENT]:
            fields[line.key] = _text(f"{line.words}: name, link or number", 500)
            fields[f"{line.key}_by"] = _text(f"{line.words}: who answers for it", 200)

    @property
    def pairs(self) -> list[tuple[str, Any, Any]]:
        """Heading and the two boxes of each kind."""
        lines = catalogue.LINES[EntryKind.DOCUMENT]
        return [(line.words, self[line.key], self[f"{line.key}_by"]) for line in lines]

    def values(self) -> dict[str, tuple[str, str]]:
        """Reference and authority by kind."""
        keys = [line.key for line in catalogue.LINES[EntryKind.DOCUMENT]]
        return {key: (self.cleaned_data[key], self.cleaned_data[f"{key}_by"]) for key in keys}


class PartyForm(Form):
    """A party and its roles."""

    party = forms.ChoiceField(
        label="Organisation",
        error_messages={"required": "Choose an organisation", "invalid_choice": "Choose from the list"},
    )
    roles = forms.MultipleChoiceField(
        label="Roles",
        choices=PartyRole.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="It may be several. For a party that is there already, these replace its roles.",
        error_messages={"required": "Choose at least one role", "invalid_choice": "Choose from the list"},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = {o.slug: o for o in Organisation.objects.order_by("name")}
        fields: dict[str, Any] = self.fields
        fields["party"].choices = [("", "Choose"), *((slug, o.name) for slug, o in self.known.items())]


class OwnPartForm(Form):
    """A party's own part: where breach notices go, and the rights it has a process for."""

    breach_emails = forms.MultipleChoiceField(
        label="Which addresses get breach notices?",
        widget=forms.CheckboxSelectMultiple,
        help_text="Partners are told of a breach within 48 hours, at nights and weekends too.",
        error_messages={
            "required": "Choose at least one address",
            "invalid_choice": "Choose from your own addresses",
        },
    )
    confirmed = forms.MultipleChoiceField(
        label="For which rights has your organisation a process?",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Each request is answered within one month of receipt.",
        error_messages={"invalid_choice": "Choose from the list"},
    )

    def __init__(self, *args: Any, agreement: Agreement, party: AgreementParty, **kwargs: Any) -> None:
        kwargs.setdefault(
            "initial",
            {
                "breach_emails": party.breach_emails,
                "confirmed": [str(c.entry_id) for c in party.confirmations.all()],
            },
        )
        super().__init__(*args, **kwargs)
        rights = [e for e in agreement.entries.all() if e.kind == EntryKind.RIGHT]
        fields: dict[str, Any] = self.fields
        fields["breach_emails"].choices = [(address, address) for address in party.organisation.emails]
        fields["confirmed"].choices = [(str(e.pk), e.words) for e in rights]

    def rights(self) -> list[UUID]:
        """The entries that are confirmed."""
        return [UUID(pk) for pk in self.cleaned_data["confirmed"]]


class ContactForm(Form):
    """The six contact items (obligation 2)."""

    name = _text(
        "Name of the organisation",
        120,
        required=True,
        error_messages={"required": "Enter the name of the organisation"},
    )
    head_office = _text(
        "Head office address", _LONG, rows=3, required=True, error_messages={"required": "Enter the address"}
    )
    phone = _text("Phone number", 40, required=True, error_messages={"required": "Enter the phone number"})
    emails = _text(
        "E-mail addresses",
        _LONG,
        rows=2,
        required=True,
        help_text="One a line.",
        error_messages={"required": "Enter at least one e-mail address"},
    )
    data_protection_officer = _text(
        "Data protection officer",
        120,
        required=True,
        error_messages={"required": "Enter the name of the data protection officer"},
    )
    ico_references = _text(
        "ICO references",
        200,
        rows=2,
        required=True,
        help_text="One a line, such as Z1234567.",
        error_messages={"required": "Enter at least one ICO reference"},
    )
    opened_at = forms.CharField(widget=forms.HiddenInput, required=False)

    def clean_emails(self) -> list[str]:
        """Addresses, one a line."""
        found = lines_of(self.cleaned_data["emails"])
        for address in found:
            try:
                validate_email(address)
            except ValidationError:
                raise ValidationError(
                    f"“{address}” is no e-mail address. Enter one a line, such as name@organisation.example"
                ) from None
        return found

    def clean_ico_references(self) -> list[str]:
        """References, one a line."""
        found = [line.upper() for line in lines_of(self.cleaned_data["ico_references"])]
        for reference in found:
            _ICO(reference)
        return found


class AuthorityForm(Form):
    """In which role somebody signs, approves or gives notice, and that they mean it."""

    signed_as = forms.ChoiceField(
        label="You act as",
        widget=forms.RadioSelect,
        choices=AuthorisedAs.choices,
        error_messages={"required": "Choose the role you act in", "invalid_choice": "Choose from the list"},
    )
    sure = forms.BooleanField(error_messages={"required": "Tick the box to go on"})

    def __init__(self, *args: Any, roles: list[tuple[str, str]], words: str, **kwargs: Any) -> None:
        if len(roles) == 1:
            kwargs.setdefault("initial", {"signed_as": roles[0][0]})
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["signed_as"].choices = roles
        fields["sure"].label = words


class NoticeForm(AuthorityForm):
    """Notice to leave: when it was received, and by whom it is given."""

    received_on = DateBoxes(label="Written notice received on", latest=clock.today, latest_words="today")


class ReceivedForm(Form):
    """The day of the notice, to work out the last day."""

    received_on = DateBoxes(label="Written notice received on", latest=clock.today, latest_words="today")


class CertificateForm(Form):
    """What was returned or destroyed, and when."""

    done_on = DateBoxes(label="Finished on", latest=clock.today, latest_words="today")
    words = _text(
        "What was returned or destroyed, how, and who saw it",
        _LONG,
        rows=5,
        required=True,
        help_text="No names of clients.",
        error_messages={"required": "Say what was returned or destroyed"},
    )


class ReviewForm(Form):
    """Why the review comes early."""

    reason = forms.ChoiceField(
        label="Why is it reviewed now?",
        choices=[("breach", "A breach"), ("change", "A change")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose why it is reviewed now"},
    )
    words = _text(
        "What happened",
        500,
        rows=3,
        required=True,
        help_text="The number of the breach, or what has changed. No names of clients.",
        error_messages={"required": "Say what happened"},
    )


class NewVersionForm(Form):
    """The number of the next version."""

    version = _text(
        "Number of the new version", 20, required=True, error_messages={"required": "Enter a number"}
    )


class PublicationForm(Form):
    """When and where it is published outside."""

    published_on = DateBoxes(label="Published on", required=False, latest=clock.today, latest_words="today")
    published_at = forms.URLField(
        label="Link",
        required=False,
        max_length=200,
        assume_scheme="https",
        error_messages={"invalid": "Enter a link, such as https://portal.example/agreement"},
    )


class SignatoryForm(Form):
    """Who may sign, as what, and from when to when."""

    person = forms.ChoiceField(
        label="Person",
        error_messages={"required": "Choose a person", "invalid_choice": "Choose from the list"},
    )
    role = forms.ChoiceField(
        label="Authorised as",
        choices=AuthorisedAs.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a role", "invalid_choice": "Choose from the list"},
    )
    valid_from = DateBoxes(label="First day", initial=clock.today)
    valid_until = DateBoxes(
        label="Last day",
        required=False,
        help_text="Leave it empty for no end.",
        earliest=clock.today,
        earliest_words="today",
    )

    def __init__(self, *args: Any, people: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["person"].choices = [("", "Choose"), *((str(p.pk), p.full_name) for p in people)]

    def clean(self) -> dict[str, Any]:
        """The last day is not before the first."""
        found: dict[str, Any] = super().clean() or {}
        first, last = found.get("valid_from"), found.get("valid_until")
        if first and last and last < first:
            self.add_error("valid_until", "Last day must not be before the first day")
        return found


class LastDayForm(Form):
    """The last day of an authorised role."""

    last_day = DateBoxes(label="Last day")
