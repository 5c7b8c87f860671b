"""My caseload, and giving clients to people."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload import present, selectors, selectors_work
from caseload.attention import GROUP_WORDS
from caseload.forms.work import AllocationForm
from caseload.selectors_work import STATES, SUBSTANCES, Filters
from caseload.services import allocation
from edatrs.core import clock, registry
from edatrs.core.views import OrganisationView


def filters_of(data: Any, *, name: str = "") -> Filters:
    """What an address or a form narrows to; what is unknown is left out."""
    kinds = registry.attention.keys()
    return Filters(
        kind=data.get("kind", "") if data.get("kind", "") in kinds else "",
        substances=tuple(s for s in data.getlist("substance") if s in SUBSTANCES),
        states=tuple(s for s in data.getlist("state") if s in STATES),
        cover=data.get("cover", "") == "1",
        client_id=data.get("client_id", "").strip()[:100],
        name=name.strip()[:100],
    )


def _query(filters: Filters, **but: Any) -> str:
    """The address of a filter; never with a name in it."""
    kept = {**filters.kept(), **but}
    pairs = {
        "kind": kept["kind"],
        "substance": kept["substance"],
        "state": kept["state"],
        "cover": "1" if kept["cover"] else "",
        "client_id": but.get("client_id", filters.client_id),
        "after": but.get("after", ""),
    }
    return "?" + urlencode({key: value for key, value in pairs.items() if value}, doseq=True)


class MyCaseloadView(OrganisationView):
    """The clients of the person acting, what needs attention first. A name to look for is posted, so that it is in no address."""

    act = "client.find"
    area = "my-caseload"
    title = "My caseload"
    template_name = "caseload/my_caseload.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The list; ?kind= &substance= &state= &cover= &client_id= narrow it, &after= is the next page."""
        return self._show(request, filters_of(request.GET), after=request.GET.get("after", ""))

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The same narrowed by a name, all on one page."""
        filters = filters_of(request.POST, name=request.POST.get("name", ""))
        return self._show(
            request, filters, limit=selectors.MOST_FOUND if filters.name else selectors_work.PAGE
        )

    def _show(
        self,
        request: HttpRequest,
        filters: Filters,
        *,
        after: str = "",
        limit: int = selectors_work.PAGE,
        status: int = 200,
    ) -> HttpResponse:
        page = selectors_work.my_caseload(filters, after=after, limit=limit)
        bands: list[dict[str, Any]] = []
        for row in page.rows:
            if not bands or bands[-1]["group"] != row.needs.group:
                words = f"{GROUP_WORDS[row.needs.group]} ({page.groups[row.needs.group]:,})"
                bands.append({"group": row.needs.group, "words": words, "rows": []})
            bands[-1]["rows"].append(row)
        counts = [
            {"words": "All", "count": page.total, "url": _query(Filters()), "current": not filters.kind}
        ]
        counts += [
            {
                "words": kind.words,
                "count": page.kinds[key],
                "url": _query(filters, kind=key),
                "current": filters.kind == key,
            }
            for key, kind in registry.attention
            if page.kinds[key] or filters.kind == key
        ]
        return self.page(
            request,
            status=status,
            today=clock.today(),
            result=page,
            bands=bands,
            counts=counts,
            filters=filters,
            filtered=filters != Filters(),
            substances=SUBSTANCES.items(),
            states=STATES.items(),
            views=[{"view": v, "url": _kept(v.filters)} for v in selectors_work.saved_views()],
            recent=recently_opened(),
            next=_query(filters, after=page.more) if page.more and not filters.name else "",
            has_more=bool(page.more),
        )


def _kept(filters: dict[str, Any]) -> str:
    """The address of a view that was kept."""
    pairs = {**filters, "cover": "1" if filters.get("cover") else ""}
    return "?" + urlencode({key: value for key, value in pairs.items() if value}, doseq=True)


def recently_opened() -> list[dict[str, Any]]:
    """What the person acting opened last, for a list at the side."""
    found = []
    for opening in selectors.recently_opened():
        who = getattr(opening.client, "clientidentity", None)
        name = present.list_name(who.forename, who.surname) if who else "Name not recorded"
        found.append({"pk": opening.client_id, "name": name, "at": opening.at})
    return found


class SaveViewView(OrganisationView):
    """Keep the filters of My caseload under a name."""

    act = "client.find"

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """Keep them and go back there."""
        filters = filters_of(request.POST)
        try:
            view = allocation.keep_view(name=request.POST.get("view_name", ""), filters=filters)
        except allocation.Refused as refused:
            messages.error(request, f"{refused}.")
        else:
            messages.success(request, f"The view “{view.name}” is kept.")
        back = reverse("caseload:my-caseload", args=[organisation])
        return HttpResponseRedirect(back + _query(filters, client_id=""))


class RemoveViewView(OrganisationView):
    """Take a kept view away."""

    act = "client.find"

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Take it away and go back."""
        allocation.remove_view(pk=pk)
        messages.success(request, "The view is removed. Nobody's caseload is changed.")
        return HttpResponseRedirect(reverse("caseload:my-caseload", args=[organisation]))


