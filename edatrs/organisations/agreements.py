"""Reads of the protocol register: which agreements an organisation sees, what is in them, and what it may do with them.

An approved agreement is public. One that is not approved is seen by its owner and its parties alone.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from edatrs.core.access import Denied
from edatrs.core.dates import long_date
from edatrs.organisations import catalogue, completeness, protocol
from edatrs.organisations.choices import AgreementStatus, EntryKind, PartyRole
from edatrs.organisations.models import (
    Agreement,
    AgreementEntry,
    AgreementParty,
    AuthorisedRole,
    ContactRecord,
    User,
)

CONTROLLERS = (PartyRole.SOLE_CONTROLLER, PartyRole.JOINT_CONTROLLER)


def visible(organisation_id: UUID) -> QuerySet[Agreement]:
    """The agreements an organisation sees: approved ones, and those it owns or is a party to."""
    party = AgreementParty.objects.filter(agreement=OuterRef("pk"), organisation_id=organisation_id)
    return Agreement.objects.filter(
        Q(status=AgreementStatus.APPROVED) | Q(owner_id=organisation_id) | Exists(party)
    )


def public() -> QuerySet[Agreement]:
    """The agreements anybody may read: approved versions that no later one has replaced."""
    return Agreement.objects.filter(status=AgreementStatus.APPROVED).exclude(
        followed_by__status=AgreementStatus.APPROVED
    )


def whole(agreements: QuerySet[Agreement]) -> QuerySet[Agreement]:
    """With everything a page shows: the same queries for any number of parties and lines."""
    return agreements.select_related("owner", "follows", "followed_by").prefetch_related(
        "entries",
        "parties__organisation",
        "parties__signed_by",
        "parties__notice_by",
        "parties__certificate_by",
        "parties__confirmations",
    )


def agreement_of(organisation_id: UUID, pk: UUID, *, act: str) -> Agreement:
    """One agreement that the organisation sees, with everything in it. Raises Denied."""
    found = whole(visible(organisation_id)).filter(pk=pk).first()
    if found is None:
        raise Denied(act, "not approved, and neither owner nor party", subject=str(pk))
    return found


def own_party(agreement: Agreement, organisation_id: UUID) -> AgreementParty | None:
    """The organisation's part in an agreement; None where it is no party."""
    return next((p for p in agreement.parties.all() if p.organisation_id == organisation_id), None)


def leads(agreement: Agreement, organisation_id: UUID) -> bool:
    """Whether the organisation writes the agreement: its owner. While that is blank, the controller; without one, every party.

    A fresh draft has neither; obligation 41 gives the beginning to the controller.
    """
    if agreement.owner_id is not None:
        return bool(agreement.owner_id == organisation_id)
    parties = list(agreement.parties.all())
    controllers = [p for p in parties if set(p.roles) & set(CONTROLLERS)]
    return any(p.organisation_id == organisation_id for p in controllers or parties)


def edits_whole(agreement: Agreement, organisation_id: UUID) -> bool:
    """Whether the organisation may change the text now: it leads, and the agreement is a draft."""
    return agreement.status == AgreementStatus.DRAFT and leads(agreement, organisation_id)


def is_over(agreement: Agreement, day: dt.date) -> bool:
    """Whether this version's last day has passed."""
    return agreement.ended_on is not None and agreement.ended_on < day


def authorised(user: User, organisation_id: UUID, day: dt.date) -> list[AuthorisedRole]:
    """The roles by which a person may sign for an organisation on a day (obligations 90 and 93)."""
    return list(signatories_on(organisation_id, day).filter(user=user))


def signatories_on(organisation_id: UUID, day: dt.date) -> QuerySet[AuthorisedRole]:
    """Who may sign for an organisation on a day, both ends included."""
    return AuthorisedRole.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gte=day),
        organisation_id=organisation_id,
        valid_from__lte=day,
        user__is_active=True,
    ).select_related("user")


def signatories_of(organisation_id: UUID) -> QuerySet[AuthorisedRole]:
    """Everybody who may, could or will be able to sign for an organisation."""
    return (
        AuthorisedRole.objects.filter(organisation_id=organisation_id)
        .select_related("user")
        .order_by("user__full_name", "valid_from")
    )


