"""What visitors answered, whole, by the hash of its words: the consultation form, and the health check."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from xinheng.db import Database, LeadsBase, Moment, insert_into


class FormVersion(LeadsBase):
    """One published form: what a consent was given to, and what old answers are shown with."""

    __tablename__ = "form_versions"

    version: Mapped[str] = mapped_column(String(16), primary_key=True)
    form: Mapped[str] = mapped_column(Text, nullable=False)
    published_at: Mapped[datetime] = mapped_column(Moment, nullable=False)


def publish_form(database: Database, version: str, form: str) -> None:
    """Keep a form whole before it is shown. Raises DatabaseBusy."""
    if published_form(database, version) is not None:
        return
    row = {"version": version, "form": form, "published_at": datetime.now(UTC)}
    with database.writing() as session:
        session.execute(insert_into(session, FormVersion).values(row).on_conflict_do_nothing())


def published_form(database: Database, version: str) -> str | None:
    """A form that was published once, as it was kept. Raises DatabaseBusy."""
    with database.asking() as session:
        return session.scalar(select(FormVersion.form).where(FormVersion.version == version))
