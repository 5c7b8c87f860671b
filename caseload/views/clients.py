"""Find a client, list clients, look at one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase

from audit.selectors import events_for_subject
from audit.words import told
from caseload import details, overview, present, search, selectors, trail_subjects
from caseload.models import Client
from caseload.views.base import ClientPage
from edatrs.core import access, clock, registry, trail
from edatrs.core.views import OrganisationView


class ClientListView(OrganisationView):
    """The clients of the organisation by client id, in pages, and what a search finds. The search is a POST: no name in an address."""

    act = "client.find"
    area = "clients"
    title = "Clients"
    template_name = "caseload/clients.html"

    def may_register(self) -> bool:
        """For the template: whether the way to a new record is shown."""
        return access.may("client.register")

    def may_export(self) -> bool:
        """For the template: whether the way to take the list out is shown."""
        return access.may("list.export")

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The list."""
        rows, more = selectors.list_page(after=request.GET.get("after", ""))
        today = clock.today()
        return self.page(
            request,
            rows=[_row(row, today) for row in rows],
            more=more,
            onward="after" in request.GET,
            recent=_recent(),
            sees_consent=access.may("consent.ndtms.record"),
        )

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """What was found, and by what; what was typed is kept nowhere."""
        typed = request.POST.get("q", "")[: search.LONGEST]
        asked = search.read_query(typed)
        found = selectors.search(asked)
        kinds = sorted({t.kind.value for part in asked for t in part.alternatives})
        trail.record("caseload.client.searched", details={"by": kinds, "hits": len(found)})
        today, unasked = clock.today(), present.unasked(f.client.pk for f in found)
        return self.page(
            request,
            searched=True,
            sees_consent=access.may("consent.ndtms.record"),
            typed=typed,
            understood=bool(asked),
            found=[
                {
                    "identity": details.short(f.client, today),
                    "pk": f.client.pk,
                    "unasked": f.client.pk in unasked,
                    "reasons": f.reasons,
                    "exact": f.exact,
                }
                for f in found
            ],
            most=len(found) == selectors.MOST_FOUND,
            recent=_recent(),
        )


def _row(row: dict[str, Any], today: Any) -> dict[str, Any]:
    born = row["client__clientidentity__date_of_birth"]
    return {
        "pk": row["client_id"],
        "name": present.list_name(
            row["client__clientidentity__forename"] or "", row["client__clientidentity__surname"] or ""
        ),
        "client_id": row["client_id_text"],
        "agency": row["service__agency_code"],
        "born": born,
        "age": present.age_on(born, today),
        "unasked": row["unasked"],
    }


def _recent() -> list[dict[str, Any]]:
    return [
        {
            "pk": opening.client_id,
            "name": present.list_name(
                opening.client.clientidentity.forename, opening.client.clientidentity.surname
            )
            if hasattr(opening.client, "clientidentity")
            else "Name not recorded",
            "at": opening.at,
        }
        for opening in selectors.recently_opened()
    ]


class ClientView(ClientPage):
    """Overview: the current episode, interventions, outcomes, contact, and what other apps add."""

    title = "Client"
    template_name = "caseload/client.html"
    part = "overview"
    shows = ("identity", "contact", "treatment")

    def client(self, pk: UUID) -> Client:
        """As every page's, with how to reach them for those who may see that."""
        along = "clientcontact" if access.may("client.view", "contact") else "clientidentity"
        return selectors.get_client(pk, "client.view", along=along)

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The page; a category that the roles may not see is not there."""
        client = self.client(pk)
        return self.client_page(
            request,
            client,
            panels=[panel(client, organisation) for _, panel in registry.client_panels],
            **overview.of_client(client, organisation, clock.today()),
        )


class ClientEpisodesView(ClientPage):
    """All episodes of a client."""

    title = "Episodes"
    template_name = "caseload/client_episodes.html"
    part = "episodes"
    category = "treatment"
    shows = ("identity", "treatment")

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The page."""
        client = self.client(pk)
        return self.client_page(
            request,
            client,
            episodes=[present.episode_row(e) for e in selectors.episodes_of(client)],
            may_start=access.may("client.register"),
            may_void=access.may("client.void"),
        )


class WhoLookedView(ClientPage):
    """Who looked at this record, in the organisation's own trail. Looking here is on it too."""

    act = "trail.client"
    category = ""
    title = "Who looked"
    template_name = "caseload/client_who_looked.html"
    part = "who-looked"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The page, by key: looks at records that were merged into this one too. Who may not see the client sees a number and no name."""
        client = selectors.get_client(pk, "trail.client")
        before = request.GET.get("before", "")
        page = events_for_subject(
            client.pk,
            also=trail_subjects.merged_into([client.pk]),
            before=int(before) if before.isdecimal() and len(before) < 19 else None,
        )
        shown: dict[str, Any] = {"entries": told(page.entries), "older": page.older, "label": str(client)}
        if "O" not in access.letters("client.view", "identity"):
            return self.page(request, frame="base.html", **shown)
        return self.client_page(request, client, frame="caseload/client_base.html", **shown)
