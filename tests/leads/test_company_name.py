"""Two spellings of a company's name are one; two companies hardly ever are."""

from __future__ import annotations

import pytest

from xinheng.leads.company_name import plain_company


@pytest.mark.parametrize(
    "spellings",
    [
        (
            "华强实业有限公司",
            "华强实业",
            "華強實業股份有限公司",
            " 华强实业（集团）有限公司 ",
            "华强实业集团",
        ),
        ("深圳市华强实业有限公司", "深圳华强实业", "广东省深圳市华强实业有限责任公司"),
        ("永康东方五金厂", "永康市东方五金有限公司"),
        ("Acme Trading Co., Ltd.", "ACME TRADING", "ａｃｍｅ trading limited"),
        ("信衡（上海）信用管理有限公司", "信衡(上海)信用管理公司", "信衡上海信用管理"),
    ],
)
def test_spellings_of_one_name_are_equal(spellings: tuple[str, ...]) -> None:
    assert plain_company(spellings[0])
    assert len({plain_company(each) for each in spellings}) == 1


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("深圳华强实业有限公司", "上海华强实业有限公司"),
        ("信衡（上海）信用管理有限公司", "信衡（北京）信用管理有限公司"),
        ("东方印刷有限公司", "东方印染有限公司"),
        ("沙市日化有限公司", "日化有限公司"),
    ],
)
def test_two_companies_are_not_one(one: str, another: str) -> None:
    assert plain_company(one) != plain_company(another)


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "",
            " ",
            "公司",
            "我公司",
            "我们公司",
            "贸易公司",
            "某贸易有限公司",
            "个体工商户",
            "没有",
            "暂无",
            "保密",
        ),
        *(
            "外贸",
            "市场部",
            "北京市",
            "广东省",
            "有限公司",
            "华为",
            "ABC",
            "123456",
            "91310000MA1K00000X"[:3],
            "？？？",
        ),
    ],
)
def test_what_is_too_short_or_could_be_anybodys_matches_nobody(typed: str) -> None:
    assert plain_company(typed) == ""
