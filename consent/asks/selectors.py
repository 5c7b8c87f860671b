"""Reads about asking: what we asked and what of it was agreed; what partners ask of us and how it stands."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.urls import reverse

from caseload import shared
from caseload.models import Client
from consent.asks import paging, rules
from consent.asks.open_to import lives_in, open_of
from consent.asks.rules import State
from consent.choices import AnswerKind
from consent.models import Ask, AskAnswer, AskDelivery, AskEnd
from consent.sharing import partners, sources
from consent.sharing.partners import Partner
from edatrs.core import clock, registry
from edatrs.core.access import Denied
from edatrs.core.scope import current_organisation, remembered
from edatrs.organisations.models import Organisation
from edatrs.organisations.protocol import partners_in_force

PAGE = 100


# ---- who asks ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Agreement:
    """A holder that agreed: it named itself, or it opened a record. `open_now`: whether we can see anything of it today."""

    partner: Partner
    client_id: UUID | None
    said_at: dt.datetime
    said_by: str
    open_now: bool


@dataclass(frozen=True)
class AskLine:
    """What we asked. Nothing here depends on a refusal, on silence, or on whether it reached anybody."""

    row: Ask
    taken_back: AskEnd | None
    agreements: tuple[Agreement, ...]
    today: dt.date

    @property
    def opened(self) -> bool:
        """Whether somebody opened a record for it."""
        return any(agreement.client_id for agreement in self.agreements)

    @property
    def over(self) -> bool:
        """Whether nobody can answer it any more."""
        return rules.is_over(asked_on=clock.london_date(self.row.recorded_at), today=self.today)

    @property
    def waits(self) -> bool:
        """Whether it may still be answered: it stands in the way of another."""
        return self.taken_back is None and not self.opened and not self.over

    @property
    def late(self) -> bool:
        """Whether the day by which an answer was asked for is over."""
        return self.today > self.row.answer_by


def asks_of(client: Client) -> list[AskLine]:
    """What was asked about a client of one's own, the newest first."""
    return _lines(Ask.objects.filter(client_id__in=sources.record_ids(client)))


def asks_about(held_client: UUID) -> list[AskLine]:
    """What more was asked of a record that is shared with us, the newest first."""
    return _lines(Ask.objects.filter(held_client=held_client))


def asks_by_us(*, before: str = "") -> tuple[list[AskLine], str]:
    """A page of everything that was asked, the newest first, and the key of the next page."""
    some, more = paging.by_number(Ask.objects.select_related("holder"), before, PAGE)
    return _as_lines(some), more


def ask_of_ours(pk: UUID) -> AskLine:
    """One of them. Raises Denied: absent and another organisation's answer alike."""
    found = _lines(Ask.objects.filter(pk=pk))
    if not found:
        raise Denied("sharing.ask", "not found", subject=str(pk))
    return found[0]


def _lines(rows: Any) -> list[AskLine]:
    return _as_lines(list(rows.select_related("holder").order_by("-recorded_at", "-number")[:PAGE]))


def _as_lines(asks: list[Ask]) -> list[AskLine]:
    ended = {end.ask_id: end for end in AskEnd.objects.filter(ask__in=asks)}
    agreed = _agreements([row.pk for row in asks])
    today = clock.today()
    return [AskLine(row, ended.get(row.pk), tuple(agreed.get(row.pk, ())), today) for row in asks]


