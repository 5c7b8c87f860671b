"""Register a client, change what is known of one, void one that was entered in error."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID, uuid5

from django.db import IntegrityError, connection, models, transaction

from caseload.dataset.reader import load_dictionary
from caseload.hidden import for_everybody
from caseload.models import (
    Client,
    ClientContact,
    ClientDisability,
    ClientEquality,
    ClientIdentity,
    ClientItems,
    ClientMerge,
    Episode,
    Person,
    Registration,
)
from caseload.record import place_of
from caseload.recorded import Recorded, changes
from caseload.services import linked_records, search_index
from edatrs.core import clock, trail
from edatrs.core.access import Denied
from edatrs.core.scope import current_organisation, current_scope
from edatrs.organisations.models import Service, ServiceLetter, User

CHANGED = "caseload.client.changed"
COLUMNS: Mapping[str, tuple[type[models.Model], tuple[str, ...]]] = {
    "identity": (
        ClientIdentity,
        ("title", "forename", "surname", "date_of_birth", "sex", "nhs_number"),
    ),
    "contact": (ClientContact, ("address_line_1", "address_line_2", "town", "postcode", "phone", "email")),
    "equality": (ClientEquality, ("ethnicity", "nationality", "religion", "sexual_orientation")),
    "disability": (ClientDisability, ("disability_1", "disability_2", "disability_3")),
}
CATEGORIES = (*COLUMNS, "circumstances")
_FOUND_BY = {"identity", "contact"}


class Refused(ValueError):
    """It cannot be done; the message says why and what to do."""


class ClientIdTaken(Refused):
    """The CLIENTID is used at the agency already; it is never used again, not even of a client entered in error."""


Part = Recorded


def item_names(category: str) -> tuple[str, ...]:
    """The data-set items of a client that live in the JSON of a category, by CSV header."""
    return tuple(
        item.name
        for item in load_dictionary().items
        if item.entity == "client" and item.category == category and place_of(item).model is ClientItems
    )


def names_of(category: str) -> tuple[str, ...]:
    """The fields of a category."""
    return COLUMNS[category][1] if category in COLUMNS else item_names(category)


def values_in(category: str, row: Any) -> dict[str, Any]:
    """The fields of a row, or of one of its earlier versions; nothing recorded is an empty text, or None for a date."""
    if category in COLUMNS:
        model = COLUMNS[category][0]
        return {
            name: getattr(row, name)
            if row
            else (None if isinstance(model._meta.get_field(name), models.DateField) else "")
            for name in names_of(category)
        }
    items = row.items if row else {}
    return {name: items.get(name, "") for name in names_of(category)}


def _rows(client: Client, category: str) -> Any:
    if category in COLUMNS:
        manager: Any = COLUMNS[category][0].objects  # type: ignore[attr-defined]  # tenant models all
        return manager.filter(client_id=client.pk)
    return ClientItems.objects.filter(client_id=client.pk, category=category)


def read_part(client: Client, category: str, *, lock: bool = False) -> Part:
    """What is recorded of a client in a category."""
    rows = _rows(client, category)
    row = (rows.select_for_update() if lock else rows).first()
    version, act = (row.version, row.act) if row else (0, None)
    return Part(category, values_in(category, row), version, act, row, partial(values_in, category))


def letter_of(service_ids: list[UUID], day: dt.date) -> str:
    """The data set letter whose code lists a form shows: the latest in force on the day at any of the services. One query."""
    dictionary = load_dictionary()
    latest: dict[UUID, str] = {}
    rows = ServiceLetter.objects.filter(service_id__in=service_ids, in_force_from__lte=day)
    for service_id, letter in rows.order_by("in_force_from").values_list("service_id", "letter"):
        latest[service_id] = letter
    letters = [latest.get(pk, dictionary.default_letter) for pk in service_ids]
    return max(letters or [dictionary.default_letter], key=dictionary.letter_position)


def next_client_id(service: Service) -> str:
    """The next number that was never a CLIENTID of the agency, as wide as the highest one is written; 1 for the first.

    Clients entered in error count too: a CLIENTID is never used again (O-141).
    """
    # Of records too that the person may not find: a number offered again and again would tell of one.
    with for_everybody(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT clientid FROM caseload_registration WHERE organisation_id = %s AND service_id = %s "
            "AND clientid ~ '^[0-9]{1,15}$' ORDER BY clientid::bigint DESC, length(clientid) DESC LIMIT 1",
            [current_organisation(), service.pk],
        )
        row = cursor.fetchone()
    return str(int(row[0]) + 1).zfill(len(row[0])) if row else "1"


def client_of_form(form_id: UUID) -> UUID:
    """The id of the client that a form registers, so that sending it twice cannot register two. It cannot be aimed at another's row."""
    return uuid5(current_organisation(), str(form_id))


