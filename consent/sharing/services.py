"""Writes about consent to share: an answer, its end, a witness. Decisions without consent and disclosures by hand stand beside it.

Each is one transaction: the client is locked, the act is kept, what follows for the partner is pushed down as grants with every other
reason that still counts, and the act stands on both trails under one event.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID, uuid4

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse

from caseload.choices import Category
from caseload.models import Client, ClientMerge, Episode, SharingGrant
from caseload.services.grants import set_grants
from consent.choices import Answer, EndKind, Ends, Way, WitnessAnswer
from consent.models import (
    SharingConsent,
    SharingEnd,
    SharingSignature,
    SharingWitness,
)
from consent.sharing import rules, sources
from consent.uploads import SignedForm
from edatrs.core import clock, registry, trail
from edatrs.core.crypto import seal
from edatrs.core.scope import current_organisation, current_scope
from edatrs.organisations.models import Organisation, User
from edatrs.organisations.protocol import partners_in_force
from edatrs.organisations.services.outbox import tell


class Refused(ValueError):
    """It cannot be recorded; the message says why and what to do. `field` is what it is about, where one is."""

    def __init__(self, words: str, field: str = "") -> None:
        super().__init__(words)
        self.field = field


def push(*, client: Client, recipient_id: UUID) -> list[str]:
    """Make what a partner may see of a client what all reasons that count today say together. Returns the categories that changed.

    The client is locked by whoever calls. A record that is out of use opens nothing.
    """
    held = [] if client.voided_at is not None else sources.read(client).sources(recipient_id)
    return set_grants(client=client, holder_id=recipient_id, terms=rules.terms(held, clock.today()))


def push_all(client_ids: Collection[UUID]) -> None:
    """`push` to every partner of each client, in one order: after a merge or its undoing, where two records became one or one two."""
    for client in Client.objects.select_for_update(of=("self",)).filter(pk__in=client_ids).order_by("pk"):
        held = SharingGrant.objects.filter(
            content_object_id=client.pk, organisation_id=client.organisation_id
        )
        recipients = sources.read(client).recipients | set(held.values_list("holder_id", flat=True))
        for recipient_id in sorted(recipients, key=str):
            push(client=client, recipient_id=recipient_id)


def record_consent(
    *,
    client: Client,
    answer: str,
    recipient: Organisation | None,
    recipient_name: str,
    purposes: str,
    categories: Sequence[str],
    decided_on: dt.date,
    acting_user: User,
    ends: str = "",
    until: dt.date | None = None,
    told_who_sees: bool = False,
    told_notice: bool = False,
    notice_version: str = "",
    way: str = "",
    spoken_words: str = "",
    witness: User | None = None,
    signature: SignedForm | None = None,
    note: str = "",
    renews: UUID | None = None,
    asked: UUID | None = None,
    form_key: UUID | None = None,
) -> SharingConsent:
    """Keep a yes or a no to one recipient, and open what follows of it. The same page sent twice gives what it recorded.

    Raises Refused. A spoken consent opens nothing until its witness confirmed; one to a partner without a protocol in force opens nothing
    as long as there is none.
    """
    locked = lock(client.pk)
    before = recorded_from(SharingConsent, locked, form_key)
    if before is not None:
        return before  # type: ignore[no-any-return]  # of this model
    if (recipient is None) == (not recipient_name.strip()):
        raise Refused("Choose with whom, or write the name of somebody outside", "recipient")
    if recipient is not None and recipient.pk == current_organisation():
        raise Refused("This is your own organisation. It holds the record already", "recipient")
    given = answer == Answer.GIVEN
    ordered = [c.value for c in Category if c.value in categories]
    words, field = rules.problem_with_consent(
        answer=answer,
        decided_on=decided_on,
        today=clock.today(),
        until=until if ends == Ends.DATE else None,
        ends=ends,
        way=way,
        has_signature=signature is not None,
        has_witness=witness is not None,
        witness_is_self=witness is not None and witness.pk == acting_user.pk,
        categories=ordered,
        purposes=purposes,
        told_who_sees=told_who_sees,
        told_notice=told_notice,
        spoken_words=spoken_words,
    )
    if words:
        raise Refused(words, field)
    if given and ends == Ends.EPISODE and not _has_open_episode(locked):
        raise Refused("There is no open episode. Choose a date, or no end date", "ends")
    spoken = given and way == Way.WITNESSED
    consent = SharingConsent(
        client=locked,
        answer=answer,
        recipient=recipient,
        recipient_name=recipient_name.strip(),
        purposes=purposes.strip(),
        categories=ordered,
        decided_on=decided_on,
        ends=ends if given else "",
        until=until if given and ends == Ends.DATE else None,
        told_who_sees=told_who_sees if given else None,
        told_notice=told_notice if given else None,
        notice_version=notice_version if given else "",
        way=way if given else "",
        spoken_words=spoken_words.strip() if spoken else "",
        witness=witness.pk if spoken and witness else None,
        witness_label=witness.full_name if spoken and witness else "",
        note="" if given else note.strip(),
        renews=renews,
        asked=asked,
        form_key=form_key,
        **by(acting_user),
    )
    consent.save(force_insert=True)
    consent.refresh_from_db(fields=["number"])
    if given and signature is not None and way in (Way.DRAWN, Way.PAPER):
        _keep_signature(consent, signature, acting_user)
    if spoken and witness is not None:
        _ask_witness(consent, witness)
    changed = push(client=locked, recipient_id=recipient.pk) if recipient is not None else []
    trail.record(
        "consent.sharing.recorded",
        subject=str(locked.pk),
        details={
            "consent": str(consent),
            "row": consent.pk,
            "answer": answer,
            "recipient": recipient.pk if recipient else None,
            "categories": ordered,
            "on": decided_on,
            "until": consent.until,
            "way": consent.way,
            "opened": changed,
            "form": signature.sha256 if signature else None,
        },
        also=_also(recipient, changed),
    )
    request_answered(asked, consent)
    return consent


def end_consent(
    *,
    consent: SharingConsent,
    kind: str,
    acting_user: User | None,
    on: dt.date | None = None,
    reason: str = "",
) -> SharingEnd:
    """Withdraw a consent, mark it as recorded in error, or end it with the episode: at once, as a new act. Raises Refused."""
    locked = lock(consent.client_id)
    before = SharingEnd.objects.filter(consent=consent, kind=kind).first()
    if before is not None:
        return before
    day = on or clock.today()
    if day > clock.today():
        raise Refused("The day is in the future. Enter the day it was said.", "on")
    if kind == EndKind.WITHDRAWN and day < consent.decided_on:
        raise Refused("The day is before the consent was given. Enter the day it was taken back.", "on")
    if kind == EndKind.INVALIDATED and not reason.strip():
        raise Refused("Say what was wrong: the record stays in the history with your words", "reason")
    if kind != EndKind.INVALIDATED and consent.answer == Answer.REFUSED:
        raise Refused("This is a no. There is nothing to take back.")
    end = SharingEnd(
        client_id=consent.client_id,
        consent=consent,
        kind=kind,
        on=day,
        reason=reason.strip(),
        **by(acting_user),
    )
    end.save(force_insert=True)
    push_and_tell(
        locked,
        consent.recipient,
        "consent.sharing.ended",
        consent=str(consent),
        row=consent.pk,
        why=kind,
        on=day,
    )
    return end


def confirm_witness(
    *, consent: SharingConsent, answer: str, acting_user: User, note: str = ""
) -> SharingWitness:
    """The colleague who was named says whether they heard it; only now it gives access. Within 24 hours. Raises Refused."""
    locked = lock(consent.client_id)
    before = SharingWitness.objects.filter(consent=consent).first()
    if before is not None and before.recorded_by == acting_user.pk:
        return before
    line = sources.read(locked).consent(consent.pk)
    problem = rules.problem_with_witnessing(state=line.state, is_witness=consent.witness == acting_user.pk)
    if problem:
        raise Refused(problem)
    if answer not in WitnessAnswer.values:
        raise Refused("Choose whether you heard it", "answer")
    said = SharingWitness(
        client_id=consent.client_id, consent=consent, answer=answer, note=note.strip(), **by(acting_user)
    )
    said.save(force_insert=True)
    push_and_tell(
        locked,
        consent.recipient,
        "consent.sharing.witnessed",
        consent=str(consent),
        row=consent.pk,
        answer=answer,
    )
    request_answered(consent.asked, consent)
    return said


def lock(client_id: UUID) -> Client:
    """The client, or the one that it lives on in after merges, locked: two acts at once leave what both say together."""
    seen = {client_id}
    while True:
        merge = ClientMerge.objects.filter(client_id=client_id, undone_at__isnull=True).first()
        if merge is None or merge.survivor_id in seen:
            break
        client_id = merge.survivor_id
        seen.add(client_id)
    found: Client = Client.objects.select_for_update(of=("self",)).get(pk=client_id)
    return found


def push_and_tell(client: Client, recipient: Organisation | None, event: str, **details: Any) -> None:
    """Push, and put the act on both trails."""
    changed = push(client=client, recipient_id=recipient.pk) if recipient is not None else []
    trail.record(
        event,
        subject=str(client.pk),
        details={"recipient": recipient.pk if recipient else None, "changed": changed, **details},
        also=_also(recipient, changed),
    )


def _also(recipient: Organisation | None, changed: Sequence[str]) -> list[UUID]:
    """The partner's chain, where what it may see changed and a protocol is in force. A no and a wait tell it nothing."""
    if recipient is None or not changed or recipient.pk not in partners_in_force():
        return []
    return [recipient.pk]


