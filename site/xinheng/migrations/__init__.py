"""Schema changes of both databases, run at each start under a lock."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import text

from xinheng.db import Database, Databases

_HERE = Path(__file__).parent


class SchemaNewer(RuntimeError):
    """The database was written by a later version of this program. Stops the start."""


def upgrade(databases: Databases) -> None:
    """Bring both databases to this version's schema; of several processes one does it, the others wait."""
    for name, database in (("leads", databases.leads), ("counters", databases.counters)):
        _upgrade(name, database)


def touch(database: Database, name: str, *, within: float) -> None:
    """Write what is written already, durably: whether the database takes writes. Raises DatabaseBusy, DatabaseError."""
    with database.writing(within=within) as session:
        session.execute(text(f"UPDATE alembic_version_{name} SET version_num = version_num"))  # noqa: S608


def configuration(name: str) -> Config:
    """Alembic's configuration of one database, `leads` or `counters`."""
    config = Config()
    config.set_main_option("script_location", str(_HERE / name))
    config.set_main_option("path_separator", "os")
    config.attributes["version_table"] = f"alembic_version_{name}"
    return config


def _upgrade(name: str, database: Database) -> None:
    config = configuration(name)
    with database.migrating() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as fault:
            if "Can't locate revision" in str(fault):
                raise SchemaNewer(
                    f"{database.name} 是由更新的版本写成的，本版本不能使用；请用新版本启动，或恢复升级前的备份"
                ) from fault
            raise
