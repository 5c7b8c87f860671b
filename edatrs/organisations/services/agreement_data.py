"""An agreement as a data file: read, checked as a whole, and put into the register as a draft, once.

What is in the register is the truth from then on: a file that is loaded again changes nothing. What it leaves blank stays blank.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import transaction

from edatrs.core import clock, trail
from edatrs.organisations import catalogue
from edatrs.organisations.choices import EntryKind, PartyRole
from edatrs.organisations.models import Agreement, AgreementEntry, AgreementParty, Organisation
from edatrs.organisations.services import contacts

ESSEX = Path(__file__).resolve().parent.parent / "data" / "essex_agreement.json"
_TEXTS = {
    "slug": 60,
    "title": 200,
    "version": 20,
    "owner": 60,
    "authors": 2000,
    "summary": 2000,
    "retention": 2000,
}


class BadAgreement(ValueError):
    """The file cannot be loaded; `problems` holds every reason as `path: problem`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def read(file: Path) -> dict[str, Any]:
    """The agreement of a file. Raises BadAgreement with everything that is wrong in it."""
    try:
        found = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise BadAgreement([f"cannot be read as JSON ({error})"]) from None
    problems = list(_problems(found))
    if problems:
        raise BadAgreement(problems)
    return dict(found)


def _problems(found: Any) -> Iterator[str]:
    if not isinstance(found, dict):
        yield "must be an object"
        return
    for key in sorted(set(found) - {*_TEXTS, "parties", "entries", "documents"}):
        yield f"{key}: is not known here"
    for key, longest in _TEXTS.items():
        if not isinstance(found.get(key), str) or len(found[key]) > longest:
            yield f"{key}: must be text of at most {longest} characters; blank where the source is blank"
    for number, party in enumerate(found.get("parties", [])):
        if set(party.get("roles", [])) - set(PartyRole.values):
            yield f"parties[{number}].roles: must be of {', '.join(PartyRole.values)}"
    for kind, keys in found.get("entries", {}).items():
        if kind not in EntryKind.values:
            yield f"entries.{kind}: is not known here"
            continue
        for key in keys:
            if catalogue.known(kind, key) is None:
                yield f"entries.{kind}: '{key}' is not in the catalogue"


@transaction.atomic
def load(found: dict[str, Any]) -> Agreement | None:
    """Put it into the register as a draft, unless an agreement with its slug is there. None: there was one.

    Raises BadAgreement when a party is no organisation here.
    """
    if Agreement.objects.filter(slug=found["slug"]).exists():
        return None
    organisations = {o.slug: o for o in Organisation.objects.all()}
    named = [p["organisation"] for p in found["parties"]] + [found["owner"]] * bool(found["owner"])
    missing = [slug for slug in named if slug not in organisations]
    if missing:
        raise BadAgreement([f"parties: no organisation {slug} is here" for slug in missing])
    agreement = Agreement.objects.create(
        owner=organisations.get(found["owner"]), **{k: found[k] for k in _TEXTS if k != "owner"}
    )
    AgreementParty.objects.bulk_create(
        AgreementParty(agreement=agreement, organisation=organisations[p["organisation"]], roles=p["roles"])
        for p in found["parties"]
    )
    lines = [
        (kind, position, line)
        for kind, keys in found["entries"].items()
        for position, line in enumerate(catalogue.known(kind, key) for key in keys)
        if line is not None
    ]
    AgreementEntry.objects.bulk_create(
        AgreementEntry(
            agreement=agreement,
            kind=kind,
            key=line.key,
            words=line.words,
            category=line.category,
            position=position,
        )
        for kind, position, line in lines
    )
    trail.record(
        "protocol.loaded",
        organisation_id=None,
        subject=str(agreement.pk),
        details={"parties": len(found["parties"])},
    )
    return agreement


def keep_contacts() -> None:
    """Open the contact record of every organisation that has none, or whose items have changed with the file."""
    for organisation in Organisation.objects.all():
        contacts.keep_record(organisation, clock.today())
