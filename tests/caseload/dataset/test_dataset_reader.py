"""The dictionary gives the columns and codes of contract section 1, and a new letter is data alone."""

from __future__ import annotations

import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest

from caseload.dataset.reader import (
    CHILD_LISTS,
    DATA_FOLDER,
    DATASETS,
    DataFileError,
    DatasetError,
    UnknownDataset,
    UnknownItem,
    UnknownLetter,
    UnknownList,
    checksum_problems,
    load_dictionary,
)
from caseload.dataset.rules import ALL_RULES, Context, failing
from tests.caseload.dataset.support import AS_OF, CLEAN, DATA


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A data folder of its own that a test may spoil."""
    return Path(shutil.copytree(DATA_FOLDER, tmp_path / "data"))


def _append(path: Path, *lines: str) -> None:
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write("".join(f"{line}\n" for line in lines))


def _extend(folder: Path, stem: str, suffix: str, *lines: str) -> None:
    header = (folder / f"{stem}.csv").read_text(encoding="utf-8").splitlines()[0]
    (folder / f"{stem}-{suffix}.csv").write_text("\n".join((header, *lines, "")), encoding="utf-8")


@pytest.mark.parametrize(("dataset", "number"), [("adult", 120), ("yp", 98), ("cjit", 28)])
def test_data_set_q_has_the_columns_of_the_contract(dataset: str, number: int) -> None:
    columns = DATA.columns(dataset, "Q")
    assert len(columns) == number
    assert [item.name for item in columns[:3]] == ["FINITIAL", "SINITIAL", "DOB"]
    places = [DATA.items.index(item) for item in columns]
    assert places == sorted(places)


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("letter", list("KLMNOPQR"))
def test_letters_k_to_r_can_be_used(dataset: str, letter: str) -> None:
    names = {item.name for item in DATA.columns(dataset, letter)}
    assert {"AGNCY", "CLIENTID", "EPISODID", "CONSENT", "DOB"} <= names
    assert ("LTLA" in names) == (letter == "R" and dataset != "cjit")
    assert ("EHCSC" in names) == (letter >= "N")
    assert ("CMSID" in names) == (letter >= "M")


def test_item_is_in_from_its_first_letter_to_the_one_before_it_was_retired() -> None:
    def letters_of(name: str) -> str:
        return "".join(letter for letter in DATA.letters if DATA.item(name) in DATA.columns("adult", letter))

    assert letters_of("PHSTBL") == "JKLMNO"  # introduced J, retired P
    assert letters_of("SEXUAL") == "FGHJKL"  # <=H, retired M
    assert letters_of("LTLA") == "R"
    assert letters_of("SEX") == "FGHJKLMNOPQR"


def test_letters_stand_in_their_order_and_i_is_not_one() -> None:
    assert "".join(DATA.letters) == "FGHJKLMNOPQR"
    assert [DATA.letter_position(letter) for letter in "HJR"] == [2, 3, 11]
    assert DATA.default_letter == "Q"
    assert DATA.letter("R").in_force_from == date(2024, 4, 1)
    assert DATA.letter("L").in_force_from is None
    with pytest.raises(UnknownLetter, match="unknown data set letter 'I': use F, G, H, J"):
        DATA.letter("I")
    for wrong in ("", "q", "S", "QR"):
        with pytest.raises(UnknownLetter):
            DATA.columns("adult", wrong)


def test_unknown_names_are_refused_by_name() -> None:
    with pytest.raises(UnknownDataset, match="unknown data set 'young people': use adult, yp, cjit"):
        DATA.columns("young people", "Q")
    with pytest.raises(UnknownItem, match="'NHSNO'"):
        DATA.item("NHSNO")
    with pytest.raises(UnknownList, match="'shoe_size'"):
        DATA.codes("shoe_size", "Q")
    with pytest.raises(UnknownList):
        DATA.list_is_established("shoe_size")
    with pytest.raises(UnknownLetter):
        DATA.codes("sex", "I")
    with pytest.raises(DatasetError, match="'colour'"):
        DATA.setting("colour")
    with pytest.raises(DatasetError, match="'line_end' is not a whole number: 'CRLF'"):
        DATA.setting_number("line_end")


def test_code_is_valid_between_its_letters() -> None:
    assert dict(DATA.codes("pct", "M")) == {
        "5KF": "Gateshead",
        "5KG": "South Tyneside",
        "5KL": "Sunderland",
        "TAC": "Northumberland",
    }
    assert not DATA.codes("pct", "N")
    assert ["5" in DATA.codes("referral_source", letter) for letter in "HMN"] == [True, True, False]
    assert ["94" in DATA.codes("intervention_type", letter) for letter in "HJR"] == [False, True, True]
    assert ["13" in DATA.codes("discharge_reason", letter) for letter in "FG"] == [True, False]
    assert ["1" in DATA.codes("mental_health_need", letter) for letter in "MN"] == [False, True]
    with pytest.raises(TypeError):
        DATA.codes("sex", "Q")["X"] = "Unknown"  # type: ignore[index]


def test_rows_without_a_code_are_gaps_not_codes() -> None:
    assert dict(DATA.codes("sex", "Q")) == {"M": "Male", "F": "Female"}
    assert DATA.list_is_established("sex")
    assert DATA.list_has_gaps("sex", "Q")
    assert not DATA.list_is_established("nationality")
    assert not DATA.codes("nationality", "Q")
    assert [DATA.list_has_gaps("accommodation_need", letter) for letter in "PQR"] == [False, True, True]
    assert not DATA.list_has_gaps("drug", "Q")
    unknown = {"agency", "gp_practice", "veteran", "naloxone_issued", "naloxone_administered", "nationality"}
    unknown |= {"early_help", "intervention_setting", "sexual_orientation", "drug_group_result"}
    assert {name for name in DATA.code_lists if not DATA.list_is_established(name)} == unknown


def test_child_lists_name_their_date_and_identifier() -> None:
    for child in CHILD_LISTS:
        assert DATA.item(child.date_item).entity == DATA.item(child.id_item).entity == child.entity
        assert DATA.item(child.date_item).type == "date"


def test_dictionary_is_read_once() -> None:
    assert load_dictionary() is load_dictionary()


def test_data_files_are_those_their_checksums_name() -> None:
    assert checksum_problems() == ()


def test_sha256sum_agrees_with_the_checksums() -> None:
    program = shutil.which("sha256sum")
    if program is None:
        pytest.skip("sha256sum is not on this machine")
    subprocess.run(
        [program, "--check", "--strict", "CHECKSUMS"], cwd=DATA_FOLDER, check=True, capture_output=True
    )


def test_every_change_of_a_data_file_is_noticed(copy: Path) -> None:
    _append(copy / "letters.csv", "S,2027-04-01,")
    (copy / "settings.csv").unlink()
    (copy / "fields-S.csv").write_text("name\n", encoding="utf-8")
    assert checksum_problems(copy) == (
        "fields-S.csv: not listed in CHECKSUMS",
        "letters.csv: changed since its checksum was written",
        "settings.csv: missing",
    )
    (copy / "CHECKSUMS").unlink()
    (problem,) = checksum_problems(copy)
    assert problem.startswith("CHECKSUMS: cannot be read")


def test_new_letter_is_data_files_and_no_python(copy: Path) -> None:
    _extend(copy, "letters", "S", "S,2027-04-01,invented")
    _extend(
        copy,
        "fields",
        "S",
        "TOBUSE,top,treatment,Tobacco,int,2,,,1,0,0,M,S,,invented,low",
        "NEWITEM,episode,health,Something new,code,1,,sex,1,0,0,S,,,invented,low",
    )
    _extend(copy, "reference", "S", "sex,X,Not stated,S,,invented,low", "route,5,Other,<=H,R,invented,low")
    data = load_dictionary(copy)
    names = [item.name for item in data.columns("adult", "S")]
    assert names == [i.name for i in data.columns("adult", "R") if i.name != "TOBUSE"] + ["NEWITEM"]
    assert [item.name for item in data.columns("adult", "Q")] == [i.name for i in DATA.columns("adult", "Q")]
    assert list(data.codes("sex", "S")) == ["M", "F", "X"]
    assert list(data.codes("sex", "R")) == ["M", "F"]
    in_s, in_r = (Context("adult", letter, AS_OF, data) for letter in "SR")
    record = {**CLEAN, "ROUTE": "5"}
    assert "E11" in failing(ALL_RULES, record, in_s)
    assert "E11" not in failing(ALL_RULES, record, in_r)
    assert "S" not in DATA.letters


@pytest.mark.parametrize(
    ("stem", "line", "problem"),
    [
        ("fields", "X1,episode,health,L,int,,,,1,0,0,Z,,,s,low", "item X1: unknown data set letter 'Z'"),
        ("fields", "X1,episode,health,L,int,,,,1,0,0,M,Z,,s,low", "item X1: unknown data set letter 'Z'"),
        ("fields", "X1,episode,health,L,float,,,,1,0,0,M,,,s,low", "item X1: unknown type 'float'"),
        ("fields", "X1,episode,health,L,code,,,shoes,1,0,0,M,,,s,low", "item X1: unknown code list 'shoes'"),
        (
            "fields",
            "X1,episode,health,L,int,,,,yes,0,0,M,,,s,low",
            "item X1: in_adult, in_yp and in_cjit must be 0",
        ),
        ("fields", "X1,episode,health,L,int,two,,,1,0,0,M,,,s,low", "invalid literal for int"),
        ("fields", "X1,episode,health,L,int", "more or fewer fields than the header"),
        ("fields", "SEX,client,identity,Sex,code,1,,sex,1,1,1,<=H,,,s,low", "fields.csv: SEX is there twice"),
        ("reference", "sex,X,Other,M,Z,s,low", "code list sex: unknown data set letter 'Z'"),
        ("letters", "S,April 2027,", "Invalid isoformat string"),
        ("letters", '"S', "letters.csv: cannot be read"),
    ],
)
def test_spoilt_data_file_is_refused_with_the_row(copy: Path, stem: str, line: str, problem: str) -> None:
    _append(copy / f"{stem}.csv", line)
    with pytest.raises(DataFileError, match=problem):
        load_dictionary(copy)


def test_absent_or_undecodable_data_file_is_refused_by_name(copy: Path) -> None:
    (copy / "reference.csv").write_bytes(b"list,code\n\xff,1\n")
    with pytest.raises(DataFileError, match=r"reference\.csv: cannot be read"):
        load_dictionary(copy)
    (copy / "fields.csv").unlink()
    with pytest.raises(DataFileError, match=r"fields\.csv: cannot be read"):
        load_dictionary(copy)
