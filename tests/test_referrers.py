"""Hosts of referrers, and the kind each is kept as."""

from __future__ import annotations

import pytest

from xinheng.referrers import campaign_channel, referrer_kind


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("", "direct"),
        ("www.xinheng.example", "own"),
        ("WWW.Xinheng.example", "own"),
        ("www.baidu.com", "search"),
        ("m.baidu.com", "search"),
        ("baidu.com", "search"),
        ("www.so.com", "search"),
        ("m.so.com", "search"),
        ("www.sogou.com", "search"),
        ("wap.sogou.com", "search"),
        ("m.sm.cn", "search"),
        ("cn.bing.com", "search"),
        ("www.google.com.hk", "search"),
        ("so.toutiao.com", "search"),
        ("duckduckgo.com", "search"),
        ("mp.weixin.qq.com", "social"),
        ("weibo.com", "social"),
        ("m.weibo.cn", "social"),
        ("www.zhihu.com", "social"),
        ("t.co", "social"),
        ("www.linkedin.com", "social"),
        ("www.xiaohongshu.com", "social"),
        ("example.com", "other"),
        # names that only look like the ones above
        ("www.microsoft.com", "other"),
        ("climbing.com", "other"),
        ("espresso.com", "other"),
        ("baidu.com.evil.example", "other"),
        ("notbaidu.com", "other"),
        ("pilot.co.uk", "other"),
        ("www.xinheng.example.evil.example", "other"),
    ],
)
def test_a_referrer_is_kept_as_its_kind(host: str, kind: str) -> None:
    assert referrer_kind(host, "www.xinheng.example") == kind


@pytest.mark.parametrize(
    ("utm", "channel"),
    [
        ({}, None),
        ({"utm_medium": "cpc"}, "ad"),
        ({"utm_medium": "CPC", "utm_source": "newsletter"}, "ad"),
        ({"utm_medium": "banner_q4"}, "ad"),
        ({"utm_medium": "edm-2026"}, "email"),
        ({"utm_medium": "other", "utm_source": "wechat"}, "social"),
        ({"utm_source": "QR.expo"}, "offline"),
        ({"utm_source": "partnership"}, None),
        ({"utm_campaign": "sms"}, None),
    ],
)
def test_the_channel_of_a_campaigns_link(utm: dict[str, str], channel: str | None) -> None:
    assert campaign_channel(utm) == channel
