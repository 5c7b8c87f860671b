"""What a migration says to PostgreSQL beside Django: grants, row security, foreign keys that carry the tenant.

A model change and its policy land in the same migration. Every operation can be undone.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement
from django.db.migrations.operations.base import Operation
from django.db.models.constraints import BaseConstraint

OWN_ORGANISATION = "organisation_id = (SELECT nullif(current_setting('app.organisation', true), '')::uuid)"
_PERSON = "(SELECT nullif(current_setting('app.person', true), '')::uuid)"
# A person's own rows; a worker, who is no person, sees all of the organisation's (to take away what is too old).
OWN_OF_PERSON = f"{OWN_ORGANISATION} AND ({_PERSON} IS NULL OR user_id = {_PERSON})"
# Not a client whom the person acting may not find (`caseload` 0009): a conflict of interest, or a sensitive record of another team.
NOT_HIDDEN = "{client} NOT IN (SELECT hidden FROM caseload_hidden() AS hidden)"
OPERATOR_ONLY = "(SELECT current_setting('app.operator', true)) = 'on'"


class _TableOperation(Operation):
    reversible = True
    reduces_to_sql = True

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Nothing: these live in the database alone."""

    def _run(self, schema_editor: BaseDatabaseSchemaEditor, statements: list[str]) -> None:
        for statement in statements:
            schema_editor.execute(statement)


class RowSecurity(_TableOperation):
    """Row security with FORCE on a table, by one policy for all commands.

    `using` is what a row must satisfy to be seen and to be written; the default admits the rows of the organisation acted for.
    """

    def __init__(self, table: str, using: str = OWN_ORGANISATION) -> None:
        self.table = table
        self.using = using

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Switch row security on, with FORCE, and make the policy."""
        self._run(
            schema_editor,
            [
                f'ALTER TABLE "{self.table}" ENABLE ROW LEVEL SECURITY',
                f'ALTER TABLE "{self.table}" FORCE ROW LEVEL SECURITY',
                f'CREATE POLICY own ON "{self.table}" USING ({self.using})',
            ],
        )

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Take the policy away and switch row security off."""
        self._run(
            schema_editor,
            [
                f'DROP POLICY IF EXISTS own ON "{self.table}"',
                f'ALTER TABLE "{self.table}" NO FORCE ROW LEVEL SECURITY',
                f'ALTER TABLE "{self.table}" DISABLE ROW LEVEL SECURITY',
            ],
        )

    def describe(self) -> str:
        """As Django prints it."""
        return f"Row security on {self.table}"


class Policy(_TableOperation):
    """One more policy on a table that has row security.

    A permissive one (the default) admits more rows to a command; a restrictive one takes rows away from every command, whatever else admits
    them.
    """

    def __init__(
        self, table: str, name: str, using: str, *, command: str = "SELECT", restrictive: bool = False
    ) -> None:
        self.table = table
        self.name = name
        self.using = using
        self.command = command
        self.restrictive = restrictive

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Make the policy."""
        kind = "RESTRICTIVE" if self.restrictive else "PERMISSIVE"
        self._run(
            schema_editor,
            [
                f'CREATE POLICY {self.name} ON "{self.table}" AS {kind} FOR {self.command} USING ({self.using})'
            ],
        )

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Take it away."""
        self._run(schema_editor, [f'DROP POLICY IF EXISTS {self.name} ON "{self.table}"'])

    def describe(self) -> str:
        """As Django prints it."""
        return f"Policy {self.name} on {self.table}"


