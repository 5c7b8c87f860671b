"""Ask a partner to link two records of one person, answer, unlink, and take an unlinking back (design section 4).

Each organisation writes its own side; a function of the database then does what all sides together say (`caseload_link_settle` and the
others of migration 0013). One act of linking happens at a time: they are rare, and nobody can wait for anybody in a circle.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid5

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from caseload import shared
from caseload.choices import LinkAnswer, LinkState
from caseload.linked import SAME, UNDO_DAYS, LinkProblem, agrees
from caseload.models import Client, ClientIdentity, LinkSide
from caseload.services import linked_records
from caseload.services.linked_records import call
from edatrs.core import access, clock, trail
from edatrs.core.access import Denied
from edatrs.core.scope import current_organisation, current_scope
from edatrs.organisations.choices import Role
from edatrs.organisations.models import User
from edatrs.organisations.services import outbox

ACT = "client.link"
PROPOSED = "caseload.client.link_proposed"
AGREED = "caseload.client.link_agreed"
LINKED = "caseload.client.linked"
REFUSED = "caseload.client.link_refused"
TAKEN_BACK = "caseload.client.link_taken_back"
UNLINKED = "caseload.client.unlinked"
RELINKED = "caseload.client.relinked"
LIST_ADDRESS = "links/"
MOST_SHOWN = 200
Told = dict[UUID, tuple[UUID, int]]


# ---- reading -------------------------------------------------------------------------------------------------


def sides() -> QuerySet[Any]:
    """One's own sides, of records in use that the person may find, with what a list says of them."""
    return LinkSide.objects.filter(client__voided_at__isnull=True).select_related(
        "client", "other_organisation", "asked_by_organisation", "ended_by_organisation"
    )


def get_side(pk: UUID) -> LinkSide:
    """One of them. Raises Denied."""
    access.require(ACT)
    found: LinkSide | None = sides().filter(pk=pk).first()
    if found is None:
        raise Denied(ACT, "not found", subject=str(pk))
    return found


def listed() -> dict[str, list[LinkSide]]:
    """Those that wait for us, those that we asked, what is linked, and what ended in the last 30 days. The latest first, 200 of each."""
    recent = clock.now() - dt.timedelta(days=UNDO_DAYS)
    rows = sides()
    waiting = rows.filter(state=LinkState.OPEN)
    return {
        "to_answer": list(waiting.filter(answer="").order_by("asked_at", "pk")[:MOST_SHOWN]),
        "asked": list(waiting.exclude(answer="").order_by("-asked_at", "pk")[:MOST_SHOWN]),
        "linked": list(rows.filter(state=LinkState.LINKED).order_by("-linked_at", "pk")[:MOST_SHOWN]),
        "ended": list(rows.filter(ended_at__gte=recent).order_by("-ended_at", "pk")[:MOST_SHOWN]),
    }


def of_client(client: Client) -> list[LinkSide]:
    """The sides of a client that wait or stand, and the last that this organisation ended; the latest first. One query."""
    rows = sides().filter(client_id=client.pk).order_by("-asked_at", "pk")
    kept = (LinkState.OPEN, LinkState.LINKED, LinkState.ENDED)
    return [row for row in rows if row.state in kept]


def offered(*, typed: str = "", limit: int = 50) -> list[Client]:
    """Partners' records that could be linked: those whose identity is shared with us. `typed` is a record number, exactly."""
    rows = shared.offered_for_link()
    if typed:
        number = typed.strip().lstrip("Rr")
        if not (number.isascii() and number.isdigit() and len(number) < 18):
            return []
        rows = rows.filter(record_number=int(number))
    return list(rows.select_related("organisation").order_by("organisation__name", "record_number")[:limit])


def get_offered(pk: UUID) -> Client:
    """One of them. Raises Denied: absent, not shared and sensitive answer alike."""
    found = shared.offered_for_link().filter(pk=pk).select_related("organisation").first()
    if found is None:
        raise Denied(ACT, "not found", subject=str(pk))
    return found


def likely(own: ClientIdentity, *, limit: int = 20) -> list[ClientIdentity]:
    """The identities of partners' records that may be the same person: the NHS number, the date of birth or the surname agrees."""
    wanted = Q(surname__iexact=own.surname) if own.surname else Q(pk__in=[])
    if own.date_of_birth:
        wanted |= Q(date_of_birth=own.date_of_birth)
    if own.nhs_number:
        wanted |= Q(nhs_number=own.nhs_number)
    rows = shared.identities_for_link().filter(wanted).select_related("client__organisation")
    found = list(rows.order_by("client__organisation__name", "client__record_number")[:200])
    return sorted(found, key=lambda row: -_alike(own, row))[:limit]


