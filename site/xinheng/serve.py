"""Run the site: a web server with N workers, and beside it the worker that sends notices.

One small process watches both. It loads the application once and forks, so that the workers start at once; it has no
threads and no open database of its own, so that nothing unsafe is inherited.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
import urllib.error
import urllib.request
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from types import FrameType

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from xinheng.db import open_databases
from xinheng.notices import worker
from xinheng.settings import Settings

THREADS = 8  # requests at once in each worker
FINISH_WITHIN = 25  # seconds for what is in flight when told to stop


def serve(settings: Settings, target: str) -> int:
    """Serve `target` until SIGINT or SIGTERM; what is in flight is finished first. Returns the exit code."""
    return _Watch(settings, target).run()


class _Watch:
    def __init__(self, settings: Settings, target: str) -> None:
        self._settings = settings
        self._target = target
        self._context = _context()
        self._stopping = False

    def run(self) -> int:
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, self._stop)
        web, outbox = self._start(_run_web), self._start(_run_outbox)
        self._web = web
        ready = False
        while web.is_alive():
            ended = wait([web.sentinel, outbox.sentinel], timeout=None if ready else 0.05)
            if not ready:
                ready = self._announce()
            if outbox.sentinel in ended and not self._stopping:
                outbox = self._start(_run_outbox)
        outbox.terminate()
        outbox.join()
        return 0 if self._stopping else web.exitcode or 1

    def _start(self, run: object) -> BaseProcess:
        process: BaseProcess = self._context.Process(target=run, args=(self._settings, self._target))  # type: ignore[attr-defined]
        process.start()
        return process

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Stop the web server first: the notices of its last enquiries are stored by then, and go out at the next start."""
        self._stopping = True
        self._web.terminate()

    def _announce(self) -> bool:
        """Say the address once a worker answers."""
        if self._stopping or not _answers(self._settings):
            return self._stopping
        print(f"信衡已就绪：{self._settings.origin}   按 Ctrl-C 停止", flush=True)
        if self._settings.mail_server is None:
            print("未设置邮件（XINHENG_SMTP）：新咨询请运行 xinheng leads 查看", flush=True)
        return True


def _context() -> BaseContext:
    """Fork where there is fork; elsewhere each process loads the application again."""
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    return multiprocessing.get_context(method)


def _run_web(settings: Settings, target: str) -> None:
    _forget_signals()
    Granian(
        target,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=THREADS,
        respawn_failed_workers=True,
        # without it a worker told to stop while it starts never ends
        workers_kill_timeout=FINISH_WITHIN,
        log_access=False,
        log_level=LogLevels.error,
        websockets=False,
    ).serve()


def _run_outbox(settings: Settings, target: str) -> None:
    _forget_signals()
    stopping = threading.Event()
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole group; the watching process says when
    signal.signal(signal.SIGTERM, lambda number, frame: stopping.set())
    databases = open_databases(settings.data)
    worker.run(settings, databases.leads, stopping)
    databases.dispose()


def _forget_signals() -> None:
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_DFL)


def _answers(settings: Settings) -> bool:
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 (compared, not bound)
    address = f"http://{host}:{settings.port}/healthz"
    request = urllib.request.Request(address, headers={"Host": settings.trusted_hosts[0]})
    try:
        with urllib.request.urlopen(request, timeout=2):  # noqa: S310 (our own address)
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
