"""The rules of suspicion as tables: what speaks against an enquiry, and what real people do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.leads.conftest import NOON
from tests.leads.real_people import REAL

from xinheng.leads.spam import Signs, judge, same_words
from xinheng.leads.stamp import Says, Stamps
from xinheng.leads.submission import Submission
from xinheng.leads.verdict import POINTS, REASONS, Verdict

Asked = Callable[..., Submission]
KEY = bytes(range(32))


@pytest.mark.parametrize(
    ("changed", "reasons"),
    [
        ({"details": "看看 www.a.example 和 b.com、c.cn"}, ("links",)),
        ({"details": "[url=http://a.example]贷款[/url]"}, ("links",)),
        ({"name": "加速贷款 dai-kuan.top"}, ("links",)),
        ({"details": "我们的网站 www.jiafang.com，客户的是 https://kehu.cn/about"}, ("link",)),
        ({"details": "邮箱 wang@jiafang.com 也可以"}, ()),
        ({"details": "毛利3.5个点，账期90天，见合同第2.1条"}, ()),
        ({"details": "fTzKqWmXnBvLrPsD", "name": "QwErTyUi"}, ("no_chinese",)),
        ({"details": "We offer SEO services for your site", "name": "John"}, ("no_chinese",)),
        ({"details": "DSO 90 days", "name": ""}, ("few_words",)),
        ({"details": "DSO 90 days", "name": "陈女士"}, ()),
        ({"extra": {"company": "http://a.com http://b.com http://c.com"}}, ("links",)),
        ({"phone": "13800000000"}, ("fake_phone",)),
        ({"phone": "021-12345678 转 801"}, ("fake_phone",)),
        ({"phone": "18888888888"}, ("fake_phone",)),
        ({"phone": "13988888888"}, ("odd_phone",)),
        ({"phone": "13912345678"}, ("odd_phone",)),
        ({"phone": "13800138000"}, ("odd_phone",)),
        ({"phone": "13566668888"}, ()),
        ({"phone": "0571-88888888"}, ()),
    ],
)
def test_what_the_words_say(asked: Asked, changed: dict[str, str], reasons: tuple[str, ...]) -> None:
    assert judge(asked(**{"phone": "139 7462 5813", **changed}), Signs()).reasons == reasons


@pytest.mark.parametrize(
    ("stamp", "reasons"),
    [("nothing", ()), ("fine", ()), ("too_quick", ("too_quick",)), ("forged", ("forged_stamp",))],
)
def test_what_the_stamp_says(asked: Asked, stamp: Says, reasons: tuple[str, ...]) -> None:
    assert judge(asked(phone="139 7462 5813"), Signs(stamp=stamp)).reasons == reasons


def test_a_filled_trap_is_enough(asked: Asked) -> None:
    found = judge(asked(), Signs(trapped=True))
    assert found.reasons[0] == "trap"
    assert found.suspicious


def test_what_happens_to_real_people_too_takes_two() -> None:
    assert set(POINTS) == set(REASONS)
    assert not Verdict(("link",)).suspicious
    assert not Verdict(("odd_phone",)).suspicious
    assert Verdict(("link", "odd_phone")).suspicious
    assert Verdict().score == 0


@pytest.mark.parametrize(
    ("seconds", "says"),
    [
        (0, "too_quick"),
        (2.9, "too_quick"),
        (3, "fine"),
        (86_400, "fine"),
        (86_401, "nothing"),
        (-5, "nothing"),
    ],
)
def test_a_stamp_tells_how_long_ago_the_form_was_begun(seconds: float, says: Says) -> None:
    stamps = Stamps(KEY)
    assert stamps.read(stamps.issue(NOON), NOON + timedelta(seconds=seconds)) == says


@pytest.mark.parametrize("stamp", ["1", "x.y", "1790000000000.AAAA", "时.间", ".", "\x00", "9" * 5000])
def test_a_stamp_of_somebody_else_is_forged(stamp: str) -> None:
    assert Stamps(KEY).read(stamp, NOON) == "forged"
    assert Stamps(KEY).read(Stamps(KEY[::-1]).issue(NOON), NOON) == "forged"
    assert Stamps(KEY).read("", NOON) == "nothing"


def test_the_same_words_are_the_same_with_other_numbers_and_signs() -> None:
    first = same_words("贵公司好，我们可代办贷款，当天放款，额度50万，欢迎来电咨询！")
    assert first == same_words("贵公司好 我们可代办贷款 当天放款 额度80万 欢迎来电咨询")
    assert first != same_words("贵公司好，我们有几笔货款拖了半年，想请你们帮忙看看怎么办")
    assert same_words("请尽快回电") is None


def test_no_real_enquiry_is_suspicious(asked: Asked) -> None:
    assert len(REAL) >= 100
    found = {
        each.details: judge(asked(phone=each.phone, name=each.name, details=each.details), Signs())
        for each in REAL
    }
    assert {details: verdict.reasons for details, verdict in found.items() if verdict.suspicious} == {}
