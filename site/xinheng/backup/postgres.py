"""PostgreSQL's own programs do the copying: pg_dump and pg_restore. The password goes by the environment, not by the
command line, which others can read."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from sqlalchemy import make_url

DUMP = "xinheng.dump"


class NoProgram(RuntimeError):
    """pg_dump or pg_restore isn't installed, or did not succeed."""


def dump(url: str, target: Path) -> None:
    """Write the database as it is at one moment. Raises NoProgram."""
    _run("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")


def undump(url: str, source: Path) -> None:
    """Read it into an empty database, wholly or not at all. Raises NoProgram."""
    _run(
        "pg_restore",
        url,
        "--single-transaction",
        "--exit-on-error",
        "--no-owner",
        "--no-privileges",
        str(source),
    )


def _run(program: str, url: str, *arguments: str) -> None:
    found = shutil.which(program)
    if found is None:
        raise NoProgram(
            f"没有 {program}：请装上 PostgreSQL 的客户端程序（postgresql-client），版本不低于服务器的"
        )
    place = make_url(url)
    environment = os.environ | ({"PGPASSWORD": str(place.password)} if place.password else {})
    address = place.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    command = [found, f"--dbname={address}", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise NoProgram(f"{program} 没有成功：{done.stderr.strip().splitlines()[-1:]}")
