"""My caseload, a colleague's for who allocates, and the views that people keep of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.urls import reverse

from caseload import present, selectors, selectors_work
from caseload.attention import GROUP_WORDS
from caseload.selectors_work import CONSENTS, STATES, SUBSTANCES, Filters
from caseload.services import saved_views
from edatrs.core import access, clock, registry
from edatrs.core.views import OrganisationView
from edatrs.organisations.drafted import words_of
from edatrs.organisations.services import drafts

ALLOCATE = "caseload.allocate"
LONGEST = 100


def uuid_or_nobody(text: str) -> UUID:
    """The id in an address or a form; what is none is of nobody."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def filters_of(data: QueryDict, *, name: str = "", services: dict[str, str] | None = None) -> Filters:
    """What an address or a form narrows to; what is unknown is left out."""
    known = services if services is not None else selectors_work.service_choices()
    kind = data.get("kind", "")
    return Filters(
        kind=kind if kind in registry.attention.keys() else "",  # noqa: SIM118  # not a dictionary
        substances=tuple(s for s in SUBSTANCES if s in data.getlist("substance")),
        states=tuple(s for s in STATES if s in data.getlist("state")),
        services=tuple(s for s in known if s in data.getlist("service")),
        consents=tuple(c for c in CONSENTS if c in data.getlist("consent")),
        cover=data.get("cover", "") == "1",
        client_id=data.get("client_id", "").strip()[:LONGEST],
        name=name.strip()[:LONGEST],
    )


def query(filters: Filters, *, person: str = "", after: str = "", **but: Any) -> str:
    """The address of a filter, with some of it replaced; never with a name in it."""
    kept = {**filters.kept(), "client_id": filters.client_id, **but}
    pairs = {**kept, "cover": "1" if kept["cover"] else "", "person": person, "after": after}
    return "?" + urlencode({key: value for key, value in pairs.items() if value}, doseq=True)


class MyCaseloadView(OrganisationView):
    """The clients of the person acting, what needs attention first; who allocates may look at a colleague's.

    A name to look for is posted, so that it is in no address.
    """

    act = "caseload.view"
    area = "my-caseload"
    title = "My caseload"
    template_name = "caseload/my_caseload.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The list; ?kind= &substance= &state= &service= &consent= &cover= &client_id= narrow it, &person= says whose, &after= where."""
        return self._show(request, request.GET, "", after=request.GET.get("after", ""))

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The same narrowed by a name, all on one page; without a name to the address of the filters."""
        name = request.POST.get("name", "").strip()
        if not name:
            filters = filters_of(request.POST)
            return HttpResponseRedirect(
                request.path + query(filters, person=request.POST.get("person", "")[:36])
            )
        return self._show(request, request.POST, name)

    def _show(self, request: HttpRequest, data: QueryDict, name: str, *, after: str = "") -> HttpResponse:
        services = selectors_work.service_choices()
        filters = filters_of(data, name=name, services=services)
        asked = uuid_or_nobody(data.get("person", "")) if data.get("person") else None
        colleague = selectors_work.whose(asked)
        person = str(colleague.pk) if colleague else ""
        limit = selectors.MOST_FOUND if filters.name else selectors_work.PAGE
        page = selectors_work.caseload_page(
            filters, person=colleague.pk if colleague else None, after=after, limit=limit
        )
        today = clock.today()
        return self.page(
            request,
            today=today,
            result=page,
            last=page.first + len(page.rows) - 1,
            bands=_bands(page),
            counts=_counts(page, filters, person),
            filters=filters,
            filtered=filters != Filters(),
            chips=_chips(filters, person, services),
            substances=SUBSTANCES.items(),
            states=STATES.items(),
            consents=CONSENTS.items(),
            services=services.items(),
            colleague=colleague,
            people=selectors_work.people_with_a_caseload(today) if access.may(ALLOCATE) else [],
            views=_views(filters) if colleague is None else [],
            recent=recently_opened(),
            drafts=own_drafts(),
            may_allocate=access.may(ALLOCATE),
            may_register=access.may("client.register"),
            export=_export(filters, colleague.pk if colleague else request.user.pk)
            if access.may("list.export")
            else "",
            clear=query(Filters(), person=person),
            save=query(filters, client_id=""),
            next=query(filters, person=person, after=page.more) if page.more and not filters.name else "",
            back=query(filters, person=person) if page.first > 1 else "",
        )


def _export(filters: Filters, person: Any) -> str:
    """What of a list's filters an export of it begins with: ids and codes. What the list leaves out by itself is left out there too."""
    states = filters.states or tuple(state for state in STATES if state != selectors_work.ENDED)
    kept = filters.kept()
    pairs = {key: kept[key] for key in ("service", "substance", "consent")}
    return "?" + urlencode({**pairs, "state": states, "keyworker": person}, doseq=True)


def _bands(page: selectors_work.Page) -> list[dict[str, Any]]:
    """The rows under the headings of when they are to be done."""
    bands: list[dict[str, Any]] = []
    for row in page.rows:
        if not bands or bands[-1]["group"] != row.needs.group:
            words = f"{GROUP_WORDS[row.needs.group]} ({page.groups[row.needs.group]:,})"
            bands.append({"group": row.needs.group, "words": words, "rows": []})
        bands[-1]["rows"].append(row)
    return bands