def _agreements(ask_ids: Sequence[UUID]) -> dict[UUID, list[Agreement]]:
    """What holders agreed to, as the database tells it: no other answer comes out of it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ask, holder, held_client, said_at, said_by FROM consent_agreed(%s::uuid[])",
            [list(ask_ids)],
        )
        rows = cursor.fetchall()
    clients = [row[2] for row in rows if row[2]]
    open_now = (
        set(shared.shared_clients().filter(pk__in=clients).values_list("pk", flat=True)) if clients else set()
    )
    found: dict[UUID, list[Agreement]] = defaultdict(list)
    for ask_id, holder, client, at, label in rows:
        partner = partners.by_id(holder)
        if partner is not None:
            found[ask_id].append(Agreement(partner, client, at, label, client in open_now))
    return found


# ---- who is asked -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Delivery:
    """A request of a partner about a client of ours, with what became of it."""

    row: AskDelivery
    answers: tuple[AskAnswer, ...]
    in_force: bool
    today: dt.date

    @property
    def _known(self) -> dict[str, Any]:
        return {
            "asked_on": clock.london_date(self.row.recorded_at),
            "today": self.today,
            "in_force": self.in_force,
        }

    @property
    def state(self) -> State:
        """How it stands."""
        return rules.state_of([answer.kind for answer in self.answers], **self._known)

    @property
    def words(self) -> str:
        """The same in words."""
        return rules.WORDS[self.state]

    @property
    def waits(self) -> bool:
        """Whether it can be answered."""
        return self.state in rules.WAITING

    @property
    def may_open_again(self) -> bool:
        """Whether a refusal can be undone."""
        return rules.may_open_again([answer.kind for answer in self.answers], **self._known)

    @property
    def late(self) -> bool:
        """Whether it waits and the day to answer is over."""
        return self.waits and self.today > self.row.answer_by

    @property
    def is_named(self) -> bool:
        """Whether who asks knows who we are: by our own word, or because the record is shared already."""
        return self.row.directed or any(answer.kind == AnswerKind.NAMED for answer in self.answers)


def delivery(pk: UUID) -> Delivery:
    """One request. Raises Denied: absent, another organisation's and of a client out of reach answer alike."""
    row = AskDelivery.objects.select_related("asker", "client").filter(pk=pk).first()
    if row is None:
        raise Denied("consent.share.record", "not found", subject=str(pk))
    return _deliveries([row])[0]


def requests(*, before: str = "") -> tuple[list[Delivery], str]:
    """A page of what partners ask of us, the newest first, and the key of the next page. By key, never by offset."""
    rows = AskDelivery.objects.select_related("asker", "client__clientidentity")
    some, more = paging.by_number(rows, before, PAGE)
    return _deliveries(some), more


def requests_about(client: Client) -> list[Delivery]:
    """What partners ask of a client, the newest first."""

    def read() -> list[Delivery]:
        rows = AskDelivery.objects.filter(client_id__in=sources.record_ids(client))
        return _deliveries(list(rows.select_related("asker", "client").order_by("-number", "-pk")[:PAGE]))

    return remembered(("requests about", client.pk), read)


def _deliveries(rows: Iterable[AskDelivery]) -> list[Delivery]:
    rows = list(rows)
    answers: dict[UUID, list[AskAnswer]] = defaultdict(list)
    for answer in AskAnswer.objects.filter(delivery__in=rows).order_by("recorded_at", "pk"):
        answers[answer.delivery_id].append(answer)
    in_force, today = partners_in_force(), clock.today()
    return [Delivery(row, tuple(answers[row.pk]), row.asker_id in in_force, today) for row in rows]


def opened_to(row: AskDelivery) -> list[str]:
    """The categories of the client that are open today to who asked: what became of an agreement, after a withdrawal too."""
    return open_of(lives_in(row.client_id), row.asker_id)


class Asks:
    """What `edatrs.core.registry.sharing_asks` asks of this app."""

    @staticmethod
    def open_asks(client: Client) -> list[registry.Ask]:
        """The requests about a client that wait for an answer."""
        waiting = [found for found in requests_about(client) if found.waits]
        slug = _slug() if waiting else ""
        return [
            registry.Ask(
                pk=found.row.pk,
                organisation_id=found.row.asker_id,
                categories=tuple(found.row.categories),
                purpose=found.row.purpose,
                asked_at=found.row.recorded_at,
                by_label=found.row.recorded_by_label,
                answer_by=found.row.answer_by,
                link=reverse("consent:request", args=[slug, found.row.pk]),
            )
            for found in waiting
        ]

    @staticmethod
    def answered(ask_id: UUID, source: Any) -> None:
        """A consent or a decision answers one."""
        from consent.asks import services  # noqa: PLC0415  # which reads this

        services.answered(ask_id, source)


def _slug() -> str:
    return remembered(
        ("slug", current_organisation()), lambda: Organisation.objects.get(pk=current_organisation()).slug
    )
