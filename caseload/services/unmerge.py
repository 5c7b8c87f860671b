"""Take a merge apart again: what moved goes back, with what was added to it since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.db import connection

from audit.models import AuditEvent
from caseload.linked import LinkProblem
from caseload.models import Client, ClientItems, ClientMerge, Episode, LinkSide, Registration
from caseload.services import linked_records
from caseload.services.clients import COLUMNS, Refused
from caseload.services.merge import PERSONS, finish, followers, label_of, merges_into, move, write
from edatrs.core import clock
from edatrs.organisations.models import User


def undo_rows(merge: ClientMerge) -> dict[str, list[Any]]:
    """What goes back at an undo: what moved, and what was added since to a registration or an episode that moved."""
    back: dict[str, list[Any]] = {label: list(ids) for label, ids in merge.moved.items()}
    parents = {"registration": label_of(Registration), "episode": label_of(Episode)}
    for name, parent in parents.items():
        for model in followers():
            if back.get(parent) and any(f.name == name for f in model._meta.concrete_fields):
                since = model.objects.filter(client_id=merge.survivor_id, **{f"{name}_id__in": back[parent]})
                held = set(map(str, back.get(label_of(model), [])))
                added = [str(pk) for pk in since.values_list("pk", flat=True) if str(pk) not in held]
                if added:
                    back[label_of(model)] = [*back.get(label_of(model), []), *added]
    return back


def undo_merge(*, merge: ClientMerge, reason: str, acting_user: User) -> ClientMerge:
    """Take a merge apart: what moved goes back with what was added to it since, fields go back unless somebody changed them since.

    Raises Refused.
    """
    if not reason.strip():
        raise Refused("Enter a reason: it is kept with the merge")
    linked_records.hold(merge.survivor_id, merge.client_id)
    list(
        Client.objects.select_for_update(of=("self",))
        .filter(pk__in=[merge.survivor_id, merge.client_id])
        .order_by("pk")
    )
    locked = ClientMerge.objects.select_for_update(of=("self",)).select_related("survivor").get(pk=merge.pk)
    if locked.undone_at is not None:
        raise Refused("This merge was undone already")
    if locked.survivor.voided_at is not None:
        raise Refused("The record it was merged into is out of use by now. Bring that one back first")
    later = merges_into(locked.survivor).filter(merged_at__gt=locked.merged_at).first()
    if later is not None:
        raise Refused(f"{later.client} was merged into this record afterwards. Undo that merge first")
    _give_link_back(locked)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    back = undo_rows(locked)
    for entry in locked.written:
        if entry["model"] != label_of(Episode) or not _answered_since(locked, entry["pk"]):
            _put_back(entry)
    items = back.pop(label_of(ClientItems), [])
    ClientItems.objects.filter(pk__in=items, client_id=locked.survivor_id).update(client_id=locked.client_id)
    move(locked.survivor_id, locked.client_id, only=back)
    Client.objects.filter(pk=locked.client_id).update(voided_at=None, voided_reason="")
    ClientMerge.objects.filter(pk=locked.pk).update(
        undone_at=clock.now(),
        undone_by=acting_user.pk,
        undone_by_label=acting_user.full_name,
        undone_reason=reason.strip(),
    )
    finish(locked, ["unmerged"])
    for category, (model, _) in COLUMNS.items():
        fields = [n for e in locked.written if e["model"] == label_of(model) for n in e["fields"]]
        linked_records.copy(client_id=locked.survivor_id, category=category, fields=fields)
    return locked


def _give_link_back(merge: ClientMerge) -> None:
    """The links that the survivor inherited are the other record's again. Raises Refused where it was linked further since."""
    moved = merge.moved.get(label_of(LinkSide), [])
    held = LinkSide.objects.filter(client_id=merge.survivor_id, asked_at__gt=merge.merged_at)
    if PERSONS not in merge.moved:
        return
    if held.exclude(pk__in=moved).filter(linked_at__isnull=False).exists():
        raise Refused("This record was linked with a partner since the merge. Unlink it first")
    survivor, client = merge.survivor, Client.objects.get(pk=merge.client_id)
    try:
        linked_records.inherit(survivor=client, merged=survivor)
    except LinkProblem as problem:
        raise Refused(str(problem)) from None


def _answered_since(merge: ClientMerge, episode: str) -> bool:
    """Whether the client was asked about the episode after the merge: then the newer answer stands."""
    return bool(
        AuditEvent.objects.filter(
            name="consent.ndtms.recorded",
            subject=str(merge.survivor_id),
            at__gte=merge.merged_at,
            details__episode=episode,
        ).exists()
    )


def changed_since(merge: ClientMerge) -> list[str]:
    """The labels of the fields that the merge wrote and that somebody changed since: an undo leaves them."""
    found = []
    for entry in merge.written:
        model: Any = apps.get_model(entry["model"])
        row = model.objects.get(pk=entry["pk"])
        if row.version != entry["after"]:
            after = row.history.get(version=entry["after"])
            found += [n for n in entry["fields"] if getattr(after, n) != getattr(row, n)]
    return [name.replace("_", " ") for name in found]


def _put_back(entry: Mapping[str, Any]) -> None:
    """Give the fields that a merge wrote their earlier values, from the row history; a field that was changed since stays."""
    model: Any = apps.get_model(entry["model"])
    row = model.objects.select_for_update(of=("self",)).get(pk=entry["pk"])
    before = row.history.get(version=entry["before"])
    after = row if row.version == entry["after"] else row.history.get(version=entry["after"])
    values: dict[str, Any] = {}
    for name in entry["fields"]:
        then, wrote, now = getattr(before, name), getattr(after, name), getattr(row, name)
        if isinstance(now, dict):
            values[name] = _items_back(now, then, wrote)
        elif now == wrote:
            values[name] = then
    if values:
        write(row, values)


def _items_back(now: dict[str, Any], then: dict[str, Any], wrote: dict[str, Any]) -> dict[str, Any]:
    """The same, key by key."""
    keys = {k for k in wrote if wrote.get(k) != then.get(k) and now.get(k) == wrote.get(k)}
    return {k: then.get(k) if k in keys else v for k, v in now.items() if k not in keys or k in then}
