"""Somebody with the owner's rights who switches the guards off, changes rows, and switches the guards on again."""

from __future__ import annotations

from typing import Any

from psycopg.types.json import Jsonb

from audit.chain import Head, Row

TABLES = ("audit_auditevent", "audit_chainhead")
_COLUMNS = ", ".join(Row._fields)
_VALUES = ", ".join("%s" for _ in Row._fields)


class Vandal:
    """Acts over the owner's connection. Use as `with vandal:`; what was there before is put back at the end."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def execute(self, sql: str, params: Any = None) -> Any:
        with self.connection.transaction():
            return self.connection.execute(sql, params)

    def __enter__(self) -> Vandal:
        for table in TABLES:
            self.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            self.execute(f"CREATE TEMPORARY TABLE was_{table} AS SELECT * FROM {table} WHERE false")
        self.execute("ALTER TABLE audit_auditevent NO FORCE ROW LEVEL SECURITY")
        for table in TABLES:
            self.execute(f"INSERT INTO was_{table} SELECT * FROM {table}")
        return self

    def restore(self) -> None:
        """Everything as it was on entering."""
        for table in TABLES:
            self.execute(f"DELETE FROM {table}")
            self.execute(f"INSERT INTO {table} SELECT * FROM was_{table}")

    def __exit__(self, *error: Any) -> None:
        self.restore()
        for table in TABLES:
            self.execute(f"DROP TABLE was_{table}")
            self.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        self.execute("ALTER TABLE audit_auditevent FORCE ROW LEVEL SECURITY")

    def edit(self, chain: str, sequence: int, column: str, value: Any) -> None:
        """Overwrite one column of one row in place."""
        stored = Jsonb(value) if column == "details" else value
        self.execute(
            f"UPDATE audit_auditevent SET {column} = %s WHERE chain = %s AND sequence = %s",
            [stored, chain, sequence],
        )

    def put(self, chain: str, rows: list[Row], head: Head | None) -> None:
        """Make a chain consist of these rows and this head."""
        with self.connection.transaction():
            self.connection.execute("DELETE FROM audit_auditevent WHERE chain = %s", [chain])
            self.connection.execute("DELETE FROM audit_chainhead WHERE chain = %s", [chain])
            with self.connection.cursor() as cursor:
                cursor.executemany(
                    f"INSERT INTO audit_auditevent ({_COLUMNS}) VALUES ({_VALUES})",
                    [[Jsonb(value) if isinstance(value, dict) else value for value in row] for row in rows],
                )
                if head is not None:
                    cursor.execute(
                        "INSERT INTO audit_chainhead (chain, sequence, hash, mac, at) VALUES (%s, %s, %s, %s, %s)",
                        head,
                    )
