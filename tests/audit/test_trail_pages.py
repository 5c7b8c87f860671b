"""The governance officer's search of the trail, its check, and who looked at a record: in words, by key, without a client's name."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from audit import checking, heads, words
from audit.events import event_types
from audit.models import AuditEvent, HeadStatement
from audit.tasks import sign_heads
from caseload.choices import NdtmsConsent
from caseload.models import Client, ClientIdentity, ClientMerge
from edatrs.core import clock
from edatrs.core.scope import Actor, open_scope
from edatrs.core.trail import record
from edatrs.organisations.choices import JobState
from edatrs.organisations.models import Job, Organisation, OutboundMail, User
from edatrs.organisations.roles import ACTS
from edatrs.organisations.services import jobs
from tests.access.tables import lines
from tests.audit.vandal import Vandal
from tests.factories.caseload import make_client, make_record, make_service
from tests.factories.organisations import make_organisation, make_person, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
SURNAME = "Unmistakable"


class Place:
    """An organisation with a client, a keyworker who looked, and a governance officer."""

    def __init__(self) -> None:
        self.organisation = make_organisation()
        make_service(self.organisation)
        with self.acting():
            self.client: Client = make_record(consent=NdtmsConsent.YES).client
            ClientIdentity.objects.filter(client=self.client).update(surname=SURNAME)
            record("organisations.partnership_loaded")  # no act that changes a record is without an entry
            self.client_id = self.client.registrations.get().client_id_text
            self.label = str(Client.objects.get(pk=self.client.pk))
        self.keyworker = make_person(self.organisation, full_name="Priya Nair")
        self.officer = make_person(self.organisation, role="information_governance", full_name="Samira Holt")
        self.browser = sign_in(Browser(), self.officer)
        self.address = f"/o/{self.organisation.slug}/trail/"

    def acting(self, person: User | None = None, *roles: str) -> Any:
        return open_scope(
            actor=Actor.PERSON,
            organisation_id=self.organisation.pk,
            organisation_label=self.organisation.slug,
            person_id=person.pk if person else None,
            person_label=person.full_name if person else "",
            roles=frozenset(roles),
        )

    def look(self, panel: str = "details") -> None:
        with self.acting(self.keyworker, "keyworker"):
            record(
                "caseload.client.viewed",
                subject=str(self.client.pk),
                details={"panel": panel, "categories": ["identity", "contact"]},
            )

    def post(self, **asked: str) -> Any:
        return self.browser.post(self.address, asked)


@pytest.fixture
def place() -> Place:
    return Place()


def rows(answer: Any) -> list[str]:
    """The entries of a page, as text."""
    page = re.search(r"<tbody>(.*?)</tbody>", answer.content.decode(), re.DOTALL)
    if page is None:
        return []
    return [
        " ".join(re.sub(r"<[^>]+>", " ", row).split())
        for row in re.findall(r"<tr>(.*?)</tr>", page[1], re.DOTALL)
    ]


def test_an_entry_is_in_plain_words_with_the_records_number_and_no_name(place: Place) -> None:
    place.look()
    answer = place.browser.get(place.address)
    [row] = [row for row in rows(answer) if "Priya Nair" in row]
    assert (
        "Keyworker" in row and "Opened: Details" in row and place.label in row and "identity, contact" in row
    )
    assert "Allowed" in row
    assert SURNAME.encode() not in answer.content and str(place.client.pk).encode() not in answer.content


def test_a_refused_attempt_says_what_was_tried_and_why_not(place: Place) -> None:
    outsider = sign_in(Browser(), make_person(place.organisation, role="organisation_administrator"))
    assert outsider.get(f"/o/{place.organisation.slug}/clients/{place.client.pk}/").status_code == 404
    answer = place.post(what="access.refused")
    [row] = rows(answer)
    assert "Refused: tried to open a client" in row and "The role may not" in row and place.label in row


def test_searched_by_person_kind_days_and_record(place: Place) -> None:
    for day in range(1, 6):
        with clock.frozen(dt.datetime(2026, 3, day, 9, 0, tzinfo=dt.UTC)):
            place.look()
    keyworker = str(place.keyworker.pk)
    assert len(rows(place.post(who=keyworker))) == 5
    assert rows(place.post(who=keyworker, what="caseload.client.changed")) == []
    days = {
        "since_day": "2",
        "since_month": "3",
        "since_year": "2026",
        "until_day": "4",
        "until_month": "3",
        "until_year": "2026",
    }
    assert len(rows(place.post(who=keyworker, **days))) == 3
    for typed in (place.label, place.label.lower(), place.label[1:], f" {place.client_id} "):
        assert len(rows(place.post(about=typed, what="caseload.client.viewed"))) == 5, typed


def test_bad_input_gets_words_and_keeps_what_was_typed(place: Place) -> None:
    answer = place.post(about="R999999999", **{"since_day": "5", "since_month": "3", "since_year": "2026"})
    page = answer.content.decode()
    assert answer.status_code == 422 and "No record of this organisation has this number or client ID" in page
    assert 'value="R999999999"' in page and 'value="2026"' in page
    days = {
        "since_day": "5",
        "since_month": "3",
        "since_year": "2026",
        "until_day": "4",
        "until_month": "3",
        "until_year": "2026",
    }
    assert "To must be on or after From" in place.post(**days).content.decode()
    assert place.post(who="somebody").status_code == 422
    assert place.post(**{"since_day": "31", "since_month": "2", "since_year": "2026"}).status_code == 422
    assert place.post(before="9" * 40).status_code == 200


def test_another_organisations_record_is_found_like_one_that_does_not_exist(place: Place) -> None:
    other = Place()
    other.look()
    pages = []
    for typed in (other.label, "R999999999"):
        page = place.post(about=typed).content.decode()
        pages.append(
            re.sub(
                r'csrfmiddlewaretoken" value="\w+"|The last entry is [\d,]+|datetime="[^"]+"',
                "",
                page.replace(typed, ""),
            )
        )
    assert pages[0] == pages[1]
    assert "No record of this organisation" in pages[0]


def test_pages_by_key_keep_what_was_asked_and_meet_every_entry_once(place: Place) -> None:
    for _ in range(120):
        place.look()
    seen: list[str] = []
    asked = {"what": "caseload.client.viewed", "about": place.label}
    before = ""
    while True:
        answer = place.post(**asked, **({"before": before} if before else {}))
        seen += [row.split()[-1] for row in rows(answer)]
        more = re.search(r'name="before" value="(\d+)"', answer.content.decode())
        if more is None:
            break
        assert f'name="about" value="{place.label}"' in answer.content.decode()
        before = more[1]
    assert len(seen) == len(set(seen)) == 120


def test_reading_is_itself_an_entry_with_the_record_and_never_what_was_typed(place: Place) -> None:
    place.look()
    place.post(about=place.client_id, what="caseload.client.viewed")
    with place.acting():
        entry = AuditEvent.objects.filter(name="audit.trail_read").order_by("-sequence")[0]
    assert entry.subject == str(place.client.pk) and entry.actor_id == place.officer.pk
    assert entry.details["rows"] == 1 and entry.details["name"] == "caseload.client.viewed"


def test_a_page_costs_the_same_queries_for_one_entry_and_for_a_thousand(place: Place) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            place.post(what="caseload.client.viewed")
        return len(asked)

    place.look()
    cost()
    one = cost()
    with place.acting(place.keyworker, "keyworker"):
        for _ in range(1000):
            record("caseload.client.viewed", subject=str(place.client.pk), details={"panel": "overview"})
    assert cost() == one


def test_who_looked_shows_parts_roles_refusals_and_records_that_were_merged_in(place: Place) -> None:
    with place.acting():
        merged = make_client(voided_at=clock.now())
        ClientMerge.objects.create(
            client=merged,
            survivor=place.client,
            reason="twice",
            merged_at=clock.now(),
            merged_by=place.keyworker.pk,
        )
        record("caseload.client.viewed", subject=str(merged.pk), details={"panel": "episodes"})
        merged_label = str(Client.objects.get(pk=merged.pk))
    place.look()
    outsider = sign_in(Browser(), make_person(place.organisation, role="organisation_administrator"))
    outsider.get(f"/o/{place.organisation.slug}/clients/{place.client.pk}/")
    keyworker = sign_in(Browser(), place.keyworker)
    found = rows(keyworker.get(f"/o/{place.organisation.slug}/clients/{place.client.pk}/who-looked/"))
    assert any("Opened: Episodes" in row and merged_label in row for row in found)
    assert any("Opened: Details" in row and "Keyworker" in row for row in found)
    assert any("Refused: tried to open a client" in row for row in found)


def test_the_officer_sees_who_looked_under_a_number_without_the_name(place: Place) -> None:
    place.look()
    address = f"/o/{place.organisation.slug}/clients/{place.client.pk}/who-looked/"
    answer = place.browser.get(address)
    assert answer.status_code == 200 and any("Opened: Details" in row for row in rows(answer))
    assert place.label.encode() in answer.content and SURNAME.encode() not in answer.content
    assert SURNAME.upper().encode() not in answer.content
    named = sign_in(Browser(), place.keyworker).get(address)
    assert SURNAME.upper().encode() in named.content
    other = Place()
    assert (
        place.browser.get(f"/o/{place.organisation.slug}/clients/{other.client.pk}/who-looked/").status_code
        == 404
    )


def test_checking_the_trail_says_how_far_it_is_whole(place: Place) -> None:
    place.look()
    assert "has not been checked yet" in place.browser.get(place.address).content.decode()
    for _ in range(2):
        assert place.browser.post(f"{place.address}check/").status_code == 302
    [job] = Job.objects.filter(kind=checking.VERIFY)
    assert "It is being checked now" in place.browser.get(place.address).content.decode()
    lease = jobs.claim(job.pk, at_once=True)
    assert lease is not None
    jobs.work(lease)
    job.refresh_from_db()
    assert job.state == JobState.DONE
    page = " ".join(place.browser.get(place.address).content.decode().split())
    with place.acting():
        checked = AuditEvent.objects.get(name="audit.verified")
    assert checked.details["problems"] == 0 and checked.actor_label == "Samira Holt"
    assert f"The trail is whole up to entry {checked.details['rows']:,}" in page


def test_a_chain_that_does_not_add_up_is_said_in_red(place: Place, owner_connection: Any) -> None:
    place.look()
    place.look()
    owner_connection.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER USER")
    owner_connection.execute("ALTER TABLE audit_auditevent NO FORCE ROW LEVEL SECURITY")
    try:
        owner_connection.execute(
            "UPDATE audit_auditevent SET actor_label = 'Somebody Else' WHERE chain = %s AND name = 'caseload.client.viewed'",
            [place.organisation.pk],
        )
    finally:
        owner_connection.execute("ALTER TABLE audit_auditevent FORCE ROW LEVEL SECURITY")
        owner_connection.execute("ALTER TABLE audit_auditevent ENABLE TRIGGER USER")
    place.browser.post(f"{place.address}check/")
    lease = jobs.claim(Job.objects.get(kind=checking.VERIFY).pk, at_once=True)
    assert lease is not None
    jobs.work(lease)
    assert "The trail does not add up" in place.browser.get(place.address).content.decode()


def test_every_event_can_be_asked_for_and_every_act_of_a_page_has_words() -> None:
    offered = {name for _, group in words.kinds() for name, _ in group} | {"access.refused"}
    assert offered == {name for name, _ in event_types}
    asked = {line.act.partition("/")[0] for line in lines().values() if line.of_organisation}
    assert asked - set(words.ACTS) == set()
    assert {act for act, _ in ACTS} >= asked


def test_only_the_governance_officer_finds_the_page(place: Place) -> None:
    assert place.browser.get(place.address).status_code == 200
    assert sign_in(Browser(), place.keyworker).get(place.address).status_code == 404


# ---- the page of the check ---------------------------------------------------------------------------------------------


def text_of(answer: Any) -> str:
    """The words of a page."""
    main = re.search(r"<main.*</main>", answer.content.decode(), re.DOTALL)
    assert main is not None
    return " ".join(re.sub(r"<[^>]+>", " ", main[0]).split())


def work_off() -> None:
    lease = jobs.claim(Job.objects.get(kind=checking.VERIFY, state=JobState.QUEUED).pk, at_once=True)
    assert lease is not None
    jobs.work(lease)


def test_the_check_says_when_heads_left_to_whom_they_were_mailed_and_that_the_chain_is_whole(
    place: Place,
) -> None:
    Organisation.objects.filter(pk=place.organisation.pk).update(emails=["dpo@one.example"])
    make_organisation(name="Phoenix Futures", emails=["dpo@phoenix.example"])
    address = f"{place.address}check/"
    before = text_of(place.browser.get(address))
    assert "The trail has not been checked yet" in before and "No signed head has left yet" in before
    assert "Not today and not yesterday" in before
    place.look()
    sign_heads()
    place.browser.post(address)
    work_off()
    OutboundMail.objects.filter(to="dpo@phoenix.example").update(sent_at=clock.now())
    page = text_of(place.browser.get(address))
    assert "✓ The trail is whole" in page and "No entry is missing, changed or out of order" in page
    assert "Last signed head sent out" in page and "Statement 1." in page and "up to entry" in page
    assert "1 of 2 partners sent" in page
    assert "Phoenix Futures: sent" in page and f"{place.organisation.name}: waits to be sent" in page
    statement = HeadStatement.objects.get()
    digest = hashlib.sha256(statement.body.encode()).hexdigest()
    assert f"{digest[:4]} {digest[4:8]} {digest[8:12]} {digest[12:16]} … {digest[-4:]}" in page
    line = place.browser.get(f"{place.address}heads/download/").content
    assert json.loads(line)["statement"]["number"] == 1 and line == heads.line_of(statement)
    assert heads.public_key().hex() in page
    assert "Signed heads left last" in text_of(place.browser.get(place.address))
    assert SURNAME not in page


def test_when_no_head_has_left_for_half_an_hour_the_page_says_so(place: Place) -> None:
    now = clock.now()
    with clock.frozen(now - dt.timedelta(minutes=29)):
        sign_heads()
    for path in (place.address, f"{place.address}check/"):
        assert "No signed head since" not in text_of(place.browser.get(path))
    with clock.frozen(now + dt.timedelta(minutes=2)):
        for path in (place.address, f"{place.address}check/"):
            assert "No signed head since" in text_of(place.browser.get(path)), path


def test_before_the_first_head_there_is_nothing_to_compare(place: Place) -> None:
    answer = place.browser.get(f"{place.address}heads/download/")
    assert answer.status_code == 302 and answer["Location"] == f"{place.address}check/"
    assert "The first is made within a minute" in place.browser.get(answer["Location"]).content.decode()


def test_the_check_names_the_first_bad_entry_and_when_it_was_written(
    place: Place, owner_connection: Any
) -> None:
    place.look()
    place.look()
    sign_heads()
    with Vandal(owner_connection) as vandal:
        with place.acting():
            bad = AuditEvent.objects.filter(name="caseload.client.viewed").order_by("sequence")[0].sequence
        vandal.edit(str(place.organisation.pk), bad, "actor_label", "Somebody Else")
        place.browser.post(f"{place.address}check/")
        work_off()
        page = text_of(place.browser.get(f"{place.address}check/"))
        assert (
            f"✕ The trail does not add up from entry {bad}" in page
            and f"Entry {bad}: the entry was changed" in page
        )
        assert "Treat it and later entries as unproven" in page
        assert f"does not add up from entry {bad}" in text_of(place.browser.get(place.address))


def test_platform_support_may_check_and_have_it_checked_and_may_not_read_or_export(place: Place) -> None:
    support = sign_in(Browser(), make_person(place.organisation, role="platform_support"))
    address = f"{place.address}check/"
    page = text_of(support.get(address))
    assert "Check it now" in page and "Export the trail" not in page
    assert support.post(address).status_code == 302
    assert support.get(f"{place.address}key.txt").content.decode().strip() == heads.public_key().hex()
    assert support.get(f"{place.address}verifier/download/").status_code == 200
    assert support.get(place.address).status_code == 404
    assert support.post(f"{place.address}export/download/").status_code == 404


def test_the_export_needs_a_fresh_second_factor_is_an_entry_and_has_the_own_chain_alone(place: Place) -> None:
    place.look()
    other = Place()
    other.look()
    address = f"{place.address}export/download/"
    stale = sign_in(Browser(), place.officer, fresh=False)
    answer = stale.post(address)
    assert answer.status_code == 302 and answer["Location"].startswith("/confirm/?next=")
    assert "trail%2Fcheck" in answer["Location"]
    answer = place.browser.post(address)
    body = b"".join(answer.streaming_content)
    assert answer["Content-Disposition"].startswith(f'attachment; filename="trail-{place.organisation.slug}-')
    assert "no-store" in answer["Cache-Control"]
    with place.acting():
        [entry] = AuditEvent.objects.filter(name="audit.exported")
        held = AuditEvent.objects.filter(sequence__lt=entry.sequence).count()
    assert entry.details == {"rows": held, "sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)}
    assert entry.actor_id == place.officer.pk
    assert str(other.organisation.pk).encode() not in body and SURNAME.encode() not in body
    assert sign_in(Browser(), place.keyworker).post(address).status_code == 404
    assert place.browser.get(address).status_code == 405


def test_the_check_costs_the_same_queries_for_one_partner_and_for_fifty(place: Place) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert place.browser.get(f"{place.address}check/").status_code == 200
        return len(asked)

    make_organisation(emails=["dpo@one.example"])
    sign_heads()
    cost()
    one = cost()
    for number in range(50):
        make_organisation(emails=[f"dpo{number}@more.example"])
    sign_heads()
    assert OutboundMail.objects.count() == 51 and cost() == one
