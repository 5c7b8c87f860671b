"""What binds: sending for approval, signing, approving and leaving (obligations 8 to 13, 84 to 93).

Whoever signs, approves or gives notice for an organisation holds an authorised role there on that very day. Nothing here switches sharing
on or off: whether two organisations share is computed from these rows whenever it is asked (`organisations.protocol`).
"""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from edatrs.core import clock
from edatrs.core.access import Denied
from edatrs.core.dates import long_date
from edatrs.core.scope import current_organisation
from edatrs.organisations import agreements, protocol
from edatrs.organisations.choices import AgreementStatus, AuthorisedAs, Role
from edatrs.organisations.models import Agreement, AgreementParty, AuthorisedRole, User
from edatrs.organisations.services import outbox
from edatrs.organisations.services.protocol import EDIT, ProtocolRefused, locked, recorded, touched

SIGN = "protocol.sign"


class NotAuthorised(ProtocolRefused):
    """The person holds no authorised role at the organisation today; the words say who does."""


def authority_of(acting_user: User, signed_as: str, act: str) -> AuthorisedRole:
    """The authorised role by which somebody acts for the organisation acted for today. Raises NotAuthorised naming who may."""
    today, organisation_id = clock.today(), current_organisation()
    held = agreements.authorised(acting_user, organisation_id, today)
    found = next((role for role in held if role.role == signed_as), None)
    if found is None:
        raise NotAuthorised(who_may(organisation_id, today))
    return found


def who_may(organisation_id: UUID, day: dt.date) -> str:
    """Words for somebody who may not sign: who may."""
    may = [
        f"{r.user.full_name} ({r.get_role_display()})"
        for r in agreements.signatories_on(organisation_id, day)
    ]
    if may:
        return f"You hold no authorised role today. For your organisation may sign: {', '.join(may)}"
    return (
        "Nobody is authorised to sign for your organisation today. Its administrator names the Senior Information Risk Owner, "
        "the Caldicott Guardian or the Chief Information Officer"
    )


def to_lead(agreement_id: UUID) -> Agreement:
    """An agreement that the organisation acted for leads, locked. Raises Denied."""
    agreement = locked(agreement_id, act=EDIT)
    if not agreements.leads(agreement, current_organisation()):
        raise Denied(EDIT, "not the owner", subject=str(agreement_id))
    return agreement


def _tell_others(agreement: Agreement, key: str, words: str, subject: str) -> None:
    """A mail to the breach addresses of every other party, else to all its addresses, and a task for its governance officer."""
    ours = current_organisation()
    for party in agreement.parties.all():
        if party.organisation_id == ours:
            continue
        link = reverse("organisations:agreement", args=[party.organisation.slug, agreement.pk])
        outbox.tell(
            unique_key=f"{key}:{party.organisation_id}",
            organisation_id=party.organisation_id,
            role=Role.INFORMATION_GOVERNANCE.value,
            words=words[:200],
            link=link,
        )
        for address in party.breach_emails or party.organisation.emails:
            outbox.post(
                unique_key=f"{key}:{party.organisation_id}:{address}"[:200],
                to=address,
                subject=subject,
                text=f"{words}\n\nThe agreement: “{agreement.title}”, version {agreement.version}.\n"
                "Sign in to EDATRS caseload and open Sharing agreements to read it.",
            )


# ---- approval ----------------------------------------------------------------------------------------------------


@transaction.atomic
def send_for_approval(*, agreement_id: UUID, acting_user: User) -> Agreement:
    """Close the text of a complete draft, so that parties can sign it. Raises Denied, ProtocolRefused."""
    agreement = to_lead(agreement_id)
    if agreement.status != AgreementStatus.DRAFT:
        raise ProtocolRefused("It is no draft any more")
    _refuse_gaps(agreement)
    agreement.status = AgreementStatus.FOR_APPROVAL
    touched(agreement, "status")
    recorded("sent_for_approval", agreement, tell_all=True)
    _tell_others(
        agreement,
        f"protocol-sign:{agreement.pk}:{agreement.row_version}",
        f"A sharing agreement waits for your signature: {agreement.title}"[:200],
        "A sharing agreement waits for your signature",
    )
    return agreement


def _refuse_gaps(agreement: Agreement) -> None:
    found = agreements.gaps_of(agreement)
    if found:
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        raise ProtocolRefused(f"Something is missing. {found[0].words}{more}")


