"""The fail-closed manager: no scope, no query (style rule 1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from uuid import UUID

from django.db import models
from django.db.models.constants import OnConflict

from edatrs.core.scope import ScopeViolation, current_organisation, scope_or_none

M = TypeVar("M", bound=models.Model)


class OrganisationAsked(models.Expression):
    """The organisation that a queryset was made for. It is checked whenever SQL is made of it: a queryset that outlives its scope, in a
    stream or in another organisation's scope, raises; row security alone would answer with nothing, and nobody would notice.
    """

    def __init__(self, organisation: UUID) -> None:
        super().__init__(output_field=models.UUIDField())
        self.organisation = organisation

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """The id. Raises ScopeMissing, ScopeViolation."""
        if current_organisation() != self.organisation:
            raise ScopeViolation("these rows were asked for in the scope of another organisation")
        return "%s", [self.organisation]


# What else narrows the rows of a model, filled in at start-up by the apps above: a function of the model, giving a condition or None.
_narrowings: list[Callable[[type[models.Model]], models.Expression | None]] = []


def narrow(narrowing: Callable[[type[models.Model]], models.Expression | None]) -> None:
    """Register what takes more rows away from every manager of an organisation's rows."""
    if narrowing not in _narrowings:
        _narrowings.append(narrowing)


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

    def raw(self, *args: Any, **kwargs: Any) -> Any:
        """Refused: SQL of one's own is not narrowed to the organisation. Raises ScopeMissing, ScopeViolation."""
        current_organisation()
        raise ScopeViolation(
            "raw() and extra() are not narrowed to the organisation: use the ORM or a cursor"
        )

    extra = raw

    # Below `save`, `save_base` and the bulk methods: what Django writes in the end goes through these two.

    def _insert(self, objs: Iterable[M], fields: Any, **kwargs: Any) -> Any:
        on_conflict, unique = kwargs.get("on_conflict"), kwargs.get("unique_fields") or ()
        if on_conflict is OnConflict.UPDATE and not any(f.name == "organisation" for f in unique):
            raise ScopeViolation(
                "this could overwrite a row of another organisation: name the organisation among unique_fields"
            )
        return super()._insert(self._own(objs), fields, **kwargs)  # type: ignore[misc]  # Django's, not in the stubs

    _insert.alters_data = True  # type: ignore[attr-defined]  # as above
    _insert.queryset_only = False  # type: ignore[attr-defined]  # as Django marks it: managers have it too

    def _update(self, values: Any) -> Any:
        organisation = current_organisation()
        if any(field.name == "organisation" and value != organisation for field, _, value in values):
            raise ScopeViolation("a row cannot be moved to another organisation")
        return super()._update(values)  # type: ignore[misc]  # Django's, not in the stubs

    _update.alters_data = True  # type: ignore[attr-defined]  # as above
    _update.queryset_only = False  # type: ignore[attr-defined]  # as above


class TenantManager(models.Manager.from_queryset(TenantQuerySet)):  # type: ignore[misc]  # built by Django at run time
    """Default and base manager of every tenant model: only rows of the organisation acted for, and an error without a scope."""

    use_in_migrations = False

    def get_queryset(self) -> TenantQuerySet[Any]:
        """Rows of the organisation acted for. Raises ScopeMissing."""
        asked = OrganisationAsked(current_organisation())
        found: TenantQuerySet[Any] = TenantQuerySet(self.model, using=self._db).filter(self.rows_of(asked))
        for condition in (narrowing(self.model) for narrowing in _narrowings):
            if condition is not None:
                found = found.filter(condition)
        return found

    def rows_of(self, asked: OrganisationAsked) -> models.Q:
        """Which rows are those of an organisation. A manager of rows that two of them read says so here."""
        return models.Q(organisation_id=asked)

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
        if not type(self)._base_manager.filter(pk=self.pk).exists():
            raise ScopeViolation(f"there is no such {type(self).__name__} of this organisation to delete")
        return super().delete(*args, **kwargs)
