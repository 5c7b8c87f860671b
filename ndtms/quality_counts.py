"""How many episodes fail which rule, day by day, as numbers alone: written by the check of everything, read by the page of the trend."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from django.db import connection
from django.db.models import Max, Sum

from caseload.dataset.rules import RULES
from edatrs.core import clock
from edatrs.organisations.models import Service
from ndtms.models import QualityCount

DAYS, WEEKS = 28, 26
CHECKED, STOPS, CHECK, ANSWERED = QualityCount.KEYS

# What was there earlier today and is not any more is written as none.
_WRITE = """
WITH q AS (
    SELECT q.errors, q.warnings, q.answered FROM caseload_episodequality q JOIN caseload_episode e ON e.id = q.episode_id
    WHERE q.organisation_id = %(organisation)s AND e.service_id = %(service)s AND e.voided_at IS NULL
), found AS (
    SELECT 'checked' AS rule, count(*) AS episodes FROM q
    UNION ALL SELECT 'stops', count(*) FROM q WHERE cardinality(errors) > 0
    UNION ALL SELECT 'check', count(*) FROM q WHERE NOT warnings <@ answered
    UNION ALL SELECT 'answered', COALESCE(sum(cardinality(answered)), 0) FROM q
    UNION ALL SELECT r, count(*) FROM q, unnest(errors || warnings) r WHERE r <> ALL (answered) GROUP BY r
), gone AS (
    SELECT c.rule, 0 AS episodes FROM ndtms_qualitycount c
    WHERE c.organisation_id = %(organisation)s AND c.service_id = %(service)s AND c.day = %(day)s
      AND c.rule NOT IN (SELECT rule FROM found)
)
INSERT INTO ndtms_qualitycount (organisation_id, service_id, day, rule, episodes)
SELECT %(organisation)s, %(service)s, %(day)s, rule, episodes FROM (SELECT * FROM found UNION ALL SELECT * FROM gone) a
ON CONFLICT (organisation_id, service_id, day, rule) DO UPDATE SET episodes = EXCLUDED.episodes"""


def record(service: Service) -> None:
    """Keep what the check of a service of the organisation acted for found today; again on the same day, it is written over."""
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE,
            {"organisation": service.organisation_id, "service": service.pk, "day": clock.today()},
        )


@dataclass(frozen=True)
class Point:
    """A day on which it was counted, and how many there were by key (a rule, or one of `QualityCount.KEYS`)."""

    day: dt.date
    episodes: dict[str, int]

    def of(self, key: str) -> int:
        """How many; none where nothing was found."""
        return self.episodes.get(key, 0)


def points(keys: list[str], *, agency: str = "", by_week: bool = False) -> list[Point]:
    """The counts of some keys, the latest last: of the last 28 days, or the last count of each of 26 weeks. Two queries at most."""
    today = clock.today()
    rows = QualityCount.objects.filter(rule__in=keys)
    if agency:
        rows = rows.filter(service__agency_code=agency)
    if by_week:
        monday = today - dt.timedelta(days=today.weekday(), weeks=WEEKS - 1)
        days = rows.filter(day__gte=monday).order_by().values_list("day", flat=True).distinct()
        last = {day.isocalendar()[:2]: day for day in sorted(days)}
        rows = rows.filter(day__in=list(last.values()))
    else:
        rows = rows.filter(day__gt=today - dt.timedelta(days=DAYS))
    found: dict[dt.date, dict[str, int]] = defaultdict(dict)
    for day, key, episodes in rows.order_by().values_list("day", "rule").annotate(Sum("episodes")):
        found[day][key] = episodes
    return [Point(day, found[day]) for day in sorted(found)]


@dataclass(frozen=True)
class Change:
    """A rule now, a week and four weeks ago; None where nothing was counted then."""

    rule: str
    now: int
    week: int | None
    month: int | None


def changes(*, agency: str = "") -> list[Change]:
    """Every rule that fails now or failed at one of the days it is compared with, by its id. Two queries at most."""
    rows = QualityCount.objects.all()
    if agency:
        rows = rows.filter(service__agency_code=agency)
    newest = rows.aggregate(day=Max("day"))["day"]
    if newest is None:
        return []
    days = [newest, newest - dt.timedelta(days=7), newest - dt.timedelta(days=28)]
    held: dict[dt.date, dict[str, int]] = {}
    counted = rows.filter(day__in=days).order_by().values_list("day", "rule").annotate(Sum("episodes"))
    for day, rule, episodes in counted:
        held.setdefault(day, {})[rule] = episodes
    known = [held.get(day) for day in days]
    rules = sorted({rule for of_day in known if of_day for rule, n in of_day.items() if n and rule in RULES})
    return [
        Change(rule, *[None if of_day is None else of_day.get(rule, 0) for of_day in known])  # type: ignore[arg-type]  # the newest is there
        for rule in rules
    ]
