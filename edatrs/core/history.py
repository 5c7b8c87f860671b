"""Row history: every version that a change replaced is kept by a statement trigger, whoever changed it and however.

A row carries the id of the act that wrote it (`act`, the same as on the trail) and a version; the history holds the rows as they were
before each change. Nobody but the destroyer, in an approved run, may touch it again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pghistory
import pgtrigger
from django.db import models
from pghistory.models import Event

from edatrs.core.managers import TenantManager

ACT = "nullif(current_setting('app.act', true), '')::uuid"


class History(Event):
    """Base of the history models: read through the same fail-closed manager as the rows themselves."""

    objects: ClassVar[TenantManager] = TenantManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"
        default_manager_name = "objects"


def stamp() -> pgtrigger.Trigger:
    """The trigger that counts a row's version and names the act whenever something in it changed."""
    return pgtrigger.Trigger(
        name="stamp",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        level=pgtrigger.Row,
        condition=pgtrigger.AnyChange(),
        func=f"NEW.version = OLD.version + 1; NEW.act = {ACT}; RETURN NEW;",
    )


def frozen(*fields: str) -> pgtrigger.Trigger:
    """The trigger that refuses to change identifiers which the national match hangs on (O-141): they never change and are never re-used."""
    return pgtrigger.ReadOnly(name="frozen", fields=list(fields))


def tracked() -> Callable[[type[models.Model]], type[models.Model]]:
    """Class decorator: keep the replaced and deleted versions of a model's rows in `<Model>History`."""
    fixed: dict[str, Any] = {
        "obj_field": pghistory.ObjForeignKey(
            db_constraint=False, on_delete=models.DO_NOTHING, related_name="history"
        ),
        "context_field": None,
        "base_model": History,
        "append_only": False,
        "meta": {
            "triggers": [
                pgtrigger.Protect(
                    name="append_only",
                    operation=pgtrigger.Update | pgtrigger.Delete,
                    condition=pgtrigger.Condition("current_user <> 'destroyer'"),
                )
            ]
        },
    }
    return pghistory.track(
        pghistory.UpdateEvent("changed", row=pghistory.Old, level=pgtrigger.Statement),
        pghistory.DeleteEvent("deleted", row=pghistory.Old, level=pgtrigger.Statement),
        **fixed,
    )