def new_key() -> UUID:
    """The key of a page that is shown: sent twice, it records once."""
    return uuid4()


def recorded_from(model: type[Any], client: Client, form_key: UUID | None) -> Any:
    return model.objects.filter(client=client, form_key=form_key).first() if form_key else None


def by(acting_user: User | None) -> dict[str, Any]:
    scope = current_scope()
    return {
        "recorded_by": acting_user.pk if acting_user else scope.person_id or current_organisation(),
        "recorded_by_label": acting_user.full_name if acting_user else scope.person_label or "The system",
        "recorded_at": clock.now(),
        "act": scope.act,
    }


def _keep_signature(consent: SharingConsent, signature: SignedForm, acting_user: User) -> None:
    SharingSignature(
        id=uuid4(),
        client_id=consent.client_id,
        consent=consent,
        kind=signature.kind,
        size=len(signature.raw),
        sha256=signature.sha256,
        sealed=seal(signature.raw, str(consent.pk)),
        **by(acting_user),
    ).save(force_insert=True)


def _ask_witness(consent: SharingConsent, witness: User) -> None:
    """An in-app task for the colleague: a number and a link, no client."""
    organisation = Organisation.objects.get(pk=current_organisation())
    tell(
        unique_key=f"consent-witness-{consent.pk}",
        organisation_id=organisation.pk,
        user_id=witness.pk,
        words=f"Confirm within 24 hours that you heard consent {consent}",
        link=reverse("consent:share-witness", args=[organisation.slug, consent.client_id, consent.pk]),
    )


