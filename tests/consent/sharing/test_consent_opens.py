"""What a consent to share opens, until when, and that no yes stands without its evidence (O-158 to O-163)."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from caseload.models import SharingGrant
from consent.models import SharingConsent, SharingSignature
from consent.sharing import services
from consent.sharing.rules import State
from edatrs.core import clock
from edatrs.core.crypto import Undecipherable, unseal
from tests.consent.sharing.pair import PDF, Pair, give, state

pytestmark = pytest.mark.django_db


def opened(pair: Pair) -> set[str]:
    """The categories with a grant that is not suspended and in date."""
    rows = SharingGrant.objects.filter(
        content_object_id=pair.client.pk, holder_id=pair.theirs.pk, suspended_at=None
    )
    return {row.category for row in rows if row.valid_until is None or row.valid_until >= clock.today()}


def test_a_yes_opens_exactly_its_parts_until_the_end_of_its_last_day(at_work: Pair) -> None:
    consent = give(at_work)
    assert str(consent).startswith("CS-")
    assert opened(at_work) == {"identity", "contact", "treatment"}
    assert at_work.categories() == {"identity", "contact", "treatment"}
    last = dt.datetime(2027, 3, 31, 22, 59, 59, tzinfo=dt.UTC)  # 23:59:59 in London
    assert at_work.categories(last) == {"identity", "contact", "treatment"}
    assert at_work.categories(last + dt.timedelta(seconds=1)) == frozenset()


def test_the_same_page_sent_twice_records_once(at_work: Pair) -> None:
    key = uuid4()
    assert give(at_work, form_key=key).pk == give(at_work, form_key=key).pk
    assert SharingConsent.objects.count() == 1


def test_numbers_go_up_and_are_of_the_consent_alone(at_work: Pair) -> None:
    one, two = give(at_work), give(at_work)
    assert two.number > one.number


def test_a_refusal_is_kept_opens_nothing_and_tells_the_partner_nothing(at_work: Pair) -> None:
    consent = give(at_work, answer="refused", note="My cousin works there", signature=None, way="")
    assert (consent.answer, consent.ends, consent.way, consent.until) == ("refused", "", "", None)
    assert at_work.categories() == frozenset()
    assert not SharingGrant.objects.exists()
    assert state(at_work, consent) is State.REFUSED


def test_somebody_outside_is_named_and_gets_no_access(at_work: Pair) -> None:
    consent = give(at_work, recipient=None, recipient_name="Dr Osei, GP")
    assert state(at_work, consent) is State.LIVE
    assert not SharingGrant.objects.exists()


WITHOUT: list[tuple[dict[str, Any], str]] = [
    ({"purposes": " "}, "purposes"),
    ({"categories": []}, "parts"),
    ({"ends": ""}, "ends"),
    ({"until": None}, "until"),
    ({"until": dt.date(2026, 11, 22)}, "until"),
    ({"told_who_sees": False}, "told_who_sees"),
    ({"told_notice": False}, "told_notice"),
    ({"way": ""}, "way"),
    ({"signature": None}, "signed_form"),
    ({"way": "drawn", "signature": None}, "way"),
    ({"way": "witnessed", "spoken_words": ""}, "spoken_words"),
    ({"way": "witnessed", "spoken_words": "Yes"}, "witness"),
    ({"decided_on": dt.date(2026, 11, 24)}, "decided_on"),
    ({"recipient": None}, "recipient"),
    ({"recipient_name": "And another"}, "recipient"),
]


def test_a_yes_without_its_evidence_is_not_recorded(at_work: Pair) -> None:
    for changed, field in WITHOUT:
        with pytest.raises(services.Refused) as refused:
            give(at_work, **changed)
        assert refused.value.field == field, changed
    assert not SharingConsent.objects.exists()


def test_the_database_too_holds_no_yes_without_evidence_and_lets_nothing_be_edited(at_work: Pair) -> None:
    consent = give(at_work)
    for change in (
        "answer = 'refused'",
        "until = NULL",
        "decided_on = now()",
        "client_id = gen_random_uuid()",
    ):
        with (
            pytest.raises(Exception, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"UPDATE consent_sharingconsent SET {change} WHERE id = %s", [consent.pk])
    fields = {f.attname: getattr(consent, f.attname) for f in consent._meta.concrete_fields}
    fields |= {"id": uuid4(), "number": 999_999, "told_notice": False}
    with pytest.raises(IntegrityError, match="sharing_consent_given_has_evidence"), transaction.atomic():
        SharingConsent(**fields).save(force_insert=True)


def test_the_signature_is_sealed_to_its_consent(at_work: Pair) -> None:
    one, two = give(at_work), give(at_work)
    held = SharingSignature.objects.get(consent=one)
    assert b"%PDF" not in bytes(held.sealed)
    assert unseal(bytes(held.sealed), str(one.pk)) == PDF.raw
    with pytest.raises(Undecipherable):
        unseal(bytes(held.sealed), str(two.pk))
