"""The product equals an independent reading of the contract over random caseloads: counts, files cell by cell, manifests, previews."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.ndtms import support
from tests.ndtms.support import AS_OF, Built, World
from tests.oracle.generate import AGENCIES, later_bundle, local_acts, random_bundle, read_tables, write_bundle

pytestmark = pytest.mark.django_db(transaction=True)
LETTERS = "KLMNOPQR"
TURNING_DAYS = ["2026-08-31", "2026-09-01", "2024-02-29", "2018-05-15", "2018-09-01", "2026-11-15"]


def twice_registered(folder: Path, rng: random.Random) -> None:
    """Some people get a second CLIENTID at a service: a registration of somebody else there becomes theirs."""
    tables, columns = read_tables(folder)
    by_agency: dict[str, list[dict[str, str]]] = {}
    for row in tables["registrations.csv"]:
        by_agency.setdefault(row["agency_code"], []).append(row)
    for found in by_agency.values():
        if len(found) > 5:
            first, second = rng.sample(found, 2)
            second["client_key"] = first["client_key"]
    write_bundle(folder, tables, columns, rng)


def life(seed: int, tmp_path: Path, people: int, *, twice: bool) -> World:
    """A caseload's life: loads, later loads, local decisions, files that are taken, confirmed and refused, in random order."""
    rng = random.Random(f"life {seed}")
    world = World()
    letter = rng.choice(LETTERS) if seed % 3 == 0 else "Q"
    style = {"quirks": seed % 2 == 1, "letter": letter}
    folder = random_bundle(tmp_path / f"{seed}-0", seed, people=people, pc_column=seed % 3 == 1, **style)
    if twice:
        twice_registered(folder, rng)
    world.load(folder, dry_run=True)
    world.load(folder)
    waiting: list[Built] = []
    for step in range(1, 4):
        for agency, _, dataset in rng.sample(AGENCIES, 3):
            kind = rng.choice(["reporting", "full"])
            day = AS_OF if rng.random() < 0.7 else AS_OF.fromisoformat(rng.choice(TURNING_DAYS))
            chosen = rng.choice(LETTERS) if rng.random() < 0.3 else letter
            output = tmp_path / f"{seed}-{step}-{agency}.csv" if rng.random() < 0.3 else None
            built = world.build(agency, dataset, chosen, kind, day, output)
            if rng.random() < 0.3:
                world.download(built)
            waiting.append(built)
        for act in local_acts(folder, f"{seed}-{step}", count=40):
            world.decide(*act)
        rng.shuffle(waiting)
        for built in [waiting.pop() for _ in range(min(2, len(waiting)))]:
            (world.refuse if rng.random() < 0.25 else world.confirm)(built)
        later = later_bundle(
            tmp_path / f"{seed}-{step}", folder, f"{seed}-{step}", open_references=rng.random() < 0.5, **style
        )
        if rng.random() < 0.2:
            world.load(later, dry_run=True)
        if world.load(later):
            folder = later
        if rng.random() < 0.3:
            again = world.load(folder)
            assert not any(again["created"].values()) and not any(again["updated"].values()), again
    for agency, _, dataset in AGENCIES:
        world.build(agency, dataset, letter, "full")
    return world


def enough(world: World) -> None:
    """What was compared was no empty set."""
    assert world.compared["files"] == 17
    assert min(world.compared.values()) >= 17, world.compared


@pytest.mark.parametrize("seed", range(5))
def test_random_caseloads(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    support.plain_quirks(monkeypatch)
    support.partnership()
    enough(life(seed, tmp_path, 40, twice=seed % 2 == 0))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1000, 1200))
def test_two_hundred_random_caseloads(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    support.plain_quirks(monkeypatch)
    support.partnership()
    enough(life(seed, tmp_path, 60, twice=seed % 2 == 0))
