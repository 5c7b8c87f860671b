"""What a list can be taken out with: each column with its category, and who may have it. Pure; the roles are asked of the open scope."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from caseload.present import age_on, code_words, nhs_number
from edatrs.core import access
from edatrs.core.scope import current_scope
from edatrs.organisations.choices import Role

ACT = "list.export"
CONSENT_WORDS = {"Y": "Yes", "N": "No", "": "Not asked"}
NOT_RECORDED = "Not recorded"


@dataclass(frozen=True)
class Column:
    """A column. `says_who`: it says directly who somebody is, so it needs the tick for names and its reason. `in_data_set`: NDTMS
    administrators may have it (access.csv: items of the data set only). No category: a number of ours, which says nothing of anybody.
    """

    key: str
    words: str
    category: str
    value: Callable[[Mapping[str, Any], dt.date], Any]
    says_who: bool = False
    in_data_set: bool = True


def _plain(name: str) -> Callable[[Mapping[str, Any], dt.date], Any]:
    return lambda row, today: row[name] or NOT_RECORDED


def _day(name: str) -> Callable[[Mapping[str, Any], dt.date], Any]:
    """A day as YYYY-MM-DD, which a spreadsheet sorts and reads alike everywhere."""
    return lambda row, today: row[name].isoformat() if row[name] else NOT_RECORDED


def _code(list_name: str, name: str) -> Callable[[Mapping[str, Any], dt.date], Any]:
    return lambda row, today: code_words(list_name, row[name]) if row[name] else NOT_RECORDED


def _of_episode(
    make: Callable[[Mapping[str, Any], dt.date], Any],
) -> Callable[[Mapping[str, Any], dt.date], Any]:
    return lambda row, today: make(row, today) if row["episode"] else "No episode"


def _age(row: Mapping[str, Any], today: dt.date) -> Any:
    age = age_on(row["born"], today)
    return NOT_RECORDED if age is None else age


def _district(row: Mapping[str, Any], today: dt.date) -> str:
    """The outward part of a postcode: as much of it as the data set takes."""
    text = " ".join(str(row["postcode"] or "").split())
    return (text.split(" ")[0] if " " in text else text[:-3]) or NOT_RECORDED


def _closed(row: Mapping[str, Any], today: dt.date) -> str:
    return row["closed"].isoformat() if row["closed"] else "Open"


COLUMNS: Mapping[str, Column] = {
    column.key: column
    for column in (
        Column("record", "Record number", "", lambda row, today: f"R{row['record']}"),
        Column("client_id", "Client ID", "identity", _plain("client_id")),
        Column("service", "Service", "identity", lambda row, today: f"{row['service']} ({row['agency']})"),
        Column("forename", "Forename", "identity", _plain("forename"), says_who=True, in_data_set=False),
        Column("surname", "Surname", "identity", _plain("surname"), says_who=True, in_data_set=False),
        Column("nhs_number", "NHS number", "identity", lambda row, today: nhs_number(row["nhs"] or "") or NOT_RECORDED,
               says_who=True, in_data_set=False),
        Column("born", "Date of birth", "identity", _day("born"), says_who=True),
        Column("age", "Age", "identity", _age),
        Column("sex", "Sex", "identity", _code("sex", "sex")),
        Column("address", "Address", "contact", lambda row, today: ", ".join(
            text for text in (row["line_1"], row["line_2"], row["town"], row["postcode"]) if text) or NOT_RECORDED,
            says_who=True, in_data_set=False),
        Column("phone", "Phone", "contact", _plain("phone"), says_who=True, in_data_set=False),
        Column("email", "E-mail", "contact", _plain("email"), says_who=True, in_data_set=False),
        Column("district", "Postcode district", "contact", _district),
        Column("ethnicity", "Ethnicity", "equality", _code("ethnicity", "ethnicity")),
        Column("nationality", "Nationality", "equality", _code("nationality", "nationality")),
        Column("religion", "Religion or belief", "equality", _code("religion", "religion")),
        Column("orientation", "Sexual orientation", "equality", _code("sexual_orientation", "orientation")),
        Column("disability_1", "Disability 1", "disability", _code("disability", "disability_1")),
        Column("disability_2", "Disability 2", "disability", _code("disability", "disability_2")),
        Column("disability_3", "Disability 3", "disability", _code("disability", "disability_3")),
        Column("keyworker", "Keyworker", "treatment", lambda row, today: row["keyworker"] or "Nobody"),
        Column("episode", "Episode ID", "treatment", _of_episode(_plain("episode"))),
        Column("referred", "Referred on", "treatment", _of_episode(_day("referred"))),
        Column("triaged", "Triaged on", "treatment", _of_episode(_day("triaged"))),
        Column("closed", "Closed on", "treatment", _of_episode(_closed)),
        Column("ending", "Reason for closing", "treatment", _of_episode(
            lambda row, today: code_words("discharge_reason", row["ending"]) if row["ending"] else (
                NOT_RECORDED if row["closed"] else "Open"))),
        Column("problem", "Main substance", "treatment", _of_episode(_code("drug", "problem"))),
        Column("consent", "Consent to NDTMS", "treatment", _of_episode(
            lambda row, today: CONSENT_WORDS.get(row["consent"], row["consent"]))),
    )
}  # fmt: skip
USUAL = ("record", "client_id", "service", "age", "keyworker", "referred", "closed")


def reaches_clients() -> bool:
    """Whether the roles of the open scope may take out more than record numbers: letter O. The governance officer's A is numbers alone."""
    return "O" in access.letters(ACT)


def _may_have(column: Column) -> bool:
    if not column.category:
        return True
    if not reaches_clients():
        return False
    held = current_scope().roles
    # Only roles that may take lists of clients count: what somebody sees in another role of theirs does not leave with this one.
    exporting = frozenset(role for role in held if "O" in access.letters(ACT, roles=frozenset({role})))
    if column.in_data_set:
        return "O" in access.letters("client.view", column.category, roles=exporting)
    wider = exporting - {Role.NDTMS_ADMINISTRATOR.value}
    return "O" in access.letters("client.view", column.category, roles=wider)


def offered() -> dict[str, Column]:
    """The columns that the roles of the open scope may take out, in their order. Raises ScopeMissing."""
    return {key: column for key, column in COLUMNS.items() if _may_have(column)}


def allowed(keys: Collection[str], *, names: bool) -> list[Column]:
    """Those of the asked columns that may be taken now. Without the tick for names none that says who somebody is."""
    return [c for key, c in offered().items() if key in keys and (names or not c.says_who)]


def may_have_names() -> bool:
    """Whether the roles of the open scope may take out anything that says who somebody is."""
    return any(column.says_who for column in offered().values())


def categories_of(columns: Collection[Column]) -> list[str]:
    """The information categories of some columns, each once."""
    return list(dict.fromkeys(column.category for column in columns if column.category))
