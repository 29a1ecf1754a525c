"""What a visitor submitted, and its identity: one enquiry, once."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from xinheng.crypto import Keys
from xinheng.leads.verdict import CLEAN, Verdict
from xinheng.phones import Phone

WINDOW = 600  # seconds: without script, the same words of the same phone within it are the same enquiry
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Touch:
    """Where a visitor came from: the referrer's host, the page landed on, the campaign's marks."""

    host: str = ""
    path: str = ""
    utm: Mapping[str, str] = field(default_factory=dict)

    def as_data(self) -> dict[str, object]:
        return {"host": self.host, "path": self.path, "utm": dict(self.utm)}


@dataclass(frozen=True, slots=True)
class Attribution:
    """How a visitor found the form. `page` and `article` are where it was filled in."""

    page: str = ""
    article: str = ""
    first: Touch = Touch()
    last: Touch = Touch()
    articles_read: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Submission:
    """A valid consultation form. `extra` has the answers to fields the product doesn't know, by field name. `assessment` is
    the token of a health check's result, where its visitor agreed to attach it."""

    need: str
    name: str = field(repr=False)
    phone: Phone
    details: str = field(repr=False)
    call_time: str
    extra: Mapping[str, str] = field(repr=False)
    purposes: tuple[str, ...]
    form_version: str
    typed_id: str = ""
    assessment: str = field(default="", repr=False)
    attribution: Attribution = Attribution()
    verdict: Verdict = CLEAN

    def payload_hash(self, keys: Keys) -> bytes:
        """A keyed hash of all that was asked, to tell a repeat from a second enquiry with the same id."""
        extra = json.dumps(dict(self.extra), ensure_ascii=False, sort_keys=True)
        phone = f"{self.phone.e164};{self.phone.extension}"
        purposes = ",".join(sorted(self.purposes))
        words = [self.need, self.name, phone, self.details, self.call_time, extra, purposes]
        return keys.keyed_hash("payload", *words, *([self.assessment] if self.assessment else []))

    def own_ids(self, keys: Keys, now: datetime) -> tuple[str, ...]:
        """The ids of these very words, the one for a new row first.

        Nobody has to look at what is stored to tell them: so the database and the spool always agree, and other words
        under the same id of a browser are another enquiry wherever the first of them went.
        """
        payload_hash = self.payload_hash(keys)
        return tuple(id_of_words(keys, each, payload_hash) for each in self.ids(keys, now))

    def ids(self, keys: Keys, now: datetime) -> tuple[str, ...]:
        """What the words came with, the present one first.

        The browser's own id where there is one; else a keyed hash of phone, need, details and the ten-minute window,
        and that of the window before, so that a double click over the window's edge is still one.
        """
        if _ID.fullmatch(self.typed_id):
            return (self.typed_id,)
        window = int(now.timestamp()) // WINDOW
        return tuple(self._window_id(keys, each) for each in (window, window - 1))

    def _window_id(self, keys: Keys, window: int) -> str:
        parts = (self.phone.e164, self.need, self.details, str(window))
        return keys.keyed_hash("submission", *parts).hex()[:32]


def id_of_words(keys: Keys, submission_id: str, payload_hash: bytes) -> str:
    """The id of one wording that came with an id: the same words give it again, others give another."""
    return keys.keyed_hash("other-words", submission_id, payload_hash.hex()).hex()[:32]
