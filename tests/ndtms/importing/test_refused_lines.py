"""What one organisation may not bring: other organisations' lines, keys that mean two people, and every bundle that the command refuses."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from caseload.models import Client, Person, PersonKey
from edatrs.core.scope import Actor, open_scope
from edatrs.organisations.models import Organisation, Service
from ndtms import load_checks, load_own, organisation_import
from ndtms.choices import ImportState
from tests.ndtms import support
from tests.ndtms.importing import bring
from tests.oracle.bad_bundles import CASES, good_bundle
from tests.oracle.generate import read_tables, write_bundle

pytestmark = pytest.mark.django_db(transaction=True)
SLUG = "eput-essex-stars"
OTHERS = (b"the-childrens-society", b"peabody")


class _Undo(Exception):
    pass


def own_bundle(folder: Path) -> Path:
    """The small good bundle, as if all its services were of one organisation."""
    path = folder / "services.csv"
    if path.is_file():
        raw = path.read_bytes()
        for slug in OTHERS:
            raw = raw.replace(slug, SLUG.encode())
        path.write_bytes(raw)
    return folder


@pytest.fixture
def own() -> Organisation:
    """The organisation of all its services."""
    return bring.provider(("E1001", "adult"), ("E2001", "yp"), ("E3001", "cjit"), slug=SLUG)


def rehearsed(organisation: Organisation, folder: Path) -> list[str]:
    """The problems of a bundle, without the pages."""
    found: list[str] = []
    with pytest.raises(_Undo), bring.acting_for(organisation):
        organisation_import.load(
            {path.name: path for path in folder.glob("*.csv")},
            rehearsal=True,
            keep=lambda row: (
                found.append(f"{row.file}:{row.line}: {row.column}: {row.words}") if row.words else None
            ),
        )
        raise _Undo
    return found


def test_every_bundle_that_the_command_refuses_is_refused_here_at_the_same_lines(
    own: Organisation, tmp_path: Path
) -> None:
    complaints: list[str] = []
    for case in (case for case in CASES if not case.first):
        folder = own_bundle(case.make(tmp_path / "b"))
        complaints += case.complaints(rehearsed(own, folder))
        shutil.rmtree(folder)
    assert not complaints, "\n".join(complaints[:20])
    assert len(CASES) > 300


def two_sides(tmp_path: Path) -> tuple[Organisation, Organisation, Path]:
    """An organisation, another one, and a bundle that holds lines of both and of an agency that nobody has."""
    own = bring.provider(("E1001", "adult"), slug=SLUG)
    other = bring.provider(("E2001", "yp"), slug="the-childrens-society")
    return own, other, good_bundle(tmp_path / "both")


def test_lines_of_another_organisation_are_refused_like_those_of_an_unknown_agency(tmp_path: Path) -> None:
    own, other, folder = two_sides(tmp_path)
    run = bring.brought(bring.browser_of(own), own, bring.zipped(folder))
    assert run.state == ImportState.REFUSED
    found = bring.problems(own, run)
    known = {line.split(": ", 1)[0]: line for line in found if "E2001" in line or ":3:" in line}
    assert {line.split(":")[0] for line in found if "E2001" in line} == {
        name
        for name, rows in read_tables(folder)[0].items()
        if name != "services.csv" and any(row.get("agency_code") == "E2001" for row in rows)
    }
    # The partner that exists and the one that does not, the agency that is held and the one that is not: the same words.
    services = [line for line in found if line.startswith("services.csv")]
    assert [line.split(": ", 2)[2] for line in services] == [
        f"you load for {SLUG}: take out the lines of other organisations"
    ] * 2
    agencies = {
        line.split(": ", 2)[2].replace("E2001", "E").replace("E3001", "E")
        for line in found
        if "unknown agency" in line
    }
    assert len(agencies) == 1 and known
    assert run.counts["episodes.csv"]["refused"] == 2 and "episodes.csv:5" in run.refused
    nobody_has_anything(own, other)
    again = bring.confirm(bring.browser_of(own), own, run)
    assert again.status_code == 302 and bring.work() == 0
    assert bring.run_of(own).state == ImportState.REFUSED
    nobody_has_anything(own, other)


def nobody_has_anything(*organisations: Organisation) -> None:
    for organisation in organisations:
        with bring.acting_for(organisation):
            assert not Client.objects.exists()
    assert not Person.objects.exists()


def test_claiming_another_organisations_agency_as_ones_own_is_refused(tmp_path: Path) -> None:
    own, other, folder = two_sides(tmp_path)
    before = list(Service.objects.order_by("pk").values())
    raw = (folder / "services.csv").read_bytes()
    for slug in OTHERS:
        raw = raw.replace(slug, SLUG.encode())
    run = bring.brought(bring.browser_of(own), own, bring.zipped(folder, {"services.csv": raw}))
    services = [line for line in bring.problems(own, run) if line.startswith("services.csv")]
    assert [line.split(": ", 2)[:2] for line in services] == [
        ["services.csv:3", "agency_code"],
        ["services.csv:4", "agency_code"],
    ]
    assert list(Service.objects.order_by("pk").values()) == before
    nobody_has_anything(own, other)


def test_the_refusal_of_other_organisations_lines_hangs_on_its_two_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each taken away lets lines through that are refused otherwise: nothing else would hide it."""
    own, _, folder = two_sides(tmp_path)
    whole = set(rehearsed(own, folder))
    for module, name in ((load_checks, "agencies"), (load_own, "report")):
        with monkeypatch.context() as mutant:
            mutant.setattr(module, name, lambda *args, **more: None)
            assert set(rehearsed(own, folder)) < whole, name


