"""How many requests one network may send in a time. Over it the answer says when the next one is taken; nothing is lost.

Only the network is counted. A limit for a phone would let anybody shut its owner out by typing it, and one in all would
let a single flood shut everybody out: rights aren't to be had by whoever comes first.
"""

from __future__ import annotations

import logging
import os
from datetime import datetime

from sqlalchemy import func, insert, select

from xinheng.crypto import Keys
from xinheng.db import Database
from xinheng.leads.arrivals import AWAY, Arrival, Arrivals
from xinheng.limits import Limit

log = logging.getLogger(__name__)


class Pace:
    """`limit` None counts nothing."""

    def __init__(self, counters: Database, keys: Keys, limit: Limit | None) -> None:
        self._arrivals = Arrivals(counters, keys)
        self._limit = limit

    def wait(self, address: str, now: datetime) -> int:
        """Count a request from an address and return 0; or, uncounted, in how many seconds the next one is taken."""
        if self._limit is None:
            return 0
        try:
            return self._counted(self._limit, self._arrivals.network_key("request", address, now), now)
        except AWAY as fault:
            log.warning("个人信息请求的频率暂时数不了，这一份照收：%s", type(fault).__name__)
            return 0

    def _counted(self, limit: Limit, key: bytes, now: datetime) -> int:
        seconds = int(now.timestamp())
        present = Arrival.key == key, Arrival.until > seconds
        with self._arrivals.counting([key], seconds) as session:
            number, first = session.execute(
                select(func.count(), func.min(Arrival.until)).where(*present)
            ).one()
            if number >= limit.most:
                return int(first) - seconds
            row = {"key": key, "enquiry": os.urandom(16), "until": seconds + limit.within}
            session.execute(insert(Arrival).values(row))
            return 0
