"""The one way in which something recorded about a client is changed in a browser: version, draft, conflict, and what the rules say."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import Resolver404, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme

from caseload import details, row_history
from caseload.models import Client
from caseload.recorded import Recorded, Stale
from caseload.views.base import ClientPage
from edatrs.core.access import Denied
from edatrs.organisations.drafted import DraftedView

LONGEST_ADDRESS = 500


def same_client(request: HttpRequest, client: Client, act: str) -> None:
    """The client in the form must be the one in the address: two tabs must not mix. Raises Denied."""
    if request.POST.get("client") != str(client.pk):
        raise Denied(act, "the form is of another client", subject=str(client.pk))


def came_from(request: HttpRequest, slug: str) -> str:
    """The page of the same organisation that the form was opened from, as its address says (?came_from=); '' where it says none of ours."""
    said = request.POST.get("came_from") or request.GET.get("came_from", "")
    ours = said.startswith(f"/o/{slug}/") and len(said) <= LONGEST_ADDRESS
    if not ours or not url_has_allowed_host_and_scheme(said, allowed_hosts=None):
        return ""
    try:
        resolve(urlsplit(said).path)
    except Resolver404:
        return ""
    return said


def version_in(request: HttpRequest) -> int:
    """The version that the form was opened at; 0 where that is no number."""
    typed = request.POST.get("version", "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0


class RecordFormView(DraftedView, ClientPage, abstract=True):
    """A form about one client. A page says what is recorded (`read`), how its form is made, how it is saved, and where one goes then.

    A save against a newer version shows both texts field by field and loses neither. The form needs `fields`, `values()` and
    `shown(name, value)` as `caseload.forms.clients.DetailsForm` has them.
    """

    template_name = "caseload/record_form.html"
    save_words: ClassVar[str] = "Save"

    # ---- what a page says ------------------------------------------------------------------------------------

    def open(self, request: HttpRequest) -> Client:
        """The client, and whatever else the address names; kept on the view. Raises Denied."""
        return self.client(self.kwargs["pk"])

    def read(self, client: Client) -> Recorded:
        """What is recorded."""
        raise NotImplementedError

    def make_form(
        self, client: Client, recorded: Recorded, data: Any = None, *, unchecked: bool = False
    ) -> Any:
        """The form, filled from what is recorded, or with what was typed."""
        raise NotImplementedError

    def save(
        self, request: HttpRequest, client: Client, form: Any, values: dict[str, Any], version: int
    ) -> Any:
        """Write. What is returned goes to `saved`; nothing, where nothing was different. Raises Stale."""
        raise NotImplementedError

    def refused(self) -> tuple[type[Exception], ...]:
        """What `save` may raise with words for the person who typed: shown at the form, nothing lost."""
        return ()

    def saved(
        self, request: HttpRequest, client: Client, changed: Any, values: dict[str, Any]
    ) -> HttpResponseBase:
        """What is said, and where one goes."""
        messages.success(request, "Saved." if changed else "Nothing was different, so nothing was written.")
        return HttpResponseRedirect(self.leave_to(client))

    def leave_to(self, client: Client) -> str:
        """Where one goes without saving."""
        return reverse("caseload:client-details", args=[self.kwargs["organisation"], client.pk])

    def history_address(self, client: Client) -> str:
        """The page of what was recorded before; '' where nothing is recorded yet."""
        return ""

    def more(self, client: Client, recorded: Recorded, form: Any) -> dict[str, Any]:
        """What the template needs beside the form; each field gets its own history (`past`)."""
        earlier = details.history(client, recorded, form)
        for name, changes in row_history.by_field(earlier).items():
            if name in form.fields:
                form.fields[name].past = changes
        return {"earlier": earlier, "history_url": self.history_address(client) if recorded.row else ""}

    # ---- how it works ----------------------------------------------------------------------------------------

    def draft_client(self) -> UUID | None:
        """The client in the address."""
        return self.kwargs["pk"]

    def check_draft(self, request: HttpRequest) -> None:
        """As before a save. Raises Denied."""
        same_client(request, self.open(request), self.act)

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """The form: the draft of who asks, else what is recorded."""
        client = self.open(request)
        recorded = self.read(client)
        typed = self.typed(request)
        form = self.make_form(client, recorded, typed, unchecked=typed is not None)
        return self._show(request, client, form, recorded, version=self.version_typed(recorded.version))

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Save, or say what is wrong, or show what somebody else saved meanwhile."""
        client = self.open(request)
        same_client(request, client, self.act)
        recorded = self.read(client)
        form = self.make_form(client, recorded, request.POST)
        version = version_in(request)
        if not form.is_valid():
            return self._show(request, client, form, recorded, status=422, version=version)
        mine = form.values()
        if "resolving" in request.POST and version == recorded.version:
            chosen = {name: request.POST.get(f"keep_{name}", "") for name in mine}
            rows = details.conflict(form, mine, recorded.values, chosen=chosen)
            if any(not row["chosen"] for row in rows):
                return self._conflict(request, client, form, recorded, rows, status=422)
            mine |= {row["name"]: recorded.values[row["name"]] for row in rows if row["chosen"] == "theirs"}
        try:
            changed = self.save(request, client, form, mine, version)
        except Stale as stale:
            rows = details.conflict(form, mine, stale.now.values, then=stale.then)
            return self._conflict(request, client, form, stale.now, rows, status=409)
        except self.refused() as refused:
            form.add_error(getattr(refused, "field", None), str(refused))
            return self._show(request, client, form, recorded, status=422, version=version)
        answer = self.saved(request, client, changed, mine)
        back = came_from(request, self.kwargs["organisation"])
        return HttpResponseRedirect(back) if back and answer.status_code == 302 else answer

    def _conflict(
        self,
        request: HttpRequest,
        client: Client,
        form: Any,
        recorded: Recorded,
        rows: list[dict[str, Any]],
        *,
        status: int,
    ) -> HttpResponse:
        saved = details.who_wrote(client, recorded)
        unchosen = "Choose one text for each field, then save."
        said = (
            "Nothing of yours is saved yet, and nothing is lost. Choose for each field. Where you choose yours, the saved text stays in "
            "the history; where you choose the saved text, yours is let go."
        )
        return self._show(
            request,
            client,
            form,
            recorded,
            status=status,
            version=recorded.version,
            conflict=rows,
            saved_by=saved,
            conflict_title=f"{saved.get('who', 'Somebody')} saved this after you opened it",
            conflict_text=unchosen if status == 422 else said,
            has_errors=True,
        )

    def _show(
        self,
        request: HttpRequest,
        client: Client,
        form: Any,
        recorded: Recorded,
        *,
        version: int,
        status: int = 200,
        **context: Any,
    ) -> HttpResponse:
        back = came_from(request, self.kwargs["organisation"])
        return self.client_page(
            request,
            client,
            status=status,
            form=form,
            version=version,
            came_from=back,
            leave_to=back or self.leave_to(client),
            **self.more(client, recorded, form),
            **context,
        )
