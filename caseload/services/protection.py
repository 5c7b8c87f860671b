"""Who of the organisation's own people finds a record: sensitive records with a named team, and conflicts of interest (access.md).

A flag, a team and a conflict are written with the act; the trail names the record and codes, never the reason. What a governance officer
does to a record that the officer may not find is written as a worker would write it (`hidden.for_everybody`), and said on the trail as the
officer's. A flag is raised on every record that a link ties to this one, and lifted by each organisation for itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from caseload.choices import SensitiveKind
from caseload.hidden import ask_again, for_everybody
from caseload.models import Client, ConflictOfInterest, NamedTeamMember, SensitiveRecord
from caseload.services import linked_records
from caseload.services.clients import Refused, with_client_id
from edatrs.core import access, clock, trail
from edatrs.core.access import Denied
from edatrs.core.scope import current_organisation, current_scope
from edatrs.organisations.choices import Role
from edatrs.organisations.models import User
from edatrs.organisations.selectors import people_holding
from edatrs.organisations.services import outbox

EDIT, OFFICER = ("client.edit", "identity"), "restriction.set"
# The roles that find clients of their own organisation at all: who else could be in a team, or have a conflict?
FINDS_CLIENTS = (Role.KEYWORKER, Role.CLINICIAN, Role.TEAM_MANAGER, Role.NDTMS_ADMINISTRATOR)
MOST_SHOWN = 200
LIST_ADDRESS = "protection/"


class Changed(Refused):
    """Somebody changed the flag or the team after the page was opened."""


@dataclass
class Protection:
    """The flag of a record as it stands, its team, and a number that grows with every change of either."""

    record: SensitiveRecord
    number: str
    team: list[NamedTeamMember] = field(default_factory=list)
    stamp: int = 0

    def holds(self, user_id: UUID) -> bool:
        """Whether somebody is in the team."""
        return any(member.user_id == user_id for member in self.team)


def people_to_name() -> list[User]:
    """Who holds a role today with which clients are found, by name: whom a team can have."""
    found = people_holding(current_organisation(), FINDS_CLIENTS, clock.today())
    return list(found.order_by("full_name", "pk"))


def _person(user_id: UUID) -> User:
    """One of them. Raises Refused."""
    found = people_holding(current_organisation(), FINDS_CLIENTS, clock.today()).filter(pk=user_id).first()
    if found is None:
        raise Refused("Choose somebody who works with clients here today")
    return found


def is_manager() -> bool:
    """Who may say for another that there is a conflict: a manager, who allocates clients, and the governance officer."""
    return access.may("caseload.allocate") or access.may(OFFICER)


# ---- reading -------------------------------------------------------------------------------------------------


def of_client(client_id: UUID) -> Protection | None:
    """The flag that stands on a record, for who finds the record; None where there is none."""
    found = _flags(SensitiveRecord.objects.filter(client_id=client_id, lifted_at__isnull=True))
    return found[0] if found else None


def flags() -> list[Protection]:
    """Every sensitive record of the organisation, the latest first, by number alone; for the governance officer. Raises Denied."""
    access.require(OFFICER)
    rows = SensitiveRecord.objects.filter(lifted_at__isnull=True)
    return _flags(rows.order_by("-flagged_at", "pk")[:MOST_SHOWN])


def flag(pk: UUID) -> Protection:
    """One of them. Raises Denied."""
    access.require(OFFICER)
    found = _flags(SensitiveRecord.objects.filter(pk=pk, lifted_at__isnull=True))
    if not found:
        raise Denied(OFFICER, "not found", subject=str(pk))
    return found[0]


def _flags(rows: QuerySet[SensitiveRecord]) -> list[Protection]:
    records = list(rows.select_related("flagged_by"))
    if not records:
        return []
    ids = [record.client_id for record in records]
    numbers = _numbers(ids)
    members = NamedTeamMember.objects.filter(client_id__in=ids).select_related("user")
    found = {r.client_id: Protection(r, numbers[r.client_id], stamp=r.version) for r in records}
    for member in members.order_by("user__full_name", "user_id"):
        # Also who was taken out counts: rows are never deleted, so the number only grows.
        found[member.client_id].stamp += member.version
        if member.removed_at is None:
            found[member.client_id].team.append(member)
    return list(found.values())


def conflicts() -> list[tuple[ConflictOfInterest, str]]:
    """Every conflict of interest that stands, the latest first, each with the record's number; for the officer. Raises Denied."""
    access.require(OFFICER)
    rows = ConflictOfInterest.objects.filter(ended_at__isnull=True).select_related("user", "declared_by")
    found = list(rows.order_by("-created_at", "pk")[:MOST_SHOWN])
    numbers = _numbers(row.client_id for row in found)
    return [(row, numbers[row.client_id]) for row in found]


