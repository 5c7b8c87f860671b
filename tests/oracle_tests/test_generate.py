"""Random bundles load, repeat, and hold all that they are meant to hold."""

from collections import Counter

import pytest

from tests.oracle import dictionary, values
from tests.oracle.contract import Oracle
from tests.oracle.generate import AGENCIES, AS_OF, later_bundle, local_acts, random_bundle, read_tables

SEEDS = range(6)


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles")
    return [random_bundle(folder / str(seed), seed) for seed in SEEDS]


def test_the_same_seed_gives_the_same_files(bundles, tmp_path):
    again = random_bundle(tmp_path / "again", 3)
    assert all((again / file).read_bytes() == (bundles[3] / file).read_bytes() for file in dictionary.FILES)


def test_a_bundle_loads_and_loading_it_again_changes_nothing(bundles):
    for folder in bundles:
        oracle = Oracle()
        first, dry = oracle.load(folder), oracle.load(folder, dry_run=True)
        state, second = repr(vars(oracle)), oracle.load(folder)
        assert second["unchanged"] == first["created"] == dry["unchanged"]
        assert repr(vars(oracle)) == state


def test_every_item_of_every_file_has_values(bundles):
    filled = {file: Counter() for file in dictionary.FILES}
    for folder in bundles:
        tables, columns = read_tables(folder)
        for file, rows in tables.items():
            assert set(columns[file]) == set(dictionary.file_columns(file)) - {"PC"}
            for row in rows:
                filled[file].update(name for name, value in row.items() if value)
    for file in dictionary.FILES:
        assert set(filled[file]) == set(dictionary.file_columns(file)) - {"PC"}


def test_awkward_values_survive_writing_and_reading(bundles):
    cells = Counter()
    for folder in bundles:
        for rows in read_tables(folder)[0].values():
            cells.update(value for row in rows for value in row.values())
    assert set(values.AWKWARD_TEXTS) <= set(cells)
    assert {"Łukasz", "CM11QH", "co1 2ab", "NA", "0001-01-01"} <= set(cells)


def test_every_rule_and_every_outcome_occurs(bundles):
    seen, rules = Counter(), {dataset: set() for dataset in dictionary.DATASETS}
    for seed, folder in zip(SEEDS, bundles, strict=True):
        oracle = Oracle()
        oracle.load(folder)
        for number, (agency, _, dataset) in enumerate(AGENCIES):
            reporting = oracle.build(agency, dataset, "Q", "reporting", AS_OF)
            if (seed + number) % 2:
                # A confirmed withdrawal takes agreed older episodes with it; the full file brings them back as new.
                oracle.confirm(reporting)
            for submission in (reporting, oracle.build(agency, dataset, "Q", "full", AS_OF)):
                counts = {key: value for key, value in submission.manifest.items() if isinstance(value, int)}
                preview = submission.preview
                seen.update(counts | {"replaced": preview["replaced"]})
                seen.update({key: len(preview[key]) for key in ("new", "removed_by_consent", "missing")})
                rules[dataset].update(
                    rule for found in submission.manifest["held_back"].values() for rule in found
                )
    assert min(seen.values()) > 0, seen
    everything = {f"E{number:02}" for number in range(1, 12)}
    assert rules == {"adult": everything, "yp": everything, "cjit": {"E01", "E02", "E07", "E09"}}


def test_a_later_bundle_changes_adds_and_loses(bundles, tmp_path):
    total = Counter()
    for seed, folder in zip(SEEDS, bundles, strict=True):
        oracle = Oracle()
        oracle.load(folder)
        sizes = {name: len(getattr(oracle, name)) for name in ("clients", "registrations", "episodes")}
        later = later_bundle(tmp_path / str(seed), folder, seed, open_references=bool(seed % 2))
        counts = oracle.load(later)
        assert all(len(getattr(oracle, name)) >= size for name, size in sizes.items()), "nothing is deleted"
        assert not any(oracle.load(later)["created"].values()), "the same bundle twice changes nothing"
        for kind in ("created", "updated", "unchanged"):
            total.update({(kind, file): count for file, count in counts[kind].items()})
        total["dropped"] += len(read_tables(folder)[1]["tops.csv"]) > len(read_tables(later)[1]["tops.csv"])
    for file in dictionary.FILES[1:]:
        assert total["created", file] and total["unchanged", file]
        assert total["updated", file] or file in ("consents.csv", "registrations.csv")
    assert total["updated", "registrations.csv"] and total["dropped"]
    assert total["updated", "consents.csv"] == 0


def test_quirks_and_an_own_postcode_of_the_episode(tmp_path):
    folder = random_bundle(tmp_path / "quirks", 1, people=60, quirks=True, pc_column=True, plain=True)
    assert "PC" in read_tables(folder)[1]["episodes.csv"]
    Oracle().load(folder)
    Oracle().load(later_bundle(tmp_path / "later", folder, 1, quirks=True))


def test_local_acts_make_new_episodes(bundles):
    oracle = Oracle()
    oracle.load(bundles[0])
    for arguments in local_acts(bundles[0], 0, count=60):
        oracle.record_consent(*arguments)
    built = [oracle.build(agency, dataset, "Q", "full", AS_OF) for agency, _, dataset in AGENCIES]
    assert sum(len(submission.preview["new"]) for submission in built) > 0
