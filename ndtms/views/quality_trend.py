"""How the faults went over time: numbers alone, as charts and as tables."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase

from caseload.charts import Chart, line_chart
from caseload.dataset.explain import EFFECTS
from caseload.dataset.rules import ERROR, RULES
from edatrs.core.scope import current_organisation
from edatrs.core.views import OrganisationView
from edatrs.organisations.selectors import services_of
from ndtms import quality_counts
from ndtms.quality_counts import ANSWERED, CHECK, CHECKED, STOPS, Change, Point

WORDS = {
    STOPS: "Episodes with something that stops the row",
    CHECK: "Episodes with something to check",
    ANSWERED: "Warnings answered: cannot be known",
    CHECKED: "Episodes checked",
}
_STEPS = 4


class TrendView(OrganisationView):
    """Counts by day or week, of a service or of all, of a rule or of all."""

    act = "submissions.view"
    area = "data-quality"
    title = "Data quality over time"
    template_name = "ndtms/quality_trend.html"

    def get(self, request: HttpRequest, organisation: str) -> HttpResponseBase:
        """?service= &rule= &by=week."""
        rule = request.GET.get("rule", "")
        rule = rule if rule in RULES else ""
        services = {s.agency_code: f"{s.name} ({s.agency_code})" for s in services_of(current_organisation())}
        agency = request.GET.get("service", "")
        agency = agency if agency in services else ""
        by_week = request.GET.get("by") == "week"
        keys = [rule, CHECKED] if rule else [STOPS, CHECK, ANSWERED, CHECKED]
        said = {**WORDS, rule: f"{RULES[rule].words} ({rule})"} if rule else WORDS
        points = quality_counts.points(keys, agency=agency, by_week=by_week)
        drawn = [rule] if rule else [STOPS, CHECK]
        return self.page(
            request,
            charts=[chart_of(said[key], points, key) for key in drawn] if points else [],
            heads=[said[key] for key in keys],
            points=[{"day": p.day, "counts": [p.of(key) for key in keys]} for p in reversed(points)],
            changes=[] if rule else [_change(c) for c in quality_counts.changes(agency=agency)],
            services=services.items(),
            rules=[(r.id, f"{r.words} ({r.id})") for r in RULES.values()],
            agency=agency,
            rule=rule,
            by_week=by_week,
        )


def chart_of(title: str, points: list[Point], key: str) -> Chart:
    """A chart of one key. Its scale begins at 0 and has four steps."""
    most = max((point.of(key) for point in points), default=0)
    step = max(-(-most // _STEPS), 1)
    answers = [(point.day, str(point.of(key))) for point in points]
    return line_chart(title, "episodes", answers, most=step * _STEPS, step=step, start=None)


def _change(change: Change) -> dict[str, Any]:
    rule = RULES[change.rule]
    return {
        "id": rule.id,
        "words": rule.words,
        "badge": "late" if rule.level == ERROR else "none",
        "effect": EFFECTS[rule.level],
        "now": change.now,
        "week": "Not counted" if change.week is None else f"{change.week:,}",
        "month": "Not counted" if change.month is None else f"{change.month:,}",
    }