def conflict(pk: UUID) -> tuple[ConflictOfInterest, str]:
    """One of them. Raises Denied."""
    access.require(OFFICER)
    rows = ConflictOfInterest.objects.filter(pk=pk, ended_at__isnull=True)
    found = rows.select_related("user", "declared_by").first()
    if found is None:
        raise Denied(OFFICER, "not found", subject=str(pk))
    return found, _numbers([found.client_id])[found.client_id]


def _numbers(ids: Iterable[UUID]) -> dict[UUID, str]:
    """The record numbers of clients, of those too that the person may not find: a number alone is what they are called here."""
    with for_everybody():
        return {c.pk: str(c) for c in Client.objects.filter(pk__in=list(ids)).only("record_number")}


def find_by_number(typed: str) -> UUID:
    """The client of a record number or a client ID, for the officer who names a conflict. Raises Denied, Refused."""
    access.require(OFFICER)
    text = typed.strip()
    with for_everybody():
        found = set(Client.objects.filter(pk__in=with_client_id(text)).values_list("pk", flat=True))
        digits = text[1:] if text[:1] in {"R", "r"} else text
        if not found and digits.isascii() and digits.isdigit() and len(digits) < 19:
            found = set(Client.objects.filter(record_number=int(digits)).values_list("pk", flat=True))
    if len(found) != 1:
        raise Refused("No record here has this number. Enter the record number, like R1204")
    return found.pop()


# ---- writing -------------------------------------------------------------------------------------------------


def flag_sensitive(
    *, client: Client, kind: str, reason: str, team: Iterable[UUID] = (), acting_user: User
) -> SensitiveRecord:
    """Only the named team finds the record from now on; who flags it is in the team, so nobody can flag a record away from themselves.

    Raises Denied, Refused.
    """
    access.require(*EDIT)
    if kind not in SensitiveKind.values:
        raise Refused("Choose why only a named team may find this record")
    if not reason.strip():
        raise Refused("Enter the reason")
    people = {user_id: _person(user_id) for user_id in team} | {acting_user.pk: _person(acting_user.pk)}
    linked_records.hold(client.pk)
    Client.objects.select_for_update(of=("self",)).get(pk=client.pk)
    _no_conflict(client.pk, people.values())
    held = SensitiveRecord.objects.filter(client_id=client.pk).select_for_update(of=("self",)).first()
    if held is not None and held.lifted_at is None:
        raise Changed("Somebody marked this record as sensitive meanwhile. Look at what stands now")
    act = current_scope().act
    with for_everybody():
        team_before = NamedTeamMember.objects.filter(client_id=client.pk, removed_at__isnull=True)
        team_before.exclude(user_id__in=people).update(removed_at=clock.now())
        for user_id in people:
            _name(client.pk, user_id)
        if held is None:
            held = SensitiveRecord(client_id=client.pk, act=act)
        held.kind, held.reason, held.flagged_by_id, held.lifted_at = (
            kind,
            reason.strip(),
            acting_user.pk,
            None,
        )
        held.flagged_at = clock.now()
        held.save()
    _say("flagged", client.pk, kind=kind, people=len(people))
    linked_records.raise_flag(client.pk)
    ask_again()
    return held


def _name(client_id: UUID, user_id: UUID) -> None:
    """Put somebody into the team, again where they were in it once."""
    held = NamedTeamMember.objects.filter(client_id=client_id, user_id=user_id).first()
    if held is None:
        NamedTeamMember.objects.create(client_id=client_id, user_id=user_id, act=current_scope().act)
    elif held.removed_at is not None:
        held.removed_at = None
        held.save(update_fields=["removed_at"])


def add_to_team(*, client_id: UUID, person: UUID, stamp: int, acting_user: User) -> None:
    """One more person finds the record. Raises Denied, Refused, Changed."""
    _standing(client_id, stamp, acting_user)
    chosen = _person(person)
    _no_conflict(client_id, [chosen])
    with for_everybody():
        _name(client_id, person)
    _say("team_added", client_id, person=chosen.pk)
    ask_again()


def remove_from_team(*, client_id: UUID, person: UUID, stamp: int, acting_user: User) -> None:
    """One person less finds it; somebody who holds a role today stays in it always. Raises Denied, Refused, Changed."""
    held = _standing(client_id, stamp, acting_user)
    if not held.holds(person):
        raise Changed("Somebody changed the team meanwhile. Look at who is in it now")
    working = {user.pk for user in people_to_name()}
    if not any(member.user_id in working for member in held.team if member.user_id != person):
        raise Refused(
            "Nobody would find this record any more. Add somebody first, or let everybody find it again"
        )
    with for_everybody():
        rows = NamedTeamMember.objects.filter(client_id=client_id, user_id=person)
        rows.update(removed_at=clock.now())
    _say("team_removed", client_id, person=person)
    ask_again()


