"""What a clock brings about, once a day, for every organisation: ask again, review, and end what ended with an episode."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.urls import reverse

from consent.choices import Answer, Ends
from consent.models import LawfulDecision, SharingConsent
from consent.sharing import rules, services, sources
from edatrs.core import clock
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.choices import OrganisationKind, Role
from edatrs.organisations.models import Organisation
from edatrs.organisations.services.outbox import tell

SOON = dt.timedelta(days=14)


def remind_all() -> None:
    """For each provider in a scope of its own. What could not be done for one does not hold up the others: it is tried again tomorrow."""
    for organisation in Organisation.objects.filter(kind=OrganisationKind.PROVIDER).order_by("pk"):
        with open_scope(
            actor=Actor.WORKER, organisation_id=organisation.pk, organisation_label=organisation.name
        ):
            services.end_with_episodes()
            remind(organisation)


def remind(organisation: Organisation) -> None:
    """Tell the team managers which consents are to be asked again (12 months without an end) and which decisions are to be reviewed.

    Numbers and links, no client. The same reminder is told once.
    """
    today = clock.today()
    oldest = rules.months_later(today, -rules.REVIEW_MONTHS)
    due = SharingConsent.objects.filter(answer=Answer.GIVEN, decided_on__lte=oldest).exclude(ends=Ends.DATE)
    for consent in _live_consents(due.select_related("client")):
        day = rules.ask_again_on(consent)
        _tell(
            organisation,
            f"consent-again-{consent.pk}-{day}",
            f"Consent {consent} is 12 months old: ask again",
            reverse("consent:share-one", args=[organisation.slug, consent.client_id, consent.pk]),
        )
    for decision in LawfulDecision.objects.select_related("client").order_by("pk"):
        line = sources.read(decision.client).decision(decision.pk)
        if line.review_on is not None and line.review_on <= today + SOON:
            _tell(
                organisation,
                f"decision-review-{decision.pk}-{line.review_on}",
                f"Review decision {decision} on sharing without consent by {line.review_on:%d/%m/%Y}",
                reverse("consent:decision", args=[organisation.slug, decision.client_id, decision.pk]),
            )


def _live_consents(found: Iterable[SharingConsent]) -> Iterable[SharingConsent]:
    """Those of them that count today."""
    for consent in found:
        if sources.read(consent.client).consent(consent.pk).live:
            yield consent


def _tell(organisation: Organisation, key: str, words: str, link: str) -> None:
    tell(unique_key=key, organisation_id=organisation.pk, role=Role.TEAM_MANAGER, words=words, link=link)
