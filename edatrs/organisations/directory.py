"""Reads for sign-in and for the pages about people."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower
from django_otp_webauthn.models import WebAuthnCredential

from edatrs.core.access import Denied
from edatrs.core.dates import long_date
from edatrs.organisations.choices import OrganisationKind, Role
from edatrs.organisations.clearances import Standing, standings
from edatrs.organisations.models import AuthenticatorApp, Membership, Organisation, Task, User
from edatrs.organisations.selectors import memberships_by_date

NO_ACCESS = "No access"
_EVERYWHERE = (Role.INFORMATION_GOVERNANCE, Role.ORGANISATION_ADMINISTRATOR)
ROLES_BY_KIND: dict[str, tuple[Role, ...]] = {
    OrganisationKind.PROVIDER: (
        Role.KEYWORKER,
        Role.CLINICIAN,
        Role.TEAM_MANAGER,
        Role.NDTMS_ADMINISTRATOR,
        *_EVERYWHERE,
    ),
    OrganisationKind.COMMISSIONER: (Role.COMMISSIONER, *_EVERYWHERE),
    OrganisationKind.SUPPLIER: (Role.PLATFORM_SUPPORT, *_EVERYWHERE),
}


def user_by_email(email: str) -> User | None:
    """The person of an e-mail address in any case, or None."""
    return User.objects.alias(any_case=Lower("email")).filter(any_case=email.strip().lower()).first()


def organisation_ids_of(user: User, day: dt.date) -> list[UUID]:
    """The organisations a person has a role at on a day, held or not, the one last acted for first."""
    found = set(memberships_by_date(user, day).values_list("organisation_id", flat=True))
    return sorted(found, key=lambda pk: (pk != user.last_organisation_id, str(pk)))


def organisations_by_date(user: User, day: dt.date) -> list[Organisation]:
    """The organisations a person has a role at on a day, held or not, by name."""
    return list(dict.fromkeys(m.organisation for m in memberships_by_date(user, day)))


def people_of(organisation_id: UUID) -> QuerySet[User]:
    """Everybody who has, had or will have a role at an organisation."""
    here = Membership.objects.filter(user=OuterRef("pk"), organisation_id=organisation_id)
    app = AuthenticatorApp.objects.filter(user=OuterRef("pk"), confirmed=True)
    passkey = WebAuthnCredential.objects.filter(user=OuterRef("pk"), confirmed=True)
    return User.objects.filter(Exists(here)).annotate(has_second_factor=Exists(app) | Exists(passkey))


def person_of(organisation_id: UUID, person_id: UUID, *, act: str) -> User:
    """One of them. Raises Denied for anybody else, existing or not."""
    person = people_of(organisation_id).filter(pk=person_id).first()
    if person is None:
        raise Denied(act, "no role at this organisation", subject=str(person_id))
    return person


def memberships_at(organisation_id: UUID, people: list[User] | None = None) -> QuerySet[Membership]:
    """The roles held at an organisation, of some or of all people."""
    found = Membership.objects.filter(organisation_id=organisation_id).prefetch_related("services")
    return found if people is None else found.filter(user__in=people)


def has_role_elsewhere(person: User, organisation_id: UUID, day: dt.date) -> bool:
    """Whether a person has, today or later, a role at another organisation. For services alone: it is never shown."""
    return (
        person.memberships.exclude(organisation_id=organisation_id)
        .filter(Q(valid_until__isnull=True) | Q(valid_until__gte=day))
        .exists()
    )


def roles_of_kind(organisation: Organisation) -> list[tuple[str, str]]:
    """The roles that an administrator may give at an organisation, as choices."""
    return [(role.value, role.label) for role in ROLES_BY_KIND[organisation.kind]]


def membership_of(organisation_id: UUID, person: User, membership_id: int) -> Membership:
    """A role of a person at an organisation. Raises Denied."""
    found = person.memberships.filter(pk=membership_id, organisation_id=organisation_id).first()
    if found is None:
        raise Denied("people.manage", "no such role here", subject=str(person.pk))
    return found


def ended_roles(user: User, day: dt.date) -> list[Membership]:
    """The organisations that a person has no role at any more, by their latest role there."""
    mine = set(organisation_ids_of(user, day))
    latest: dict[UUID, Membership] = {}
    for membership in (
        user.memberships.filter(valid_until__lt=day).select_related("organisation").order_by("valid_until")
    ):
        if membership.organisation_id not in mine:
            latest[membership.organisation_id] = membership
    return list(latest.values())


def tasks_of(user: User, organisation_id: UUID, roles: frozenset[str]) -> QuerySet[Task]:
    """What a person, or a role they hold, has been told at an organisation and is not done."""
    return Task.objects.filter(
        Q(user=user) | Q(user__isnull=True, role__in=sorted(roles)),
        organisation_id=organisation_id,
        done_at__isnull=True,
    )


@dataclass(frozen=True)
class RoleLine:
    """A role as the list shows it."""

    membership: Membership
    words: str
    services: str
    state: str
    live: bool
    over: bool


def role_line(membership: Membership, day: dt.date) -> RoleLine:
    """A role in words on a day."""
    until, begins = membership.valid_until, membership.valid_from
    over = until is not None and until < day
    live = not over and begins <= day
    if begins > day:
        state = f"From {long_date(begins)}"
    elif until is None:
        state = "No end date"
    else:
        state = f"{'Ended' if over else 'Until'} {long_date(until)}"
    services = ", ".join(str(service) for service in membership.services.all())
    return RoleLine(membership, membership.get_role_display(), services or "All services", state, live, over)


@dataclass(frozen=True)
class PersonLine:
    """A person as the list shows them."""

    person: User
    roles: list[RoleLine]
    badge: str
    state: str
    standings: tuple[Standing, ...] = ()

    @property
    def held(self) -> bool:
        """Whether training or a check holds the access of somebody who has a role."""
        return self.state != NO_ACCESS and any(standing.holds for standing in self.standings)

    @property
    def is_expected(self) -> bool:
        """Whether somebody has a role here that is live or to come."""
        return self.state != NO_ACCESS

    @property
    def warnings(self) -> list[Standing]:
        """What holds the access or will do so soon."""
        return [standing for standing in self.standings if standing.holds or standing.soon]

    @property
    def live(self) -> bool:
        """Whether any role is live."""
        return any(role.live for role in self.roles)


def _line(
    person: User, held: list[Membership], day: dt.date, standing: tuple[Standing, ...] = ()
) -> PersonLine:
    roles = [role_line(membership, day) for membership in held]
    if not person.is_active or all(role.over for role in roles):
        badge, state = "none", NO_ACCESS
    elif not person.has_usable_password():
        badge, state = "soon", "Invited, no password yet"
    elif not person.has_second_factor:  # type: ignore[attr-defined]  # annotated by people_of
        badge, state = "soon", "Second step not set up"
    elif any(one.holds for one in standing):
        badge, state = "late", "Access is held"
    else:
        badge, state = "ok", "Can sign in"
    return PersonLine(person, roles, badge, state, standing)


def person_line(organisation: Organisation, person: User, day: dt.date) -> PersonLine:
    """One person of `people_of` with their roles, training and checks."""
    held = list(memberships_at(organisation.pk, [person]))
    return _line(person, held, day, standings(organisation, [person.pk], day)[person.pk])


def people_lines(
    organisation: Organisation, day: dt.date, *, role: str = "", state: str = "now"
) -> list[PersonLine]:
    """The people of an organisation by name: with a live or coming role (now), without (ended), or all; of one role or any.

    `held`: those whose access training or a check holds; `soon`: those of whom something runs out within 30 days.
    """
    held: dict[UUID, list[Membership]] = {}
    for membership in memberships_at(organisation.pk):
        held.setdefault(membership.user_id, []).append(membership)
    standing = standings(organisation, held, day)
    lines = [
        _line(person, held[person.pk], day, standing[person.pk])
        for person in people_of(organisation.pk)
        if person.pk in held
    ]
    if role:
        lines = [line for line in lines if any(r.membership.role == role and not r.over for r in line.roles)]
    if state == "ended":
        return [line for line in lines if line.state == NO_ACCESS]
    if state == "held":
        return [line for line in lines if line.held]
    current = [line for line in lines if line.state != NO_ACCESS]
    if state == "soon":
        return [line for line in current if any(standing.soon for standing in line.standings)]
    return lines if state == "all" else current
