"""Withdrawing, recording in error, asking again and answering a partner on the pages of sharing."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from caseload.models import Client
from consent.models import SharingConsent
from edatrs.core import clock, registry
from edatrs.core.registry import Ask
from tests.consent.sharing_pages.sharing_desk import Desk, text

pytestmark = pytest.mark.django_db


def test_a_withdrawal_closes_the_other_organisations_next_click(desk: Desk) -> None:
    desk.post("consents/new/", desk.said())
    assert desk.other_side().status_code == 200
    today = clock.today()
    day = {"on_day": today.day, "on_month": today.month, "on_year": today.year}
    path = f"consents/{desk.consent().pk}/withdraw/"
    assert "at its very next click" in text(desk.get(path))
    assert desk.post(path, day).status_code == 302
    assert desk.post(path, day).status_code == 302
    assert desk.other_side().status_code == 404
    page = text(desk.get())
    assert "Leanne withdrew" in page
    assert "Withdrawn" in page


def test_recorded_in_error_needs_words_and_closes_too(desk: Desk) -> None:
    desk.post("consents/new/", desk.said())
    path = f"consents/{desk.consent().pk}/in-error/"
    assert desk.post(path, {"reason": ""}).status_code == 422
    assert desk.post(path, {"reason": "Wrong record"}).status_code == 302
    assert desk.other_side().status_code == 404


def test_asking_again_starts_from_the_earlier_consent_and_takes_its_place(desk: Desk) -> None:
    desk.post("consents/new/", desk.said())
    old = desk.consent()
    page = desk.get("consents/new/", renews=str(old.pk)).content.decode()
    assert f"takes the place of {old}" in page
    assert 'value="treatment" checked' in page
    assert desk.post("consents/new/", desk.said(renews=str(old.pk), parts=["risk"])).status_code == 302
    assert desk.granted() == {"risk"}


def test_a_request_of_a_partner_is_shown_answered_and_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Ask(uuid4(), desk.theirs.pk, ("treatment",), "Plan after court", clock.now(), "Imran Sadiq")
    answered: list[Any] = []

    class Asks:
        @staticmethod
        def open_asks(client: Client) -> list[Ask]:
            return [ask] if client.pk == desk.client.pk else []

        @staticmethod
        def answered(pk: Any, consent: SharingConsent) -> None:
            answered.append((pk, consent.answer))

    monkeypatch.setattr(registry.sharing_asks, "_entries", {"test": Asks})
    page = text(desk.get())
    assert "Theirs Trust asks to see 1 part" in page
    assert "Asked for" in page
    form = desk.get("consents/new/", ask=str(ask.pk)).content.decode()
    assert 'value="treatment" checked' in form
    assert "Plan after court" in form
    assert desk.post("consents/new/", desk.said(asked=str(ask.pk), answer="refused")).status_code == 302
    assert answered == [(ask.pk, "refused")]
