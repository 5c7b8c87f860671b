"""Referral and transfer between organisations: sent by who holds the record, accepted or rejected by who gets it.

Each side writes its own steps. Accepting is the hand-over: what is handed over and still open is copied into a client of the receiver's
own, and logged as a disclosure with the sender, all in one transaction under the lock of the sender's client: a withdrawal comes before it,
and then nothing is copied, or after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.urls import reverse

from caseload import matching, shared
from caseload import selectors as own_clients
from caseload.choices import Category
from caseload.models import Client, Registration, SensitiveRecord
from caseload.services import clients
from caseload.services.clients import COLUMNS, ClientIdTaken, next_client_id, values_in
from caseload.services.episode_acts import register_at
from consent.asks.open_to import open_to
from consent.asks.referral_list import Referral, referral, referrals_of
from consent.choices import DisclosureGround, DisclosureWay, ReferralKind, StepKind, Urgency
from consent.models import PartnerReferral, PartnerReferralStep, ReferralHandOver
from consent.sharing import sources
from consent.sharing.disclosures import disclose
from consent.sharing.services import Refused, by, lock, recorded_from
from edatrs.core import clock, trail
from edatrs.core.scope import Actor, current_organisation, scope_for_organisation
from edatrs.organisations.choices import Role
from edatrs.organisations.models import Organisation, Service, User
from edatrs.organisations.protocol import partners_in_force
from edatrs.organisations.services.outbox import tell

NOT_OPEN = "Nothing of this record is open to {name} today. Record a consent to share, or a decision, first"
ENDED = (
    "It cannot be accepted any more: what opened the record to you has ended, or there is no protocol in force today. "
    "Ask {name} to talk with the person, and to send it again"
)
# What makes a client, in the categories that have columns of their own.
COPIED = tuple(COLUMNS)


def send(
    *,
    client: Client,
    receiver: Organisation,
    service: Service | None,
    kind: str,
    urgency: str,
    reason: str,
    categories: Sequence[str],
    acting_user: User,
    message: str = "",
    form_key: UUID | None = None,
) -> PartnerReferral:
    """Refer or transfer a client to a partner, with parts that are open to it. The same page sent twice sends once. Raises Refused."""
    locked = lock(client.pk)
    before = recorded_from(PartnerReferral, locked, form_key)
    if before is not None:
        return before  # type: ignore[no-any-return]  # of this model
    ordered = [c.value for c in Category if c.value in categories]
    held = open_to(locked, receiver.pk)
    sensitive = SensitiveRecord.objects.filter(client_id=locked.pk, lifted_at__isnull=True).exists()
    waiting = any(row.receiver_id == receiver.pk and row.waits for row in referrals_of(locked))
    extra = [Category(c).label.lower() for c in ordered if c not in held]
    checks = (
        (receiver.pk == current_organisation(), "This is your own organisation", "to"),
        (sensitive, "This is a protected record, for its named team alone. Call the partner instead", ""),
        (receiver.pk not in partners_in_force(), f"No protocol is in force with {receiver.name} today", "to"),
        (not held, NOT_OPEN.format(name=receiver.name), "to"),
        (kind not in ReferralKind.values, "Choose whether it is a referral or a transfer", "kind"),
        (urgency not in Urgency.values, "Choose how soon", "urgency"),
        (service is not None and service.organisation_id != receiver.pk, "Choose a service of this partner", "to"),
        (not reason.strip(), "Write why", "reason"),
        (not ordered, "Tick what is handed over", "parts"),
        (bool(extra), f"Not open to {receiver.name} today: {', '.join(extra)}. Untick it, or record a consent first", "parts"),
        (waiting, f"A referral to {receiver.name} waits for an answer already", "to"),
    )  # fmt: skip
    for wrong, words, field in checks:
        if wrong:
            raise Refused(words, field)
    row = PartnerReferral(
        client=locked,
        receiver=receiver,
        service=service,
        kind=kind,
        urgency=urgency,
        reason=reason.strip(),
        message=message.strip(),
        categories=ordered,
        form_key=form_key,
        **by(acting_user),
    )
    row.save(force_insert=True)
    row.refresh_from_db(fields=["number"])
    trail.record(
        "consent.referral.sent",
        subject=str(locked.pk),
        details={
            "referral": str(row),
            "row": row.pk,
            "recipient": receiver.pk,
            "kind": kind,
            "categories": ordered,
        },
        also=[receiver.pk],
    )
    _tell(
        receiver,
        row,
        "sent",
        f"{row.get_kind_display().split(':')[0]} {row} from a partner waits for an answer",
    )
    return row


def take_back(*, pk: UUID, acting_user: User) -> Referral:
    """The sender takes it back before it is answered. Twice changes nothing. Raises Denied, Refused."""
    found = referral(pk, ours=True)
    return _step(found, StepKind.TAKEN_BACK, acting_user, "")


def reject(*, pk: UUID, reason: str, acting_user: User) -> Referral:
    """The receiver says no, with a reason that the sender reads. Twice changes nothing. Raises Denied, Refused."""
    found = referral(pk, ours=False)
    if not reason.strip():
        raise Refused("Write why. They read it", "reason")
    return _step(found, StepKind.REJECTED, acting_user, reason.strip())


def done(*, pk: UUID, acting_user: User) -> Referral:
    """The sender has done its part after the acceptance: discharged, where it was a transfer. Raises Denied, Refused."""
    found = referral(pk, ours=True)
    if found.state not in (StepKind.ACCEPTED, StepKind.DONE):
        raise Refused("It is not accepted yet")
    return _step(found, StepKind.DONE, acting_user, "")


def _step(found: Referral, kind: str, acting_user: User, reason: str) -> Referral:
    """A step, once. Whoever comes second reads how it stands."""
    row = found.row
    if any(step.kind == kind for step in found.steps):
        return found
    if kind != StepKind.DONE and not found.waits:
        raise Refused(f"It is answered already: {found.words.lower()}")
    try:
        with transaction.atomic():
            PartnerReferralStep(
                referral=row,
                sender_id=row.organisation_id,
                receiver_id=row.receiver_id,
                kind=kind,
                reason=reason,
                **by(acting_user),
            ).save(force_insert=True)
    except IntegrityError as error:
        if "partner_referral_decided_once" not in str(error) and "partner_referral_done_once" not in str(
            error
        ):
            raise
        now = referral(row.pk)
        if any(step.kind == kind for step in now.steps):
            return now
        raise Refused(f"It is answered already: {now.words.lower()}") from None
    other = row.receiver if found.ours else row.organisation
    trail.record(
        f"consent.referral.{kind}",
        subject=str(row.client_id),
        details={"referral": str(row), "row": row.pk, "recipient": row.receiver_id},
        also=[other.pk],
    )
    words = {
        StepKind.TAKEN_BACK: f"Referral {row} was taken back by who sent it",
        StepKind.REJECTED: f"Referral {row} was rejected. Read why",
        StepKind.ACCEPTED: f"Transfer {row} was accepted: now discharge"
        if row.kind == ReferralKind.TRANSFER
        else f"Referral {row} was accepted",
        StepKind.DONE: f"Referral {row} is done with who sent it",
    }
    _tell(other, row, kind, words[StepKind(kind)])
    return referral(row.pk)


def _tell(organisation: Organisation, row: PartnerReferral, what: str, words: str) -> None:
    """A task for the team managers: a number and a link, no client."""
    tell(
        unique_key=f"referral-{what}:{row.pk}",
        organisation_id=organisation.pk,
        role=Role.TEAM_MANAGER,
        words=words,
        link=reverse("consent:referral", args=[organisation.slug, row.pk]),
    )


# ---- accepting --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Offer:
    """What the receiver can accept today: the sender's client, the categories that are handed over and open, and what they say."""

    client: Client
    categories: tuple[str, ...]
    values: dict[str, dict[str, Any]]
    candidates: list[matching.Candidate]

    @property
    def may_be_new(self) -> bool:
        """Whether a client can be made of it: nobody is made up whose name is not handed over."""
        return "identity" in self.values


