"""The second factor: set-up, codes, recovery codes, and the reset by an administrator after an identity check."""

from __future__ import annotations

import secrets
from base64 import b32encode
from collections.abc import Callable
from uuid import UUID

from django.db import models, transaction
from django_otp.models import Device
from django_otp_webauthn.models import WebAuthnCredential

from edatrs.core import clock, trail
from edatrs.core.access import Denied
from edatrs.core.crypto import keyed_hash
from edatrs.core.scope import current_organisation
from edatrs.organisations import directory, passkeys
from edatrs.organisations.models import AuthenticatorApp, RecoveryCode, SignInAttempt, User
from edatrs.organisations.services import attempts, outbox, sign_in

RECOVERY_CODES = 8
# Without letters and digits that look alike on paper.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


class IdentityCheck(models.TextChoices):
    """How an administrator made sure who asks."""

    IN_PERSON = "in_person", "I met them and know them"
    DOCUMENT = "document", "I met them and saw their staff card or passport"
    VIDEO = "video", "I saw them on a video call and know them"
    MANAGER = "manager", "Their manager confirmed it, and I called them back on the number that we hold"


class ResetReason(models.TextChoices):
    """Why the second step is reset. Codes, because the trail takes no free text."""

    LOST = "lost", "The phone is lost or was stolen"
    REPLACED = "replaced", "There is a new phone and the old one is gone"
    BROKEN = "broken", "The phone or the app does not work"
    EXPOSED = "exposed", "Somebody else may know the key or the recovery codes"


def new_secret() -> str:
    """160 random bits in base32, as RFC 4226 recommends."""
    return b32encode(secrets.token_bytes(20)).decode()


@transaction.atomic
def start_set_up(*, acting_user: User) -> AuthenticatorApp:
    """An authenticator app in set-up, with a new secret; one that was begun elsewhere and not finished is void."""
    AuthenticatorApp.objects.filter(user=acting_user, confirmed=False).delete()
    return AuthenticatorApp.objects.create(
        user=acting_user,
        name="Authenticator app",
        confirmed=False,
        secret=new_secret(),
        created_at=clock.now(),
    )


@transaction.atomic
def finish_set_up(*, acting_user: User, app_id: int, code: str) -> tuple[AuthenticatorApp, list[str]] | None:
    """Take the app into use in place of the old one, if the code is right: the app and the recovery codes, shown once."""
    app = (
        AuthenticatorApp.objects.select_for_update()
        .filter(pk=app_id, user=acting_user, confirmed=False)
        .first()
    )
    if app is None or not app.verify_token(digits(code)):
        return None
    put_into_use(app)
    codes = new_recovery_codes(user=acting_user)
    sign_in.record(
        "organisations.second_factor_enrolled", acting_user, factor="authenticator_app", codes=RECOVERY_CODES
    )
    outbox.post(
        unique_key=f"second-factor-set-up:{app.pk}",
        to=acting_user.email,
        subject="An authenticator app was set up",
        text=(
            "An authenticator app was set up for your EDATRS caseload sign-in.\n\n"
            "If this was not you, tell your organisation administrator now."
        ),
    )
    return app, codes


def put_into_use(app: AuthenticatorApp) -> None:
    """Make an app the one in use."""
    AuthenticatorApp.objects.filter(user_id=app.user_id, confirmed=True).exclude(pk=app.pk).delete()
    app.confirmed = True
    app.save(update_fields=["confirmed"])


def digits(code: str) -> str:
    """What was typed without the spaces that apps show."""
    return "".join(code.split())


def _digest(user: User, code: str) -> str:
    plain = "".join(c for c in code.casefold() if c.isalnum())
    return keyed_hash("recovery code", f"{user.pk}:{plain}")


def new_recovery_codes(*, user: User) -> list[str]:
    """Replace a person's recovery codes; the words are returned once and kept nowhere."""
    user.recovery_codes.all().delete()
    found = ["".join(secrets.choice(_ALPHABET) for _ in range(8)) for _ in range(RECOVERY_CODES)]
    now = clock.now()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=user, digest=_digest(user, code), created_at=now) for code in found
    )
    return [f"{code[:4]}-{code[4:]}" for code in found]


@transaction.atomic
def replace_recovery_codes(*, acting_user: User) -> list[str]:
    """New recovery codes for oneself; the old ones end."""
    codes = new_recovery_codes(user=acting_user)
    sign_in.record(
        "organisations.second_factor_enrolled", acting_user, factor="recovery_codes", codes=RECOVERY_CODES
    )
    return codes


@transaction.atomic
def confirm(
    *, acting_user: User, address: str, step: SignInAttempt.Step, code: str = "", recovery: str = ""
) -> Device | None:
    """Use up a code of the app, or a recovery code: the device in use, or None when it is wrong or tries are refused."""
    attempt = attempts.begin(email=acting_user.email, address=address, step=step)
    app = AuthenticatorApp.objects.select_for_update().filter(user=acting_user, confirmed=True).first()
    device: Device | None = app or next(iter(passkeys.of(acting_user)), None)
    right = False
    if device is not None and not attempt.refused:
        if recovery:
            right = _use_recovery_code(acting_user, recovery)
        else:
            right = app is not None and app.verify_token(digits(code))
    if attempt.end(right):
        return device
    sign_in.record_failure(acting_user, attempt, "recovery_code" if recovery else "authenticator_app")
    return None


