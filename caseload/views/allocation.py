"""Who has whom: clients without a keyworker, waiting referrals, a colleague's clients; and giving one or many to somebody."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.urls import reverse

from caseload import present, selectors_allocation, selectors_work
from caseload.forms.work import AllocationForm
from caseload.services import allocation
from caseload.views.my_caseload import uuid_or_nobody
from edatrs.core import access, clock
from edatrs.core.views import OrganisationView
from edatrs.organisations.drafted import DraftedView

# What the button of the form asks for.
ALL, NONE, CHANGE = "all", "none", "change"


def key_or_start(text: str, *, ids: bool = False) -> str:
    """The key of a page as an address carries it, or nothing when it is none: a date, and a record number or an id."""
    on, tilde, rest = text.partition("~")
    try:
        if on:
            dt.date.fromisoformat(on)
        if ids:
            UUID(rest)
        elif not (rest.isascii() and rest.isdigit() and len(rest) < 19):
            return ""
    except ValueError:
        return ""
    return text if tilde else ""


class AllocationView(DraftedView):
    """One or many clients are given to somebody in three steps: chosen, shown client by client, written as shown."""

    act = "caseload.allocate"
    area = "my-caseload"
    title = "Allocation"
    draft = "caseload.allocation"
    draft_words = "Allocation of clients"
    template_name = "caseload/allocation.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The list; ?show=waiting or ?of= choose others than the clients without a keyworker, ?client= chooses beforehand."""
        typed = self.typed(request)
        chosen = request.GET.getlist("client") or (typed.getlist("client") if typed else [])
        if typed is not None:
            return self._list(request, AllocationForm(typed, unchecked=True), request.GET, chosen)
        return self._list(request, AllocationForm(initial={"valid_from": clock.today()}), request.GET, chosen)

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """Choose all on the page or none, show what would be done, or, with the stamp of what was shown, do it."""
        texts = list(dict.fromkeys(request.POST.getlist("client")))
        asked = request.POST.get("choose", "")
        if asked in (ALL, NONE, CHANGE):
            form = AllocationForm(request.POST, unchecked=True)
            return self._list(request, form, request.POST, [] if asked == NONE else texts, every=asked == ALL)
        form = AllocationForm(request.POST)
        if not form.is_valid():
            return self._list(request, form, request.POST, texts, status=422)
        wish = _wish(form, texts)
        try:
            return self._go_on(request, wish, form)
        except allocation.Refused as refused:
            form.add_error(None, str(refused))
            return self._list(request, form, request.POST, texts, status=422)

    def _go_on(self, request: HttpRequest, wish: allocation.Wish, form: AllocationForm) -> HttpResponse:
        """Write it, or show what would be written. Raises Refused."""
        user: Any = request.user
        shown = request.POST.get("stamp", "")
        if not shown:
            return self._preview(request, allocation.plan(wish), form)
        run_id = uuid_or_nobody(request.POST.get("run", ""))
        try:
            run = allocation.allocate(wish=wish, shown=shown, run_id=run_id, acting_user=user)
        except allocation.Changed:
            return self._preview(request, allocation.plan(wish), form, status=409, changed=True)
        return HttpResponseRedirect(
            reverse("caseload:allocation-run", args=[self.kwargs["organisation"], run.pk])
        )

    def _preview(
        self,
        request: HttpRequest,
        plan: allocation.Plan,
        form: AllocationForm,
        *,
        status: int = 200,
        **said: Any,
    ) -> HttpResponse:
        return self.page(request, status=status, plan=plan, form=form, run=uuid4(), **said)

    def _list(
        self,
        request: HttpRequest,
        form: AllocationForm,
        data: QueryDict,
        chosen: list[str],
        *,
        status: int = 200,
        every: bool = False,
    ) -> HttpResponse:
        today = clock.today()
        working = {p.pk for p in allocation.people_to_choose()}
        people = selectors_work.people_with_a_caseload(today)
        show = "waiting" if data.get("show") == "waiting" else ""
        keyworker = next((p for p in people if str(p.pk) == data.get("of", "")), None)
        after = key_or_start(data.get("after", ""))
        rows, more = selectors_allocation.to_allocate(
            working=list(working),
            waiting=show == "waiting",
            keyworker=str(keyworker.pk) if keyworker else "",
            after=after,
        )
        ids = {str(row.pk) for row in rows}
        picked = ids | set(chosen) if every else set(chosen)
        where = {"show": show, "of": keyworker.pk if keyworker else ""}
        return self.page(
            request,
            status=status,
            form=form,
            people=people,
            show=show,
            after=after,
            keyworker=keyworker,
            rows=[_row(row, today, working, picked) for row in rows],
            elsewhere=[pk for pk in picked if pk not in ids][: allocation.MOST_AT_ONCE],
            counts=selectors_allocation.counts_to_allocate(working=list(working)),
            runs=selectors_allocation.newest_runs(),
            next="?" + urlencode({k: v for k, v in {**where, "after": more}.items() if v}) if more else "",
        )


