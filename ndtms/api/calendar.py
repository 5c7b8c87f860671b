"""The calendar and mismatches for programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from rest_framework import serializers, status
from rest_framework.response import Response

from edatrs.core import clock
from edatrs.core.api import ApiView, checked
from ndtms import selectors_months
from ndtms.choices import MismatchState
from ndtms.mismatch_file import BadMismatchFile
from ndtms.models import Mismatch
from ndtms.services import mismatches
from ndtms.views.calendar import service_called

MOST = 500


class CalendarApi(ApiView):
    """How each month of each agency code stands."""

    act = "submissions.view"
    words = "The calendar: each agency code and month with its state, due day and number of open mismatches."

    def get(self, request: HttpRequest, organisation: str) -> Response:
        """The months of a year, the oldest first; no rows."""
        return Response(
            {
                "results": [
                    {
                        "agency": row.service.agency_code,
                        "name": row.service.name,
                        "months": [
                            {
                                "month": f"{m.month:%Y-%m}",
                                "due": m.due,
                                "state": m.state,
                                "mismatches": m.mismatches,
                                "files": [str(a.of.pk) for a in m.attempts],
                            }
                            for m in row.months
                        ],
                    }
                    for row in selectors_months.calendar(clock.today())
                ],
                "next": None,
            }
        )


class List(serializers.Serializer[Any]):
    """A list of mismatches: the agency code, and the CSV as text (docs/mismatch-file.md)."""

    service = serializers.CharField(max_length=20)
    csv = serializers.CharField(max_length=5_000_000, trim_whitespace=False)


class MismatchesApi(ApiView):
    """The mismatches by state, and a way to bring a list."""

    act = "extract.preview"
    changing_act = "extract.confirm"
    words = "Mismatches (?state= &service= &kind=, the first 500, without names); a list is brought by POST, whole or not at all."

    def get(self, request: HttpRequest, organisation: str) -> Response:
        """Open ones where no state is asked for."""
        state = request.GET.get("state", MismatchState.OPEN.value)
        agency, kind = request.GET.get("service", ""), request.GET.get("kind", "")
        rows = list(selectors_months.mismatches(state=state, agency=agency, kind=kind)[:MOST])
        why = selectors_months.why(rows, clock.today())
        return Response({"results": [_facts(m, why[m.pk]) for m in rows], "next": None})

    def post(self, request: HttpRequest, organisation: str) -> Response:
        """201 with the numbers; 200 where the same list was taken in before; 422 with every problem."""
        data = checked(List, request)
        service = service_called(data["service"])
        if service is None:
            raise serializers.ValidationError({"service": ["That is no agency code of this organisation."]})
        try:
            file, new = mismatches.take(service=service, raw=data["csv"].encode(), name="csv")
        except BadMismatchFile as bad:
            raise serializers.ValidationError({"csv": bad.lines}) from None
        return Response(
            {
                "id": str(file.pk),
                "lines": file.lines,
                "by_consent": file.by_consent,
                "open_before": file.known_before,
            },
            status=status.HTTP_201_CREATED if new else status.HTTP_200_OK,
        )


def _facts(m: Mismatch, why: str) -> dict[str, Any]:
    pk: UUID = m.pk
    return {
        "id": str(pk),
        "agency": m.file.agency_code,
        "client_id": m.client_id_text,
        "episode_id": m.episode_id_text,
        "kind": m.kind,
        "state": m.state,
        "why": why,
        "taken_at": m.file.taken_at,
        "settled_at": m.settled_at,
    }
