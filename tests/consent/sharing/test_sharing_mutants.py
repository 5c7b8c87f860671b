"""Each control of a consent to share taken away is noticed."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from caseload.services.episodes import Episode
from consent.sharing import rules, services
from consent.sharing.rules import State
from edatrs.core import clock
from edatrs.organisations.models import Organisation
from tests.consent.sharing.pair import TODAY, Acting, Pair, give, spoken, withdraw
from tests.factories.organisations import make_organisation, make_person
from tests.factories.sharing import make_agreement

pytestmark = pytest.mark.django_db


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
    bundle = Path(__file__).parents[2] / "data" / "sample" / "bundle-2"

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
