"""Every line of rules section 10 and every row of contract section 4 is a rule with its source, or says what holds instead."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from caseload.dataset.reader import checksum_problems
from caseload.dataset.rules import ALL_RULES, ERROR, ERROR_RULES, RULES, WARNING
from caseload.dataset.rules.sources import (
    CONFIDENCES,
    DECIDED,
    SourceLine,
    confidence_of,
    lines_of,
    source_lines,
)
from edatrs.core.scope import Actor
from tests.core.world import acting_for
from tests.factories.caseload import make_episode, make_registration
from tests.factories.organisations import make_organisation

# Section 10 as it was read: its lines by their first words, and the rules that answer for each.
LINES = {
    "AGNCY, CLIENTID, CONSENT present": "",
    "FINITIAL, SINITIAL, DOB, SEX present": "E01",
    "Year of birth 1903 or later": "E02",
    "DOB before REFLD": "E04",
    "REFLD present": "E03",
    "DRUG1 present": "E07",
    "TRIAGED present, on or after REFLD": "E05 E06",
    "Age at least 18 in an adult service": "W23",
    "Dates in the future": "E08 W27",
    "REFMODDT on or after REFLD": "W01 W02 W03 W04",
    "MODEND and MODEXIT together": "W05",
    "DISD on or after TRIAGED": "E09 E10 W06",
    "No open intervention after DISD": "W07",
    "DRUG1, DRUG2, DRUG3 distinct": "W08 W09",
    "DRUG1AGE not above current age": "W10",
    "PREGNANT only when SEX is F": "W11",
    "ALCDDAYS 0-28": "W12 W13",
    "TOP day counts 0-28": "W14 W15",
    "SHARING only when IVDRGUSE": "W16",
    "One start TOP per journey": "W17 W18",
    "Review TOP at least every 26 weeks": "W19",
    "Exit TOP within two weeks": "W20",
    "SIR at least every six months and at exit": "W21 W22",
    "Same AGNCY, CLIENTID, EPISODID": "",
    "Two open episodes of one client": "W30",
    "Code not in the list": "E11 W24 W29",
    "DAT and local authority agree": "W25",
}
# Not in section 10: the dictionary says them.
OF_THE_DICTIONARY = {"W26", "W28"}


def test_every_line_has_the_rules_that_answer_for_it_and_no_line_is_left_out() -> None:
    lines = source_lines()
    assert len(lines) == len(LINES)
    for line, (begins, ids) in zip(lines, LINES.items(), strict=True):
        assert line.rule.startswith(begins)
        assert " ".join(line.ids) == ids, line.rule
    assert checksum_problems() == ()


@pytest.mark.parametrize("line", source_lines(), ids=lambda line: line.rule[:40])
def test_every_line_is_held_by_a_rule_or_says_what_holds_instead(line: SourceLine) -> None:
    assert set(line.ids) <= set(RULES)
    assert line.ids or line.otherwise
    assert line.source
    assert line.confidence in CONFIDENCES
    for rule_id in line.ids:
        # The contract is over the level that section 10 proposes: E01 to E11 hold back, all else warns.
        assert RULES[rule_id].level == (ERROR if rule_id.startswith("E") else WARNING)
        if line.level.startswith("warning"):
            assert RULES[rule_id].level == WARNING


def test_every_rule_has_words_remedy_source_and_confidence() -> None:
    assert [rule.id for rule in ERROR_RULES] == [f"E{number:02d}" for number in range(1, 12)]
    for rule in ALL_RULES:
        assert rule.words and rule.remedy and rule.source
        assert rule.confidence in CONFIDENCES
        if rule.level == ERROR:
            assert rule.confidence == DECIDED
        elif rule.id in OF_THE_DICTIONARY:
            assert not lines_of(rule.id)
        else:
            assert lines_of(rule.id), rule.id
            assert rule.confidence == confidence_of(rule.id) != DECIDED
    assert RULES["W10"].confidence == "low"
    assert RULES["W14"].confidence == "high"


def test_the_least_sure_line_says_how_sure_a_rule_is(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (
        SourceLine("a", "warning", "s", "high", ("W01",), ""),
        SourceLine("b", "warning", "s", "low", ("W01", "W02"), ""),
    )
    monkeypatch.setattr("caseload.dataset.rules.sources.source_lines", lambda: lines)
    assert (confidence_of("W01"), confidence_of("W02"), confidence_of("W03")) == ("low", "low", DECIDED)


@pytest.mark.django_db
def test_what_needs_no_rule_cannot_be_recorded_otherwise() -> None:
    """The first line without a rule: no registration without a client ID."""
    with acting_for(make_organisation(), actor=Actor.OPERATOR):
        with pytest.raises(IntegrityError, match="null value"), transaction.atomic():
            make_registration(client_id_text=None)
        with pytest.raises(IntegrityError, match="null value"), transaction.atomic():
            make_episode(consent=None)
