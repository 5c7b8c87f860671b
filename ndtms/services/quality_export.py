"""The desk as a file: what fails by record number, agency, client ID and episode ID. It never holds a name.

Who needs names beside it takes them out as a list with a reason (`caseload.services.list_exports`), where the client ID stands too.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import F

from caseload.dataset.explain import EFFECTS
from caseload.dataset.rules import RULES
from edatrs.core import access, clock, people_csv, trail
from edatrs.core.clock import LONDON
from edatrs.core.people_csv import Written
from ndtms import desk
from ndtms.desk import Asked

MOST_LINES = 50_000
ACT = "list.export"
HEADING = ("Record number", "Agency", "Client ID", "Episode ID", "Rule", "Effect", "What is wrong", "Since")


class Refused(ValueError):
    """It cannot be made; the message says why and what to do."""


def lines(asked: Asked) -> list[list[Any]]:
    """A line for each rule that an episode fails, under a filter. One query. Raises Denied, Refused."""
    access.require(ACT, by="O")
    rows = (
        desk.failing(asked)
        .annotate(
            record=F("client__record_number"),
            agency=F("episode__service__agency_code"),
            client_text=F("episode__registration__client_id_text"),
            episode_text=F("episode__episode_id"),
        )
        .order_by("agency", "client_text", "episode_text", "pk")
    )
    found: list[list[Any]] = []
    wanted = ("record", "agency", "client_text", "episode_text", "errors", "warnings", "answered", "since")
    for row in rows.values(*wanted)[: MOST_LINES + 1]:
        for rule in [*row["errors"], *row["warnings"]]:
            if rule in RULES and rule not in row["answered"] and desk.shown(rule, asked):
                found.append(
                    [
                        f"R{row['record']}",
                        row["agency"],
                        row["client_text"],
                        row["episode_text"],
                        rule,
                        EFFECTS[RULES[rule].level],
                        RULES[rule].words,
                        _day(row["since"].get(rule)),
                    ]
                )
    if len(found) > MOST_LINES:
        raise Refused(f"The list has more than {MOST_LINES:,} lines. Choose a service or a rule")
    return found


def _day(text: str | None) -> str:
    return dt.datetime.fromisoformat(text).astimezone(LONDON).date().isoformat() if text else "Not known"


def take(asked: Asked) -> Written:
    """The file, made now, and on the trail. Raises Denied, Refused."""
    found = lines(asked)
    if not found:
        raise Refused("Nothing fails under this filter, so there is nothing to export")
    written = people_csv.write(HEADING, found)
    trail.record(
        "ndtms.quality_exported",
        details={
            "rule": asked.rule or asked.effect or "all",
            "names": False,
            "lines": written.lines,
            "people": len({line[0] for line in found}),
            "bytes": len(written.content),
            "sha256": written.sha256,
            "on": clock.today(),
        },
    )
    return written
