"""Invented people ask about their own data, and the privacy officer answers some of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from xinheng.phones import parse_phone
from xinheng.privacy.answering import Officer, PrivacyWork
from xinheng.privacy.models import Kind, PrivacyRequest
from xinheng.privacy.receiving import Asked, PrivacyDesk


@dataclass(frozen=True, slots=True)
class Requests:
    """Taken and answered through the services of the real ones. `officer` is a staff id."""

    desk: PrivacyDesk
    work: PrivacyWork
    officer: str

    def receive(self, kind: Kind, phone: str, reference: str, words: str, at: datetime) -> str:
        """Somebody sends a request, without a reference unless they remember it; returns its number."""
        return self.desk.receive(Asked(kind, parse_phone(phone), reference, words), at).number

    def answer(self, number: str, words: str, at: datetime, *, restrict: bool = False) -> None:
        """The officer looks, does what was asked and says so."""
        officer = Officer(self.officer, at)
        with self.work.database.reading() as session:
            found = session.scalars(select(PrivacyRequest.id).where(PrivacyRequest.receipt == number)).one()
        self.work.look(found, officer)
        if restrict:
            self.work.restrict(found, officer, restricted=True)
        self.work.close(found, officer, "done", words)