class AllocationView(OrganisationView):
    """Who has whom: clients without a keyworker, waiting referrals, and a person's clients. One or many are given to somebody in three
    steps: chosen, shown, written as shown.
    """

    act = "caseload.allocate"
    area = "allocation"
    title = "Allocation"
    template_name = "caseload/allocation.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The list; ?show=waiting or ?keyworker= choose another than the clients without a keyworker."""
        form = AllocationForm(initial={"valid_from": clock.today()})
        chosen = set(request.GET.getlist("client")[: allocation.MOST_AT_ONCE])
        return self._list(request, form, chosen)

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """Show what would be done, or, with the stamp of what was shown, do it."""
        form = AllocationForm(request.POST)
        texts = request.POST.getlist("client")
        if not form.is_valid():
            return self._list(request, form, set(texts), status=422)
        wish = self._wish(form, texts)
        user: Any = request.user
        try:
            shown = request.POST.get("stamp", "")
            if shown:
                done = allocation.allocate(wish=wish, shown=shown, acting_user=user)
                return self.page(request, done=done, form=AllocationForm())
            return self.page(request, plan=allocation.plan(wish), form=form, wish=wish)
        except allocation.Refused as refused:
            form.add_error(None, str(refused))
            return self._list(request, form, set(texts), status=422)
        except allocation.Changed:
            made = allocation.plan(wish)
            return self.page(request, status=409, plan=made, form=form, wish=wish, changed=True)

    @staticmethod
    def _wish(form: AllocationForm, texts: list[str]) -> allocation.Wish:
        data = form.cleaned_data
        ids = tuple(_uuid(text) for text in texts)
        return allocation.Wish(
            ids, data["kind"], data["keyworker"], data["valid_from"], data["valid_until"], data["reason"]
        )

    def _list(
        self, request: HttpRequest, form: AllocationForm, chosen: set[str], *, status: int = 200
    ) -> HttpResponse:
        people = allocation.people_to_choose()
        show = request.GET.get("show", "")
        keyworker = next((p for p in people if str(p.pk) == request.GET.get("keyworker", "")), None)
        rows, more = selectors_work.to_allocate(
            working=[p.pk for p in people],
            waiting=show == "waiting",
            keyworker=str(keyworker.pk) if keyworker else "",
            after=_after(request.GET.get("after", "")),
        )
        today = clock.today()
        return self.page(
            request,
            status=status,
            form=form,
            people=people,
            show=show,
            keyworker=keyworker,
            rows=[_waiting(row, today, {p.pk for p in people}, chosen) for row in rows],
            counts=selectors_work.counts_to_allocate(working=[p.pk for p in people]),
            next="?"
            + urlencode({"show": show, "keyworker": keyworker.pk if keyworker else "", "after": more})
            if more
            else "",
        )


def _uuid(text: str) -> UUID:
    """The id in a form; what is none is of nobody."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def _after(text: str) -> str:
    """The key of a page, or nothing when it is none."""
    on, tilde, number = text.partition("~")
    try:
        if on:
            dt.date.fromisoformat(on)
    except ValueError:
        return ""
    return text if tilde and number.isdigit() and len(number) < 19 else ""


def _waiting(row: Any, today: Any, working: set[Any], chosen: set[str]) -> dict[str, Any]:
    who = getattr(row, "clientidentity", None)
    return {
        "pk": row.pk,
        "name": present.list_name(who.forename, who.surname) if who else "Name not recorded",
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
