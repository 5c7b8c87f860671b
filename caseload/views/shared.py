"""What partners share with us: the list, and one client, read only. And what a person opened in an emergency."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase

from caseload import shared, shared_page
from caseload.choices import Category
from caseload.selectors_shared import shared_list
from edatrs.core import access, clock, registry, trail
from edatrs.core.views import OrganisationView

VIEWED = "caseload.shared.viewed"


class SharedListView(OrganisationView):
    """The clients of partners that are shared with the organisation acted for, by who shares them. The search is a POST."""

    act = "client.find"
    by = "S"
    area = "shared"
    title = "Shared with us"
    template_name = "caseload/shared_list.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """A page of them, by key."""
        rows, more = shared_list(after=request.GET.get("after", ""))
        return self.page(request, rows=rows, more=more, onward="after" in request.GET)

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """Those whose name is typed, where the name is open to us."""
        typed = request.POST.get("q", "")[:200]
        rows, _ = shared_list(typed=typed)
        trail.record("caseload.shared.searched", details={"hits": len(rows)})
        return self.page(request, rows=rows, more="", typed=typed, searched=True)


class SharedClientView(OrganisationView):
    """One client of a partner, in the open categories alone. Absent, not shared, ended and without a protocol answer alike."""

    act = "client.view"
    category = "identity"
    by = "S"
    area = "shared"
    title = "Shared record"
    template_name = "caseload/shared_client.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The page; the look is on both trails under one event."""
        client, open_to_us = shared.get_shared(pk, self.by)
        in_order = [c for c in Category.values if c in open_to_us]
        trail.record(
            VIEWED,
            subject=str(client.pk),
            details={"categories": in_order, "ground": "grant" if self.by == "S" else "emergency"},
            also=[client.organisation_id],
        )
        context: dict[str, Any] = {
            "client": client,
            "identity": shared_page.head(client, open_to_us, clock.today()),
            "parts": shared_page.parts(client, open_to_us),
            "closed": [
                c.label
                for c in Category
                if c.value not in open_to_us and access.may("client.view", c, by=self.by)
            ],
            "until": self.until(client),
            "follows": self.follows(client),
        }
        return self.page(request, **context)

    def follows(self, client: Any) -> list[dict[str, str]]:
        """What may be done next with it."""
        slug = self.kwargs["organisation"]
        return [step for _, offer in registry.shared_record_next if (step := offer(client, slug))]

    def until(self, client: Any) -> Any:
        """The first day on which part of it ends, if any does."""
        ends = shared.live_grants().filter(content_object_id=client.pk, valid_until__isnull=False)
        return ends.order_by("valid_until").values_list("valid_until", flat=True).first()
