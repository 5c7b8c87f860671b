"""Merge two records of one organisation that are the same person, and take a merge apart again (O-141).

Everything that hangs from the merged client moves to the survivor, whatever app it is of: registrations with their CLIENTIDs, episodes and
all below. What is known by category is chosen field by field; the merged record keeps its own rows, and is out of use. Where it was linked
with partners' records, the survivor is from now on (`_inherits`). A withdrawal of NDTMS consent is inherited: see `inherited`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.db.models import QuerySet

from caseload.linked import LinkProblem
from caseload.models import (
    Client,
    ClientItems,
    ClientMerge,
    ConflictOfInterest,
    Episode,
    Opening,
    Registration,
    SearchToken,
    SensitiveRecord,
)
from caseload.models.clients import ClientPart
from caseload.selectors import get_client
from caseload.services import linked_records, search_index
from caseload.services.clients import CATEGORIES, CHANGED, COLUMNS, Part, Refused, read_part
from edatrs.core import clock, registry, trail
from edatrs.core.access import Denied
from edatrs.core.history import History
from edatrs.core.managers import TenantModel
from edatrs.core.scope import current_scope
from edatrs.organisations.models import User

KEEP, TAKE = "keep", "take"
# In what moved: the two records changed persons, because the one that went was linked.
PERSONS = "caseload.person"
_STAYS = (ClientPart, SearchToken, Opening, ClientItems)


class Changed(Refused):
    """One of the records is not as it was when the merge was looked at."""


@dataclass(frozen=True)
class Difference:
    """A field that says something else in each record. `usual` is what happens unless somebody chooses: only where one side is empty."""

    category: str
    name: str
    kept: Any
    merged: Any
    usual: str


@dataclass
class Plan:
    """What merging would do; `stamp` changes whenever one of the records does."""

    survivor: Client
    merged: Client
    differences: list[Difference]
    registrations: list[Registration]
    episodes: list[Episode]
    others: int
    withdrawn: list[Episode]
    stamp: str = ""
    parts: dict[str, tuple[Part, Part]] = field(default_factory=dict)


def followers() -> list[type[TenantModel]]:
    """Every model whose rows follow their client into a merge; those that go with their episode first, counted before it moves."""
    return [
        model
        for model in sorted(apps.get_models(), key=lambda m: not getattr(m, "moves_with_episode", False))
        if issubclass(model, TenantModel)
        and not issubclass(model, (*_STAYS, History))
        and not getattr(model, "stays_at_merge", False)
        and any(f.name == "client" for f in model._meta.concrete_fields)
    ]


def _rows(model: Any) -> Any:
    return model.objects


def label_of(model: type[models.Model]) -> str:
    """How a model is named in what a merge keeps."""
    return model._meta.label_lower


def plan(*, survivor: Client, merged: Client) -> Plan:
    """What merging `merged` into `survivor` would do. Raises Refused."""
    if survivor.pk == merged.pk:
        raise Refused("This is the same record. Choose another")
    parts = {
        category: (read_part(survivor, category), read_part(merged, category)) for category in CATEGORIES
    }
    registrations = list(
        Registration.objects.filter(client=merged).select_related("service").order_by("client_id_text", "pk")
    )
    episodes = list(
        Episode.objects.filter(client=merged).select_related("service").order_by("-referred_on", "episode_id")
    )
    counts = {label_of(model): _rows(model).filter(client_id=merged.pk).count() for model in followers()}
    others = sum(n for label, n in counts.items() if label not in {label_of(Registration), label_of(Episode)})
    made = Plan(
        survivor=survivor,
        merged=merged,
        differences=list(_differences(parts)),
        registrations=registrations,
        episodes=episodes,
        others=others,
        withdrawn=inherited(survivor, merged),
        parts=parts,
    )
    versions = [f"{a.version}.{b.version}" for a, b in parts.values()]
    made.stamp = "-".join(
        [
            str(survivor.version),
            str(merged.version),
            *versions,
            *(str(n) for n in counts.values()),
            str(len(made.withdrawn)),
        ]
    )
    return made


def _differences(parts: Mapping[str, tuple[Part, Part]]) -> Iterator[Difference]:
    for category, (kept, merged) in parts.items():
        for name, value in kept.values.items():
            other = merged.values[name]
            if other in ("", None) or other == value:
                continue
            yield Difference(category, name, value, other, TAKE if value in ("", None) else "")


def inherited(survivor: Client, merged: Client) -> list[Episode]:
    """The episodes whose yes to NDTMS a no in the other record overrules: the yes is not later than that no, or one of them has no date.

    The person who said no in one record is the person who said yes in the other, so the no that came after stands for both (O-141, the
    safe side). A yes given later than the no is a change of mind and stays.
    """
    found = []
    by_client: dict[UUID, list[Episode]] = {survivor.pk: [], merged.pk: []}
    for episode in Episode.objects.filter(client_id__in=by_client, voided_at__isnull=True).exclude(
        consent=""
    ):
        by_client[episode.client_id].append(episode)
    for one, other in ((survivor.pk, merged.pk), (merged.pk, survivor.pk)):
        refusals = [e for e in by_client[other] if e.consent == "N"]
        for episode in by_client[one]:
            if episode.consent == "Y" and any(_overrules(no, episode) for no in refusals):
                found.append(episode)
    return sorted(found, key=lambda e: str(e.pk))


def _overrules(no: Episode, yes: Episode) -> bool:
    return no.consent_on is None or yes.consent_on is None or no.consent_on >= yes.consent_on


def merge_clients(
    *,
    survivor: Client,
    merged: Client,
    choices: Mapping[str, str],
    reason: str,
    stamp: str,
    acting_user: User,
) -> ClientMerge:
    """Merge. `choices` says for each difference, by "category.name", which value is kept. Raises Changed, Refused."""
    if not reason.strip():
        raise Refused("Enter a reason: it is kept with the merge")
    linked_records.hold(survivor.pk, merged.pk)
    locked = {
        c.pk: c
        for c in Client.objects.select_for_update(of=("self",))
        .filter(pk__in=[survivor.pk, merged.pk], voided_at__isnull=True)
        .order_by("pk")
    }
    if len(locked) != 2:
        raise Changed("One of the two records is out of use by now")
    made = plan(survivor=locked[survivor.pk], merged=locked[merged.pk])
    if made.stamp != stamp:
        raise Changed(
            "One of the records was changed while you looked. Check what is shown now and merge again"
        )
    taken = _taken(made, choices)
    _protect(made)
    scope = current_scope()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    inherits = _inherits(made)
    moved = move(made.merged.pk, made.survivor.pk) | inherits
    written = [*_take(made, taken, moved), *_withdraw(made)]
    at = clock.now()
    Client.objects.filter(pk=made.merged.pk).update(
        voided_at=at, voided_reason=f"Merged into {made.survivor}"
    )
    merge = ClientMerge.objects.create(
        client=made.merged,
        survivor=made.survivor,
        reason=reason.strip(),
        moved=moved,
        written=written,
        merged_at=at,
        merged_by=acting_user.pk,
        merged_by_label=acting_user.full_name,
        act=scope.act,
    )
    finish(merge, ["merged"])
    for category, values in taken.items():
        linked_records.copy(client_id=made.survivor.pk, category=category, fields=values)
    return merge


def _inherits(made: Plan) -> dict[str, list[str]]:
    """The survivor stands in the links of the record that goes; noted with what moved. Raises Refused where both are linked."""
    try:
        swapped = linked_records.inherit(survivor=made.survivor, merged=made.merged)
    except LinkProblem as problem:
        raise Refused(str(problem)) from None
    return {PERSONS: [str(made.merged.pk)]} if swapped else {}


def _protect(made: Plan) -> None:
    """What keeps people away from one of the records keeps them away from the survivor. Raises Refused where one of them is sensitive."""
    sensitive = set(
        SensitiveRecord.objects.filter(
            client_id__in=[made.survivor.pk, made.merged.pk], lifted_at__isnull=True
        ).values_list("client_id", flat=True)
    )
    if len(sensitive) == 1:
        raise Refused(
            "One of the two records is sensitive and the other is not. Mark the other with the same team first, or lift the mark"
        )
    for conflict in ConflictOfInterest.objects.filter(client_id=made.merged.pk, ended_at__isnull=True):
        ConflictOfInterest.objects.get_or_create(
            client=made.survivor,
            user_id=conflict.user_id,
            defaults={
                "reason": conflict.reason,
                "declared_by_id": conflict.declared_by_id,
                "act": current_scope().act,
            },
        )


def _taken(made: Plan, choices: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The values to take over, by category. Raises Refused where nobody chose."""
    taken: dict[str, dict[str, Any]] = {}
    for difference in made.differences:
        choice = choices.get(f"{difference.category}.{difference.name}") or difference.usual
        if choice not in {KEEP, TAKE}:
            raise Refused("Choose for each field which of the two is kept")
        if choice == TAKE:
            taken.setdefault(difference.category, {})[difference.name] = difference.merged
    return taken