def _counts(page: selectors_work.Page, filters: Filters, person: str) -> list[dict[str, Any]]:
    """All, and how many need each kind of attention: a link each."""
    first = {
        "words": "All",
        "count": page.total,
        "url": query(filters, person=person, kind="") if filters.kind else query(filters, person=person),
        "current": not filters.kind,
    }
    return [first] + [
        {
            "words": kind.words,
            "count": page.kinds[key],
            "url": query(filters, person=person, kind=key),
            "current": filters.kind == key,
        }
        for key, kind in registry.attention
        if page.kinds[key] or filters.kind == key
    ]


def _chips(filters: Filters, person: str, services: dict[str, str]) -> list[dict[str, str]]:
    """What is applied, each with the address that leaves it out."""
    found = []
    for field, words, values in (
        ("substance", SUBSTANCES, filters.substances),
        ("state", STATES, filters.states),
        ("service", services, filters.services),
        ("consent", {k: f"Consent: {w.lower()}" for k, w in CONSENTS.items()}, filters.consents),
    ):
        for value in values:
            but: Any = {field: [v for v in values if v != value]}
            found.append({"words": words[value], "url": query(filters, person=person, **but)})
    if filters.cover:
        found.append({"words": "Covered by you", "url": query(filters, person=person, cover=False)})
    if filters.kind:
        words = registry.attention.get(filters.kind).words
        found.append({"words": words, "url": query(filters, person=person, kind="")})
    if filters.client_id:
        found.append(
            {"words": f"Client ID {filters.client_id}", "url": query(filters, person=person, client_id="")}
        )
    if filters.name:
        found.append({"words": f"“{filters.name}”", "url": query(filters, person=person)})
    return found


def _views(filters: Filters) -> list[dict[str, Any]]:
    """The views that are kept, each with its address; the one that is shown is current."""
    found = []
    for view in selectors_work.saved_views():
        kept = view.filters
        pairs = {**kept, "cover": "1" if kept.get("cover") else ""}
        url = "?" + urlencode({key: value for key, value in pairs.items() if value}, doseq=True)
        found.append({"view": view, "url": url, "current": kept == filters.kept() and not filters.client_id})
    return found


def recently_opened() -> list[dict[str, Any]]:
    """What the person acting opened last, for a list at the side."""
    return [
        {"pk": opening.client_id, "name": present.name_of(opening.client), "at": opening.at}
        for opening in selectors.recently_opened()
    ]


def own_drafts() -> list[dict[str, Any]]:
    """What the person acting began and did not save, newest first, with the client where there is one. Two queries."""
    mine = drafts.mine()
    clients = {
        c.pk: c
        for c in selectors.clients_for("client.find").filter(
            pk__in=[d.about_client for d in mine if d.about_client]
        )
    }
    return [
        {
            "words": words_of(draft.form),
            "address": draft.address,
            "name": present.name_of(clients[draft.about_client]) if draft.about_client in clients else "",
            "at": draft.kept_at,
        }
        for draft in mine
        if draft.about_client is None or draft.about_client in clients
    ]


class SaveViewView(OrganisationView):
    """Keep the filters of My caseload under a name."""

    act = "caseload.view"
    area = "my-caseload"
    title = "Save this view"
    template_name = "caseload/saved_view_new.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """Ask for the name."""
        return self._ask(request, filters_of(request.GET))

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """Keep them and go back there."""
        filters = filters_of(request.POST)
        name = request.POST.get("view_name", "")
        try:
            view = saved_views.keep(name=name, filters=filters)
        except saved_views.Refused as refused:
            return self._ask(request, filters, status=422, problem=str(refused), name=name)
        messages.success(request, f"The view “{view.name}” is kept.")
        return HttpResponseRedirect(_list(organisation) + query(filters, client_id=""))

    def _ask(self, request: HttpRequest, filters: Filters, *, status: int = 200, **said: Any) -> HttpResponse:
        kept = filters.kept()
        hidden = [(k, v) for k, vs in kept.items() if isinstance(vs, list) for v in vs]
        hidden += [("kind", kept["kind"])] * bool(kept["kind"]) + [("cover", "1")] * bool(kept["cover"])
        chips = _chips(filters, "", selectors_work.service_choices())
        return self.page(
            request, status=status, hidden=hidden, chips=chips, has_errors="problem" in said, **said
        )


def _list(organisation: str) -> str:
    return reverse("caseload:my-caseload", args=[organisation])


class SavedViewsView(OrganisationView):
    """The views that a person keeps: open, rename, remove."""

    act = "caseload.view"
    area = "my-caseload"
    title = "Saved views"
    template_name = "caseload/saved_views.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The list."""
        return self._show(request)

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """Rename or remove one."""
        pk = uuid_or_nobody(request.POST.get("view", ""))
        if request.POST.get("what") == "remove":
            view = saved_views.remove(pk=pk)
            messages.success(request, f"The view “{view.name}” is removed. Nobody's caseload is changed.")
            return HttpResponseRedirect(request.path)
        typed = request.POST.get("view_name", "")
        try:
            saved_views.rename(pk=pk, name=typed)
        except saved_views.Refused as refused:
            return self._show(
                request, status=422, wrong=pk, typed=typed, problem=str(refused), has_errors=True
            )
        messages.success(request, "The view is renamed.")
        return HttpResponseRedirect(request.path)

    def _show(self, request: HttpRequest, *, status: int = 200, **said: Any) -> HttpResponse:
        return self.page(
            request,
            status=status,
            views=_views(Filters(name="-")),
            list_url=_list(self.kwargs["organisation"]),
            **said,
        )
