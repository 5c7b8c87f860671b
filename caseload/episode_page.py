"""What the page of an episode shows: what NDTMS would refuse now, what is due next, every section and list in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import NoReverseMatch, reverse

from caseload import entry_groups, speaking
from caseload.address import OUTCOMES
from caseload.attention import EpisodeFacts, top_due
from caseload.dataset.explain import Explanation
from caseload.dataset.reader import Item, load_dictionary
from caseload.dataset.rules import RULES, Context
from caseload.forms.items import label_of
from caseload.links import link_to_item
from caseload.models import Episode
from caseload.present import code_words
from caseload.record import LISTS, TREATMENT, recorded_items
from caseload.sections import LIST_KEYS, TRIAGE, items_of, list_items, sections_for
from caseload.services import entries, episode_acts, episodes
from caseload.services.items import values_of
from edatrs.core import access
from edatrs.core.templatetags.page import short_date

NOT_RECORDED = "Not recorded"


def route(name: str, *args: Any) -> str:
    """An address; '' where no app has such a page."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def words_of(item: Item, value: Any, letter: str) -> str:
    """A value in words; the code itself where the list has no label for it."""
    if value in (None, ""):
        return NOT_RECORDED
    if isinstance(value, dt.date):
        return short_date(value)
    if item.code_list:
        return str(load_dictionary().codes(item.code_list, letter).get(value, value))
    return str(value)


def page_of(slug: str, episode: Episode, today: dt.date) -> dict[str, Any]:
    """Everything beside the frame. A fixed number of queries, however long the lists are."""
    letter = episodes.letter_of(episode)
    dataset = episode.service.dataset
    context = Context(dataset, letter, today)
    rows = {name: entries.entries_of(episode, name) for name in LISTS if list_items(name, dataset, letter)}
    record = speaking.record_of(episode)
    for name, some in rows.items():
        items = [i for i in recorded_items() if i.entity == LISTS[name].entity]
        record[name] = [values_of(row, items) for row in some]
    confidentiality = episode_acts.confidentiality_of(episode)
    failures = speaking.failures(record, context)
    return {
        "letter": letter,
        "dataset": episode.service.get_dataset_display(),
        "day_number": (today - episode.referred_on).days + 1
        if episode.referred_on and episode.discharged_on is None and episode.referred_on <= today
        else None,
        "to_put_right": [_failure(slug, episode, e, record, rows, context) for e in failures],
        "stops": sum(e.stops for e in failures),
        "dues": dues(episode, rows, confidentiality, letter, today),
        "has_triage": has_triage(episode, letter),
        "sections": [
            {
                "key": s.key,
                "title": s.title,
                "rows": [
                    {"label": label_of(i), "words": words_of(i, record.get(i.name), letter)}
                    for i in items_of(s.key, dataset, letter)
                    if record.get(i.name) not in (None, "")
                ],
                "missing": [
                    label_of(i) for i in items_of(s.key, dataset, letter) if record.get(i.name) in (None, "")
                ],
                "url": reverse("caseload:episode-section", args=[slug, episode.client_id, episode.pk, s.key])
                if access.may("client.edit", s.category)
                else "",
                "history": reverse(
                    "caseload:section-history", args=[slug, episode.client_id, episode.pk, s.key]
                ),
            }
            for s in sections_for(dataset, letter)
            if access.may("client.view", s.category)
        ],
        "lists": [_list(slug, episode, name, some, letter) for name, some in rows.items()],
        "confidentiality": confidentiality,
        "closings": episode_acts.closings_of(episode),
        "may_edit": access.may("client.edit", TREATMENT),
        "may_void": access.may("client.void"),
    }


def has_triage(episode: Episode, letter: str) -> bool:
    """Whether the data set knows a triage date."""
    return any(i.name == "TRIAGED" for i in items_of(TRIAGE, episode.service.dataset, letter))


def dues(
    episode: Episode, rows: Mapping[str, list[Any]], confidentiality: Any, letter: str, today: dt.date
) -> list[dict[str, Any]]:
    """What is to be done next, and by when: badge, words, and which page it is done on."""
    found: list[dict[str, Any]] = []
    if episode.discharged_on is not None:
        return found
    if not episode.consent:
        found.append({"badge": "late", "words": "Consent not asked", "do": "consent"})
    if confidentiality is None or confidentiality.explained_on is None:
        done = episode.triaged_on is not None
        found.append(
            {
                "badge": "late" if done else "soon",
                "words": "Confidentiality not explained",
                "do": "confidentiality",
            }
        )
    if episode.triaged_on is None and has_triage(episode, letter):
        found.append({"badge": "soon", "words": "Triage not done", "do": "triage"})
    started = min((r.started_on for r in rows.get("interventions", []) if r.started_on), default=None)
    tops = rows.get(OUTCOMES, [])
    facts = EpisodeFacts(
        id=episode.pk,
        open=True,
        has_tops=OUTCOMES in rows,
        first_started=started,
        has_start_top=any(t.stage == "S" for t in tops),
        last_top=max((t.completed_on for t in tops if t.completed_on), default=None),
    )
    due = top_due(facts)
    if due is not None:
        found.append(_due(f"TOP {due[0]}", due[1], today, "top"))
    if "reviews" in rows and started is not None:
        last = max((r.reviewed_on for r in rows["reviews"] if r.reviewed_on), default=started)
        days = load_dictionary().setting_number("sir_review_days")
        found.append(_due("Sub-intervention review", last + dt.timedelta(days=days), today, "reviews"))
    return found


