"""A partner that left the protocol: from London's midnight two roles read and export its records, until the certificate (access.md).

`tests/access/access.csv` says what each role may do otherwise; what is expected here is written from `access.md`, not from the code.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from typing import Any

import pytest
from django.db import transaction
from django.test import Client as Browser
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.models import AuditEvent
from caseload.models import ClientIdentity
from edatrs.core import access, clock
from edatrs.core.scope import Actor
from edatrs.organisations import left
from edatrs.organisations.left import Left, Term, left_on
from edatrs.organisations.models import AgreementParty, Organisation, User
from tests.access import tables
from tests.access.tables import ROLES
from tests.access.tables import letters as table
from tests.access.test_two_tabs import path_of
from tests.access.world import make_world
from tests.core.world import acting_for
from tests.factories.caseload import make_client, make_episode, make_part, make_registration, make_service
from tests.factories.organisations import make_organisation, make_person, sign_in
from tests.factories.sharing import make_agreement, party

# Ahead of today, so that everybody's roles have begun. LAST is a day on which the clocks go back.
FIRST, LAST = dt.date(2027, 3, 1), dt.date(2027, 10, 31)
AFTER = LAST + dt.timedelta(days=1)
# Of one's own clients, what looks and what takes out: everything else with letter O changes something.
LOOKS = {
    "client.find",
    "client.view",
    "caseload.view",
    "note.read",
    "trail.client",
    "list.export",
    "quality.list",
    "grant.view",
}
READERS = {"team_manager", "information_governance"}
# Acts of the organisation that gather or change what is known of clients.
GATHER = {
    "import.caseload",
    "extract.build",
    "extract.preview",
    "extract.download",
    "extract.confirm",
    "client.link",
}


# ---- the rule ----------------------------------------------------------------------------------------------------


def term(
    begins: dt.date | None = FIRST,
    leaves: dt.date | None = None,
    ended: dt.date | None = None,
    certificate: dt.date | None = None,
) -> Term:
    """A term that began unless told otherwise."""
    return Term(begins, leaves, ended, certificate)


@pytest.mark.parametrize(
    ("terms", "found"),
    [
        ([], None),
        ([term(begins=None)], None),
        ([term()], None),
        ([term(leaves=AFTER)], None),
        ([term(leaves=LAST)], Left(LAST)),
        ([term(leaves=LAST, certificate=AFTER)], Left(LAST, AFTER)),
        ([term(leaves=LAST, certificate=AFTER + dt.timedelta(days=1))], Left(LAST)),
        ([term(leaves=LAST), term()], None),
        ([term(leaves=LAST), term(begins=None)], Left(LAST)),
        ([term(begins=AFTER, leaves=LAST)], None),
        ([term(ended=LAST)], None),
        ([term(leaves=LAST, ended=LAST)], Left(LAST)),
        ([term(leaves=LAST, ended=FIRST)], None),
        ([term(leaves=FIRST, certificate=FIRST), term(ended=LAST)], None),
        ([term(ended=FIRST), term(leaves=LAST)], Left(LAST)),
        ([term(leaves=LAST, certificate=LAST), term(leaves=LAST)], Left(LAST)),
        ([term(leaves=LAST), term(begins=AFTER + dt.timedelta(days=9))], None),
    ],
    ids=str,
)
def test_the_table_of_terms(terms: list[Term], found: Left | None) -> None:
    """On the day after LAST."""
    assert left_on(terms, AFTER) == found


DAYS = st.dates(dt.date(2026, 1, 1), dt.date(2026, 2, 20))
TERMS = st.builds(Term, st.none() | DAYS, st.none() | DAYS, st.none() | DAYS, st.none() | DAYS)


@settings(max_examples=150, deadline=None)
@given(st.lists(TERMS, max_size=3), DAYS)
def test_whoever_left_is_in_no_agreement_and_gave_notice_last(terms: list[Term], day: dt.date) -> None:
    found = left_on(terms, day)
    bound = [t for t in terms if t.commenced]
    if found is None:
        holds = any(t.last_day is None or day <= t.last_day for t in bound)
        last = max((t.last_day for t in bound if t.last_day), default=None)
        assert holds or not bound or any(t.last_day == last and not t.by_notice for t in bound)
        return
    assert all(t.last_day is not None and t.last_day < day for t in bound)
    assert any(t.leaves_on == found.last_day for t in bound)
    assert left_on([*terms, Term(day)], day) is None, "whoever joins another is not out"


# ---- in the database and over HTTP -------------------------------------------------------------------------------


class Scene:
    """A partner with somebody in every role and a client, in an agreement that it has given notice to."""

    def __init__(self) -> None:
        self.home, other = make_organisation("open-road", name="Open Road"), make_organisation("mill-street")
        self.agreement = make_agreement(self.home, other, signed_on=FIRST, approved_on=FIRST)
        party(self.agreement, self.home, notice_received_on=FIRST, leaves_on=LAST)
        service = make_service(self.home)
        self.people: dict[str, User] = {role: make_person(self.home, role=role) for role in ROLES}
        with acting_for(self.home, actor=Actor.OPERATOR):
            self.client = make_client()
            make_part(ClientIdentity, self.client, forename="Leanne", surname="Marsh")
            make_episode(registration=make_registration(client=self.client, service=service))

    def at(self, role: str, path: str, *, post: dict[str, Any] | None = None) -> Any:
        """What somebody is answered now, signed in anew."""
        browser = sign_in(Browser(), self.people[role])
        address = f"/o/open-road/{path}"
        return browser.get(address) if post is None else browser.post(address, post)

    def view(self) -> str:
        """The client's page."""
        return f"clients/{self.client.pk}/"


