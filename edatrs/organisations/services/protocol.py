"""Writing an agreement while it is a draft, and each party's own part of it.

The owner's officer writes the whole; another party's officer writes its contact items, its confirmations and its breach addresses. What was
sent for approval is not changed: it goes back to draft first, which takes its signatures away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.text import slugify

from edatrs.core import clock, trail
from edatrs.core.access import Denied
from edatrs.core.scope import current_organisation
from edatrs.organisations import agreements, catalogue
from edatrs.organisations.choices import AgreementStatus, EntryKind, PartyRole
from edatrs.organisations.models import (
    Agreement,
    AgreementEntry,
    AgreementParty,
    Organisation,
    RightConfirmation,
    User,
)

EDIT = "protocol.edit"
DETAILS = ("title", "version", "authors", "summary", "retention")


class ProtocolRefused(ValueError):
    """It cannot be done like this; the words are for the person who tried."""


class StaleAgreement(ValueError):
    """Somebody saved the agreement after the form was opened."""


def locked(pk: UUID, *, act: str) -> Agreement:
    """An agreement that the organisation acted for sees, locked against every other change. Raises Denied."""
    Agreement.objects.select_for_update().filter(pk=pk).first()
    return agreements.agreement_of(current_organisation(), pk, act=act)


def to_edit(pk: UUID, *, version: int | None = None) -> Agreement:
    """A draft that the organisation acted for writes, locked. Raises Denied, ProtocolRefused, StaleAgreement."""
    agreement = locked(pk, act=EDIT)
    if not agreements.leads(agreement, current_organisation()):
        raise Denied(EDIT, "not the owner", subject=str(pk))
    if not agreements.edits_whole(agreement, current_organisation()):
        raise ProtocolRefused(
            "This version is no draft any more, so its text stays as it is. Take it back to draft, or start a new version"
        )
    if version is not None and version != agreement.row_version:
        raise StaleAgreement
    return agreement


def touched(agreement: Agreement, *fields: str) -> None:
    """Save fields and count the version up, so that an older form is found."""
    agreement.row_version += 1
    agreement.save(update_fields=[*fields, "row_version"])


def recorded(event: str, agreement: Agreement, *, tell_all: bool = False, **details: Any) -> None:
    """On the trail of the organisation acted for; with `tell_all` on that of every party too, under the same event id."""
    others = [p.organisation_id for p in agreement.parties.all()] if tell_all else []
    trail.record(f"protocol.{event}", subject=str(agreement.pk), details=details, also=others)


@transaction.atomic
def create_draft(*, title: str, summary: str, acting_user: User) -> Agreement:
    """A new agreement, of which the organisation acted for is the owner and the first party."""
    organisation = Organisation.objects.select_for_update().get(pk=current_organisation())
    same = Agreement.objects.filter(
        owner=organisation, title=title, summary=summary, status=AgreementStatus.DRAFT, follows=None
    ).first()
    if same is not None:  # the button was pressed twice
        return same
    stem = slugify(title)[:50] or "agreement"
    taken = set(Agreement.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    slug = next(s for s in (stem, *(f"{stem}-{n}" for n in range(2, 10_000))) if s not in taken)
    agreement = Agreement.objects.create(
        slug=slug, title=title, summary=summary, version="1.0", owner=organisation
    )
    AgreementParty.objects.create(agreement=agreement, organisation=organisation)
    recorded("drafted", agreement)
    return agreement


@transaction.atomic
def change_details(
    *,
    agreement_id: UUID,
    version: int,
    owner: Organisation | None,
    values: Mapping[str, str],
    acting_user: User,
) -> Agreement:
    """Title, version, owner, authors, plain words, retention. Raises Denied, ProtocolRefused, StaleAgreement.

    The owner must be a party. Who gives the ownership away can no longer write the agreement.
    """
    agreement = to_edit(agreement_id, version=version)
    if owner is not None and agreements.own_party(agreement, owner.pk) is None:
        raise ProtocolRefused("The owner must be a party to the agreement. Add it to the parties first")
    wanted = {name: values[name].strip() for name in DETAILS}
    taken = Agreement.objects.filter(slug=agreement.slug, version=wanted["version"]).exclude(pk=agreement.pk)
    if taken.exists():
        raise ProtocolRefused(f"There is a version {wanted['version']} already. Give this one another number")
    changed = [name for name in DETAILS if getattr(agreement, name) != wanted[name]]
    for name in changed:
        setattr(agreement, name, wanted[name])
    if agreement.owner_id != (owner.pk if owner else None):
        agreement.owner = owner
        changed.append("owner")
    if changed:
        touched(agreement, *changed)
        recorded("changed", agreement, fields=changed)
    return agreement


@transaction.atomic
def set_party(
    *, agreement_id: UUID, organisation: Organisation, roles: Iterable[str], acting_user: User
) -> AgreementParty:
    """Add a party, or give it other roles. Raises Denied, ProtocolRefused."""
    agreement = to_edit(agreement_id)
    chosen = [role.value for role in PartyRole if role.value in set(roles)]
    if not chosen:
        raise ProtocolRefused("Choose at least one role")
    party, made = AgreementParty.objects.get_or_create(
        agreement=agreement, organisation=organisation, defaults={"roles": chosen}
    )
    if not made and party.roles == chosen:
        return party
    party.roles = chosen
    party.save(update_fields=["roles"])
    touched(agreement)
    recorded("party_set", agreement, party=organisation.pk, roles=chosen)
    return party


@transaction.atomic
def remove_party(*, agreement_id: UUID, party_id: UUID, acting_user: User) -> None:
    """Take a party out of a draft. Raises Denied, ProtocolRefused."""
    agreement = to_edit(agreement_id)
    party = next((p for p in agreement.parties.all() if p.pk == party_id), None)
    if party is None:
        raise Denied(EDIT, "no such party", subject=str(party_id))
    if party.organisation_id == agreement.owner_id:
        raise ProtocolRefused("The owner stays a party. Name another owner first")
    if party.organisation_id == current_organisation():
        raise ProtocolRefused("Your own organisation writes this agreement and stays a party to it")
    if party.leaves_on is not None:
        raise ProtocolRefused("This party has given notice. It stays in the agreement as one that leaves")
    party.delete()
    touched(agreement)
    recorded("party_removed", agreement, party=party.organisation_id)


@transaction.atomic
def set_contents(
    *,
    agreement_id: UUID,
    version: int,
    chosen: Mapping[str, Iterable[str]],
    own: Mapping[str, Iterable[str]],
    acting_user: User,
) -> Agreement:
    """Choose purposes, information, legal bases and rights: keys of the catalogue by kind, and lines of the agreement's own.

    A right that is taken out takes its confirmations with it. Raises Denied, ProtocolRefused, StaleAgreement.
    """
    agreement = to_edit(agreement_id, version=version)
    changed = [
        kind for kind in chosen if _set_lines(agreement, kind, set(chosen[kind]), list(own.get(kind, ())))
    ]
    if changed:
        touched(agreement)
        recorded("changed", agreement, fields=changed)
    return agreement


def _set_lines(agreement: Agreement, kind: str, keys: set[str], own: list[str]) -> bool:
    held = {entry.key: entry for entry in agreement.entries.all() if entry.kind == kind}
    lines = [line for line in catalogue.LINES[kind] if line.key in keys]
    wanted = {line.key: (line.words, line.category) for line in lines}
    wanted |= {f"{catalogue.OWN}{n}": (words, "") for n, words in enumerate(own, 1)}
    if {k: (e.words, e.category) for k, e in held.items()} == wanted:
        return False
    AgreementEntry.objects.filter(agreement=agreement, kind=kind).exclude(key__in=wanted).delete()
    for position, (key, (words, category)) in enumerate(wanted.items()):
        AgreementEntry.objects.update_or_create(
            agreement=agreement,
            kind=kind,
            key=key,
            defaults={"words": words, "category": category, "position": position},
        )
    return True


@transaction.atomic
def set_documents(
    *, agreement_id: UUID, version: int, documents: Mapping[str, tuple[str, str]], acting_user: User
) -> Agreement:
    """Name or link of each kind of supporting document and who answers for it; both blank: not recorded.

    Raises Denied, ProtocolRefused, StaleAgreement.
    """
    agreement = to_edit(agreement_id, version=version)
    held = {
        e.key: (e.reference, e.authority) for e in agreement.entries.all() if e.kind == EntryKind.DOCUMENT
    }
    wanted = {k: (r.strip(), a.strip()) for k, (r, a) in documents.items() if r.strip() or a.strip()}
    if wanted == held:
        return agreement
    AgreementEntry.objects.filter(agreement=agreement, kind=EntryKind.DOCUMENT).exclude(
        key__in=wanted
    ).delete()
    for position, line in enumerate(catalogue.LINES[EntryKind.DOCUMENT]):
        if line.key in wanted:
            reference, authority = wanted[line.key]
            AgreementEntry.objects.update_or_create(
                agreement=agreement,
                kind=EntryKind.DOCUMENT,
                key=line.key,
                defaults={
                    "words": line.words,
                    "reference": reference,
                    "authority": authority,
                    "position": position,
                },
            )
    touched(agreement)
    recorded("changed", agreement, fields=[EntryKind.DOCUMENT.value])
    return agreement


@transaction.atomic
def set_own_part(
    *, agreement_id: UUID, breach_emails: Iterable[str], confirmed: Iterable[UUID], acting_user: User
) -> AgreementParty:
    """The part of the organisation acted for: which addresses get breach notices, and for which rights it has a process.

    Addresses are its own (obligation 5). Once it is approved confirmations are not taken back. Raises Denied, ProtocolRefused.
    """
    agreement = locked(agreement_id, act=EDIT)
    party = agreements.own_party(agreement, current_organisation())
    if party is None:
        raise Denied(EDIT, "no party", subject=str(agreement_id))
    emails = list(dict.fromkeys(breach_emails))
    if not emails or not set(emails) <= set(party.organisation.emails):
        raise ProtocolRefused("Choose at least one of your own e-mail addresses for breach notices")
    rights = {entry.pk for entry in agreement.entries.all() if entry.kind == EntryKind.RIGHT}
    wanted = set(confirmed) & rights
    held = {c.entry_id for c in party.confirmations.all()}
    if agreement.status == AgreementStatus.APPROVED and held - wanted:
        raise ProtocolRefused("The agreement is approved: what was confirmed for it stays confirmed")
    fields = []
    if party.breach_emails != emails:
        party.breach_emails = emails
        party.save(update_fields=["breach_emails"])
        fields.append("breach_emails")
    if held != wanted:
        RightConfirmation.objects.filter(party=party, entry_id__in=held - wanted).delete()
        for entry_id in sorted(wanted - held):
            RightConfirmation.objects.create(
                party=party, entry_id=entry_id, confirmed_on=clock.today(), confirmed_by=acting_user
            )
        fields.append("confirmations")
    if fields:
        recorded("own_part_set", agreement, fields=fields, rows=len(wanted))
    return party
