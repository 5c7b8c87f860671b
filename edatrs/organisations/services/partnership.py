"""The partnership as a data file: read, checked as a whole, and loaded; loading it again changes nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email, validate_slug
from django.db import transaction

from edatrs.core import trail
from edatrs.organisations.choices import DataSet, OrganisationKind
from edatrs.organisations.models import Organisation, Service, ServiceLetter

ESSEX = Path(__file__).resolve().parent.parent / "data" / "essex.json"
LARGEST = 5 * 1024 * 1024
_TEXTS = {
    "slug": 60,
    "name": 120,
    "brand": 120,
    "kind": 20,
    "head_office": 2000,
    "phone": 40,
    "data_protection_officer": 120,
}
_LISTS = {"emails": 254, "ico_references": 12}
_NEEDED = ("slug", "name", "kind")
_ICO = re.compile(r"Z[A-Z0-9]{7}", re.ASCII)
_LETTER = re.compile(r"[A-Z]", re.ASCII)


class BadPartnership(ValueError):
    """The file cannot be loaded; `problems` holds every reason as `path: problem`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def read(file: Path) -> tuple[list[dict[str, Any]], str]:
    """The organisations of a file and its SHA-256. Raises BadPartnership with everything that is wrong in it."""
    try:
        if file.stat().st_size > LARGEST:
            raise BadPartnership([f"the file is larger than {LARGEST // 1024 // 1024} MB"])
        content = file.read_bytes()
        found = json.loads(content.decode("utf-8-sig"))
    except OSError as error:
        raise BadPartnership([error.strerror or "cannot be read"]) from None
    except UnicodeDecodeError as error:
        raise BadPartnership([f"byte {error.start + 1}: is not UTF-8"]) from None
    except json.JSONDecodeError as error:
        raise BadPartnership(
            [f"line {error.lineno} column {error.colno}: is not JSON ({error.msg})"]
        ) from None
    except RecursionError:
        raise BadPartnership(["is nested too deeply"]) from None
    problems = _Checker().check(found)
    if problems:
        raise BadPartnership(problems)
    return found["organisations"], hashlib.sha256(content).hexdigest()


