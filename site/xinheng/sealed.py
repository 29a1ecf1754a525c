"""Rows with encrypted columns."""

from __future__ import annotations

from sqlalchemy.orm import Mapped

from xinheng.crypto import Keys


class Sealed:
    """A row with encrypted columns, each bound to its table, column and row."""

    __tablename__: str
    id: Mapped[str]

    def seal(self, keys: Keys, column: str, text: str) -> None:
        """Set a sealed column."""
        setattr(self, column, keys.seal(text, self.place(column)))

    def open(self, keys: Keys, column: str) -> str:
        """Read a sealed column. Raises CannotDecrypt."""
        return keys.open(getattr(self, column), self.place(column))

    def place(self, column: str) -> str:
        """What a sealed column is bound to."""
        return f"{self.__tablename__}:{column}:{self.id}"
