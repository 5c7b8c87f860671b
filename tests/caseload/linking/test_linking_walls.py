"""Linking, the wall of the database: nothing of a partner is written but through the functions, and they refuse what must not be.

Each refusal has a mutant: the function without the condition, as after a mistake in a migration, is noticed by the very check.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from audit.models import AuditEvent
from caseload import search, selectors
from caseload.linked import LinkProblem
from caseload.models import Client, ClientContact, LinkSide, MatchKey, NamedTeamMember, SensitiveRecord
from caseload.services import linked_records, protection, search_index
from caseload.services.linked_records import call
from edatrs.core import clock
from edatrs.organisations.models import AgreementParty, Job, Task
from tests.caseload.linking.two_sides import Side, linked, sides
from tests.conftest import owner_connect
from tests.core.world import in_sql
from tests.factories.sharing import make_agreement, make_sensitive

pytestmark = pytest.mark.django_db
OURS = "nullif(current_setting('app.organisation', true), '')::uuid"


def leave(side: Side) -> None:
    """The notice of an organisation is over."""
    AgreementParty.objects.filter(organisation=side.organisation).update(
        leaves_on=clock.today() - dt.timedelta(days=1)
    )


def settled(side: Side) -> str:
    """What the function says of a side's latest proposal, asked by its own organisation; why it refuses."""
    with side.acting():
        row = LinkSide.objects.filter(client=side.client).latest("asked_at")
        return _said("SELECT caseload_link_settle(%s)", row.pk)


def _said(statement: str, *params: Any) -> str:
    try:
        rows = call(statement, *params)
    except LinkProblem as problem:
        return problem.code
    return str(rows[0][0]) if rows else ""


# ---- what must hold; each of these is run against mutants too ---------------------------------------------------------


def nothing_is_linked_before_everybody_agreed() -> None:
    """The one that asks cannot settle it alone."""
    mill, hope = sides("mill", "hope")
    mill.ask(hope)
    assert settled(mill) == "open"
    assert mill.person() != hope.person()


def a_side_that_only_one_calls_linked_is_none() -> None:
    """Whoever writes in its own side that it is linked, reaches nothing, also where an import made one person of both."""
    mill, hope = sides("mill", "hope")
    with hope.acting():
        Client.objects.filter(pk=hope.client.pk).update(person_id=mill.person())
    mill.ask(hope)
    with mill.acting():
        LinkSide.objects.update(state="linked", linked_at=clock.now(), person_before=mill.person())
        assert linked_records.of_client(mill.client.pk) == []
    mill.change(phone="0200")
    assert hope.value("phone") == "0100"


def without_a_protocol_nothing_is_linked() -> None:
    """It is looked at when the last one agrees, not when it was asked."""
    mill, hope = sides("mill", "hope")
    mill.ask(hope)
    leave(mill)
    with pytest.raises(LinkProblem) as refused:
        hope.answer()
    assert refused.value.code == "protocol"
    assert mill.person() != hope.person() and hope.states() == ["open"]
    assert hope.open_side().answer == "", "the answer is not kept either"


def without_a_protocol_nothing_is_copied() -> None:
    """The rows stay, the line goes, and nothing is written any more, in either direction."""
    mill, hope = linked("mill", "hope")
    leave(mill)
    mill.change(phone="0200")
    assert hope.value("phone") == "0100"
    hope.change("identity", surname="Marsh")
    assert mill.value("surname", "identity") == "Ashby"
    with hope.acting():
        assert linked_records.also_at(hope.client.pk) == []


def nobody_settles_or_reads_the_side_of_another() -> None:
    """By the id of somebody else's side or client nothing is told and nothing done."""
    mill, hope, quay = sides("mill", "hope", "quay")
    side = mill.ask(hope)
    hope.answer()
    with quay.acting():
        assert _said("SELECT caseload_link_settle(%s)", side.pk) == "gone"
        assert linked_records.of_client(mill.client.pk) == []
        assert call("SELECT client FROM caseload_link_told(%s)", side.pk) == []
        assert call("SELECT field FROM caseload_link_compare(%s)", side.pk) == []
        assert _said("SELECT caseload_unlink(%s)", mill.client.pk) == "gone"
        assert _said("SELECT caseload_relink(%s)", mill.client.pk) == "late"
        assert _said("SELECT caseload_swap_person(%s, %s)", mill.client.pk, quay.client.pk) == "gone"
        fields = ["phone"]
        assert (
            call("SELECT * FROM caseload_copy_to_linked(%s, 'contact', %s::text[])", mill.client.pk, fields)
            == []
        )
    assert mill.person() == hope.person()


