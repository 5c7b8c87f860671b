"""The other providers of the partnership, and how each stands in the sharing protocol with the organisation acted for."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from edatrs.core import clock
from edatrs.core.scope import current_organisation, remembered
from edatrs.organisations import protocol
from edatrs.organisations.choices import AgreementStatus, OrganisationKind
from edatrs.organisations.models import AgreementParty, Organisation
from edatrs.organisations.protocol import Signature


@dataclass(frozen=True)
class Partner:
    """A provider other than one's own. `since`: from when a protocol is in force; `ended_on`: the last day it was; both None: never."""

    pk: UUID
    slug: str
    name: str
    in_force: bool
    since: dt.date | None = None
    ended_on: dt.date | None = None

    @property
    def no_protocol_since(self) -> dt.date | None:
        """The first day without, where there once was one."""
        return (
            self.ended_on + dt.timedelta(days=1) if self.ended_on is not None and not self.in_force else None
        )


def partners() -> list[Partner]:
    """Every other provider, by name. Whether a protocol is in force is what the database says; the days are worked out beside it."""
    return remembered(("partners", current_organisation()), _read)


def by_slug(slug: str) -> Partner | None:
    """The provider of an address, or None."""
    return next((partner for partner in partners() if partner.slug == slug), None)


def by_id(pk: UUID) -> Partner | None:
    """The provider of an id, or None."""
    return next((partner for partner in partners() if partner.pk == pk), None)


def _read() -> list[Partner]:
    own, today = current_organisation(), clock.today()
    in_force = protocol.partners_in_force()
    parties = defaultdict(dict)
    agreements = {}
    rows = AgreementParty.objects.filter(agreement__status=AgreementStatus.APPROVED)
    for party in rows.select_related("agreement"):
        agreements[party.agreement_id] = party.agreement
        parties[party.agreement_id][party.organisation_id] = Signature(party.signed_on, party.leaves_on)
    found = []
    for organisation in (
        Organisation.objects.filter(kind=OrganisationKind.PROVIDER).exclude(pk=own).order_by("name")
    ):
        spans = []
        for pk, agreement in agreements.items():
            ours, theirs = parties[pk].get(own), parties[pk].get(organisation.pk)
            if ours is None or theirs is None:
                continue
            first = protocol.commences(agreement.approved_on, ours, theirs)
            if first is not None and first <= today:
                spans.append((first, protocol.ends(agreement.ended_on, ours, theirs)))
        over = [last for _, last in spans if last is not None and last < today]
        found.append(
            Partner(
                organisation.pk,
                organisation.slug,
                organisation.name,
                organisation.pk in in_force,
                min((first for first, _ in spans), default=None),
                max(over, default=None),
            )
        )
    return found


def organisation(partner: Partner) -> Organisation:
    """The organisation of a partner."""
    return Organisation.objects.get(pk=partner.pk)
