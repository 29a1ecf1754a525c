"""Rows in bulk, the quickest way that each database has, in the form that the product's own types give them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Table
from sqlalchemy.orm import DeclarativeBase

from xinheng.db import Database


class Loader:
    """Writes rows the quickest way that the database has, in the form that the product's own types give them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._engine = database.engine
        self._postgres = self._engine.dialect.name == "postgresql"

    def drop_indexes(self, tables: Iterable[Table]) -> None:
        with self._engine.begin() as connection:
            for table in tables:
                for index in table.indexes:
                    index.drop(connection)

    def make_indexes(self, tables: Iterable[Table]) -> None:
        with self._engine.begin() as connection:
            if self._postgres:
                connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            for table in tables:
                for index in sorted(table.indexes, key=lambda index: str(index.name)):
                    index.create(connection)

    def load(self, model: type[DeclarativeBase], rows: Sequence[Mapping[str, Any]]) -> None:
        if not rows:
            return
        table = model.__table__
        names = list(rows[0])
        processors = [self._processor(table.c[name]) for name in names]
        values = (
            [process(row[name]) for name, process in zip(names, processors, strict=True)] for row in rows
        )
        connection = self._engine.raw_connection()
        try:
            if self._postgres:
                self._copy(connection, table.name, names, values)
            else:
                self._insert(connection, table.name, names, values)
        finally:
            connection.close()

    def _processor(self, column: Column[Any]) -> Callable[[Any], Any]:
        dialect = self._engine.dialect
        return column.type.dialect_impl(dialect).bind_processor(dialect) or _as_it_is

    def _insert(
        self, connection: Any, table: str, names: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys=OFF")
        cursor.execute("PRAGMA synchronous=OFF")
        cursor.execute("BEGIN IMMEDIATE")
        marks = ", ".join("?" * len(names))
        cursor.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", rows)  # noqa: S608
        cursor.execute("COMMIT")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA synchronous=FULL")

    def _copy(self, connection: Any, table: str, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        cursor = connection.cursor()
        with cursor.copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        connection.commit()


def _as_it_is(value: Any) -> Any:
    return value