def move(source: UUID, target: UUID, only: Mapping[str, list[Any]] | None = None) -> dict[str, list[str]]:
    """Move what follows from one client to the other: everything, or the rows named. Returns what was moved. Raises Refused."""
    moved: dict[str, list[str]] = {}
    try:
        with transaction.atomic():
            for model in followers():
                rows = _rows(model).filter(client_id=source)
                if only is not None:
                    rows = rows.filter(pk__in=only.get(label_of(model), []))
                ids = list(rows.order_by("pk").values_list("pk", flat=True))
                if ids:
                    if not getattr(model, "moves_with_episode", False):
                        _rows(model).filter(pk__in=ids).update(client_id=target)
                    moved[label_of(model)] = [str(pk) for pk in ids]
    except IntegrityError:
        raise Refused(
            "Both records hold something of which a client has only one. End it in one of them first"
        ) from None
    return moved


def _take(
    made: Plan, taken: Mapping[str, Mapping[str, Any]], moved: dict[str, list[str]]
) -> list[dict[str, Any]]:
    """Write the chosen values into the survivor's rows; a row that the survivor does not have comes over as a whole."""
    written = []
    for category, values in taken.items():
        kept, merged = made.parts[category]
        if category in COLUMNS:
            if kept.row is None:
                model: Any = COLUMNS[category][0]
                kept_row = model.objects.create(client=made.survivor, act=current_scope().act)
                row: Any = kept_row
            else:
                row = kept.row
            written.append(write(row, values))
        elif kept.row is None:
            _rows(ClientItems).filter(pk=merged.row.pk).update(client_id=made.survivor.pk)  # type: ignore[union-attr]  # it has values
            moved[label_of(ClientItems)] = [*moved.get(label_of(ClientItems), []), str(merged.row.pk)]  # type: ignore[union-attr]
        else:
            items = {**kept.row.items, **values}  # type: ignore[attr-defined]  # ClientItems
            written.append(write(kept.row, {"items": items}))
    return written


