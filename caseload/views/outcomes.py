"""The outcomes part of a record: forms by date, what changed since the start, charts over time; and its panel on the overview."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.urls import NoReverseMatch, reverse

from caseload import client_rows, outcomes, outcomes_page, selectors, selectors_outcomes
from caseload.dataset.reader import Item
from caseload.models import Client, Episode
from caseload.sections import SECTIONS, list_items
from caseload.services import entries, episodes, tops
from caseload.views.base import ClientPage
from edatrs.core import access, clock
from edatrs.core.templatetags.page import short_date
from edatrs.organisations.services import drafts

TOP_DRAFTS = frozenset({"caseload.top.new", "caseload.top"})


class OutcomesView(ClientPage):
    """Outcomes of one episode of a client; answers of two episodes are never compared."""

    category = "treatment"
    title = "Outcomes"
    template_name = "caseload/client_outcomes.html"
    part = "outcomes"
    shows = ("identity", "treatment")

    def get(self, request: HttpRequest, organisation: str, pk: UUID) -> HttpResponseBase:
        """The page of the episode asked for, else of the one that is open, else of the latest."""
        client = self.client(pk)
        found = list(selectors.episodes_of(client))
        episode = _chosen(found, request.GET.get("episode", ""))
        choices = [{"pk": e.pk, "words": _episode_words(e), "chosen": e is episode} for e in found]
        context: dict[str, Any] = {"choices": choices, "episode": episode}
        if episode is not None:
            everything = request.GET.get("show") == "all"
            context |= _of_episode(organisation, client, episode, everything=everything)
        return self.client_page(request, client, **context)


def _chosen(found: Sequence[Episode], asked: str) -> Episode | None:
    """The episode asked for, where it is one of the client's; else the one that is open, else the latest."""
    chosen = next((e for e in found if asked and str(e.pk) == asked), None)
    return chosen or next((e for e in found if e.discharged_on is None), found[0] if found else None)


def _episode_words(episode: Episode) -> str:
    since = short_date(episode.referred_on) if episode.referred_on else "No referral date"
    until = short_date(episode.discharged_on) if episode.discharged_on else "open"
    joined = f"Since {since} (open)" if episode.discharged_on is None else f"{since} to {until}"
    return f"{joined}, {episode.service.agency_code} {episode.episode_id}"


def _of_episode(slug: str, client: Client, episode: Episode, *, everything: bool) -> dict[str, Any]:
    """All that the template shows. Fixed queries, whatever the number of forms."""
    letter = episodes.letter_of(episode)
    items = list_items(tops.LIST, episode.service.dataset, letter)
    may_edit = access.may("client.edit", "treatment")
    forms = selectors_outcomes.forms_of(episode) if items else []
    due = outcomes.dues(
        forms,
        first_started=selectors_outcomes.first_started(episode),
        discharged_on=episode.discharged_on,
        today=clock.today(),
    )
    asked = bool(outcomes_page.asked(items))
    new_address = reverse("caseload:top-new", args=[slug, client.pk, episode.pk])
    drafted = _drafted(client, new_address) if may_edit and items else set()
    return {
        "has_tops": bool(items),
        "asks": asked,
        "everything": everything,
        "rows": [
            row | {"draft": new_address.replace("new/", f"{row['form'].pk}/") in drafted}
            for row in outcomes_page.form_rows(items, forms)
        ],
        "columns": outcomes_page.ordered(forms),
        "start": outcomes.start_of(forms),
        "since": outcomes_page.since_start(items, forms) if asked else None,
        "drawn": outcomes_page.drawn(items, forms, everything=everything),
        "table": outcomes_page.table(items, forms) if forms and asked else [],
        "dues": _dues(due) if items else [],
        "next_stage": _next_stage(due),
        "draft_new": new_address in drafted,
        "new_address": new_address,
        "may_edit": may_edit,
        "may_void": access.may("client.void"),
        "voided": [
            {"form": selectors_outcomes.form_of(row), "at": row.voided_at, "reason": row.voided_reason}
            for row in (entries.voided_entries(episode, tops.LIST) if items else [])
        ],
        "young": _young(slug, client, episode, letter),
    }


def _dues(due: list[outcomes.Due]) -> list[dict[str, Any]]:
    today = clock.today()
    return [
        {
            "stage": outcomes.STAGES[d.stage],
            "words": outcomes_page.due_words(d),
            "badge": d.badge(today)[0],
            "state": d.badge(today)[1],
            "done": d.done.on if d.done else None,
        }
        for d in due
    ]


def _next_stage(due: list[outcomes.Due]) -> str:
    """The stage that is needed next, for the button: what is due, else an exit that was not done."""
    waiting = [d.stage for d in due if d.state in {"late", "soon", "later"}]
    missed = [d.stage for d in due if d.state == "missed" and d.stage == outcomes.EXIT]
    return next(iter([*waiting, *missed]), "")


def _drafted(client: Client, new_address: str) -> set[str]:
    """The addresses of this episode's forms of which the person acting has a draft. One query."""
    about = new_address.removesuffix("new/")
    mine = [d.address for d in drafts.open_on(client.pk) if d.form in TOP_DRAFTS]
    return {address for address in mine if address.startswith(about)}


def _young(slug: str, client: Client, episode: Episode, letter: str) -> list[dict[str, Any]]:
    """The outcome forms of young people: how far each is filled, and the way to it."""
    sections = selectors_outcomes.young_people_sections(episode, letter)
    if not sections or not access.may("client.view", "circumstances"):
        return []
    held = selectors_outcomes.circumstances_of(episode)
    began, ended = selectors_outcomes.first_started(episode), episode.discharged_on
    found = []
    for key, items in sections:
        day = began if key.endswith("start") else ended
        filled = sum(1 for item in items if held.get(item.name))
        found.append(
            {
                "title": SECTIONS[key].title,
                "filled": filled,
                "asked": len(items),
                "first": day - outcomes.window() if day else None,
                "last": day + outcomes.window() if day else None,
                "when": "the start of treatment" if key.endswith("start") else "discharge",
                "url": _section_address(slug, client, episode, key),
            }
        )
    return found


def _section_address(slug: str, client: Client, episode: Episode, key: str) -> str:
    try:
        return reverse("caseload:episode-section", args=[slug, client.pk, episode.pk, key])
    except NoReverseMatch:
        return ""


def outcomes_panel(client: Client, slug: str) -> dict[str, Any]:
    """The panel of the overview: what changed since the start of the episode that is open, with small lines beside the words."""
    panel: dict[str, Any] = {"template": "caseload/_outcomes_panel.html", "shown": False}
    if not access.may("client.view", "treatment"):
        return panel
    episode = _chosen(client_rows.episodes(client.pk), "")
    items: tuple[Item, ...] = ()
    if episode is not None:
        items = list_items(tops.LIST, episode.service.dataset, episodes.letter_of(episode))
    if episode is None or not outcomes_page.asked(items):
        return panel
    forms = selectors_outcomes.forms_of(episode)
    due = outcomes.dues(
        forms,
        first_started=selectors_outcomes.first_started(episode),
        discharged_on=episode.discharged_on,
        today=clock.today(),
    )
    return panel | {
        "shown": True,
        "rows": outcomes_page.briefs(items, forms),
        "pair": outcomes_page.pair(forms),
        "start": outcomes.start_of(forms),
        "forms": len(forms),
        "dues": _dues([d for d in due if d.state in {"late", "soon"}]),
        "url": reverse("caseload:client-outcomes", args=[slug, client.pk]),
    }
