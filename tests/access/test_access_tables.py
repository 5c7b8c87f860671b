"""The tables and the code name the same acts, routes, methods, commands, tasks and jobs: what has no row fails the run."""

from __future__ import annotations

import re

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import get_commands
from django.urls import path
from django.views import View

from edatrs.celery import app as celery
from edatrs.core import access, registry
from edatrs.core.checks import walk_routes
from edatrs.core.views import OrganisationView, PublicView
from edatrs.organisations.choices import Role
from edatrs.organisations.roles import ACTS
from tests.access import tables
from tests.access.matrix import missing_methods

OURS = {"edatrs.core", "edatrs.organisations", "audit", "caseload", "consent", "ndtms"}


def routes() -> dict[str, type[View]]:
    """Every route of the site with its view."""
    return {pattern: route.callback.view_class for pattern, route in walk_routes()}


def test_the_roles_of_the_code_are_the_table_exactly() -> None:
    assert tuple(Role.values) == tables.ROLES
    assert {key: dict(row) for key, row in ACTS.items()} == tables.letters()
    assert access.acts() == {act for act, _ in tables.letters()}


def test_every_letter_is_one_that_the_table_explains() -> None:
    known = {"O", "OS", "OSB", "B", "N", "N+", "A", "P"}
    assert {letter for row in tables.letters().values() for letter in row.values()} <= known


def test_every_route_and_method_has_a_line_and_every_line_a_route() -> None:
    unlisted = {route: missing for route in routes() if (missing := missing_methods(route))}
    assert unlisted == {}, "write them into tests/access/routes.csv from the access table, not from the code"
    assert {route for route, _ in tables.lines()} - set(routes()) == set(), "lines of routes that are gone"


def test_a_route_that_nobody_listed_is_found() -> None:
    """The control of the test above: what it would say of a new page."""

    class NewView(PublicView):
        public_because = "a test"

    found = [pattern for pattern, _ in walk_routes(_Resolver([path("new/", NewView.as_view())]))]
    assert found == ["new/"] and missing_methods("new/") == list(tables.METHODS)


class _Resolver:
    def __init__(self, patterns: list[object]) -> None:
        self.url_patterns = patterns


@pytest.mark.parametrize("key", sorted(tables.lines()), ids=lambda key: f"{key[1]} {key[0]}")
def test_a_page_performs_the_act_of_its_line(key: tuple[str, str]) -> None:
    line, view = tables.lines()[key], routes()[key[0]]
    names = re.findall(r"<(?:\w+:)?(\w+)>", line.route)
    if not line.of_organisation:
        assert issubclass(view, PublicView) and not names[: -1 if line.objects else None]
        return
    assert issubclass(view, OrganisationView)
    reading = line.method in ("GET", "HEAD", "OPTIONS")
    act, _, category = line.act.partition("/")
    assert (view.act if reading else view.changing_act or view.act) == act
    assert act in access.acts(), "an act that the access table does not know"
    assert view.category == category
    assert [name for name, _ in line.objects] == [name for name in names if name != "organisation"]
    assert view.fresh_second_factor == line.fresh
    offered = hasattr(view, "get" if line.method == "HEAD" else line.method.lower())
    assert offered == line.offered


def test_every_command_task_and_job_has_a_row_and_every_row_is_one() -> None:
    celery.loader.import_default_modules()
    found = {
        "command": {name for name, where in get_commands().items() if _label(where) in OURS},
        "task": {name for name in celery.tasks if not name.startswith("celery.")},
        "job": {kind for kind, _ in registry.jobs if not kind.startswith("tests.")},
        "schedule": set(settings.CELERY_BEAT_SCHEDULE),
    }
    listed = {
        kind: {row["name"] for row in tables.read("tasks.csv") if row["kind"] == kind} for kind in found
    }
    assert found == listed
    for row in tables.read("tasks.csv"):
        assert row["actor"] in {"operator", "worker", "owner", "verifier"} and row["because"]
        assert not row["act"] or row["act"] in access.acts(), row["name"]
        if row["kind"] == "schedule":
            assert settings.CELERY_BEAT_SCHEDULE[row["name"]]["task"] == row["because"]


def _label(where: object) -> str:
    return where if isinstance(where, str) else type(where).__module__.split(".management")[0]


def test_no_role_reaches_a_client_that_the_design_keeps_away() -> None:
    """Design section 1: these see no client, whatever else changes in the table."""
    for (act, _), row in tables.letters().items():
        if act.startswith(
            ("client.", "note.", "consent.", "caseload.", "sharing.", "quality.", "import.", "extract.")
        ):
            allowed = (
                {"client.link"}
                if "information_governance" in row and row["information_governance"] == "A"
                else set()
            )
            assert not {"organisation_administrator", "commissioner", "platform_support"} & set(row), act
            assert row.get("information_governance", "B") == "B" or act in allowed, act


def test_there_is_no_second_site() -> None:
    """Django's admin and debug pages are not there."""
    assert not apps.is_installed("django.contrib.admin") and not settings.DEBUG
    assert [view for view in routes().values() if not view.__module__.startswith(tuple(OURS))] == []