def _alike(own: ClientIdentity, theirs: ClientIdentity) -> int:
    names = ("nhs_number", "date_of_birth", "surname", "forename", "sex")
    return sum(agrees(getattr(own, name), getattr(theirs, name)) == SAME for name in names)


def own_client(pk: UUID) -> Client:
    """A client of one's own in use that the person may find, by id alone: the officer does not see whose it is. Raises Denied."""
    access.require(ACT)
    found: Client | None = Client.objects.filter(pk=pk, voided_at__isnull=True).first()
    if found is None:
        raise Denied(ACT, "not found", subject=str(pk))
    return found


def own_by_number(typed: str) -> Client | None:
    """The same by record number."""
    access.require(ACT)
    number = typed.strip().lstrip("Rr")
    if not (number.isascii() and number.isdigit() and len(number) < 18):
        return None
    found: Client | None = Client.objects.filter(record_number=int(number), voided_at__isnull=True).first()
    return found


def compared(side: LinkSide) -> dict[str, str]:
    """How the two records agree, field by field, without a value of the other; nothing where it no longer waits."""
    rows = call("SELECT field, answer FROM caseload_link_compare(%s)", side.pk)
    return dict(rows)


def _told(side_pk: UUID) -> Told:
    """The record of each organisation that has a side of the proposal."""
    rows = call("SELECT organisation, client, known_as FROM caseload_link_told(%s)", side_pk)
    return {organisation: (client, number) for organisation, client, number in rows}


# ---- writing -------------------------------------------------------------------------------------------------


@transaction.atomic
def propose(
    *, client: Client, other: Client, reason: str, form_id: UUID, acting_user: User, organisation_name: str
) -> LinkSide:
    """Ask the organisations that hold `other`, and whoever is linked with either, to link. The same form asks once.

    Raises Denied where `other` is not shared with us, LinkProblem for what stands in the way.
    """
    access.require(ACT)
    get_offered(other.pk)
    why = _reason(reason, "Enter the reason: the partner reads it before answering")
    _one_at_a_time()
    pk = uuid5(current_organisation(), f"link {form_id}")
    there: LinkSide | None = LinkSide.objects.filter(pk=pk, client_id=client.pk).first()
    if there is not None:
        return there
    again = LinkSide.objects.filter(
        client_id=client.pk, other_organisation_id=other.organisation_id, state=LinkState.OPEN
    )
    if again.exists():
        raise LinkProblem("open", "There is a question about this record with that partner already")
    linked_records.hold(client.pk)
    now, scope = clock.now(), current_scope()
    side = LinkSide(
        pk=pk,
        client=client,
        act=scope.act,
        proposal=uuid5(current_organisation(), f"proposal {form_id}"),
        asks=True,
        asked_by_organisation_id=current_organisation(),
        asked_by=acting_user.pk,
        asked_by_label=acting_user.full_name,
        asked_at=now,
        reason=why,
        other_organisation_id=other.organisation_id,
        other_client=other.pk,
        other_record=other.record_number,
        answer=LinkAnswer.AGREED,
        answered_by_label=acting_user.full_name,
        answered_at=now,
    )
    side.save(force_insert=True)
    call("SELECT caseload_link_deliver(%s)", side.pk)
    told = _told(side.pk)
    _say(PROPOSED, told, side.proposal)
    _tell(told, side.proposal, "asks", f"{organisation_name} asks to link its record of a person with yours")
    return side


@transaction.atomic
def answer(
    *, pk: UUID, agreed: bool, reason: str = "", acting_user: User, organisation_name: str
) -> LinkSide:
    """Say yes or no for one's own organisation. Said twice it is said once. Raises Denied, LinkProblem."""
    get_side(pk)
    why = reason.strip() if agreed else _reason(reason, "Enter the reason: the partner reads it")
    _one_at_a_time()
    side = get_side(pk)
    if side.asks:
        raise LinkProblem("own", "Your own organisation asked. A partner has to answer")
    if side.state != LinkState.OPEN or side.answer:
        return side
    return _answered(
        side,
        LinkAnswer.AGREED if agreed else LinkAnswer.REFUSED,
        why,
        acting_user,
        organisation_name,
    )


@transaction.atomic
def take_back(*, pk: UUID, acting_user: User, organisation_name: str) -> LinkSide:
    """Take back what one's own organisation asked and nobody has settled. Raises Denied, LinkProblem."""
    get_side(pk)
    _one_at_a_time()
    side = get_side(pk)
    if not side.asks:
        raise LinkProblem("own", "Only the organisation that asked can take it back. You can refuse")
    if side.state != LinkState.OPEN:
        return side
    return _answered(side, LinkAnswer.TAKEN_BACK, "", acting_user, organisation_name)


