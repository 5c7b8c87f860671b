"""Every event of the trail: its name, the words people read, and how each detail is scrubbed. What is not here cannot be recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from audit import scrub
from audit.scrub import Kind, Unscrubbed
from edatrs.core.registry import Registry

REFUSED = "access.refused"


class UnknownEvent(LookupError):
    """An event or a detail that is not declared."""


@dataclass(frozen=True)
class EventType:
    """An event: `words` are for people; `details` names every allowed key and its kind, all of them optional."""

    name: str
    words: str
    details: Mapping[str, Kind] = field(default_factory=dict)


event_types: Registry[EventType] = Registry("events of the trail")


def declare(name: str, words: str, /, **details: Kind) -> EventType:
    """Declare an event. A key of the details that is a Python word is given with an underscore behind it."""
    declared = EventType(name, words, {key.rstrip("_"): kind for key, kind in details.items()})
    return event_types.add(name, declared)


def event_type(name: str) -> EventType:
    """The declared event. Raises UnknownEvent."""
    try:
        return event_types.get(name)
    except LookupError:
        raise UnknownEvent(f"'{name}' is not an event of the trail: declare it in audit/events.py") from None


def words(name: str) -> str:
    """What people read for an event; its name where it is no longer declared."""
    return event_types.get(name).words if name in event_types.keys() else name  # noqa: SIM118  # not a dictionary


def scrub_event(name: str, subject: str, details: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Subject and details as they may be stored. Raises UnknownEvent, Unscrubbed (naming event and key, never the value)."""
    declared = event_type(name)
    clean: dict[str, Any] = {}
    for key, value in details.items():
        if key not in declared.details:
            raise UnknownEvent(f"'{name}' has no detail '{key}': declare it in audit/events.py")
        try:
            clean[key] = None if value is None or value == "" else declared.details[key](value)
        except Unscrubbed as refused:
            raise Unscrubbed(f"{name}, detail '{key}': {refused}") from None
    try:
        return scrub_subject(subject), clean
    except Unscrubbed as refused:
        raise Unscrubbed(f"{name}, subject: {refused}") from None


def scrub_subject(subject: Any) -> str:
    """What it was about: nothing, or one id or record number. Raises Unscrubbed."""
    return "" if subject in (None, "") else scrub.record(subject)


# Sign-in and people. `account` is the keyed hash of the e-mail address that was typed.
declare("organisations.signed_in", "Signed in", factor=scrub.code)
declare(
    "organisations.sign_in_failed", "Sign-in failed", why=scrub.code, account=scrub.digest, factor=scrub.code
)
declare("organisations.signed_out", "Signed out", why=scrub.code)
declare(
    "organisations.signed_out_everywhere", "Signed out everywhere", person=scrub.record, sessions=scrub.count
)
declare("organisations.second_factor_enrolled", "Second factor set up", factor=scrub.code, codes=scrub.count)
declare(
    "organisations.second_factor_reset",
    "Second factor reset",
    person=scrub.record,
    label=scrub.label,
    check=scrub.code,
)
declare("organisations.recovery_code_used", "Recovery code used", left=scrub.count)
declare(
    "organisations.password_reset_asked", "Password reset asked for", account=scrub.digest, known=scrub.flag
)
declare("organisations.password_changed", "Password changed", by=scrub.code, sessions=scrub.count)

