"""Link a record with a partner's: what waits and what is linked, asking, answering, unlinking, and taking that back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload import linked, present, shared
from caseload.choices import LinkState
from caseload.forms.linking import LinkReasonForm, OptionalReasonForm, RecordNumberForm
from caseload.linked import LinkProblem
from caseload.models import Client, ClientContact, ClientIdentity, LinkSide
from caseload.services import linked_records, linking, openings
from caseload.views.record_form import same_client
from edatrs.core import access, clock, trail
from edatrs.core.access import Denied
from edatrs.core.templatetags.page import short_date
from edatrs.core.views import OrganisationView
from edatrs.organisations.protocol import partners_in_force


def panel(client: Client, slug: str) -> dict[str, Any]:
    """The line "Also at" on the overview of a client, only where a link that both agreed to is in force."""
    return {"template": "caseload/_also_at.html", "rows": linked_records.also_at(client.pk)}


def of_details(client: Client) -> dict[str, Any]:
    """The panel on the details of a client: where else, and for who may link what waits and the way to more."""
    may = access.may(linking.ACT)
    return {
        "also_at": linked_records.also_at(client.pk),
        "may": may,
        "sides": _all_shown(linking.of_client(client)) if may else [],
    }


def _all_shown(sides: list[LinkSide]) -> list[dict[str, Any]]:
    partners = partners_in_force() if sides else frozenset()
    return [shown(side, partners) for side in sides]


def shown(side: LinkSide, partners: frozenset[UUID]) -> dict[str, Any]:
    """A side on a page: records by their numbers. `partners`: with whom a protocol is in force today."""
    return {
        "pk": side.pk,
        "client": side.client_id,
        "record": str(side.client),
        "partner": side.other_organisation.name,
        "theirs": f"R{side.other_record}" if side.other_record else "",
        "state": side.state,
        "words": LinkState(side.state).label,
        "asks": side.asks,
        "asked_by": side.asked_by_label,
        "asked_from": side.asked_by_organisation.name,
        "asked_at": side.asked_at,
        "reason": side.reason,
        "answer": side.answer,
        "answered_at": side.answered_at,
        "linked_at": side.linked_at,
        "in_force": side.other_organisation_id in partners,
        "ended_at": side.ended_at,
        "ended_by": side.ended_by_label,
        "ended_from": side.ended_by_organisation.name if side.ended_by_organisation else "",
        "end_reason": side.end_reason or "",
        "may_undo": linked.may_undo(side.state, side.left, side.ended_at, clock.now()),
    }


class LinksView(OrganisationView):
    """What partners ask, what was asked of them, what is linked, and what ended lately; for managers and governance officers."""

    act = linking.ACT
    area = "links"
    title = "Links with partners"
    template_name = "caseload/links.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """The lists, by record number."""
        return self._show(request, RecordNumberForm())

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """To the record of one's own whose number was typed."""
        form = RecordNumberForm(request.POST)
        if form.is_valid():
            found = linking.own_by_number(form.cleaned_data["number"])
            if found is not None:
                return HttpResponseRedirect(reverse("caseload:link-new", args=[organisation, found.pk]))
            form.add_error("number", "No record here has this number. Enter it like R1204")
        return self._show(request, form, status=422)

    def _show(self, request: HttpRequest, form: RecordNumberForm, *, status: int = 200) -> HttpResponse:
        lists = {name: _all_shown(rows) for name, rows in linking.listed().items()}
        return self.page(request, status=status, form=form, **lists)


