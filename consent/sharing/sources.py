"""What was said and decided about sharing a client, read together: the one place that says what counts today.

A fixed number of queries, but one more for each generation of merges. Records that were merged into this one speak for it too: their rows
stay where they were made.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from caseload.models import Client
from caseload.trail_subjects import merged_into
from consent.models import (
    Disclosure,
    LawfulDecision,
    LawfulReview,
    SharingConsent,
    SharingEnd,
    SharingSignature,
    SharingWitness,
)
from consent.sharing import rules
from consent.sharing.rules import Source, State, Told
from edatrs.core import clock
from edatrs.core.access import Denied
from edatrs.core.scope import remembered


@dataclass(frozen=True)
class ConsentLine:
    """A consent with what became of it."""

    consent: SharingConsent
    state: State
    endings: tuple[SharingEnd, ...]
    witness: SharingWitness | None
    signature: dict[str, Any] | None
    counts_from: dt.date

    @property
    def live(self) -> bool:
        """Whether it gives access today, as far as it is concerned: the protocol is another matter."""
        return self.state is State.LIVE

    @property
    def words(self) -> str:
        """How it stands."""
        return rules.WORDS[self.state]

    @property
    def recipient(self) -> str:
        """To whom."""
        held = self.consent.recipient
        return held.name if held is not None else self.consent.recipient_name

    @property
    def ended_on(self) -> dt.date | None:
        """The day from which it did not count any more, where there is one."""
        kinds = {
            State.WITHDRAWN: "withdrawn",
            State.INVALIDATED: "invalidated",
            State.EPISODE_OVER: "episode_over",
        }
        if self.state in kinds:
            return next(e.on for e in self.endings if e.kind == kinds[self.state])
        return self.consent.until if self.state is State.ENDED else None

    @property
    def ask_again_on(self) -> dt.date | None:
        """When to talk about it again."""
        return rules.ask_again_on(self.consent) if self.live else None


@dataclass(frozen=True)
class DecisionLine:
    """A decision without consent with its reviews; `review_on` None: a review ended it."""

    decision: LawfulDecision
    reviews: tuple[LawfulReview, ...]
    review_on: dt.date | None
    live: bool

    @property
    def overdue(self) -> bool:
        """Whether it gives no access any more because nobody reviewed it in time."""
        return not self.live and self.review_on is not None


@dataclass
class Book:
    """Everything about sharing one client."""

    client: Client
    consents: list[ConsentLine] = field(default_factory=list)
    decisions: list[DecisionLine] = field(default_factory=list)

    def sources(self, recipient_id: UUID) -> list[Source]:
        """What counts today for a partner."""
        found = [
            Source(tuple(line.consent.categories), line.counts_from, line.consent.until)
            for line in self.consents
            if line.live and line.consent.recipient_id == recipient_id
        ]
        return found + [
            Source(
                tuple(line.decision.categories), clock.london_date(line.decision.recorded_at), line.review_on
            )
            for line in self.decisions
            if line.live and line.decision.recipient_id == recipient_id
        ]

    @property
    def recipients(self) -> set[UUID]:
        """The partners that anything is recorded for."""
        held = {line.consent.recipient_id for line in self.consents} | {
            d.decision.recipient_id for d in self.decisions
        }
        return {pk for pk in held if pk is not None}

    def consent(self, pk: UUID) -> ConsentLine:
        """One of them. Raises Denied: absent and another client's answer alike."""
        found = next((line for line in self.consents if line.consent.pk == pk), None)
        if found is None:
            raise Denied("grant.view", "not found", subject=str(pk))
        return found

    def decision(self, pk: UUID) -> DecisionLine:
        """One of them. Raises Denied: absent and another client's answer alike."""
        found = next((line for line in self.decisions if line.decision.pk == pk), None)
        if found is None:
            raise Denied("grant.without_consent", "not found", subject=str(pk))
        return found


def record_ids(client: Client) -> list[UUID]:
    """The record and those that live on in it."""
    return remembered(
        ("records of", client.pk), lambda: [client.pk, *sorted(merged_into([client.pk]), key=str)]
    )


def read(client: Client, *, evidence: bool = True) -> Book:
    """What was said and decided, the newest first; with `evidence` also what is known of signatures."""
    ids = record_ids(client)
    consents = list(
        SharingConsent.objects.filter(client_id__in=ids)
        .select_related("recipient")
        .order_by("-decided_on", "-number")
    )
    endings = _by(SharingEnd.objects.filter(client_id__in=ids).order_by("recorded_at"), "consent_id")
    witnesses = {row.consent_id: row for row in SharingWitness.objects.filter(client_id__in=ids)}
    signed = SharingSignature.objects.filter(client_id__in=ids).values("consent_id", "kind", "size", "sha256")
    signatures = {row["consent_id"]: row for row in signed} if evidence else {}
    told = defaultdict(list)
    for consent in consents:
        told[_recipient(consent)].append(
            Told(consent, tuple(endings.get(consent.pk, ())), witnesses.get(consent.pk))
        )
    now, today = clock.now(), clock.today()
    book = Book(client)
    for consent in consents:
        ended, witness = tuple(endings.get(consent.pk, ())), witnesses.get(consent.pk)
        book.consents.append(
            ConsentLine(
                consent,
                rules.state_of(
                    consent,
                    endings=ended,
                    witness=witness,
                    others=told[_recipient(consent)],
                    now=now,
                    today=today,
                ),
                ended,
                witness,
                signatures.get(consent.pk),
                rules.counts_from(consent, witness, clock.london_date),
            )
        )
    decisions = LawfulDecision.objects.filter(client_id__in=ids).select_related("recipient")
    reviews = _by(LawfulReview.objects.filter(client_id__in=ids).order_by("recorded_at", "pk"), "decision_id")
    for decision in decisions.order_by("-decided_on", "-number"):
        mine = tuple(reviews.get(decision.pk, ()))
        day = rules.review_day(decision, mine)
        book.decisions.append(DecisionLine(decision, mine, day, day is not None and today <= day))
    return book


def disclosures_of(client: Client) -> Any:
    """What was given to others by hand, the newest first."""
    rows = Disclosure.objects.filter(client_id__in=record_ids(client)).select_related("recipient", "consent")
    return rows.order_by("-given_on", "-recorded_at", "pk")


def signature_of(client: Client, consent_id: UUID) -> SharingSignature:
    """The signature or scan of a consent of a client. Raises Denied."""
    found = SharingSignature.objects.filter(client_id__in=record_ids(client), consent_id=consent_id).first()
    if found is None:
        raise Denied("consent.share.record", "not found", subject=str(consent_id))
    return found


def _recipient(consent: SharingConsent) -> tuple[UUID | None, str]:
    return consent.recipient_id, consent.recipient_name.strip().casefold()


def _by(rows: Iterable[Any], name: str) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        found[getattr(row, name)].append(row)
    return found