@transaction.atomic
def confirm_passkey(
    *, acting_user: User, address: str, step: SignInAttempt.Step, check: Callable[[], WebAuthnCredential]
) -> WebAuthnCredential | None:
    """Check what the browser sent of a passkey: the passkey, or None when it is wrong or tries are refused. A wrong one counts as a try."""
    attempt = attempts.begin(email=acting_user.email, address=address, step=step)
    shown = None
    if not attempt.refused:
        try:
            with transaction.atomic():
                shown = check()
        except passkeys.BadAnswer:
            shown = None
    if attempt.end(shown is not None):
        return shown
    sign_in.record_failure(acting_user, attempt, passkeys.PASSKEY)
    return None


class PasskeyRefused(ValueError):
    """A passkey cannot be added or removed like this; the words are for the person."""


@transaction.atomic
def add_passkey(*, acting_user: User, make: Callable[[], WebAuthnCredential]) -> list[str]:
    """Take a passkey into use. Recovery codes come with the first second factor of a person, shown once; else none. Raises BadAnswer."""
    User.objects.select_for_update(of=("self",)).get(pk=acting_user.pk)
    first = not has_any(acting_user)
    made = make()
    codes = new_recovery_codes(user=acting_user) if first else []
    sign_in.record(
        "organisations.second_factor_enrolled", acting_user, factor=passkeys.PASSKEY, codes=len(codes)
    )
    outbox.post(
        unique_key=f"passkey-added:{made.pk}",
        to=acting_user.email,
        subject="A passkey was added",
        text=(
            "A passkey was added to your EDATRS caseload sign-in.\n\n"
            "If this was not you, tell your organisation administrator now."
        ),
    )
    return codes


@transaction.atomic
def remove_passkey(*, acting_user: User, passkey_id: int) -> None:
    """Take one of one's own passkeys away, never the last second factor. Raises PasskeyRefused, alike for another's and for none."""
    User.objects.select_for_update(of=("self",)).get(pk=acting_user.pk)
    held = passkeys.of(acting_user)
    chosen = next((one for one in held if one.pk == passkey_id), None)
    if chosen is None:
        raise PasskeyRefused("This passkey is not there any more")
    if len(held) == 1 and not AuthenticatorApp.objects.filter(user=acting_user, confirmed=True).exists():
        raise PasskeyRefused(
            "This is your only second step. Set up an authenticator app or another passkey first"
        )
    if len(held) == 1 and passkeys.must_have(acting_user):
        raise PasskeyRefused("Your role needs a passkey. Add another one first")
    chosen.delete()
    sign_in.record("organisations.passkey_removed", acting_user, factor=passkeys.PASSKEY)
    outbox.post(
        unique_key=f"passkey-removed:{passkey_id}:{clock.now().isoformat()}",
        to=acting_user.email,
        subject="A passkey was removed",
        text=(
            "A passkey was removed from your EDATRS caseload sign-in.\n\n"
            "If this was not you, tell your organisation administrator now."
        ),
    )


def has_any(user: User) -> bool:
    """Whether a person has set up a second factor."""
    return (
        AuthenticatorApp.objects.filter(user=user, confirmed=True).exists()
        or WebAuthnCredential.objects.filter(user=user, confirmed=True).exists()
    )


def _use_recovery_code(user: User, code: str) -> bool:
    """Use one up, once: the update decides, not what was read before."""
    unused = user.recovery_codes.filter(digest=_digest(user, code), used_at__isnull=True)
    if not unused.update(used_at=clock.now()):
        return False
    left = user.recovery_codes.filter(used_at__isnull=True).count()
    sign_in.record("organisations.recovery_code_used", user, left=left)
    outbox.post(
        unique_key=f"recovery-code:{user.pk}:{clock.now().isoformat()}",
        to=user.email,
        subject="A recovery code was used",
        text=(
            f"A recovery code was used to sign in to EDATRS caseload. You have {left} left.\n\n"
            "If this was not you, tell your organisation administrator now."
        ),
    )
    return True


def refuse_own(person: User, acting_user: User) -> None:
    """Nobody resets their own second factor. Raises Denied."""
    if person.pk == acting_user.pk:
        raise Denied("second_factor.reset", "one's own", subject=str(person.pk))


@transaction.atomic
def reset(*, person_id: UUID, identity_check: str, reason: str, acting_user: User) -> User:
    """Take a person's second factor away, after their identity was checked: they set up a new one at the next sign-in.

    Only for people of the organisation acted for, and never for oneself. Raises Denied.
    """
    person = directory.person_of(current_organisation(), person_id, act="second_factor.reset")
    refuse_own(person, acting_user)
    AuthenticatorApp.objects.filter(user=person).delete()
    WebAuthnCredential.objects.filter(user=person).delete()
    person.recovery_codes.all().delete()
    sign_in.end_sessions(person)
    trail.record(
        "organisations.second_factor_reset",
        also=directory.organisation_ids_of(person, clock.today()),
        subject=str(person.pk),
        details={"person": person.pk, "check": identity_check, "label": ResetReason(reason).label},
    )
    outbox.post(
        unique_key=f"second-factor-reset:{person.pk}:{clock.now().isoformat()}",
        to=person.email,
        subject="Your second step was reset",
        text=(
            "Your organisation administrator reset the second step of your EDATRS caseload sign-in, after checking "
            "who you are. You are signed out everywhere. At your next sign-in you set it up again."
            "\n\nIf you did not ask for this, tell your organisation's information governance officer now."
        ),
    )
    return person
