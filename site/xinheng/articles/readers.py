"""Who reads, as far as a count needs it: a person or a robot, from what kind of place, on which network."""

from __future__ import annotations

import re
from typing import Literal

from counter_robots import is_robot_or_machine

from xinheng.addresses import split_address

ReferrerKind = Literal["search", "social", "direct", "own", "other"]

_SEARCH = re.compile(
    r"(^|\.)(baidu\.com|so\.com|sogou\.com|sm\.cn|bing\.com|toutiao\.com|duckduckgo\.com"
    r"|(google|yandex|yahoo)\.(com?\.)?[a-z]{2,3})$"
)
_SOCIAL = re.compile(
    r"(^|\.)(weixin\.qq\.com|qzone\.qq\.com|wechat\.com|weibo\.(com|cn)|zhihu\.com|douyin\.com|xiaohongshu\.com"
    r"|linkedin\.(com|cn)|t\.co)$"
)

# The shared list knows few Chinese crawlers, and takes the browser inside Baidu's own app for its spider.
_CRAWLER = re.compile(r"spider|crawl|slurp|(?<!cu)bot\b|yisou|headless|preview|monitor", re.IGNORECASE)
_READING_APP = re.compile(
    r"baiduboxapp|baidubrowser|MicroMessenger|UCBrowser|QQBrowser|DingTalk|Quark|Weibo", re.IGNORECASE
)


def referrer_kind(referrer_host: str, own_host: str) -> ReferrerKind:
    """The kind of place a reader came from, by the referrer's host; the host itself is not kept."""
    host = referrer_host.lower()
    if not host:
        return "direct"
    if host == own_host.lower():
        return "own"
    if _SEARCH.search(host):
        return "search"
    return "social" if _SOCIAL.search(host) else "other"


def counts_as_person(agent: str, purpose: str) -> bool:
    """Whether a request looks like a person reading: a browser that isn't on the robots' list and isn't prefetching."""
    if not agent or "prefetch" in purpose or _CRAWLER.search(agent):
        return False
    return bool(_READING_APP.search(agent)) or not is_robot_or_machine(agent)


def referrer_host(referrer: str) -> str:
    return split_address(referrer).hostname or "" if "//" in referrer else ""
