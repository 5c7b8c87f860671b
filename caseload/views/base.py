"""Base of the pages about one client: identity bar, parts of the record, and the opening on the trail."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload import present, selectors
from caseload.models import Client
from caseload.services import merge, openings
from edatrs.core import access, clock, registry
from edatrs.core.access import Denied
from edatrs.core.views import OrganisationView


class ClientPage(OrganisationView, abstract=True):
    """A page about one client. The client is in the address, never in the session; `part` is the current part of the record."""

    act = "client.view"
    category = "identity"
    area = "clients"
    part: ClassVar[str] = ""
    # What the trail calls the page, where that is not the part it stands in.
    panel: ClassVar[str] = ""
    shows: ClassVar[tuple[str, ...]] = ("identity",)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """As every page's; the address of a client that was merged away leads to the survivor, for those who may see that."""
        try:
            return super().dispatch(request, *args, **kwargs)
        except Denied as denied:
            pk = kwargs.get("pk")
            if request.method != "GET" or denied.why != "not found" or denied.subject != str(pk):
                raise
            survivor = merge.survivor_of(pk, "client.view")
            if survivor is None:
                raise
            return HttpResponseRedirect(
                reverse("caseload:client", args=[kwargs["organisation"], survivor.pk])
            )

    def client(self, pk: UUID) -> Client:
        """The one in the address. Raises Denied."""
        return selectors.get_client(pk, "client.view")

    def categories(self) -> list[str]:
        """The categories of `shows` that the roles may see."""
        return [c for c in self.shows if access.may("client.view", c)]

    def client_page(
        self, request: HttpRequest, client: Client, *, status: int = 200, **context: Any
    ) -> HttpResponse:
        """The template with the frame of a client, and the opening noted."""
        slug = self.kwargs["organisation"]
        if request.method == "GET":
            openings.note_opened(
                client=client, panel=self.panel or self.part or "overview", categories=self.categories()
            )
        return self.page(
            request,
            status=status,
            client=client,
            identity=present.identity(client, clock.today()),
            parts=_parts(slug, client, self.part),
            part=self.part,
            asks_consent=access.may("consent.ndtms.record"),
            **context,
        )


def _parts(slug: str, client: Client, current: str) -> list[dict[str, Any]]:
    """The parts of the record that the roles may open. Who looked stands last: the parts of every app come before it."""
    parts = sorted(registry.client_parts, key=lambda part: part[0] == "who-looked")
    return [
        {
            "words": part["words"],
            "url": reverse(part["route"], args=[slug, client.pk]),
            "current": key == current,
        }
        for key, part in parts
        if access.may(part["act"], part.get("category", ""))
    ]