def test_services_are_not_made_or_changed(own: Organisation, tmp_path: Path) -> None:
    folder = own_bundle(good_bundle(tmp_path / "b"))
    before = list(Service.objects.order_by("pk").values())
    raw = (folder / "services.csv").read_bytes()
    browser = bring.browser_of(own)
    run = bring.brought(browser, own, bring.zipped(folder, {"services.csv": raw.replace(b",yp", b",adult")}))
    [problem] = bring.problems(own, run)
    assert problem.startswith("services.csv:3: dataset: the service reports by the data set yp here")
    renamed = raw.replace(b"Essex STaRS", b"Another name")
    run = bring.confirmed(
        browser, own, bring.brought(browser, own, bring.zipped(folder, {"services.csv": renamed}))
    )
    assert run.state == ImportState.LOADED and run.counts["services.csv"]["unchanged"] == 3
    assert list(Service.objects.order_by("pk").values()) == before


def test_a_person_known_elsewhere_is_not_linked_and_no_operators_key_is_read(tmp_path: Path) -> None:
    """The operator loaded K1 for another organisation. A browser's K1 is somebody of the uploading organisation's own."""
    support.partnership()
    operators = good_bundle(tmp_path / "operator")
    support.done("import_caseload", str(operators))
    keys = operators_keys()
    own = bring.provider(("X1", "adult"), slug="newcomer")
    tables, columns = read_tables(operators)
    mine = {
        name: [
            {**row, "agency_code": "X1", "organisation": "newcomer"}
            for row in rows
            if row.get("agency_code", "E1001") == "E1001" and row.get("client_key", "K1") in ("K1", "K2")
        ]
        for name, rows in tables.items()
    }
    folder = Path(write_bundle(tmp_path / "mine", mine, columns))
    browser = bring.browser_of(own)
    run = bring.confirmed(browser, own, bring.brought(browser, own, bring.zipped(folder)))
    assert run.state == ImportState.LOADED
    with bring.acting_for(own):
        people = set(Client.objects.values_list("person_id", flat=True))
    assert len(people) == 2 and not people & set(keys.values())
    assert operators_keys() == keys


def operators_keys() -> dict[str, Any]:
    with open_scope(actor=Actor.OPERATOR, person_label="operator"):
        return dict(PersonKey.objects.values_list("key", "person_id"))


def test_a_client_key_means_whoever_its_registrations_are_held_for(own: Organisation, tmp_path: Path) -> None:
    browser = bring.browser_of(own)
    folder = own_bundle(good_bundle(tmp_path / "b"))
    bring.confirmed(browser, own, bring.brought(browser, own, bring.zipped(folder)))
    registrations = (folder / "registrations.csv").read_text()
    clients = (folder / "clients.csv").read_text()

    def problems(**changed: str) -> list[str]:
        files = {f"{name}.csv": text.encode() for name, text in changed.items()}
        run = bring.brought(browser, own, bring.zipped(folder, files))
        found = bring.problems(own, run)
        browser.post(bring.address(own, run.pk, "cancel"))
        return found

    # Another system's keys, consistently: the same people.
    assert (
        problems(
            registrations=registrations.replace("\nK", "\nOTHER-K"),
            clients=clients.replace("\nK", "\nOTHER-K"),
        )
        == []
    )
    [two] = problems(
        registrations=registrations.replace("K3,E3001", "K2,E3001"), clients=without(clients, "K3")
    )
    assert two.startswith(
        "registrations.csv:6: client_key: this registration is held for another person than line 4"
    )
    [keys] = problems(
        registrations=registrations.replace("K2,E2001", "K9,E2001"),
        clients=clients + clients.splitlines()[3].replace("K2", "K9") + "\n",
    )
    assert keys.startswith("registrations.csv:5: client_key: one record is held of this person and of line 4")
    [nobody] = problems(clients=clients + clients.splitlines()[3].replace("K2", "K9") + "\n")
    assert nobody.startswith("clients.csv:") and "no line of registrations.csv has this key" in nobody
    [unknown] = problems(registrations=registrations + "K9,E1001,999,\n")
    assert unknown.endswith(": client_key: no line of clients.csv has this key")


def without(text: str, key: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(f"{key},"))
