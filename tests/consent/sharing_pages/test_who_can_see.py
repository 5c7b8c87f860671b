"""The page that says who can see, its print, decisions without consent and the log of disclosures."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

import pytest

from audit.models import AuditEvent
from consent.models import Disclosure, LawfulDecision
from edatrs.core import clock
from tests.consent.sharing_pages.sharing_desk import Desk, given, text
from tests.core.world import acting_for
from tests.factories.organisations import make_organisation, make_person
from tests.factories.share_consents import make_consent

pytestmark = pytest.mark.django_db


def test_the_page_says_who_what_why_and_until_when(desk: Desk) -> None:
    make_organisation("third", name="Third Trust")
    desk.post("consents/new/", desk.said())
    page = text(desk.get())
    for words in (
        "Who can see this record, what, why and until when",
        "Identity and contact",
        "Theirs Trust",
        "no end date",
        "holds the record",
        "Third Trust can see nothing",
        "Leanne’s consent, signed on screen",
        "So that I do not have to tell it twice",
    ):
        assert words in page
    assert "Only what Leanne has told us" in page


def test_the_timeline_tells_of_it(desk: Desk) -> None:
    desk.post("consents/new/", desk.said())
    page = text(desk.browser.get(f"/o/ours/clients/{desk.client.pk}/timeline/"))
    assert "Consent to share with Theirs Trust" in page
    assert "Identity and contact; treatment" in page


def test_on_paper_it_speaks_to_the_client_and_is_on_the_trail(desk: Desk) -> None:
    desk.post("consents/new/", desk.said())
    page = text(desk.get("printed/"))
    assert "Who can see your record" in page
    assert "your consent CS-" in page
    with acting_for(desk.ours):
        assert AuditEvent.objects.filter(name="consent.sharing.printed").count() == 1


def test_a_governance_officer_sees_a_number_and_no_word_of_the_client(desk: Desk) -> None:
    desk.post("consents/new/", desk.said())
    consent, officer = desk.consent(), make_person(desk.ours, role="information_governance")
    desk.post("given/new/", given(), user=desk.worker)
    for path in ("", "printed/", f"consents/{consent.pk}/", f"consents/{consent.pk}/withdraw/", "given/"):
        answer = desk.get(path, user=officer)
        assert answer.status_code == 200, path
        page = answer.content.decode()
        for secret in ("Leanne", "MARSH", "tell it twice", "Dr Osei", "Prescription summary"):
            assert secret not in page, (path, secret)
    assert desk.get("consents/new/", user=officer).status_code == 404
    assert desk.get(f"consents/{consent.pk}/signed-form/", user=officer).status_code == 404
    today = clock.today()
    day = {"on_day": today.day, "on_month": today.month, "on_year": today.year}
    assert desk.post(f"consents/{consent.pk}/withdraw/", day, user=officer).status_code == 302
    assert desk.granted() == set()


def test_others_see_nothing_of_it(desk: Desk) -> None:
    desk.post("consents/new/", desk.said())
    for role in ("ndtms_administrator", "organisation_administrator", "platform_support"):
        person = make_person(desk.ours, role=role)
        for path in ("", "consents/new/", f"consents/{desk.consent().pk}/", "decisions/new/", "given/"):
            assert desk.get(path, user=person).status_code == 404, (role, path)


def test_a_consent_of_another_client_is_not_there(desk: Desk) -> None:
    with acting_for(desk.ours):
        other = make_consent()
    for page in ("", "copy/", "signed-form/", "withdraw/", "in-error/", "witness/"):
        assert desk.get(f"consents/{other.pk}/{page}").status_code == 404, page


def test_the_copy_and_the_blank_forms_say_what_the_paper_form_says(desk: Desk) -> None:
    """O-158 to O-163."""
    desk.post("consents/new/", desk.said())
    copy = text(desk.get(f"consents/{desk.consent().pk}/copy/"))
    for words in (
        "I consent to share my data with",
        "Theirs Trust",
        "for the purposes of",
        "My name",
        "MARSH, Leanne",
    ):
        assert words in copy
    blank = text(desk.get("consents/blank/"))
    assert blank.count("I consent to share my data with") == 3
    assert blank.count("for the purposes of") == 3


def decision(**changed: Any) -> dict[str, Any]:
    today = clock.today()
    review = today + dt.timedelta(days=40)
    return {
        "recipient": "theirs",
        "ground": "welfare",
        "parts": ["safeguarding"],
        "reason": "A child is at risk",
        "decided_by": "Marta Lind",
        "decided_as": "Caldicott Guardian",
        "decided_on_day": today.day,
        "decided_on_month": today.month,
        "decided_on_year": today.year,
        "review_on_day": review.day,
        "review_on_month": review.month,
        "review_on_year": review.year,
        "_page": str(uuid4()),
        **changed,
    }


def test_a_manager_shares_without_consent_and_the_page_says_who_decided(desk: Desk) -> None:
    manager = make_person(desk.ours, role="team_manager")
    assert desk.post("decisions/new/", decision()).status_code == 404  # no keyworker's act
    assert desk.post("decisions/new/", decision(), user=manager).status_code == 302
    assert desk.granted() == {"safeguarding"}
    page = text(desk.get())
    assert "no consent: protecting someone’s welfare" in page
    assert "Decided by Marta Lind, Caldicott Guardian" in page
    assert "A child is at risk" not in page
    with acting_for(desk.ours):
        made = LawfulDecision.objects.get()
    answer = desk.post(f"decisions/{made.pk}/", {"outcome": "ends", "reason": "Safe now"}, user=manager)
    assert answer.status_code == 302
    assert desk.granted() == set()


def test_what_was_given_by_hand_is_listed_with_its_ground(desk: Desk) -> None:
    form = given()
    assert desk.post("given/new/", form).status_code == 302
    assert desk.post("given/new/", form).status_code == 302
    with acting_for(desk.ours):
        assert Disclosure.objects.count() == 1
    page = text(desk.get("given/"))
    for words in ("Dr Osei", "Prescription summary", "Standing: GP, for prescribing", "To prescribe safely"):
        assert words in page


def test_a_disclosure_without_its_ground_is_not_logged(desk: Desk) -> None:
    for changed, words in (
        ({"condition": "emergency"}, "Choose a condition that fits this recipient"),
        ({"standing": ""}, "Choose which standing recipient"),
        ({"ground": "lawful"}, "Choose the lawful ground"),
        ({"ground": "consent"}, "Choose the consent"),
        ({"what": ""}, "Write what was given"),
        ({"parts": []}, "Tick the parts"),
    ):
        answer = desk.post("given/new/", given(**changed))
        assert answer.status_code == 422, changed
        assert words in text(answer), changed
