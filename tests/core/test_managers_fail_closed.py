"""No scope, no query: every verb of every manager of every tenant model, synchronous and asynchronous, and of what hangs on a row."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import EmptyResultSet
from django.db import IntegrityError, models, transaction
from django.db.models import QuerySet

from caseload.models import Client, ClientIdentity, EmergencyAccess, Episode, SharingGrant
from caseload.models.sharing import EmergencyManager, GrantManager
from consent.models import PartnerReferral, PartnerReferralStep
from consent.models.asks import ReferralManager, StepManager
from edatrs.core.history import History
from edatrs.core.managers import TenantManager, TenantModel
from edatrs.core.scope import Actor, ScopeMissing, ScopeViolation, open_scope
from ndtms.models import Submission
from tests.core.verbs import EMPTY, SILENT, VERBS
from tests.core.world import acting_for, number_of, tenant_models, two_organisations

pytestmark = pytest.mark.django_db
NOTHING = (models.ObjectDoesNotExist, ScopeViolation, IntegrityError, AssertionError)
CREATES = {"create", "acreate", "bulk_create", "abulk_create"}
SOME = [Client, Episode, Episode.history.rel.related_model, Submission]  # type: ignore[attr-defined]  # made by pghistory


def test_every_public_method_of_a_queryset_has_its_line() -> None:
    """A new Django with a new verb fails here until somebody has looked at it."""
    public = {name for name in dir(QuerySet) if not name.startswith("_")}
    assert public == {*VERBS, *EMPTY, *SILENT}


def test_there_are_tenant_models_and_each_history_is_one() -> None:
    found = set(tenant_models())
    tracked = {m.pgh_tracked_model for m in found if issubclass(m, History)}
    assert len(found) > 30
    assert tracked and tracked < found


@pytest.mark.parametrize("partnership", [False, True], ids=["no scope", "the partnership's scope"])
def test_no_verb_of_no_manager_runs_without_an_organisation(partnership: bool) -> None:
    """Each tenant model × each verb; that the three managers are one and the same is shown below."""
    tried = 0
    answered = []

    def everything() -> None:
        nonlocal tried
        for model in tenant_models():
            for name, verb in VERBS.items():
                if not hasattr(model.objects, name) and name != "resolve_expression":
                    continue  # of querysets alone: no manager has it
                tried += 1
                try:
                    verb(model.objects, model(pk=None))
                except ScopeMissing as missing:
                    assert "scope" in str(missing)
                else:
                    answered.append((model.__name__, name))

    if partnership:
        with open_scope(actor=Actor.OPERATOR):
            everything()
    else:
        everything()
    assert answered == []
    assert tried > 30 * 50


def test_only_none_and_using_work_without_a_scope_and_they_are_empty(django_assert_num_queries: Any) -> None:
    two_organisations()
    with django_assert_num_queries(0):
        for model in tenant_models():
            for name, make in EMPTY.items():
                rows = make(model.objects)
                assert list(rows) == [] and rows.count() == 0 and not rows.exists(), name
                assert list(rows.all().filter(pk=None)) == []
                assert rows.in_bulk() == {} and rows.first() is None and rows.delete()[0] == 0
                assert VERBS["update"](rows, None) == 0


def test_what_using_gives_without_a_scope_cannot_write() -> None:
    one, rows, *_ = two_organisations()
    for model in (Client, ClientIdentity, Submission):
        empty = model.objects.using("default")
        for write in ("create", "bulk_create", "get_or_create", "update_or_create", "raw", "extra"):
            with pytest.raises(ScopeMissing):
                VERBS[write](empty, rows[model])


@pytest.mark.parametrize("model", SOME, ids=lambda m: m.__name__)
def test_a_queryset_that_outlives_its_scope_raises_at_every_verb(model: Any) -> None:
    """A stream, a template rendered late, a lazy attribute: an empty answer would not be noticed."""
    one, rows, two, _ = two_organisations()
    with acting_for(one):
        late = model.objects.order_by()
    with acting_for(two):
        foreign = model.objects.order_by()
    wrong = []
    for name, verb in VERBS.items():
        for asked, expected in ((late, ScopeMissing), (foreign, ScopeViolation)):
            if expected is ScopeViolation and name in CREATES:
                continue  # what it is asked to write is checked, not what it would have read
            try:
                with acting_for(one) if expected is ScopeViolation else transaction.atomic():
                    verb(asked, rows[model])
            except expected:
                continue
            except Exception as unexpected:  # noqa: BLE001  # all are listed together
                wrong.append((name, expected.__name__, repr(unexpected)))
            else:
                wrong.append((name, expected.__name__, "answered"))
    assert wrong == []


def test_what_hangs_on_a_row_needs_the_scope_too() -> None:
    """Forward and reverse foreign keys, one-to-one both ways, histories, deferred columns, refresh."""
    one, rows, two, _ = two_organisations()
    episode, client, submission = rows[Episode], rows[Client], rows[Submission]
    with acting_for(one):
        bare = Episode.objects.only("pk").get()
        loose = Client.objects.only("pk").get(voided_at=None)
        part = ClientIdentity.objects.get()

    def refreshed(row: Any) -> Any:
        return Episode(pk=row.pk).refresh_from_db()

    asked: dict[str, Any] = {
        "forward": lambda: Episode(registration_id=episode.registration_id).registration,
        "forward to the client": lambda: Episode(client_id=client.pk).client,
        "one to one": lambda: ClientIdentity(client_id=client.pk).client,
        "one to one, back": lambda: Client(pk=client.pk).clientidentity,
        "one to one of a submission, back": lambda: Submission(pk=submission.pk).content,
        "reverse": lambda: list(episode.interventions.all()),
        "reverse, first": lambda: client.item_rows.first(),
        "history": lambda: list(client.history.all()),
        "back from history": lambda: client.history.model(pgh_obj_id=client.pk).pgh_obj,
        "a reverse manager's create": lambda: episode.interventions.create(identifier="1", client=client),
        "a reverse manager's add": lambda: episode.interventions.add(),
        "deferred": lambda: bare.consent,
        "deferred, of the client": lambda: loose.record_number,
        "refresh": lambda: refreshed(episode),
        "refresh of a part": lambda: part.refresh_from_db(),
        "arefresh": lambda: async_to_sync(episode.arefresh_from_db)(),
        "consent acts": lambda: episode.consent_acts.exists(),
        "holding": lambda: Episode(pk=episode.pk).national_holding,
    }
    for name, ask in asked.items():
        if name == "a reverse manager's add":
            continue  # adds nothing, asks nothing
        with pytest.raises(ScopeMissing):
            ask()
        with acting_for(two), pytest.raises(NOTHING):
            found = ask()
            assert found, name  # an empty list or False: nothing of the other organisation


def test_no_row_is_written_without_a_scope_or_for_another_organisation() -> None:
    one, rows, two, foreign = two_organisations()
    for model in tenant_models():
        mine, theirs = rows[model], foreign[model]
        for row, scope, expected in (
            (mine, None, ScopeMissing),
            (theirs, one, ScopeViolation),
        ):
            for name, write in {
                "save": lambda row: row.save(),
                "asave": lambda row: async_to_sync(row.asave)(),
                "save_base": lambda row: row.save_base(raw=True, force_insert=True),
                "bulk_create": lambda row: type(row).objects.bulk_create([row]),
                "bulk_create over": lambda row: type(row).objects.bulk_create(
                    [row], update_conflicts=True, update_fields=["organisation"], unique_fields=["pk"]
                ),
                "bulk_update": lambda row: type(row).objects.bulk_update([row], ["organisation"]),
                "base": lambda row: type(row)._base_manager.bulk_create([row]),
                "update": lambda row: type(row).objects.update(organisation=row.organisation_id),
                "create": lambda row: type(row).objects.create(
                    **{f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields}
                ),
            }.items():
                inside = acting_for(scope) if scope else transaction.atomic()
                with inside, pytest.raises(expected), transaction.atomic():
                    write(row)
                    pytest.fail(f"{model.__name__}.{name} was written")
        if issubclass(model, TenantModel):
            for row, scope, expected in ((mine, None, ScopeMissing), (theirs, one, ScopeViolation)):
                inside = acting_for(scope) if scope else transaction.atomic()
                with inside, pytest.raises(expected):
                    row.delete()
                with pytest.raises(ScopeMissing):
                    async_to_sync(row.adelete)()


def test_a_forged_organisation_opens_no_row() -> None:
    """The id of another organisation's row in a row that says it is ours."""
    one, rows, two, foreign = two_organisations()
    theirs = foreign[Client]
    with acting_for(one):
        forged = Client(pk=theirs.pk, organisation_id=one.pk, person_id=theirs.person_id)
        with pytest.raises(ScopeViolation):
            forged.delete()
        with pytest.raises(ScopeViolation), transaction.atomic():
            Client.objects.bulk_create(
                [forged], update_conflicts=True, update_fields=["voided_reason"], unique_fields=["id"]
            )
        assert Client.objects.bulk_update([forged], ["voided_reason"]) == 0
        assert Client.objects.filter(pk=theirs.pk).update(voided_reason="x") == 0
        row = Client.objects.get(voided_at=None)
        row.organisation_id = two.pk
        with pytest.raises(ScopeViolation):
            row.save()
        with pytest.raises(ScopeViolation):
            Client._base_manager.filter(pk=row.pk)._update(
                [(Client._meta.get_field("organisation"), None, two.pk)]
            )
    with acting_for(two):
        assert Client.objects.get(voided_at=None).voided_reason == ""


# Seen by the organisation on the other side too, and written by one side alone (tests/access/test_sharing_matrix.py).
BOTH_SIDES = {
    SharingGrant: GrantManager,
    EmergencyAccess: EmergencyManager,
    PartnerReferral: ReferralManager,
    PartnerReferralStep: StepManager,
}


def test_every_tenant_model_has_the_one_manager_and_no_other() -> None:
    for model in tenant_models():
        names = {manager.name for manager in model._meta.managers}
        assert names == {"objects"}, model
        assert type(model.objects) is BOTH_SIDES.get(model, TenantManager), model
        assert model.objects is model._default_manager is model._base_manager, model


def test_an_empty_queryset_stays_empty_when_it_is_combined() -> None:
    one, *_ = two_organisations()
    with acting_for(one):
        own = Client.objects.all()
        assert len(Client.objects.none() | own.all()) == number_of(Client)
    with pytest.raises(ScopeMissing):
        list(Client.objects.none() | own)
    with pytest.raises(EmptyResultSet):
        str(Client.objects.none().query)
