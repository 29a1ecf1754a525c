"""What visitors answered, whole, by the hash of its words: the consultation form, and the health check."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from xinheng.db import LeadsBase, Moment


class FormVersion(LeadsBase):
    """One published form: what a consent was given to, and what old answers are shown with."""

    __tablename__ = "form_versions"

    version: Mapped[str] = mapped_column(String(16), primary_key=True)
    form: Mapped[str] = mapped_column(Text, nullable=False)
    published_at: Mapped[datetime] = mapped_column(Moment, nullable=False)
