"""Reads about referrals between organisations: what was sent, what was received, and how it stands."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from caseload.models import Client
from consent.asks import paging
from consent.choices import StepKind
from consent.models import PartnerReferral, PartnerReferralStep, ReferralHandOver
from consent.sharing import sources
from edatrs.core.access import Denied
from edatrs.core.scope import current_organisation

PAGE = 100
WORDS = {
    "": "Waits for an answer",
    StepKind.ACCEPTED: "Accepted",
    StepKind.REJECTED: "Rejected",
    StepKind.TAKEN_BACK: "Taken back",
    StepKind.DONE: "Done",
}


@dataclass(frozen=True)
class Referral:
    """A referral with its steps. `ours`: the organisation acted for sent it."""

    row: PartnerReferral
    steps: tuple[PartnerReferralStep, ...]
    ours: bool
    hand_over: ReferralHandOver | None

    @property
    def state(self) -> str:
        """The last step; empty: none yet."""
        return self.steps[-1].kind if self.steps else ""

    @property
    def words(self) -> str:
        """How it stands."""
        return WORDS[StepKind(self.state) if self.state else ""]

    @property
    def waits(self) -> bool:
        """Whether the receiver has still to answer."""
        return not self.steps

    @property
    def receiver_id(self) -> UUID:
        """To whom it went."""
        return self.row.receiver_id


def referral(pk: UUID, *, ours: bool | None = None) -> Referral:
    """One that was sent or received here; `ours` says which it must be. Raises Denied: anything else answers as absent."""
    found = _read(list(_with_sides(PartnerReferral.objects.filter(pk=pk))))
    if not found or (ours is not None and found[0].ours is not ours):
        raise Denied("caseload.transfer", "not found", subject=str(pk))
    return found[0]


def referrals_of(client: Client) -> list[Referral]:
    """Those of a client of one's own, the newest first."""
    rows = PartnerReferral.objects.filter(
        organisation_id=current_organisation(), client_id__in=sources.record_ids(client)
    )
    return _page(rows, "")[0]


def waiting() -> tuple[list[Referral], bool]:
    """Those received that nobody answered, the oldest first, and whether there are more than the PAGE of them here."""
    rows = PartnerReferral.objects.filter(receiver_id=current_organisation()).exclude(
        pk__in=PartnerReferralStep.objects.values("referral_id")
    )
    some = list(_with_sides(rows).order_by("number")[: PAGE + 1])
    return _read(some[:PAGE]), len(some) > PAGE


def answered(*, before: str = "") -> tuple[list[Referral], str]:
    """A page of those received that have a first step, the newest first, and the key of the next page."""
    steps = PartnerReferralStep.objects.values("referral_id")
    return _page(PartnerReferral.objects.filter(receiver_id=current_organisation(), pk__in=steps), before)


def sent(*, before: str = "") -> tuple[list[Referral], str]:
    """A page of those that we sent, the newest first, and the key of the next page."""
    return _page(PartnerReferral.objects.filter(organisation_id=current_organisation()), before)


def _page(rows: Any, before: str) -> tuple[list[Referral], str]:
    some, more = paging.by_number(_with_sides(rows), before, PAGE)
    return _read(some), more


def _with_sides(rows: Any) -> Any:
    # Never along with the client: who receives it may not see the client, and the row would go with it.
    return rows.select_related("organisation", "receiver", "service")


def _read(some: list[PartnerReferral]) -> list[Referral]:
    steps: dict[UUID, list[PartnerReferralStep]] = defaultdict(list)
    for step in PartnerReferralStep.objects.filter(referral__in=[row.pk for row in some]).order_by(
        "recorded_at"
    ):
        steps[step.referral_id].append(step)
    made = {
        row.referral: row for row in ReferralHandOver.objects.filter(referral__in=[row.pk for row in some])
    }
    own = current_organisation()
    return [
        Referral(row, tuple(_in_order(steps[row.pk])), row.organisation_id == own, made.get(row.pk))
        for row in some
    ]


def _in_order(steps: list[PartnerReferralStep]) -> list[PartnerReferralStep]:
    """Done comes after accepted, whatever the clocks say."""
    return sorted(steps, key=lambda step: step.kind == StepKind.DONE)
