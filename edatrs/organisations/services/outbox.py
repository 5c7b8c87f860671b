"""The outbox: a mail is written in the transaction that causes it, and sent once afterwards."""

from __future__ import annotations

import datetime as dt
import logging
import smtplib
from uuid import UUID

from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from edatrs.core import clock
from edatrs.core.faults import kill_point
from edatrs.organisations.models import OutboundMail, Task

log = logging.getLogger(__name__)
GIVE_UP_AFTER = 100  # tries; at an hour each, four days: longer than a weekend without a mail server
LONGEST_WAIT_SECONDS = 3600


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
    organisation_id: UUID,
    words: str,
    link: str = "",
    user_id: UUID | None = None,
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
    """Send what is due, each mail under its row lock, and return how many were sent. A mail server that is away delays, never loses.

    A process that dies after the server has taken a mail and before the row says so sends it again, with the same Message-ID, by which
    mail programs know a duplicate. A mail that cannot be sent does not hold up the others; a server that does not answer ends the run.
    """
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
            try:
                _hand_over(mail)
            except Exception as problem:  # noqa: BLE001  # one bad mail must not stop the rest
                _put_off(mail, problem)
                if _server_is_away(problem):
                    return sent
                continue
            OutboundMail.objects.filter(pk=mail.pk).update(sent_at=Now(), attempts=F("attempts") + 1)
            kill_point("mail-sent")
        sent += 1
    return sent


def _hand_over(mail: OutboundMail) -> None:
    headers = {"Message-ID": f"<{mail.pk}@caseload.edatrs.example>"}
    EmailMessage(mail.subject, mail.text, to=[mail.to], headers=headers).send()


def _server_is_away(problem: Exception) -> bool:
    """Whether nothing can be sent at all, rather than this mail to this address."""
    if isinstance(problem, smtplib.SMTPException):
        return not isinstance(
            problem, (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError)
        )
    return isinstance(problem, OSError)


def _put_off(mail: OutboundMail, problem: Exception) -> None:
    """Try again later, each time later; after GIVE_UP_AFTER tries the mail is marked as given up and stays."""
    given_up = mail.attempts + 1 >= GIVE_UP_AFTER
    log.log(
        logging.ERROR if given_up else logging.WARNING,
        "mail %s was not sent%s: %s",
        mail.pk,
        " and is given up" if given_up else "",
        type(problem).__name__,
    )
    wait = dt.timedelta(seconds=min(30 * 2 ** min(mail.attempts, 20), LONGEST_WAIT_SECONDS))
    OutboundMail.objects.filter(pk=mail.pk).update(
        attempts=F("attempts") + 1,
        next_attempt=Now() + wait,
        given_up_at=Now() if given_up else None,
    )
