"""The signed form of a consent: sealed, given back as a file, and not found by who may not see it."""

from __future__ import annotations

import hashlib

import pytest
from django.test import Client as Browser

from audit.models import AuditEvent
from consent.models import ConsentForm
from consent.uploads import MOST_BYTES
from tests.core.world import acting_for, in_sql
from tests.factories.caseload import make_episode
from tests.factories.consent_desk import JPEG, PDF, PNG, Desk, file, make_desk
from tests.factories.organisations import make_person, sign_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("raw", "kind", "ending"),
    [(PDF, "application/pdf", "pdf"), (PNG, "image/png", "png"), (JPEG, "image/jpeg", "jpg")],
)
def test_a_signed_form_is_sealed_and_given_back_byte_for_byte_as_a_file(
    desk: Desk, raw: bytes, kind: str, ending: str
) -> None:
    answer = desk.answer(method="written", signed_form=file(raw))
    act = desk.acts()[0]
    html = desk.browser.get(answer["Location"]).content.decode()
    assert (
        "Signed form" in html and hashlib.sha256(raw).hexdigest()[:12] in html and "Marsh signed" not in html
    )
    given = desk.browser.get(desk.at(f"acts/{act.pk}/signed-form/"))
    assert (given.content, given["Content-Type"]) == (raw, kind)
    assert given["Content-Disposition"] == f'attachment; filename="ndtms-consent-form.{ending}"'
    assert given["X-Content-Type-Options"] == "nosniff" and given["Cache-Control"] == "no-store"
    with acting_for(desk.organisation):
        row = ConsentForm.objects.get()
        assert raw not in bytes(row.sealed) and raw[:8] not in bytes(row.sealed)
        assert (row.size, row.sha256) == (len(raw), hashlib.sha256(raw).hexdigest())
        event = AuditEvent.objects.get(name="consent.ndtms.form_opened")
        assert (event.subject, event.details["consent"]) == (str(desk.client.pk), str(act.pk))


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "empty"),
        (b"MZ\x90\0 a program called form.pdf", "not a PDF, PNG or JPEG"),
        (b"<html><script>alert(1)</script>%PDF-1.4 %%EOF", "not a PDF, PNG or JPEG"),
        (PDF[:-8], "cut short"),
        (PNG[:-4], "cut short"),
        (PDF[:9] + b" " * MOST_BYTES + PDF[9:], "larger than 5 MB"),
    ],
)
def test_what_is_no_signed_form_is_refused_whatever_its_name(desk: Desk, raw: bytes, words: str) -> None:
    answer = desk.answer(method="written", signed_form=file(raw))
    assert answer.status_code == 422 and words in answer.content.decode() and desk.acts() == []


@pytest.mark.parametrize("changed", [{"method": "oral"}, {"answer": "not-now", "method": "written"}])
def test_only_an_answer_in_writing_has_a_signed_form(desk: Desk, changed: dict[str, str]) -> None:
    answer = desk.answer(**{"answer": "Y", **changed}, signed_form=file())
    assert answer.status_code == 422 and desk.acts() == []
    with acting_for(desk.organisation):
        assert not ConsentForm.objects.exists()


def test_a_signed_form_is_not_found_for_who_may_not_see_consent_or_by_another_client(desk: Desk) -> None:
    desk.answer(method="written", signed_form=file())
    act = desk.acts()[0]
    for role in ("organisation_administrator", "information_governance", "commissioner"):
        browser = sign_in(Browser(), make_person(desk.organisation, role=role))
        assert browser.get(desk.at(f"acts/{act.pk}/signed-form/")).status_code == 404
    with acting_for(desk.organisation):
        second = make_episode()
    wrong = f"/o/{desk.organisation.slug}/clients/{second.client_id}/consent/acts/{act.pk}/"
    for page in ("signed-form/", "copy/", "recorded-in-error/"):
        assert desk.browser.get(wrong + page).status_code == 404
    other = make_desk()
    elsewhere = other.at(f"acts/{act.pk}/signed-form/")
    assert other.browser.get(elsewhere).status_code == 404
    assert in_sql("SELECT has_any_column_privilege('app', 'consent_consentform', 'UPDATE')") == [(False,)]