_ROLE = {
    "person": scrub.record,
    "label": scrub.label,
    "role": scrub.code,
    "services": scrub.several(scrub.record),
    "from_": scrub.date,
    "until": scrub.date,
}
declare("organisations.person_invited", "Person invited", **_ROLE)
declare("organisations.role_given", "Role given", **_ROLE)
declare("organisations.role_ended", "Role ended", **_ROLE)
declare(
    "organisations.person_disabled",
    "Person disabled",
    person=scrub.record,
    label=scrub.label,
    sessions=scrub.count,
)
declare(
    "organisations.clearance_recorded",
    "Training or background check recorded",
    person=scrub.record,
    kind=scrub.code,
    from_=scrub.date,
    until=scrub.date,
    before_from=scrub.date,
    before_until=scrub.date,
)
declare(
    "organisations.clearances_required",
    "What everybody must have in date set",
    kinds=scrub.several(scrub.code),
)
declare(
    "organisations.access_reviewed", "Access reviewed", person=scrub.record, roles=scrub.several(scrub.code)
)
declare("organisations.invitation_sent", "Invitation sent again", person=scrub.record)
declare("organisations.invitation_revoked", "Invitation taken back", person=scrub.record)
declare(
    "organisations.leaver_started", "Leaving begun", person=scrub.record, to=scrub.record, until=scrub.date
)
declare("organisations.leaver_undone", "Leaving undone", person=scrub.record)
declare(
    "organisations.leaver_tasks_moved", "Tasks of a leaver handed over", person=scrub.record, rows=scrub.count
)
declare(
    "organisations.leaver_drafts_sealed",
    "Drafts of a leaver sealed to the manager",
    person=scrub.record,
    rows=scrub.count,
)
declare(
    "organisations.leaver_draft_opened",
    "Draft of a leaver opened",
    person=scrub.record,
    form=scrub.code,
    client=scrub.record,
)
declare("organisations.passkey_removed", "Passkey removed", factor=scrub.code)
declare("organisations.partnership_loaded", "Partnership loaded", counts=scrub.counts, sha256=scrub.digest)

# The protocol register: who is a party, who signed as what, who leaves when.
_ACT = {"party": scrub.record, "role": scrub.code, "from_": scrub.date, "until": scrub.date}
_FIELDS = scrub.several(scrub.code)
declare("protocol.drafted", "Sharing agreement begun")
declare("protocol.loaded", "Sharing agreement loaded as a draft", parties=scrub.count)
declare("protocol.changed", "Sharing agreement changed", fields=_FIELDS)
declare("protocol.party_set", "Party of a sharing agreement set", party=scrub.record, roles=_FIELDS)
declare("protocol.party_removed", "Party taken out of a sharing agreement", party=scrub.record)
declare("protocol.own_part_set", "Own part of a sharing agreement changed", fields=_FIELDS, rows=scrub.count)
declare("protocol.contact_changed", "Contact details changed", fields=_FIELDS)
declare("protocol.signatory_named", "Signatory named", person=scrub.record, **_ACT)
declare("protocol.signatory_ended", "Signatory's last day set", person=scrub.record, **_ACT)
declare("protocol.sent_for_approval", "Sharing agreement sent for approval")
declare("protocol.back_to_draft", "Sharing agreement taken back to draft", rows=scrub.count)
declare("protocol.signed", "Sharing agreement signed", **_ACT)
declare("protocol.approved", "Sharing agreement approved", **_ACT)
declare("protocol.notice_given", "Notice to leave a sharing agreement given", **_ACT)
declare("protocol.notice_withdrawn", "Notice to leave a sharing agreement taken back", **_ACT)
declare("protocol.certified", "Return-or-destroy certificate given", **_ACT)
declare("protocol.review_opened", "Review of a sharing agreement opened", reason=scrub.code, until=scrub.date)
declare("protocol.version_started", "New version of a sharing agreement begun")
declare("protocol.published", "Publication of a sharing agreement recorded", from_=scrub.date)

# Denials. `ids` are what else the address named; `asked` is the keyed hash of what in it was no id: it is not ours to write down.
declare(
    REFUSED,
    "Refused",
    act=scrub.code,
    route=scrub.code,
    why=scrub.label,
    ids=scrub.several(scrub.record),
    asked=scrub.digest,
)

