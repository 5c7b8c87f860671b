"""Forms of sign-in and of one's own account. They check shape; the services check what is right."""

from __future__ import annotations

from typing import Any

from django import forms

from edatrs.core.forms import Form
from edatrs.organisations.models import Organisation
from edatrs.organisations.passwords import LONGEST, SHORTEST

WRONG = "Enter the e-mail address and password you use here. One of them is not right."
WRONG_CODE = "Enter the code that the app shows now. This one is not right, or it was used already."
WRONG_RECOVERY = "Enter one of your unused recovery codes. This one is not right, or it was used already."


def _email(words: str = "Your work address") -> forms.CharField:
    return forms.CharField(
        label="E-mail address",
        help_text=words,
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
        error_messages={"required": "Enter your e-mail address"},
    )


def _password(label: str, *, new: bool, required: str, hint: str = "") -> forms.CharField:
    attrs = {"autocomplete": "new-password" if new else "current-password"}
    return forms.CharField(
        label=label,
        help_text=hint,
        strip=False,
        widget=forms.PasswordInput(attrs=attrs),
        error_messages={"required": required},
    )


class SignInForm(Form):
    """E-mail address and password."""

    email = _email()
    password = _password("Password", new=False, required="Enter your password")

    def refuse(self) -> None:
        """The one answer to an unknown address, a wrong password and too many tries."""
        self.add_error("password", WRONG)


class CodeForm(Form):
    """A code of the authenticator app."""

    code = forms.CharField(
        label="6-digit code from your authenticator app",
        help_text="It changes every 30 seconds. Spaces do not matter.",
        max_length=20,
        error_messages={"required": "Enter the 6 digits that the app shows", "max_length": WRONG_CODE},
    )

    def refuse(self) -> None:
        """Wrong, used already, or too many tries."""
        self.add_error("code", WRONG_CODE)


class RecoveryForm(Form):
    """A recovery code."""

    recovery = forms.CharField(
        label="Recovery code",
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Enter a recovery code", "max_length": WRONG_RECOVERY},
    )

    def refuse(self) -> None:
        """Wrong, used already, or too many tries."""
        self.add_error("recovery", WRONG_RECOVERY)


class SavedForm(Form):
    """That the recovery codes are safe somewhere."""

    saved = forms.BooleanField(
        label="I have saved my recovery codes",
        error_messages={"required": "Save the codes, then tick the box: they are not shown again"},
    )


class AskForLinkForm(Form):
    """The address to send a link to."""

    email = _email("We send a link to it if it belongs to a sign-in here.")


class NewPasswordForm(Form):
    """A new password, twice."""

    password = _password(
        "New password",
        new=True,
        required="Enter a new password",
        hint=f"{SHORTEST} to {LONGEST} characters, spaces too. A few words that only you would put together are good.",
    )
    again = _password("New password again", new=True, required="Enter the new password again")

    def clean(self) -> dict[str, Any]:
        """Both are the same."""
        found: dict[str, Any] = super().clean() or {}
        if {"password", "again"} <= set(found) and found["password"] != found["again"]:
            self.add_error("again", "Enter the same new password in both boxes")
        return found


class ChangePasswordForm(NewPasswordForm):
    """One's present password, and a new one."""

    current = _password("Your present password", new=False, required="Enter your present password")
    field_order = ["current", "password", "again"]


class PasskeyForm(Form):
    """A name for a new passkey."""

    name = forms.CharField(
        label="Name of the passkey",
        help_text="So that you can tell them apart, such as “Office laptop”.",
        max_length=60,
        error_messages={
            "required": "Enter a name, such as “Office laptop”",
            "max_length": "Enter at most 60 characters",
        },
    )


class ChooseOrganisationForm(Form):
    """Which organisation one acts for."""

    organisation = forms.ChoiceField(
        label="Your organisations",
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose the organisation you act for",
            "invalid_choice": "Choose one of your organisations",
        },
    )

    def __init__(self, *args: Any, organisations: dict[Organisation, list[str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["organisation"]
        field.choices = [(o.slug, o.name) for o in organisations]
        field.choice_hints = {o.slug: ", ".join(roles) for o, roles in organisations.items()}