def midnight(day: dt.date) -> dt.datetime:
    """The beginning of a London day."""
    return dt.datetime.combine(day, dt.time(), clock.LONDON)


@pytest.mark.django_db
def test_it_begins_at_londons_midnight_and_ends_with_the_certificate() -> None:
    scene = Scene()
    second = dt.timedelta(seconds=1)
    for instant, keyworker, manager in (
        (midnight(AFTER) - second, 200, 200),
        (midnight(AFTER), 403, 200),
    ):
        with clock.frozen(instant):
            assert scene.at("keyworker", scene.view()).status_code == keyworker, instant
            assert scene.at("team_manager", scene.view()).status_code == manager, instant
    party(scene.agreement, scene.home, certificate_on=AFTER + dt.timedelta(days=3))
    with clock.frozen(midnight(AFTER + dt.timedelta(days=3)) - second):
        assert scene.at("team_manager", scene.view()).status_code == 200
    with clock.frozen(midnight(AFTER + dt.timedelta(days=3))):
        for role in ROLES:
            assert scene.at(role, scene.view()).status_code in (403, 404), role
            assert scene.at(role, "exports/new/").status_code in (403, 404), role


@pytest.mark.django_db
def test_a_manager_reads_and_exports_and_changes_nothing() -> None:
    scene = Scene()
    with clock.frozen(midnight(AFTER)):
        for path in (
            "clients/",
            "caseload/",
            scene.view(),
            f"{scene.view()}details/",
            "exports/",
            "exports/new/",
        ):
            page = scene.at("team_manager", path)
            assert page.status_code == 200, path
            assert "left the sharing agreement" in page.content.decode(), path
        details = scene.at("team_manager", f"{scene.view()}details/").content.decode()
        assert 'details/identity/"' not in details, "no way to change anything is shown"
        for path in (
            f"{scene.view()}details/identity/",
            f"{scene.view()}void/",
            f"{scene.view()}merge/",
            "clients/new/",
            "caseload/allocation/",
            "shared/",
        ):
            for answer in (scene.at("team_manager", path), scene.at("team_manager", path, post={"x": "1"})):
                assert answer.status_code == 403, path
                assert "left the sharing agreement" in answer.content.decode()
        with acting_for(scene.home, actor=Actor.OPERATOR):
            refused = AuditEvent.objects.filter(name="access.refused").last()
    assert refused is not None and refused.details["why"] == "partner left the protocol"


@pytest.mark.django_db
def test_the_file_is_handed_out_until_the_certificate() -> None:
    scene = Scene()
    sent = {
        "columns_record": ["record"],
        "purpose": "hand_over",
        "reason": "We leave",
        "hours": "24",
        "leaves": "stays",
        "confirm": "1",
        "export": str(uuid.uuid4()),
    }
    with clock.frozen(midnight(AFTER)):
        made = scene.at("team_manager", "exports/new/", post=sent)
        assert made.status_code == 302
        page = made.headers["Location"].removeprefix("/o/open-road/")
        assert scene.at("team_manager", f"{page}file/", post={}).status_code == 200
        party(scene.agreement, scene.home, certificate_on=AFTER)
        assert scene.at("team_manager", f"{page}file/", post={}).status_code == 403


@pytest.mark.django_db
def test_what_holds_no_client_data_goes_on_and_strangers_see_no_banner() -> None:
    scene = Scene()
    with clock.frozen(midnight(AFTER)):
        assert scene.at("organisation_administrator", "people/").status_code == 200
        assert scene.at("information_governance", "trail/").status_code == 200
        assert "left the sharing agreement" in scene.at("keyworker", "").content.decode()
        other = sign_in(Browser(), make_person(Organisation.objects.get(slug="mill-street")))
        assert "left the sharing agreement" not in other.get("/o/mill-street/clients/").content.decode()
        assert other.get(f"/o/open-road/{scene.view()}").status_code == 404


@pytest.mark.django_db
def test_an_absent_client_and_a_present_one_answer_alike_to_who_may_not_read_any_more() -> None:
    scene = Scene()
    with clock.frozen(midnight(AFTER)):
        there, absent = (scene.at("keyworker", f"clients/{pk}/") for pk in (scene.client.pk, uuid.uuid4()))
    assert (there.status_code, absent.status_code) == (403, 403)
    assert "Leanne" not in there.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["reads", "closed"])