def _due(what: str, on: dt.date, today: dt.date, do: str) -> dict[str, Any]:
    late = (today - on).days
    if late > 0:
        words = f"{what} {late:,} {'day' if late == 1 else 'days'} overdue"
        return {"badge": "late", "words": words, "do": do}
    return {"badge": "soon" if late >= -28 else "none", "words": f"{what} due {short_date(on)}", "do": do}


def _failure(
    slug: str,
    episode: Episode,
    said: Explanation,
    record: Mapping[str, Any],
    rows: Mapping[str, list[Any]],
    context: Context,
) -> dict[str, Any]:
    links: list[dict[str, str]] = []
    for item in said.items:
        found = _link(slug, episode, said.rule_id, item.name, record, rows, context)
        if found and found not in [link["url"] for link in links]:
            links.append({"url": found, "label": item.label})
    return {
        "rule_id": said.rule_id,
        "stops": said.stops,
        "effect": said.effect,
        "words": said.words,
        "remedy": said.remedy,
        "links": links,
    }


def _link(
    slug: str,
    episode: Episode,
    rule_id: str,
    name: str,
    record: Mapping[str, Any],
    rows: Mapping[str, list[Any]],
    context: Context,
) -> str:
    """To the very box; of an item of a list to the entry that is at fault, or to the list where no single one is."""
    entity = load_dictionary().item(name).entity
    listed = next((n for n, place in LISTS.items() if place.entity == entity), "")
    if not listed:
        return link_to_item(slug, episode, name)
    if not access.may("client.edit", TREATMENT):
        return ""
    key, entry = (
        LIST_KEYS[listed],
        _at_fault(rule_id, listed, record, rows.get(listed, []), context),
    )
    if entry is None:
        return f"#{key}"
    page = (
        route("caseload:top", slug, episode.client_id, episode.pk, entry.pk)
        if listed == OUTCOMES
        else route("caseload:entry", slug, episode.client_id, episode.pk, key, entry.pk)
    )
    return f"{page}#id_{name}" if page else f"#{key}"


def _at_fault(
    rule_id: str, listed: str, record: Mapping[str, Any], rows: Iterable[Any], context: Context
) -> Any:
    """The first entry with which alone the rule fails, while it holds without any."""
    rule = RULES[rule_id]
    if rule.to_python({**record, listed: []}, context):
        return None
    return next(
        (
            row
            for row, values in zip(rows, record[listed], strict=True)
            if rule.to_python({**record, listed: [values]}, context)
        ),
        None,
    )


def _list(slug: str, episode: Episode, name: str, rows: list[Any], letter: str) -> dict[str, Any]:
    key, client = LIST_KEYS[name], episode.client_id
    may = access.may("client.edit", TREATMENT)
    if name == OUTCOMES:
        add = route("caseload:top-new", slug, client, episode.pk)
    else:
        add = route("caseload:entry-new", slug, client, episode.pk, key)
    made = []
    for row in rows:
        if name == OUTCOMES:
            url = route("caseload:top", slug, client, episode.pk, row.pk)
        else:
            url = route("caseload:entry", slug, client, episode.pk, key, row.pk)
        made.append(
            {
                "pk": row.pk,
                "summary": entry_groups.summary(name, row),
                "cells": [words for _, words in _cells(name, row, letter)],
                "named": _cells(name, row, letter),
                "url": url,
            }
        )
    return {
        "key": key,
        "title": entry_groups.PLURALS[name],
        "one": entry_groups.TITLES[name],
        "heads": [head for head, _ in _cells(name, None, letter)],
        "rows": made,
        "add": add if may else "",
        "may": may,
    }


def _cells(name: str, row: Any, letter: str) -> list[tuple[str, str]]:
    """The columns of a list: heading and words; of no row: the headings alone."""

    def day(field: str, absent: str = NOT_RECORDED) -> str:
        value = getattr(row, field, None)
        return short_date(value) if value else absent

    def code(list_name: str, value: str, absent: str = NOT_RECORDED) -> str:
        return code_words(list_name, value) or absent

    items = (row.items or {}) if row is not None else {}
    if name == "interventions":
        ended = day("ended_on", "Open")
        status = code("exit_status", getattr(row, "exit_status", ""), "")
        return [
            ("Intervention", code("intervention_type", getattr(row, "modality", ""), "Type not recorded")),
            ("Setting", code("intervention_setting", items.get("MODSET", ""))),
            ("Referred", day("referred_on")),
            ("First appointment", day("first_appointment_on")),
            ("Started", day("started_on", "Not started")),
            ("Ended", f"{ended}, {status}" if status else ended),
        ]
    if name == "reviews":
        labels = [i.label for i in recorded_items() if items.get(i.name) == "Y"]
        asked = bool(items)
        return [
            ("Reviewed", day("reviewed_on")),
            ("Received", "; ".join(labels) or ("Nothing" if asked else NOT_RECORDED)),
        ]
    if name == "time_in_treatment":
        return [
            ("Assessed", day("assessed_on")),
            ("Intensity", code("time_in_treatment", getattr(row, "intensity", ""))),
        ]
    if name == OUTCOMES:
        return [("Completed", day("completed_on")), ("Stage", code("top_stage", getattr(row, "stage", "")))]
    return [("Reviewed", day("reviewed_on"))]
