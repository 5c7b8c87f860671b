"""The system checks find what they are there for, and find nothing in the site as it is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.test.utils import isolate_apps
from django.urls import path

from edatrs.core import checks
from edatrs.core.checks import check_database_role, check_routes, check_tenant_models
from edatrs.core.managers import TenantManager, TenantModel, TenantQuerySet
from edatrs.core.views import OrganisationView, PublicView
from edatrs.organisations.models import Organisation


def found(problems: list[Any]) -> set[str]:
    """The ids of problems."""
    return {problem.id for problem in problems}


def routes(monkeypatch: pytest.MonkeyPatch, *patterns: Any) -> set[str]:
    """What the check says of a site with these routes."""
    monkeypatch.setattr(checks, "get_resolver", lambda: type("Site", (), {"url_patterns": list(patterns)}))
    return found(check_routes(None))


class Public(PublicView):
    """Open to all."""

    public_because = "a test"


class Known(OrganisationView):
    """An act of the table."""

    act = "submissions.view"


class Unknown(Known):
    """No act of the table."""

    act = "submissions.look"


class UnknownChange(Known):
    """No act of the table for changes."""

    changing_act = "submissions.burn"


class WithoutCategory(Known):
    """An act that needs a category, without one: nobody could ever do it."""

    act = "client.view"


class OfCategory(WithoutCategory):
    """As it should be."""

    category = "identity"


def function_view(request: HttpRequest) -> HttpResponse:
    """A page that says nothing of itself."""
    return HttpResponse()


@pytest.mark.django_db
def test_the_site_as_it_is_has_no_problem() -> None:
    assert check_routes(None) == [] and check_tenant_models(None) == []
    assert check_database_role(None, databases=["default"]) == []


@pytest.mark.parametrize(
    ("route", "view", "expected"),
    [
        ("o/<slug:organisation>/x/", Known, set()),
        ("o/<slug:organisation>/x/", OfCategory, set()),
        ("x/", Public, set()),
        ("x/", Known, {"edatrs.E001"}),
        ("o/<uuid:organisation>/x/", Known, {"edatrs.E001"}),
        ("o/<slug:organisation>/x/", Unknown, {"edatrs.E002"}),
        ("o/<slug:organisation>/x/", UnknownChange, {"edatrs.E002"}),
        ("o/<slug:organisation>/x/", WithoutCategory, {"edatrs.E002"}),
        ("o/<slug:organisation>/x/", None, {"edatrs.E003"}),
    ],
)
def test_a_route_is_of_an_organisation_with_an_act_or_public_with_a_reason(
    monkeypatch: pytest.MonkeyPatch, route: str, view: Any, expected: set[str]
) -> None:
    assert routes(monkeypatch, path(route, view.as_view() if view else function_view)) == expected


def test_a_view_without_an_act_or_a_reason_cannot_be_written() -> None:
    with pytest.raises(TypeError, match="must name the act"):
        type("NoAct", (OrganisationView,), {})
    with pytest.raises(TypeError, match="public_because"):
        type("NoReason", (PublicView,), {})


@isolate_apps("caseload")
def test_a_model_with_another_manager_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Labelled(TenantModel.Meta):
        app_label = "caseload"

    class Loose(models.Model):  # noqa: DJ008  # never shown
        organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
        client = models.UUIDField()

        class Meta:
            app_label = "caseload"

    class SecondManager(TenantModel):
        everything = models.Manager()

        class Meta(Labelled):
            pass

    class ByQuerySet(TenantModel):
        everything = TenantQuerySet.as_manager()

        class Meta(Labelled):
            pass

    class Good(TenantModel):
        class Meta(Labelled):
            pass

    for model, wrong in ((Loose, True), (SecondManager, True), (ByQuerySet, True), (Good, False)):
        monkeypatch.setattr(checks.apps, "get_models", lambda model=model: [model])
        assert found(check_tenant_models(None)) == ({"edatrs.E004"} if wrong else set()), model
    assert isinstance(Good._base_manager, TenantManager)


@pytest.mark.django_db
def test_a_role_that_passes_by_row_security_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Cursor:
        def __init__(self, row: tuple[str, bool, bool]) -> None:
            self.row = row

        def __enter__(self) -> Cursor:
            return self

        def __exit__(self, *args: object) -> None:
            pass

        def execute(self, statement: str) -> None:
            assert "pg_roles" in statement

        def fetchone(self) -> tuple[str, bool, bool]:
            return self.row

    for superuser, bypass in ((True, False), (False, True)):
        fake = SimpleNamespace(cursor=lambda s=superuser, b=bypass: Cursor(("x", s, b)))
        monkeypatch.setattr(checks, "connection", fake)
        assert found(check_database_role(None, databases=["default"])) == {"edatrs.E005"}
    assert check_database_role(None, databases=None) == []
