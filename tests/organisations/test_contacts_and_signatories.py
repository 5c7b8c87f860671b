"""Contact items with their dates, who may sign, and the Essex agreement as it is loaded."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from edatrs.core import clock
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations import agreements, completeness, protocol
from edatrs.organisations.choices import AgreementStatus
from edatrs.organisations.models import (
    Agreement,
    AgreementParty,
    AuthorisedRole,
    ContactRecord,
    Organisation,
    User,
)
from edatrs.organisations.services import agreement_data, agreement_demo
from tests.factories.agreements import make_agreement_in_force, make_signatory
from tests.factories.organisations import make_organisation, make_person, sign_in

pytestmark = pytest.mark.django_db
OFFICER, ADMINISTRATOR = "information_governance", "organisation_administrator"
ITEMS = {
    "name": "Here",
    "head_office": "1 Old Street",
    "phone": "01632 960001",
    "emails": ["old@here.example"],
    "data_protection_officer": "Olga Old",
    "ico_references": ["Z1234567"],
}


@pytest.fixture
def here() -> Organisation:
    return make_organisation("here", **ITEMS)


def boxes(name: str, day: dt.date) -> dict[str, str]:
    return {f"{name}_day": str(day.day), f"{name}_month": str(day.month), f"{name}_year": str(day.year)}


def contact_form(desk: Client, **changed: str) -> dict[str, str]:
    """The form as the page shows it, with what is changed."""
    form = desk.get("/o/here/contact/").context["form"]
    return {name: form[name].value() for name in form.fields} | changed


# ---- contact items ---------------------------------------------------------------------------------------------


def test_a_change_keeps_the_old_items_with_their_dates(client: Client, here: Organisation) -> None:
    person = make_person(here, role=OFFICER, full_name="Imran")
    for day, phone in ((1, "01632 960002"), (9, "01632 960003")):
        with clock.frozen(dt.datetime(2027, 2, day, 12, tzinfo=dt.UTC)):
            desk = sign_in(client, person)
            assert desk.post("/o/here/contact/", contact_form(desk, phone=phone)).status_code == 302
    held = list(
        ContactRecord.objects.order_by("valid_from").values_list("phone", "valid_from", "valid_until")
    )
    assert held == [
        ("01632 960001", dt.date(2027, 1, 31), dt.date(2027, 1, 31)),  # since when is not known
        ("01632 960002", dt.date(2027, 2, 1), dt.date(2027, 2, 8)),
        ("01632 960003", dt.date(2027, 2, 9), None),
    ]
    here.refresh_from_db()
    assert here.phone == "01632 960003"
    with clock.frozen(dt.datetime(2027, 2, 9, 12, tzinfo=dt.UTC)):
        page = client.get("/o/here/contact/").content.decode()
    assert "01632 960001" in page and "8 Feb 2027" in page and "Imran" in page


def test_nothing_changed_keeps_nothing_and_two_changes_in_a_day_keep_both(
    client: Client, here: Organisation
) -> None:
    desk = sign_in(client, make_person(here, role=OFFICER))
    desk.post("/o/here/contact/", contact_form(desk))
    assert not ContactRecord.objects.exists()
    for phone in ("01632 960002", "01632 960003"):
        desk.post("/o/here/contact/", contact_form(desk, phone=phone))
    assert [r.phone for r in agreements.contact_history(here.pk)].count("01632 960002") == 1
    assert ContactRecord.objects.filter(valid_until__isnull=True).get().phone == "01632 960003"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"phone": ""}, "Enter the phone number"),
        ({"emails": "old@here.example\nno address"}, "“no address” is no e-mail address"),
        ({"ico_references": "12345"}, "Enter ICO references such as Z1234567"),
        ({"name": "x" * 121}, "Enter at most 120 characters"),
    ],
)
def test_wrong_items_are_refused_in_words(
    changed: dict[str, str], words: str, client: Client, here: Organisation
) -> None:
    desk = sign_in(client, make_person(here, role=OFFICER))
    answer = desk.post("/o/here/contact/", contact_form(desk, **changed))
    assert answer.status_code == 422 and words in answer.content.decode()
    here.refresh_from_db()
    assert here.phone == "01632 960001"


def test_an_address_that_gets_breach_notices_stays_until_another_is_chosen(
    client: Client, here: Organisation
) -> None:
    make_agreement_in_force(here, make_organisation("there"))
    desk = sign_in(client, make_person(here, role=OFFICER))
    answer = desk.post("/o/here/contact/", contact_form(desk, emails="new@here.example"))
    assert answer.status_code == 422 and "gets the breach notices of" in answer.content.decode()
    both = contact_form(desk, emails="old@here.example\nnew@here.example")
    assert desk.post("/o/here/contact/", both).status_code == 302
    AgreementParty.objects.filter(organisation=here).update(breach_emails=["new@here.example"])
    assert desk.post("/o/here/contact/", contact_form(desk, emails="new@here.example")).status_code == 302


def test_somebody_who_saved_in_between_is_not_written_over(client: Client, here: Organisation) -> None:
    desk = sign_in(client, make_person(here, role=OFFICER))
    mine = contact_form(desk, phone="01632 960009")
    Organisation.objects.filter(pk=here.pk).update(head_office="2 New Street")
    answer = desk.post("/o/here/contact/", mine)
    page = answer.content.decode()
    assert answer.status_code == 409 and "2 New Street" in page and "01632 960009" in page
    here.refresh_from_db()
    assert here.phone == "01632 960001"


def test_only_the_governance_officer_changes_the_items(client: Client, here: Organisation) -> None:
    for role in ("keyworker", "team_manager", ADMINISTRATOR):
        desk = sign_in(client, make_person(here, role=role))
        assert desk.get("/o/here/contact/").status_code == 404
        assert desk.post("/o/here/contact/", {}).status_code == 404


# ---- who may sign ----------------------------------------------------------------------------------------------


def name(desk: Client, person: User, **changed: Any) -> Any:
    fields = {"person": str(person.pk), "role": "siro", **boxes("valid_from", clock.today())}
    return desk.post("/o/here/signatories/", {**fields, **changed})


def test_the_administrator_names_who_may_sign_and_until_when(client: Client, here: Organisation) -> None:
    desk = sign_in(client, make_person(here, role=ADMINISTRATOR))
    officer, keyworker = make_person(here, role=OFFICER), make_person(here)
    assert name(desk, officer).status_code == 302
    held = AuthorisedRole.objects.get()
    assert (held.user, held.role, held.organisation, held.valid_until) == (officer, "siro", here, None)
    assert name(desk, officer).status_code == 422, "on the same days already"
    assert name(desk, keyworker, role="caldicott").status_code == 302
    page = desk.get("/o/here/signatories/").content.decode()
    assert page.count("Cannot sign in this system: not an information governance officer.") == 1
    last = f"/o/here/signatories/{held.pk}/last-day/"
    assert desk.post(last, boxes("last_day", clock.today())).status_code == 302
    held.refresh_from_db()
    assert held.valid_until == clock.today()
    tomorrow = clock.today() + dt.timedelta(days=1)
    assert agreements.authorised(officer, here.pk, clock.today()) == [held]
    assert agreements.authorised(officer, here.pk, tomorrow) == []
    assert desk.post(last, boxes("last_day", held.valid_from - dt.timedelta(days=1))).status_code == 422


def test_nobody_names_themselves_a_stranger_or_somebody_of_another_organisation(
    client: Client, here: Organisation
) -> None:
    administrator = make_person(here, role=ADMINISTRATOR)
    desk = sign_in(client, administrator)
    elsewhere = make_organisation("elsewhere")
    stranger = make_signatory(elsewhere)
    for person in (administrator, stranger):
        assert name(desk, person).status_code == 422
    assert not AuthorisedRole.objects.filter(organisation=here).exists()
    foreign = AuthorisedRole.objects.get(organisation=elsewhere)
    assert desk.get(f"/o/here/signatories/{foreign.pk}/last-day/").status_code == 404
    own = AuthorisedRole.objects.create(
        organisation=here, user=administrator, role="cio", valid_from=clock.today()
    )
    ended = desk.post(f"/o/here/signatories/{own.pk}/last-day/", boxes("last_day", clock.today()))
    assert ended.status_code == 422
    officer = sign_in(client, make_person(here, role=OFFICER))
    assert officer.get("/o/here/signatories/").status_code == 404


# ---- the Essex agreement ---------------------------------------------------------------------------------------


def load() -> Agreement:
    call_command("load_partnership", stdout=io.StringIO())
    return agreements.whole(Agreement.objects.all()).get(slug="essex-substance-misuse-caseload")


def test_the_essex_agreement_is_a_draft_and_what_its_source_leaves_blank_is_blank(client: Client) -> None:
    agreement = load()
    assert agreement.status == AgreementStatus.DRAFT
    blank = (
        agreement.owner,
        agreement.version,
        agreement.authors,
        agreement.approved_on,
        agreement.review_on,
    )
    assert blank == (None, "", "", None, None)
    assert not agreement.entries.filter(kind="document").exists()
    roles = {p.organisation.slug: p.roles for p in agreement.parties.all()}
    assert len(roles) == 8 and roles["essex-county-council"] == ["sole_controller", "processor"]
    counts = {
        k: agreement.entries.filter(kind=k).count() for k in ("purpose", "information", "article_6", "right")
    }
    assert counts == {"purpose": 8, "information": 21, "article_6": 2, "right": 7}
    assert not agreement.entries.filter(kind="right", key__in=["erasure", "automated"]).exists()  # O-49, O-53
    missing = {gap.key for gap in agreements.gaps_of(agreement)}
    documents = {f"document_{kind}" for kind in ("dpia", "procedure", "contract", "policy")}
    assert missing == {"owner", "version", "authors", "breach_emails", "confirmed", *documents}
    council = Organisation.objects.get(slug="essex-county-council")
    desk = sign_in(client, make_person(council, role=OFFICER))
    page = desk.get(f"/o/{council.slug}/agreements/{agreement.pk}/").content.decode()
    assert "<dt>Owner</dt><dd>Not recorded</dd>" in page and "<dt>Version</dt><dd>Not recorded</dd>" in page
    assert client.get("/sharing-agreements/").content.decode().count("Essex Substance") == 0, (
        "no draft is public"
    )


def test_loading_again_changes_nothing_that_people_wrote() -> None:
    agreement = load()
    Agreement.objects.update(title="Another title")
    assert load().title == "Another title" and Agreement.objects.count() == 1
    assert agreement.parties.count() == 8
    assert ContactRecord.objects.count() == 8


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ({"extra": 1}, "extra: is not known here"),
        ({"title": 5}, "title: must be text"),
        ({"entries": {"purpose": ["fun"]}}, "'fun' is not in the catalogue"),
        ({"parties": [{"organisation": "here", "roles": ["king"]}]}, "parties[0].roles"),
    ],
)
def test_a_bad_file_is_refused_with_its_place(spoil: dict[str, Any], words: str, tmp_path: Any) -> None:
    file = tmp_path / "agreement.json"
    file.write_text(json.dumps(agreement_data.read(agreement_data.ESSEX) | spoil))
    with pytest.raises(agreement_data.BadAgreement, match=words.replace("[", r"\[").replace("]", r"\]")):
        agreement_data.read(file)


def test_in_the_demonstration_every_partner_shares_and_a_second_agreement_is_a_draft() -> None:
    load()
    with open_scope(actor=Actor.OPERATOR, person_label="operator"):
        signers = {
            slug: make_person(Organisation.objects.get(slug=slug), role=OFFICER)
            for slug in agreement_demo.SIGNATORIES
        }
        for _ in range(2):
            agreement_demo.fill(signers)
    essex, second = load(), Agreement.objects.get(slug=agreement_demo.SECOND)
    assert (essex.status, second.status) == (AgreementStatus.APPROVED, AgreementStatus.DRAFT)
    assert agreements.gaps_of(essex) == [] and agreements.gaps_of(second) != []
    assert essex.review_on == dt.date(2027, 4, 1)
    for organisation in Organisation.objects.all():
        with open_scope(actor=Actor.WORKER, organisation_id=organisation.pk):
            assert len(protocol.partners_in_force()) == 7
    assert all(
        agreements.authorised(p.signed_by, p.organisation_id, p.signed_on) for p in essex.parties.all()
    ), "who signed held the role on that day"


# ---- completeness, alone ---------------------------------------------------------------------------------------

WHOLE = completeness.Party(
    "One",
    "1 Street",
    "01632",
    ("a@b.example",),
    "Dana",
    ("Z1",),
    ("a@b.example",),
    ("sole_controller",),
    frozenset("r"),
)


def test_each_item_that_is_taken_out_is_one_gap() -> None:
    other = dataclasses.replace(WHOLE, name="Two", roles=("processor",))
    entries = {k: frozenset("x") for k in ("purpose", "information", "article_6", "statute")}
    facts = completeness.Facts(
        "T", "1", "One", "A", "S", "R", (WHOLE, other), {**entries, "right": frozenset("r")},
        frozenset({"dpia", "procedure", "contract", "policy"}),
    )  # fmt: skip
    assert completeness.gaps(facts) == []
    for text in ("title", "version", "owner", "authors", "summary", "retention"):
        assert [g.key for g in completeness.gaps(dataclasses.replace(facts, **{text: " "}))] == [text]
    for item in ("head_office", "phone", "data_protection_officer"):
        spoilt = dataclasses.replace(other, **{item: ""})
        assert [g.key for g in completeness.gaps(dataclasses.replace(facts, parties=(WHOLE, spoilt)))] == [
            item
        ]
    for item in ("ico_references", "breach_emails", "roles"):
        spoilt = dataclasses.replace(other, **{item: ()})
        assert [g.key for g in completeness.gaps(dataclasses.replace(facts, parties=(WHOLE, spoilt)))] == [
            item
        ]
    elsewhere = dataclasses.replace(other, breach_emails=("x@y.example",))
    assert [g.key for g in completeness.gaps(dataclasses.replace(facts, parties=(WHOLE, elsewhere)))] == [
        "breach_emails"
    ]
    for kind in entries:
        fewer = {k: v for k, v in facts.entries.items() if k != kind}
        assert [g.key for g in completeness.gaps(dataclasses.replace(facts, entries=fewer))] == [kind]
    special = {**facts.entries, "information": frozenset({"health"})}
    assert [g.key for g in completeness.gaps(dataclasses.replace(facts, entries=special))] == ["article_9"]
    for document in facts.documents:
        fewer_documents = dataclasses.replace(facts, documents=facts.documents - {document})
        assert [g.key for g in completeness.gaps(fewer_documents)] == [f"document_{document}"]
    for roles, key in ((("processor",), "controller"), (("joint_controller",), "joint")):
        spoilt = dataclasses.replace(WHOLE, roles=roles)
        assert [g.key for g in completeness.gaps(dataclasses.replace(facts, parties=(spoilt, other)))] == [
            key
        ]
    two = dataclasses.replace(other, roles=("sole_controller",))
    assert [g.key for g in completeness.gaps(dataclasses.replace(facts, parties=(WHOLE, two)))] == [
        "controllers"
    ]
    assert [g.key for g in completeness.gaps(dataclasses.replace(facts, parties=(WHOLE,)))] == ["parties"]