@transaction.atomic
def back_to_draft(*, agreement_id: UUID, acting_user: User) -> Agreement:
    """Open the text again. Signatures are taken off: what is changed must be signed again. Raises Denied, ProtocolRefused."""
    agreement = to_lead(agreement_id)
    if agreement.status != AgreementStatus.FOR_APPROVAL:
        raise ProtocolRefused("Only what waits for approval goes back to draft")
    signed = AgreementParty.objects.filter(agreement=agreement, signed_on__isnull=False)
    taken = signed.update(signed_on=None, signed_by=None, signed_as="")
    agreement.status = AgreementStatus.DRAFT
    touched(agreement, "status")
    recorded("back_to_draft", agreement, tell_all=True, rows=taken)
    return agreement


@transaction.atomic
def approve(*, agreement_id: UUID, signed_as: str, acting_user: User) -> Agreement:
    """Approve for the owner, by somebody authorised there today. An earlier version ends with this day.

    Without an owner there is no approval. Raises Denied, NotAuthorised, ProtocolRefused.
    """
    agreement = to_lead(agreement_id)
    if agreement.owner_id is None or agreement.owner_id != current_organisation():
        raise ProtocolRefused("Only the owner approves, and this agreement has none yet")
    if agreement.status != AgreementStatus.FOR_APPROVAL:
        raise ProtocolRefused("Only what was sent for approval can be approved")
    authority = authority_of(acting_user, signed_as, SIGN)
    _refuse_gaps(agreement)
    today = clock.today()
    agreement.status, agreement.approved_on = AgreementStatus.APPROVED, today
    touched(agreement, "status", "approved_on")
    if agreement.follows is not None:
        _supersede(agreement, agreement.follows, today)
    _set_review(agreement)
    recorded("approved", agreement, tell_all=True, role=authority.role)
    return agreement


def _supersede(agreement: Agreement, earlier: Agreement, today: dt.date) -> None:
    """End the earlier version with this day; a notice to leave that was given under it goes on."""
    earlier = Agreement.objects.select_for_update().get(pk=earlier.pk)
    earlier.ended_on = min(earlier.ended_on or today, today)
    touched(earlier, "ended_on")
    given = {p.organisation_id: p for p in earlier.parties.all() if p.leaves_on is not None}
    for party in agreement.parties.all():
        before = given.get(party.organisation_id)
        if before is not None:
            _write_notice(party, before.notice_received_on, before.leaves_on, before.notice_by)


def _set_review(agreement: Agreement) -> None:
    """Three years after it came into operation, once it has (obligation 38)."""
    fresh = agreements.whole(Agreement.objects.filter(pk=agreement.pk)).get()
    began = agreements.first_day(fresh)
    if began is not None and fresh.review_on is None:
        agreement.review_on = protocol.review_due(began)
        agreement.save(update_fields=["review_on"])


# ---- signing -----------------------------------------------------------------------------------------------------


@transaction.atomic
def sign(*, agreement_id: UUID, signed_as: str, acting_user: User) -> AgreementParty:
    """Sign for the organisation acted for, today. Raises Denied, NotAuthorised, ProtocolRefused."""
    agreement, party = _own(agreement_id, SIGN)
    if agreement.status == AgreementStatus.DRAFT:
        raise ProtocolRefused("A draft cannot be signed: its text may still change")
    if agreements.is_over(agreement, clock.today()):
        raise ProtocolRefused("This version has ended")
    if party.signed_on is not None:
        raise ProtocolRefused("Your organisation has signed already")
    authority = authority_of(acting_user, signed_as, SIGN)
    party.signed_on, party.signed_by, party.signed_as = clock.today(), acting_user, authority.role
    party.save(update_fields=["signed_on", "signed_by", "signed_as"])
    touched(agreement)
    _set_review(agreement)
    recorded("signed", agreement, tell_all=True, party=party.organisation_id, role=authority.role)
    return party


def _own(agreement_id: UUID, act: str) -> tuple[Agreement, AgreementParty]:
    agreement = locked(agreement_id, act=act)
    party = agreements.own_party(agreement, current_organisation())
    if party is None:
        raise Denied(act, "no party", subject=str(agreement_id))
    return agreement, party


# ---- leaving -----------------------------------------------------------------------------------------------------


def _versions(agreement: Agreement, organisation_id: UUID) -> list[AgreementParty]:
    """The organisation's rows in this version and in one that is prepared to follow it."""
    rows = AgreementParty.objects.select_for_update(of=("self",)).filter(
        Q(agreement=agreement) | Q(agreement__follows=agreement), organisation_id=organisation_id
    )
    return list(rows)


