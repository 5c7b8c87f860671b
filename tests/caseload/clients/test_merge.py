"""Merging two records of one person, and taking the merge apart: what moves, what is chosen, what is refused, what comes back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser

from audit.models import AuditEvent
from caseload.models import (
    Client,
    ClientContact,
    ClientDisability,
    ClientEquality,
    ClientIdentity,
    ClientItems,
    ClientMerge,
    Episode,
    Intervention,
    Registration,
    SearchToken,
)
from caseload.services import clients as client_services
from caseload.services import merge as services
from caseload.services import search_index, unmerge
from consent.models import ConsentAct
from edatrs.core.access import Denied
from edatrs.organisations.models import Organisation, User
from tests.core.world import acting_for, in_sql
from tests.factories.caseload import (
    make_client,
    make_entry,
    make_episode,
    make_part,
    make_registration,
    make_service,
)
from tests.factories.consent import make_act
from tests.factories.ndtms import make_holding
from tests.factories.organisations import make_organisation, make_person, sign_in

pytestmark = pytest.mark.django_db
BORN = dt.date(1984, 4, 6)


def made(client_id: str, *, consent: str = "", on: dt.date | None = None, **identity: Any) -> Client:
    """A client with every part, a registration, and an episode with something of every kind below it."""
    client = make_client()
    make_part(
        ClientIdentity,
        client,
        **{"forename": "Ana", "surname": "Ferreira", "date_of_birth": BORN, **identity},
    )
    for part in (ClientContact, ClientEquality, ClientDisability):
        make_part(part, client)
    registration = make_registration(client=client, client_id_text=client_id)
    episode = make_episode(
        registration=registration, episode_id=f"E{client_id}", consent=consent, consent_on=on
    )
    make_entry(Intervention, episode)
    make_act(episode=episode)
    make_holding(episode)
    search_index.refresh([client.pk])
    return client


@pytest.fixture
def pair() -> Iterator[tuple[Organisation, User, Client, Client]]:
    """Two records of one person in one organisation, in a scope of their team manager."""
    organisation = make_organisation()
    make_service(organisation)
    manager = make_person(organisation, role="team_manager", full_name="Mo Manager")
    with acting_for(organisation, "team_manager"):
        one = made("101", title="Ms")
        two = made("202", surname="Fereira", nhs_number="9434765919")
        ClientItems.objects.create(client=two, category="circumstances", items={"VETERAN": "1"})
        yield organisation, manager, one, two


CHOICES = {"identity.surname": "keep"}


def merged(one: Client, two: Client, manager: User, choices: dict[str, str] | None = None) -> ClientMerge:
    stamp = services.plan(survivor=one, merged=two).stamp
    return services.merge_clients(
        survivor=one,
        merged=two,
        choices=choices or CHOICES,
        reason="twins they are not",
        stamp=stamp,
        acting_user=manager,
    )


def dump() -> dict[str, list[Any]]:
    """Every row of every table with a client, without what only counts changes."""
    tables = [
        row[0]
        for row in in_sql(
            "SELECT table_name FROM information_schema.columns WHERE column_name = 'client_id' AND right(table_name, 7) <> 'history' "
            "AND table_name NOT IN ('caseload_searchtoken', 'caseload_clientmerge') AND table_schema = 'public' ORDER BY 1"
        )
    ] + ["caseload_client"]
    assert len(tables) > 14
    return {
        table: in_sql(f"SELECT (to_jsonb(t) - 'version' - 'act')::text FROM \"{table}\" t ORDER BY 1")
        for table in tables
    }


def tokens() -> set[Any]:
    return set(SearchToken.objects.values_list("client_id", "kind", "token"))


def test_everything_below_moves_and_client_ids_stay(pair: tuple[Organisation, User, Client, Client]) -> None:
    _, manager, one, two = pair
    row = merged(one, two, manager)
    assert sorted(Registration.objects.filter(client=one).values_list("client_id_text", flat=True)) == [
        "101",
        "202",
    ]
    for model in services.followers():
        assert not model.objects.filter(client_id=two.pk).exists(), model
    assert ConsentAct.objects.filter(client=one).count() == 2
    who = ClientIdentity.objects.get(client=one)
    assert (who.title, who.surname, who.nhs_number) == ("Ms", "Ferreira", "9434765919")
    assert ClientItems.objects.get(client=one).items == {"VETERAN": "1"}
    out = Client.objects.get(pk=two.pk)
    assert out.voided_reason == f"Merged into {one}" and out.person_id == two.person_id != one.person_id
    assert ("earlier_name", "fereira") in {(k, t) for c, k, t in tokens() if c == one.pk}
    assert not {c for c, _, _ in tokens()} - {one.pk}
    events = AuditEvent.objects.filter(name="caseload.client.changed")
    connection.ensure_connection()
    assert not events.exists(), "written at the end of the act"
    assert row.reason == "twins they are not"


def test_undo_restores_every_row(pair: tuple[Organisation, User, Client, Client]) -> None:
    _, manager, one, two = pair
    before, found_by = dump(), tokens()
    row = merged(one, two, manager, {"identity.surname": "take"})
    assert dump() != before
    assert ClientIdentity.objects.get(client=one).surname == "Fereira"
    unmerge.undo_merge(merge=row, reason="two people after all", acting_user=manager)
    assert dump() == before
    # A name it once had is an earlier name from then on, as after any change; apart from that it is found as before.
    assert {t for t in tokens() - found_by if t[1] not in {"earlier_name", "sound"}} == set()
    assert found_by <= tokens()


def test_undo_takes_along_what_was_added_and_keeps_what_was_changed_since(
    pair: tuple[Organisation, User, Client, Client],
) -> None:
    _, manager, one, two = pair
    row = merged(one, two, manager)
    moved = Episode.objects.get(episode_id="E202")
    entry = make_entry(Intervention, moved)
    again = make_episode(registration=Registration.objects.get(client_id_text="202"), episode_id="E203")
    own = make_entry(Intervention, Episode.objects.get(episode_id="E101"))
    client_services.change_part(
        client=one,
        category="identity",
        values={**client_services.read_part(one, "identity").values, "nhs_number": "9999999999"},
        version=client_services.read_part(one, "identity").version,
        acting_user=manager,
    )
    assert unmerge.changed_since(row) == ["nhs number"]
    unmerge.undo_merge(merge=row, reason="two people", acting_user=manager)
    for kept, owner in ((entry, two), (again, two), (own, one)):
        kept.refresh_from_db()
        assert kept.client_id == owner.pk
    assert ClientIdentity.objects.get(client=one).nhs_number == "9999999999"
    with pytest.raises(services.Refused, match="undone already"):
        unmerge.undo_merge(merge=row, reason="again", acting_user=manager)


def test_a_later_merge_must_be_undone_first(pair: tuple[Organisation, User, Client, Client]) -> None:
    organisation, manager, one, two = pair
    first = merged(one, two, manager)
    ClientMerge.objects.filter(pk=first.pk).update(merged_at=first.merged_at - dt.timedelta(hours=1))
    three = made("303")
    second = merged(one, three, manager)
    with pytest.raises(services.Refused, match=f"{three} was merged into this record afterwards"):
        unmerge.undo_merge(merge=first, reason="x", acting_user=manager)
    unmerge.undo_merge(merge=second, reason="x", acting_user=manager)
    unmerge.undo_merge(merge=first, reason="x", acting_user=manager)
    assert Client.objects.filter(voided_at__isnull=True).count() == 3


@pytest.mark.parametrize(
    ("yes_on", "no_on", "answer"),
    [
        (dt.date(2026, 1, 1), dt.date(2026, 2, 1), "N"),
        (dt.date(2026, 2, 1), dt.date(2026, 1, 1), "Y"),
        (None, dt.date(2026, 1, 1), "N"),
        (dt.date(2026, 2, 1), None, "N"),
    ],
)
def test_a_no_is_inherited_unless_a_later_yes_says_otherwise(
    pair: tuple[Organisation, User, Client, Client], yes_on: Any, no_on: Any, answer: str
) -> None:
    _, manager, one, two = pair
    Episode.objects.filter(client=one).update(consent="Y", consent_on=yes_on)
    Episode.objects.filter(client=two).update(consent="N", consent_on=no_on)
    row = merged(one, two, manager)
    assert Episode.objects.get(episode_id="E101").consent == answer
    unmerge.undo_merge(merge=row, reason="x", acting_user=manager)
    now = Episode.objects.get(episode_id="E101")
    assert (now.consent, now.consent_on) == ("Y", yes_on)


def test_a_merge_is_refused_when_a_record_changed_or_nothing_was_chosen(
    pair: tuple[Organisation, User, Client, Client],
) -> None:
    _, manager, one, two = pair
    stamp = services.plan(survivor=one, merged=two).stamp
    with pytest.raises(services.Refused, match="Choose for each field"):
        services.merge_clients(
            survivor=one, merged=two, choices={}, reason="x", stamp=stamp, acting_user=manager
        )
    with pytest.raises(services.Refused, match="Enter a reason"):
        services.merge_clients(
            survivor=one, merged=two, choices=CHOICES, reason=" ", stamp=stamp, acting_user=manager
        )
    ClientIdentity.objects.filter(client=two).update(forename="Anna")
    with pytest.raises(services.Changed, match="changed while you looked"):
        services.merge_clients(
            survivor=one, merged=two, choices=CHOICES, reason="x", stamp=stamp, acting_user=manager
        )
    assert not ClientMerge.objects.exists()


def test_every_table_of_a_client_can_follow_it(pair: tuple[Organisation, User, Client, Client]) -> None:
    """By a right to change the client of a row, or by its key where nobody may change a row."""
    for model in services.followers():
        table = model._meta.db_table
        by_key = in_sql(
            "SELECT count(*) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'f' AND confupdtype = 'c'",
            table,
        )[0][0]
        by_right = in_sql("SELECT has_column_privilege('app', %s, 'client_id', 'UPDATE')", table)[0][0]
        assert by_key == 1 if hasattr(model, "moves_with_episode") else by_right, table
    assert in_sql("SELECT has_any_column_privilege('app', 'consent_consentact', 'UPDATE')") == [(False,)]


# ---- the pages --------------------------------------------------------------------------------------------------


@pytest.fixture
def pages() -> tuple[Organisation, Browser, Client, Client]:
    organisation = make_organisation()
    make_service(organisation)
    with acting_for(organisation):
        one, two = made("101"), made("202", surname="Fereira")
    return organisation, sign_in(Browser(), make_person(organisation, role="team_manager")), one, two


def at(organisation: Organisation, client: Client, rest: str = "") -> str:
    return f"/o/{organisation.slug}/clients/{client.pk}/{rest}"


def form(browser: Browser, organisation: Organisation, one: Client, two: Client) -> dict[str, str]:
    page = browser.get(at(organisation, one, f"merge/{two.pk}/"))
    assert page.status_code == 200
    return {"client": str(one.pk), "other": str(two.pk), "stamp": page.context["made"].stamp,
            "keep:identity.surname": "take", "reason": "same person"}  # fmt: skip


def test_a_team_manager_finds_merges_and_undoes(pages: tuple[Organisation, Browser, Client, Client]) -> None:
    organisation, browser, one, two = pages
    found = browser.get(at(organisation, one, "merge/")).content.decode()
    assert str(two.pk) in found and "Name sounds alike, same date of birth" in found
    for typed in (str(two), "202"):
        answer = browser.post(at(organisation, one, "merge/"), {"client": str(one.pk), "other": typed})
        assert answer["Location"] == at(organisation, one, f"merge/{two.pk}/")
    data = form(browser, organisation, one, two)
    html = browser.get(at(organisation, one, f"merge/{two.pk}/")).content.decode()
    assert "Client ID <strong>202</strong>" in html and "1 registration" in html and "1 episode" in html
    for _ in range(2):  # sent twice, done once
        answer = browser.post(at(organisation, one, f"merge/{two.pk}/"), data)
        assert (answer.status_code, answer["Location"]) == (302, at(organisation, one, "details/"))
    # The old address leads on, and the merged record is in no list.
    assert browser.get(at(organisation, two))["Location"] == at(organisation, one)
    assert browser.get(at(organisation, two, "episodes/"))["Location"] == at(organisation, one)
    assert str(two.pk) not in browser.get(f"/o/{organisation.slug}/clients/").content.decode()
    assert browser.get(f"/o/{organisation.slug}/clients/entered-in-error/{two.pk}/").status_code == 404
    with acting_for(organisation):
        row = ClientMerge.objects.get()
        events = AuditEvent.objects.filter(name="caseload.client.changed", details__what=["merged"])
        assert {e.subject for e in events} == {str(one.pk), str(two.pk)}
    undo = at(organisation, one, f"merged/{row.pk}/undo/")
    assert "1 registration and 1 episode go back" in browser.get(undo).content.decode()
    assert browser.post(undo, {"client": str(two.pk), "reason": "x"}).status_code == 404
    assert browser.post(undo, {"client": str(one.pk), "reason": "two people"}).status_code == 302
    assert browser.get(at(organisation, two)).status_code == 200
    assert browser.get(undo).status_code == 404


def test_the_look_before_says_which_yes_becomes_a_no(
    pages: tuple[Organisation, Browser, Client, Client],
) -> None:
    organisation, browser, one, two = pages
    with acting_for(organisation):
        Episode.objects.filter(client=one).update(consent="Y", consent_on=dt.date(2026, 1, 1))
        Episode.objects.filter(client=two).update(consent="N", consent_on=dt.date(2026, 2, 1))
    html = browser.get(at(organisation, one, f"merge/{two.pk}/")).content.decode()
    assert "A no to NDTMS is inherited" in html
    assert "yes of 1 Jan 2026 becomes no" in html


def test_the_wrong_form_or_a_late_one_merges_nothing(
    pages: tuple[Organisation, Browser, Client, Client],
) -> None:
    organisation, browser, one, two = pages
    data = form(browser, organisation, one, two)
    url = at(organisation, one, f"merge/{two.pk}/")
    assert browser.post(url, {**data, "client": str(two.pk)}).status_code == 404
    assert browser.post(url, {**data, "other": str(one.pk)}).status_code == 404
    with acting_for(organisation):
        ClientIdentity.objects.filter(client=two).update(title="Dr")
    late = browser.post(url, data)
    assert late.status_code == 409
    assert "changed while you looked" in late.content.decode() and "same person" in late.content.decode()
    del data["keep:identity.surname"]
    data["stamp"] = late.context["made"].stamp
    assert browser.post(url, data).status_code == 422
    with acting_for(organisation):
        assert not ClientMerge.objects.exists()


def test_who_may_not_see_the_survivor_is_not_led_there(
    pages: tuple[Organisation, Browser, Client, Client],
) -> None:
    organisation, browser, one, two = pages
    browser.post(at(organisation, one, f"merge/{two.pk}/"), form(browser, organisation, one, two))
    commissioner = sign_in(Browser(), make_person(organisation, role="organisation_administrator"))
    assert commissioner.get(at(organisation, two)).status_code == 404
    elsewhere = make_organisation()
    stranger = sign_in(Browser(), make_person(elsewhere))
    assert stranger.get(at(elsewhere, two)).status_code == 404
    keyworker = sign_in(Browser(), make_person(organisation))
    assert keyworker.get(at(organisation, two))["Location"] == at(organisation, one)
    assert keyworker.get(at(organisation, one, "merge/")).status_code == 404


def test_a_record_of_another_organisation_cannot_be_merged(
    pages: tuple[Organisation, Browser, Client, Client],
) -> None:
    organisation, browser, one, _ = pages
    elsewhere = make_organisation()
    make_service(elsewhere)
    with acting_for(elsewhere):
        foreign = made("999")
    assert browser.get(at(organisation, one, f"merge/{foreign.pk}/")).status_code == 404
    answer = browser.post(at(organisation, one, "merge/"), {"client": str(one.pk), "other": "999"})
    assert answer.status_code == 422
    assert "No other record of this organisation" in answer.content.decode()
    with acting_for(organisation, "team_manager"), pytest.raises(Denied):
        services.get_merge(one, foreign.pk)
