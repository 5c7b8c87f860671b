"""Known elsewhere, the wall of the database (design sections 5 and 6): whom the function answers about, and that it gives nothing else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from django.db import DatabaseError, transaction

from caseload.models import Client, ClientIdentity, MatchKey, Person, SensitiveRecord
from caseload.services import search_index
from caseload.services.clients import restore_client, void_client
from edatrs.core import clock
from edatrs.core.embedded.roles import FUNCTIONS_OWNER
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import Agreement, Organisation
from tests.architecture.test_database_lint import READ_BY
from tests.caseload.known_elsewhere.registered import JORDAN, known_elsewhere, register
from tests.conftest import owner_connect
from tests.core.world import acting_for, in_sql
from tests.factories.organisations import make_organisation, make_person
from tests.factories.sharing import make_agreement, make_sensitive, party

pytestmark = pytest.mark.django_db
FUNCTION = "caseload_known_elsewhere(uuid)"


@pytest.fixture
def partners() -> tuple[Organisation, Organisation, Agreement]:
    """Two organisations with a protocol in force."""
    one, two = make_organisation(), make_organisation()
    return one, two, make_agreement(one, two)


Partners = tuple[Organisation, Organisation, Agreement]


def protocol_decides(partners: Partners) -> None:
    """Not without a protocol in force today: never made, not signed, over."""
    one, two, agreement = partners
    client = register(one)
    register(two)
    assert known_elsewhere(one, client)
    today = clock.today()
    for nothing in (
        {"signed_on": None, "signed_by": None, "signed_as": ""},
        {"signed_on": today + dt.timedelta(days=1)},
        {"notice_received_on": today - dt.timedelta(days=29), "leaves_on": today - dt.timedelta(days=1)},
    ):
        with transaction.atomic():
            party(agreement, two, **nothing)
            assert not known_elsewhere(one, client), nothing
            transaction.set_rollback(True)
    Agreement.objects.filter(pk=agreement.pk).update(status="draft", approved_on=None)
    assert not known_elsewhere(one, client)


def sensitive_never_matches(partners: Partners) -> None:
    """Neither is a sensitive record asked about, nor does it answer; when the flag is lifted it is as any other."""
    one, two, _ = partners
    for who in ({"forename": "Jordan"}, {"forename": "Marcus", "nhs_number": "9990000018"}):
        mine, theirs = register(one, **who), register(two, **who)
        for organisation, client in ((one, mine), (two, theirs)):
            with acting_for(organisation):
                flag = make_sensitive(client)
            assert not known_elsewhere(one, mine)
            with acting_for(organisation):
                SensitiveRecord.objects.filter(pk=flag.pk).update(lifted_at=clock.now())
            assert known_elsewhere(one, mine)


def own_client_only(partners: Partners) -> None:
    """Of another organisation's client nothing is said, and nothing without an organisation, or of nobody."""
    one, two, _ = partners
    mine, theirs = register(one), register(two)
    register(two)
    assert known_elsewhere(one, mine) and known_elsewhere(two, theirs)
    assert not known_elsewhere(one, theirs)
    assert not known_elsewhere(one, uuid4())
    assert in_sql(f"SELECT {FUNCTION.replace('uuid', '%s')}", mine.pk) == [(False,)]


def test_a_partner_knows_them_only_under_a_protocol_in_force(partners: Partners) -> None:
    protocol_decides(partners)


def test_a_sensitive_record_neither_asks_nor_answers(partners: Partners) -> None:
    sensitive_never_matches(partners)


def test_only_ones_own_client_is_answered_about(partners: Partners) -> None:
    own_client_only(partners)


def test_access_ends_with_the_last_day_of_the_notice(partners: Partners) -> None:
    one, two, agreement = partners
    mine = register(one)
    register(two)
    party(agreement, two, notice_received_on=dt.date(2026, 11, 1), leaves_on=dt.date(2026, 11, 29))
    with clock.frozen(dt.datetime(2026, 11, 29, 23, 59, tzinfo=dt.UTC)):
        assert known_elsewhere(one, mine)
    with clock.frozen(dt.datetime(2026, 11, 30, 0, 0, tzinfo=dt.UTC)):
        assert not known_elsewhere(one, mine)


def test_a_third_organisation_without_protocol_is_not_looked_at(partners: Partners) -> None:
    one, _, _ = partners
    mine = register(one)
    register(make_organisation())
    assert not known_elsewhere(one, mine)