def lift(*, client_id: UUID, stamp: int, acting_user: User) -> None:
    """Everybody whose role allows finds the record again. Raises Denied, Changed."""
    held = _standing(client_id, stamp, acting_user)
    with for_everybody():
        SensitiveRecord.objects.filter(pk=held.record.pk).update(lifted_at=clock.now())
    _say("lifted", client_id, kind=held.record.kind)
    ask_again()


def _standing(client_id: UUID, stamp: int, acting_user: User) -> Protection:
    """The flag, locked, for who may change it: somebody of the team who may edit, or the officer. Raises Denied, Changed."""
    row = SensitiveRecord.objects.filter(client_id=client_id).select_for_update(of=("self",)).first()
    held = of_client(client_id) if row is not None else None
    officer = access.may(OFFICER)
    if held is None:
        raise Changed("This record is no longer marked as sensitive")
    if not officer and not (access.may(*EDIT) and held.holds(acting_user.pk)):
        raise Denied(EDIT[0], "not in the team", subject=str(client_id))
    if held.stamp != stamp:
        raise Changed("Somebody changed the team meanwhile. Look at who is in it now")
    return held


def _no_conflict(client_id: UUID, people: Iterable[User]) -> None:
    rows = ConflictOfInterest.objects.filter(client_id=client_id, ended_at__isnull=True)
    barred = set(rows.values_list("user_id", flat=True))
    for person in people:
        if person.pk in barred:
            raise Refused(f"{person.full_name} has a conflict of interest with this person")


def declare_conflict(*, client_id: UUID, person: UUID, reason: str, acting_user: User) -> ConflictOfInterest:
    """The client is not found any more by this person, whatever their role. Said twice it is said once.

    Oneself says so of any client one finds; for another a manager or the governance officer does. Raises Denied, Refused.
    """
    if person == acting_user.pk:
        if not access.may("client.view", "identity") and not access.may(OFFICER):
            raise Denied("client.view", "role", subject=str(client_id))
    elif not is_manager():
        raise Denied(OFFICER, "role", subject=str(client_id))
    if not reason.strip():
        raise Refused("Enter the reason")
    chosen = _person(person)
    with for_everybody():
        number = str(Client.objects.select_for_update(of=("self",)).get(pk=client_id))
        row = ConflictOfInterest.objects.filter(client_id=client_id, user_id=person).first()
        if row is not None and row.ended_at is None:
            return row
        if row is None:
            row = ConflictOfInterest(client_id=client_id, user_id=person, act=current_scope().act)
        row.reason, row.declared_by_id, row.ended_at = reason.strip(), acting_user.pk, None
        row.save()
    _say("conflict_declared", client_id, person=chosen.pk)
    _tell_when_nobody_is_left(client_id, number)
    ask_again()
    return row


def _tell_when_nobody_is_left(client_id: UUID, number: str) -> None:
    """A sensitive record whose whole team has a conflict is found by nobody: the officer is told, by the number."""
    held = of_client(client_id)
    if held is None:
        return
    rows = ConflictOfInterest.objects.filter(client_id=client_id, ended_at__isnull=True)
    barred = set(rows.values_list("user_id", flat=True))
    working = {user.pk for user in people_to_name()}
    if any(member.user_id in working - barred for member in held.team):
        return
    outbox.tell(
        unique_key=f"nobody-finds:{client_id}:{current_scope().act}",
        organisation_id=current_organisation(),
        role=Role.INFORMATION_GOVERNANCE,
        words=f"Nobody of the named team can find record {number} any more",
        link=LIST_ADDRESS,
    )


def end_conflict(*, pk: UUID, acting_user: User) -> ConflictOfInterest:
    """The person finds the client again as their role allows. Never one's own: somebody else must look. Raises Denied, Refused."""
    row, _ = conflict(pk)
    if row.user_id == acting_user.pk:
        raise Refused("Another governance officer must end a conflict of your own")
    with for_everybody():
        rows = ConflictOfInterest.objects.filter(pk=pk, ended_at__isnull=True)
        rows.update(ended_at=clock.now())
    _say("conflict_ended", row.client_id, person=row.user_id)
    ask_again()
    return row


def _say(what: str, client_id: UUID, **details: Any) -> None:
    """On the trail as the act of the person: ids and codes, never the reason."""
    trail.record(f"caseload.protection.{what}", subject=str(client_id), details=details)
