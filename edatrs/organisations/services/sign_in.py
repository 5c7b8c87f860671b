"""Signing in and out: the password, what follows from the second factor, and the end of all sessions.

The session itself is the view's; the second factor is in `second_factor`, links by mail in `password_links`.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import is_password_usable, make_password
from django.db import transaction
from django.db.models import F

from edatrs.core import clock, registry, trail
from edatrs.core.scope import current_scope
from edatrs.organisations import directory, passwords
from edatrs.organisations.models import User
from edatrs.organisations.services import attempts, outbox
from edatrs.organisations.services.attempts import Step


def record(event: str, user: User, **details: Any) -> None:
    """Put what happened to a person's sign-in on the trail of every organisation they have a role at today: one event."""
    mine: list[UUID | None] = [*directory.organisation_ids_of(user, clock.today())]
    first, *others = mine or [None]
    trail.record(event, organisation_id=first, also=others, subject=str(user.pk), details=details)


def record_failure(user: User | None, attempt: attempts.Attempt, factor: str) -> None:
    """One line for a try that failed: on the chain of an organisation of the person, else on the partnership's."""
    mine = directory.organisation_ids_of(user, clock.today()) if user else []
    trail.record(
        "organisations.sign_in_failed",
        organisation_id=mine[0] if mine else None,
        subject=str(user.pk) if user else "",
        details={
            "account": attempt.account,
            "factor": factor,
            "why": "too_many_tries" if attempt.refused else "wrong",
        },
    )


@transaction.atomic
def check_password(*, email: str, password: str, address: str) -> User | None:
    """The person, if the password is theirs. An unknown address, a wrong password and a locked account take the same time."""
    attempt = attempts.begin(email=email, address=address, step=Step.PASSWORD)
    user = directory.user_by_email(email)
    right = _is_password_of(user, passwords.normalise(password))
    if attempt.end(right and user is not None and user.is_active):
        return user
    record_failure(user, attempt, "password")
    return None


def _is_password_of(user: User | None, password: str) -> bool:
    """Whether it is; the hash is computed once in every case."""
    if user is None or not is_password_usable(user.password):
        make_password(password)
        return False
    return user.check_password(password)


def complete(*, user: User, factor: str) -> None:
    """What follows when both factors were right: the act has a name, links by mail end, old tries are forgotten."""
    scope = current_scope()
    scope.person_id, scope.person_label = user.pk, user.full_name
    end_links(user)
    attempts.forget_old()
    record("organisations.signed_in", user, factor=factor)


@transaction.atomic
def first_time(*, user: User, address: str, factor: str = "authenticator_app") -> None:
    """The sign-in that ends with the set-up of the second factor."""
    attempts.Attempt(attempts.account_of(user.email), address, Step.SECOND_FACTOR, refused=False).end(True)
    complete(user=user, factor=factor)


def end_links(user: User) -> None:
    """End every link by mail that could still set the password."""
    user.password_links.filter(ended_at__isnull=True).update(ended_at=clock.now())


def sign_out(*, acting_user: User) -> None:
    """Put a sign-out on the trail; ending the session is the view's."""
    registry.signed_out(acting_user.pk)
    record("organisations.signed_out", acting_user, why="asked")


@transaction.atomic
def sign_out_everywhere(*, acting_user: User) -> None:
    """End every session of one's own, this one too."""
    end_sessions(acting_user)
    record("organisations.signed_out_everywhere", acting_user)


def end_sessions(user: User) -> None:
    """End every session of a person: the counter is part of each session's hash."""
    registry.signed_out(user.pk)
    User.objects.filter(pk=user.pk).update(sessions_version=F("sessions_version") + 1)
    user.refresh_from_db(fields=["sessions_version"])


@transaction.atomic
def set_password(*, user: User, password: str, by: str) -> None:
    """Set a password that keeps the rules; other sessions and open links end, and the person is told. Raises ValidationError."""
    plain = passwords.normalise(password)
    passwords.check(plain, user)
    user.set_password(plain)
    user.save(update_fields=["password"])
    end_links(user)
    record("organisations.password_changed", user, by=by)
    outbox.post(
        unique_key=f"password-changed:{user.pk}:{clock.now().isoformat()}",
        to=user.email,
        subject="Your password was changed",
        text=(
            "The password of your EDATRS caseload sign-in was changed. Everybody who was signed in with the old one "
            "is signed out.\n\nIf this was not you, tell your organisation administrator now."
        ),
    )


@transaction.atomic
def change_password(*, acting_user: User, current: str, new: str, address: str) -> bool:
    """Change one's own password. False when the current one is wrong. Raises ValidationError when the new one breaks a rule."""
    attempt = attempts.begin(email=acting_user.email, address=address, step=Step.CONFIRMATION)
    if not attempt.end(_is_password_of(acting_user, passwords.normalise(current))):
        record_failure(acting_user, attempt, "password")
        return False
    set_password(user=acting_user, password=new, by="own")
    return True
