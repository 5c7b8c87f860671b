"""The lists of an episode: entries added, changed, taken out of use and brought back; the same for whole episodes."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path

import pytest

from caseload.models import Episode, Intervention, SubInterventionReview
from caseload.sections import list_items
from edatrs.core import clock
from tests.caseload.episodes.support import (
    Home,
    date_of,
    fields_of,
    make_home,
    make_one,
    problems_of,
    text_of,
)
from tests.core.world import acting_for
from tests.factories.caseload import make_entry
from tests.ndtms.support import TODAY, done

pytestmark = pytest.mark.django_db


@pytest.fixture
def home() -> Home:
    return make_home()


def review(home: Home) -> SubInterventionReview:
    [row] = home.rows(SubInterventionReview)
    return row


def test_an_entry_is_added_once_and_changed(home: Home) -> None:
    form = home.form("interventions/new/", MODAL="95", **date_of("MODST", dt.date(2026, 5, 1)))
    for _ in range(2):
        assert home.browser.post(home.at("interventions/new/"), form).status_code == 302
    [row] = home.rows(Intervention)
    assert row.started_on == dt.date(2026, 5, 1) and row.identifier
    assert home.post(f"interventions/{row.pk}/", MODEXIT="A").status_code == 302
    assert home.rows(Intervention)[0].exit_status == "A"
    assert f"interventions/{row.pk}/" in home.get()


def test_going_back_and_typing_on_shows_both_texts_and_adds_no_second(home: Home) -> None:
    form = home.form("interventions/new/", MODAL="95", **date_of("MODST", dt.date(2026, 5, 1)))
    assert home.browser.post(home.at("interventions/new/"), form).status_code == 302
    answer = home.browser.post(home.at("interventions/new/"), form | {"MODAL": "94"})
    assert answer.status_code == 409 and "keep_MODAL" in text_of(answer)
    [row] = home.rows(Intervention)
    chosen = fields_of(text_of(answer)) | {"keep_MODAL": "mine"}
    assert home.browser.post(home.at("interventions/new/"), chosen).status_code == 302
    assert [r.modality for r in home.rows(Intervention)] == ["94"] and row.modality == "95"


def test_nothing_typed_is_nothing_added(home: Home) -> None:
    answer = home.post("interventions/new/")
    assert answer.status_code == 422 and "nothing to save" in problems_of(text_of(answer))[0]


def test_rules_speak_of_the_entry_at_hand(home: Home) -> None:
    typed = {**date_of("MODST", dt.date(2026, 5, 1)), **date_of("MODEND", dt.date(2026, 4, 1))}
    form = home.form("interventions/new/", **typed) | {"_draft": "keep"}
    said = home.browser.post(home.at("interventions/new/"), form, headers={"X-Autosave": "1"}).json()[
        "speaks"
    ]
    assert any("ends before it starts" in words for some in said.values() for words in some)


def test_the_page_links_to_the_very_entry_at_fault(home: Home) -> None:
    with acting_for(home.organisation):
        make_entry(Intervention, home.episode, started_on=dt.date(2026, 5, 1))
        bad = make_entry(
            Intervention, home.episode, started_on=dt.date(2026, 6, 1), ended_on=dt.date(2026, 5, 1)
        )
    page = home.get()
    assert home.at(f"interventions/{bad.pk}/") + "#id_MOD" in page


def test_no_to_the_rest_is_a_choice_that_fills_in_and_saves_nothing(home: Home) -> None:
    flags = [i.name for i in list_items("reviews", "adult", "Q") if i.type == "flag"]
    form = home.form("reviews/new/", RECPEER="Y", **date_of("SUBMODDT", dt.date(2026, 9, 1)))
    answer = home.browser.post(home.at("reviews/new/"), form | {"no_to_the_rest": "1"})
    assert answer.status_code == 200 and not home.rows(SubInterventionReview)
    shown = fields_of(text_of(answer))
    assert {name: shown[name] for name in flags} == {n: "Y" if n == "RECPEER" else "N" for n in flags}
    assert home.browser.post(home.at("reviews/new/"), shown).status_code == 302
    assert review(home).items == {n: "Y" if n == "RECPEER" else "N" for n in flags}


def test_without_that_button_nobody_answers_for_the_client(home: Home) -> None:
    assert home.post("reviews/new/", RECPEER="Y").status_code == 302
    assert review(home).items == {"RECPEER": "Y"}


def test_flags_stand_in_their_groups(home: Home) -> None:
    page = home.get("reviews/new/")
    places = [
        page.index(f">{title}</legend>") for title in ("Prescribing", "Psychosocial", "Recovery support")
    ]
    assert places == sorted(places)


def test_an_entry_in_error_is_kept_listed_and_brought_back(home: Home) -> None:
    with acting_for(home.organisation):
        row = make_entry(Intervention, home.episode, modality="95", started_on=dt.date(2026, 5, 1))
    assert home.post(f"interventions/{row.pk}/void/", reason="").status_code == 422
    assert home.post(f"interventions/{row.pk}/void/", reason="Wrong person").status_code == 302
    assert f"interventions/{row.pk}/" not in home.get()
    assert home.browser.get(home.at(f"interventions/{row.pk}/")).status_code == 404
    page = home.get("entered-in-error/")
    assert "Wrong person" in page
    back = {"client": str(home.client.pk), "list": "interventions", "entry": str(row.pk)}
    assert home.browser.post(home.at("entered-in-error/"), back).status_code == 302
    assert f"interventions/{row.pk}/" in home.get()


def test_an_entry_of_another_episode_is_not_found(home: Home) -> None:
    _, episode = make_one(home.organisation, home.service)
    with acting_for(home.organisation):
        row = make_entry(Intervention, episode, modality="95")
    for rest in (f"interventions/{row.pk}/", f"interventions/{row.pk}/void/"):
        assert home.browser.get(home.at(rest)).status_code == 404
    assert home.browser.get(home.at(f"reviews/{row.pk}/", episode=episode)).status_code == 404
    assert home.browser.get(home.at("time-in-treatment/new/")).status_code == 200


def test_an_episode_in_error_is_out_of_lists_kept_and_brought_back(home: Home) -> None:
    assert home.post("void/", reason="").status_code == 422
    answer = home.post("void/", reason="Two people mixed up")
    assert answer.status_code == 302
    assert home.browser.get(home.at()).status_code == 404
    assert f'href="{home.at()}"' not in text_of(home.browser.get(home.of_client("episodes/")))
    page = text_of(home.browser.get(home.of_client("episodes/entered-in-error/")))
    assert "Two people mixed up" in page
    back = {"client": str(home.client.pk), "episode": str(home.episode.pk)}
    assert home.browser.post(home.of_client("episodes/entered-in-error/"), back).status_code == 302
    assert home.browser.get(home.at()).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_what_is_in_error_is_in_no_extract(tmp_path: Path) -> None:
    with clock.frozen(TODAY):
        home = make_home()
        with acting_for(home.organisation):
            keep = make_entry(Intervention, home.episode, started_on=dt.date(2026, 5, 1))
            wrong = make_entry(Intervention, home.episode, started_on=dt.date(2026, 6, 1))
        home.post(f"interventions/{wrong.pk}/void/", reason="x")
        wish = ["--agency", home.service.agency_code, "--dataset", "adult", "--letter", "Q", "--kind", "full"]

        def rows(name: str) -> list[dict[str, str]]:
            done("build_extract", *wish, "--as-of", "2026-10-31", "--output", str(tmp_path / name))
            return list(csv.DictReader(io.StringIO((tmp_path / name).read_text(encoding="utf-8"))))

        assert [row["MODID"] for row in rows("one")] == [keep.identifier]
        home.post("void/", reason="x")
        assert rows("two") == []
        assert home.rows(Episode)[0].voided_reason == "x"