class _Checker:
    """Walks the file and notes every problem with its path."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.slugs: set[str] = set()
        self.agencies: set[str] = set()

    def check(self, found: Any) -> list[str]:
        """Every problem of a file."""
        if not isinstance(found, dict) or not isinstance(found.get("organisations"), list):
            return ["organisations: must be a list"]
        self._unknown("", found, {"partnership", "organisations"})
        for number, row in enumerate(found["organisations"]):
            self._organisation(f"organisations[{number}]", row)
        controllers = [
            r for r in found["organisations"] if isinstance(r, dict) and r.get("is_controller") is True
        ]
        if len(controllers) != 1:
            self._bad(
                "organisations", f"must name one sole controller (is_controller), not {len(controllers)}"
            )
        return self.problems

    def _bad(self, path: str, problem: str) -> None:
        self.problems.append(f"{path}: {problem}")

    def _unknown(self, path: str, row: dict[str, Any], known: set[str]) -> None:
        for key in sorted(set(row) - known):
            self._bad(f"{path}.{key}".lstrip("."), "is not known here")

    def _text(self, path: str, value: Any, longest: int, *, needed: bool) -> bool:
        if not isinstance(value, str):
            self._bad(path, "must be text")
        elif "\0" in value:
            self._bad(path, "holds a NUL character")
        elif needed and not value.strip():
            self._bad(path, "must not be empty")
        elif len(value) > longest:
            self._bad(path, f"is longer than {longest} characters")
        else:
            return True
        return False

    def _organisation(self, path: str, row: Any) -> None:
        if not isinstance(row, dict):
            self._bad(path, "must be an object")
            return
        self._unknown(path, row, {*_TEXTS, *_LISTS, "is_controller", "services"})
        for key in _NEEDED:
            if key not in row:
                self._bad(f"{path}.{key}", "is missing")
        good = {
            k
            for k, n in _TEXTS.items()
            if k in row and self._text(f"{path}.{k}", row[k], n, needed=k in _NEEDED)
        }
        if "slug" in good:
            self._slug(f"{path}.slug", row["slug"])
        if "kind" in good and row["kind"] not in OrganisationKind.values:
            self._bad(f"{path}.kind", f"must be one of {', '.join(OrganisationKind.values)}")
        if not isinstance(row.get("is_controller", False), bool):
            self._bad(f"{path}.is_controller", "must be true or false")
        for key, longest in _LISTS.items():
            self._list(f"{path}.{key}", key, row.get(key, []), longest)
        services = row.get("services", [])
        if not isinstance(services, list):
            self._bad(f"{path}.services", "must be a list")
            return
        for number, service in enumerate(services):
            self._service(f"{path}.services[{number}]", service)

    def _slug(self, path: str, slug: str) -> None:
        try:
            validate_slug(slug)
        except ValidationError:
            self._bad(path, "may hold letters, digits and hyphens only")
        if slug in self.slugs:
            self._bad(path, "is there twice")
        self.slugs.add(slug)

    def _list(self, path: str, key: str, values: Any, longest: int) -> None:
        if not isinstance(values, list):
            self._bad(path, "must be a list")
            return
        for number, value in enumerate(values):
            here = f"{path}[{number}]"
            if not self._text(here, value, longest, needed=True):
                continue
            if key == "emails":
                try:
                    validate_email(value)
                except ValidationError:
                    self._bad(here, "is not an e-mail address")
            elif not _ICO.fullmatch(value):
                self._bad(here, "is not an ICO reference such as Z1234567")

    def _service(self, path: str, row: Any) -> None:
        if not isinstance(row, dict):
            self._bad(path, "must be an object")
            return
        self._unknown(path, row, {"agency_code", "name", "dataset", "letters"})
        if self._text(f"{path}.agency_code", row.get("agency_code"), 20, needed=True):
            if row["agency_code"] in self.agencies:
                self._bad(f"{path}.agency_code", "is there twice")
            self.agencies.add(row["agency_code"])
        self._text(f"{path}.name", row.get("name", ""), 200, needed=False)
        if row.get("dataset") not in DataSet.values:
            self._bad(f"{path}.dataset", f"must be one of {', '.join(DataSet.values)}")
        letters = row.get("letters", {})
        if not isinstance(letters, dict):
            self._bad(f"{path}.letters", "must be an object of dates and letters")
            return
        for day, letter in letters.items():
            if not isinstance(letter, str) or not _LETTER.fullmatch(letter) or _date(day) is None:
                self._bad(f"{path}.letters.{day}", 'must be a date and a letter, such as "2024-04-01": "R"')


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


@transaction.atomic
def load(rows: list[dict[str, Any]], *, sha256: str) -> dict[str, dict[str, int]]:
    """Write organisations, services and letters: how many of each were created, updated, unchanged. Raises BadPartnership."""
    counts: dict[str, Counter[str]] = {state: Counter() for state in ("created", "updated", "unchanged")}
    problems = []
    for number, row in enumerate(rows):
        wanted = {k: row.get(k, "") for k in _TEXTS if k != "slug"} | {k: row.get(k, []) for k in _LISTS}
        wanted["is_controller"] = row.get("is_controller", False)
        organisation, state = _save(Organisation, {"slug": row["slug"]}, wanted)
        counts[state]["organisations"] += 1
        for place, service in enumerate(row.get("services", [])):
            taken = (
                Service.objects.filter(agency_code=service["agency_code"])
                .exclude(organisation=organisation)
                .first()
            )
            if taken:
                path = f"organisations[{number}].services[{place}].agency_code"
                problems.append(f"{path}: belongs to another organisation already")
                continue
            fields = {
                "organisation": organisation,
                "name": service.get("name", ""),
                "dataset": service["dataset"],
            }
            held, state = _save(Service, {"agency_code": service["agency_code"]}, fields)
            counts[state]["services"] += 1
            for day, letter in service.get("letters", {}).items():
                key = {"service": held, "in_force_from": dt.date.fromisoformat(day)}
                _, state = _save(ServiceLetter, key, {"letter": letter})
                counts[state]["letters"] += 1
    if problems:
        raise BadPartnership(problems)
    done = {f"{what}_{state}": n for state, count in counts.items() for what, n in sorted(count.items())}
    trail.record(
        "organisations.partnership_loaded", organisation_id=None, details={"counts": done, "sha256": sha256}
    )
    return {state: dict(sorted(count.items())) for state, count in counts.items()}


def _save(model: Any, key: dict[str, Any], wanted: dict[str, Any]) -> tuple[Any, str]:
    """Create or update one row; nothing is written when it is as wanted."""
    row = model.objects.select_for_update().filter(**key).first()
    if row is None:
        return model.objects.create(**key, **wanted), "created"
    changed = [name for name, value in wanted.items() if getattr(row, name) != value]
    if not changed:
        return row, "unchanged"
    for name in changed:
        setattr(row, name, wanted[name])
    row.save(update_fields=changed)
    return row, "updated"