def request_answered(asked: UUID | None, source: Any) -> None:
    """Say to whoever keeps requests for sharing that this one is answered, by a consent or by a decision."""
    for _, asks in registry.sharing_asks:
        if asked is not None:
            asks.answered(asked, source)


def episodes_changed(episode_ids: list[Any]) -> None:
    """End the consents that hold until the treatment episode ends, of clients of these episodes. In the transaction of the change."""
    clients = Episode.objects.filter(pk__in=episode_ids).values("client_id")
    merged = Q(client__merges__undone_at__isnull=True, client__merges__survivor_id__in=clients)
    end_with_episodes(_until_episode_ends().filter(Q(client_id__in=clients) | merged))


def end_with_episodes(consents: QuerySet[Any] | None = None) -> int:
    """End those of the consents whose client has no open episode any more; all of the organisation's unless told. Returns how many."""
    found = (_until_episode_ends() if consents is None else consents).select_related("recipient")
    ended = 0
    for consent in found.order_by("client_id", "pk"):
        if not _has_open_episode(lock(consent.client_id)):
            end_consent(consent=consent, kind=EndKind.EPISODE_OVER, acting_user=None)
            ended += 1
    return ended


def _until_episode_ends() -> QuerySet[Any]:
    over = SharingEnd.objects.filter(consent_id=OuterRef("pk"))
    return SharingConsent.objects.filter(~Exists(over), ends=Ends.EPISODE)


def _has_open_episode(client: Client) -> bool:
    rows = Episode.objects.filter(client=client, voided_at__isnull=True, discharged_on__isnull=True)
    return bool(rows.exists())