def test_every_act_of_every_role_is_what_access_md_says(state: str) -> None:
    scene = Scene()
    if state == "closed":
        party(scene.agreement, scene.home, certificate_on=AFTER)
    asked = 0
    for role in ROLES:
        with clock.frozen(midnight(AFTER)), acting_for(scene.home, role):
            for (act, category), row in table().items():
                given = row.get(role, "")
                kept = set(given) - set("SBN+")
                if not (state == "reads" and role in READERS and act in LOOKS):
                    kept -= {"O"}
                if act in GATHER or (act == "list.export" and state == "closed"):
                    kept -= {"A"}
                assert set(access.letters(act, category)) == kept, (role, act, category)
                asked += 1
    print(f"{asked} acts of roles asked ({state})")


@pytest.mark.django_db
def test_an_organisation_that_never_left_keeps_every_letter() -> None:
    home, other = make_organisation(), make_organisation()
    never = make_organisation()
    ended = make_agreement(home, other, signed_on=FIRST, approved_on=FIRST, ended_on=LAST)
    assert ended.pk
    for organisation in (home, never):
        for role in ROLES:
            with clock.frozen(midnight(AFTER)), acting_for(organisation, role):
                assert left.current() is None
                for (act, category), row in table().items():
                    assert set(access.letters(act, category)) == set(row.get(role, "")), (role, act)


@pytest.mark.django_db
def test_an_agreement_that_nobody_else_signed_and_a_draft_never_bound_anybody() -> None:
    home, other = make_organisation(), make_organisation()
    agreement = make_agreement(home, other, signed_on=FIRST, approved_on=FIRST)
    party(agreement, home, notice_received_on=FIRST, leaves_on=LAST)
    AgreementParty.objects.filter(agreement=agreement, organisation=other).update(signed_on=None)
    assert left.state_of(home.pk, AFTER) is None
    AgreementParty.objects.filter(agreement=agreement, organisation=other).update(signed_on=FIRST)
    assert left.state_of(home.pk, AFTER) == Left(LAST)
    type(agreement).objects.filter(pk=agreement.pk).update(status="draft")
    assert left.state_of(home.pk, AFTER) is None


@pytest.mark.django_db
def test_without_the_narrowing_everything_would_stay_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: the control taken out, and what the tests above would say."""
    scene = Scene()
    monkeypatch.setattr(access, "_narrowings", [])
    with clock.frozen(midnight(AFTER)):
        assert scene.at("keyworker", scene.view()).status_code == 200
        assert scene.at("team_manager", f"{scene.view()}details/identity/").status_code == 200


@pytest.mark.django_db
def test_with_the_midnight_of_another_place_the_day_would_be_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: the day of UTC in place of London's, an hour late in summer."""
    scene = Scene()
    with clock.frozen(midnight(dt.date(2027, 7, 1))):
        party(scene.agreement, scene.home, leaves_on=dt.date(2027, 6, 30))
        assert scene.at("keyworker", scene.view()).status_code == 403
        monkeypatch.setattr(clock, "london_date", lambda instant: instant.astimezone(dt.UTC).date())
        assert scene.at("keyworker", scene.view()).status_code == 200


# ---- every page --------------------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.django_db
def test_every_page_and_form_of_every_role_is_what_access_md_says() -> None:
    """Of every route and role: what the state leaves answers as ever, what it takes away shows nothing of anybody and writes nothing."""
    world = make_world()
    home, giver = world.own.organisation, Organisation.objects.get(slug="giver")
    today = clock.today()
    first, last = today - dt.timedelta(days=40), today - dt.timedelta(days=1)
    AgreementParty.objects.filter(organisation=home, signed_on__isnull=False).update(
        leaves_on=last, notice_received_on=first
    )
    bound = AgreementParty.objects.filter(organisation=home, agreement__parties__organisation=giver)
    assert bound.exists() and left.state_of(home.pk, today) == Left(last)
    wrong, asked = [], 0
    for line in tables.lines().values():
        if not line.of_organisation or not line.offered or line.method not in ("GET", "POST"):
            continue
        act, _, category = line.act.partition("/")
        for role in ROLES:
            given = set(table()[act, category].get(role, ""))
            kept = given - set("SBN+") - (set() if role in READERS and act in LOOKS else {"O"})
            kept -= {"A"} if act in GATHER else set()
            if not line.by & given:
                continue
            sid = transaction.savepoint()
            path = path_of(line, world.own, role)
            answer = world.browser(role).generic(
                line.method, path, content_type="application/x-www-form-urlencoded"
            )
            transaction.savepoint_rollback(sid)
            asked += 1
            if not line.by & kept:
                main = (
                    answer.content.partition(b"<main")[2].partition(b"</main>")[0]
                    if not answer.streaming
                    else b"streamed"
                )
                shown = set(re.findall(rb"CANARYMINE\d+", main)) - {home.name.encode()}
                if answer.status_code != 403 or shown:
                    wrong.append((line.method, line.route, role, answer.status_code))
            elif answer.status_code == 403:
                wrong.append((line.method, line.route, role, "refused"))
    print(f"{asked} pages and forms asked")
    assert wrong == [], "\n".join(map(str, wrong))
