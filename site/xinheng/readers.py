"""Who reads, as far as a count needs it: a person or a robot, from what kind of place, on which network."""

from __future__ import annotations

import re
from functools import lru_cache

from counter_robots import is_robot_or_machine

from xinheng.addresses import split_address

# The shared list knows few Chinese crawlers, and takes the browser inside Baidu's own app for its spider.
_CRAWLER = re.compile(r"spider|crawl|slurp|(?<!cu)bot\b|yisou|headless|preview|monitor", re.IGNORECASE)
_READING_APP = re.compile(
    r"baiduboxapp|baidubrowser|MicroMessenger|UCBrowser|QQBrowser|DingTalk|Quark|Weibo", re.IGNORECASE
)


def counts_as_person(agent: str, purpose: str) -> bool:
    """Whether a request looks like a person reading: a browser that isn't on the robots' list and isn't prefetching."""
    return bool(agent) and "prefetch" not in purpose and _is_person(agent)


@lru_cache(maxsize=512)
def _is_person(agent: str) -> bool:
    if _CRAWLER.search(agent):
        return False
    return bool(_READING_APP.search(agent)) or not is_robot_or_machine(agent)


def referrer_host(referrer: str) -> str:
    return split_address(referrer).hostname or "" if "//" in referrer else ""
