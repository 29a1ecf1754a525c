"""When a form was begun: a signed time, fetched at the first focus of a field.

A form without a stamp, or with an old one, is as good as any: script may be off, the page may have lain open for days.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from itsdangerous import BadSignature, Signer

TOO_QUICK = timedelta(seconds=3)
GOOD_FOR = timedelta(hours=24)

Says = Literal["nothing", "fine", "too_quick", "forged"]


class Stamps:
    def __init__(self, key: bytes) -> None:
        self._signer = Signer(key, salt="form-stamp")

    def issue(self, now: datetime) -> str:
        return self._signer.sign(str(_milliseconds(now))).decode()

    def read(self, stamp: str, now: datetime) -> Says:
        """What a stamp says about a form that is sent now."""
        if not stamp:
            return "nothing"
        try:
            age = timedelta(milliseconds=_milliseconds(now) - int(self._signer.unsign(stamp)))
        except (BadSignature, ValueError):
            return "forged"
        if age < timedelta(0) or age > GOOD_FOR:
            return "nothing"  # before it was issued: a clock was set back
        return "too_quick" if age < TOO_QUICK else "fine"


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