class Grant(_TableOperation):
    """Privileges of a database role on a table (design section 6): what is not granted is refused."""

    def __init__(self, role: str, privileges: str, *tables: str) -> None:
        self.role = role
        self.privileges = privileges
        self.tables = tables

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Grant, on the tables and on the sequences of their columns."""
        for table in self.tables:
            self._run(schema_editor, [f'GRANT {self.privileges} ON "{table}" TO {self.role}'])
            if "INSERT" in self.privileges:
                for sequence in _sequences(schema_editor, table):
                    self._run(schema_editor, [f"GRANT USAGE, SELECT ON SEQUENCE {sequence} TO {self.role}"])

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Revoke."""
        self._run(schema_editor, [f'REVOKE {self.privileges} ON "{t}" FROM {self.role}' for t in self.tables])

    def describe(self) -> str:
        """As Django prints it."""
        return f"Grant {self.privileges} to {self.role} on {', '.join(self.tables)}"


def _sequences(schema_editor: Any, table: str) -> list[str]:
    """The sequences that columns of a table own, quoted as PostgreSQL writes them."""
    if schema_editor.collect_sql:
        return []
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT d.objid::regclass::text FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' "
            "WHERE d.refobjid = %s::regclass AND d.deptype IN ('a', 'i')",
            [f'"{table}"'],
        )
        return [row[0] for row in cursor.fetchall()]


class TenantForeignKey(BaseConstraint):
    """A foreign key that includes the organisation, because a foreign-key check ignores row security (threat 6).

    `fields` of this model, the organisation first, point at `to_fields` of `to` ("app.Model"), which must be unique together.
    """

    def __init__(self, *, fields: tuple[str, ...], to: str, to_fields: tuple[str, ...], name: str) -> None:
        super().__init__(name=name)
        self.fields = tuple(fields)
        self.to = to
        self.to_fields = tuple(to_fields)

    def _target(self, model: Any) -> Any:
        return model._meta.apps.get_model(self.to)

    def _sql(self, model: Any, schema_editor: Any) -> str:
        quote = schema_editor.quote_name
        target = self._target(model)
        here = ", ".join(quote(model._meta.get_field(f).column) for f in self.fields)
        there = ", ".join(quote(target._meta.get_field(f).column) for f in self.to_fields)
        # Checked at commit, as Django's own are: a set-based load writes parents and children in one transaction.
        return (
            f"CONSTRAINT {quote(self.name)} FOREIGN KEY ({here}) REFERENCES {quote(target._meta.db_table)} ({there}) "
            "DEFERRABLE INITIALLY IMMEDIATE"
        )

    def constraint_sql(self, model: Any, schema_editor: Any) -> Any:
        """Nothing inside CREATE TABLE, for which Django asks and never comes back: the constraint is added later, as by `create_sql`."""
        self.create_sql(model, schema_editor)

    def create_sql(self, model: Any, schema_editor: Any) -> Any:
        """ALTER TABLE … ADD CONSTRAINT …, at the end of the migration, when the target and what makes it unique are there.

        What is returned is run at once by Django and does nothing.
        """
        table = schema_editor.quote_name(model._meta.db_table)
        statement = Statement(
            "ALTER TABLE %(table)s ADD %(sql)s", table=table, sql=self._sql(model, schema_editor)
        )
        schema_editor.deferred_sql.append(statement)
        return Statement("SELECT 'later'", table=table)

    def remove_sql(self, model: Any, schema_editor: Any) -> Any:
        """ALTER TABLE … DROP CONSTRAINT …"""
        quote = schema_editor.quote_name
        return Statement(
            "ALTER TABLE %(table)s DROP CONSTRAINT %(name)s",
            table=quote(model._meta.db_table),
            name=quote(self.name),
        )

    def validate(self, model: Any, instance: Any, exclude: Any = None, using: str = "default") -> None:
        """Nothing: the database holds it."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TenantForeignKey):
            return NotImplemented
        return (self.name, self.fields, self.to, self.to_fields) == (
            other.name,
            other.fields,
            other.to,
            other.to_fields,
        )

    __hash__ = None  # type: ignore[assignment]  # equal by value and mutable, as Django's constraints are

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """As Django's constraints."""
        path, args, kwargs = super().deconstruct()
        kwargs |= {"fields": self.fields, "to": self.to, "to_fields": self.to_fields}
        return path, tuple(args), dict(kwargs)
