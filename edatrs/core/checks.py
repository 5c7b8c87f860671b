"""System checks: what must hold before anything is served."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.checks import Error, Tags, register
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.urls import URLPattern, URLResolver, get_resolver

from edatrs.core import access, database_lint
from edatrs.core.history import History
from edatrs.core.managers import TenantManager, TenantModel
from edatrs.core.views import OrganisationView, PublicView


def walk_routes(resolver: Any = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every route of the site as (pattern, URLPattern)."""
    for entry in (resolver or get_resolver()).url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from walk_routes(entry, path)
        else:
            yield path, entry


@register(Tags.security)
def check_routes(app_configs: Any, **kwargs: Any) -> list[Error]:
    """Every route is a page of an organisation with a known act, or public with a reason."""
    problems = []
    for path, route in walk_routes():
        view = getattr(route.callback, "view_class", None)
        if view is not None and issubclass(view, OrganisationView):
            if not path.startswith("o/<slug:organisation>/"):
                problems.append(
                    Error(f"{path}: a page of an organisation must name it in its address", id="edatrs.E001")
                )
            for act in filter(None, (view.act, view.changing_act)):
                if not access.knows(act, view.category):
                    named = f"{act}, {view.category}" if view.category else act
                    problems.append(
                        Error(f"{path}: the act '{named}' is not in the access table", id="edatrs.E002")
                    )
        elif not (view is not None and issubclass(view, PublicView)):
            problems.append(
                Error(f"{path}: neither a page of an organisation nor public with a reason", id="edatrs.E003")
            )
    return problems


@register(Tags.models)
def check_tenant_models(app_configs: Any, **kwargs: Any) -> list[Error]:
    """Every model with an organisation and a client, and every history, has the fail-closed manager and no other, also as base manager."""
    problems = []
    for model in apps.get_models():
        names = {f.name for f in model._meta.get_fields()}
        if {"organisation", "client"} <= names or issubclass(model, TenantModel | History):
            for manager in {*model._meta.managers, model._default_manager, model._base_manager}:
                if not isinstance(manager, TenantManager):
                    problems.append(
                        Error(
                            f"{model._meta.label} must use TenantManager everywhere",
                            obj=model,
                            id="edatrs.E004",
                        )
                    )
    return problems


@register(Tags.database)
def check_database_role(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[Error]:
    """The role that serves requests is no superuser and cannot pass by row security."""
    if not databases or "default" not in databases:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        name, superuser, bypass = cursor.fetchone()
    if superuser or bypass:
        return [
            Error(
                f"the database role '{name}' passes by row security",
                hint="Set DATABASE_URL to the role `app` and DATABASE_OWNER_URL to the role `owner` (docs/architecture.md).",
                id="edatrs.E005",
            )
        ]
    return []


@register(Tags.database)
def check_second_wall(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[Error]:
    """The catalogue says of row security, rights, functions, views and foreign keys what it must (T24).

    Asked of a database that is migrated to the end: `migrate` checks before it begins, and what it is about to make is not there yet.
    """
    if not databases or "default" not in databases:
        return []
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return []
    with connection.cursor() as cursor:
        found = database_lint.findings(cursor)
    return [
        Error(
            f"{one.rule}: {one.subject} {one.words}",
            hint="Run the migrations as the role `owner`; whatever was changed by hand must be put back (docs/operations.md).",
            id="edatrs.E006",
        )
        for one in found
    ]
