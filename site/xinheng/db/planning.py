"""What a statement tells a database about the way to its rows."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import ReturnTypeFromArgs


class unindexed(ReturnTypeFromArgs[Any]):  # noqa: N801 - a function of SQL, as SQLAlchemy spells them
    """A column whose index SQLite leaves alone: it knows too little of the rows to tell which index is the better one.

    PostgreSQL has its statistics, and is told nothing.
    """

    inherit_cache = True


@compiles(unindexed)
def _as_it_is(element: unindexed, compiler: SQLCompiler, **words: Any) -> str:
    return compiler.process(element.clauses, **words)


@compiles(unindexed, "sqlite")
def _hidden(element: unindexed, compiler: SQLCompiler, **words: Any) -> str:
    """As SQLite's own documentation says it: a unary plus."""
    return f"+{compiler.process(element.clauses, **words)}"
