"""Make a backup while the site runs: each database as it is at one moment, checked, in one file. Keys are not in it."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import String, column, select, table

from xinheng.audit.report import NotedHead
from xinheng.audit.verify import present_head
from xinheng.backup.archive import BadBackup, Manifest, sha256, write_archive
from xinheng.backup.postgres import DUMP, dump
from xinheng.crypto import Keys
from xinheng.db import Databases, open_databases

PARTS = ("leads", "counters")


def make_backup(databases: Databases, url: str, keys: Keys, target: Path, now: datetime) -> Manifest:
    """Write the backup. `url` is empty for SQLite. Raises BadBackup, NoProgram, OSError, DatabaseBusy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as name:
        folder = Path(name)
        if url:
            head, schemas = (
                _audit_head(databases),
                _schemas(databases),
            )  # before: what is dumped holds this row
            dump(url, folder / DUMP)
            files = [DUMP]
        else:
            files = [f"{part}.db" for part in PARTS]
            for part, file in zip((databases.leads, databases.counters), files, strict=True):
                copy_sqlite(Path(part.name), folder / file)
            copied = open_databases(folder)
            head, schemas = _audit_head(copied), _schemas(copied)
            copied.dispose()
            for file in files:
                check_sqlite(folder / file)
        manifest = Manifest(
            made_at=now.isoformat(timespec="seconds"),
            program=version("xinheng"),
            database="postgresql" if url else "sqlite",
            schemas=schemas,
            audit_head=str(head),
            files={file: sha256(folder / file) for file in files},
        )
        write_archive(target, folder, manifest, keys)
    return manifest


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy one database in one step: writers go on meanwhile, and the copy holds none of what they write."""
    with closing(sqlite3.connect(source)) as origin, closing(sqlite3.connect(target)) as copy:
        origin.backup(copy)
    target.chmod(0o600)


def check_sqlite(file: Path) -> None:
    """Make it a single file without a log, and see whether it is whole. Raises BadBackup."""
    try:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
            found = connection.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.DatabaseError as fault:
        raise BadBackup(f"{file.name}：不是完好的数据库") from fault
    if found != ("ok",):
        raise BadBackup(f"{file.name}：数据库不完好：{found[0]}")


def _audit_head(databases: Databases) -> NotedHead:
    with databases.leads.reading() as session:
        return present_head(session)


def _schemas(databases: Databases) -> dict[str, str]:
    found = {}
    for name, database in zip(PARTS, (databases.leads, databases.counters), strict=True):
        with database.reading() as session:
            versions = table(f"alembic_version_{name}", column("version_num", String))
            found[name] = session.execute(select(versions.c.version_num)).scalar_one()
    return found
