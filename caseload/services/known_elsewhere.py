"""Known elsewhere (design section 5): asks the database whether a partner knows a client, after one's own registration is saved.

Nothing but yes or no comes back; which organisation, and what it knows, does not. Both the question and the answer are on the trail.
"""

from __future__ import annotations

import datetime as dt
from uuid import UUID, uuid5

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse

from caseload.models import Client, PartnerCheck, SensitiveRecord
from edatrs.core import clock, trail
from edatrs.core.scope import current_organisation
from edatrs.organisations.choices import Role
from edatrs.organisations.models import Organisation, User
from edatrs.organisations.protocol import partners_in_force
from edatrs.organisations.selectors import people_holding
from edatrs.organisations.services import outbox

ASKED = "caseload.known_elsewhere.asked"
ANSWERED = "caseload.known_elsewhere.answered"
ALERTED = "caseload.known_elsewhere.alerted"
# So many people a day whom partners know are a day's work; more may be somebody who looks for people (design section 5).
HITS_A_DAY = 5


def may_be_asked(client: Client) -> bool:
    """Whether the question is offered at all: a protocol is in force with somebody today, and the record is not sensitive."""
    if not partners_in_force():
        return False
    return not SensitiveRecord.objects.filter(client_id=client.pk, lifted_at__isnull=True).exists()


def latest(client: Client) -> PartnerCheck | None:
    """The last answer about a client."""
    found: PartnerCheck | None = (
        PartnerCheck.objects.filter(client_id=client.pk).order_by("-asked_at", "-pk").first()
    )
    return found


def ask(*, client: Client, form_id: UUID, acting_user: User) -> PartnerCheck:
    """Ask, keep the answer, and tell the governance officer of the sixth yes of a person in a day. The same form asks once.

    Never fails for what may not be known: a sensitive record, no protocol in force and nobody found all answer no.
    """
    pk = uuid5(current_organisation(), f"partner check {form_id}")
    with transaction.atomic(), connection.cursor() as cursor:
        # One question of a person after the other, so that none is missed in the count.
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"partner checks {acting_user.pk}"]
        )
        there: PartnerCheck | None = PartnerCheck.objects.filter(pk=pk, client_id=client.pk).first()
        if there is not None:
            return there
        trail.record(ASKED, subject=str(client.pk))
        cursor.execute("SELECT caseload_known_elsewhere(%s)", [client.pk])
        known = bool(cursor.fetchone()[0])
        check = PartnerCheck(
            pk=pk,
            client=client,
            asked_by=acting_user.pk,
            asked_by_label=acting_user.full_name,
            asked_at=clock.now(),
            known=known,
        )
        check.save(force_insert=True)
        trail.record(ANSWERED, subject=str(client.pk), details={"known": known})
        if known:
            _count_hits(acting_user)
        return check


def _count_hits(user: User) -> None:
    """Tell of more than HITS_A_DAY yeses in a London day. Of one client each counts: changed details asked again are another question."""
    today = clock.today()
    start = dt.datetime.combine(today, dt.time.min, clock.LONDON)
    end = dt.datetime.combine(today + dt.timedelta(days=1), dt.time.min, clock.LONDON)
    hits = PartnerCheck.objects.filter(
        asked_by=user.pk, known=True, asked_at__gte=start, asked_at__lt=end
    ).count()
    if hits == HITS_A_DAY + 1:
        _alert(user, today, hits)


def _alert(user: User, day: dt.date, hits: int) -> None:
    """A task and a mail for the governance officers, without the name of anybody but what the page behind sign-in shows; on the trail."""
    organisation = Organisation.objects.get(pk=current_organisation())
    trail.record(ALERTED, details={"person": user.pk, "label": user.full_name, "hits": hits})
    key = f"known-elsewhere:{organisation.pk}:{user.pk}:{day.isoformat()}"
    link = reverse("audit:trail", args=[organisation.slug])
    outbox.tell(
        unique_key=key,
        organisation_id=organisation.pk,
        role=Role.INFORMATION_GOVERNANCE,
        words=(
            f"{user.full_name} was told more than {HITS_A_DAY} times today that a partner knows a client. "
            "Ask what the questions were for."
        ),
        link=link,
    )
    for officer in people_holding(organisation.pk, [Role.INFORMATION_GOVERNANCE], day):
        outbox.post(
            unique_key=f"{key}:{officer.pk}",
            to=officer.email,
            subject="EDATRS caseload: many clients known to partners",
            text=(
                f"One person at {organisation.name} was told more than {HITS_A_DAY} times today that a partner knows a client. "
                "That may be a busy day, or somebody who looks for people. See the trail and ask what the questions were for."
                f"\n\n{settings.BASE_URL.rstrip('/')}{link}"
            ),
        )
