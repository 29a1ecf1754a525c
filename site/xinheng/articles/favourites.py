"""收藏: which devices keep which articles. The list itself stays on the device; here is only the count's proof."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import current_app
from sqlalchemy import LargeBinary, String, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from xinheng.crypto import Keys
from xinheng.db import CountersBase, Database, Moment, insert_into
from xinheng.disk import ANY_DISK, Disk


class Favourite(CountersBase):
    """One article kept on one device; `device` is a keyed hash of the random id the device made itself."""

    __tablename__ = "favourites"

    article: Mapped[str] = mapped_column(String(80), primary_key=True)
    device: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    kept_at: Mapped[datetime] = mapped_column(Moment, nullable=False)


class Favourites:
    """Keep and drop, each as often as one likes with the same result."""

    def __init__(self, database: Database, keys: Keys, disk: Disk = ANY_DISK) -> None:
        self._database = database
        self._disk = disk
        self._keys = keys

    def keep(self, article: str, device: str) -> int:
        """Returns how many devices keep the article; this one isn't counted where the room is for enquiries only."""
        if self._disk.short:
            return self.count(article)
        row = {"article": article, "device": self._hash(device), "kept_at": datetime.now(UTC)}
        with self._database.writing() as session:
            session.execute(insert_into(session, Favourite).values(row).on_conflict_do_nothing())
        return self.count(article)

    def drop(self, article: str, device: str) -> int:
        """Returns how many devices still keep the article."""
        with self._database.writing() as session:
            session.execute(
                delete(Favourite).where(Favourite.article == article, Favourite.device == self._hash(device))
            )
        return self.count(article)

    def count(self, article: str) -> int:
        with self._database.reading() as session:
            query = select(func.count()).select_from(Favourite).where(Favourite.article == article)
            return session.execute(query).scalar_one()

    def _hash(self, device: str) -> bytes:
        return self._keys.keyed_hash("device", device)[:16]


def favourites() -> Favourites:
    """The favourites of the running application."""
    kept: Favourites = current_app.extensions["xinheng.favourites"]
    return kept
