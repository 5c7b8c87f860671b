"""Base views, forms and grants: role × act before anything else, choices of one's own rows, and no permission that opens every row."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg
import pytest
from django import forms
from django.contrib.auth.models import Permission
from django.db import DatabaseError, transaction
from django.http import HttpResponse
from django.test import RequestFactory

from caseload.models import Client
from edatrs.core import access, clock
from edatrs.core.access import Denied
from edatrs.core.forms import Form, ScopedModelChoiceField
from edatrs.core.guardian import group_of, shared_with
from edatrs.core.scope import Actor, ScopeMissing, open_scope
from edatrs.core.views import SECOND_FACTOR_AT, OrganisationView
from tests.core.world import acting_for
from tests.factories.caseload import make_client
from tests.factories.organisations import make_organisation
from tests.factories.sharing import make_grant

METHODS = ("get", "head", "options", "post", "put", "patch", "delete", "trace")


class Page(OrganisationView):
    """Reading is one act, changing another."""

    act = "submissions.view"
    changing_act = "extract.build"

    def get(self, request: Any) -> HttpResponse:
        """Something."""
        return HttpResponse("rows")

    def post(self, request: Any) -> HttpResponse:
        """Something else."""
        return HttpResponse("changed")


class Fresh(Page):
    """Only with a second factor that was just given."""

    fresh_second_factor = True


def ask(view: type[OrganisationView], method: str, *, session: dict[str, Any] | None = None) -> Any:
    """One request, past the middleware."""
    request = getattr(RequestFactory(), method)("/o/x/page/?next=1")
    request.session = session or {}
    return view.as_view()(request)


@pytest.mark.django_db
@pytest.mark.parametrize("method", METHODS)
def test_the_act_is_asked_before_the_method(method: str) -> None:
    one = make_organisation()
    reading = method in ("get", "head", "options")
    for role, reads, changes in (
        ("ndtms_administrator", True, True),
        ("team_manager", True, False),
        ("keyworker", False, False),
        ("no such role", False, False),
    ):
        with acting_for(one, role):
            if reads if reading else changes:
                status = ask(Page, method).status_code
                assert status == (200 if method in ("get", "head", "options", "post") else 405)
            else:
                with pytest.raises(Denied) as denied:
                    ask(Page, method)
                assert denied.value.act == ("submissions.view" if reading else "extract.build")
    with (
        open_scope(actor=Actor.PERSON, roles=frozenset({"ndtms_administrator"})),
        pytest.raises(ScopeMissing),
    ):
        ask(Page, method)
    with pytest.raises(ScopeMissing):
        ask(Page, method)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("age", "fresh"), [(0, True), (15 * 60 - 1, True), (15 * 60, False), (-60, False), (None, False)]
)
def test_a_second_factor_is_fresh_for_fifteen_minutes_and_never_from_the_future(
    age: int | None, fresh: bool
) -> None:
    one, now = make_organisation(), dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
    with clock.frozen(now), acting_for(one, "ndtms_administrator"):
        session = {} if age is None else {SECOND_FACTOR_AT: now.timestamp() - age}
        for method in ("get", "post"):
            answer = ask(Fresh, method, session=session)
            assert answer.status_code == (200 if fresh else 302)
            if not fresh:
                assert answer.url.startswith("/confirm/?next=%2Fo%2Fx%2Fpage%2F")


@pytest.mark.django_db
def test_an_act_or_a_category_that_the_table_does_not_know_is_nobodys() -> None:
    everybody = ["keyworker", "clinician", "team_manager", "ndtms_administrator", "information_governance"]
    with acting_for(make_organisation(), *everybody):
        assert access.may("client.view", "identity") and access.letters("client.view", "identity") == "BOS"
        for act, category in (
            ("client.view", ""),
            ("client.view", "everything"),
            ("", ""),
            ("client", ""),
            ("*", ""),
        ):
            assert not access.may(act, category)
            with pytest.raises(Denied):
                access.require(act, category)
    with pytest.raises(ScopeMissing):
        access.may("client.view", "identity")


class Choose(Form):
    """A choice among clients."""

    client = ScopedModelChoiceField(Client, label="Client")


@pytest.mark.django_db
def test_a_choice_is_among_ones_own_rows_and_absent_and_foreign_are_refused_in_the_same_words() -> None:
    one, two = make_organisation(), make_organisation()
    with acting_for(two):
        foreign = make_client()
    with acting_for(one):
        mine = make_client()
        form = Choose()
        assert [choice.value for choice, _ in form.fields["client"].choices if choice] == [mine.pk]
        assert str(foreign.pk) not in str(form)
        assert Choose({"client": mine.pk}).is_valid()
        said = []
        for wrong in (foreign.pk, "00000000-0000-4000-8000-00000000dead"):
            form = Choose({"client": wrong})
            assert not form.is_valid()
            said.append(str(form.errors).replace(str(wrong), ""))
        assert said[0] == said[1]
    with acting_for(two):
        assert [choice.value for choice, _ in Choose().fields["client"].choices if choice] == [foreign.pk]
    with pytest.raises(ScopeMissing):
        Choose()


@pytest.mark.django_db
def test_a_form_with_a_bare_choice_of_tenant_rows_cannot_be_made() -> None:
    for field in (forms.ModelChoiceField, forms.ModelMultipleChoiceField):
        loose = type("Loose", (Form,), {"client": field(queryset=Client.objects.none())})
        with acting_for(make_organisation()), pytest.raises(TypeError, match="ScopedModelChoiceField"):
            loose()


@pytest.mark.django_db(transaction=True)
def test_a_permission_for_all_rows_opens_none(owner_connection: psycopg.Connection[Any]) -> None:
    """guardian's default would: its list function honours model-wide permissions (security.md, guardian facts)."""
    one, two = make_organisation(), make_organisation()
    with acting_for(one):
        make_client()
        mine = make_client()
    group = group_of(two.pk)
    permission = Permission.objects.get(codename="view_client", content_type__app_label="caseload")
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        group.permissions.add(permission)
    owner_connection.execute(
        "INSERT INTO auth_group_permissions (group_id, permission_id) VALUES (%s, %s)",
        [group.pk, permission.pk],
    )

    def opened() -> list[Client]:
        return list(
            shared_with(two.pk, ["caseload.view_client", "caseload.see_identity"], Client.objects.all())
        )

    with acting_for(one):
        assert opened() == []
        make_grant(mine, two, ["identity"])
        assert opened() == [mine]
    with acting_for(two):
        assert opened() == [], "the manager of one's own clients knows none of others (caseload.shared does)"
    with pytest.raises(ScopeMissing):
        opened()
