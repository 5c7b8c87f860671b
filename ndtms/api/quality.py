"""The data-quality desk for programs: counts and the work list, without names."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from rest_framework import status
from rest_framework.response import Response

from caseload.dataset.rules import RULES
from caseload.links import category_of_item
from edatrs.core import access
from edatrs.core.api import ApiView
from edatrs.core.scope import current_organisation
from edatrs.organisations.selectors import services_of
from ndtms import desk, quality
from ndtms.views.quality import asked_of, key_of_page, query


class QualityApi(ApiView):
    """The counts of the desk under a filter."""

    act = "quality.list"
    changing_act = "extract.build"
    words = "Counts by rule, service and age (?rule= &effect= &service= &keyworker= &age= narrow them). POST: check every episode again."

    def get(self, request: HttpRequest, organisation: str) -> Response:
        """Episodes that a rule stops, that are to be checked, whose consent was not asked. A keyworker sees their own caseload."""
        totals = desk.totals(asked_of(request.GET))
        running, done = desk.last_check()
        return Response(
            {
                "stops": totals.stops,
                "stops_agreed": totals.agreed,
                "check": totals.check,
                "not_asked": totals.not_asked,
                "rules": [
                    {
                        "rule": count.key,
                        "level": RULES[count.key].level,
                        "words": RULES[count.key].words,
                        "remedy": RULES[count.key].remedy,
                        "episodes": count.number,
                        "oldest": count.oldest,
                    }
                    for count in totals.rules
                ],
                "services": [
                    {
                        "agency": service.agency_code,
                        "name": service.name,
                        "episodes": totals.services.get(service.agency_code, 0),
                    }
                    for service in services_of(current_organisation())
                ],
                "older_than_days": totals.ages,
                "being_checked": running is not None,
                "checked_at": getattr(done, "finished_at", None),
            }
        )

    def post(self, request: HttpRequest, organisation: str) -> Response:
        """202: a worker checks; asked twice, it is done once."""
        quality.check_later(requested_by=request.user.pk)
        return Response({"asked": True}, status=status.HTTP_202_ACCEPTED)


class WorkListApi(ApiView):
    """The work list of the desk by client id and episode id."""

    act = "quality.list"
    words = "The work list, fifty episodes a page, without names; the same filters as the counts, ?after= the next page."

    def get(self, request: HttpRequest, organisation: str) -> Response:
        """Each episode with every rule it fails, since when, what to do and which items are at fault."""
        asked = asked_of(request.GET)
        consent = asked.effect == desk.CONSENT
        after = key_of_page(request.GET.get("after", ""), consent)
        lines, more = (desk.not_asked_list if consent else desk.work_list)(asked, after=after)
        return Response(
            {
                "results": [_line(line) for line in lines],
                "next": request.path + query(asked, after=more) if more else None,
            }
        )


def _line(line: desk.Line) -> dict[str, Any]:
    episode = line.episode
    return {
        "agency": episode.service.agency_code,
        "client": str(episode.client_id),
        "client_id": episode.registration.client_id_text,
        "episode_id": episode.episode_id,
        "consent": episode.consent or "not_asked",
        "faults": [
            {
                "rule": fault.explanation.rule_id,
                "words": fault.explanation.words,
                "remedy": fault.explanation.remedy,
                "stops": fault.explanation.stops,
                "since": fault.since,
                "items": [
                    item.name
                    for item in fault.explanation.items
                    if access.may("client.view", category_of_item(item.name))
                ],
            }
            for fault in line.faults
        ],
    }
