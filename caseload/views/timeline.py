"""The timeline of a client: newest first, by kind, in pages by key."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase

from caseload import timeline
from caseload.record import TREATMENT
from caseload.views.base import ClientPage


class TimelineView(ClientPage):
    """What happened with a client."""

    title = "Timeline"
    template_name = "caseload/client_timeline.html"
    part = "timeline"
    shows = ("identity", TREATMENT)

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """A page; kinds that the roles may not see are not there."""
        client = self.client(pk)
        known = timeline.sources()
        chosen = [k for k in request.GET.getlist("kind") if k in known]
        page = timeline.page(client, organisation, kinds=chosen, before=request.GET.get("before", ""))
        return self.client_page(
            request,
            client,
            rows=[{"kind": known[key].words, "entry": entry} for key, entry in page.rows],
            kinds=[{"key": key, "words": s.words, "chosen": key in chosen} for key, s in known.items()],
            narrowed=bool(chosen),
            before=request.GET.get("before", ""),
            older=urlencode([("kind", k) for k in chosen] + [("before", page.more)]) if page.more else "",
        )
