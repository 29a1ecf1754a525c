"""The way back: everything is checked, brought up to date, and to what persons had done since, beside the present
database; only then it takes its place. The site must be stopped."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy.exc import DatabaseError

from xinheng.audit.report import BadNote, NotedHead, Report
from xinheng.audit.verify import verify
from xinheng.backup.archive import BadBackup, Manifest, extract, read_manifest
from xinheng.backup.making import PARTS, check_sqlite
from xinheng.backup.postgres import DUMP, undump
from xinheng.crypto import Keys
from xinheng.db import DatabaseBusy, Databases, open_databases
from xinheng.durable import sync_folder
from xinheng.housekeeping import start_anew
from xinheng.leads.deletion import Deletion
from xinheng.migrations import SchemaNewer, configuration, upgrade
from xinheng.privacy.replaying import Again, carry_out_again
from xinheng.rotation.reseal import reseal
from xinheng.running import while_stopped
from xinheng.working_days import Calendar


class WouldReplace(RuntimeError):
    """There is a database already, and nobody said that it may be replaced."""


class AuditDiffers(RuntimeError):
    """The audit in the backup isn't as the manifest says it was."""


@dataclass(frozen=True, slots=True)
class Restored:
    """`again` is what was done since the backup, and once more now; `unreadable` rows need an older key that is gone.
    `kept` is where the replaced database lies."""

    manifest: Manifest
    report: Report
    again: Again
    unreadable: int
    kept: Path | None


@dataclass(frozen=True, slots=True)
class Restore:
    """Where to restore to. `replace`: a database that is there is put aside. `any_audit`: even where the audit differs."""

    data: Path
    url: str
    keys: Keys
    replace: bool = False
    any_audit: bool = False
    calendar: Calendar = field(default_factory=Calendar)

    def run(self, file: Path, now: datetime) -> Restored:
        """Restore. Raises BadBackup, WouldReplace, AuditDiffers, SchemaNewer, NoProgram, InUse, OSError."""
        with while_stopped(self.data):
            manifest = read_manifest(file, self.keys)
            self._check(file, manifest)
            try:
                return self._postgres(file, manifest, now) if self.url else self._sqlite(file, manifest, now)
            finally:
                shutil.rmtree(self._staging, ignore_errors=True)  # it holds personal data

    @property
    def _staging(self) -> Path:
        return self.data / "restoring"

    def _unpack(self, file: Path, manifest: Manifest) -> None:
        shutil.rmtree(self._staging, ignore_errors=True)  # left by one that was broken off
        self._staging.mkdir(mode=0o700)
        extract(file, manifest, self._staging)

    def _check(self, file: Path, manifest: Manifest) -> None:
        here = "postgresql" if self.url else "sqlite"
        if manifest.database != here:
            raise BadBackup(f"{file}：是 {manifest.database} 的备份，这里用的是 {here}")
        for name, revision in manifest.schemas.items():
            known = {
                each.revision for each in ScriptDirectory.from_config(configuration(name)).walk_revisions()
            }
            if revision not in known:
                raise SchemaNewer(f"{file}：备份是由更新的版本（{manifest.program}）写成的，请用那个版本恢复")

    def _sqlite(self, file: Path, manifest: Manifest, now: datetime) -> Restored:
        present = [each for part in PARTS for each in sorted(self.data.glob(f"{part}.db*"))]
        if present and not self.replace:
            raise WouldReplace(f"{self.data} 里已经有数据库")
        self._unpack(file, manifest)
        for name in manifest.files:
            check_sqlite(self._staging / name)
        if present:
            self._note_deleted()
        report, again, unreadable = self._make_ready(open_databases(self._staging), manifest, now)
        kept = self._swap(present, now)
        return Restored(manifest, report, again, unreadable, kept)

    def _postgres(self, file: Path, manifest: Manifest, now: datetime) -> Restored:
        databases = open_databases(self.data, self.url)
        try:
            if databases.leads.in_use():
                raise WouldReplace(
                    "这个 PostgreSQL 数据库里已经有信衡的表；请另建一个空库来恢复，见 docs/operate.md"
                )
        finally:
            databases.dispose()
        self._unpack(file, manifest)
        undump(self.url, self._staging / DUMP)
        report, again, unreadable = self._make_ready(databases, manifest, now)
        return Restored(manifest, report, again, unreadable, None)

    def _make_ready(
        self, databases: Databases, manifest: Manifest, now: datetime
    ) -> tuple[Report, Again, int]:
        """Compare the audit, bring the schema up to date, do again what persons had done since; and where keys were changed
        since, seal and index everything with the present ones, or nobody in it would be found. An old database is no
        clock that jumped: deletion goes on by itself."""
        try:
            report = verify(databases.leads, self.keys, noted=_noted(manifest))
            if not report.whole and not self.any_audit:
                raise AuditDiffers("备份里的访问记录和做备份时记下的不一样，或者有断开的地方")
            upgrade(databases)
            deletion = Deletion.of_site(databases.leads, self.keys, self.data)
            again = carry_out_again(databases.leads, self.keys, deletion, self.calendar)
            unreadable = reseal(databases.leads, self.keys).unreadable
            with databases.leads.writing() as session:
                start_anew(session, now)
            databases.leads.empty_log()
            databases.counters.empty_log()
        finally:
            databases.dispose()
        return report, again, unreadable

    def _note_deleted(self) -> None:
        """Who the present database knows as deleted must stand in the file, if it can still be read."""
        present = open_databases(self.data)
        with suppress(DatabaseError, DatabaseBusy):
            Deletion.of_site(present.leads, self.keys, self.data).write_out()
        present.dispose()

    def _swap(self, present: list[Path], now: datetime) -> Path | None:
        """Put aside what was there, its logs with it: a new database beside an old log would be spoilt."""
        kept = self.data / f"replaced-{now:%Y%m%dT%H%M%S}"
        if present:
            kept.mkdir(mode=0o700)
        for part in PARTS:
            for old in sorted(self.data.glob(f"{part}.db*"), reverse=True):  # the logs before their database
                old.rename(kept / old.name)
            os.replace(self._staging / f"{part}.db", self.data / f"{part}.db")
        sync_folder(self.data)
        return kept if present else None


def _noted(manifest: Manifest) -> NotedHead | None:
    """The head as it was noted; None for one that was no head already when the backup was made, which the check tells."""
    with suppress(BadNote):
        return NotedHead.parse(manifest.audit_head)
    return None
