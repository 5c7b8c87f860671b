"""Episodes at yes of people who withdrew from all their episodes here (O-140)."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from caseload.choices import NdtmsConsent
from caseload.models import Episode
from consent.choices import Wish
from consent.models import ConsentAct


def still_at_yes(service_id: UUID) -> QuerySet[Episode]:
    """The episodes of a service that stand at yes although their client's wish was all episodes here, in the order of their identifiers.

    A wish stands until it is recorded in error. A yes that was given after it, by date and then by order of recording, is consent
    given again (O-144) and is not among them; one that came later but is dated before it (an import, an episode brought back) is.
    """
    given_again = ConsentAct.objects.filter(
        episode_id=OuterRef(OuterRef("pk")), decision=NdtmsConsent.YES, invalidation__isnull=True
    ).filter(
        Q(decided_on__gt=OuterRef("decided_on"))
        | Q(decided_on=OuterRef("decided_on"), sequence__gt=OuterRef("sequence"))
    )
    wish = ConsentAct.objects.filter(
        client_id=OuterRef("client_id"), wish=Wish.ALL_HERE, invalidation__isnull=True
    )
    rows: QuerySet[Episode] = Episode.objects.filter(
        Exists(wish.filter(~Exists(given_again))),
        service_id=service_id,
        consent=NdtmsConsent.YES,
        voided_at__isnull=True,
    )
    return rows.order_by("registration__client_id_text", "episode_id", "pk")
