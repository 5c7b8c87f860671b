"""Links that set a password: for somebody who cannot sign in, and for somebody who was invited. They never skip the second factor."""

from __future__ import annotations

import datetime as dt
import secrets

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.urls import reverse

from edatrs.core import clock, trail
from edatrs.core.crypto import keyed_hash
from edatrs.organisations import directory
from edatrs.organisations.models import PasswordLink, User
from edatrs.organisations.services import attempts, outbox, sign_in

Purpose = PasswordLink.Purpose
GOOD_FOR = {Purpose.RESET: dt.timedelta(hours=1), Purpose.INVITATION: dt.timedelta(days=3)}
RESETS_AN_HOUR = 3
INVITATIONS_A_DAY = 4


def _digest(token: str) -> str:
    return keyed_hash("password link", token)


def make(*, user: User, purpose: PasswordLink.Purpose) -> tuple[PasswordLink, str]:
    """A new link and its address. The address is nowhere but in what the caller does with it."""
    token = secrets.token_urlsafe(32)
    now = clock.now()
    link = PasswordLink.objects.create(
        user=user,
        digest=_digest(token),
        purpose=purpose,
        created_at=now,
        expires_at=now + GOOD_FOR[purpose],
    )
    return link, settings.BASE_URL.rstrip("/") + reverse("organisations:new-password", args=[token])


@transaction.atomic
def ask(*, email: str) -> None:
    """Mail a link to whoever has this address. Known or not, it takes the same time and says nothing."""
    make_password(
        secrets.token_urlsafe(16)
    )  # next to one hash, the work for a known address cannot be measured
    user = directory.user_by_email(email)
    known = user is not None and user.is_active
    details = {"account": attempts.account_of(email), "known": known}
    if user is None or not known:
        trail.record("organisations.password_reset_asked", organisation_id=None, details=details)
        return
    sign_in.record("organisations.password_reset_asked", user, **details)
    hour_ago = clock.now() - dt.timedelta(hours=1)
    if user.password_links.filter(purpose=Purpose.RESET, created_at__gt=hour_ago).count() >= RESETS_AN_HOUR:
        return
    link, address = make(user=user, purpose=Purpose.RESET)
    outbox.post(
        unique_key=f"password-link:{link.pk}",
        to=user.email,
        subject="Set a new password",
        text=(
            "Somebody asked to set a new password for your EDATRS caseload sign-in. If it was you, use this link within "
            f"one hour:\n\n{address}\n\nYou still need your authenticator app to sign in. "
            "If it was not you, there is nothing to do: the link ends by itself and at your next sign-in."
        ),
    )


def invite(*, user: User, organisation_name: str) -> None:
    """Mail a link to somebody who was invited and has no password yet."""
    link, address = make(user=user, purpose=Purpose.INVITATION)
    outbox.post(
        unique_key=f"password-link:{link.pk}",
        to=user.email,
        subject="Set up your sign-in",
        text=(
            f"{organisation_name} gave you a role in EDATRS caseload. Set your password with this link within three days:"
            f"\n\n{address}\n\nThen sign in and set up an authenticator app on your phone. "
            "If the link has ended, choose “I cannot sign in” on the sign-in page."
        ),
    )


def end_invitations(user: User) -> None:
    """End every invitation that is open."""
    user.password_links.filter(purpose=Purpose.INVITATION, ended_at__isnull=True).update(ended_at=clock.now())


def invitations_lately(user: User) -> int:
    """How many invitations were sent within a day."""
    day_ago = clock.now() - dt.timedelta(days=1)
    return user.password_links.filter(purpose=Purpose.INVITATION, created_at__gt=day_ago).count()


def open_invitation(user: User) -> PasswordLink | None:
    """The latest invitation that was not ended, expired or not."""
    return user.password_links.filter(purpose=Purpose.INVITATION, ended_at__isnull=True).first()


def find(token: str) -> PasswordLink | None:
    """The link of a token while it is good, or None. Reading does not use it up: mail programs look at links first."""
    return (
        PasswordLink.objects.select_related("user")
        .filter(
            digest=_digest(token), ended_at__isnull=True, expires_at__gt=clock.now(), user__is_active=True
        )
        .first()
    )


@transaction.atomic
def use(*, token: str, password: str) -> bool:
    """Set the password, once. False when the link is no longer good. Raises ValidationError, and the link stays good."""
    link = find(token)
    if link is None:
        return False
    # Two posts of one link: the second waits here and finds it ended.
    user = User.objects.select_for_update(of=("self",)).get(pk=link.user_id)
    if find(token) is None:
        return False
    sign_in.set_password(user=user, password=password, by=str(link.purpose))
    return True
