"""The daily mail of the signed heads to every partner, and the alarm to governance officers when nothing can be signed.

Heads hold no personal data (ids and names of organisations, numbers, hashes), so the statement itself stands in the mail.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.urls import reverse

from audit import statements
from audit.statements import Signed
from edatrs.core import clock, trail
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.choices import Role
from edatrs.organisations.models import Organisation, OutboundMail
from edatrs.organisations.services import outbox

_KEY = "trail.heads:"


@dataclass(frozen=True)
class Mailed:
    """One partner's mail of a day: when it was handed to the mail server, None while it waits."""

    organisation: str
    sent_at: dt.datetime | None
    given_up: bool


def _prefix(day: dt.date) -> str:
    return f"{_KEY}{day.isoformat()}:"


def fingerprint(digest: str) -> str:
    """A SHA-256 for people who compare it by ear: its first and last digits in groups of four."""
    groups = [digest[at : at + 4] for at in range(0, 64, 4)]
    return " ".join([*groups[:4], "…", groups[-1]])


def text_of(signed: Signed) -> str:
    """The words of the mail; ASCII and short lines, so that nothing on the way re-wraps the block."""
    statement = signed.statement
    lines = [
        "These are the signed heads of the trail of EDATRS caseload: how far the",
        "trail of each organisation went, at the time below.",
        "",
        "Keep this mail where whoever runs the system cannot reach it. It holds no",
        "personal data. With it you can show later that an entry of the trail was",
        "changed, taken out or put back.",
        "",
        f"Statement {statement.number} of {statement.at[:10]} {statement.at[11:16]} UTC",
        *(f"  {head.organisation}: entry {head.sequence:,}" for head in statement.heads),
        f"Fingerprint {fingerprint(signed.digest).replace('…', '...')}",
        *(
            ["The trail was put back from a backup before this statement. Ask why."]
            if statement.restored
            else []
        ),
        "",
        'To check it: the page "Check the trail" of the system has the program',
        "(one file, needs Python alone) and the instructions.",
        "",
        statements.armour(statements.signed_line(signed.body, signed.signature)).rstrip("\n"),
        "",
    ]
    return "\n".join(lines)


def send_daily(signed: Signed) -> int:
    """Put today's mail to every partner that has an address into the outbox, once each; how many were new.

    One mail a partner and day in London, to the first of its addresses. Safe to run twice, and at the same time.
    """
    day = clock.today()
    held = set(
        OutboundMail.objects.filter(unique_key__startswith=_prefix(day)).values_list("unique_key", flat=True)
    )
    partners = {
        f"{_prefix(day)}{organisation.pk}": organisation.emails[0]
        for organisation in Organisation.objects.exclude(emails=[])
    }
    missing = {key: address for key, address in partners.items() if key not in held}
    if not missing:
        return 0
    text = text_of(signed)
    with open_scope(actor=Actor.WORKER, person_label="worker"):
        for key, address in missing.items():
            outbox.post(
                unique_key=key,
                to=address,
                subject=f"EDATRS trail: signed heads of {day.isoformat()}",
                text=text,
            )
        trail.record(
            "audit.heads_sent", details={"number": signed.statement.number, "partners": len(missing)}
        )
    return len(missing)


def mailed_last() -> tuple[dt.date | None, list[Mailed]]:
    """The day of the last mails (today or yesterday) and what became of each."""
    today = clock.today()
    for day in (today, today - dt.timedelta(days=1)):
        rows = {
            row.unique_key.removeprefix(_prefix(day)): row
            for row in OutboundMail.objects.filter(unique_key__startswith=_prefix(day)).defer("text")
        }
        if rows:
            named = Organisation.objects.filter(pk__in=list(rows)).order_by("name").values_list("pk", "name")
            return day, [
                Mailed(name, rows[str(pk)].sent_at, rows[str(pk)].given_up_at is not None)
                for pk, name in named
            ]
    return None, []


def alarm() -> None:
    """Tell the governance officers of every organisation that the heads could not be signed; once a day each."""
    day = clock.today()
    with transaction.atomic():
        for organisation in Organisation.objects.all():
            outbox.tell(
                unique_key=f"trail.alarm:{day.isoformat()}:{organisation.pk}",
                organisation_id=organisation.pk,
                words="The heads of the trail could not be signed: they contradict what was signed before. Check the trail.",
                link=reverse("audit:trail-check", args=[organisation.slug]),
                role=Role.INFORMATION_GOVERNANCE,
            )
