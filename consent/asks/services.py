"""Writes about asking: sent and taken back by who asks, answered by who holds the record.

An ask is delivered by the database as role `matcher` (migration 0008). What a holder does with it is written in the holder's own rows and
trail; only an agreement comes back, through the grant that it makes or the name that the holder gives.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection
from django.urls import reverse

from caseload import shared
from caseload.choices import Category
from caseload.models import Client
from caseload.selectors_work import keyworker_of
from caseload.services import known_elsewhere
from caseload.services.emergency import next_working_day
from consent.asks import rules, selectors
from consent.asks.rules import State
from consent.asks.selectors import Delivery
from consent.choices import AnswerKind, HowKnown
from consent.models import Ask, AskAnswer, AskDelivery, AskEnd, SharingConsent
from consent.sharing.services import Refused, by, lock
from edatrs.core import clock, trail
from edatrs.core.scope import Actor, current_organisation, scope_for_organisation
from edatrs.organisations.choices import Role
from edatrs.organisations.models import Organisation, User
from edatrs.organisations.protocol import partners_in_force
from edatrs.organisations.services.outbox import tell

ASK_FIRST = "Check first whether a partner knows this person. There is nobody to ask without a yes"


def answer_by(today: dt.date) -> dt.date:
    """The day by which a holder should answer."""
    return next_working_day(today, rules.ANSWER_WORKING_DAYS)


def ask(
    *,
    client: Client,
    purpose: str,
    categories: Sequence[str],
    how: str,
    told: bool,
    acting_user: User,
    message: str = "",
    form_key: UUID | None = None,
) -> Ask:
    """Ask whoever holds the person of a client of one's own. The same page sent twice asks once. Raises Refused.

    Who asks cannot learn from this whether it reached anybody.
    """
    locked = lock(client.pk)
    before = _sent(form_key)
    if before is not None:
        return before
    check = known_elsewhere.latest(locked)
    if check is None or not check.known or not known_elsewhere.may_be_asked(locked):
        raise Refused(ASK_FIRST)
    if any(line.waits for line in selectors.asks_of(locked)):
        raise Refused(
            "You have asked already, and the request is open. Take it back to ask for something else"
        )
    return _send(
        Ask(client=locked, how=how, **_said(purpose, categories, message, told, form_key)), acting_user
    )


def ask_more(
    *,
    held: Client,
    purpose: str,
    categories: Sequence[str],
    told: bool,
    acting_user: User,
    message: str = "",
    form_key: UUID | None = None,
) -> Ask:
    """Ask the holder of a record that is shared with us for more of it. Raises Denied where nothing of it is open, Refused."""
    client, open_to_us = shared.get_shared(held.pk, "S")
    with connection.cursor() as cursor:  # one such request of the organisation after the other
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"ask {current_organisation()} {held.pk}"],
        )
    before = _sent(form_key)
    if before is not None:
        return before
    wanted = [c for c in categories if c not in open_to_us]
    if categories and not wanted:
        raise Refused("You can see these parts already. Tick what you need beside them", "parts")
    if any(line.waits for line in selectors.asks_about(client.pk)):
        raise Refused(
            "You have asked already, and the request is open. Take it back to ask for something else"
        )
    row = Ask(
        holder_id=client.organisation_id,
        held_client=client.pk,
        how=HowKnown.SHARED,
        **_said(purpose, wanted, message, told, form_key),
    )
    return _send(row, acting_user)


def _sent(form_key: UUID | None) -> Ask | None:
    return Ask.objects.filter(form_key=form_key).first() if form_key else None


def _said(
    purpose: str, categories: Sequence[str], message: str, told: bool, form_key: UUID | None
) -> dict[str, Any]:
    ordered = [c.value for c in Category if c.value in categories]
    if not ordered:
        raise Refused("Tick the parts of the record that you need", "parts")
    if not purpose.strip():
        raise Refused("Write why you need to see it", "purpose")
    return {
        "purpose": purpose.strip(),
        "categories": ordered,
        "message": message.strip(),
        "told": told,
        "answer_by": answer_by(clock.today()),
        "form_key": form_key,
    }


def _send(row: Ask, acting_user: User) -> Ask:
    for name, value in by(acting_user).items():
        setattr(row, name, value)
    row.save(force_insert=True)
    row.refresh_from_db(fields=["number"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT consent_deliver_ask(%s)", [row.pk])
    trail.record(
        "consent.ask.sent",
        subject=str(row.client_id or row.held_client),
        details={"ask": str(row), "row": row.pk, "categories": row.categories, "until": row.answer_by},
    )
    _tell_holders(row, "delivered", "A partner asks to see parts of a record: request {number}")
    return row


def take_back(*, asked: Ask, acting_user: User) -> AskEnd:
    """Who asked does not need it any more. Whoever got it is told; taking back twice changes nothing. Raises Refused."""
    if asked.client_id is not None:
        lock(asked.client_id)
    before = AskEnd.objects.filter(ask=asked).first()
    if before is not None:
        return before
    if not selectors.ask_of_ours(asked.pk).waits:
        raise Refused("This request is answered or over. There is nothing to take back")
    end = AskEnd(ask=asked, **by(acting_user))
    end.save(force_insert=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT consent_take_back_ask(%s)", [asked.pk])
    trail.record(
        "consent.ask.taken_back",
        subject=str(asked.client_id or asked.held_client),
        details={"ask": str(asked), "row": asked.pk},
    )
    _tell_holders(asked, "taken_back", "Request {number} was taken back by who asked")
    return end


def _tell_holders(asked: Ask, what: str, words: str) -> None:
    """A task and an entry on the trail of whoever got it, in that organisation's own scope: here nobody knows who it is."""
    ids = [asked.holder_id] if asked.holder_id else sorted(partners_in_force(), key=str)
    for organisation in Organisation.objects.filter(pk__in=ids).order_by("pk"):
        with scope_for_organisation(organisation, actor=Actor.WORKER):
            for row in AskDelivery.objects.filter(ask=asked.pk).order_by("pk"):
                trail.record(
                    f"consent.ask.{what}_here",
                    subject=str(row.client_id),
                    details={"ask": str(row), "row": row.pk, "recipient": row.asker_id},
                )
                _tell(organisation, row, what, words.format(number=row))