def test_one_of_ones_own_is_not_elsewhere(partners: Partners) -> None:
    one, _, _ = partners
    mine = register(one)
    register(one)
    assert not known_elsewhere(one, mine)


def test_who_is_linked_already_is_not_asked_about(partners: Partners) -> None:
    one, two, _ = partners
    person = Person.objects.create()
    mine, theirs = register(one, person=person), register(two, person=person)
    assert not known_elsewhere(one, mine)
    with acting_for(two):
        Client.objects.filter(pk=theirs.pk).update(person=Person.objects.create())
    assert known_elsewhere(one, mine), "unlinked, and the key followed"


def test_a_voided_record_neither_asks_nor_answers(partners: Partners) -> None:
    one, two, _ = partners
    mine, theirs = register(one), register(two)
    person = make_person(one, two)
    for organisation, client in ((one, mine), (two, theirs)):
        with acting_for(organisation):
            void_client(client=client, reason="A trial entry", acting_user=person)
        assert not known_elsewhere(one, mine)
        with acting_for(organisation):
            restore_client(client=client, acting_user=person)
        assert known_elsewhere(one, mine)


def test_the_flag_of_somebody_who_may_not_find_the_record_counts_at_once(partners: Partners) -> None:
    """Who flags a record and is not of its named team does not find it in the next moment: its key must follow all the same."""
    one, two, _ = partners
    mine, theirs = register(one), register(two)
    flagging = make_person(two)
    with open_scope(actor=Actor.PERSON, organisation_id=two.pk, person_id=flagging.pk, person_label="flags"):
        make_sensitive(theirs)
        assert in_sql("SELECT count(*) FROM caseload_matchkey") == [(0,)], "hidden from the person"
    assert not known_elsewhere(one, mine)


def test_a_key_that_is_made_later_knows_of_the_flag(partners: Partners) -> None:
    one, two, _ = partners
    mine = register(one)
    with acting_for(two):
        theirs = Client.objects.create(person=Person.objects.create())
        ClientIdentity.objects.create(client=theirs, **JORDAN)
        make_sensitive(theirs)
        search_index.refresh([theirs.pk])
        assert MatchKey.objects.get(pk=theirs.pk).sensitive
    assert not known_elsewhere(one, mine)


def test_changed_details_are_compared_at_once(partners: Partners) -> None:
    one, two, _ = partners
    mine, theirs = register(one), register(two, surname="Fenwick", forename="Marcus")
    assert not known_elsewhere(one, mine)
    with acting_for(two):
        ClientIdentity.objects.filter(pk=theirs.pk).update(surname="Ashby", forename="Jordan")
        search_index.refresh([theirs.pk])
    assert known_elsewhere(one, mine)


# ---- what the role that serves requests sees ------------------------------------------------------------------------


def test_the_application_sees_no_key_of_another_organisation(partners: Partners) -> None:
    one, two, _ = partners
    register(one)
    theirs = register(two)
    with acting_for(one):
        assert in_sql(
            "SELECT count(*), count(*) FILTER (WHERE organisation_id = %s) FROM caseload_matchkey", one.pk
        ) == [(1, 1)]
        assert not MatchKey.objects.filter(pk=theirs.pk).exists()
        assert not ClientIdentity.objects.filter(pk=theirs.pk).exists()


def test_the_owner_is_not_the_matcher_by_being_a_member(partners: Partners) -> None:
    assert in_sql("SELECT pg_has_role('owner', 'matcher', 'USAGE')") == [(True,)]
    one, two, _ = partners
    register(one)
    register(two)
    definitions = in_sql(
        "SELECT polname, pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polrelid = 'caseload_matchkey'::regclass"
    )
    for name, using in definitions:
        if name in ("matching", "follows"):
            assert "CURRENT_USER" in using.upper() and "matcher" in using


def test_who_may_call_what(partners: Partners) -> None:
    def may(role: str, function: str) -> bool:
        return bool(in_sql("SELECT has_function_privilege(%s, %s, 'EXECUTE')", role, function)[0][0])

    logins = ("app", "aggregate", "report", "verifier", "destroyer")
    assert [role for role in logins if may(role, FUNCTION)] == ["app"]
    inner = [
        "caseload_is_typo(text, text)",
        "caseload_name_level(text[], text[], text[], text[], text[], text[])",
        "caseload_near_dates(date)",
        "caseload_match_key_follows()",
    ]
    assert [(role, f) for role in logins for f in inner if may(role, f)] == []
    granted = in_sql(
        "SELECT p.proname FROM pg_proc p, aclexplode(p.proacl) a WHERE a.grantee = 0 AND p.proname = ANY(%s)",
        [f.partition("(")[0] for f in (FUNCTION, *inner)],
    )
    assert granted == [], "not for everybody"


