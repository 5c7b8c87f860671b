"""Reads of the data-quality desk: which episodes fail which rules since when, whose they are, and who was not asked for consent.

A keyworker sees their own caseload (access.csv, quality.list); all other roles that may look see the organisation.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import DateTimeField, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from caseload.dataset.explain import Explanation, explain_failure
from caseload.dataset.rules import ERROR, RULES, Context
from caseload.dataset.window import window_start
from caseload.models import Episode, EpisodeQuality
from caseload.reading import records_of
from caseload.selectors_work import caseload_of, keyworker_of
from edatrs.core import access, clock
from edatrs.core.access import Denied
from edatrs.core.scope import current_organisation, current_scope
from edatrs.organisations.choices import JobState, Role
from edatrs.organisations.models import Job, User
from ndtms.models import QualityAnswer
from ndtms.quality import CHECK_QUALITY

ACT = "quality.list"
PAGE = 50
STOPS, CHECK, CONSENT = "stops", "check", "consent"
EFFECTS = {STOPS: "Stops the row", CHECK: "Check", CONSENT: "Consent not asked"}
AGES = {"7": 7, "28": 28, "90": 90}
NOBODY = "none"
# Roles whose holders see every client of the organisation here.
_SEE_ALL = frozenset({Role.CLINICIAN, Role.TEAM_MANAGER, Role.NDTMS_ADMINISTRATOR})


@dataclass(frozen=True)
class Asked:
    """What the desk is narrowed to; all empty: everything. `age`: known for longer than so many days."""

    rule: str = ""
    effect: str = ""
    service: str = ""
    keyworker: str = ""
    age: str = ""


@dataclass
class Count:
    """How many episodes fail a rule, whose they are, and since when the oldest."""

    key: str
    number: int = 0
    oldest: dt.datetime | None = None
    owners: dict[UUID | None, int] = field(default_factory=lambda: defaultdict(int))


@dataclass
class Totals:
    """What the desk counts. `stops` and `check` are episodes, `agreed` those of `stops` with consent: they would be sent but for it."""

    stops: int = 0
    agreed: int = 0
    check: int = 0
    not_asked: int = 0
    rules: list[Count] = field(default_factory=list)
    services: dict[str, int] = field(default_factory=dict)
    keyworkers: dict[UUID | None, int] = field(default_factory=dict)
    ages: dict[str, int] = field(default_factory=dict)

    @property
    def oldest_stop(self) -> dt.datetime | None:
        """Since when the oldest error is known."""
        found = [c.oldest for c in self.rules if c.oldest and RULES[c.key].level == ERROR]
        return min(found, default=None)


@dataclass(frozen=True)
class Fault:
    """One rule that an episode fails, in words, with the items at fault."""

    explanation: Explanation
    since: dt.datetime | None


@dataclass(frozen=True)
class Line:
    """An episode of the work list."""

    episode: Any
    keyworker: UUID | None
    keyworker_name: str
    faults: tuple[Fault, ...]


def sees_all() -> bool:
    """Whether the roles see the whole organisation here, and not their own caseload alone."""
    return bool(current_scope().roles & _SEE_ALL)


def _own_only(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Narrowed to the caseload of the person acting, where the roles see no more. Raises Denied."""
    access.require(ACT)
    if sees_all():
        return rows
    mine = caseload_of(current_scope().person_id, clock.today())
    return rows.filter(client_id__in=mine.values("pk"))


def reachable(episode_id: UUID, *, lock: bool = False) -> EpisodeQuality:
    """What an episode in use fails, of one's own caseload where the roles see no more. Raises Denied."""
    rows = _own_only(
        EpisodeQuality.objects.filter(episode__voided_at__isnull=True, client__voided_at__isnull=True)
    ).select_related("episode__service", "episode__registration", "client__clientidentity")
    found: EpisodeQuality | None = (
        (rows.select_for_update(of=("self",)) if lock else rows).filter(pk=episode_id).first()
    )
    if found is None:
        raise Denied(ACT, "not found", subject=str(episode_id))
    return found


def answered(asked: Asked, *, after: str = "", limit: int = PAGE) -> tuple[list[QualityAnswer], str]:
    """A page of the answers that stand, the newest first, and the key of the next page. Raises Denied."""
    rows = _own_only(
        QualityAnswer.objects.filter(
            ended_at__isnull=True, episode__voided_at__isnull=True, client__voided_at__isnull=True
        )
    ).select_related("episode__service", "episode__registration", "episode__client__clientidentity")
    if asked.service:
        rows = rows.filter(episode__service__agency_code=asked.service)
    if asked.rule:
        rows = rows.filter(rule=asked.rule)
    if after:
        at, _, pk = after.partition("~")
        rows = rows.filter(Q(answered_at__lt=at) | Q(answered_at=at, pk__gt=pk))
    found = list(rows.order_by("-answered_at", "pk")[: limit + 1])
    more = f"{found[limit - 1].answered_at.isoformat()}~{found[limit - 1].pk}" if len(found) > limit else ""
    return found[:limit], more


