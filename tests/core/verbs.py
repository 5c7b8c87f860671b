"""Everything that can be asked of a queryset, each verb sent as far as the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import async_to_sync
from django.db.models import Count, Exists, F, OuterRef, Value

from edatrs.organisations.models import Organisation

Verb = Callable[[Any, Any], Any]


def _now(made: Callable[[], Any]) -> Any:
    """Wait for something asynchronous."""

    async def wait() -> Any:
        return await made()

    return async_to_sync(wait)()


def _gather(made: Callable[[], Any]) -> Any:
    """Read an asynchronous iterator to its end."""

    async def read() -> Any:
        return [row async for row in made()]

    return async_to_sync(read)()


def _column(rows: Any) -> str:
    """A column of the model that is no key."""
    fields = rows.model._meta.concrete_fields
    return next(f.name for f in fields if not f.primary_key and not f.is_relation)


def _date(rows: Any) -> str:
    """A column of the model that holds a date or a time."""
    names = [field.name for field in rows.model._meta.concrete_fields]
    return next((name for name in ("referred_on", "created_at", "asked_at") if name in names), "at")


def _unsaved(rows: Any, row: Any) -> Any:
    """Another row like this one."""
    copied = {
        f.attname: getattr(row, f.attname) for f in rows.model._meta.concrete_fields if not f.primary_key
    }
    return rows.model(**copied)


# `rows` is a manager or a queryset, `row` a row of its model. What is lazy is read to its end.
VERBS: dict[str, Verb] = {
    "aaggregate": lambda rows, row: _now(lambda: rows.aaggregate(n=Count("pk"))),
    "abulk_create": lambda rows, row: _now(lambda: rows.abulk_create([_unsaved(rows, row)])),
    "abulk_update": lambda rows, row: _now(lambda: rows.abulk_update([row], [_column(rows)])),
    "acontains": lambda rows, row: _now(lambda: rows.acontains(row)),
    "acount": lambda rows, row: _now(lambda: rows.acount()),
    "acreate": lambda rows, row: _now(lambda: rows.acreate(**_values(rows, row))),
    "adelete": lambda rows, row: _now(lambda: rows.adelete()),
    "aearliest": lambda rows, row: _now(lambda: rows.aearliest("pk")),
    "aexists": lambda rows, row: _now(lambda: rows.aexists()),
    "aexplain": lambda rows, row: _now(lambda: rows.aexplain()),
    "afirst": lambda rows, row: _now(lambda: rows.afirst()),
    "aget": lambda rows, row: _now(lambda: rows.aget(pk=row.pk)),
    "aget_or_create": lambda rows, row: _now(lambda: rows.aget_or_create(pk=row.pk)),
    "aggregate": lambda rows, row: rows.aggregate(n=Count("pk")),
    "ain_bulk": lambda rows, row: _now(lambda: rows.ain_bulk([row.pk])),
    "aiterator": lambda rows, row: _gather(lambda: rows.aiterator()),
    "alast": lambda rows, row: _now(lambda: rows.order_by("pk").alast()),
    "alatest": lambda rows, row: _now(lambda: rows.alatest("pk")),
    "alias": lambda rows, row: list(rows.alias(x=Value(1))),
    "all": lambda rows, row: list(rows.all()),
    "annotate": lambda rows, row: list(rows.annotate(x=Value(1))),
    "aupdate": lambda rows, row: _now(lambda: rows.aupdate(**{_column(rows): F(_column(rows))})),
    "aupdate_or_create": lambda rows, row: _now(lambda: rows.aupdate_or_create(pk=row.pk)),
    "bulk_create": lambda rows, row: rows.bulk_create([_unsaved(rows, row)]),
    "bulk_update": lambda rows, row: rows.bulk_update([row], [_column(rows)]),
    "complex_filter": lambda rows, row: list(rows.complex_filter({"pk": row.pk})),
    "contains": lambda rows, row: rows.contains(row),
    "count": lambda rows, row: rows.count(),
    "create": lambda rows, row: rows.create(**_values(rows, row)),
    "dates": lambda rows, row: list(rows.dates(_date(rows), "year")),
    "datetimes": lambda rows, row: list(rows.datetimes(_instant(rows), "year")),
    "defer": lambda rows, row: list(rows.defer("organisation")),
    "delete": lambda rows, row: rows.delete(),
    "difference": lambda rows, row: list(rows.difference(rows.filter(pk=row.pk))),
    "distinct": lambda rows, row: list(rows.distinct()),
    "earliest": lambda rows, row: rows.earliest("pk"),
    "exclude": lambda rows, row: list(rows.exclude(pk=None)),
    "exists": lambda rows, row: rows.exists(),
    "explain": lambda rows, row: rows.explain(),
    "extra": lambda rows, row: list(rows.extra(where=["true"])),
    "filter": lambda rows, row: list(rows.filter(pk=row.pk)),
    "first": lambda rows, row: rows.first(),
    "get": lambda rows, row: rows.get(pk=row.pk),
    "get_or_create": lambda rows, row: rows.get_or_create(pk=row.pk),
    "in_bulk": lambda rows, row: rows.in_bulk([row.pk]),
    "intersection": lambda rows, row: list(rows.intersection(rows.filter(pk=row.pk))),
    "iterator": lambda rows, row: list(rows.iterator()),
    "last": lambda rows, row: rows.order_by("pk").last(),
    "latest": lambda rows, row: rows.latest("pk"),
    "only": lambda rows, row: list(rows.only("pk")),
    "order_by": lambda rows, row: list(rows.order_by("pk")),
    "prefetch_related": lambda rows, row: list(rows.prefetch_related("organisation")),
    "raw": lambda rows, row: list(rows.raw(f"SELECT * FROM {rows.model._meta.db_table}")),
    "resolve_expression": lambda rows, row: list(
        Organisation.objects.annotate(any=Exists(rows.filter(organisation=OuterRef("pk")))).filter(any=True)
    ),
    "reverse": lambda rows, row: list(rows.order_by("pk").reverse()),
    "select_for_update": lambda rows, row: list(rows.select_for_update(of=("self",))),
    "select_related": lambda rows, row: list(rows.select_related("organisation")),
    "union": lambda rows, row: list(rows.union(rows.filter(pk=row.pk))),
    "update": lambda rows, row: rows.update(**{_column(rows): F(_column(rows))}),
    "update_or_create": lambda rows, row: rows.update_or_create(pk=row.pk),
    "values": lambda rows, row: list(rows.values()),
    "values_list": lambda rows, row: list(rows.values_list("pk")),
}
# Work without a scope, with nothing in them: Django calls them while it loads.
EMPTY: dict[str, Callable[[Any], Any]] = {
    "none": lambda rows: rows.none(),
    "using": lambda rows: rows.using("default"),
}
# Ask the database nothing.
SILENT = {
    "as_manager": "makes a manager: check edatrs.E004 refuses any but TenantManager on a tenant model",
    "db": "the name of the database",
    "ordered": "whether there is an order",
    "query": "the query that was not sent",
}


def _instant(rows: Any) -> str:
    return "asked_at" if "asked_at" in [f.name for f in rows.model._meta.concrete_fields] else "created_at"


def _values(rows: Any, row: Any) -> dict[str, Any]:
    return {f.attname: getattr(row, f.attname) for f in rows.model._meta.concrete_fields if not f.primary_key}