# Clients. The subject is the client's id; what was typed into a search is never kept.
declare("caseload.client.searched", "Searched for a client", by=scrub.several(scrub.code), hits=scrub.count)
declare(
    "caseload.emergency.opened",
    "Emergency access opened",
    access=scrub.record,
    ground=scrub.code,
    categories=scrub.several(scrub.code),
)
declare("caseload.emergency.nothing_found", "Emergency access: nobody found", ground=scrub.code)
declare("caseload.emergency.ended", "Emergency access ended", access=scrub.record)
declare("caseload.emergency.accounted", "Emergency access accounted for", access=scrub.record)
declare("caseload.emergency.reviewed", "Emergency access reviewed", access=scrub.record, justified=scrub.code)
declare("caseload.emergency.often", "Emergency access opened often in one day", times=scrub.count)
# Who of one's own people finds a record. The reason is never here.
declare("caseload.protection.flagged", "Record marked as sensitive", kind=scrub.code, people=scrub.count)
declare("caseload.protection.lifted", "Record no longer sensitive", kind=scrub.code)
declare("caseload.protection.team_added", "Person added to a named team", person=scrub.record)
declare("caseload.protection.team_removed", "Person taken out of a named team", person=scrub.record)
declare("caseload.protection.conflict_declared", "Conflict of interest declared", person=scrub.record)
declare("caseload.protection.conflict_ended", "Conflict of interest ended", person=scrub.record)
declare("caseload.shared.searched", "Searched what partners share", hits=scrub.count)
declare(
    "caseload.shared.viewed",
    "Shared record viewed",
    categories=scrub.several(scrub.code),
    ground=scrub.code,
)
declare(
    "caseload.client.viewed",
    "Client viewed",
    panel=scrub.code,
    category=scrub.code,
    categories=scrub.several(scrub.code),
)
declare("caseload.page_viewed", "Page with people viewed", panel=scrub.code)
declare(
    "caseload.client.changed",
    "Client changed",
    what=scrub.several(scrub.code),
    category=scrub.code,
    row=scrub.record,
    version=scrub.count,
    via=scrub.code,
)
# Lists that are taken out as a file. The subject is the export; the reason is never here.
_EXPORT = {
    "columns": scrub.several(scrub.code),
    "names": scrub.flag,
    "lines": scrub.count,
    "people": scrub.count,
}
declare(
    "caseload.list_export.asked",
    "Export of a list asked for",
    purpose=scrub.code,
    ground=scrub.code,
    until=scrub.date,
    **_EXPORT,
)
declare(
    "caseload.list_export.downloaded",
    "List exported",
    download=scrub.record,
    bytes=scrub.count,
    sha256=scrub.digest,
    **_EXPORT,
)
declare("caseload.list_export.ended", "Export of a list ended")
# Linking with partners' records: each organisation's chain is about its own record. `by` is the organisation that did it.
_LINK = {"proposal": scrub.record, "by": scrub.record}
declare("caseload.client.link_proposed", "Linking with a partner's record asked for", **_LINK)
declare("caseload.client.link_agreed", "Agreed to link with a partner's record", **_LINK)
declare("caseload.client.linked", "Linked with a partner's record", **_LINK)
declare("caseload.client.link_refused", "Linking with a partner's record refused", **_LINK)
declare("caseload.client.link_taken_back", "Question about linking taken back", **_LINK)
declare("caseload.client.unlinked", "Unlinked from a partner's record", **_LINK)
declare("caseload.client.relinked", "Unlinking taken back: linked as before", **_LINK)
declare(
    "caseload.client.copied_from_partner",
    "Changed through a link",
    category=scrub.code,
    what=scrub.several(scrub.code),
    from_client=scrub.record,
)
declare("caseload.protection.flagged_by_link", "Record marked as sensitive through a link")
# Known elsewhere: that somebody asked, and yes or no. Whose partner it is nobody learns.
declare("caseload.known_elsewhere.asked", "Asked whether a partner knows a client")
declare("caseload.known_elsewhere.answered", "Told whether a partner knows a client", known=scrub.flag)
declare(
    "caseload.known_elsewhere.alerted",
    "Governance officer told of many clients known to partners",
    person=scrub.record,
    label=scrub.label,
    hits=scrub.count,
)
_ALLOCATION = {
    "kind": scrub.code,
    "person": scrub.record,
    "label": scrub.label,
    "from": scrub.date,
    "until": scrub.date,
    "row": scrub.record,
}
declare("caseload.client.allocated", "Client allocated", **_ALLOCATION)
declare("caseload.client.allocation_undone", "Allocation undone", **_ALLOCATION)
declare(
    "consent.ndtms.recorded",
    "NDTMS consent recorded",
    answer=scrub.code,
    consent=scrub.record,
    episodes=scrub.count,
    episode=scrub.record,
    on=scrub.date,
    source=scrub.code,
    statement=scrub.code,
    wish=scrub.code,
    form=scrub.digest,
)
declare(
    "consent.ndtms.invalidated",
    "NDTMS consent marked as recorded in error",
    consent=scrub.record,
    episode=scrub.record,
    answer=scrub.code,
)
declare(
    "consent.ndtms.form_opened", "Signed NDTMS consent form opened", consent=scrub.record, sha256=scrub.digest
)
declare(
    "consent.ndtms.printed",
    "NDTMS consent page opened for print",
    what=scrub.code,
    consent=scrub.record,
    episode=scrub.record,
)