def signatory_of(organisation_id: UUID, pk: UUID) -> AuthorisedRole:
    """One of them. Raises Denied."""
    found = signatories_of(organisation_id).filter(pk=pk).first()
    if found is None:
        raise Denied("people.manage", "no signatory of this organisation", subject=str(pk))
    return found


def contact_history(organisation_id: UUID) -> QuerySet[ContactRecord]:
    """The contact items of an organisation as they were and are, the latest first (obligation 7)."""
    records = ContactRecord.objects.filter(organisation_id=organisation_id).select_related("changed_by")
    return records.order_by("-valid_from", "valid_until")


def facts(agreement: Agreement) -> completeness.Facts:
    """What the rules of completeness need."""
    keys: dict[str, set[str]] = {}
    documents: set[str] = set()
    right_keys = {}
    for entry in agreement.entries.all():
        keys.setdefault(entry.kind, set()).add(entry.key)
        if entry.kind == EntryKind.DOCUMENT and entry.reference.strip() and entry.authority.strip():
            documents.add(entry.key)
        if entry.kind == EntryKind.RIGHT:
            right_keys[entry.pk] = entry.key
    parties = [
        completeness.Party(
            name=party.organisation.name,
            head_office=party.organisation.head_office,
            phone=party.organisation.phone,
            emails=tuple(party.organisation.emails),
            data_protection_officer=party.organisation.data_protection_officer,
            ico_references=tuple(party.organisation.ico_references),
            breach_emails=tuple(party.breach_emails),
            roles=tuple(party.roles),
            confirmed=frozenset(
                right_keys[c.entry_id] for c in party.confirmations.all() if c.entry_id in right_keys
            ),
        )
        for party in agreement.parties.all()
    ]
    return completeness.Facts(
        title=agreement.title,
        version=agreement.version,
        owner=agreement.owner.name if agreement.owner else "",
        authors=agreement.authors,
        summary=agreement.summary,
        retention=agreement.retention,
        parties=tuple(parties),
        entries={kind: frozenset(found) for kind, found in keys.items()},
        documents=frozenset(documents),
    )


def gaps_of(agreement: Agreement) -> list[completeness.Gap]:
    """Everything that is missing in an agreement."""
    return completeness.gaps(facts(agreement))


def signature(party: AgreementParty) -> protocol.Signature:
    """What decides of a party."""
    return protocol.Signature(party.signed_on, party.leaves_on)


def first_day(agreement: Agreement) -> dt.date | None:
    """The day on which the agreement came into operation: the first pair of parties could share. None: not yet."""
    signed = sorted(p.signed_on for p in agreement.parties.all() if p.signed_on is not None)
    if agreement.approved_on is None or len(signed) < 2:
        return None
    return max(agreement.approved_on, signed[1])


@dataclass(frozen=True)
class PartyLine:
    """A party as the pages show it on a day, and since when it shares with the organisation acted for."""

    party: AgreementParty
    roles: str
    badge: str
    state: str
    with_us: str
    in_force_with_us: bool
    since: dt.date | None
    confirmed: frozenset[UUID]

    @property
    def leaving(self) -> bool:
        """Whether a notice to leave stands, or has ended in leaving."""
        return self.party.leaves_on is not None


def _state(agreement: Agreement, party: AgreementParty, day: dt.date) -> tuple[str, str]:
    if party.leaves_on is not None and party.leaves_on < day:
        return "none", "Left"
    if party.signed_on is None:
        return "soon", "Not signed"
    if agreement.status != AgreementStatus.APPROVED:
        return "info", "Signed"
    if is_over(agreement, day):
        return "none", "Ended"
    return ("soon", "Leaving") if party.leaves_on else ("ok", "In force")


