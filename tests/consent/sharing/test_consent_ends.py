"""A consent to share is withdrawn, ended, renewed, recorded in error, witnessed or not."""

from __future__ import annotations

import datetime as dt

import pytest

from caseload.services.episodes import Episode
from consent.models import SharingConsent
from consent.sharing import reminders, services
from consent.sharing.rules import State
from edatrs.core import clock, registry
from edatrs.organisations.models import Task
from tests.consent.sharing.pair import TODAY, Acting, Pair, give, spoken, state, withdraw

pytestmark = pytest.mark.django_db


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
