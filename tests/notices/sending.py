"""The worker's loops as one step after the other."""

from __future__ import annotations

from collections.abc import Mapping

from xinheng.db import Database
from xinheng.notices.channel import Channel
from xinheng.notices.worker import send_one, spread_new


def send_due(database: Database, channels: Mapping[str, Channel]) -> int:
    """Spread what is new, and send one notice by each channel; returns how many were taken up."""
    spread_count = spread_new(database, channels)
    return spread_count + sum(send_one(database, channel) for channel in channels.values())
