"""What sign-in needs to remember: the second factor, recovery codes, tries, and links that set a password.

None of it is client data and none of it belongs to one organisation: a person has one sign-in, whomever they act for.
"""

from __future__ import annotations

import datetime as dt
import hmac
from base64 import b32decode

from django.db import models
from django.db.models import Q
from django_otp.models import Device
from django_otp.oath import hotp

from edatrs.core import clock
from edatrs.core.crypto import EncryptedTextField

STEP_SECONDS = 30
DIGITS = 6


def step_at(instant: dt.datetime) -> int:
    """The number of the 30-second step of an instant (RFC 6238)."""
    return int(instant.timestamp()) // STEP_SECONDS


class AuthenticatorApp(Device):
    """The second factor: codes of an authenticator app. A code is good in its own step and the next one, and once."""

    secret = EncryptedTextField(help_text="Base32, as the app takes it")
    last_step = models.BigIntegerField(
        default=-1, help_text="Of the last code used; none so early is taken again"
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["user", "confirmed"], name="one_app_in_use_and_one_in_set_up"),
        ]

    def __str__(self) -> str:
        return self.name

    def code_at(self, step: int) -> str:
        """The code of a step."""
        return f"{hotp(b32decode(self.secret), step, digits=DIGITS):0{DIGITS}d}"

    def verify_token(self, token: str) -> bool:
        """Use a code up: this step's or the one before's, if none so late was used. The caller holds the row locked."""
        now = step_at(clock.now())
        for step in (now, now - 1):
            if step > self.last_step and hmac.compare_digest(self.code_at(step).encode(), token.encode()):
                self.last_step = step
                self.save(update_fields=["last_step"])
                return True
        return False


class RecoveryCode(models.Model):
    """One of the codes that stand in for the authenticator app, each once. Only a keyed digest is kept."""

    user = models.ForeignKey("organisations.User", on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_once_a_person")]

    def __str__(self) -> str:
        return "used" if self.used_at else "unused"


class SignInAttempt(models.Model):
    """One try to sign in. The account is a keyed digest of the e-mail typed: unknown ones count and are not kept."""

    class Step(models.TextChoices):
        """What was asked for."""

        PASSWORD = "password", "Password"  # noqa: S105  # the name of a step
        SECOND_FACTOR = "second_factor", "Second factor"
        CONFIRMATION = "confirmation", "Second factor again, while signed in"

    class Result(models.TextChoices):
        """What came of it: only wrong ones count against the limit, refused ones were not looked at."""

        RIGHT = "right", "Right"
        WRONG = "wrong", "Wrong"
        REFUSED = "refused", "Refused: too many wrong tries"

    account = models.CharField(max_length=64)
    address = models.GenericIPAddressField()
    at = models.DateTimeField()
    step = models.CharField(max_length=20, choices=Step)
    result = models.CharField(max_length=10, choices=Result)

    class Meta:
        ordering = ["-at"]
        indexes = [
            models.Index(fields=["account", "at"], name="attempt_by_account"),
            models.Index(fields=["address", "at"], name="attempt_by_address"),
            models.Index(fields=["at"], name="attempt_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.get_step_display()}: {self.get_result_display()}"


class PasswordLink(models.Model):
    """A link that sets a password once, sent by mail. It ends by use, by a sign-in and by a change of password."""

    class Purpose(models.TextChoices):
        """Why it was made."""

        RESET = "reset", "Cannot sign in"
        INVITATION = "invitation", "Invitation"

    user = models.ForeignKey("organisations.User", on_delete=models.CASCADE, related_name="password_links")
    digest = models.CharField(max_length=64, unique=True)
    purpose = models.CharField(max_length=12, choices=Purpose)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["user"], condition=Q(ended_at__isnull=True), name="password_link_open")
        ]

    def __str__(self) -> str:
        return self.get_purpose_display()