def _tell(organisation: Organisation, row: AskDelivery, what: str, words: str) -> None:
    """The keyworker of the client, or the team managers where there is none. A number and a link, no client."""
    keyworker = keyworker_of(clock.today(), row.client_id).values_list("keyworker_id", flat=True).first()
    tell(
        unique_key=f"ask-{what}:{row.pk}",
        organisation_id=organisation.pk,
        user_id=keyworker,
        role="" if keyworker else Role.TEAM_MANAGER,
        words=words,
        link=reverse("consent:request", args=[organisation.slug, row.pk]),
    )


# ---- the holder -------------------------------------------------------------------------------------------------


def refuse(*, pk: UUID, reason: str, acting_user: User) -> Delivery:
    """No, with a reason that stays here: who asks reads what they would read without an answer. Raises Denied, Refused."""
    found = _locked(pk)
    if found.state is State.REFUSED:
        return found
    if not reason.strip():
        raise Refused("Write why. It stays here, and who asked never reads it", "reason")
    _must_wait(found)
    return _answer(found, AnswerKind.REFUSED, acting_user, reason=reason.strip())


def open_again(*, pk: UUID, acting_user: User) -> Delivery:
    """Undo a refusal, while the request lives. Raises Denied, Refused."""
    found = _locked(pk)
    if found.state in rules.WAITING:
        return found
    if not found.may_open_again:
        raise Refused("This request cannot be opened again")
    return _answer(found, AnswerKind.REOPENED, acting_user)


def name_us(*, pk: UUID, acting_user: User) -> Delivery:
    """Let who asks know that we know the person, and whom to call. Nothing of the record opens. Raises Denied, Refused."""
    found = _locked(pk)
    if found.state is State.NAMED or found.row.directed:
        return found
    _must_wait(found)
    return _answer(found, AnswerKind.NAMED, acting_user, also=[found.row.asker_id])


def answered(ask_id: UUID, source: Any) -> None:
    """A consent, a refusal of the client or a decision without consent answers a request: called in its transaction, and again when a
    witness confirmed. Agreed is what opened something; a yes that opens nothing yet is kept.
    """
    found = _locked(ask_id)
    if source.recipient_id != found.row.asker_id:
        return  # said to somebody else after all
    consent = isinstance(source, SharingConsent)
    if consent and source.answer == "refused":
        kind, reason = AnswerKind.REFUSED, f"The client said no: {source}"
    else:
        kind, reason = AnswerKind.AGREED if selectors.opened_to(found.row) else AnswerKind.KEPT, ""
    last = found.answers[-1] if found.answers else None
    if last is not None and (last.kind, last.source) == (kind, source.pk):
        return
    if found.state not in rules.WAITING and (
        kind != AnswerKind.AGREED or found.state in (State.TAKEN_BACK, State.AGREED)
    ):
        return
    opened = source.client_id if kind == AnswerKind.AGREED else None
    _answer(found, kind, None, reason=reason, source=source.pk, opened=opened)


def _locked(pk: UUID) -> Delivery:
    """A request with its client locked, as it stands then. Raises Denied."""
    lock(selectors.delivery(pk).row.client_id)
    return selectors.delivery(pk)


def _must_wait(found: Delivery) -> None:
    if found.state not in rules.WAITING:
        raise Refused(f"This request is answered or over: {found.words.lower()}")


def _answer(
    found: Delivery,
    kind: str,
    acting_user: User | None,
    *,
    reason: str = "",
    source: UUID | None = None,
    opened: UUID | None = None,
    also: Sequence[UUID] = (),
) -> Delivery:
    row = found.row
    AskAnswer(
        client_id=row.client_id,
        delivery=row,
        kind=kind,
        reason=reason,
        source=source,
        opened=opened,
        **by(acting_user),
    ).save(force_insert=True)
    trail.record(
        "consent.ask.answered",
        subject=str(row.client_id),
        details={"ask": str(row), "row": row.pk, "answer": kind, "recipient": row.asker_id},
        also=list(also),
    )
    return selectors.delivery(row.pk)