def register_client(
    *,
    form_id: UUID,
    service: Service,
    client_id_text: str,
    values: Mapping[str, Mapping[str, Any]],
    overruled: int,
    acting_user: User,
) -> tuple[Client, bool]:
    """Make a person, a client, what is known by category, and the registration. Returns the client and whether it is new.

    `overruled` counts the candidates that were looked at and are somebody else. Raises ClientIdTaken, Denied for a service of another
    organisation.
    """
    if service.organisation_id != current_organisation():
        raise Denied("client.register", "the service is another organisation's", subject=str(service.pk))
    pk = client_of_form(form_id)
    there = Client.objects.filter(pk=pk).first()
    if there is not None:
        return there, False
    scope = current_scope()
    try:
        with transaction.atomic():
            client = Client(pk=pk, person=Person.objects.create(), act=scope.act)
            client.save(force_insert=True)
            Registration(client=client, service=service, client_id_text=client_id_text, act=scope.act).save(
                force_insert=True
            )
            for category, (model, _) in COLUMNS.items():
                model(client=client, act=scope.act, **values.get(category, {})).save(force_insert=True)
    except IntegrityError as error:
        if "clientid_once_an_agency" in str(error):
            raise ClientIdTaken(
                f"{client_id_text} is or was a client ID at {service.agency_code}, and is never used again. "
                f"Use another; the next free number is {next_client_id(service)}"
            ) from None
        there = Client.objects.filter(pk=pk).first()
        if there is None:
            raise
        return there, False
    client.refresh_from_db()
    search_index.refresh([client.pk])
    what = ["registered", *(["known_as_somebody_else"] if overruled else [])]
    trail.record(CHANGED, subject=str(client.pk), details={"what": what, "via": "form"})
    return client, True


def change_part(
    *, client: Client, category: str, values: Mapping[str, Any], version: int, acting_user: User
) -> list[str]:
    """Save a category of a client, from a form that was opened at `version`. Returns the names of what changed.

    Locks the client. What a link shares is written to the linked records too. Raises Stale when what is recorded is newer and says
    something else than the form.
    """
    linked_records.hold(client.pk)
    Client.objects.select_for_update(of=("self",)).get(pk=client.pk)
    now = read_part(client, category, lock=True)
    changed = list(changes(now, {n: values[n] for n in names_of(category) if n in values}, version))
    if not changed:
        return []
    row = now.row
    if row is None:
        model: Any = COLUMNS[category][0] if category in COLUMNS else ClientItems
        row = model(client=client, act=current_scope().act)
        if category not in COLUMNS:
            row.category = category  # type: ignore[attr-defined]  # ClientItems
    if category in COLUMNS:
        for name in changed:
            setattr(row, name, values[name])
    else:
        merged = {**row.items, **{name: values[name] for name in changed}}  # type: ignore[attr-defined]  # as above
        row.items = {name: value for name, value in merged.items() if value not in ("", None)}  # type: ignore[attr-defined]
    if now.row is None:
        row.save(force_insert=True)
    else:
        row.save(update_fields=changed if category in COLUMNS else ["items"])
    if category in _FOUND_BY:
        search_index.refresh([client.pk])
    trail.record(
        CHANGED,
        subject=str(client.pk),
        details={"category": category, "what": changed, "version": now.version + 1, "via": "form"},
    )
    linked_records.copy(client_id=client.pk, category=category, fields=changed)
    return changed


def void_client(*, client: Client, reason: str, acting_user: User) -> None:
    """Entered in error: out of lists, search and extracts, with its episodes; kept, and can be brought back. Raises Refused."""
    reason = _reason(reason)
    locked = Client.objects.select_for_update(of=("self",)).get(pk=client.pk)
    if locked.voided_at is not None:
        raise Refused("This record is out of use already. Open it from the list of records entered in error")
    at = clock.now()
    Client.objects.filter(pk=client.pk).update(voided_at=at, voided_reason=reason)
    episodes = Episode.objects.filter(client_id=client.pk, voided_at__isnull=True)
    episodes.update(voided_at=at, voided_reason=f"With the client: {reason}")
    search_index.refresh([client.pk])
    trail.record(CHANGED, subject=str(client.pk), details={"what": ["voided"]})


def restore_client(*, client: Client, acting_user: User) -> None:
    """Bring back a client that was voided, with the episodes that were voided with it. Raises Refused."""
    locked = Client.objects.select_for_update(of=("self",)).get(pk=client.pk)
    if locked.voided_at is None:
        raise Refused("This record is in use already")
    if ClientMerge.objects.filter(client_id=client.pk, undone_at__isnull=True).exists():
        raise Refused("This record was merged into another. Undo the merge from the other record")
    episodes = Episode.objects.filter(client_id=client.pk, voided_at=locked.voided_at)
    episodes.filter(voided_reason__startswith="With the client: ").update(voided_at=None, voided_reason="")
    Client.objects.filter(pk=client.pk).update(voided_at=None, voided_reason="")
    search_index.refresh([client.pk])
    trail.record(CHANGED, subject=str(client.pk), details={"what": ["restored"]})


def voided_clients() -> Any:
    """The clients entered in error, the latest first; a merged one is not among them."""
    merged = ClientMerge.objects.filter(undone_at__isnull=True).values("client_id")
    return (
        Client.objects.filter(voided_at__isnull=False)
        .exclude(pk__in=merged)
        .select_related("clientidentity")
        .order_by("-voided_at", "pk")
    )


def get_voided(pk: UUID) -> Client:
    """One client entered in error. Raises Denied."""
    found: Client | None = voided_clients().filter(pk=pk).first()
    if found is None:
        raise Denied("client.void", "not found", subject=str(pk))
    return found


def _reason(reason: str) -> str:
    if not reason.strip():
        raise Refused("Enter a reason: it is kept with the record")
    return reason.strip()


def with_client_id(text: str) -> Any:
    """The clients, by id, that have this CLIENTID at one agency or another."""
    return Registration.objects.filter(client_id_text=text).values("client_id")
