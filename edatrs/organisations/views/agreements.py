"""Sharing agreements: the list, one of them, a new one, and what anybody may read without signing in."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from edatrs.core import access, clock, registry
from edatrs.core.scope import current_organisation
from edatrs.core.views import OrganisationView, PublicView
from edatrs.organisations import agreements, protocol
from edatrs.organisations.completeness import CONTACT, CONTENTS, DETAILS, DOCUMENTS, OWN, PARTIES
from edatrs.organisations.drafted import DraftedView
from edatrs.organisations.forms.protocol import DraftForm
from edatrs.organisations.models import Agreement
from edatrs.organisations.services import protocol as writing

# Where a gap is filled in, as an address of ours.
_PAGES = {
    DETAILS: "agreement-details",
    CONTENTS: "agreement-contents",
    DOCUMENTS: "agreement-documents",
    PARTIES: "agreement-parties",
    OWN: "agreement-own-part",
}


class AgreementsView(OrganisationView, abstract=True):
    """Base of the pages about agreements."""

    act = "protocol.view"
    area = "agreements"
    title: ClassVar[str] = "Sharing agreements"

    def agreement(self, pk: UUID) -> Agreement:
        """An agreement that the organisation acted for sees. Raises Denied."""
        return agreements.agreement_of(current_organisation(), pk, act=self.act)

    def overview(self, agreement: Agreement) -> agreements.Overview:
        """It, as the organisation acted for sees it today."""
        return agreements.Overview(agreement, clock.today(), current_organisation())

    def to_agreement(self, pk: UUID) -> HttpResponseRedirect:
        """Back to the agreement's page."""
        return HttpResponseRedirect(
            reverse("organisations:agreement", args=[self.kwargs["organisation"], pk])
        )

    def refused(self, request: HttpRequest, pk: UUID, why: Exception) -> HttpResponseRedirect:
        """Back to the agreement, with the words why it cannot be done."""
        messages.error(request, f"{why}.".replace("..", "."))
        return self.to_agreement(pk)

    def back_to(self, request: HttpRequest) -> str:
        """The page itself: every one of them can be asked for."""
        return request.path

    def gaps(self, overview: agreements.Overview) -> list[dict[str, Any]]:
        """What is missing, each with a link for whoever can fill it in."""
        slug, own = self.kwargs["organisation"], overview.own
        found = []
        for gap in overview.gaps:
            mine = own is not None and gap.party == own.organisation.name
            if gap.where == CONTACT:
                link = reverse("organisations:contact", args=[slug]) if mine else ""
            elif gap.where == OWN:
                link = self._link(OWN, overview) if mine else ""
            else:
                link = self._link(gap.where, overview) if overview.edits else ""
            found.append({"words": gap.words, "link": link, "key": gap.key})
        return found

    def _link(self, where: str, overview: agreements.Overview) -> str:
        return reverse(
            f"organisations:{_PAGES[where]}", args=[self.kwargs["organisation"], overview.agreement.pk]
        )


class AgreementListView(AgreementsView):
    """Every agreement the organisation sees, what is in force first."""

    template_name = "organisations/agreements.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The list."""
        found = agreements.whole(agreements.visible(current_organisation()))
        lines = [self.overview(agreement) for agreement in found]
        order = {"Approved": 0, "For approval": 1, "Draft": 2, "Ended": 3}
        lines.sort(key=lambda line: order[line.badge[1]])
        return self.page(
            request,
            lines=lines,
            may_begin=access.may("protocol.edit"),
            may_name=access.may("people.manage"),
            history=agreements.contact_history(current_organisation()).first(),
        )


class NewAgreementView(DraftedView, AgreementsView):
    """A new agreement, as a draft."""

    act = "protocol.edit"
    draft = "organisations.agreement_new"
    title = "New agreement"
    template_name = "organisations/agreement_new.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The form."""
        typed = self.typed(request)
        return self.page(request, form=DraftForm(typed, unchecked=typed is not None))

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """Begin it."""
        user: Any = request.user
        form = DraftForm(request.POST)
        if not form.is_valid():
            return self.page(request, status=422, form=form)
        made = writing.create_draft(**form.cleaned_data, acting_user=user)
        messages.success(request, "The draft is there. Add the parties and what is shared.")
        return self.to_agreement(made.pk)


class AgreementView(AgreementsView):
    """One agreement: the answer first, then who, what, why, by what right, and what can be done."""

    title = "Sharing agreement"
    template_name = "organisations/agreement.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The page."""
        overview = self.overview(self.agreement(pk))
        today = clock.today()
        writes = access.may("protocol.edit")
        return self.page(
            request,
            o=overview,
            agreement=overview.agreement,
            gaps=self.gaps(overview),
            rights=overview.confirmations,
            today=today,
            leaves_if_today=protocol.last_day_of_notice(today),
            review_late=overview.agreement.review_on is not None and overview.agreement.review_on <= today,
            writes=writes and overview.edits,
            leads=writes and overview.leads,
            own_part=writes and overview.own is not None,
            signs=access.may("protocol.sign"),
        )


class PublicAgreementListView(PublicView):
    """Every approved agreement, for anybody."""

    public_because = "approved agreements are public (obligations 17, 42 and 92)"
    template_name = "organisations/public_agreements.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """The list."""
        found = agreements.whole(agreements.public())
        return self.page(request, lines=[agreements.Overview(a, clock.today()) for a in found])


class PublicAgreementView(PublicView):
    """One approved agreement, for anybody: no person's name stands in it."""

    public_because = "approved agreements are public (obligations 17, 42 and 92)"
    template_name = "organisations/public_agreement.html"

    def get(self, request: HttpRequest, agreement: str) -> HttpResponse:
        """The page. Raises Http404."""
        found = agreements.whole(agreements.public()).filter(slug=agreement).order_by("-approved_on").first()
        if found is None:
            raise Http404
        overview = agreements.Overview(found, clock.today())
        return self.page(request, o=overview, agreement=found)


registry.navigation.add(
    "agreements",
    {
        "words": "Sharing agreements",
        "url": lambda slug: reverse("organisations:agreements", args=[slug]),
        "act": "protocol.edit",
    },
)
