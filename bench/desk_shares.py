"""What the leads of the benchmark are like: the shares of each value, and the words that they are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

RARE = 0.0005
"""The share of the rarest value of each filter."""

ARTICLES = 300
"""From which half of them asked."""

YEARS = 3
"""In which they were asked, ever more of them."""
SHARES: Mapping[str, Mapping[str, float]] = {
    "status": {
        "new": 0.04,
        "contacted": 0.12,
        "interested": 0.08,
        "proposal": RARE,
        "won": 0.18,
        "lost": 0.35,
        "invalid": 0.23 - RARE,
    },
    "need": {
        "receivables": 0.35,
        "customer_credit": 0.25,
        "overdue": 0.25,
        "credit_policy": 0.15 - RARE,
        "other": RARE,
    },
    "source": {"search": 0.5, "direct": 0.25, "social": 0.15, "other": 0.1 - RARE, "own": RARE},
    "level": {"": 0.9, "low": 0.04, "moderate": 0.04, "elevated": 0.02 - RARE, "high": RARE},
    "reason": {"no_need": 0.4, "unreachable": 0.3, "other": 0.3},
}
FILTERS: Mapping[str, Sequence[str]] = {
    name: tuple(SHARES[name]) for name in ("status", "need", "source")
} | {"level": ("none", "low", "moderate", "elevated", "high")}
"""The values that a list can be filtered by."""

SURNAMES = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾萧田董潘袁蔡蒋余"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚英华玉萍红建文辉力波宁健俊帆雪婷楠瑞凯晨阳"
DETAILS = (
    "两家经销商的货款逾期四个多月，合计约八十万元，对方总说下个月付，想知道先做哪一步。",
    "准备给一家新客户六十天账期，第一单约三十万元，怎么看它付不付得起？",
    "公司没有信用管理制度，业务员自己定账期，应收账款越来越多，请帮忙看看。",
    "客户拿质量问题拖着尾款不付，合同里没有写验收期限。",
    "出口的一笔货款到期没收到，对方银行说单据有不符点。",
)