def offer(found: Referral) -> Offer | None:
    """What of a referral can be accepted today; None: nothing is open to us any more. For the receiver, in its own scope."""
    row = found.row
    if row.organisation_id not in partners_in_force():
        return None
    open_now = shared.categories_of(row.client_id, "S")
    categories = tuple(c.value for c in Category if c.value in row.categories and c.value in open_now)
    client = shared.shared_clients().filter(pk=row.client_id).first()
    if client is None or not categories:
        return None
    values = {}
    for category in COPIED:
        if category in categories:
            held = shared.reached(COLUMNS[category][0], client, category, frozenset(categories)).first()
            if held is not None:
                values[category] = values_in(category, held)
    who = values.get("identity")
    candidates = (
        matching.candidates(
            forename=who["forename"],
            surname=who["surname"],
            born=who["date_of_birth"],
            nhs_number=who["nhs_number"],
        )
        if who
        else []
    )
    return Offer(client, categories, values, candidates)


def accept(
    *, pk: UUID, existing: UUID | None, service: Service, client_id_text: str, acting_user: User
) -> ReferralHandOver:
    """Accept and take over: a new client with what was handed over, or one's own that is the same person, registered at the service.

    A client of one's own is left as it is: what a partner recorded does not overwrite what is recorded here. Twice gives what it made.
    Raises Denied, Refused.
    """
    found = referral(pk, ours=False)
    before = ReferralHandOver.objects.filter(referral=pk).first()
    if before is not None:
        return before
    if not found.waits:
        raise Refused(f"It is answered already: {found.words.lower()}")
    try:
        with transaction.atomic():
            return _take_over(found, existing, service, client_id_text.strip(), acting_user)
    except ClientIdTaken as taken:
        raise Refused(str(taken), "client_id_text") from None


