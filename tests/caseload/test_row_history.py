"""The history of a part of a record in plain words, through HTTP: what changed, who, when, where; who sees it, and who does not."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEvent
from caseload import row_history
from caseload.dataset.reader import load_dictionary
from caseload.models import ClientContact, ClientEquality, ClientIdentity, Episode, Intervention
from edatrs.core import clock, trail
from edatrs.core.scope import Actor
from edatrs.organisations.models import Membership
from tests.caseload.episodes.support import Home, make_home, text_of
from tests.core.world import acting_for, in_sql
from tests.factories.caseload import make_entry
from tests.factories.organisations import make_organisation, make_person, sign_in
from tests.factories.sharing import make_agreement, make_conflict, make_grant

pytestmark = pytest.mark.django_db
EQUALITY = "details/equality/history/"
IDENTITY = "details/identity/history/"
CONTACT = "details/contact/history/"


def page(home: Home, part: str, **asked: str) -> str:
    """A page of the client in words."""
    answer = home.browser.get(home.of_client(part), asked)
    assert answer.status_code == 200, (part, answer.status_code)
    return words(text_of(answer))


def words(html: str) -> str:
    """Without tags, blanks as one."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def change(home: Home, model: Any = ClientEquality, *, actor: Actor = Actor.PERSON, **fields: Any) -> None:
    """Somebody changes a row in an act of their own, with an entry on the trail."""
    with acting_for(home.organisation, actor=actor) as scope:
        row = model.objects.get(client=home.client)
        for name, value in fields.items():
            setattr(row, name, value)
        row.save()
        trail.record("caseload.client.changed", subject=str(home.client.pk), details={"via": "form"})
        assert scope.act


def test_a_change_is_told_from_what_to_what_by_whom_and_when() -> None:
    home = make_home()
    form = {"client": str(home.client.pk), "version": "1"}
    for version, ethnicity in (("1", "A"), ("2", "B")):
        sent = form | {"version": version, "ethnicity": ethnicity}
        assert home.browser.post(home.of_client("details/equality/"), sent).status_code == 302
    said = page(home, EQUALITY)
    assert "Ethnicity: Changed from White British (A) to White Irish (B) by Kay One, " in said, said
    assert "Ethnicity: Changed from Not recorded to White British (A)" in said
    assert f"{clock.today():%Y}, " in said and "(at this desk)" in said
    assert said.index("White Irish") < said.index("Changed from Not recorded"), "the latest first"
    assert "First recorded" in said


def test_one_field_alone_and_a_field_of_another_part_shows_the_whole() -> None:
    home = make_home()
    change(home, ethnicity="A")
    change(home, religion="A")
    one = page(home, EQUALITY, field="religion")
    assert "History: Equality, Religion or belief" in one and "Ethnicity" not in one
    assert "Now: " in one
    whole = page(home, EQUALITY, field="surname")
    assert "Ethnicity: " in whole and "Religion or belief: " in whole


def test_nothing_changed_and_nothing_recorded_are_said() -> None:
    home = make_home()
    assert "Nothing was changed since it was first recorded" in page(home, EQUALITY)
    assert "Nothing is recorded, and nothing was" in page(home, "details/circumstances/history/")


def test_an_import_a_merge_a_command_and_a_linked_partner_are_told_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = make_home()
    partner = make_organisation("mill-street", name="Mill Street")
    said: list[dict[str, Any]] = [
        {"actor": "person", "actor_label": "Ana Novak", "organisation_id": home.organisation.pk, "details": {"via": "form"}},
        {"actor": "person", "actor_label": "Ana Novak", "organisation_id": home.organisation.pk, "details": {"via": str(partner.pk)}},
        {"actor": "operator", "actor_label": "operator", "organisation_id": home.organisation.pk, "details": {}},
        {"actor": "person", "actor_label": "Lee Ward", "organisation_id": partner.pk, "details": {"via": "form"}},
        {"actor": "worker", "actor_label": "", "organisation_id": None, "details": {}},
    ]  # fmt: skip
    where = [row_history._where(row, home.organisation.pk, {partner.pk: "Mill Street"}) for row in said]
    assert where == [
        "at this desk",
        "when two records were merged or taken apart",
        "on the command line",
        "by Mill Street, linked",
        "in the background",
    ]
    with acting_for(home.organisation, actor=Actor.OPERATOR):
        ClientEquality.objects.filter(client=home.client).update(
            ethnicity="A"
        )  # no entry is about the client
    assert "by an import" in page(home, EQUALITY)


def test_what_a_partner_wrote_to_a_linked_client_names_the_partner() -> None:
    home = make_home()
    partner = make_organisation("mill-street", name="Mill Street")
    with acting_for(home.organisation, actor=Actor.OPERATOR):
        ClientEquality.objects.filter(client=home.client).update(ethnicity="A")
        act = ClientEquality.objects.get(client=home.client).act
    with acting_for(partner) as scope:
        scope.act = act
        trail.record(
            "caseload.client.changed",
            subject=str(home.client.pk),
            details={"via": "form"},
            also=[home.organisation.pk],
        )
    assert "by a test," in page(home, EQUALITY) and "(by Mill Street, linked)" in page(home, EQUALITY)