def a_sensitive_record_is_not_linked() -> None:
    """Marked after it was asked: who is in the team may not agree either."""
    mill, hope = sides("mill", "hope")
    mill.ask(hope)
    with hope.acting():
        make_sensitive(hope.client, hope.manager)
    with pytest.raises(LinkProblem) as refused:
        hope.answer()
    assert refused.value.code == "sensitive" and mill.person() != hope.person()


def contact_of_a_sensitive_record_is_not_copied() -> None:
    """Neither from it nor to it; a name still is, since both are for their teams alone."""
    mill, hope = linked("mill", "hope")
    with hope.acting():
        make_sensitive(hope.client, hope.manager)
    mill.change(phone="0200")
    hope.change(town="Wivenhoe")
    mill.change("identity", surname="Marsh")
    assert (hope.value("phone"), mill.value("town")) == ("0100", "")
    assert hope.value("surname", "identity") == "Marsh"


def another_record_is_not_put_in_its_place() -> None:
    """Who asked about one of its records cannot have another one linked."""
    mill, hope = sides("mill", "hope")
    mill.ask(hope)
    with mill.acting():
        other = Client.objects.create(person=Client.objects.get().person.__class__.objects.create())
        LinkSide.objects.update(client=other)
    with pytest.raises(LinkProblem) as refused:
        hope.answer()
    assert refused.value.code == "changed"


def who_was_not_asked_is_not_linked() -> None:
    """A third record that came to be of the person meanwhile (a load of the operator) was asked by nobody."""
    mill, hope, quay = sides("mill", "hope", "quay")
    mill.ask(hope)
    with quay.acting():
        Client.objects.filter(pk=quay.client.pk).update(person_id=hope.person())
    with pytest.raises(LinkProblem) as refused:
        hope.answer()
    assert refused.value.code == "changed" and mill.person() != hope.person()


def an_old_unlinking_stays() -> None:
    """The undo ends after 30 days."""
    now = clock.now()
    with clock.frozen(now):
        mill, hope = linked("mill", "hope")
        mill.unlink()
    with clock.frozen(now + dt.timedelta(days=30, minutes=1)), pytest.raises(LinkProblem) as refused:
        mill.undo()
    assert refused.value.code == "late" and mill.person() != hope.person()


def what_was_linked_since_is_not_undone() -> None:
    """The partner is linked with somebody else by now."""
    now = clock.now()
    with clock.frozen(now):
        mill, hope, quay = sides("mill", "hope", "quay")
        mill.ask(hope)
        hope.answer()
    with clock.frozen(now + dt.timedelta(hours=1)):
        mill.unlink()
    with clock.frozen(now + dt.timedelta(hours=2)):
        hope.ask(quay)
        quay.answer()
        with pytest.raises(LinkProblem) as refused:
            mill.undo()
    assert refused.value.code == "changed" and mill.person() != hope.person()


