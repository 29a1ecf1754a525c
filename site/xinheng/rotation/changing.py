"""The change of keys as a whole: a marker, the new keys, the rows, and the marker taken away. The site must be stopped.

A marker beside the keys says that a change is under way: with it no site starts, and the next call goes on where the last
was broken off. The old key stays until it is told to go: backups from before need it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from xinheng.crypto import ROTATION, Keys, field_key, find_key, load_keys, make_keys
from xinheng.db import Database, DatabaseBusy
from xinheng.durable import sync_folder
from xinheng.rotation.reseal import Progress, Resealed, outdated, reseal
from xinheng.running import InUse, while_stopped


class StillNeeded(RuntimeError):
    """Rows are still sealed by an older key: it must stay."""


@dataclass(frozen=True, slots=True)
class Changed:
    """`went_on`: an earlier call was broken off, and this one finished it."""

    number: int
    resealed: Resealed
    went_on: bool


def change_keys(data: Path, database: Database, progress: Progress = lambda done, total: None) -> Changed:
    """Make new keys and seal everything with them. Raises InUse, DatabaseBusy, MissingKey, WeakKey, OSError."""
    folder = data / "keys"
    with while_stopped(data):
        _nobody_else(database)
        keys, went_on = _begun(folder)
        done = reseal(database, keys, progress)
        if outdated(database, keys):
            raise DatabaseBusy("还有没换完的行：请再运行一次")
        database.empty_log()
        (folder / ROTATION).unlink()
        sync_folder(folder)
    return Changed(keys.number, done, went_on)


def remove_old_keys(data: Path, database: Database, spool: Path) -> list[str]:
    """Delete the keys before the newest; returns their files. Raises StillNeeded, InUse."""
    folder = data / "keys"
    with while_stopped(data):
        if not spool.is_dir():
            raise StillNeeded(
                f"备用文件夹 {spool} 不在，看不到里面有没有要用旧密钥打开的咨询：那个盘挂上了吗？"
            )
        if any(spool.glob("*.kept")) or any(spool.glob("*.aside")):
            raise StillNeeded("备用文件夹里还有咨询，要用旧密钥打开：请先启动网站，等它们入库")
        keys = load_keys(folder, make=False)
        if left := outdated(database, keys):
            raise StillNeeded(f"还有{left}行是旧密钥加密的：请先运行 xinheng keys rotate")
        names = [name for number in keys.older for name in (field_key(number), find_key(number))]
        gone = [name for name in names if (folder / name).exists()]
        for name in gone:
            (folder / name).unlink()
        sync_folder(folder)
    return gone


def _begun(folder: Path) -> tuple[Keys, bool]:
    """The keys with the new ones among them; True if a call before has begun."""
    marker = folder / ROTATION
    went_on = marker.exists()
    if not went_on:
        number = load_keys(folder, make=False).number + 1
        _write_marker(marker, number)
    make_keys(folder, int(marker.read_text("ascii")))
    sync_folder(folder)  # no row may be sealed by a key that a power cut could take away
    return load_keys(folder, make=False, half_way=True), went_on


def _write_marker(marker: Path, number: int) -> None:
    part = marker.with_suffix(".part")
    with part.open("w") as file:
        file.write(f"{number}\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(marker)
    sync_folder(marker.parent)


def _nobody_else(database: Database) -> None:
    """On PostgreSQL other machines may run the site on the same database: the lock of this folder doesn't know them."""
    if database.engine.dialect.name != "postgresql":
        return
    others = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'xinheng' AND pid <> pg_backend_pid()"
    )
    with database.asking() as session:
        if session.scalar(others):
            raise InUse(f"{database.name}：别的机器上的网站还在运行，请都停下")
