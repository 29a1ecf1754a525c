"""Static files, served from our own origin: compressed ahead in production, kept for a year when asked for by hash."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from whitenoise import WhiteNoise
from whitenoise.compress import Compressor

from xinheng.settings import Settings

_Application = Callable[..., Iterable[bytes]]


def static_root(settings: Settings) -> Path:
    """The folder that is served: in production a compressed copy of this start, so that addresses and bytes agree."""
    return packed(settings.static, settings.data / "static") if settings.production else settings.static


def serve_static(application: _Application, root: Path, settings: Settings) -> _Application:
    """Answer /static/… before the application. In development a saved file shows at once."""
    files: _Application = WhiteNoise(
        application,
        root=str(root),
        prefix="static/",
        autorefresh=not settings.production,
        max_age=60,
        allow_all_origins=False,
    )
    return _keep_versioned(files, root)


def version_of_file(root: Path, name: str) -> str:
    """Ten hexadecimal digits of the hash of a static file. Raises FileNotFoundError."""
    file = f"{root}/{name}"  # a page asks ten times
    return _hash(file, os.stat(file).st_mtime_ns)


@lru_cache(maxsize=256)
def _hash(file: str, modified: int) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()[:10]


def packed(source: Path, folder: Path) -> Path:
    """A copy of `source` with a gzip and a Brotli file beside each text; made once for the same bytes."""
    names = sorted(file for file in source.rglob("*") if file.is_file())
    digest = hashlib.sha256()
    for file in names:
        digest.update(f"{file.relative_to(source)}\0".encode() + file.read_bytes())
    target = folder / digest.hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "pack.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            spare = folder / "new"
            shutil.rmtree(spare, ignore_errors=True)
            shutil.copytree(source, spare)
            compressor = Compressor(quiet=True)
            for file in filter(Path.is_file, list(spare.rglob("*"))):
                if compressor.should_compress(file.name):
                    compressor.compress(str(file))
            spare.rename(target)
    return target


def _keep_versioned(application: _Application, root: Path) -> _Application:
    """A file asked for with the hash of its bytes (`?v=…`) never changes: browsers may keep it for a year."""

    def keep(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        name = environ["PATH_INFO"].removeprefix("/static/")
        asked = environ.get("QUERY_STRING", "").removeprefix("v=")

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            if asked and status.startswith("200") and _is_version(root, name, asked):
                headers = [pair for pair in headers if pair[0].lower() != "cache-control"]
                headers.append(("Cache-Control", "public, max-age=31536000, immutable"))
            return start_response(status, headers, *rest)

        return application(environ, start)

    return keep


def _is_version(root: Path, name: str, asked: str) -> bool:
    file = (root / name).resolve()
    return file.is_relative_to(root.resolve()) and file.is_file() and version_of_file(root, name) == asked
