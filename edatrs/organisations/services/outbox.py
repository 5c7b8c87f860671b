"""The outbox: a mail is written in the transaction that causes it, and sent once afterwards."""

from __future__ import annotations

import datetime as dt
import logging

from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from edatrs.core import clock
from edatrs.organisations.models import OutboundMail, Task

log = logging.getLogger(__name__)
GIVE_UP_AFTER = 20


def post(*, unique_key: str, to: str, subject: str, text: str) -> None:
    """Write a mail in the open transaction; the same key twice is one mail. Words and a link only, never client data."""
    now = clock.now()
    OutboundMail.objects.get_or_create(
        unique_key=unique_key,
        defaults={"to": to, "subject": subject, "text": text, "created_at": now, "next_attempt": now},
    )


def tell(
    *,
    unique_key: str,
    organisation_id: object,
    words: str,
    link: str = "",
    user_id: object = None,
    role: str = "",
) -> None:
    """Write an in-app task for a person or for whoever holds a role, in the open transaction; the same key twice is one task."""
    Task.objects.get_or_create(
        unique_key=unique_key,
        defaults={
            "organisation_id": organisation_id,
            "user_id": user_id,
            "role": role,
            "words": words,
            "link": link,
            "created_at": clock.now(),
        },
    )


def send_due(limit: int = 100) -> int:
    """Send what is due, each mail under its row lock, and return how many were sent. A mail server that is away delays, never loses."""
    sent = 0
    for _ in range(limit):
        with transaction.atomic():
            mail = (
                OutboundMail.objects.select_for_update(skip_locked=True)
                .filter(sent_at__isnull=True, given_up_at__isnull=True, next_attempt__lte=Now())
                .first()
            )
            if mail is None:
                return sent
            headers = {"Message-ID": f"<{mail.pk}@caseload.edatrs.example>"}
            try:
                EmailMessage(mail.subject, mail.text, to=[mail.to], headers=headers).send()
            except OSError as problem:
                log.warning("mail %s was not sent: %s", mail.pk, type(problem).__name__)
                wait = dt.timedelta(seconds=min(30 * 2**mail.attempts, 3600))
                OutboundMail.objects.filter(pk=mail.pk).update(
                    attempts=F("attempts") + 1,
                    next_attempt=Now() + wait,
                    given_up_at=Now() if mail.attempts + 1 >= GIVE_UP_AFTER else None,
                )
                continue
            OutboundMail.objects.filter(pk=mail.pk).update(sent_at=Now(), attempts=F("attempts") + 1)
            sent += 1
    return sent