def number_answered() -> int:
    """How many answers stand, of what one may see here."""
    return _own_only(
        QualityAnswer.objects.filter(
            ended_at__isnull=True, episode__voided_at__isnull=True, client__voided_at__isnull=True
        )
    ).count()


def get_answer(pk: UUID, *, lock: bool = False) -> QualityAnswer:
    """One answer, of one's own caseload where the roles see no more. Raises Denied."""
    rows = _own_only(QualityAnswer.objects.filter(client__voided_at__isnull=True))
    found: QualityAnswer | None = (
        (rows.select_for_update(of=("self",)) if lock else rows).filter(pk=pk).first()
    )
    if found is None:
        raise Denied(ACT, "not found", subject=str(pk))
    return found


def _narrowed(rows: QuerySet[Any], asked: Asked, *, service: str) -> QuerySet[Any]:
    rows = rows.annotate(
        keyworker_pk=Subquery(keyworker_of(clock.today(), OuterRef("client_id")).values("keyworker_id")[:1])
    )
    if asked.service:
        rows = rows.filter(**{f"{service}agency_code": asked.service})
    if asked.keyworker == NOBODY:
        return rows.filter(keyworker_pk__isnull=True)
    return rows.filter(keyworker_pk=asked.keyworker) if asked.keyworker else rows


def failing(asked: Asked) -> QuerySet[Any]:
    """What fails, with `keyworker_pk` and `known` (since when, of the rule asked for or of the first). Raises Denied."""
    rows = EpisodeQuality.objects.filter(
        failing_since__isnull=False, episode__voided_at__isnull=True, client__voided_at__isnull=True
    )
    rows = _narrowed(_own_only(rows), asked, service="episode__service__")
    known: Any = F("failing_since")
    if asked.rule in RULES:
        rows = rows.filter(since__has_key=asked.rule).exclude(answered__contains=[asked.rule])
        known = Cast(KeyTextTransform(asked.rule, "since"), DateTimeField())
    if asked.effect in (STOPS, CHECK):
        # A warning that somebody has answered is on no work list.
        rows = (
            rows.exclude(errors=[])
            if asked.effect == STOPS
            else rows.exclude(warnings__contained_by=F("answered"))
        )
    rows = rows.annotate(known=known)
    if asked.age in AGES:
        rows = rows.filter(known__lt=clock.now() - dt.timedelta(days=AGES[asked.age]))
    return rows


def not_asked(asked: Asked) -> QuerySet[Any]:
    """Episodes with no decision on consent that a reporting extract of today could carry: open, or ended in its window. Raises Denied."""
    inside = Q(discharged_on__isnull=True) | Q(discharged_on__gte=window_start(clock.today()))
    rows = Episode.objects.filter(inside, voided_at__isnull=True, consent="", client__voided_at__isnull=True)
    rows = _narrowed(_own_only(rows), asked, service="service__")
    if asked.age in AGES:
        rows = rows.filter(referred_on__lt=clock.today() - dt.timedelta(days=AGES[asked.age]))
    return rows


_BY_RULE = """SELECT r.key, b.keyworker_pk, count(*), min(r.value::timestamptz)
FROM ({base}) b, jsonb_each_text(b.since - b.answered) r GROUP BY 1, 2"""
_BY_PLACE = """SELECT b.agency, b.keyworker_pk, count(*), count(*) FILTER (WHERE cardinality(b.errors) > 0),
    count(*) FILTER (WHERE cardinality(b.errors) > 0 AND b.consent = 'Y'), count(*) FILTER (WHERE NOT b.warnings <@ b.answered), {ages}
FROM ({base}) b GROUP BY 1, 2"""


