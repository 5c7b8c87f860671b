"""What is given to others outside the system: each letter, call, print-out and export is logged with its ground (O-150, O-152)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from caseload.choices import Category
from caseload.models import Client
from consent.choices import CONDITIONS, DisclosureGround, Standing
from consent.models import Disclosure
from consent.sharing import sources
from consent.sharing.services import Refused, by, lock, recorded_from
from edatrs.core import clock, trail
from edatrs.organisations.models import Organisation, User
from edatrs.organisations.protocol import partners_in_force


def disclose(
    *,
    client: Client,
    way: str,
    recipient: Organisation | None,
    recipient_name: str,
    what: str,
    categories: Sequence[str],
    purpose: str,
    ground: str,
    given_on: dt.date,
    acting_user: User,
    consent_id: UUID | None = None,
    standing: str = "",
    condition: str = "",
    lawful_ground: str = "",
    form_key: UUID | None = None,
) -> Disclosure:
    """Log what was given to somebody outside the system. The same page sent twice logs it once. Raises Refused."""
    locked = lock(client.pk)
    before = recorded_from(Disclosure, locked, form_key)
    if before is not None:
        return before  # type: ignore[no-any-return]  # of this model
    ordered = [c.value for c in Category if c.value in categories]
    by_consent, standing_one = ground == DisclosureGround.CONSENT, ground == DisclosureGround.STANDING
    line = next((c for c in sources.read(locked).consents if c.consent.pk == consent_id), None)
    allowed = CONDITIONS.get(Standing(standing), ()) if standing in Standing.values else ()
    checks = (
        ((recipient is None) == (not recipient_name.strip()), "Write to whom it was given", "recipient_name"),
        (not what.strip(), "Write what was given, in a few words", "what"),
        (not ordered, "Tick the parts of the record that it was about", "parts"),
        (not purpose.strip(), "Write what it was for", "purpose"),
        (ground not in DisclosureGround.values, "Choose why it could be given", "ground"),
        (given_on > clock.today(), "The day is in the future. Enter the day it was given", "given_on"),
        (by_consent and line is None, "Choose the consent", "consent"),
        (standing_one and not standing, "Choose which standing recipient it is", "standing"),
        (
            standing_one and condition not in allowed,
            "Choose a condition that fits this recipient",
            "condition",
        ),
        (
            ground == DisclosureGround.LAWFUL and not lawful_ground,
            "Choose the lawful ground",
            "lawful_ground",
        ),
    )
    for wrong, words, field in checks:
        if wrong:
            raise Refused(words, field)
    made = Disclosure(
        client=locked,
        way=way,
        recipient=recipient,
        recipient_name=recipient_name.strip(),
        what=what.strip(),
        categories=ordered,
        purpose=purpose.strip(),
        ground=ground,
        consent_id=consent_id if by_consent else None,
        standing=standing if standing_one else "",
        condition=condition if standing_one else "",
        lawful_ground=lawful_ground if ground == DisclosureGround.LAWFUL else "",
        given_on=given_on,
        form_key=form_key,
        **by(acting_user),
    )
    made.save(force_insert=True)
    known = recipient is not None and recipient.pk in partners_in_force()
    trail.record(
        "consent.disclosure.recorded",
        subject=str(locked.pk),
        details={
            "row": made.pk,
            "way": way,
            "recipient": recipient.pk if recipient else None,
            "categories": ordered,
            "ground": ground,
            "condition": made.condition or made.lawful_ground,
            "consent": str(line.consent) if by_consent and line else None,
            "on": given_on,
        },
        also=[recipient.pk] if recipient is not None and known else [],
    )
    return made
