"""What kind of place a visitor came from, by the host of the referrer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

ReferrerKind = Literal["search", "social", "direct", "own", "other"]
KINDS: tuple[ReferrerKind, ...] = get_args(ReferrerKind)

_SEARCH = re.compile(
    r"(^|\.)(baidu\.com|so\.com|sogou\.com|sm\.cn|bing\.com|toutiao\.com|duckduckgo\.com"
    r"|(google|yandex|yahoo)\.(com?\.)?[a-z]{2,3})$"
)
_SOCIAL = re.compile(
    r"(^|\.)(weixin\.qq\.com|qzone\.qq\.com|wechat\.com|weibo\.(com|cn)|zhihu\.com|douyin\.com|xiaohongshu\.com"
    r"|linkedin\.(com|cn)|t\.co)$"
)

PATTERNS: Mapping[str, str] = MappingProxyType({"search": _SEARCH.pattern, "social": _SOCIAL.pattern})
"""For the browser, which tells the kind of place only: regular expressions of hosts, in what both languages share."""


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
