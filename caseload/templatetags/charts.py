"""Charts as SVG from the server: `{% load charts %}`. `caseload.charts` works out where things stand; no style attributes (CSP)."""

from __future__ import annotations

from typing import Any

from django import template

from caseload.charts import Change, Chart, Spark

register = template.Library()


@register.inclusion_tag("caseload/charts/line.html")
def line_chart(chart: Chart, key: str) -> dict[str, Any]:
    """Answers over time; `key` makes the id of its title, once a page."""
    return {"chart": chart, "key": key}


@register.inclusion_tag("caseload/charts/change.html")
def change_chart(chart: Change, key: str) -> dict[str, Any]:
    """Start and now of several questions."""
    return {"chart": chart, "key": key}


@register.inclusion_tag("caseload/charts/spark.html")
def sparkline(spark: Spark) -> dict[str, Any]:
    """A small line; its words stand beside it."""
    return {"spark": spark}