# Sharing by consent, by decision, and by hand: numbers and codes, never what was said. With `also` it stands on the partner's chain too.
_SHARING = {
    "consent": scrub.record,
    "decision": scrub.record,
    "row": scrub.record,
    "answer": scrub.code,
    "recipient": scrub.record,
    "categories": scrub.several(scrub.code),
    "opened": scrub.several(scrub.code),
    "changed": scrub.several(scrub.code),
    "on": scrub.date,
    "until": scrub.date,
    "way": scrub.code,
    "why": scrub.code,
    "ground": scrub.code,
    "condition": scrub.code,
    "form": scrub.digest,
}
declare("consent.sharing.recorded", "Consent to share recorded", **_SHARING)
declare("consent.sharing.ended", "Consent to share ended", **_SHARING)
declare("consent.sharing.witnessed", "Witness of a consent to share answered", **_SHARING)
declare("consent.decision.recorded", "Sharing without consent decided", **_SHARING)
declare("consent.decision.reviewed", "Sharing without consent reviewed", **_SHARING)
declare("consent.disclosure.recorded", "Given to others outside the system", **_SHARING)
# Asking a partner: with who asks, and with whoever got it (`…_here`), each in its own chain.
_ASK = {
    "ask": scrub.record,
    "row": scrub.record,
    "recipient": scrub.record,
    "categories": scrub.several(scrub.code),
    "answer": scrub.code,
    "until": scrub.date,
}
declare("consent.ask.sent", "Partner asked to share", **_ASK)
declare("consent.ask.taken_back", "Request to a partner taken back", **_ASK)
declare("consent.ask.delivered_here", "Request of a partner received", **_ASK)
declare("consent.ask.taken_back_here", "Request of a partner was taken back", **_ASK)
declare("consent.ask.answered", "Request of a partner answered", **_ASK)
# Referrals between organisations, in both chains; what the receiver made of one in its own alone.
_REFERRAL = {
    "referral": scrub.record,
    "row": scrub.record,
    "recipient": scrub.record,
    "kind": scrub.code,
    "categories": scrub.several(scrub.code),
}
declare("consent.referral.sent", "Client referred to a partner", **_REFERRAL)
declare("consent.referral.accepted", "Referral to a partner accepted", **_REFERRAL)
declare("consent.referral.rejected", "Referral to a partner rejected", **_REFERRAL)
declare("consent.referral.taken_back", "Referral to a partner taken back", **_REFERRAL)
declare("consent.referral.done", "Referral to a partner done", **_REFERRAL)
declare("consent.referral.taken_over", "Client taken over from a partner", **_REFERRAL)
declare(
    "consent.sharing.signature_opened",
    "Signature of a consent to share opened",
    consent=scrub.record,
    row=scrub.record,
    sha256=scrub.digest,
)
declare(
    "consent.sharing.printed",
    "Sharing page opened for print",
    what=scrub.code,
    consent=scrub.record,
    row=scrub.record,
)