def test_the_function_is_the_matchers_and_answers_yes_or_no() -> None:
    ((owner, definer, result, arguments, config, login),) = in_sql(
        "SELECT r.rolname, p.prosecdef, pg_get_function_result(p.oid), pg_get_function_arguments(p.oid), p.proconfig::text, r.rolcanlogin "
        "FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner WHERE p.oid = %s::regprocedure",
        FUNCTION,
    )
    assert (owner, definer, result, arguments, login) == ("matcher", True, "boolean", "asked uuid", False)
    assert "search_path=pg_catalog, public, pg_temp" in config


def test_the_matcher_reads_one_table_of_clients_and_what_other_functions_of_its_own_need() -> None:
    held = in_sql(
        "SELECT DISTINCT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') "
        "AND (has_table_privilege('matcher', c.oid, 'SELECT') OR has_any_column_privilege('matcher', c.oid, 'SELECT'))"
    )
    of_others = set(READ_BY[FUNCTIONS_OWNER]) | {"caseload_person"}
    assert {name for (name,) in held} <= of_others | {
        "caseload_matchkey",
        "organisations_agreement",
        "organisations_agreementparty",
    }
    changed = in_sql(
        "SELECT a.attname FROM pg_attribute a WHERE a.attrelid = 'caseload_matchkey'::regclass AND a.attnum > 0 "
        "AND has_column_privilege('matcher', a.attrelid, a.attnum, 'UPDATE') ORDER BY 1"
    )
    assert [name for (name,) in changed] == ["of_person", "sensitive", "voided"]


def test_an_error_of_the_function_says_nothing_of_anybody(partners: Partners) -> None:
    one, two, _ = partners
    theirs = register(two)
    with acting_for(one), pytest.raises(DatabaseError) as raised, transaction.atomic():
        in_sql("SELECT caseload_known_elsewhere(%s::text::uuid)", "no id")
    assert str(theirs.pk) not in str(raised.value) and "Ashby" not in str(raised.value)


# ---- mutants: each condition taken out is noticed by the very test above ----------------------------------------------


@contextmanager
def without(condition: str, instead: str) -> Iterator[None]:
    """The function with a condition taken out, as it would be after a mistake in a migration; put back afterwards."""
    (whole,) = in_sql("SELECT pg_get_functiondef(%s::regprocedure)", FUNCTION)[0]
    assert condition in whole, condition
    with owner_connect() as owner:
        owner.execute(whole.replace(condition, instead))
        try:
            yield
        finally:
            owner.execute(whole)


ELIGIBLE = "AND NOT k.voided AND NOT k.sensitive AND k.of_person <> own.of_person"
OPEN = ELIGIBLE.replace(" AND NOT k.sensitive", "")
MUTANTS = {
    "protocol": (
        protocol_decides,
        "FROM organisations_partners_in_force() AS partner",
        "FROM (SELECT DISTINCT organisation_id AS partner FROM caseload_matchkey WHERE organisation_id <> ours) others",
    ),
    "own sensitive": (
        sensitive_never_matches,
        "k.organisation_id = ours AND NOT k.voided AND NOT k.sensitive",
        "k.organisation_id = ours AND NOT k.voided",
    ),
    "their sensitive": (sensitive_never_matches, f"{ELIGIBLE}\n          AND (own", f"{OPEN}\n          AND (own"),
    "their sensitive, by NHS number": (
        sensitive_never_matches,
        f"{ELIGIBLE}\n    ) THEN",
        f"{OPEN}\n    ) THEN",
    ),
    "own client": (own_client_only, "WHERE k.client_id = asked AND k.organisation_id = ours AND", "WHERE k.client_id = asked AND"),
}  # fmt: skip


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_condition_taken_out_is_noticed(mutant: str) -> None:
    noticing, condition, instead = MUTANTS[mutant]
    one, two = make_organisation(), make_organisation()
    agreement = make_agreement(one, two)
    with without(condition, instead), pytest.raises(AssertionError), transaction.atomic():
        noticing((one, two, agreement))
    with transaction.atomic():
        noticing((one, two, agreement))
