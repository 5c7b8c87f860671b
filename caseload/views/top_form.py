"""Fill in an outcome form (TOP), or correct one."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from caseload import outcomes, outcomes_page, selectors, selectors_outcomes
from caseload.dataset.reader import Item
from caseload.forms.top import DATE, STAGE, TopForm
from caseload.models import Client, Episode
from caseload.recorded import Recorded
from caseload.sections import LIST_KEYS
from caseload.services import entries, episodes, tops
from caseload.services.items import Refused
from caseload.views.record_form import RecordFormView
from edatrs.core import clock
from edatrs.core.templatetags.page import short_date


def outcomes_address(slug: str, client: Client, episode: Episode) -> str:
    """The outcomes of an episode."""
    return f"{reverse('caseload:client-outcomes', args=[slug, client.pk])}?episode={episode.pk}"


class TopFormView(RecordFormView, abstract=True):
    """The form of an outcome form. What the client answered before is not shown here: it would lead them."""

    act = "client.edit"
    category = "treatment"
    part = "outcomes"
    shows = ("identity", "treatment")
    title = "Treatment Outcomes Profile"
    template_name = "caseload/top_form.html"
    draft_words = "Outcome form (TOP)"
    episode: Episode
    row: Any = None
    items: tuple[Item, ...] = ()
    letter = ""

    def client(self, pk: UUID) -> Client:
        """The one in the address. Raises Denied."""
        return selectors.get_client(pk, "client.edit")

    def open(self, request: HttpRequest) -> Client:
        """The client, the episode, the items that its data set asks. Raises Denied."""
        client = super().open(request)
        self.episode = episodes.get_episode(client, self.kwargs["episode"])
        self.items = entries.items_for(self.episode, tops.LIST)
        self.letter = episodes.letter_of(self.episode)
        if "entry" in self.kwargs:
            self.row = entries.get_entry(self.episode, tops.LIST, self.kwargs["entry"])
        return client

    def draft_object(self) -> str:
        """The form; of a new one the episode. Either says whose it is."""
        return str(self.kwargs.get("entry") or self.kwargs["episode"])

    def history_address(self, client: Client) -> str:
        """Of the form; a new one has none."""
        if self.row is None:
            return ""
        here = [self.kwargs["organisation"], client.pk, self.episode.pk, LIST_KEYS[tops.LIST], self.row.pk]
        return reverse("caseload:entry-history", args=here)

    def read(self, client: Client) -> Recorded:
        """The form as it is recorded."""
        return entries.read_entry(self.episode, tops.LIST, self.row)

    def make_form(
        self, client: Client, recorded: Recorded, data: Any = None, *, unchecked: bool = False
    ) -> TopForm:
        """The boxes, with the stages' due dates."""
        asked_for = self.request.GET.get("stage", "")
        form = TopForm(
            data,
            items=self.items,
            letter=self.letter,
            recorded=recorded.values,
            weeks=tops.kept_weeks(self.row),
            new=self.row is None,
            stage=asked_for if asked_for in outcomes.STAGES else "",
            unchecked=unchecked,
        )
        return form

    def save(
        self, request: HttpRequest, client: Client, form: TopForm, values: dict[str, Any], version: int
    ) -> list[str]:
        """Write it."""
        user: Any = request.user
        self.row, changed = tops.save_top(
            episode=self.episode,
            row=self.row,
            form_id=_uuid(request.POST.get("form_id", "")),
            values=values,
            weeks=form.typed_weeks(),
            version=version,
            acting_user=user,
        )
        return changed

    def refused(self) -> tuple[type[Exception], ...]:
        """What the service refuses in words."""
        return (Refused,)

    def leave_to(self, client: Client) -> str:
        """The outcomes of this episode."""
        return outcomes_address(self.kwargs["organisation"], client, self.episode)

    def speaks(self, request: HttpRequest) -> dict[str, list[str]]:
        """What the rules say of the answers so far."""
        recorded = entries.read_entry(self.episode, tops.LIST, self.row)
        client = Client(pk=self.kwargs["pk"])
        return tops.spoken(self.episode, self.row, self.make_form(client, recorded, request.POST).typed())

    def more(self, client: Client, recorded: Recorded, form: TopForm) -> dict[str, Any]:
        """The questions, their weeks, when which form is due, and what is still to answer of a draft."""
        others = [
            f for f in selectors_outcomes.forms_of(self.episode) if f.pk != getattr(self.row, "pk", None)
        ]
        today = clock.today()
        due = outcomes.dues(
            others,
            first_started=selectors_outcomes.first_started(self.episode),
            discharged_on=self.episode.discharged_on,
            today=today,
        )
        form.fields[STAGE].choice_hints = {  # type: ignore[attr-defined]  # what the template tag reads
            d.stage: _due_hint(d) for d in due
        }
        day = form.day()
        weeks = outcomes.weeks_before(day)
        return {
            **super().more(client, recorded, form),
            "groups": form.groups(),
            "weeks": weeks,
            "period": (weeks[0].first, weeks[-1].last),
            "unanswered": form.unanswered() if form.unchecked else [],
            "form_id": self.request.POST.get("form_id") or self._draft_form_id() or str(uuid4()),
            "new": self.row is None,
            "episode": self.episode,
            "most_days": outcomes.DAYS_IN_WEEK,
            "date": form[DATE],
            "stage": form[STAGE],
        }

    def _draft_form_id(self) -> str:
        typed = self.typed(self.request) if self.request.method == "GET" else None
        return str(_uuid(typed.get("form_id", "")) or "") if typed is not None else ""


def _due_hint(due: outcomes.Due) -> str:
    words = f"Due {outcomes_page.due_words(due)}"
    if due.done is not None and due.done.on is not None:
        return f"{words}; done {short_date(due.done.on)}"
    return words


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


class TopNewView(TopFormView):
    """A new outcome form."""

    draft = "caseload.top.new"
    save_words = "Complete TOP"

    def save(
        self, request: HttpRequest, client: Client, form: TopForm, values: dict[str, Any], version: int
    ) -> list[str]:
        """Write it; a page without its number is sent once only, so it gets one."""
        if _uuid(request.POST.get("form_id", "")) is None:
            data = request.POST.copy()
            data["form_id"] = str(uuid4())
            request.POST = data  # type: ignore[assignment]  # what the service reads
        return super().save(request, client, form, values, version)

    def saved(
        self, request: HttpRequest, client: Client, changed: Any, values: dict[str, Any]
    ) -> HttpResponseBase:
        """To the outcomes, where the change since the start is shown."""
        stage = outcomes.STAGES.get(values.get(STAGE, ""), "").lower()
        words = f"The {stage + ' ' if stage else ''}TOP of {short_date(values[DATE])} is complete."
        messages.success(request, words if changed else "This TOP was saved already. It is there once.")
        return HttpResponseRedirect(self.leave_to(client))


class TopView(TopFormView):
    """An outcome form that is there."""

    draft = "caseload.top"
    save_words = "Save the changes"