def totals(asked: Asked) -> Totals:
    """The counts under a filter. Three queries, however many episodes; people are counted by id."""
    rows = failing(asked).annotate(agency=F("episode__service__agency_code"), consent=F("episode__consent"))
    base, params = (
        rows.order_by()
        .values("since", "errors", "warnings", "answered", "known", "keyworker_pk", "agency", "consent")
        .query.sql_with_params()
    )
    found = Totals(not_asked=not_asked(asked).count())
    counts: dict[str, Count] = {}
    now = clock.now()
    ages = ", ".join("count(*) FILTER (WHERE b.known < %s)" for _ in AGES)
    bounds = [now - dt.timedelta(days=days) for days in AGES.values()]
    with connection.cursor() as cursor:
        cursor.execute(_BY_RULE.format(base=base), params)
        for rule, keyworker, number, since in cursor.fetchall():
            if rule not in RULES or not shown(rule, asked):
                continue
            held = counts.setdefault(rule, Count(rule))
            held.number += number
            held.oldest = min(since, held.oldest or since)
            held.owners[keyworker] += number
        cursor.execute(_BY_PLACE.format(base=base, ages=ages), [*bounds, *params])
        for agency, keyworker, number, stops, agreed, check, *older in cursor.fetchall():
            found.stops, found.agreed, found.check = (
                found.stops + stops,
                found.agreed + agreed,
                found.check + check,
            )
            found.services[agency] = found.services.get(agency, 0) + number
            found.keyworkers[keyworker] = found.keyworkers.get(keyworker, 0) + number
            for key, more in zip(AGES, older, strict=True):
                found.ages[key] = found.ages.get(key, 0) + more
    found.rules = sorted(counts.values(), key=lambda c: (RULES[c.key].level != ERROR, -c.number, c.key))
    return found


def shown(rule: str, asked: Asked) -> bool:
    """Whether a rule belongs to what was asked for."""
    if asked.rule:
        return rule == asked.rule
    if asked.effect in (STOPS, CHECK):
        return (RULES[rule].level == ERROR) == (asked.effect == STOPS)
    return True


def names_of(ids: set[UUID | None]) -> dict[UUID, str]:
    """The names of keyworkers. One query."""
    rows = User.objects.filter(pk__in=[pk for pk in ids if pk])
    return dict(rows.values_list("pk", "full_name"))


def work_list(asked: Asked, *, after: str = "", limit: int = PAGE) -> tuple[list[Line], str]:
    """A page of the episodes that fail, what is known longest first, each with its rules in words; and the key of the next page.

    Ten queries, however many rows: the records of the page are read so that each rule names the very items at fault.
    """
    rows = failing(asked).select_related(
        "episode__service", "episode__registration", "episode__client__clientidentity"
    )
    if after:
        at, _, pk = after.partition("~")
        rows = rows.filter(Q(known__gt=at) | Q(known=at, pk__gt=pk))
    found = list(rows.order_by("known", "pk")[: limit + 1])
    more = f"{found[limit - 1].known.isoformat()}~{found[limit - 1].pk}" if len(found) > limit else ""
    found = found[:limit]
    records = records_of([row.pk for row in found])
    names = names_of({row.keyworker_pk for row in found})
    today = clock.today()
    lines = []
    for row in found:
        context = Context(row.episode.service.dataset, row.letter, today)
        faults = tuple(
            Fault(explain_failure(RULES[rule], records[row.pk], context), _since(row, rule))
            for rule in [*row.errors, *row.warnings]
            if rule in RULES and rule not in row.answered and shown(rule, asked)
        )
        lines.append(Line(row.episode, row.keyworker_pk, names.get(row.keyworker_pk, ""), faults))
    return lines, more


def _since(row: EpisodeQuality, rule: str) -> dt.datetime | None:
    text = row.since.get(rule)
    return dt.datetime.fromisoformat(text) if text else None


def not_asked_list(asked: Asked, *, after: str = "", limit: int = PAGE) -> tuple[list[Line], str]:
    """A page of the open episodes without a decision on consent, the oldest referral first, and the key of the next page."""
    rows = not_asked(asked).select_related("service", "registration", "client__clientidentity")
    if after:
        on, _, pk = after.partition("~")
        rows = (
            rows.filter(Q(referred_on__gt=on) | Q(referred_on=on, pk__gt=pk) | Q(referred_on__isnull=True))
            if on
            else rows.filter(referred_on__isnull=True, pk__gt=pk)
        )
    found = list(rows.order_by(F("referred_on").asc(nulls_last=True), "pk")[: limit + 1])
    last = found[limit - 1] if len(found) > limit else None
    found = found[:limit]
    names = names_of({row.keyworker_pk for row in found})
    lines = [Line(row, row.keyworker_pk, names.get(row.keyworker_pk, ""), ()) for row in found]
    return lines, f"{last.referred_on or ''}~{last.pk}" if last else ""


def last_check() -> tuple[Job | None, Job | None]:
    """The check of everything that is under way or waits, and the last one that was done."""
    jobs = Job.objects.filter(kind=CHECK_QUALITY, organisation_id=current_organisation())
    running = jobs.filter(state__in=(JobState.QUEUED, JobState.RUNNING)).order_by("created_at").first()
    done = jobs.filter(state=JobState.DONE).order_by("-finished_at").first()
    return running, done