CHECKS: tuple[Callable[[], None], ...] = (
    nothing_is_linked_before_everybody_agreed,
    a_side_that_only_one_calls_linked_is_none,
    without_a_protocol_nothing_is_linked,
    without_a_protocol_nothing_is_copied,
    nobody_settles_or_reads_the_side_of_another,
    a_sensitive_record_is_not_linked,
    contact_of_a_sensitive_record_is_not_copied,
    another_record_is_not_put_in_its_place,
    who_was_not_asked_is_not_linked,
    an_old_unlinking_stays,
    what_was_linked_since_is_not_undone,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_it_holds(check: Callable[[], None]) -> None:
    check()


# ---- mutants ----------------------------------------------------------------------------------------------------------


@contextmanager
def without(function: str, *changes: tuple[str, str]) -> Iterator[None]:
    """A function with conditions taken out; put back afterwards."""
    (whole,) = in_sql("SELECT pg_get_functiondef(%s::regprocedure)", function)[0]
    mutated = whole
    for condition, instead in changes:
        assert condition in mutated, condition
        mutated = mutated.replace(condition, instead)
    with owner_connect() as owner:
        owner.execute(mutated)
        try:
            yield
        finally:
            owner.execute(whole)


SETTLE, LINKED, PROBLEM = (
    "caseload_link_settle(uuid)",
    "caseload_linked(uuid)",
    "caseload_link_problem(uuid[])",
)
COPY, RELINK = "caseload_copy_to_linked(uuid,text,text[])", "caseload_relink(uuid)"
MUTANTS: dict[str, tuple[Callable[[], None], str, tuple[tuple[str, str], ...]]] = {
    "every answer": (
        nothing_is_linked_before_everybody_agreed,
        SETTLE,
        (("AND s.answer <> 'agreed'", "AND false"), ("SET state = 'linked', l", "SET answer = 'agreed', state = 'linked', l")),
    ),
    "both sides": (a_side_that_only_one_calls_linked_is_none, LINKED, (("AND theirs.state = 'linked'", ""),)),
    "protocol at linking": (
        without_a_protocol_nothing_is_linked,
        PROBLEM,
        (("IF NOT caseload_share_all(organisations) THEN", "IF false THEN"),),
    ),
    "protocol at copying": (
        without_a_protocol_nothing_is_copied,
        LINKED,
        (("AND k.organisation_id = ANY (ARRAY(SELECT partner FROM organisations_partners_in_force() AS partner))", ""),),
    ),
    "own side": (nobody_settles_or_reads_the_side_of_another, SETTLE, ((f"AND s.organisation_id = {OURS}", ""),)),
    "own client": (nobody_settles_or_reads_the_side_of_another, LINKED, ((f"AND own.organisation_id = {OURS}", ""),)),
    "sensitive": (
        a_sensitive_record_is_not_linked,
        PROBLEM,
        (("IF EXISTS (SELECT FROM unnest(members) m WHERE", "IF EXISTS (SELECT FROM unnest(members) m WHERE false AND"),),
    ),
    "contact of a sensitive record": (
        contact_of_a_sensitive_record_is_not_copied,
        COPY,
        (("CONTINUE WHEN part = 'contact' AND", "CONTINUE WHEN false AND"),),
    ),
    "the record asked about": (
        another_record_is_not_put_in_its_place,
        SETTLE,
        (("s.other_client IS DISTINCT FROM t.client_id", "false"),),
    ),
    "nobody else": (
        who_was_not_asked_is_not_linked,
        SETTLE,
        (("IF NOT (members <@ clients AND clients <@ members) THEN", "IF false THEN"),),
    ),
    "thirty days": (an_old_unlinking_stays, RELINK, (("interval '30 days'", "interval '300 days'"),)),
    "nothing linked since": (
        what_was_linked_since_is_not_undone,
        RELINK,
        (
            ("members IS NULL OR NOT (members <@ rest AND rest <@ members)", "false"),
            ("s.linked_at > latest.ended_at", "false"),
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_condition_taken_out_is_noticed(mutant: str) -> None:
    check, function, changes = MUTANTS[mutant]
    with (
        without(function, *changes),
        pytest.raises((AssertionError, pytest.fail.Exception)),
        transaction.atomic(),
    ):
        check()


# ---- nothing else writes at a partner -----------------------------------------------------------------------------------


def test_one_organisation_writes_nothing_of_another_by_sql() -> None:
    mill, hope = linked("mill", "hope")
    with hope.acting():
        theirs = LinkSide.objects.get().pk
    with mill.acting():
        for statement, param in (
            (
                "UPDATE caseload_clientcontact SET phone = 'x' WHERE client_id = %s RETURNING 1",
                hope.client.pk,
            ),
            (
                "UPDATE caseload_clientidentity SET surname = 'x' WHERE client_id = %s RETURNING 1",
                hope.client.pk,
            ),
            ("UPDATE caseload_client SET person_id = id WHERE id = %s RETURNING 1", hope.client.pk),
            ("UPDATE caseload_linkside SET state = 'ended' WHERE id = %s RETURNING 1", theirs),
            ("SELECT 1 FROM caseload_linkside WHERE id = %s", theirs),
        ):
            assert in_sql(statement, param) == [], statement
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            in_sql(
                "INSERT INTO caseload_linkside (organisation_id, client_id, proposal, asked_by_organisation_id, asked_by, asked_by_label, "
                "asked_at, reason, other_organisation_id, other_client) SELECT %s, %s, proposal, asked_by_organisation_id, asked_by, "
                "asked_by_label, asked_at, reason, other_organisation_id, other_client FROM caseload_linkside",
                hope.organisation.pk,
                hope.client.pk,
            )
    assert (hope.value("phone"), hope.states()) == ("0100", ["linked"])


def test_a_flag_raised_on_one_is_raised_on_every_linked_record() -> None:
    mill, hope, quay = linked("mill", "hope", "quay")
    with mill.acting(mill.manager, "team_manager"):
        protection.flag_sensitive(
            client=mill.client, kind="relative", reason="Our own words", acting_user=mill.manager
        )
    for side in (hope, quay):
        with side.acting():
            flag = SensitiveRecord.objects.get(client=side.client)
            assert flag.lifted_at is None and "Our own words" not in flag.reason
            assert not NamedTeamMember.objects.exists()
        assert side.browser().get(f"/o/{side.organisation.slug}/clients/{side.client.pk}/").status_code == 404
        (task,) = Task.objects.filter(organisation=side.organisation, words__contains="is sensitive now")
        assert task.role == "information_governance" and str(side.client) in task.words
    hope_page = hope.browser(hope.officer).get("/o/hope/protection/").content.decode()
    assert str(hope.client) in hope_page


def test_a_flag_is_not_raised_without_a_protocol() -> None:
    mill, hope = linked("mill", "hope")
    leave(hope)
    with mill.acting(mill.manager, "team_manager"):
        protection.flag_sensitive(client=mill.client, kind="staff", reason="x", acting_user=mill.manager)
    with hope.acting():
        assert not SensitiveRecord.objects.exists()


def test_what_is_copied_is_on_both_trails_and_in_the_history_with_the_act() -> None:
    mill, hope = linked("mill", "hope")
    mill.change(phone="0200", town="Wivenhoe")
    chains = []
    for side in (mill, hope):
        with side.acting():
            (event,) = AuditEvent.objects.filter(name="caseload.client.copied_from_partner")
            assert event.subject == str(hope.client.pk) and event.details["what"] == ["phone", "town"]
            chains.append(event.event_id)
    assert chains[0] == chains[1], "one disclosure, one event id, in both chains"
    with hope.acting():
        row = ClientContact.objects.get(client=hope.client)
        assert row.act == event.act and row.history.get(version=row.version - 1).phone == "0100"
    (job,) = Job.objects.filter(kind="caseload.refresh_linked")
    assert (job.organisation_id, job.subject) == (hope.organisation.pk, hope.client.pk)


def test_the_partner_finds_the_record_by_its_new_name_once_the_job_has_run() -> None:
    mill, hope = linked("mill", "hope")
    mill.change("identity", surname="Quillfeather")
    with hope.acting(hope.keyworker, "keyworker"):
        asked = search.read_query("Quillfeather")
        assert selectors.search(asked) == []
    (job,) = Job.objects.filter(kind=linked_records.REFRESH)
    for _ in range(2):
        linked_records.refresh_linked(job_lease(job))
    with hope.acting(hope.keyworker, "keyworker"):
        assert [found.client.pk for found in selectors.search(asked)] == [hope.client.pk]


def job_lease(job: Job) -> Any:
    """What a worker holds of it."""
    return SimpleNamespace(organisation_id=job.organisation_id, subject=job.subject)


def test_every_act_that_wrote_a_row_stands_on_the_chain_of_the_rows_organisation() -> None:
    mill, hope, quay = linked("mill", "hope", "quay")
    mill.change(phone="0200")
    hope.unlink()
    hope.undo()
    with mill.acting(mill.manager, "team_manager"):
        protection.flag_sensitive(client=mill.client, kind="staff", reason="x", acting_user=mill.manager)
    tables = ("client", "clientcontact", "linkside", "sensitiverecord")
    for side in (mill, hope, quay):
        with side.acting():
            # Its own rows: those of the others are shared with it, and stand on their chains.
            own = "WHERE organisation_id = %s AND act IS NOT NULL"
            found = [
                in_sql(f"SELECT act FROM caseload_{table} {own}", side.organisation.pk) for table in tables
            ]  # noqa: S608
            wrote = {act for rows in found for (act,) in rows}
            told = set(AuditEvent.objects.values_list("act", flat=True))
        assert wrote and wrote <= told, side.organisation.slug


def test_only_what_was_changed_is_copied() -> None:
    """What differed when they were linked stays until somebody changes it; nothing is emptied by a neighbour's change."""
    mill, hope = Side("mill", nhs_number=""), Side("hope", nhs_number="9990142076")
    make_agreement(mill.organisation, hope.organisation)
    hope.share_with(mill)
    mill.ask(hope)
    hope.answer()
    mill.change("identity", surname="Marsh")
    assert hope.value("surname", "identity") == "Marsh"
    assert hope.value("nhs_number", "identity") == "9990142076"
    assert mill.value("nhs_number", "identity") == ""


def test_the_key_of_known_elsewhere_follows_in_every_organisation_of_the_group() -> None:
    """Who agrees last changes the person of the others' records too: their keys must follow, or they are told of each other for ever."""
    mill, hope, quay = group = sides("mill", "hope", "quay")
    for side in group:
        with side.acting():
            search_index.refresh([side.client.pk])
            assert MatchKey.objects.get(pk=side.client.pk).of_person == side.person()
    mill.ask(hope)
    hope.answer()
    mill.ask(quay)
    quay.answer()
    hope.answer()
    assert mill.person() == hope.person() == quay.person()
    for side in group:
        with side.acting():
            assert MatchKey.objects.get(pk=side.client.pk).of_person == side.person()