def _answered(side: LinkSide, said: LinkAnswer, why: str, user: User, organisation_name: str) -> LinkSide:
    linked_records.hold(side.client_id)
    side.answer, side.answered_at, side.answered_by_label = said, clock.now(), user.full_name
    side.answer_reason = why or None
    side.save(update_fields=["answer", "answered_at", "answered_by_label", "answer_reason"])
    told = _told(side.pk)
    state = call("SELECT caseload_link_settle(%s)", side.pk)[0][0]
    if state == LinkState.LINKED:
        _say(LINKED, told, side.proposal)
        _tell(told, side.proposal, "linked", "A partner agreed: your records of a person are linked now")
    elif state == LinkState.REFUSED:
        _say(REFUSED, told, side.proposal)
        _tell(told, side.proposal, "refused", f"{organisation_name} does not agree to link a record")
    elif state == LinkState.TAKEN_BACK:
        _say(TAKEN_BACK, told, side.proposal)
        _tell(
            told,
            side.proposal,
            "taken-back",
            f"{organisation_name} took back its question about linking a record",
        )
    else:
        trail.record(AGREED, subject=str(side.client_id), details={"proposal": str(side.proposal)})
    return get_side(side.pk)


@transaction.atomic
def unlink(*, client: Client, reason: str, acting_user: User, organisation_name: str) -> None:
    """End every link of a client of one's own, at once; each keeps what it holds now. Done twice it is done once.

    Raises LinkProblem without a reason.
    """
    access.require(ACT)
    why = _reason(reason, "Enter the reason: the partner reads it")
    _one_at_a_time()
    linked_records.hold(client.pk)
    person = Client.objects.values_list("person_id", flat=True).get(pk=client.pk)
    standing = LinkSide.objects.filter(client_id=client.pk, state=LinkState.LINKED)
    ended = list(standing)
    if not ended:
        return
    told: Told = {}
    for side in ended:
        told |= _told(side.pk)
    for side in ended:
        side.state, side.left, side.ended_at = LinkState.ENDED, True, clock.now()
        side.ended_by_organisation_id, side.ended_by_label = current_organisation(), acting_user.full_name
        side.end_reason, side.group_person = why, person
        side.save(
            update_fields=[
                "state",
                "left",
                "ended_at",
                "ended_by_organisation",
                "ended_by_label",
                "end_reason",
                "group_person",
            ]
        )
    call("SELECT caseload_unlink(%s)", client.pk)
    _say(UNLINKED, told, ended[-1].proposal)
    _tell(told, current_scope().act, "unlinked", f"{organisation_name} unlinked its record of a person")


@transaction.atomic
def undo(*, client: Client, acting_user: User, organisation_name: str) -> None:
    """Take back the unlinking that one's own organisation did less than 30 days ago. Raises LinkProblem."""
    access.require(ACT)
    _one_at_a_time()
    if LinkSide.objects.filter(client_id=client.pk, state=LinkState.LINKED).exists():
        return
    left = LinkSide.objects.filter(client_id=client.pk, state=LinkState.ENDED, left=True)
    latest: LinkSide | None = left.order_by("-ended_at", "pk").first()
    if latest is None:
        raise LinkProblem("late")
    told: Told = {}
    for side in left.filter(ended_at=latest.ended_at):
        told |= _told(side.pk)
    call("SELECT caseload_relink(%s)", client.pk)
    _say(RELINKED, told, latest.proposal)
    _tell(
        told, current_scope().act, "relinked", f"{organisation_name} took back an unlinking: linked as before"
    )


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('linking', 0))")


def _reason(typed: str, words: str) -> str:
    if not typed.strip():
        raise LinkProblem("reason", words)
    return typed.strip()


def _say(event: str, told: Told, proposal: UUID) -> None:
    """On the trail of every organisation that has a side, each about its own record."""
    for organisation_id, (client, _) in told.items():
        trail.record(
            event,
            organisation_id=organisation_id,
            subject=str(client),
            details={"proposal": str(proposal), "by": str(current_organisation())},
        )


def _tell(told: Told, key: UUID, what: str, words: str) -> None:
    """A task for the managers and the governance officers of the others: their own record's number, no name."""
    for organisation_id, (_, number) in told.items():
        if organisation_id == current_organisation():
            continue
        for role in _answering():
            outbox.tell(
                unique_key=f"link:{key}:{what}:{organisation_id}:{role}",
                organisation_id=organisation_id,
                role=role,
                words=f"{words} (R{number})",
                link=LIST_ADDRESS,
            )


def _answering() -> Iterable[Role]:
    return (Role.TEAM_MANAGER, Role.INFORMATION_GOVERNANCE)
