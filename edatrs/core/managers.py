"""The fail-closed manager: no scope, no query (style rule 1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import models

from edatrs.core.scope import ScopeViolation, current_organisation, scope_or_none

M = TypeVar("M", bound=models.Model)


class TenantQuerySet(models.QuerySet[M]):
    """A queryset of rows that belong to an organisation; it writes only for the organisation acted for."""

    def _own(self, objs: Iterable[M]) -> list[M]:
        organisation = current_organisation()
        rows = list(objs)
        for row in rows:
            if getattr(row, "organisation_id", None) != organisation:
                raise ScopeViolation(
                    f"{type(row).__name__} of another organisation cannot be written in this scope"
                )
        return rows

    def bulk_create(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> list[M]:
        """As Django's, for the organisation acted for only. Raises ScopeViolation."""
        return super().bulk_create(self._own(objs), *args, **kwargs)

    def bulk_update(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> int:
        """As Django's, for the organisation acted for only. Raises ScopeViolation."""
        return super().bulk_update(self._own(objs), *args, **kwargs)

    def update(self, **kwargs: Any) -> int:
        """As Django's; a row never changes its organisation. Raises ScopeViolation."""
        if {"organisation", "organisation_id"} & set(kwargs):
            raise ScopeViolation("a row cannot be moved to another organisation")
        return super().update(**kwargs)

    update.alters_data = True  # type: ignore[attr-defined]  # as Django marks its own, so that templates cannot call it


class TenantManager(models.Manager.from_queryset(TenantQuerySet)):  # type: ignore[misc]  # built by Django at run time
    """Default and base manager of every tenant model: only rows of the organisation acted for, and an error without a scope."""

    use_in_migrations = False

    def get_queryset(self) -> TenantQuerySet[Any]:
        """Rows of the organisation acted for. Raises ScopeMissing."""
        return TenantQuerySet(self.model, using=self._db).filter(organisation_id=current_organisation())

    def none(self) -> TenantQuerySet[Any]:
        """An empty queryset; works without a scope, because forms are declared at import."""
        return TenantQuerySet(self.model, using=self._db).none()

    def using(self, alias: str | None) -> TenantQuerySet[Any]:
        """As Django's; without a scope it is empty (Django calls it while it loads)."""
        scope = scope_or_none()
        if scope is None or scope.organisation_id is None:
            return self.none().using(alias)
        return self.get_queryset().using(alias)


class TenantModel(models.Model):
    """Base of every row that belongs to an organisation."""

    organisation = models.ForeignKey(
        "organisations.Organisation",
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        db_index=False,
    )

    objects = TenantManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"
        default_manager_name = "objects"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """As Django's, for the organisation acted for only. Raises ScopeMissing, ScopeViolation."""
        organisation = current_organisation()
        if self.organisation_id is None:
            self.organisation_id = organisation
        if self.organisation_id != organisation:
            raise ScopeViolation(
                f"{type(self).__name__} of another organisation cannot be written in this scope"
            )
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refused where it is not the scope's own. Raises ScopeMissing, ScopeViolation."""
        if self.organisation_id != current_organisation():
            raise ScopeViolation(
                f"{type(self).__name__} of another organisation cannot be deleted in this scope"
            )
        return super().delete(*args, **kwargs)