def _with_us(
    agreement: Agreement, ours: AgreementParty | None, party: AgreementParty, day: dt.date
) -> tuple[str, bool, dt.date | None]:
    if ours is None or party.pk == ours.pk or agreement.status != AgreementStatus.APPROVED:
        return "", False, None
    pair = signature(ours), signature(party)
    first = protocol.commences(agreement.approved_on, *pair)
    last = protocol.ends(agreement.ended_on, *pair)
    if first is None or (last is not None and last < first):
        return "Not shared", False, None
    if last is not None and last < day:
        return f"Until {long_date(last)}", False, first
    if first > day:
        return f"From {long_date(first)}", False, first
    words = f"Since {long_date(first)}"
    return (f"{words}, until {long_date(last)}" if last else words), True, first


class Overview:
    """One agreement as an organisation sees it on a day; without an organisation, as the public does."""

    def __init__(self, agreement: Agreement, day: dt.date, organisation_id: UUID | None = None) -> None:
        self.agreement, self.day, self.organisation_id = agreement, day, organisation_id
        self.own = own_party(agreement, organisation_id) if organisation_id else None
        self.leads = bool(organisation_id) and leads(agreement, organisation_id)  # type: ignore[arg-type]  # said before
        self.is_draft = agreement.status == AgreementStatus.DRAFT
        self.for_approval = agreement.status == AgreementStatus.FOR_APPROVAL
        self.is_approved = agreement.status == AgreementStatus.APPROVED
        self.over = is_over(agreement, day)
        self.current = self.is_approved and not self.over
        self.edits = bool(organisation_id) and edits_whole(agreement, organisation_id)  # type: ignore[arg-type]  # said before

    @cached_property
    def parties(self) -> list[PartyLine]:
        """The parties by name."""
        lines = []
        for party in self.agreement.parties.all():
            badge, state = _state(self.agreement, party, self.day)
            with_us, live, since = _with_us(self.agreement, self.own, party, self.day)
            roles = [str(PartyRole(role).label) for role in party.roles]
            if party.organisation_id == self.agreement.owner_id:
                roles.append("Owner")
            confirmed = frozenset(c.entry_id for c in party.confirmations.all())
            lines.append(PartyLine(party, ", ".join(roles), badge, state, with_us, live, since, confirmed))
        return lines

    @cached_property
    def gaps(self) -> list[completeness.Gap]:
        """What is missing."""
        return gaps_of(self.agreement)

    @cached_property
    def first_day(self) -> dt.date | None:
        """The day on which the first pair could share."""
        return first_day(self.agreement)

    @property
    def badge(self) -> tuple[str, str]:
        """Kind and words of the badge of its status."""
        if self.over:
            return "none", "Ended"
        if self.is_approved:
            return "ok", "Approved"
        return ("info", "For approval") if self.for_approval else ("soon", "Draft")

    @property
    def answer(self) -> str:
        """In one sentence: between whom it is in force, since when; or why it is not."""
        agreement = self.agreement
        if self.is_draft:
            return "A draft. Nothing is shared under it."
        if self.for_approval:
            return "It waits for signatures and approval. Nothing is shared under it yet."
        if self.over:
            return f"It ended on {long_date(agreement.ended_on)}. Nothing is shared under it any more."  # type: ignore[arg-type]
        if self.own is not None:
            return self._answer_for_us(self.own)
        sharing = [line for line in self.parties if line.state in ("In force", "Leaving")]
        if len(sharing) < 2 or self.first_day is None or self.first_day > self.day:
            return "Approved, but in force between nobody yet: it takes two signatures."
        return f"In force between {len(sharing)} partners since {long_date(self.first_day)}."

    def _answer_for_us(self, own: AgreementParty) -> str:
        name = own.organisation.name
        partners = [line for line in self.parties if line.in_force_with_us]
        since = min((line.since for line in partners if line.since), default=None)
        if own.leaves_on is not None and own.leaves_on < self.day:
            return f"{name} left on {long_date(own.leaves_on)}. It stays bound for what it already holds."
        if own.signed_on is None:
            return f"{name} has not signed, so it shares with nobody under this agreement."
        if since is None:
            return f"{name} has signed, but is in force with nobody yet."
        if len(partners) == 1:
            words = f"In force between {name} and {partners[0].party.organisation.name}"
        else:
            words = f"In force between {name} and {len(partners)} partners"
        different = len({line.since for line in partners}) > 1
        return f"{words} since {long_date(since)}{', with some of them later' if different else ''}."

    def of(self, kind: str) -> list[AgreementEntry]:
        """The lines of a kind, in the order of the catalogue."""
        return [entry for entry in self.agreement.entries.all() if entry.kind == kind]

    @property
    def purposes_with_names(self) -> list[AgreementEntry]:
        """The purposes that need to know who somebody is."""
        chosen = self.of(EntryKind.PURPOSE)
        return [e for e in chosen if e.key in catalogue.NEED_NAMES or e.key.startswith(catalogue.OWN)]

    @property
    def purposes_without_names(self) -> list[AgreementEntry]:
        """The purposes for which figures are enough."""
        named = {e.pk for e in self.purposes_with_names}
        return [e for e in self.of(EntryKind.PURPOSE) if e.pk not in named]

    @property
    def personal(self) -> list[AgreementEntry]:
        """Information that is no special category."""
        return [e for e in self.of(EntryKind.INFORMATION) if e.key not in catalogue.SPECIAL]

    @property
    def special(self) -> list[AgreementEntry]:
        """Special category information (Article 9)."""
        return [e for e in self.of(EntryKind.INFORMATION) if e.key in catalogue.SPECIAL]

    @property
    def legal(self) -> list[tuple[str, list[AgreementEntry]]]:
        """The four kinds of legal basis with their lines; a kind without any is shown as none."""
        kinds = (
            ("UK GDPR, Article 6", EntryKind.ARTICLE_6),
            ("UK GDPR, Article 9", EntryKind.ARTICLE_9),
            ("Data Protection Act 2018, part 3 (law enforcement)", EntryKind.DPA_PART_3),
            ("Statute", EntryKind.STATUTE),
        )
        return [(words, self.of(kind)) for words, kind in kinds]

    @property
    def documents(self) -> list[tuple[str, AgreementEntry | None]]:
        """The five kinds of supporting document; None: nothing is recorded (obligation 16)."""
        held = {entry.key: entry for entry in self.of(EntryKind.DOCUMENT)}
        return [(line.words, held.get(line.key)) for line in catalogue.LINES[EntryKind.DOCUMENT]]

    @property
    def rights(self) -> list[AgreementEntry]:
        """The rights that apply."""
        return self.of(EntryKind.RIGHT)

    @property
    def confirmations(self) -> list[dict[str, Any]]:
        """Each right that applies with the parties that have confirmed a process for it, and those that have not."""
        rows = []
        for entry in self.rights:
            names: dict[bool, list[str]] = {True: [], False: []}
            for line in self.parties:
                names[entry.pk in line.confirmed].append(line.party.organisation.name)
            rows.append({"words": entry.words, "confirmed": names[True], "not_yet": names[False]})
        return rows

    @property
    def rights_not_ticked(self) -> list[str]:
        """The rights of the catalogue that the agreement leaves out."""
        chosen = {entry.key for entry in self.rights}
        return [line.words for line in catalogue.RIGHTS if line.key not in chosen]

    @property
    def controllers(self) -> list[PartyLine]:
        """Who decides why and how."""
        return [line for line in self.parties if set(line.party.roles) & set(CONTROLLERS)]

    @property
    def settled(self) -> list[str]:
        """Contradictions of the sources that this agreement meets, and how they are read here."""
        both = [
            line.party.organisation.name
            for line in self.parties
            if set(line.party.roles) & set(CONTROLLERS) and PartyRole.PROCESSOR in line.party.roles
        ]
        found = [
            f"{name} is controller and processor at once. Both roles are kept: it decides as controller and works in it as processor."
            for name in both
        ]
        processors = any(line.party.roles == [PartyRole.PROCESSOR] for line in self.parties)
        if processors:
            found.append(
                "Partners that are named as processors alone still answer rights requests, report breaches and sign: the agreement gives "
                "them these duties, and they hold here whatever the role is called."
            )
        found.append(
            "Partners sign on different days. Two of them share from the later of their two days, and not before the approval."
        )
        return found
