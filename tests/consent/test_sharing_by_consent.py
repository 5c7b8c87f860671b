"""Consent to share as acts: what it opens, for whom and until when; withdrawal, witness, error, renewal, merge (O-151, O-158 to O-163)."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from audit.models import AuditEvent
from caseload import shared
from caseload.models import Client, SharingGrant
from caseload.services import merge, unmerge
from caseload.services.episodes import Episode
from consent.models import SharingConsent, SharingSignature
from consent.sharing import decisions, reminders, rules, services, sources
from consent.sharing.rules import State
from consent.uploads import SignedForm
from edatrs.core import clock, registry
from edatrs.core.access import Denied
from edatrs.core.crypto import Undecipherable, unseal
from edatrs.core.scope import Scope
from edatrs.organisations.models import Organisation, Task, User
from tests.core.world import acting_for
from tests.factories.caseload import make_client, make_episode, make_part, make_registration, make_service
from tests.factories.organisations import make_organisation, make_person
from tests.factories.sharing import make_agreement

pytestmark = pytest.mark.django_db
Acting = Callable[..., AbstractContextManager[Scope]]
PDF = SignedForm("pdf", b"%PDF-1.4 %%EOF")  # type: ignore[arg-type]
TODAY = dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.UTC)
LATER = dt.date(2027, 3, 31)


@dataclass
class Pair:
    """Who holds the record, who asks to see it, and their people."""

    ours: Organisation
    theirs: Organisation
    worker: User
    colleague: User
    reader: User
    client: Client

    def categories(self, at: dt.datetime = TODAY) -> frozenset[str]:
        """What the other organisation reaches, through both walls."""
        with clock.frozen(at), acting_for(self.theirs, "keyworker"):
            try:
                return shared.get_shared(self.client.pk, "S")[1]
            except Denied:
                return frozenset()


@pytest.fixture
def pair() -> Pair:
    ours, theirs = make_organisation(), make_organisation()
    make_agreement(ours, theirs)
    make_service(ours)
    with acting_for(ours):
        client = make_client()
        make_episode(registration=make_registration(client=client))
    return Pair(ours, theirs, make_person(ours), make_person(ours), make_person(theirs), client)


@pytest.fixture
def at_work(pair: Pair, acting: Acting) -> Iterator[Pair]:
    with clock.frozen(TODAY), acting(pair.ours, "keyworker", person=pair.worker):
        yield pair


def give(pair: Pair, **changed: Any) -> SharingConsent:
    """A yes on paper for two parts until a day."""
    said: dict[str, Any] = {
        "client": pair.client,
        "answer": "given",
        "recipient": pair.theirs,
        "recipient_name": "",
        "purposes": "So that I do not have to tell it twice",
        "categories": ["identity", "contact", "treatment"],
        "decided_on": dt.date(2026, 11, 20),
        "acting_user": pair.worker,
        "ends": "date",
        "until": LATER,
        "told_who_sees": True,
        "told_notice": True,
        "way": "paper",
        "signature": PDF,
    }
    return services.record_consent(**{**said, **changed})


def withdraw(consent: SharingConsent, worker: User, **how: Any) -> Any:
    return services.end_consent(consent=consent, kind="withdrawn", acting_user=worker, **how)


def state(pair: Pair, consent: SharingConsent) -> State:
    return sources.read(pair.client).consent(consent.pk).state


def opened(pair: Pair) -> set[str]:
    """The categories with a grant that is not suspended and in date."""
    rows = SharingGrant.objects.filter(
        content_object_id=pair.client.pk, holder_id=pair.theirs.pk, suspended_at=None
    )
    return {row.category for row in rows if row.valid_until is None or row.valid_until >= clock.today()}


# ---- what a yes opens -------------------------------------------------------------------------------------------


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


# ---- withdrawal, error, end, renewal ----------------------------------------------------------------------------


def test_a_withdrawal_closes_at_once_and_what_another_consent_opens_stays(at_work: Pair) -> None:
    one = give(at_work)
    give(at_work, categories=["treatment", "risk"], ends="open", until=None)
    withdraw(one, at_work.worker)
    assert at_work.categories() == {"treatment", "risk"}
    assert state(at_work, one) is State.WITHDRAWN
    assert SharingConsent.objects.get(pk=one.pk).answer == "given"  # it stays


def test_withdrawn_twice_is_withdrawn_once(at_work: Pair) -> None:
    consent = give(at_work)
    assert withdraw(consent, at_work.worker).pk == withdraw(consent, at_work.worker).pk


def test_what_was_recorded_in_error_opens_nothing_and_says_why(at_work: Pair) -> None:
    consent = give(at_work)
    with pytest.raises(services.Refused, match="what was wrong"):
        services.end_consent(consent=consent, kind="invalidated", acting_user=at_work.worker)
    services.end_consent(
        consent=consent, kind="invalidated", acting_user=at_work.worker, reason="Wrong person"
    )
    assert at_work.categories() == frozenset()
    assert state(at_work, consent) is State.INVALIDATED


def test_asked_again_the_answer_takes_the_place_of_the_earlier_one(at_work: Pair) -> None:
    old = give(at_work)
    new = give(at_work, categories=["identity"], renews=old.pk)
    assert at_work.categories() == {"identity"}
    assert state(at_work, old) is State.RENEWED
    services.end_consent(consent=new, kind="invalidated", acting_user=at_work.worker, reason="Typed wrongly")
    assert at_work.categories() == {"identity", "contact", "treatment"}


def test_asked_again_a_no_ends_the_earlier_yes(at_work: Pair) -> None:
    old = give(at_work)
    give(at_work, answer="refused", renews=old.pk)
    assert at_work.categories() == frozenset()


def test_a_spoken_renewal_takes_the_place_only_once_it_is_confirmed(at_work: Pair) -> None:
    old = give(at_work)
    spoken = {
        "way": "witnessed",
        "spoken_words": "Yes, still",
        "witness": at_work.colleague,
        "signature": None,
    }
    give(at_work, categories=["identity"], renews=old.pk, **spoken)
    assert at_work.categories() == {"identity", "contact", "treatment"}


def test_a_consent_until_the_episode_ends_ends_with_it_and_for_good(at_work: Pair) -> None:
    consent = give(at_work, ends="episode", until=None)
    assert at_work.categories()
    episode = Episode.objects.get(client=at_work.client)
    Episode.objects.filter(pk=episode.pk).update(discharged_on=clock.today())
    registry.episodes_changed([episode.pk])
    assert at_work.categories() == frozenset()
    assert state(at_work, consent) is State.EPISODE_OVER
    Episode.objects.filter(pk=episode.pk).update(discharged_on=None)
    registry.episodes_changed([episode.pk])
    assert at_work.categories() == frozenset()


def test_without_an_open_episode_it_cannot_end_with_one(at_work: Pair) -> None:
    Episode.objects.filter(client=at_work.client).update(discharged_on=clock.today())
    with pytest.raises(services.Refused, match="no open episode"):
        give(at_work, ends="episode", until=None)


def test_a_discharge_that_came_with_an_import_is_found_by_the_clock(at_work: Pair) -> None:
    consent = give(at_work, ends="episode", until=None)
    Episode.objects.filter(client=at_work.client).update(discharged_on=clock.today())
    reminders.remind_all()
    assert state(at_work, consent) is State.EPISODE_OVER
    assert at_work.categories() == frozenset()


# ---- spoken and witnessed ---------------------------------------------------------------------------------------


def spoken(pair: Pair, **changed: Any) -> SharingConsent:
    said = {
        "way": "witnessed",
        "spoken_words": "Yes, tell them",
        "witness": pair.colleague,
        "signature": None,
    }
    return give(pair, **{**said, **changed})


def test_a_spoken_yes_opens_nothing_until_the_witness_confirmed(at_work: Pair, acting: Acting) -> None:
    consent = spoken(at_work)
    assert state(at_work, consent) is State.WAITING
    assert at_work.categories() == frozenset()
    task = Task.objects.get(user=at_work.colleague)
    assert str(consent) in task.words
    assert task.link.endswith(f"{consent.pk}/witness/")
    with pytest.raises(services.Refused, match="Only the colleague"):
        services.confirm_witness(consent=consent, answer="heard", acting_user=at_work.worker)
    with acting(at_work.ours, "keyworker", person=at_work.colleague):
        services.confirm_witness(consent=consent, answer="heard", acting_user=at_work.colleague)
    assert at_work.categories() == {"identity", "contact", "treatment"}


def test_a_witness_who_did_not_hear_it_opens_nothing(at_work: Pair) -> None:
    consent = spoken(at_work)
    services.confirm_witness(consent=consent, answer="not_heard", acting_user=at_work.colleague)
    assert state(at_work, consent) is State.NOT_HEARD
    assert at_work.categories() == frozenset()


def test_after_24_hours_nobody_can_confirm_any_more(pair: Pair, acting: Acting) -> None:
    with clock.frozen(TODAY), acting(pair.ours, "keyworker", person=pair.worker):
        consent = spoken(pair)
    for hours, possible in ((24, False), (23, True)):
        with (
            clock.frozen(TODAY + dt.timedelta(hours=hours)),
            acting(pair.ours, "keyworker", person=pair.colleague),
        ):
            if possible:
                services.confirm_witness(consent=consent, answer="heard", acting_user=pair.colleague)
            else:
                with pytest.raises(services.Refused, match="24 hours are over"):
                    services.confirm_witness(consent=consent, answer="heard", acting_user=pair.colleague)
    assert pair.categories(TODAY + dt.timedelta(hours=23)) != frozenset()


def test_nobody_is_their_own_witness(at_work: Pair) -> None:
    with pytest.raises(services.Refused, match="somebody else than you"):
        spoken(at_work, witness=at_work.worker)


# ---- protocol ---------------------------------------------------------------------------------------------------


def test_without_a_protocol_in_force_a_consent_is_kept_and_opens_nothing(pair: Pair, acting: Acting) -> None:
    stranger = make_organisation()
    with clock.frozen(TODAY), acting(pair.ours, "keyworker", person=pair.worker):
        consent = give(pair, recipient=stranger)
        assert state(pair, consent) is State.LIVE
    pair.theirs = stranger
    assert pair.categories() == frozenset()


# ---- decisions without consent ----------------------------------------------------------------------------------


def decide(pair: Pair, **changed: Any) -> Any:
    said: dict[str, Any] = {
        "client": pair.client,
        "recipient": pair.theirs,
        "ground": "welfare",
        "categories": ["safeguarding"],
        "decided_by": "Marta Lind",
        "decided_as": "Caldicott Guardian",
        "decided_on": dt.date(2026, 11, 23),
        "reason": "A child is at risk",
        "review_on": dt.date(2027, 1, 7),
        "acting_user": pair.worker,
    }
    return decisions.decide(**{**said, **changed})


def test_a_decision_opens_its_parts_until_the_day_of_review(at_work: Pair) -> None:
    decide(at_work)
    assert at_work.categories() == {"safeguarding"}
    assert at_work.categories(dt.datetime(2027, 1, 7, 23, 59, tzinfo=dt.UTC)) == {"safeguarding"}
    assert at_work.categories(dt.datetime(2027, 1, 8, 0, 0, tzinfo=dt.UTC)) == frozenset()


def test_a_review_carries_it_on_or_ends_it(at_work: Pair) -> None:
    decision = decide(at_work)
    decisions.review(
        decision=decision, outcome="goes_on", reason="Still", review_on=LATER, acting_user=at_work.worker
    )
    assert at_work.categories(dt.datetime(2027, 1, 8, 0, 0, tzinfo=dt.UTC)) == {"safeguarding"}
    decisions.review(decision=decision, outcome="ends", reason="Safe now", acting_user=at_work.worker)
    assert at_work.categories() == frozenset()
    with pytest.raises(services.Refused, match="was ended"):
        decisions.review(
            decision=decision, outcome="goes_on", reason="x", review_on=LATER, acting_user=at_work.worker
        )


UNSAID: list[tuple[dict[str, Any], str]] = [
    ({"categories": []}, "parts"),
    ({"decided_by": " "}, "decided_by"),
    ({"decided_as": ""}, "decided_as"),
    ({"reason": " "}, "reason"),
    ({"decided_on": dt.date(2026, 11, 24)}, "decided_on"),
    ({"review_on": dt.date(2026, 11, 22)}, "review_on"),
    ({"review_on": dt.date(2028, 1, 1)}, "review_on"),
]


def test_a_decision_says_who_why_what_and_when_it_is_reviewed(at_work: Pair) -> None:
    for changed, field in UNSAID:
        with pytest.raises(services.Refused) as refused:
            decide(at_work, **changed)
        assert refused.value.field == field, changed


def test_consent_and_decision_together_open_both_and_each_ends_alone(at_work: Pair) -> None:
    consent = give(at_work)
    decide(at_work, categories=["treatment"])
    withdraw(consent, at_work.worker)
    assert at_work.categories() == {"treatment"}


# ---- merged records ---------------------------------------------------------------------------------------------


def merged(pair: Pair, survivor: Client, other: Client, manager: User) -> Any:
    plan = merge.plan(survivor=survivor, merged=other)
    choices = {f"{d.category}.{d.name}": "keep" for d in plan.differences}
    return merge.merge_clients(
        survivor=survivor,
        merged=other,
        choices=choices,
        reason="The same person",
        stamp=plan.stamp,
        acting_user=manager,
    )


def two_records(pair: Pair) -> Client:
    other = make_client()
    for client in (pair.client, other):
        for model in merge.COLUMNS.values():
            make_part(model[0], client)
    return other


def test_a_merge_brings_consents_together_and_its_undoing_takes_them_apart(at_work: Pair) -> None:
    manager, other = make_person(at_work.ours, role="team_manager"), two_records(at_work)
    give(at_work)
    give(at_work, client=other, categories=["risk"])
    done = merged(at_work, at_work.client, other, manager)
    assert at_work.categories() == {"identity", "contact", "treatment", "risk"}
    assert not SharingGrant.objects.filter(content_object_id=other.pk, suspended_at=None).exists()
    unmerge.undo_merge(merge=done, reason="Two people", acting_user=manager)
    assert at_work.categories() == {"identity", "contact", "treatment"}
    assert {
        g.category for g in SharingGrant.objects.filter(content_object_id=other.pk, suspended_at=None)
    } == {"risk"}


@pytest.mark.parametrize("how", ["withdrawn", "refused"])
def test_a_no_in_one_record_stands_against_an_earlier_yes_in_the_other(at_work: Pair, how: str) -> None:
    """O-141: withdrawals are inherited, the safe side."""
    manager, other = make_person(at_work.ours, role="team_manager"), two_records(at_work)
    give(at_work)
    if how == "withdrawn":
        withdraw(give(at_work, client=other, categories=["risk"]), at_work.worker)
    else:
        give(at_work, client=other, answer="refused", decided_on=dt.date(2026, 11, 21))
    merged(at_work, at_work.client, other, manager)
    assert at_work.categories() == frozenset()


def test_a_yes_after_the_no_in_the_other_record_stands(at_work: Pair) -> None:
    manager, other = make_person(at_work.ours, role="team_manager"), two_records(at_work)
    give(at_work)
    give(at_work, client=other, answer="refused", decided_on=dt.date(2026, 11, 19))
    merged(at_work, at_work.client, other, manager)
    assert at_work.categories() == {"identity", "contact", "treatment"}


# ---- trail ------------------------------------------------------------------------------------------------------


def test_each_act_is_one_event_on_both_trails_and_says_nothing_of_what_was_said(
    pair: Pair, acting: Acting
) -> None:
    with clock.frozen(TODAY), acting(pair.ours, "keyworker", person=pair.worker):
        consent = give(pair, purposes="A secret of mine")
    with clock.frozen(TODAY), acting(pair.ours, "keyworker", person=pair.worker):
        withdraw(consent, pair.worker, reason="Another secret")
    for name in ("consent.sharing.recorded", "consent.sharing.ended"):
        seen = []
        for side in (pair.ours, pair.theirs):
            with acting_for(side, "information_governance"):
                seen += [(e.event_id, str(e.details)) for e in AuditEvent.objects.filter(name=name)]
        assert len(seen) == 2, name
        assert len({pk for pk, _ in seen}) == 1, name
        assert not any("secret" in details for _, details in seen)


def test_a_refusal_stands_on_no_other_trail(pair: Pair, acting: Acting) -> None:
    with clock.frozen(TODAY), acting(pair.ours, "keyworker", person=pair.worker):
        give(pair, answer="refused")
        spoken(pair)
    with acting_for(pair.theirs, "information_governance"):
        assert not AuditEvent.objects.filter(name__startswith="consent.sharing").exists()


# ---- by the clock -----------------------------------------------------------------------------------------------


def test_after_12_months_without_an_end_the_managers_are_reminded_once(pair: Pair, acting: Acting) -> None:
    with clock.frozen(TODAY), acting(pair.ours, "keyworker", person=pair.worker):
        consent = give(pair, ends="open", until=None)
        ended = give(pair, ends="open", until=None)
        withdraw(ended, pair.worker)
    for day, told in ((dt.date(2027, 11, 19), 0), (dt.date(2027, 11, 20), 1), (dt.date(2027, 11, 21), 1)):
        with clock.frozen(dt.datetime.combine(day, dt.time(9), dt.UTC)):
            reminders.remind_all()
        tasks = list(Task.objects.filter(role="team_manager", organisation=pair.ours))
        assert len(tasks) == told, day
    assert str(consent) in tasks[0].words
    assert pair.categories(dt.datetime(2027, 12, 1, tzinfo=dt.UTC)) != frozenset()  # it goes on counting


def test_a_decision_is_to_be_reviewed_two_weeks_before(pair: Pair, acting: Acting) -> None:
    with clock.frozen(TODAY), acting(pair.ours, "keyworker", person=pair.worker):
        decision = decide(pair)
    for day, told in ((dt.date(2026, 12, 23), 0), (dt.date(2026, 12, 24), 1)):
        with clock.frozen(dt.datetime.combine(day, dt.time(9), dt.UTC)):
            reminders.remind_all()
        assert Task.objects.filter(words__contains=str(decision)).count() == told


# ---- mutants: each control taken away is noticed ------------------------------------------------------------------


def walk(pair: Pair) -> list[str]:
    """What is wrong with who can see what, after one of each."""
    wrong, none = [], frozenset[str]()

    def see(name: str, expected: frozenset[str] | set[str], at: dt.datetime = TODAY) -> None:
        if pair.categories(at) != expected:
            wrong.append(name)

    consent = give(pair)
    withdraw(consent, pair.worker)
    see("withdrawn", none)
    spoken(pair)
    see("unconfirmed", none)
    give(pair, answer="refused")
    see("refused", none)
    short = give(pair, categories=["risk"], until=clock.today())
    after = TODAY + dt.timedelta(days=1)
    with clock.frozen(after):
        services.push(client=pair.client, recipient_id=pair.theirs.pk)
    see("ended", none, after)
    services.end_consent(consent=short, kind="invalidated", acting_user=pair.worker, reason="x")
    see("in error", none)
    stranger, theirs = make_organisation(), pair.theirs
    give(pair, recipient=stranger)
    pair.theirs = stranger
    see("no protocol", none)
    pair.theirs = theirs
    return wrong


def test_the_walk_finds_nothing_wrong(at_work: Pair) -> None:
    assert walk(at_work) == []


LIVE = rules.state_of


def always_live(*states: State) -> Any:
    def mutant(consent: Any, **how: Any) -> State:
        found = LIVE(consent, **how)
        return State.LIVE if found in states else found

    return mutant


@pytest.mark.parametrize(
    ("states", "noticed"),
    [
        ((State.WITHDRAWN,), "withdrawn"),
        ((State.WAITING,), "unconfirmed"),
        ((State.REFUSED,), "refused"),
        ((State.INVALIDATED,), "in error"),
    ],
)
def test_a_state_that_counts_although_it_must_not_is_noticed(
    at_work: Pair, monkeypatch: pytest.MonkeyPatch, states: tuple[State, ...], noticed: str
) -> None:
    monkeypatch.setattr(rules, "state_of", always_live(*states))
    assert noticed in walk(at_work)


def test_a_withdrawal_that_is_not_pushed_is_noticed(at_work: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = services.push, []

    def only_the_first(**how: Any) -> list[str]:
        calls.append(1)
        return real(**how) if len(calls) == 1 else []

    monkeypatch.setattr(services, "push", only_the_first)
    assert "withdrawn" in walk(at_work)


def test_a_last_day_that_is_not_written_is_noticed(at_work: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    real, live = rules.terms, rules.state_of

    def without_end(held: Any, today: dt.date) -> Any:
        return {
            c: rules.Term(t.valid_from)
            for c, t in real([rules.Source(s.categories, s.valid_from, None) for s in held], today).items()
        }

    monkeypatch.setattr(rules, "terms", without_end)
    monkeypatch.setattr(rules, "state_of", always_live(State.ENDED))
    assert live is LIVE
    assert "ended" in walk(at_work)


def test_a_consent_that_counts_without_a_protocol_is_noticed(at_work: Pair, owner_connection: Any) -> None:
    """Both walls ask the database which protocols are in force: without that question the walk sees the difference."""
    name = "organisations_partners_in_force()"
    before = owner_connection.execute(f"SELECT pg_get_functiondef('{name}'::regprocedure)").fetchone()[0]
    owner_connection.execute(
        f"CREATE OR REPLACE FUNCTION {name} RETURNS SETOF uuid LANGUAGE sql STABLE PARALLEL SAFE "
        "AS 'SELECT id FROM organisations_organisation'"
    )
    try:
        noticed = walk(at_work)
    finally:
        owner_connection.execute(before)
    assert "no protocol" in noticed


def test_an_imported_discharge_ends_a_consent_that_holds_until_the_episode_ends(acting: Acting) -> None:
    """As soon as the load is done, with no clock in between."""
    bundle = Path(__file__).parent.parent / "data" / "sample" / "bundle-2"

    def load() -> None:
        call_command("import_caseload", str(bundle), stdout=io.StringIO(), stderr=io.StringIO())

    call_command("load_partnership", stdout=io.StringIO())
    load()
    ours = Organisation.objects.get(slug="eput-essex-stars")
    worker, theirs = make_person(ours), make_organisation()
    make_agreement(ours, theirs)
    with acting(ours, "keyworker", person=worker):
        episode = (
            Episode.objects.filter(discharged_on__isnull=False)
            .exclude(client__in=Episode.objects.filter(discharged_on=None).values("client"))
            .select_related("client")
            .first()
        )
        assert episode is not None
        Episode.objects.filter(pk=episode.pk).update(discharged_on=None)
        pair = Pair(ours, theirs, worker, worker, worker, episode.client)
        give(pair, ends="episode", until=None, decided_on=clock.today())
    assert pair.categories(clock.now())
    with connection.cursor() as cursor:
        cursor.execute("DISCARD TEMP")  # what the first load leaves until its transaction ends
    load()
    assert pair.categories(clock.now()) == frozenset()
