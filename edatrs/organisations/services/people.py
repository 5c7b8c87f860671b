"""People and their roles at an organisation: adding, inviting, giving and ending roles, disabling."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from edatrs.core import clock, trail
from edatrs.core.access import Denied
from edatrs.core.scope import current_organisation, current_scope
from edatrs.organisations import directory, passwords
from edatrs.organisations.choices import Role
from edatrs.organisations.models import AuthenticatorApp, Membership, Organisation, Service, User
from edatrs.organisations.services import outbox, password_links, sign_in


class RoleRefused(ValueError):
    """A role cannot be given or ended like this; the words are for the person who tried."""


@transaction.atomic
def add_person(
    *,
    email: str,
    name: str,
    organisation: Organisation,
    role: str,
    password: str | None = None,
    totp_secret: str | None = None,
    services: Iterable[Service] = (),
) -> User:
    """An operator's way to a person with a role, a password and a second factor; safe to repeat. Raises ValidationError.

    Without a password they cannot sign in before they have used a link; without a secret they set up the second factor themselves.
    """
    user = directory.user_by_email(email)
    if user is None:
        user = User.objects.create_user(email=email, full_name=name)
        trail.record("organisations.person_invited", organisation_id=organisation.pk, subject=str(user.pk))
    elif user.full_name != name or not user.is_active:
        user.full_name, user.is_active = name, True
        user.save(update_fields=["full_name", "is_active"])
    _set_role(
        user,
        organisation,
        role,
        valid_from=clock.today(),
        valid_until=None,
        services=services,
        keep_earlier_start=True,
    )
    if password is not None and not user.check_password(passwords.normalise(password)):
        plain = passwords.normalise(password)
        passwords.check(plain, user)
        user.set_password(plain)
        user.save(update_fields=["password"])
    if totp_secret is not None:
        _set_secret(user, totp_secret)
    return user


def _set_secret(user: User, secret: str) -> None:
    app = AuthenticatorApp.objects.filter(user=user, confirmed=True).first()
    if app is None:
        AuthenticatorApp.objects.create(
            user=user, name="Authenticator app", confirmed=True, secret=secret, created_at=clock.now()
        )
    elif app.secret != secret:
        app.secret, app.last_step = secret, -1
        app.save(update_fields=["secret", "last_step"])


def _set_role(
    user: User,
    organisation: Organisation,
    role: str,
    *,
    valid_from: dt.date,
    valid_until: dt.date | None,
    services: Iterable[Service],
    keep_earlier_start: bool = False,
) -> Membership:
    """Write a role: a person holds each role of an organisation once, so one given again takes the new dates."""
    role = Role(role).value
    chosen = list(services)
    if any(service.organisation_id != organisation.pk for service in chosen):
        raise RoleRefused("Choose services of this organisation")
    held = (
        Membership.objects.select_for_update().filter(user=user, organisation=organisation, role=role).first()
    )
    if held and keep_earlier_start:
        valid_from = min(valid_from, held.valid_from)
    if held and (held.valid_from, held.valid_until) == (valid_from, valid_until):
        held.services.set(chosen)
        return held
    membership, _ = Membership.objects.update_or_create(
        user=user,
        organisation=organisation,
        role=role,
        defaults={
            "valid_from": valid_from,
            "valid_until": valid_until,
            "given_at": clock.now(),
            "given_by_label": current_scope().person_label,
        },
    )
    membership.services.set(chosen)
    trail.record(
        "organisations.role_given",
        organisation_id=organisation.pk,
        subject=str(user.pk),
        details={
            "role": role,
            "from": valid_from.isoformat(),
            "until": valid_until.isoformat() if valid_until else "",
        },
    )
    return membership


def _own_organisation() -> Organisation:
    return Organisation.objects.get(pk=current_organisation())


def _check_role(organisation: Organisation, role: str, person: User | None, acting_user: User) -> None:
    if role not in dict(directory.roles_of_kind(organisation)):
        raise RoleRefused("Choose a role that people of this organisation can hold")
    if person is not None and person.pk == acting_user.pk:
        raise RoleRefused("Ask another administrator: nobody changes their own roles")


@transaction.atomic
def invite(
    *,
    email: str,
    name: str,
    role: str,
    valid_from: dt.date,
    valid_until: dt.date | None,
    services: Iterable[Service] = (),
    acting_user: User,
) -> User:
    """Give somebody a role at the organisation acted for. Who has no sign-in yet gets one, and a mail to set a password.

    Somebody who works for another partner too keeps their one sign-in; nothing tells the administrator so. Raises RoleRefused.
    """
    organisation = _own_organisation()
    person = directory.user_by_email(email)
    _check_role(organisation, role, person, acting_user)
    if person is None:
        person = User.objects.create_user(email=email, full_name=name)
    _reopen(person)
    trail.record(
        "organisations.person_invited", subject=str(person.pk), details={"person": person.pk, "role": role}
    )
    _set_role(person, organisation, role, valid_from=valid_from, valid_until=valid_until, services=services)
    if person.has_usable_password():
        _tell_of_role(person, organisation)
    else:
        password_links.invite(user=person, organisation_name=organisation.name)
    return person


@transaction.atomic
def invite_again(*, person_id: UUID, acting_user: User) -> User:
    """Send a new link to somebody who was invited and has set no password; the one before ends. Raises Denied, RoleRefused."""
    person, organisation = _invited(person_id), _own_organisation()
    if not directory.person_line(organisation, person, clock.today()).is_expected:
        raise RoleRefused("They have no role here any more. Give them one first")
    if password_links.invitations_lately(person) >= password_links.INVITATIONS_A_DAY:
        raise RoleRefused("The invitation was sent several times today. Ask them to look in their junk mail")
    password_links.end_invitations(person)
    password_links.invite(user=person, organisation_name=organisation.name)
    trail.record("organisations.invitation_sent", subject=str(person.pk), details={"person": person.pk})
    return person


@transaction.atomic
def revoke_invitation(*, person_id: UUID, acting_user: User) -> User:
    """Take an invitation back: the link and the roles here end. Somebody whom another partner invited too keeps theirs.

    Raises Denied, RoleRefused.
    """
    person, organisation_id = _invited(person_id), current_organisation()
    today = clock.today()
    for membership in Membership.objects.select_for_update().filter(
        user=person, organisation_id=organisation_id
    ):
        if membership.valid_until is None or membership.valid_until >= today:
            move_end(membership, None)
    if not directory.has_role_elsewhere(person, organisation_id, today):
        password_links.end_invitations(person)
        person.is_active = False
        person.save(update_fields=["is_active"])
    trail.record("organisations.invitation_revoked", subject=str(person.pk), details={"person": person.pk})
    return person


def _invited(person_id: UUID) -> User:
    """Somebody of the organisation acted for who has set no password yet, locked. Raises Denied, RoleRefused."""
    person = directory.person_of(current_organisation(), person_id, act="people.manage")
    User.objects.select_for_update(of=("self",)).get(pk=person.pk)
    person.refresh_from_db(fields=["password", "is_active"])
    if person.has_usable_password():
        raise RoleRefused("They have set their password: there is no invitation any more")
    return person


def _reopen(person: User) -> None:
    """Open the sign-in of somebody who was disabled and gets a role again."""
    if not person.is_active:
        person.is_active = True
        person.save(update_fields=["is_active"])


def _tell_of_role(person: User, organisation: Organisation) -> None:
    outbox.post(
        unique_key=f"role-given:{person.pk}:{organisation.pk}:{clock.now().isoformat()}",
        to=person.email,
        subject="You were given a role",
        text=f"{organisation.name} gave you a role in EDATRS caseload. Sign in as usual to use it.",
    )


@transaction.atomic
def give_role(
    *,
    person_id: UUID,
    role: str,
    valid_from: dt.date,
    valid_until: dt.date | None,
    services: Iterable[Service] = (),
    acting_user: User,
) -> Membership:
    """Give a person of the organisation acted for another role there. Raises Denied, RoleRefused."""
    organisation = _own_organisation()
    person = directory.person_of(organisation.pk, person_id, act="people.manage")
    _check_role(organisation, role, person, acting_user)
    _reopen(person)
    return _set_role(
        person, organisation, role, valid_from=valid_from, valid_until=valid_until, services=services
    )


@transaction.atomic
def end_role(
    *, person_id: UUID, membership_id: int, last_day: dt.date | None, acting_user: User
) -> Membership:
    """End a role after a last day, or at once when there is none. Raises Denied, RoleRefused."""
    person = directory.person_of(current_organisation(), person_id, act="people.manage")
    if person.pk == acting_user.pk:
        raise RoleRefused("Ask another administrator: nobody changes their own roles")
    membership = (
        Membership.objects.select_for_update()
        .filter(pk=membership_id, user=person, organisation_id=current_organisation())
        .first()
    )
    if membership is None:
        raise Denied("people.manage", "no such role here", subject=str(person.pk))
    if last_day is not None and last_day < membership.valid_from:
        raise RoleRefused("The last day must not be before the role begins")
    move_end(membership, last_day)
    return membership


def move_end(membership: Membership, last_day: dt.date | None) -> None:
    """Move the end. At once means that yesterday was the last day, also of a role that had not begun before."""
    if last_day is None:
        last_day = clock.today() - dt.timedelta(days=1)
        membership.valid_from = min(membership.valid_from, last_day)
    membership.valid_until = last_day
    membership.save(update_fields=["valid_from", "valid_until"])
    trail.record(
        "organisations.role_ended",
        organisation_id=membership.organisation_id,
        subject=str(membership.user_id),
        details={"person": membership.user_id, "role": membership.role, "until": last_day},
    )


@transaction.atomic
def disable(*, person_id: UUID, acting_user: User) -> User:
    """End every role of a person at the organisation acted for and every session, at once. Raises Denied, RoleRefused.

    Their sign-in itself is closed unless they have a role at another partner, which the administrator is not told.
    """
    organisation_id = current_organisation()
    person = directory.person_of(organisation_id, person_id, act="people.manage")
    if person.pk == acting_user.pk:
        raise RoleRefused("Ask another administrator: nobody disables their own sign-in")
    today = clock.today()
    for membership in Membership.objects.select_for_update().filter(
        user=person, organisation_id=organisation_id
    ):
        if membership.valid_until is None or membership.valid_until >= today:
            move_end(membership, None)
    if not directory.has_role_elsewhere(person, organisation_id, today):
        person.is_active = False
        person.save(update_fields=["is_active"])
    sign_in.end_sessions(person)
    trail.record("organisations.person_disabled", subject=str(person.pk), details={"person": person.pk})
    return person


@transaction.atomic
def remember_organisation(*, acting_user: User, organisation: Organisation) -> None:
    """Remember the organisation last acted for; it is chosen beforehand the next time, and gives no right."""
    acting_user.last_organisation = organisation
    acting_user.save(update_fields=["last_organisation"])


@transaction.atomic
def switch_shortcuts(*, acting_user: User, off: bool) -> None:
    """Switch one's own keyboard shortcuts off or on."""
    acting_user.shortcuts_off = off
    acting_user.save(update_fields=["shortcuts_off"])


@transaction.atomic
def task_done(*, task_id: UUID, acting_user: User) -> None:
    """Mark one of one's own tasks as done. Raises Denied."""
    own = directory.tasks_of(acting_user, current_organisation(), current_scope().roles)
    task = own.filter(pk=task_id).first()
    if task is None:
        raise Denied("tasks.own", "not one's own", subject=str(task_id))
    task.done_at = clock.now()
    task.save(update_fields=["done_at"])