def own_record(typed: str) -> UUID:
    """A client of one's own by its record number, as somebody types it. Raises Refused: absent and out of reach read alike."""
    number = typed.strip().upper().removeprefix("R")
    found = (
        own_clients.clients_for("client.view").filter(record_number=int(number)).first()
        if number.isascii() and number.isdigit() and len(number) < 12
        else None
    )
    if found is None:
        raise Refused(
            "There is no record of yours with this number. Enter it as it stands on the record", "record"
        )
    return found.pk


def _take_over(
    found: Referral, existing: UUID | None, service: Service, client_id_text: str, acting_user: User
) -> ReferralHandOver:
    row = found.row
    # First with the sender: its client is locked, so a withdrawal is before or after, and the disclosure is logged where it belongs.
    if not _hand_over(row):
        raise Refused(ENDED.format(name=row.organisation.name))
    made = offer(found)
    if made is None:
        raise Refused(ENDED.format(name=row.organisation.name))
    _step(found, StepKind.ACCEPTED, acting_user, "")
    before = ReferralHandOver.objects.filter(referral=row.pk).first()
    if before is not None:  # somebody was a moment faster
        return before
    number = client_id_text or next_client_id(service)
    if existing is not None:
        client = own_clients.get_client(existing, "client.view")
        if not Registration.objects.filter(client=client, service=service).exists():
            register_at(
                client=client,
                service=service,
                client_id_text=number,
                form_id=row.pk,
                acting_user=acting_user,
            )
        copied: list[str] = []
    else:
        if not made.may_be_new:
            raise Refused(
                "The name is not handed over. Enter the number of your record of this person", "record"
            )
        client, _ = clients.register_client(
            form_id=row.pk,
            service=service,
            client_id_text=number,
            values=made.values,
            overruled=len(made.candidates),
            acting_user=acting_user,
        )
        copied = list(made.values)
    hand_over = ReferralHandOver(
        client=client, referral=row.pk, is_new=existing is None, categories=copied, **by(acting_user)
    )
    hand_over.save(force_insert=True)
    trail.record(
        "consent.referral.taken_over",
        subject=str(client.pk),
        details={"referral": str(row), "row": row.pk, "categories": copied},
    )
    return hand_over


def _hand_over(row: PartnerReferral) -> bool:
    """Log it with the sender, in the sender's own scope and under the lock of its client; False: nothing of it is open any more."""
    with scope_for_organisation(row.organisation, actor=Actor.WORKER):
        sent = PartnerReferral.objects.get(pk=row.pk)
        client = lock(sent.client_id)
        held = open_to(client, sent.receiver_id)
        categories = [c for c in sent.categories if c in held]
        if client.pk != sent.client_id or client.voided_at is not None or not categories:
            return False
        book = sources.read(client)
        consent = next(
            (
                line.consent
                for line in book.consents
                if line.live and line.consent.recipient_id == sent.receiver_id
                and set(categories) & set(line.consent.categories)
            ),
            None,
        )  # fmt: skip
        decision = next((d.decision for d in book.decisions if d.live and d.decision.recipient_id == sent.receiver_id), None)  # fmt: skip
        if consent is None and decision is None:
            return False
        sender = User.objects.get(pk=sent.recorded_by)
        disclose(
            client=client,
            way=DisclosureWay.HAND_OVER,
            recipient=sent.receiver,
            recipient_name="",
            what=f"{sent.get_kind_display().split(':')[0]} {sent}",
            categories=categories,
            purpose=sent.reason,
            ground=DisclosureGround.CONSENT if consent is not None else DisclosureGround.LAWFUL,
            given_on=clock.today(),
            acting_user=sender,
            consent_id=consent.pk if consent is not None else None,
            lawful_ground=decision.ground if consent is None and decision is not None else "",
            form_key=sent.pk,
        )
        return True
