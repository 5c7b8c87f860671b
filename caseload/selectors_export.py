"""The lines of a list that is taken out: registrations of the organisation acted for, narrowed by ids and codes, in a few queries.

Everything is asked afresh each time, through the managers: who is hidden from the person acting, entered in error or of another
organisation is in no line and in no count.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from caseload import export_columns, present
from caseload.choices import NdtmsConsent
from caseload.dataset.reader import load_dictionary
from caseload.export_columns import Column
from caseload.models import Episode, Intervention, ListExport, ListExportDownload, Registration
from caseload.selectors_work import (
    CLOSED_STAYS_DAYS,
    CONSENTS,
    STATES,
    SUBSTANCES,
    in_force,
    keyworker_of,
    service_choices,
)
from edatrs.core import access, clock
from edatrs.core.access import Denied
from edatrs.core.scope import current_scope
from edatrs.organisations.models import User

# A line is some 200 bytes and a file is made in memory; a longer list is narrowed, by service for example.
MOST_LINES = 50_000
FIRST = 5
_CONSENT = {"yes": NdtmsConsent.YES.value, "no": NdtmsConsent.NO.value, "not-asked": ""}
LATEST_EXPORTS = 200


@dataclass(frozen=True)
class Narrowed:
    """What a list is narrowed to: ids and codes alone. All empty: every registration."""

    services: tuple[str, ...] = ()
    keyworker: str = ""
    states: tuple[str, ...] = ()
    substances: tuple[str, ...] = ()
    consents: tuple[str, ...] = ()

    def kept(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "service": list(self.services),
            "keyworker": self.keyworker,
            "state": list(self.states),
            "substance": list(self.substances),
            "consent": list(self.consents),
        }


@dataclass(frozen=True)
class Lines:
    """Lines of a list with their columns: cells as they are written, how many, of how many clients, and which clients."""

    columns: list[Column]
    cells: list[list[Any]]
    people: int
    clients: list[UUID] = field(default_factory=list)


def narrowed(kept: Mapping[str, Any]) -> Narrowed:
    """What was stored or asked, without what is unknown; of the governance officer, whose lists are numbers alone, services only."""

    def of(key: str, known: Any) -> tuple[str, ...]:
        asked = kept.get(key) or []
        return tuple(code for code in known if code in asked)

    services = of("service", service_choices())
    if not export_columns.reaches_clients():
        return Narrowed(services)
    keyworker = str(kept.get("keyworker") or "")
    return Narrowed(
        services,
        keyworker if keyworker in {str(person.pk) for person in keyworkers()} else "",
        of("state", STATES),
        of("substance", SUBSTANCES),
        of("consent", CONSENTS),
    )


def stored(kept: Mapping[str, Any]) -> Narrowed:
    """What was asked, as it was, to be said in words: whoever reads it."""
    several = {key: tuple(kept.get(key) or ()) for key in ("service", "state", "substance", "consent")}
    return Narrowed(
        several["service"],
        str(kept.get("keyworker") or ""),
        several["state"],
        several["substance"],
        several["consent"],
    )


def keyworkers() -> list[User]:
    """Who is the keyworker of somebody today, by name."""
    ids = in_force(clock.today()).order_by().values("keyworker_id").distinct()
    return list(User.objects.filter(pk__in=ids).order_by("full_name"))


def words_of(asked: Narrowed) -> list[str]:
    """A narrowing in words; a code that is no longer known is shown as it is."""
    services = service_choices()
    found = [services.get(code, code) for code in asked.services]
    if asked.keyworker:
        name = User.objects.filter(pk=asked.keyworker).values_list("full_name", flat=True).first()
        found.append(f"Keyworker: {name or 'not known'}")
    found += [STATES.get(code, code) for code in asked.states]
    found += [SUBSTANCES.get(code, code) for code in asked.substances]
    found += [f"Consent: {CONSENTS.get(code, code).lower()}" for code in asked.consents]
    return found


def _rows(asked: Narrowed, today: dt.date) -> QuerySet[Any, Any]:
    """The registrations that match, each with its latest episode in use."""
    latest = Episode.objects.filter(registration_id=OuterRef("pk"), voided_at__isnull=True).order_by(
        F("referred_on").desc(nulls_last=True), "-episode_id"
    )
    rows = Registration.objects.filter(client__voided_at__isnull=True).annotate(
        latest=Subquery(latest.values("pk")[:1]),
        keyworker=Subquery(keyworker_of(today, OuterRef("client_id")).values("keyworker_id")[:1]),
    )
    if asked.services:
        rows = rows.filter(service__agency_code__in=asked.services)
    if asked.keyworker:
        rows = rows.filter(keyworker=asked.keyworker)
    of_latest = Q()
    if asked.substances:
        groups = load_dictionary().codes("drug_group", present.ANY_LETTER)
        codes = [code for code, group in groups.items() if group in asked.substances]
        of_latest &= Q(drug_1__in=codes) | Q(drug_2__in=codes) | Q(drug_3__in=codes)
    if asked.consents:
        of_latest &= Q(consent__in=[_CONSENT[code] for code in asked.consents])
    if of_latest:
        rows = rows.filter(Exists(Episode.objects.filter(of_latest, pk=OuterRef("latest"))))
    return rows.filter(_state(asked.states, today)) if asked.states else rows


def _state(states: Sequence[str], today: dt.date) -> Q:
    """As My caseload tells the states of an episode, here of the latest one of a registration."""
    recent = today - dt.timedelta(days=CLOSED_STAYS_DAYS)
    begun = Exists(
        Intervention.objects.filter(
            episode_id=OuterRef("pk"), voided_at__isnull=True, started_on__isnull=False
        )
    )
    of = {
        "open": Q(discharged_on__isnull=True) & (Q(triaged_on__isnull=False) | begun),
        "waiting": Q(discharged_on__isnull=True, triaged_on__isnull=True) & ~begun,
        "closed": Q(discharged_on__gte=recent),
        "ended": Q(discharged_on__lt=recent),
    }
    wanted = Q()
    for state in states:
        wanted |= of.get(state, Q())
    found = Q(Exists(Episode.objects.filter(wanted, pk=OuterRef("latest")))) if wanted else Q()
    return found | Q(latest__isnull=True) if "none" in states else found


_FIELDS = {
    "record": F("client__record_number"),
    "client_id": F("client_id_text"),
    "agency": F("service__agency_code"),
    "forename": F("client__clientidentity__forename"),
    "surname": F("client__clientidentity__surname"),
    "nhs": F("client__clientidentity__nhs_number"),
    "born": F("client__clientidentity__date_of_birth"),
    "sex": F("client__clientidentity__sex"),
    "line_1": F("client__clientcontact__address_line_1"),
    "line_2": F("client__clientcontact__address_line_2"),
    "town": F("client__clientcontact__town"),
    "postcode": F("client__clientcontact__postcode"),
    "phone": F("client__clientcontact__phone"),
    "email": F("client__clientcontact__email"),
    "ethnicity": F("client__clientequality__ethnicity"),
    "nationality": F("client__clientequality__nationality"),
    "religion": F("client__clientequality__religion"),
    "orientation": F("client__clientequality__sexual_orientation"),
    "disability_1": F("client__clientdisability__disability_1"),
    "disability_2": F("client__clientdisability__disability_2"),
    "disability_3": F("client__clientdisability__disability_3"),
}
_EPISODE = {
    "episode": "episode_id",
    "referred": "referred_on",
    "triaged": "triaged_on",
    "closed": "discharged_on",
    "ending": "discharge_reason",
    "problem": "drug_1",
    "consent": "consent",
}
# What a column reads beside a field of its own name.
_READS = {
    "service": ("agency",),
    "nhs_number": ("nhs",),
    "age": ("born",),
    "address": ("line_1", "line_2", "town", "postcode"),
    "district": ("postcode",),
}


def lines_of(asked: Narrowed, columns: Sequence[Column], *, limit: int = MOST_LINES) -> Lines:
    """The lines, by client ID: at most `limit`. Reads only what the columns need. Four queries at most, however many lines."""
    today = clock.today()
    rows = _rows(asked, today)
    numbers_alone = not any(column.category for column in columns)
    keys = {name for column in columns for name in (column.key, *_READS.get(column.key, ()))}
    wanted = {f"of_{name}": source for name, source in _FIELDS.items() if name in keys}
    order = ("client__record_number", "pk") if numbers_alone else ("client_id_text", "pk")
    found = list(
        rows.order_by(*order).values("client_id", "service__name", "latest", "keyworker", **wanted)[:limit]
    )
    episodes = _episodes(found) if keys & {*_EPISODE} else {}
    people = _names(found) if "keyworker" in keys else {}
    cells, clients, seen = [], [], set()
    for row in found:
        if row["client_id"] not in seen:
            seen.add(row["client_id"])
            clients.append(row["client_id"])
        elif numbers_alone:
            continue
        values = {name: row.get(f"of_{name}") for name in _FIELDS}
        values |= {"service": row["service__name"], "keyworker": people.get(row["keyworker"], "")}
        values |= episodes.get(row["latest"]) or dict.fromkeys(_EPISODE, "")
        cells.append([column.value(values, today) for column in columns])
    return Lines(list(columns), cells, len(clients), clients)


def _episodes(found: list[dict[str, Any]]) -> dict[UUID, dict[str, Any]]:
    rows = Episode.objects.filter(pk__in=[row["latest"] for row in found if row["latest"]])
    return {
        row["pk"]: {name: row[field] for name, field in _EPISODE.items()}
        for row in rows.values("pk", *_EPISODE.values())
    }


def _names(found: list[dict[str, Any]]) -> dict[UUID, str]:
    ids = {row["keyworker"] for row in found if row["keyworker"]}
    return dict(User.objects.filter(pk__in=ids).values_list("pk", "full_name"))


def count_of(asked: Narrowed) -> tuple[int, int]:
    """How many registrations, and of how many clients. Two queries."""
    rows = _rows(asked, clock.today())
    return rows.count(), rows.order_by().values("client_id").distinct().count()


# ---- what was asked for ------------------------------------------------------------------------------------------


def exports() -> list[ListExport]:
    """The newest 200: one's own; of the governance officer, everybody's of the organisation acted for. Raises Denied."""
    access.require(export_columns.ACT)
    return list(
        _mine().select_related("user").prefetch_related("downloads").order_by("-asked_at")[:LATEST_EXPORTS]
    )


def get_export(pk: UUID, *, own: bool = False, lock: bool = False) -> ListExport:
    """One of them; `own`: only one that the person acting asked for themselves. Raises Denied."""
    access.require(export_columns.ACT)
    rows = _mine() if not own else ListExport.objects.filter(user_id=current_scope().person_id)
    found: ListExport | None = (rows.select_for_update(of=("self",)) if lock else rows).filter(pk=pk).first()
    if found is None:
        raise Denied(export_columns.ACT, "not found", subject=str(pk))
    return found


def _mine() -> QuerySet[Any, Any]:
    rows = ListExport.objects.all()
    return (
        rows if "A" in access.letters(export_columns.ACT) else rows.filter(user_id=current_scope().person_id)
    )


def downloads_of(export: ListExport) -> list[ListExportDownload]:
    """Each time the file was taken, the latest first."""
    return list(ListExportDownload.objects.filter(export_id=export.pk).order_by("-at"))