def _write_notice(
    party: AgreementParty, received: dt.date | None, last_day: dt.date | None, by: User | None
) -> None:
    party.notice_received_on, party.leaves_on, party.notice_by = received, last_day, by
    party.save(update_fields=["notice_received_on", "leaves_on", "notice_by"])


@transaction.atomic
def give_notice(
    *, agreement_id: UUID, received_on: dt.date, signed_as: str, acting_user: User
) -> AgreementParty:
    """Give notice to leave for the organisation acted for; the last day is 28 days after the day it was received (obligation 86).

    Every other party is told by mail and as a task (obligation 87). Raises Denied, NotAuthorised, ProtocolRefused.
    """
    agreement, party = _own(agreement_id, SIGN)
    today = clock.today()
    if agreement.status != AgreementStatus.APPROVED or agreements.is_over(agreement, today):
        raise ProtocolRefused("Only an agreement that is in force can be left")
    if party.signed_on is None:
        raise ProtocolRefused("Your organisation has not signed, so there is nothing to leave")
    if party.leaves_on is not None:
        raise ProtocolRefused(f"Notice was given already. The last day is {long_date(party.leaves_on)}")
    if not party.signed_on <= received_on <= today:
        raise ProtocolRefused("The notice was received between the day of your signature and today")
    authority = authority_of(acting_user, signed_as, SIGN)
    last_day = protocol.last_day_of_notice(received_on)
    for row in _versions(agreement, party.organisation_id):
        _write_notice(row, received_on, last_day, acting_user)
    touched(agreement)
    recorded(
        "notice_given",
        agreement,
        tell_all=True,
        party=party.organisation_id,
        role=authority.role,
        **{"from": received_on, "until": last_day},
    )
    name = party.organisation.name
    _tell_others(
        agreement,
        f"protocol-notice:{party.pk}:{agreement.row_version}",
        f"{name} leaves the sharing agreement. Last day: {long_date(last_day)}",
        "A partner leaves the sharing agreement",
    )
    party.refresh_from_db()
    return party


@transaction.atomic
def withdraw_notice(*, agreement_id: UUID, signed_as: str, acting_user: User) -> AgreementParty:
    """Take the notice back before its last day has passed. The others are told. Raises Denied, NotAuthorised, ProtocolRefused."""
    agreement, party = _own(agreement_id, SIGN)
    if party.leaves_on is None:
        raise ProtocolRefused("No notice was given")
    if party.leaves_on < clock.today():
        raise ProtocolRefused(
            f"The last day was {long_date(party.leaves_on)}. To share again, sign a new version of the agreement"
        )
    authority = authority_of(acting_user, signed_as, SIGN)
    for row in _versions(agreement, party.organisation_id):
        _write_notice(row, None, None, None)
    touched(agreement)
    recorded("notice_withdrawn", agreement, tell_all=True, party=party.organisation_id, role=authority.role)
    _tell_others(
        agreement,
        f"protocol-stays:{party.pk}:{agreement.row_version}",
        f"{party.organisation.name} has taken its notice back and stays in the sharing agreement",
        "A partner stays in the sharing agreement",
    )
    return party


@transaction.atomic
def certify(*, agreement_id: UUID, done_on: dt.date, words: str, acting_user: User) -> AgreementParty:
    """The certificate that what is not needed was returned or destroyed (obligation 89). Raises Denied, ProtocolRefused."""
    agreement, party = _own(agreement_id, EDIT)
    if party.leaves_on is None or party.leaves_on >= clock.today():
        raise ProtocolRefused("The certificate is given after the last day")
    if party.certificate_on is not None:
        raise ProtocolRefused("The certificate was given already")
    if not party.leaves_on < done_on <= clock.today():
        raise ProtocolRefused("It was finished after the last day, and not later than today")
    party.certificate_on, party.certificate, party.certificate_by = done_on, words.strip(), acting_user
    party.save(update_fields=["certificate_on", "certificate", "certificate_by"])
    touched(agreement)
    recorded("certified", agreement, tell_all=True, party=party.organisation_id, until=done_on)
    return party


def roles_of(acting_user: User) -> list[tuple[str, str]]:
    """The authorised roles that somebody holds at the organisation acted for today, as choices."""
    held = agreements.authorised(acting_user, current_organisation(), clock.today())
    return [(role.role, str(AuthorisedAs(role.role).label)) for role in held]
