"""The benchmark bundle loads, is the same every time, and has the sizes and shares that it promises."""

from tests.oracle.big_bundle import AS_OF, big_bundle
from tests.oracle.contract import Oracle

EPISODES = 3000


def test_sizes_shares_and_determinism(tmp_path):
    counts = big_bundle(tmp_path / "a", EPISODES, agency_count=3)
    assert big_bundle(tmp_path / "b", EPISODES, agency_count=3) == counts
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()

    oracle = Oracle()
    assert oracle.load(tmp_path / "a")["created"] == counts
    assert counts["episodes.csv"] == EPISODES
    assert counts["clients.csv"] == EPISODES * 2 // 3
    per_episode = {name: round(count / EPISODES, 1) for name, count in counts.items()}
    assert 1.2 <= per_episode["interventions.csv"] <= 1.4
    assert 0.3 <= per_episode["reviews.csv"] <= 0.5
    assert 0.2 <= per_episode["time_in_treatment.csv"] <= 0.4
    assert 2.1 <= per_episode["tops.csv"] <= 2.4

    manifest = oracle.build("E1001", "adult", "Q", "reporting", AS_OF).manifest
    for outcome in ("episodes_sent", "withdrawn_clients", "declined_omitted", "not_asked", "out_of_window"):
        assert manifest[outcome] > 0
    held_back = oracle.build("E1001", "adult", "Q", "full", AS_OF).manifest["held_back"]
    assert 0 < len(held_back) < EPISODES / 3 / 20


def test_one_agency_and_more_agencies_than_organisations(tmp_path):
    for count in (1, 9):
        folder = tmp_path / str(count)
        big_bundle(folder, 300, agency_count=count, seed=count)
        oracle = Oracle()
        oracle.load(folder)
        assert len(oracle.services) == count