def _wish(form: AllocationForm, texts: list[str]) -> allocation.Wish:
    data = form.cleaned_data
    ids = tuple(uuid_or_nobody(text) for text in texts)
    return allocation.Wish(
        ids, data["kind"], data["keyworker"], data["valid_from"], data["valid_until"], data["reason"]
    )


def _row(row: Any, today: dt.date, working: set[Any], chosen: set[str]) -> dict[str, Any]:
    return {
        "pk": row.pk,
        "name": present.name_of(row),
        "client_id": row.client_id_label,
        "agency": row.agency,
        "episode": row.episode_label,
        "referred": row.referred,
        "days": (today - row.referred).days if row.referred else None,
        "triaged": row.triaged,
        "keyworker": row.keyworker_name,
        "left": row.keyworker_id is not None and row.keyworker_id not in working,
        "chosen": str(row.pk) in chosen,
    }


class AllocationRunView(OrganisationView):
    """What an act of allocation did, who was left out and why, and the way to take it back."""

    act = "caseload.allocate"
    area = "my-caseload"
    title = "Allocation done"
    template_name = "caseload/allocation_run.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The result."""
        return self._show(request, pk)

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Undo it."""
        user: Any = request.user
        try:
            allocation.undo(run_id=pk, acting_user=user)
        except allocation.Refused as refused:
            messages.error(request, f"{refused}.")
            return self._show(request, pk, status=409)
        messages.success(request, "Undone. Who had these clients before has them again.")
        return HttpResponseRedirect(request.path)

    def _show(self, request: HttpRequest, pk: UUID, *, status: int = 200) -> HttpResponse:
        run = selectors_allocation.run_of(pk)
        lines = selectors_allocation.run_lines(run)
        return self.page(
            request,
            status=status,
            run=run,
            given=[line for line in lines if not line.problem],
            failed=[line for line in lines if line.problem],
            kept=[line for line in lines if line.undone],
        )


class WaitingReferralsView(OrganisationView):
    """Episodes with a referral and neither triage nor discharge, the longest waiting first."""

    act = "caseload.view"
    area = "my-caseload"
    title = "Waiting referrals"
    template_name = "caseload/waiting.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """A page of them; ?after= is the next."""
        today = clock.today()
        rows, more = selectors_allocation.waiting_referrals(
            after=key_or_start(request.GET.get("after", ""), ids=True)
        )
        return self.page(
            request,
            rows=[
                {
                    "client": e.client_id,
                    "name": present.name_of(e.client),
                    "client_id": e.registration.client_id_text,
                    "episode": e.episode_id,
                    "agency": e.service.agency_code,
                    "referred": e.referred_on,
                    "days": (today - e.referred_on).days if e.referred_on else None,
                    "keyworker": e.keyworker_name,
                }
                for e in rows
            ],
            next="?" + urlencode({"after": more}) if more else "",
            may_allocate=access.may("caseload.allocate"),
        )
