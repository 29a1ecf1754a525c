"""What commands need of the folder they are called in: its settings, its database, its keys. Said plainly where it fails."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy.exc import DatabaseError

from xinheng.crypto import Keys, MissingKey, WeakKey, load_keys
from xinheng.db import Database, DatabaseBusy, open_databases
from xinheng.settings import SettingError, Settings


def settings_here() -> Settings:
    """The settings of the folder that has wsgi.py; else the command ends with 2."""
    root = Path.cwd()
    if not (root / "wsgi.py").exists():
        click.echo(f"{root} 里没有 wsgi.py：请在网站的文件夹里运行", err=True)
        raise SystemExit(2)
    try:
        return Settings.from_env(os.environ, root)
    except SettingError as fault:
        click.echo(str(fault), err=True)
        raise SystemExit(2) from None


@contextmanager
def opened_leads() -> Iterator[tuple[Database, Keys]]:
    """The leads database and its keys; the command ends with 1 where there is none yet, or it can't be read."""
    settings = settings_here()
    databases = open_databases(settings.data, settings.database_url)
    try:
        if not databases.leads.in_use():
            click.echo("还没有数据库：先启动一次网站", err=True)
            raise SystemExit(1)
        yield databases.leads, load_keys(settings.data / "keys", make=False)
    except (WeakKey, MissingKey) as fault:
        click.echo(str(fault), err=True)
        raise SystemExit(1) from None
    except (DatabaseError, DatabaseBusy):
        click.echo("数据库连不上，或和程序的版本不一致：请先启动一次网站", err=True)
        raise SystemExit(1) from None
    finally:
        databases.dispose()