def test_a_section_and_an_entry_have_theirs_with_the_words_of_the_lists() -> None:
    home = make_home()
    with acting_for(home.organisation, actor=Actor.OPERATOR):
        row = make_entry(Intervention, home.episode, modality="94")
        Episode.objects.filter(pk=home.episode.pk).update(drug_1="2200")
        Episode.objects.filter(pk=home.episode.pk).update(drug_1="1011")
        Intervention.objects.filter(pk=row.pk).update(modality="97")
    base = f"episodes/{home.episode.pk}/"
    said = page(home, f"{base}substances/history/")
    known = load_dictionary().codes("drug", "R")
    assert f"Changed from {known['2200']} (2200) to {known['1011']} (1011)" in said, said
    assert "Changed from" not in page(home, f"{base}discharge/history/"), "another section of the same row"
    entry = page(home, f"{base}interventions/{row.pk}/history/")
    assert "History: Intervention" in entry and "Changed from" in entry


def test_the_history_stands_beside_the_field_in_the_form_and_on_the_details() -> None:
    home = make_home()
    assert "History" not in page(home, "details/")
    change(home, ethnicity="A")
    details = home.browser.get(home.of_client("details/")).content.decode()
    assert f"{EQUALITY}?field=ethnicity" in details and f"{IDENTITY}?field=" not in details
    form = home.browser.get(home.of_client("details/equality/")).content.decode()
    assert form.count('<details class="govuk-details app-small app-history') == 1
    assert "The whole history" in form and f'href="{home.of_client(EQUALITY)}"' in form


def test_looking_is_on_the_trail_as_a_view_of_the_history() -> None:
    home = make_home()
    page(home, EQUALITY)
    with acting_for(home.organisation, actor=Actor.OPERATOR):
        (seen,) = AuditEvent.objects.filter(name="caseload.client.viewed", subject=str(home.client.pk))
    assert seen.details["panel"] == "history" and seen.details["categories"] == ["identity", "equality"]


def test_it_goes_on_by_pages_without_losing_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    home = make_home()
    for n in range(7):
        change(home, ClientContact, town=f"Town {n}")
    monkeypatch.setattr(row_history.read, "__kwdefaults__", {"before": 0, "limit": 3})
    seen, asked = [], {}
    for _ in range(4):
        answer = home.browser.get(home.of_client(CONTACT), asked).content.decode()
        seen += re.findall(r"to <bdi>(Town \d)</bdi>", answer)
        older = re.search(r"before=(\d+)\">Older", answer)
        if not older:
            break
        asked = {"before": older[1]}
    assert seen == [f"Town {n}" for n in range(6, -1, -1)]


@pytest.mark.parametrize("before", ["0", "1", "999999999", "-1", "x", "²"])
def test_a_page_that_is_not_there_answers(before: str) -> None:
    home = make_home()
    change(home, ethnicity="A")
    assert home.browser.get(home.of_client(EQUALITY), {"before": before}).status_code == 200


def test_an_ndtms_administrator_sees_the_history_of_the_data_set_alone() -> None:
    home = make_home(role="ndtms_administrator")
    change(home, ClientContact, phone="07700 900001", postcode="CM1 2AB")
    change(home, ClientIdentity, nhs_number="9990142076", surname="Marsh")
    contact, identity = page(home, CONTACT), page(home, IDENTITY)
    assert "CM1 2AB" in contact and "07700" not in contact
    assert "Marsh" in identity.split("History:")[1] and "999 014" not in identity.split("History:")[1]
    assert "field=phone" not in home.browser.get(home.of_client("details/")).content.decode()
    assert "07700" not in page(home, CONTACT, field="phone").split("History:")[1]
    Membership.objects.filter(user=home.person).update(role="keyworker")
    assert "07700" in page(home, CONTACT)


@pytest.mark.parametrize("role", ["organisation_administrator", "information_governance", "commissioner"])
def test_who_may_not_see_the_category_has_no_history(role: str) -> None:
    home = make_home()
    browser = sign_in(Browser(), make_person(home.organisation, role=role))
    for part in (EQUALITY, IDENTITY, f"episodes/{home.episode.pk}/substances/history/"):
        assert browser.get(home.of_client(part)).status_code == 404


def test_a_hidden_record_and_one_that_a_partner_shares_have_none() -> None:
    home = make_home()
    change(home, ethnicity="A")
    partner = make_organisation("mill-street")
    make_agreement(home.organisation, partner)
    with acting_for(home.organisation, actor=Actor.OPERATOR):
        make_grant(home.client, partner)
    theirs = sign_in(Browser(), make_person(partner))
    shared = theirs.get(f"/o/mill-street/shared/{home.client.pk}/")
    assert shared.status_code == 200 and "history/" not in shared.content.decode()
    assert theirs.get(f"/o/mill-street/clients/{home.client.pk}/{EQUALITY}").status_code == 404
    with acting_for(home.organisation, actor=Actor.OPERATOR):
        make_conflict(home.client, home.person)
    assert home.browser.get(home.of_client(EQUALITY)).status_code == 404


def test_row_security_alone_keeps_the_history_of_others_and_of_hidden_records() -> None:
    home = make_home()
    change(home, ethnicity="A")
    count = "SELECT count(*) FROM caseload_clientequalityhistory"
    other = make_organisation()
    with acting_for(other):
        assert in_sql(count) == [(0,)]
    with acting_for(home.organisation):
        assert in_sql(count) == [(1,)], "the control"


def test_it_costs_the_same_queries_for_one_change_and_for_many() -> None:
    home = make_home()
    change(home, ethnicity="A")

    def queries() -> int:
        with CaptureQueriesContext(connection) as counted:
            assert home.browser.get(home.of_client(EQUALITY)).status_code == 200
            return len(counted)

    queries()
    few = queries()
    for code in "BCDEFGH":
        change(home, ethnicity=code)
    assert queries() == few
