"""What kind of place a visitor came from: by the host of the referrer, or by what a campaign's link says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

ReferrerKind = Literal["search", "social", "direct", "own", "other"]
KINDS: tuple[ReferrerKind, ...] = get_args(ReferrerKind)
CampaignChannel = Literal["ad", "email", "message", "social", "offline", "partner"]
"""What brought somebody by a link that was made for it; `message` is a text message."""

_CHANNEL_WORDS: Mapping[CampaignChannel, str] = {
    "ad": "ad ads banner cpa cpc cpm cpv display feed paid ppc sem",
    "email": "edm email mail newsletter",
    "message": "sms mms",
    "social": "mp social video wechat weibo weixin zhihu douyin",
    "offline": "card event expo leaflet offline poster print qr qrcode seminar",
    "partner": "affiliate alliance partner referral",
}
_CHANNEL_OF = {word: channel for channel, words in _CHANNEL_WORDS.items() for word in words.split()}

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


def campaign_channel(utm: Mapping[str, str]) -> CampaignChannel | None:
    """The channel that a link's utm_medium names, else its utm_source; None where neither says one we know."""
    for name in ("utm_medium", "utm_source"):
        for word in re.split(r"[^a-z]+", str(utm.get(name, "")).lower()):
            if channel := _CHANNEL_OF.get(word):
                return channel
    return None
