"""The real site, started as an administrator starts it, on a copy of the shipped data."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ROOT = Path(__file__).parent.parent.parent
READY_WITHIN = (
    180  # seconds, on a machine that is busy with much else; a start that hangs must end the run, not the day
)
END_WITHIN = 90  # what the site allows itself: 5 to be seen leaving, 25 for requests, 20 for a mail; and a busy machine

FORM = {
    "need": "overdue",
    "name": "陈女士",
    "phone": "138 0013 8000",
    "details": "两家客户逾期四个多月，合计约八十万元，想先知道该停发还是先对账。",
    "call_time": "morning",
    "consent": "yes",
}
"""What a visitor of the tests types, unless a test says otherwise."""
NOT_A_PHONE = "12345678901"  # long enough for the page to let it pass, and no number for the server


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, read to its end."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    @property
    def reference(self) -> str:
        """The reference in the address a stored enquiry is answered with."""
        assert self.status == 303, f"{self.status}: {self.text[:2000]}"
        return self.headers["Location"].rpartition("/")[2]


def copy_of_site(folder: Path) -> Path:
    """A root with the shipped data folders, free to be edited; static files are the shipped ones themselves."""
    for name in ("content", "forms", "translations"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "wsgi.py", folder / "wsgi.py")
    (folder / "static").symlink_to(ROOT / "static")
    return folder


class RunningSite:
    """`xinheng serve` in a root of its own; its log, its databases, and requests to it."""

    def __init__(self, root: Path, *, workers: int = 2, **settings: str) -> None:
        self.root = root
        self.data = root / "var"
        self.log_file = root / "serve.log"
        self.port = _free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.typed: set[str] = {FORM["name"], FORM["phone"], FORM["details"], NOT_A_PHONE}
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("XINHENG_")},
            "PYTHONUNBUFFERED": "1",
            "XINHENG_PORT": str(self.port),
            "XINHENG_ORIGIN": self.origin,
            "XINHENG_WORKERS": str(workers),
            "XINHENG_DATA": str(self.data),
            "XINHENG_LIMITS": "off",  # all visitors of the tests are behind one address
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until the site answers."""
        assert not self._answers(), "somebody else answers at this address"
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "xinheng.cli", "serve"],
                cwd=self.root,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a process group of its own, as a terminal gives it: see `interrupt`
            )
        deadline = time.monotonic() + READY_WITHIN
        while not self._answers():
            running = self._process.poll() is None and time.monotonic() < deadline
            assert running, f"the site did not start:\n{self.log}"
            time.sleep(0.05)

    def command(self, *words: str) -> str:
        """What an administrator runs beside the site; returns what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "xinheng.cli", *words],
            cwd=self.root,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def terminate(self) -> None:
        """Ask the site to end, as a service manager does; see `ended` for how it did."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    def interrupt(self) -> None:
        """What Ctrl-C does: the signal reaches every process of the terminal's group."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGINT)

    def kill_first_process(self) -> None:
        """What `kill -9` or a system short of memory does: one process is gone, the others aren't."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def left_running(self) -> bool:
        """Whether any process of the site is still there."""
        assert self._process is not None
        return bool(self._processes())

    def ended(self, within: float = END_WITHIN) -> int:
        """Wait for the end; returns the exit code. Nothing is left running."""
        assert self._process is not None
        try:
            code = self._process.wait(within)
            deadline = time.monotonic() + 2  # what was killed is gone a moment later
            while self.left_running() and time.monotonic() < deadline:
                time.sleep(0.02)
            assert not self.left_running(), "a process outlives the one that was told to stop"
            return code
        finally:
            self.kill()

    def kill(self) -> None:
        """End every process of the site at once."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        while remaining := self._processes():  # a dying one would answer in the name of the next start
            for process in remaining:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            time.sleep(0.01)
        self._process = None

    def outbox(self) -> int:
        """The process beside the web workers: the child of the first one that has none itself."""
        assert self._process is not None
        (found,) = (child for child in _children(self._process.pid) if not _children(child))
        return found

    def _processes(self) -> list[int]:
        """The processes that were started with this site's port, whatever group or parent they have by now.

        Where the system has no /proc, none are found: there the tests see the first process only.
        """
        mark, found = f"XINHENG_PORT={self.port}\0".encode(), []
        for file in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):  # it ended meanwhile, or is somebody else's
                if mark in file.read_bytes():
                    found.append(int(file.parent.name))
        return found

    def stop(self) -> None:
        """End the site and check that it ended well and told the log nothing it must not hold."""
        self.terminate()
        code = self.ended()
        assert code == 0, f"exit code {code}:\n{self.log}"
        self.check_log()

    def check_log(self) -> None:
        """No traceback, no error, and nothing a visitor typed: whole, or as the digits of a phone."""
        log = self.log
        assert "Traceback" not in log, log
        assert "Unexpected exit" not in log, log
        digits = re.sub(r"[ \-]", "", log)
        for typed in self.typed:
            assert typed not in log
            number = re.sub(r"\D", "", typed)
            assert len(number) < 7 or number not in digits, "a phone number in the log"

    @property
    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8")

    def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request on a connection of its own."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            encoded = urlencode(body) if body is not None else None
            kind = {"Content-Type": "application/x-www-form-urlencoded"} if encoded is not None else {}
            connection.request(method, path, encoded, {**kind, **(headers or {})})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, headers=headers)

    def post_form(self, **changed: str) -> Answer:
        """Send the consultation form from our own page; keywords replace or add fields."""
        self.typed.update(changed[name] for name in ("name", "phone", "details") if changed.get(name))
        fields = {**FORM, "consent_version": self.consent_version(), "submission_id": "", "touch": ""}
        return self.request("POST", "/consultation", fields | changed, {"Sec-Fetch-Site": "same-origin"})

    def consent_version(self) -> str:
        """The version of the words in the form's page."""
        found = re.search(r'name="consent_version"[^>]* value="([^"]+)"', self.get("/consultation").text)
        assert found
        return found.group(1)

    def rows(self, query: str, *values: Any, database: str = "leads") -> list[Any]:
        """What a query finds in one of the site's databases."""
        with closing(sqlite3.connect(self.data / f"{database}.db", timeout=10)) as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(query, values).fetchall()

    def enquiries(self) -> int:
        """How many enquiries are stored."""
        return int(self.rows("SELECT count(*) FROM enquiries")[0][0])

    def reads(self, article: str) -> int:
        """How many reads of an article are stored."""
        query = "SELECT coalesce(sum(reads), 0) FROM read_counts WHERE article = ?"
        return int(self.rows(query, article, database="counters")[0][0])

    def _answers(self) -> bool:
        try:
            return self.get("/healthz").status == 200
        except OSError:
            return False


def _children(process: int) -> list[int]:
    """The processes that a process has started, as Linux tells."""
    told = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="utf-8")
    return [int(each) for each in told.split()]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
