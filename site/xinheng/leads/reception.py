"""Taking an enquiry: into the database, or into the spool while the database refuses. One reference, either way."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from xinheng.crypto import Keys
from xinheng.db import Database, DatabaseBusy
from xinheng.leads.listing import Receipt, find_receipt
from xinheng.leads.patience import Patience
from xinheng.leads.record import EnquiryDesk, NotStored, Recorded, UnknownForm
from xinheng.leads.spool import Spool, Spooled, SpoolRefused
from xinheng.leads.submission import WINDOW, Submission

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reception:
    """What a visitor's form and thank-you page need. Knows no request."""

    desk: EnquiryDesk
    spool: Spool
    keys: Keys
    database: Database
    patience: Patience = field(default_factory=Patience)

    def take(self, submission: Submission, now: datetime) -> Recorded:
        """Store an enquiry, or spool it. Raises UnknownForm, and NotStored where both refuse."""
        held = self._held(submission, now)
        if held:
            return Recorded(self.keys.reference(held), repeated=True)
        try:
            return self._record(submission, now)
        except NotStored as refused:
            return self._put(submission, now, refused)

    def receipt(self, reference: str) -> Receipt | None:
        """What a visitor may see again. The spool is asked first: what has left it since is in the database.
        Raises DatabaseBusy."""
        spooled = self.spool.find(reference)
        if spooled is not None:
            return Receipt(reference, spooled.submitted_at)
        return find_receipt(self.database, reference)

    def _held(self, submission: Submission, now: datetime) -> str:
        """The id under which the spool holds these words already, or nothing."""
        for place, each in enumerate(submission.own_ids(self.keys, now)):
            try:
                fresh = place == 0 or now - self.spool.read(each).submitted_at < timedelta(seconds=WINDOW)
                if fresh and self.spool.holds(each):
                    return each
            except (OSError, RuntimeError):  # not there, or nothing to build on
                continue
        return ""

    def _record(self, submission: Submission, now: datetime) -> Recorded:
        """Store it in the time there is, see `patience`. Raises UnknownForm, NotStored."""
        with self.patience.turn() as within:
            if not within:
                raise NotStored("数据库不收，等它的人够多了")
            try:
                recorded = self.desk.record(submission, now, within=within)
            except NotStored as fault:
                if isinstance(fault.__cause__, DatabaseBusy):
                    self.patience.refused()
                raise
        self.patience.stored()
        return recorded

    def _put(self, submission: Submission, now: datetime, refused: NotStored) -> Recorded:
        """Spool what the database refused, or may have stored without being able to say so: under the same id."""
        if not self.desk.knows_form(submission.form_version):
            raise UnknownForm(submission.form_version) from refused
        submission_id = submission.own_ids(self.keys, now)[0]
        reference = self.keys.reference(submission_id)
        try:
            fresh = self.spool.put(submission_id, Spooled(submission, now))
        except SpoolRefused as fault:
            raise NotStored(f"{refused}；备用文件夹：{fault}") from fault
        log.error("咨询 %s 先存进了备用文件夹：%s", reference, refused)
        return Recorded(reference, repeated=not fresh)
