"""Keeps what clients are recognised by in other organisations' registrations (`caseload.match_keys`) what their record says now."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import connection

from caseload.match_keys import Keys, keys_of
from edatrs.core.scope import current_organisation

# A surname of before, or of a record that was merged in, is an earlier one of the client that stands.
_FACTS = """
SELECT c.id, i.forename, i.surname, i.date_of_birth, i.sex, i.nhs_number, k.postcode,
       ARRAY(SELECT h.surname FROM caseload_clientidentityhistory h WHERE h.pgh_obj_id = c.id
             UNION SELECT m.surname FROM caseload_clientmerge g
             JOIN caseload_clientidentity m ON m.client_id = g.client_id
             WHERE g.survivor_id = c.id AND g.undone_at IS NULL)
FROM caseload_client c
LEFT JOIN caseload_clientidentity i ON i.client_id = c.id
LEFT JOIN caseload_clientcontact k ON k.client_id = c.id
WHERE c.organisation_id = %s AND c.id = ANY(%s)
"""
_COLUMNS = tuple(field.name for field in dataclasses.fields(Keys))
_ARRAYS = {"fore", "fore_spelt", "fore_sounds", "sur", "sur_spelt", "sur_sounds", "earlier"}
_TYPES = {name: "text[]" if name in _ARRAYS else "date" if name == "born" else "text" for name in _COLUMNS}
_NAMES = ", ".join(_COLUMNS)
# The person, whether it is voided and whether it is sensitive are read for a new key alone: afterwards triggers of the database keep them,
# and a flag that is raised at this moment must not be written over.
_WRITE = f"""
INSERT INTO caseload_matchkey AS held (organisation_id, client_id, of_person, voided, sensitive, {_NAMES})
SELECT c.organisation_id, c.id, c.person_id, c.voided_at IS NOT NULL,
       EXISTS (SELECT FROM caseload_sensitiverecord s WHERE s.client_id = c.id AND s.lifted_at IS NULL),
       {", ".join(f"w.{name}" for name in _COLUMNS)}
FROM jsonb_to_recordset(%s::jsonb) AS w (client uuid, {", ".join(f"{name} {kind}" for name, kind in _TYPES.items())})
JOIN caseload_client c ON c.id = w.client AND c.organisation_id = %s
ON CONFLICT (client_id) DO UPDATE SET ({_NAMES}) = ROW ({", ".join(f"excluded.{name}" for name in _COLUMNS)})
WHERE ({", ".join(f"held.{name}" for name in _COLUMNS)}) IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in _COLUMNS)})
"""  # noqa: S608  # names of columns, written here


def write(ids: list[UUID]) -> None:
    """Write the keys of these clients of the organisation acted for, touching only what differs. Two queries."""
    rows = [{"client": str(client), **found} for client, found in _found(ids)]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_WRITE, [json.dumps(rows), current_organisation()])


def _found(ids: list[UUID]) -> Iterator[tuple[UUID, dict[str, Any]]]:
    with connection.cursor() as cursor:
        cursor.execute(_FACTS, [current_organisation(), ids])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    for client, forename, surname, born, sex, nhs_number, postcode, earlier in rows:
        keys = keys_of(
            forename=forename or "",
            surname=surname or "",
            earlier_surnames=earlier,
            born=born,
            sex=sex or "",
            nhs_number=nhs_number or "",
            postcode=postcode or "",
        )
        yield client, {**_as_dict(keys), "born": born.isoformat() if born else None}


def _as_dict(keys: Keys) -> dict[str, Any]:
    return {name: getattr(keys, name) for name in _COLUMNS}