# Files in and out. `sha256` is of the file's bytes, or of the bundle's in the order of their names.
_IMPORT = {"sha256": scrub.digest, "counts": scrub.counts, "run": scrub.record, "dry_run": scrub.flag}
declare("ndtms.import_started", "Import started", **_IMPORT)
declare("ndtms.import_finished", "Import finished", **_IMPORT)
declare("ndtms.import_refused", "Import refused", problems=scrub.count, why=scrub.code, **_IMPORT)
declare("ndtms.import_viewed", "Preview of an import viewed", rows=scrub.count, **_IMPORT)
declare("ndtms.import_confirmed", "Import confirmed", **_IMPORT)
declare("ndtms.import_cancelled", "Import cancelled", **_IMPORT)
declare("ndtms.import_expired", "Import let go after 7 days", **_IMPORT)

_EXTRACT = {
    "run": scrub.record,
    "agency": scrub.code,
    "kind": scrub.code,
    "dataset": scrub.code,
    "letter": scrub.code,
    "as_of": scrub.date,
    "rows": scrub.count,
    "counts": scrub.counts,
    "sha256": scrub.digest,
    "bytes": scrub.count,
    "attempt": scrub.count,
    "why": scrub.code,
    "on": scrub.date,
}
declare("ndtms.extract_asked", "Extract asked for", **_EXTRACT)
declare("ndtms.extract_built", "Extract built", **_EXTRACT)
declare("ndtms.extract_failed", "Extract failed", **_EXTRACT)
declare("ndtms.extract_downloaded", "Extract downloaded", **_EXTRACT)
declare("ndtms.extract_confirmed", "Extract marked as loaded", **_EXTRACT)
declare("ndtms.extract_refused", "Extract marked as refused", **_EXTRACT)
declare("ndtms.preview_viewed", "Preview of the national collection viewed", **_EXTRACT)

# What NDTMS returned, and months without anything to report. No client is named: the subject is the list, the mismatch or the service.
_MISMATCH = {"agency": scrub.code, "kind": scrub.code}
declare(
    "ndtms.mismatches_taken",
    "List of mismatches taken in",
    sha256=scrub.digest,
    lines=scrub.count,
    by_consent=scrub.count,
    known=scrub.count,
    **_MISMATCH,
)
declare("ndtms.mismatch_settled", "Mismatch settled", **_MISMATCH)
declare("ndtms.mismatch_reopened", "Mismatch opened again", **_MISMATCH)
declare("ndtms.nil_return_recorded", "Nil return recorded", agency=scrub.code, month=scrub.date)
declare("ndtms.nil_return_ended", "Nil return taken back", agency=scrub.code, month=scrub.date)

# What people say of warnings. The subject is the client; the reason is never here.
_ANSWER = {"answer": scrub.record, "episode": scrub.record, "rule": scrub.code}
declare("ndtms.quality_answered", "Said of a warning that it cannot be known", **_ANSWER)
declare("ndtms.quality_answer_ended", "Answer to a warning ended", why=scrub.code, **_ANSWER)
declare(
    "ndtms.quality_exported",
    "Data-quality list exported",
    rule=scrub.code,
    names=scrub.flag,
    lines=scrub.count,
    people=scrub.count,
    bytes=scrub.count,
    sha256=scrub.digest,
    on=scrub.date,
)

# The trail itself.
declare(
    "audit.trail_read",
    "Trail read",
    name=scrub.code,
    actor=scrub.record,
    since=scrub.date,
    until=scrub.date,
    before=scrub.count,
    rows=scrub.count,
)
declare(
    "audit.verified",
    "Trail verified",
    chains=scrub.count,
    rows=scrub.count,
    problems=scrub.count,
    by=scrub.code,
    statements=scrub.count,
    first_bad=scrub.count,
    statement=scrub.count,
    fault=scrub.code,
)
declare("audit.exported", "Trail exported", rows=scrub.count, sha256=scrub.digest, bytes=scrub.count)
declare("audit.heads_sent", "Signed heads sent to partners", number=scrub.count, partners=scrub.count)
declare("audit.restored", "Trail put back from a backup", number=scrub.count)