def write(row: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Write fields of a row; what is kept of it are the versions before and after."""
    before = row.version
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))
    row.refresh_from_db(fields=["version"])
    return {
        "model": label_of(type(row)),
        "pk": str(row.pk),
        "fields": sorted(values),
        "before": before,
        "after": row.version,
    }


def _withdraw(made: Plan) -> list[dict[str, Any]]:
    """Let the no stand on the episodes that inherit it, with the day of the latest no."""
    days = [
        e.consent_on
        for e in Episode.objects.filter(
            client_id=made.survivor.pk, consent="N", voided_at__isnull=True, consent_on__isnull=False
        )
    ]
    latest = max(days) if days else None
    return [
        write(Episode.objects.get(pk=episode.pk), {"consent": "N", "consent_on": latest})
        for episode in made.withdrawn
    ]


def finish(merge: ClientMerge, what: list[str]) -> None:
    """Check the keys now, not at the end of the transaction; refresh what both are found by; say it on the trail of both."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    both = (merge.survivor_id, merge.client_id)
    search_index.refresh(both)
    registry.clients_merged(list(both))
    for one, other in (both, both[::-1]):
        trail.record(
            CHANGED, subject=str(one), details={"what": what, "row": str(other), "via": str(merge.pk)}
        )


def merges_into(client: Client) -> QuerySet[Any]:
    """The merges into a client that stand, the latest first."""
    rows = ClientMerge.objects.filter(survivor=client, undone_at__isnull=True)
    return rows.select_related("client").order_by("-merged_at", "pk")


def get_merge(client: Client, pk: UUID) -> ClientMerge:
    """A merge into this client that stands. Raises Denied."""
    found: ClientMerge | None = merges_into(client).filter(pk=pk).first()
    if found is None:
        raise Denied("client.merge", "not found", subject=str(pk))
    return found


def survivor_of(pk: UUID, act: str) -> Client | None:
    """The client that a merged one lives on in, for those who may see that; chains are followed."""
    seen: set[UUID] = set()
    while pk not in seen:
        seen.add(pk)
        found = ClientMerge.objects.filter(client_id=pk, undone_at__isnull=True).first()
        if found is None:
            break
        pk = found.survivor_id
    else:
        return None
    return get_client(pk, act) if len(seen) > 1 else None
