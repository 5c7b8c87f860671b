"""Emergency access: open a partner's record for an hour, look at it, end it, account for it, review it (T11)."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload import selectors, shared
from caseload.choices import Category, LawfulGround
from caseload.forms.emergency import GROUND_HINTS, AccountForm, EmergencyForm, ReviewForm
from caseload.models import Client, EmergencyAccess
from caseload.services import emergency
from caseload.views.shared import SharedClientView
from edatrs.core import clock
from edatrs.core.access import Denied
from edatrs.core.scope import current_organisation
from edatrs.core.views import OrganisationView
from edatrs.organisations.drafted import DraftedView


class EmergencyRecordView(SharedClientView):
    """The parts that the person acting opened, while they are open. Ended and never opened answer alike."""

    by = "B"
    area = "emergency"
    title = "Emergency access"
    template_name = "caseload/emergency_record.html"

    def follows(self, client: Client) -> list[dict[str, str]]:
        """Nothing: it is open for an hour, and nobody agreed to it."""
        return []

    def until(self, client: Client) -> EmergencyAccess | None:
        """The access itself: when it ends, and what ends it now."""
        return shared.open_emergencies().filter(opened_client_id=client.pk).order_by("-ends_at").first()


class EmergencyView(OrganisationView):
    """One's own emergency accesses: open now, to account for, and earlier ones."""

    act = "break_glass.open"
    by = "N"
    area = "emergency"
    title = "Emergency access"
    template_name = "caseload/emergency.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The page."""
        now = clock.now()
        rows = [shown(row, now) for row in emergency.own_list(request.user.pk)]
        return self.page(
            request,
            open_now=[row for row in rows if row["open"]],
            to_account=[row for row in rows if not row["open"] and not row["accounted"]],
            earlier=[row for row in rows if not row["open"] and row["accounted"]],
        )


def shown(row: EmergencyAccess, now: dt.datetime) -> dict[str, Any]:
    """An emergency access in a list. It names nobody."""
    is_open = row.ended_at is None and now < row.ends_at
    return {
        "pk": row.pk,
        "client": row.opened_client_id,
        "who": row.user.full_name,
        "ours": row.organisation_id == current_organisation(),
        "from": row.organisation.name,
        "holder": row.client_organisation.name,
        "ground": LawfulGround(row.ground).label,
        "parts": ", ".join(c.label for c in Category if c in row.categories),
        "reason": row.reason,
        "opened_at": row.opened_at,
        "ends_at": row.ended_at or row.ends_at,
        "open": is_open,
        "accounted": row.accounted_at,
        "account": row.account,
        "reviewed": row.reviewed_at,
        "justified": row.justified,
        "review": row.review,
        "due": emergency.account_due(row),
        "review_due": emergency.review_due(row),
        "late": row.reviewed_at is None and clock.london_date(now) > emergency.review_due(row),
    }


class EmergencyOpenView(DraftedView):
    """Open a record: of a client of one's own whom a partner knows too, or of a stranger, found inside the act itself."""

    act = "break_glass.open"
    by = "N"
    area = "emergency"
    title = "Emergency access to one record"
    template_name = "caseload/emergency_open.html"
    fresh_second_factor = True
    draft = "caseload.emergency"
    draft_words = "Emergency access"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The form."""
        client = self._client(request.GET.get("client", ""))
        return self._show(
            request, EmergencyForm(self.typed(request), unchecked=True, stranger=client is None), client
        )

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """Found and opened in one act, or nothing."""
        client = self._client(request.POST.get("client", ""))
        form = EmergencyForm(request.POST, stranger=client is None)
        if not form.is_valid():
            return self._show(request, form, client, status=422)
        typed = form.cleaned_data
        found = (
            emergency.find_linked(client.pk)
            if client is not None
            else emergency.find_stranger(
                nhs_number=typed["nhs_number"],
                forename=typed["forename"],
                surname=typed["surname"],
                born=typed["date_of_birth"],
            )
        )
        user: Any = request.user
        made = emergency.open_access(
            found=found,
            categories=typed["categories"],
            ground=typed["ground"],
            reason=typed["reason"],
            acting_user=user,
            organisation_name=request.organisation.name,  # type: ignore[attr-defined]  # put there by the middleware
        )
        if not made:
            form.add_error(
                None,
                "No partner holds a record that matches exactly. Nothing was opened; the attempt is on the trail",
            )
            return self._show(request, form, client, status=422)
        if len(made) > 1:
            messages.success(
                request, f"{len(made)} records of this person are open for {emergency.MINUTES} minutes."
            )
            return HttpResponseRedirect(reverse("caseload:emergency", args=[organisation]))
        return HttpResponseRedirect(
            reverse("caseload:emergency-record", args=[organisation, made[0].opened_client_id])
        )

    def _client(self, typed: str) -> Client | None:
        """One's own client that it is about, where the address or the form names one. Raises Denied."""
        if not typed:
            return None
        try:
            return selectors.get_client(UUID(typed), "client.view")
        except ValueError:
            raise Denied("break_glass.open", "not found") from None

    def _show(
        self, request: HttpRequest, form: EmergencyForm, client: Client | None, *, status: int = 200
    ) -> HttpResponse:
        hints = [{"label": g.label, "hint": GROUND_HINTS[g]} for g in LawfulGround]
        return self.page(
            request, status=status, form=form, client=client, hints=hints, minutes=emergency.MINUTES
        )


