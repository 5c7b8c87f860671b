"""What may not be done with a file of an agency code because of what else happened: a later load, a wish that stands."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Max
from django.utils import formats

from caseload.hidden import for_everybody
from consent.withdrawn import still_at_yes
from edatrs.core.clock import LONDON
from edatrs.organisations.models import Service
from ndtms.choices import SubmissionState
from ndtms.models import Submission

MOST_NAMED = 5


def lock_files(service_id: UUID) -> None:
    """Lock the files of a service in one order, so that what NDTMS said of two of them is recorded one after the other."""
    files = Submission.objects.select_for_update().filter(service_id=service_id).order_by("pk")
    list(files.values_list("pk", flat=True))


def superseded(submission: Submission) -> str:
    """Why a built file can no longer be recorded as loaded, or ''. Lock the files of the service first."""
    newest = Submission.objects.filter(
        service_id=submission.service_id,
        state=SubmissionState.LOADED,
        snapshot_at__gt=submission.snapshot_at,
    ).aggregate(newest=Max("snapshot_at"))["newest"]
    if newest is None:
        return ""
    when = formats.date_format(newest.astimezone(LONDON), "j M Y, H:i")
    return (
        f"A later file of {submission.agency_code}, built {when}, was recorded as loaded already. "
        "What NDTMS holds is what that file said, so this one stays as it is: nothing is to be recorded."
    )


def count_still_at_yes(service: Service) -> int:
    """How many episodes stop a full extract (O-140), with whomever the person acting may not find."""
    with for_everybody():
        return still_at_yes(service.pk).count()


def words_still_at_yes(service: Service, *, named: bool) -> str:
    """Why no full extract of a service can be built, or ''. `named`: with the client ids of those that who acts may find."""
    number = count_still_at_yes(service)
    if not number:
        return ""
    whose = ""
    if named:
        shown = list(
            still_at_yes(service.pk).values_list("registration__client_id_text", "episode_id")[:MOST_NAMED]
        )
        listed = "; ".join(f"client {client}, episode {episode}" for client, episode in shown)
        more = f" and {number - len(shown)} more" if shown and number > len(shown) else ""
        whose = f" ({listed}{more})" if listed else ""
    episodes = "episode is" if number == 1 else "episodes are"
    return (
        f"{number} {episodes} still at yes of people who withdrew from all their episodes here{whose}. "
        "A full extract would tell NDTMS to keep them. Open the client's consent page and record the withdrawal there too, "
        "or their yes if they gave it again; then build the full extract. A reporting extract can be built meanwhile."
    )
