"""Run the site: a web server with N workers, and beside it the worker that sends notices.

One small process watches both. It loads the application once and forks, so that the workers start at once; it has no
threads, and its databases are closed before, so that nothing unsafe is inherited.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import gc
import importlib
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from types import FrameType

from flask import Flask
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from xinheng.beside import work_beside
from xinheng.leaving import Leaving
from xinheng.logs import log_what_nobody_caught
from xinheng.notices.channels import start_words
from xinheng.notices.outbox import utc_now
from xinheng.settings import Settings

THREADS = 8  # requests at once in each worker
FINISH_WITHIN = 25  # seconds for what is in flight when told to stop
REMIND = 2.0  # seconds between two tellings while it starts: who heard the first must come to it before
START_ENDS_WITHIN = 4  # seconds, when told to stop before anyone was answered
STARTING_FOR = (
    2.0  # seconds after the first answer in which workers may still start; longer where that was late
)
STAY = 5.0  # seconds told to stop and still taking visitors, where a load balancer asks
PORT_FREE_WITHIN = 5  # seconds
AGAIN_AFTER = 1.0  # seconds, before a worker that ended by itself is started again
_DIRECTLY = urllib.request.build_opener(
    urllib.request.ProxyHandler({})
)  # our own address, whatever http_proxy says
_PR_SET_PDEATHSIG = 1
_ENDING = (signal.SIGINT, signal.SIGTERM)


def serve(settings: Settings, target: str, greeting: str) -> int:
    """Serve `target` until SIGINT or SIGTERM; what is in flight is finished first. Returns the exit code.

    `greeting` is printed once the first worker answers.

    Raises PortTaken.
    """
    _claim_port(settings)
    # what is loaded stays: no collection walks through it again, which would take a tenth of a second of somebody's
    # request, and no worker gets a copy of its own by being walked through
    gc.freeze()
    return _Watch(settings, target, greeting).run()


class PortTaken(RuntimeError):
    """Something else listens on the address already."""


class _Watch:
    def __init__(self, settings: Settings, target: str, greeting: str) -> None:
        self._settings = settings
        self._target = target
        self._app = _application(target)
        self._leaving: Leaving = self._app.extensions["xinheng.leaving"]
        self._greeting = greeting
        self._context = _context()
        self._ready = False
        self._began = time.monotonic()
        self._ready_at = float("inf")  # the moment it was ready; until then it is starting
        self._stopping = False
        self._staying = False  # told to stop, and still taking visitors
        self._reminders = 0
        with _signals_held():
            for name in _ENDING:
                signal.signal(name, self._stop)
            self._web = self._start(_run_web)
            self._outbox = self._start(_run_outbox)

    def run(self) -> int:
        while self._web.is_alive():
            ended = wait([self._web.sentinel, self._outbox.sentinel], timeout=None if self._ready else 0.05)
            if not self._ready:
                self._ready = self._announce()
                self._ready_at = time.monotonic()
            if self._outbox.sentinel in ended and not self._stopping:
                time.sleep(AGAIN_AFTER)
                self._outbox = self._start(_run_outbox)
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._end_group()  # workers that outlived their server
        self._outbox.terminate()
        self._outbox.join()
        return 0 if self._stopping else self._web.exitcode or 1

    def _start(self, run: object) -> BaseProcess:
        """Until it has its own handlers, a signal to the new process waits: ours would be lost on it."""
        process: BaseProcess = self._context.Process(target=run, args=(self._settings, self._target))  # type: ignore[attr-defined]
        with _signals_held():
            process.start()
        return process

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Leave: at once by Ctrl-C, or where nobody asks /readyz; else the load balancer is given time to hear of it.
        A second signal ends that time."""
        if self._stopping and not self._staying:
            return
        at_once = self._staying or number == signal.SIGINT or not self._leaving.watched
        self._stopping, self._staying = True, not at_once
        self._leaving.announce()
        if at_once:
            self._end_web()
        else:
            signal.signal(signal.SIGALRM, self._end_web)
            signal.setitimer(signal.ITIMER_REAL, STAY)

    def _end_web(self, number: int = 0, frame: FrameType | None = None) -> None:
        """Stop the web server first: the notices of its last enquiries are stored by then, and go out at the next start."""
        self._staying = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._web.terminate()
        now, took = time.monotonic(), self._ready_at - self._began
        if not self._ready or now - self._ready_at < max(STARTING_FOR, took):
            signal.signal(signal.SIGALRM, self._insist)
            signal.setitimer(signal.ITIMER_REAL, REMIND, REMIND)

    def _insist(self, number: int, frame: FrameType | None) -> None:
        """While it starts: say it again, to the workers too, for one that was just starting may have missed it; and end
        it after some seconds where nobody was answered yet. Later a second signal would cut off what is in flight."""
        self._reminders += 1
        hard = not self._ready and self._reminders * REMIND >= START_ENDS_WITHIN
        self._end_group(signal.SIGKILL if hard else signal.SIGTERM)

    def _end_group(self, number: int = signal.SIGKILL) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._web.pid or 0, number)

    def _announce(self) -> bool:
        """Say the address once a worker answers."""
        if self._stopping or not _answers(self._settings):
            return False
        print(f"信衡已就绪：{self._settings.origin}   按 Ctrl-C 停止", flush=True)
        print(self._greeting, flush=True)
        for sentence in start_words(self._app.extensions["xinheng.channels"], utc_now()):
            print(sentence, flush=True)
        return True


def _context() -> BaseContext:
    """Fork where there is fork; elsewhere each process loads the application again."""
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    return multiprocessing.get_context(method)


def _run_web(settings: Settings, target: str) -> None:
    _settle_process()
    # a worker inherits its parent's handlers, and until it has its own a signal to stop would be lost on them
    os.register_at_fork(
        before=partial(signal.pthread_sigmask, signal.SIG_BLOCK, _ENDING),
        after_in_parent=partial(signal.pthread_sigmask, signal.SIG_UNBLOCK, _ENDING),
        after_in_child=partial(_follow_parent, os.getpid()),
    )
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
    _settle_process()
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stopping.set())
    work_beside(_application(target), stopping)


def _application(target: str) -> Flask:
    module, _, name = target.partition(":")
    app: Flask = getattr(importlib.import_module(module), name)
    return app


def _settle_process() -> None:
    """A group of its own, so that Ctrl-C reaches the watching process only, which then tells this one to finish."""
    os.setsid()
    parent = multiprocessing.parent_process()
    _follow_parent(parent.pid if parent and parent.pid else 0)
    log_what_nobody_caught()


def _follow_parent(parent: int) -> None:
    """Signals as in a new process; and, on Linux, told to stop when the parent is gone, however it went."""
    for name in _ENDING:
        signal.signal(name, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it went before we could ask to be told
            os._exit(1)


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Signals to stop wait until the end of the block."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _claim_port(settings: Settings) -> None:
    """Wait for the address to be free: after a crash the last server may still be finishing. Raises PortTaken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    deadline = time.monotonic() + PORT_FREE_WITHIN
    while True:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.host, settings.port))
                return
            except OSError as fault:
                if fault.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                    raise PortTaken(
                        f"{settings.host}:{settings.port} 用不了（{fault.strerror}）："
                        "换一个 XINHENG_PORT，或停掉占用它的程序"
                    ) from fault
        time.sleep(0.1)


def _answers(settings: Settings) -> bool:
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 (compared, not bound)
    address = f"http://{host}:{settings.port}/healthz"
    request = urllib.request.Request(address, headers={"Host": settings.trusted_hosts[0]})
    try:
        with _DIRECTLY.open(request, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