class EmergencyEndView(OrganisationView):
    """End one's own emergency access now."""

    act = "break_glass.open"
    by = "N"
    area = "emergency"
    title = "Emergency access"

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Ended; what was done with it is asked for next."""
        user: Any = request.user
        emergency.end_access(pk=pk, acting_user=user)
        messages.success(request, "Emergency access has ended. Write what you did with it.")
        return HttpResponseRedirect(reverse("caseload:emergency-account", args=[organisation, pk]))


class EmergencyAccountView(OrganisationView):
    """What one did with it, by the end of the next working day."""

    act = "break_glass.open"
    by = "N"
    area = "emergency"
    title = "What you did with it"
    template_name = "caseload/emergency_account.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The form, or what was written."""
        user: Any = request.user
        row = emergency.own_access(pk, user)
        return self.page(request, form=AccountForm(), row=shown(row, clock.now()))

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Written once."""
        user: Any = request.user
        row = emergency.own_access(pk, user)
        form = AccountForm(request.POST)
        if row.accounted_at is None and not form.is_valid():
            return self.page(request, status=422, form=form, row=shown(row, clock.now()))
        if row.accounted_at is None:
            emergency.account_for(pk=pk, account=form.cleaned_data["account"], acting_user=user)
            messages.success(
                request, "Thank you. The governance officers of both organisations can read it now."
            )
        return HttpResponseRedirect(reverse("caseload:emergency", args=[organisation]))


class EmergencyReviewListView(OrganisationView):
    """Every emergency access by people of the organisation and to its records, for the governance officer."""

    act = "trail.search"
    area = "emergency"
    title = "Emergency access to review"
    template_name = "caseload/emergency_reviews.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The latest 200, those to review first."""
        now = clock.now()
        rows = [shown(row, now) for row in emergency.list_for_review()]
        return self.page(
            request,
            ours=[row for row in rows if row["ours"]],
            theirs=[row for row in rows if not row["ours"]],
        )


class EmergencyReviewView(OrganisationView):
    """Review one that a person of the organisation opened; read one that was opened to its records."""

    act = "trail.search"
    area = "emergency"
    title = "Review of emergency access"
    template_name = "caseload/emergency_review.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """What happened, and the form."""
        return self._show(request, ReviewForm(), emergency.to_review(pk))

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Reviewed once."""
        row = emergency.to_review(pk)
        form = ReviewForm(request.POST)
        if not form.is_valid():
            return self._show(request, form, row, status=422)
        user: Any = request.user
        try:
            emergency.review(
                pk=pk,
                justified=form.cleaned_data["justified"] == "yes",
                words=form.cleaned_data["review"],
                acting_user=user,
            )
        except ValueError as refused:
            form.add_error(None, f"{refused}".capitalize())
            return self._show(request, form, row, status=422)
        messages.success(request, "The review is recorded.")
        return HttpResponseRedirect(reverse("caseload:emergency-reviews", args=[organisation]))

    def _show(
        self, request: HttpRequest, form: ReviewForm, row: EmergencyAccess, *, status: int = 200
    ) -> HttpResponse:
        # Its number says which record it was to who holds it; the other side has its own reason to know.
        own = Client.objects.filter(pk=row.opened_client_id).only("pk", "record_number").first()
        return self.page(request, status=status, form=form, row=shown(row, clock.now()), record=own)
