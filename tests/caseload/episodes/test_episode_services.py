"""Writing an episode and its lists: by section, against a newer version, twice sent, voided and brought back; and what the rules say."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

import pytest

from caseload import speaking
from caseload.dataset.reader import load_dictionary
from caseload.models import Episode, EpisodeItems, Intervention
from caseload.recorded import Stale
from caseload.sections import SECTIONS, items_of, list_items, section_of
from caseload.services import entries, episodes
from caseload.services.items import Refused
from edatrs.core.access import Denied
from edatrs.organisations.models import Organisation
from tests.core.world import acting_for
from tests.factories.caseload import make_episode, make_registration, make_service
from tests.factories.organisations import make_organisation

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 4, 6)


@pytest.fixture
def home() -> Organisation:
    organisation = make_organisation()
    make_service(organisation)
    return organisation


def test_every_item_in_force_stands_in_exactly_one_form() -> None:
    dictionary = load_dictionary()
    for dataset in ("adult", "yp", "cjit"):
        for letter in dictionary.letters:
            columns = [i for i in dictionary.columns(dataset, letter) if section_of_or_none(i)]
            typed = [i.name for key in SECTIONS for i in items_of(key, dataset, letter)]
            typed += [
                i.name
                for name in (
                    "interventions",
                    "reviews",
                    "time_in_treatment",
                    "tops",
                    "client_information_reviews",
                )
                for i in list_items(name, dataset, letter)
            ]
            identifiers = {"MODID", "SUBMID", "TITID", "TOPID", "CIRID"}
            wanted = [i.name for i in columns if i.entity != "client" and i.name not in identifiers]
            assert sorted(typed) == sorted(wanted), (dataset, letter)


def section_of_or_none(item: Any) -> str:
    return "" if item.name in {"AGNCY", "CONSENT", "CMSID"} else section_of(item)


def test_a_section_is_saved_in_columns_and_in_json(home: Organisation) -> None:
    with acting_for(home, "keyworker"):
        episode = make_episode(referred_on=DAY)
        changed = episodes.change_section(
            episode=episode,
            key="triage",
            values={
                "TRIAGED": DAY + dt.timedelta(days=1),
                "CPLANDT": DAY + dt.timedelta(days=3),
                "TOPCC": "Y",
            },
            version=1,
            acting_user=None,  # type: ignore[arg-type]  # not read: the scope says who acts
        )
        held = Episode.objects.get(pk=episode.pk)
        assert changed == ["CPLANDT", "TOPCC", "TRIAGED"]
        assert (held.triaged_on, held.items) == (
            DAY + dt.timedelta(days=1),
            {"CPLANDT": "2026-04-09", "TOPCC": "Y"},
        )
        assert episodes.read_section(held, "triage").values["CPLANDT"] == dt.date(2026, 4, 9)


def test_a_category_of_its_own_is_a_row_of_its_own(home: Organisation) -> None:
    with acting_for(home, "keyworker"):
        episode = make_episode()
        values = {"HEPCSTAT": "A", "PREGNANT": ""}
        assert save(episode, "health", values, 0) == ["HEPCSTAT"]
        (row,) = EpisodeItems.objects.filter(episode=episode)
        assert (row.category, row.items) == ("health", {"HEPCSTAT": "A"})
        assert save(episode, "health", {"HEPCSTAT": ""}, row.version) == ["HEPCSTAT"]
        assert EpisodeItems.objects.get(pk=row.pk).items == {}


def save(episode: Episode, key: str, values: dict[str, Any], version: int) -> list[str]:
    return episodes.change_section(
        episode=episode,
        key=key,
        values=values,
        version=version,
        acting_user=None,  # type: ignore[arg-type]  # as above
    )


def test_a_newer_version_of_another_section_is_no_conflict_and_of_this_one_is(home: Organisation) -> None:
    with acting_for(home, "keyworker"):
        episode = make_episode(referred_on=DAY)
        save(episode, "substances", {"DRUG1": "1011"}, 1)
        assert save(episode, "referral", {"RFLS": "4"}, 1) == ["RFLS"]
        with pytest.raises(Stale) as stale:
            save(episode, "substances", {"DRUG1": "3201"}, 1)
        assert (stale.value.now.values["DRUG1"], stale.value.then["DRUG1"]) == ("1011", "")
        assert Episode.objects.get(pk=episode.pk).drug_1 == "1011"


def test_a_form_sent_twice_begins_one_episode(home: Organisation) -> None:
    with acting_for(home, "keyworker"):
        registration, form = make_registration(), uuid4()
        made, is_new = start(registration, form)
        again, twice = start(registration, form)
        assert (made.pk, is_new, twice) == (again.pk, True, False)
        assert Episode.objects.count() == 1
        assert made.consent == "" and len(made.episode_id) == 16 and made.referred_on == DAY
        other, _ = start(registration, uuid4())
        assert other.episode_id != made.episode_id


def start(registration: Any, form: Any) -> tuple[Episode, bool]:
    return episodes.start_episode(
        form_id=form,
        registration=registration,
        values={"REFLD": DAY},
        acting_user=None,  # type: ignore[arg-type]  # as above
    )


def entry(
    episode: Episode, values: dict[str, Any], row: Any = None, version: int = 0, form: Any = None
) -> Any:
    return entries.save_entry(
        episode=episode,
        list_name="interventions",
        row=row,
        form_id=form or uuid4(),
        values=values,
        version=version,
        acting_user=None,  # type: ignore[arg-type]  # as above
    )


def test_an_entry_is_added_once_changed_voided_and_brought_back(home: Organisation) -> None:
    with acting_for(home, "keyworker"):
        episode, form = make_episode(referred_on=DAY), uuid4()
        row, _ = entry(episode, {"MODAL": "95", "MODST": DAY}, form=form)
        entry(episode, {"MODAL": "95", "MODST": DAY}, form=form)
        assert Intervention.objects.count() == 1
        _, changed = entry(episode, {"MODEXIT": "A", "MODEND": DAY}, row=row, version=row.version)
        assert changed == ["MODEND", "MODEXIT"]
        with pytest.raises(Stale):
            entry(episode, {"MODEXIT": "B"}, row=row, version=1)
        with pytest.raises(Refused):
            entry(episode, {"MODAL": ""})
        with pytest.raises(Refused):
            entries.void_entry(row=row, reason=" ", acting_user=None)  # type: ignore[arg-type]  # as above
        entries.void_entry(row=row, reason="Wrong person", acting_user=None)  # type: ignore[arg-type]  # as above
        assert entries.entries_of(episode, "interventions") == []
        with pytest.raises(Denied):
            entries.get_entry(episode, "interventions", row.pk)
        entries.restore_entry(row=row, acting_user=None)  # type: ignore[arg-type]  # as above
        assert [e.pk for e in entries.entries_of(episode, "interventions")] == [row.pk]


def test_another_episodes_entry_is_not_found(home: Organisation) -> None:
    with acting_for(home, "keyworker"):
        one, two = make_episode(), make_episode()
        row, _ = entry(one, {"MODAL": "95"})
        with pytest.raises(Denied):
            entries.get_entry(two, "interventions", row.pk)


def test_the_rules_speak_at_the_field_with_what_is_typed_put_over_what_is_recorded(
    home: Organisation,
) -> None:
    with acting_for(home, "keyworker"):
        episode = make_episode(referred_on=DAY, triaged_on=DAY)
        said = speaking.speak(episode, {"TRIAGED": DAY - dt.timedelta(days=1)})
        assert "(E06)" in " ".join(said["TRIAGED"])
        assert "TRIAGED" not in speaking.speak(episode, {"TRIAGED": DAY})
        early = speaking.speak(
            episode, {"MODST": DAY - dt.timedelta(days=9), "MODAL": "95"}, list_name="interventions"
        )
        assert any(name == "MODST" for name in early), early


def test_what_the_pages_say_is_what_the_desk_says(home: Organisation) -> None:
    from ndtms import quality

    with acting_for(home, "keyworker"):
        episode = make_episode(
            referred_on=DAY, triaged_on=DAY - dt.timedelta(days=2), consent="Y", drug_1="0"
        )
        entry(episode, {"MODAL": "95", "MODST": DAY})
        quality.check_episodes([episode.pk])
        episode = Episode.objects.select_related("quality", "service", "registration").get(pk=episode.pk)
        said = speaking.failures(speaking.record_of(episode), speaking.context_of(episode))
        assert sorted(e.rule_id for e in said) == sorted([*episode.quality.errors, *episode.quality.warnings])
        assert episode.quality.errors
