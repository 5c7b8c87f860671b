"""What is known of a client, for the pages that show and change it: categories, earlier values, conflicts, merges."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from audit.models import AuditEvent
from caseload import present, row_history
from caseload.forms.clients import FORMS
from caseload.models import Client
from caseload.row_history import ShownForm
from caseload.services import merge
from caseload.services.clients import CATEGORIES, Part, names_of, read_part
from edatrs.core import access

MOST_EARLIER = 30


def short(client: Client, today: dt.date) -> dict[str, Any]:
    """A client in a list: name, born, client IDs, NHS number. Costs no query where they were fetched along."""
    who = getattr(client, "clientidentity", None)
    return {
        "name": present.list_name(who.forename, who.surname) if who else "Name not recorded",
        "born": who.date_of_birth if who else None,
        "age": present.age_on(who.date_of_birth, today) if who else None,
        "nhs_number": present.nhs_number(who.nhs_number) if who else "",
        "client_ids": [
            f"{r.client_id_text} ({r.service.agency_code})"
            for r in sorted(client.registrations.all(), key=lambda r: r.client_id_text)
        ],
        "record": str(client),
    }


def categories(client: Client, letter: str) -> list[dict[str, Any]]:
    """The categories that the roles may see, each with its fields in words and whether they may change it."""
    found = []
    for category in CATEGORIES:
        if not access.may("client.view", category):
            continue
        part = read_part(client, category)
        form = FORMS[category](part=part, letter=letter)
        past = row_history.fields_shown(category, row_history.changed_names(part))
        found.append(
            {
                "key": category,
                "heading": form.heading,
                "may_change": access.may("client.edit", category),
                "route": f"caseload:client-edit-{category}",
                # What was never changed has no history to lead to.
                "changed": bool(past),
                "rows": [
                    {"name": name, "label": form.fields[name].label, "value": part.values[name],
                     "words": form.shown(name, part.values[name]),
                     "past": name in past}
                    for name in names_of(category)
                    if name in form.fields
                ],
            }
        )  # fmt: skip
    return found


def people_of(client_id: UUID, acts: Iterable[UUID | None]) -> dict[UUID, dict[str, Any]]:
    """Who did these acts on a client and when, from the own trail. One query."""
    rows = AuditEvent.objects.filter(subject=str(client_id), act__in=[a for a in acts if a])
    return {
        act: {"who": who or "The system", "at": at}
        for act, who, at in rows.order_by("sequence").values_list("act", "actor_label", "at")
    }


def who_wrote(client: Client, part: Part) -> dict[str, Any]:
    """Who saved what stands, and when; nobody, where the trail has no entry about the client (an import)."""
    return people_of(client.pk, [part.act]).get(part.act, {"who": "Somebody", "at": None}) if part.act else {}


def history(client: Client, part: Part, form: ShownForm) -> list[row_history.Entry]:
    """What the category said before, the latest change first. Two queries at most."""
    names = row_history.fields_shown(part.about, part.values)
    return row_history.read(client, part, form, names=names, limit=MOST_EARLIER).entries


def conflict(
    form: ShownForm,
    mine: Mapping[str, Any],
    theirs: Mapping[str, Any],
    *,
    then: Mapping[str, Any] | None = None,
    chosen: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """The fields in which two texts differ. Where only one side changed a field since `then`, that side is chosen already."""
    rows = []
    for name in mine:
        if mine[name] == theirs[name]:
            continue
        choice = (chosen or {}).get(name, "")
        if then is not None and choice not in {"mine", "theirs"}:
            choice = "theirs" if mine[name] == then[name] else "mine" if theirs[name] == then[name] else ""
        rows.append(
            {
                "name": name,
                "label": form.fields[name].label,
                "mine": form.shown(name, mine[name]),
                "theirs": form.shown(name, theirs[name]),
                "chosen": choice if choice in {"mine", "theirs"} else "",
            }
        )
    return rows


def merges_of(client: Client) -> list[dict[str, Any]]:
    """The records that were merged into this one and still are."""
    return [
        {
            "id": row.pk,
            "record": str(row.client),
            "at": row.merged_at,
            "who": row.merged_by_label,
            "reason": row.reason,
            "moved": sum(len(ids) for ids in row.moved.values()),
        }
        for row in merge.merges_into(client)
    ]
