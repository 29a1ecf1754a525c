"""Run the site: N web workers, and beside them the worker that sends notices."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from xinheng.db import Database
from xinheng.notices import worker
from xinheng.settings import Settings

THREADS = 8  # requests at once in each worker
FINISH_WITHIN = 25  # seconds for what is in flight when told to stop


def serve(settings: Settings, leads: Database, target: str) -> None:
    """Serve `target` until SIGINT or SIGTERM; requests and notices under way are finished first."""
    stopping = threading.Event()
    sender = threading.Thread(target=worker.run, args=(settings, leads, stopping), name="outbox")
    herald = threading.Thread(target=_announce, args=(settings, stopping), name="announce", daemon=True)
    sender.start()
    herald.start()
    try:
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
    finally:
        stopping.set()
        sender.join()


def _announce(settings: Settings, stopping: threading.Event) -> None:
    """Say the address once the first worker answers."""
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 (compared, not bound)
    request = urllib.request.Request(
        f"http://{host}:{settings.port}/healthz", headers={"Host": settings.trusted_hosts[0]}
    )
    while not stopping.wait(0.05):
        try:
            with urllib.request.urlopen(request, timeout=2):  # noqa: S310 (our own address)
                break
        except urllib.error.HTTPError:
            break
        except OSError:
            continue
    if not stopping.is_set():
        print(f"信衡已就绪：{settings.origin}   按 Ctrl-C 停止", flush=True)
        if settings.mail_server is None:
            print("未设置邮件（XINHENG_SMTP）：新咨询请运行 xinheng leads 查看", flush=True)
