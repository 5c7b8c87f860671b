"""What a preview says is what confirming does: no more, no less, over random bundles, read back another way than the load does."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from edatrs.organisations.models import Organisation
from ndtms.choices import ImportState
from ndtms.models import ImportLine
from tests.ndtms.importing import bring
from tests.ndtms.importing.bring import Record
from tests.oracle.generate import later_bundle, random_bundle

pytestmark = pytest.mark.django_db(transaction=True)
AGENCIES = [("X1001", "own", "adult"), ("X2001", "own", "yp"), ("X3001", "own", "cjit")]


def promised(
    organisation: Organisation, lines: list[ImportLine], record: Record, clients: dict[str, str]
) -> Record:
    """What the lines of a preview say will differ, in the form of `bring.differences`."""
    found: Record = {}
    for line in lines:
        if line.file in ("services.csv", "consents.csv") or line.kind == "unchanged":
            continue
        key = (line.file, *line.key.split(" · "))
        if line.file == "clients.csv":
            key = (line.file, clients[line.key])
        found[key] = {header: f"{held} → {new}" for header, held, new in line.changes}
    return found


def clients_of(folder: Path, after: Record) -> dict[str, str]:
    """The id of the client of each client key, by its registrations."""
    tables, _ = bring.read_tables(folder)
    return {
        row["client_key"]: after["person of", row["agency_code"], row["client_id"]]["id"]
        for row in tables["registrations.csv"]
    }


def check(organisation: Organisation, folder: Path) -> Counter[str]:
    """Send, compare, confirm, compare. How many lines of each kind there were."""
    browser = bring.browser_of(organisation)
    before = bring.record(organisation)
    run = bring.brought(browser, organisation, bring.zipped(folder))
    assert run.state == ImportState.READY, bring.problems(organisation, run)[:5]
    shown = bring.lines(organisation, run)
    assert bring.record(organisation) == before, "a preview writes nothing"
    run = bring.confirmed(browser, organisation, run)
    assert run.state == ImportState.LOADED
    after = bring.record(organisation)
    did = {k: v for k, v in bring.differences(before, after).items() if k[0] != "person of"}
    assert promised(organisation, shown, before, clients_of(folder, after)) == did
    assert bring.lines(organisation, run) == []
    return Counter(line.kind for line in shown)


@pytest.mark.parametrize("seed", [3, 8])
def test_for_random_bundles_the_preview_is_the_effect(seed: int, tmp_path: Path) -> None:
    organisation = bring.provider(("X1001", "adult"), ("X2001", "yp"), ("X3001", "cjit"), slug="own")
    own = {code for code, _, _ in AGENCIES}
    first = random_bundle(tmp_path / "all", seed, people=25, agencies=AGENCIES, pc_column=True)
    folder = bring.of_agencies(tmp_path / "first", first, own)
    kinds = check(organisation, folder)
    assert kinds["created"] > 100 and kinds["changed"] == 0
    again = check_unchanged(organisation, folder)
    assert again > 100
    later = later_bundle(tmp_path / "later-all", folder, seed)
    kinds = check(organisation, bring.of_agencies(tmp_path / "later", later, own))
    assert kinds["created"] and kinds["changed"] and kinds["unchanged"]


def check_unchanged(organisation: Organisation, folder: Path) -> int:
    """The same bundle again: a preview of unchanged lines only."""
    run = bring.brought(bring.browser_of(organisation), organisation, bring.zipped(folder))
    kinds = Counter(line.kind for line in bring.lines(organisation, run))
    assert set(kinds) == {"unchanged"}
    bring.browser_of(organisation).post(bring.address(organisation, run.pk, "cancel"))
    return kinds["unchanged"]
