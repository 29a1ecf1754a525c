"""The archive: a zip with the databases and a manifest, whose seal only our keys can make."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from xinheng.crypto import Keys
from xinheng.durable import sync_folder

MANIFEST = "manifest.json"
FORMAT = 1
_PIECE = 1 << 20  # bytes


class BadBackup(RuntimeError):
    """Not a backup of ours, or not as it was made. The message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. `audit_head` is where the audit ended, `schemas` the revision of each database."""

    made_at: str
    program: str
    database: Literal["sqlite", "postgresql"]
    schemas: Mapping[str, str]
    audit_head: str
    files: Mapping[str, str]

    def seal(self, keys: Keys) -> str:
        """A keyed hash of all of it: another site's keys give another."""
        return keys.keyed_hash("backup", json.dumps(asdict(self), sort_keys=True)).hex()


def write_archive(target: Path, folder: Path, manifest: Manifest, keys: Keys) -> None:
    """Write the archive, for its owner only, and wholly or not at all. Raises FileExistsError, OSError."""
    if target.exists():
        raise FileExistsError(f"{target} 已经有了：换一个文件名")
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                told = {"format": FORMAT, **asdict(manifest), "seal": manifest.seal(keys)}
                archive.writestr(MANIFEST, json.dumps(told, ensure_ascii=False, indent=2))
                for name in manifest.files:
                    archive.write(folder / name, name)
            file.flush()
            os.fsync(file.fileno())
        os.link(part, target)  # unlike a rename, never over another file
    finally:
        part.unlink(missing_ok=True)
    sync_folder(target.parent)


def read_manifest(file: Path, keys: Keys) -> Manifest:
    """The manifest, if these keys sealed it. Raises BadBackup."""
    try:
        with zipfile.ZipFile(file) as archive:
            told: dict[str, Any] = json.loads(archive.read(MANIFEST))
        seal, found = told.pop("seal"), told.pop("format")
        manifest = Manifest(**told)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError) as fault:
        raise BadBackup(f"{file}：不是信衡的备份，或者坏了") from fault
    if found != FORMAT:
        raise BadBackup(f"{file}：是另一种格式（{found}）的备份，请用写它的版本恢复")
    if not isinstance(seal, str) or not hmac.compare_digest(manifest.seal(keys).encode(), seal.encode()):
        raise BadBackup(
            f"{file}：和这里的密钥对不上。请先放回做备份时的 keys 文件夹；密钥没有错，就是备份被改过"
        )
    return manifest


def extract(file: Path, manifest: Manifest, folder: Path) -> None:
    """Unpack what the manifest names, and nothing else, comparing the hashes. Raises BadBackup."""
    try:
        with zipfile.ZipFile(file) as archive:
            for name in manifest.files:
                with archive.open(name) as source, (folder / name).open("xb") as target:
                    shutil.copyfileobj(source, target, _PIECE)
                (folder / name).chmod(0o600)
    except (zipfile.BadZipFile, KeyError, EOFError) as fault:
        raise BadBackup(f"{file}：备份坏了，打不开") from fault
    for name, expected in manifest.files.items():
        if sha256(folder / name) != expected:
            raise BadBackup(f"{file}：里面的 {name} 和做备份时不一样")


def sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
