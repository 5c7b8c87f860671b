"""The data-quality desk: what NDTMS would refuse or ask about, by rule, service, keyworker and age, with the way to each box."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.urls import reverse

from caseload import present
from caseload.dataset.explain import EFFECTS as BADGE_WORDS
from caseload.dataset.rules import ERROR, RULES
from caseload.links import category_of_item, link_to_item
from edatrs.core import access, clock
from edatrs.core.scope import current_organisation
from edatrs.core.views import OrganisationView
from edatrs.organisations.selectors import services_of
from ndtms import desk, quality
from ndtms.desk import AGES, CHECK, CONSENT, EFFECTS, NOBODY, STOPS, Asked
from ndtms.services import answers, quality_export

AGE_WORDS = {"7": "Over 7 days", "28": "Over 28 days", "90": "Over 90 days"}
MOST_OWNERS = 3


def answer_address(slug: str, episode_id: UUID, rule: str, back: str) -> str:
    """The page on which one says that a warning of an episode cannot be known."""
    page = reverse("ndtms:quality-answer", args=[slug, episode_id])
    return f"{page}?{urlencode({'rule': rule, 'came_from': back})}"


def asked_of(data: QueryDict) -> Asked:
    """What an address narrows to; what is unknown is left out."""
    keyworker = data.get("keyworker", "")
    try:
        keyworker = keyworker if keyworker in ("", NOBODY) else str(UUID(keyworker))
    except ValueError:
        keyworker = ""
    rule = data.get("rule", "")
    return Asked(
        rule=rule if rule in RULES else "",
        effect=data.get("effect", "") if data.get("effect", "") in EFFECTS else "",
        service=data.get("service", "")[:20],
        keyworker=keyworker if desk.sees_all() else "",
        age=data.get("age", "") if data.get("age", "") in AGES else "",
    )


def query(asked: Asked, **but: Any) -> str:
    """The address of a filter, with some of it replaced."""
    return "?" + urlencode({k: v for k, v in {**vars(asked), **but}.items() if v})


class QualityView(OrganisationView):
    """The desk. A keyworker sees their own caseload."""

    act = "quality.list"
    changing_act = "extract.build"
    area = "data-quality"
    title = "Data quality"
    template_name = "ndtms/quality.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """?rule= &effect= &service= &keyworker= &age= narrow it, &after= is the next page of the work list."""
        asked = asked_of(request.GET)
        totals = desk.totals(asked)
        listed = _listed(asked, totals)
        consent = listed.effect == CONSENT
        after = key_of_page(request.GET.get("after", ""), consent)
        lines, more = (desk.not_asked_list if consent else desk.work_list)(listed, after=after)
        names = desk.names_of(
            {*totals.keyworkers, UUID(asked.keyworker) if len(asked.keyworker) == 36 else None}
        )
        running, done = desk.last_check()
        now = clock.now()
        return self.page(
            request,
            asked=asked,
            consent=consent,
            figures=_figures(totals, asked, now),
            rules=_rules(totals, asked, names, now),
            by_service=_by_service(totals, asked),
            by_keyworker=_by_keyworker(totals, asked, names) if desk.sees_all() else [],
            by_age=[
                {"words": AGE_WORDS[key], "count": totals.ages.get(key, 0), "url": query(asked, age=key)}
                for key in AGES
            ],
            chips=_chips(asked, names),
            lines=_lines(lines, organisation, now, request.get_full_path()),
            heading=_heading(listed),
            tabs=_tabs(asked, listed, totals),
            next=query(listed, after=more) if more else "",
            back=query(listed) if after else "",
            services=[
                (s.agency_code, f"{s.name} ({s.agency_code})") for s in services_of(current_organisation())
            ],
            people=sorted(((str(pk), name) for pk, name in names.items()), key=lambda pair: pair[1]),
            ages=AGE_WORDS.items(),
            effects=EFFECTS.items(),
            own_only=not desk.sees_all(),
            running=running,
            done=done,
            answered=desk.number_answered(),
            export_url=reverse("ndtms:quality-export", args=[organisation]) + query(asked)
            if access.may(quality_export.ACT, by="O")
            else "",
            may_see_trend=access.may("submissions.view"),
            may_check=access.may(self.changing_act),
            may_allocate=access.may("caseload.allocate"),
        )

    def post(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """Ask a worker to check everything again; asked twice, it is done once."""
        quality.check_later(requested_by=request.user.pk)
        messages.success(request, "Every episode is being checked again. You can go on working meanwhile.")
        return HttpResponseRedirect(request.path)


def _listed(asked: Asked, totals: desk.Totals) -> Asked:
    """What the work list shows: what stops rows where nothing else was asked for, since that comes first."""
    if asked.rule or asked.effect:
        return asked
    return replace(asked, effect=STOPS if totals.stops else CHECK)


def _tabs(asked: Asked, listed: Asked, totals: desk.Totals) -> list[dict[str, Any]]:
    """The three lists, apart, where none was asked for."""
    if asked.rule or asked.effect:
        return []
    counts = {STOPS: totals.stops, CHECK: totals.check, CONSENT: totals.not_asked}
    return [
        {
            "words": EFFECTS[key],
            "count": number,
            "url": query(asked, effect=key),
            "current": key == listed.effect,
        }
        for key, number in counts.items()
    ]


def key_of_page(text: str, consent: bool) -> str:
    """The key of a page, or nothing when it is none."""
    at, tilde, pk = text.partition("~")
    try:
        UUID(pk)
        if consent and at:
            dt.date.fromisoformat(at)
        elif not consent and dt.datetime.fromisoformat(at).tzinfo is None:
            return ""
    except ValueError:
        return ""
    return text if tilde else ""


def _days(since: dt.datetime | None, now: dt.datetime) -> int | None:
    return None if since is None else max((now - since).days, 0)


def _figures(totals: desk.Totals, asked: Asked, now: dt.datetime) -> list[dict[str, Any]]:
    oldest = _days(totals.oldest_stop, now)
    return [
        {
            "label": "Stops the row",
            "value": totals.stops,
            "note": f"episodes, {totals.agreed:,} of them with consent",
            "url": query(asked, effect=STOPS),
        },
        {
            "label": "Consent not asked",
            "value": totals.not_asked,
            "note": "episodes, not sent",
            "url": query(asked, effect=CONSENT, rule=""),
        },
        {
            "label": "To check",
            "value": totals.check,
            "note": "sent, but may be wrong",
            "url": query(asked, effect=CHECK),
        },
        {
            "label": "Oldest that stops a row",
            "value": oldest,
            "note": {None: "Nothing stops a row", 0: "days: known since today", 1: "day"}.get(oldest, "days"),
            "url": "",
        },
    ]


def _rules(
    totals: desk.Totals, asked: Asked, names: dict[UUID, str], now: dt.datetime
) -> list[dict[str, Any]]:
    found = []
    for count in totals.rules:
        rule = RULES[count.key]
        owners = sorted(
            count.owners.items(), key=lambda pair: (-pair[1], names.get(pair[0], "") if pair[0] else "")
        )
        words = [
            f"{names.get(pk, 'Somebody') if pk else 'No keyworker'} {n:,}" for pk, n in owners[:MOST_OWNERS]
        ]
        rest = sum(n for _, n in owners[MOST_OWNERS:])
        found.append(
            {
                "id": count.key,
                "words": rule.words,
                "badge": "late" if rule.level == ERROR else "none",
                "effect": BADGE_WORDS[rule.level],
                "count": count.number,
                "owners": ", ".join([*words, *([f"others {rest:,}"] if rest else [])]),
                "days": _days(count.oldest, now),
                "url": query(asked, rule=count.key),
                "current": asked.rule == count.key,
            }
        )
    return found


def _by_service(totals: desk.Totals, asked: Asked) -> list[dict[str, Any]]:
    return [
        {"words": agency, "count": number, "url": query(asked, service=agency)}
        for agency, number in sorted(totals.services.items())
    ]


def _by_keyworker(totals: desk.Totals, asked: Asked, names: dict[UUID, str]) -> list[dict[str, Any]]:
    rows = [
        {
            "words": names.get(pk, "Somebody") if pk else "No keyworker",
            "count": number,
            "url": query(asked, keyworker=str(pk) if pk else NOBODY),
        }
        for pk, number in totals.keyworkers.items()
    ]
    return sorted(rows, key=lambda row: (-int(row["count"]), str(row["words"])))


def _chips(asked: Asked, names: dict[UUID, str]) -> list[dict[str, str]]:
    words = {
        "rule": f"{RULES[asked.rule].words} ({asked.rule})" if asked.rule else "",
        "effect": EFFECTS.get(asked.effect, ""),
        "service": asked.service,
        "keyworker": "No keyworker"
        if asked.keyworker == NOBODY
        else names.get(UUID(asked.keyworker), "Somebody")
        if asked.keyworker
        else "",
        "age": AGE_WORDS.get(asked.age, ""),
    }
    return [{"words": said, "url": query(asked, **{key: ""})} for key, said in words.items() if said]


def _heading(asked: Asked) -> str:
    if asked.rule:
        return f"Work list: {RULES[asked.rule].words.lower()}"
    return f"Work list: {EFFECTS[asked.effect].lower()}" if asked.effect else "Work list"


def _lines(lines: list[desk.Line], slug: str, now: dt.datetime, here: str) -> list[dict[str, Any]]:
    """The episodes of the page. Who puts something right comes back to the line before: it stays, where this one may be gone."""
    found, place = [], "list-h"
    for line in lines:
        found.append(_line(line, slug, now, f"{here}#{place}"))
        place = f"row-{line.episode.pk}"
    return found


def _line(line: desk.Line, slug: str, now: dt.datetime, back: str) -> dict[str, Any]:
    """An episode in words, every fault with the way to its boxes."""
    episode = line.episode
    badge, words = present.consent_badge(episode)
    return {
        "name": present.name_of(episode.client),
        "row": f"row-{episode.pk}",
        "client": episode.client_id,
        "client_id": episode.registration.client_id_text,
        "episode": episode.episode_id,
        "agency": episode.service.agency_code,
        "keyworker": line.keyworker_name,
        "consent_badge": badge,
        "consent_words": words,
        "consent_url": reverse("consent:ndtms", args=[slug, episode.client_id])
        if not episode.consent
        else "",
        "referred": episode.referred_on,
        "waiting": (now.date() - episode.referred_on).days if episode.referred_on else None,
        "faults": [_fault(fault, episode, slug, now, back) for fault in line.faults],
    }


def _fault(fault: desk.Fault, episode: Any, slug: str, now: dt.datetime, back: str) -> dict[str, Any]:
    said = fault.explanation
    items = [i for i in said.items if access.may("client.view", category_of_item(i.name))]
    links = [
        {"words": item.label, "url": url}
        for item in items
        if (url := link_to_item(slug, episode, item.name, back=back))
    ]
    days = _days(fault.since, now)
    return {
        "words": said.words,
        "id": said.rule_id,
        "remedy": said.remedy,
        "badge": "late" if said.stops else "none",
        "effect": said.effect,
        "days": days,
        "links": links,
        "answer": answer_address(slug, episode.pk, said.rule_id, back) if answers.may_answer(said) else "",
        "unseen": bool(said.items) and not items,
        "labels": [] if links else [item.label for item in items],
    }