class LinkNewView(OrganisationView):
    """Which partner's record is the same person, a look at both, and the question to the partner."""

    act = linking.ACT
    area = "links"
    title = "Link with a partner's record"
    template_name = "caseload/link_new.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Those that may be the same person."""
        client = linking.own_client(pk)
        _note_seen(client)
        return self._choose(request, client, RecordNumberForm())

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Find one by its number, look at both, or ask."""
        client = linking.own_client(pk)
        same_client(request, client, self.act)
        if "other" not in request.POST:
            return self._find(request, client)
        try:
            other = linking.get_offered(UUID(request.POST["other"]))
        except ValueError:
            raise Denied(self.act, "not found") from None
        if request.POST.get("do") != "ask":
            return self._look(request, client, other, LinkReasonForm())
        form = LinkReasonForm(request.POST)
        if not form.is_valid():
            return self._look(request, client, other, form, status=422)
        user: Any = request.user
        try:
            side = linking.propose(
                client=client,
                other=other,
                reason=form.cleaned_data["reason"],
                form_id=_form_id(request),
                acting_user=user,
                organisation_name=request.organisation.name,  # type: ignore[attr-defined]  # put there by the middleware
            )
        except LinkProblem as problem:
            form.add_error(None, str(problem))
            return self._look(request, client, other, form, status=422)
        messages.success(request, f"{other.organisation.name} is asked. Nothing is linked until it agrees.")
        return HttpResponseRedirect(reverse("caseload:link", args=[organisation, side.pk]))

    def _find(self, request: HttpRequest, client: Client) -> HttpResponseBase:
        form = RecordNumberForm(request.POST)
        if form.is_valid():
            found = linking.offered(typed=form.cleaned_data["number"])
            if found:
                return self._look(request, client, found[0], LinkReasonForm())
            form.add_error(
                "number", "No record that a partner shares with us with its identity has this number"
            )
        return self._choose(request, client, form, status=422)

    def _choose(
        self, request: HttpRequest, client: Client, form: RecordNumberForm, *, status: int = 200
    ) -> HttpResponse:
        own = _identity_of(client)
        likely = linking.likely(own) if own is not None and _sees_theirs() else []
        if likely:
            trail.record("caseload.shared.searched", details={"hits": len(likely)})
        today = clock.today()
        return self.page(
            request,
            status=status,
            client=client,
            own=_named(own),
            form=form,
            sees=own is not None,
            rows=[
                {
                    "pk": row.client_id,
                    "record": str(row.client),
                    "name": present.list_name(row.forename, row.surname),
                    "born": row.date_of_birth,
                    "age": present.age_on(row.date_of_birth, today),
                    "partner": row.client.organisation.name,
                    "same": _same(own, row),
                }
                for row in likely
            ],
        )

    def _look(
        self, request: HttpRequest, client: Client, other: Client, form: LinkReasonForm, *, status: int = 200
    ) -> HttpResponse:
        own, theirs = _identity_of(client), _identity_of_partner(other.pk)
        return self.page(
            request,
            status=status,
            client=client,
            own=_named(own),
            other=other,
            partner=other.organisation.name,
            form=form,
            form_id=request.POST.get("form_id") or str(uuid4()),
            compared=_compared(own, theirs, None),
            also_at=linked_records.also_at(client.pk),
        )


class LinkView(OrganisationView):
    """One side: what was asked, how the records compare, the answer; a link that stands, and its end; taking that back."""

    act = linking.ACT
    area = "links"
    title = "Link with a partner's record"
    template_name = "caseload/link.html"

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The page."""
        side = linking.get_side(pk)
        _note_seen(side.client)
        return self._show(request, side)

    def post(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """Agree, refuse, take back, unlink or take the unlinking back, as the button says."""
        side = linking.get_side(pk)
        same_client(request, side.client, self.act)
        form = OptionalReasonForm(request.POST)
        if not form.is_valid():
            return self._show(request, side, form, status=422)
        try:
            words = self._do(request, side, form.cleaned_data["reason"])
        except LinkProblem as problem:
            form.add_error("reason" if problem.code == "reason" else None, str(problem))
            return self._show(request, linking.get_side(pk), form, status=422)
        messages.success(request, words)
        return HttpResponseRedirect(reverse("caseload:link", args=[organisation, pk]))

    def _do(self, request: HttpRequest, side: LinkSide, reason: str) -> str:
        user: Any = request.user
        by: dict[str, Any] = {
            "acting_user": user,
            "organisation_name": request.organisation.name,  # type: ignore[attr-defined]  # put there by the middleware
        }
        asked = request.POST.get("do", "")
        if asked in {"agree", "refuse"}:
            said = linking.answer(pk=side.pk, agreed=asked == "agree", reason=reason, **by)
            return _ANSWERED.get(
                said.state, "Your answer is recorded. Another organisation has to answer too."
            )
        if asked == "take_back":
            linking.take_back(pk=side.pk, **by)
            return "The question is taken back. The partner is told."
        if asked == "unlink":
            linking.unlink(client=side.client, reason=reason, **by)
            return "Unlinked. Each organisation keeps what it holds now."
        if asked == "undo":
            linking.undo(client=side.client, **by)
            return "Linked as before."
        raise LinkProblem("choice", "Choose what to do")

    def _show(
        self,
        request: HttpRequest,
        side: LinkSide,
        form: OptionalReasonForm | None = None,
        *,
        status: int = 200,
    ) -> HttpResponse:
        own = _identity_of(side.client)
        waits = side.state == LinkState.OPEN
        theirs = _identity_of_partner(side.other_client) if waits else None
        return self.page(
            request,
            status=status,
            client=side.client,
            own=_named(own),
            row=shown(side, partners_in_force()),
            form=form or OptionalReasonForm(),
            to_answer=waits and not side.asks and not side.answer,
            compared=_compared(own, theirs, linking.compared(side)) if waits else [],
            others=[
                one["name"]
                for one in linked_records.also_at(side.client_id)
                if one["name"] != side.other_organisation.name
            ],
        )


_ANSWERED = {
    LinkState.LINKED.value: "The records are linked. What is known by name, contact and equality is kept the same from now on.",
    LinkState.REFUSED.value: "Refused. The partner is told, with your words.",
}


def _form_id(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST.get("form_id", ""))
    except ValueError:
        raise Denied(linking.ACT, "the form carries no id of its own") from None


def _sees_theirs() -> bool:
    return access.may("client.view", "identity", by="S")


def _identity_of(client: Client) -> ClientIdentity | None:
    """One's own, for who may see it: the governance officer does not."""
    if not access.may("client.view", "identity", by="O"):
        return None
    return ClientIdentity.objects.filter(client_id=client.pk).first()


def _identity_of_partner(client_id: UUID) -> ClientIdentity | None:
    """The partner's, where it is shared with us and the role may see what is shared."""
    found = shared.identities_of([client_id]).get(client_id) if _sees_theirs() else None
    if found is not None:
        trail.record(
            "caseload.shared.viewed",
            subject=str(client_id),
            details={"categories": ["identity"], "ground": "grant"},
            also=[found.organisation_id],
        )
    return found


def _note_seen(client: Client) -> None:
    """Opened: the identity for who may see it, the number alone for the governance officer."""
    seen = ["identity"] if access.may("client.view", "identity", by="O") else []
    openings.note_opened(client=client, panel="links", categories=seen)


def _named(own: ClientIdentity | None) -> str:
    return present.list_name(own.forename, own.surname) if own is not None else ""


def _words(field: str, who: ClientIdentity) -> str:
    value = getattr(who, field)
    if field == "date_of_birth":
        return short_date(value) if value else "Not recorded"
    if field == "sex":
        return present.code_words("sex", value) or "Not recorded"
    return (present.nhs_number(value) if field == "nhs_number" else value) or "Not recorded"


def _postcode(own: ClientIdentity | None) -> str:
    """One's own, for who may see it."""
    if own is None or not access.may("client.view", "contact", by="O"):
        return ""
    held = ClientContact.objects.filter(client_id=own.client_id).values_list("postcode", flat=True)
    return held.first() or "Not recorded"


def _compared(
    own: ClientIdentity | None, theirs: ClientIdentity | None, answers: Mapping[str, str] | None
) -> list[dict[str, Any]]:
    """Field by field: one's own words, the partner's where they are shared, and whether they agree."""
    rows = []
    postcode = _postcode(own) if answers else ""
    for field, label in linked.COMPARED.items():
        said = (answers or {}).get(field, "")
        if not said and own is not None and theirs is not None and hasattr(own, field):
            said = linked.agrees(getattr(own, field), getattr(theirs, field))
        if not said:
            continue
        rows.append(
            {
                "label": label,
                "own": _words(field, own) if own is not None and hasattr(own, field) else postcode,
                "theirs": _words(field, theirs) if theirs is not None and hasattr(theirs, field) else "",
                "answer": linked.ANSWERS[said],
                # Where both are shown, an empty one says so itself.
                "told": said != linked.MISSING,
                "badge": {"same": "ok", "different": "late"}.get(said, "none"),
            }
        )
    return rows


def _same(own: ClientIdentity | None, theirs: ClientIdentity) -> list[str]:
    """The fields that agree, in words."""
    return [
        label
        for field, label in linked.COMPARED.items()
        if own is not None
        and hasattr(own, field)
        and linked.agrees(getattr(own, field), getattr(theirs, field)) == linked.SAME
    ]
