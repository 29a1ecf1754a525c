"""Every figure of the first eight articles, recomputed from what each example starts with.

Amounts are in 万元 unless a name says yuan; `FACTS` numbers in comments are rows of the list of facts.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

Article = Callable[[str], Any]
Shown = Callable[..., str]

NUMERALS = "零一二三四五六七八九十"
LPR = 0.03  # assumed in the text, "假设"
HALF_PER_MILLE = 0.0005  # a day, FACTS 5.11
GUARANTEE_MONTHS = 6  # FACTS 5.8
ULTRA_LONG_DAYS, ULTRA_LONG_SHARE, NEVER_COLLECTED = 180, 2, 0.8  # FACTS 2.9


def once(text: Any, *phrases: str) -> None:
    """Each phrase stands in the article once: a second copy would hide an edit of the first."""
    text.says(*phrases)
    counts = {phrase: text.text.count(phrase) for phrase in phrases}
    repeated = {phrase: count for phrase, count in counts.items() if count != 1}
    assert not repeated, f"not unique: {repeated}"


def listed(text: Any, before: str) -> int:
    """How many entries the numbered list has that follows this phrase."""
    found = re.search(r"^(?:\d+\. .*\n?)+", text.text[text.text.index(before) :], re.MULTILINE)
    assert found, f"no numbered list after {before}"
    lines = found.group().strip().splitlines()
    assert [line.split(".")[0] for line in lines] == [str(n) for n in range(1, len(lines) + 1)]
    return len(lines)


def row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def tenths(share: float) -> str:
    """0.8 as 八成."""
    count = round(share * 10)
    assert abs(count - share * 10) < 1e-9, f"{share} isn't a whole number of tenths"
    return f"{'两' if count == 2 else NUMERALS[count]}成"


def signed(value: float, text: str) -> str:
    """A number with the full-width minus sign."""
    return f"－{text.lstrip('-')}" if value < 0 else text


def months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def working_days_later(day: date, days: int) -> date:
    """Saturdays and Sundays left out; the examples lie in weeks without public holidays."""
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < 5
    return day


def month_day(day: date) -> str:
    return f"{day.month}月{day.day}日"


def full_date(day: date) -> str:
    return f"{day.year}年{month_day(day)}"


def court_fee_yuan(claim_yuan: float) -> float:
    """诉讼费用交纳办法 art. 13, up to one million (FACTS 5.14)."""
    assert claim_yuan <= 1_000_000
    fee, lower = 50.0, 10_000.0
    for upper, rate in ((100_000, 0.025), (200_000, 0.02), (500_000, 0.015), (1_000_000, 0.01)):
        fee += max(0.0, min(claim_yuan, upper) - lower) * rate
        lower = upper
    return fee


def test_court_fee() -> None:
    assert court_fee_yuan(10_000) == 50
    assert court_fee_yuan(1_000_000) == 13_800  # FACTS 5.14


def test_dso_how_to_measure_and_lower(article: Article, shown: Shown) -> None:
    text = article("dso-how-to-measure-and-lower")
    cash, credit, receivables, vat, year = 730, 3650, 1000, 0.13, 365
    term, invoicing, invoicing_goal, rate = 55, 5, 1, 0.04
    names = ["未到期", "逾期1–30天", "逾期31–60天", "逾期61–90天", "逾期90天以上"]
    buckets = [600, 180, 100, 50, 70]
    sales, daily = cash + credit, credit / year
    assert sum(buckets) == receivables

    dso = receivables / credit * year
    with_cash = receivables / sales * year
    net = credit / (1 + vat)
    without_vat = receivables / net * year
    assert 0 < 17 - (dso - with_cash) < 0.5  # 近17天
    once(
        text,
        f"全年含税销售{sales}万元，其中现款{cash}万元、赊销{credit}万元；年末应收账款{receivables}万元",
        f"合同都写“票到{term}天付款”，发货到开票平均{invoicing}天",
        f"日均赊销：{credit}÷{year}＝{shown(daily, 0)}万元",
        f"DSO：{receivables}÷{credit}×{year}＝{shown(dso, 0)}天",
        f"{receivables}÷{sales}×{year}≈{shown(with_cash)}天，好看了近{shown(dso - with_cash, 0)}天",
        f"设税率{shown(vat * 100, 0)}%）：{credit}÷{1 + vat}≈{shown(net)}万元",
        f"{receivables}÷{shown(net)}×{year}≈{shown(without_vat)}天，难看了{shown(without_vat - dso, 0)}天",
        f"每收回{shown(daily, 0)}万元，DSO 就少1天。再把{receivables}万元按到期日摊开",
    )

    days = [amount / daily for amount in buckets]
    assert sum(days) == dso
    once(text, *(row(n, str(b), shown(d, 0)) for n, b, d in zip(names, buckets, days, strict=True)))
    by_terms = term + invoicing
    late = sum(days[1:])
    assert days[0] == by_terms == dso - late
    once(
        text,
        row("合计", str(sum(buckets)), shown(sum(days), 0)),
        f"DSO 应是{by_terms}天，即{term}天账期加{invoicing}天开票；多出的{shown(late, 0)}天就是平均逾期天数",
        f"{by_terms}天该不该给，{shown(late, 0)}天由谁去收",
    )

    saved = [(invoicing - invoicing_goal) * daily, buckets[1] / 2, buckets[2] / 2]
    saved_days = [amount / daily for amount in saved]
    total, total_days = sum(saved), sum(saved_days)
    amount = [shown(s, 0) for s in saved]
    fewer = [shown(d, 0) for d in saved_days]
    once(
        text,
        f"从平均{invoicing}天压到{invoicing_goal}天，不求人，也不必改合同，"
        f"应收少{amount[0]}万元，省{fewer[0]}天",
        f"一周内打电话，应收少{amount[1]}万元，省{fewer[1]}天",
        f"靠停发和约谈，应收少{amount[2]}万元，省{fewer[2]}天",
        f"三项合计{shown(total, 0)}万元、{shown(total_days, 0)}天，"
        f"DSO 从{shown(dso, 0)}天降到{shown(dso - total_days, 0)}天",
        f"年化{shown(rate * 100, 0)}%，一年省{shown(total * rate)}万元",
        f"这{shown(total, 0)}万元不必再去借",
    )

    percent, early, full = 2, 10, 30
    discount = percent / (100 - percent) * year / (full - early) * 100
    once(
        text,
        f"“{percent}/{early}，n/{full}”是{early}天内付款减{percent}%，否则{full}天付清",
        f"{percent}÷{100 - percent}×{year}÷{full - early}≈{shown(discount)}%",
    )

    december, november, october = 450, 350, 300
    left = receivables - december - november
    assert 0 < left < october
    two_months = [calendar.monthrange(2025, month)[1] for month in (12, 11)]
    october_days = calendar.monthrange(2025, 10)[1]
    counted_back = sum(two_months) + left / october * october_days
    assert counted_back < dso
    once(
        text,
        f"余额同为{receivables}万元，而12月赊销{december}万元、11月{november}万元、10月{october}万元",
        f"{receivables}－{december}－{november}＝{left}，{two_months[0]}＋{two_months[1]}＋{left}÷{october}"
        f"×{october_days}≈{shown(counted_back)}天，比{shown(dso, 0)}天短",
    )

    turnover = credit / receivables
    assert abs(year / turnover - dso) < 1e-9
    coface_terms, coface_delay = 76, 65  # FACTS 2.7
    nbs_days, nbs_more = 69.2, 3.3  # FACTS 2.1
    once(
        text,
        f"{year}÷周转率＝DSO。本例若全年平均应收也是{receivables}万元，"
        f"周转率是{shown(turnover, 2)}次，DSO 是{shown(dso, 0)}天",
        f"科法斯2025年调查里的{coface_terms + coface_delay}天是平均账期{coface_terms}天加平均拖欠{coface_delay}天",
        f"2025年9月末规模以上工业企业应收账款平均回收期为{nbs_days}天，同比增加{nbs_more}天",
        "自交付之日起60日内付款",  # FACTS 5.11
    )
    assert listed(text, f"明天上午的{NUMERALS[6]}件事") == 6
    once(text, f"附算例与{NUMERALS[6]}项清单")


def test_customer_overdue_first_30_days(article: Article, shown: Shown) -> None:
    text = article("customer-overdue-first-30-days")
    first, second, third, disputed = 32.0, 28.4, 26.0, 2.4
    first_late, second_late, new_order, margin = 30, 12, 18, 0.20

    book = first + second + third
    overdue = first + second
    undisputed = overdue - disputed
    once(
        text,
        f"1号{first}万元，逾期{first_late}天，其中{disputed}万元有短少争议",
        f"2号{second}万元，逾期{second_late}天；3号{third}万元，未到期",
        f"账面应收：{first}＋{second}＋{third}＝{shown(book)}万元；"
        f"逾期{shown(overdue)}万元，其中无争议{shown(undisputed)}万元",
    )

    gain, loss = new_order * margin, new_order * (1 - margin)
    certainty = loss / (loss + gain)
    assert abs(certainty - (1 - margin)) < 1e-9  # 起码的把握＝1－毛利率
    once(
        text,
        f"乙要求再发{new_order}万元，毛利率{shown(margin * 100, 0)}%。发了，敞口升到{shown(book + new_order)}万元",
        f"收得回赚{shown(gain)}万元，收不回亏{shown(loss)}万元",
        f"{shown(gain)}p＝{shown(loss)}×（1－p），得 p＝{shown(certainty * 100, 0)}%",
        f"毛利率{tenths(margin)}的货，没有{tenths(certainty)}以上的把握",
        "起码的把握＝1－毛利率",
    )

    amount_days = (first - disputed) * first_late + second * second_late
    interest = [amount_days * 10_000 * LPR * (1 + more) / 365 for more in (0.3, 0.5)]  # FACTS 5.4
    statutory = amount_days * 10_000 * HALF_PER_MILLE
    once(
        text,
        f"1号无争议{shown(first - disputed)}万元欠{first_late}天，2号{second}万元欠{second_late}天，"
        f"合计{shown(amount_days)}万元·天",
        "一年期 LPR 加计30–50%计算",
        f"假设 LPR 为{shown(LPR * 100)}%，约{shown(interest[0], 0)}–{shown(interest[1], 0)}元",
        f"按每日万分之{NUMERALS[round(HALF_PER_MILLE * 10_000)]}，是{shown(statutory, 0)}元",
    )

    fee = court_fee_yuan(round(undisputed * 10_000))
    once(
        text,
        f"本例{shown(undisputed)}万元，起诉的受理费是{shown(fee, 0)}元，"
        f"支付令比照三分之一交{shown(fee / 3, 0)}元",
        f"那{disputed}万元争议宜先了结",
        f"科法斯2025年4月公布的中国企业付款调查称，按它的经验，"
        f"超过{ULTRA_LONG_DAYS}天、且金额超过供应商年营业额{ULTRA_LONG_SHARE}%的欠款，"
        f"约{tenths(NEVER_COLLECTED)}没有收回",
        f"主债务履行期满之日起{NUMERALS[GUARANTEE_MONTHS]}个月",
        "法院受理后15日内发出，对方15日内清偿或书面异议",  # FACTS 5.13
        "法院48小时内裁定",  # FACTS 5.15
    )

    spans = [(1, 7), (8, 14), (15, 15), (16, 29), (30, 30)]
    assert all(end + 1 == start for (_, end), (start, _) in pairwise(spans))
    names = [f"第{start}–{end}天" if start < end else f"第{start}天" for start, end in spans]
    names[0] = names[0].replace("第", "逾期")
    once(text, *(f"| {name} |" for name in names), f"一笔账：{names[-1]}还发不发货")


def test_ageing_report(article: Article, shown: Shown) -> None:
    text = article("ageing-report")
    customers, previous_left = 40, [480, 200, 80, 25, 25]
    names = ["未到期", "逾期1–30天", "逾期31–60天", "逾期61–90天", "逾期90天以上"]
    first = [120, 60, 50, 10, 0]
    second = [40, 0, 5, 20, 35]
    others = [360, 60, 25, 10, 5]
    oldest_collected = 5

    buckets = [sum(cells) for cells in zip(first, second, others, strict=True)]
    total, overdue = sum(buckets), sum(buckets[1:])
    once(
        text,
        f"一家厂有{customers}户赊销客户，本月末应收{total}万元",
        f"| 档 | 客户甲 | 客户乙 | 其余{customers - 2}户 | 合计 |",
        *(row(*map(str, cells)) for cells in zip(names, first, second, others, buckets, strict=True)),
        row("合计", *(str(sum(column)) for column in (first, second, others, buckets))),
    )
    first_late, second_late = sum(first[1:]), sum(second[1:])
    two = first_late + second_late
    once(
        text,
        f"逾期合计{overdue}万元，占{total}万元的{shown(overdue / total * 100)}%",
        f"甲和乙逾期{two}万元，占{overdue}万元的{shown(two / overdue * 100)}%",
        f"甲逾期的{first_late}万元里有{first[1] + first[2]}万元在前两档",
        f"乙逾期的{second_late}万元里有{second[3] + second[4]}万元超过60天",
    )

    previous, previous_overdue = sum(previous_left), sum(previous_left[1:])
    rolled = buckets[4] - (previous_left[4] - oldest_collected)
    rates = [buckets[2] / previous_left[1], buckets[3] / previous_left[2], rolled / previous_left[3]]
    chain = rates[0] * rates[1] * rates[2]
    shares = [part / whole * 100 for part, whole in ((previous_overdue, previous), (overdue, total))]
    tails = [previous_left[3] + previous_left[4], buckets[3] + buckets[4]]
    assert shares[1] < shares[0]  # 看着好了
    assert tails[1] > tails[0]  # 尾巴没有
    assert rolled + previous_left[4] - oldest_collected == buckets[4]
    percent = [shown(rate * 100) for rate in rates]
    once(
        text,
        f"上月末五档依次是{'、'.join(map(str, previous_left))}，合计{previous}万元",
        f"上月{previous_overdue}÷{previous}≈{shown(shares[0])}%，本月{shown(shares[1])}%，看着好了",
        f"上月{previous_left[3]}＋{previous_left[4]}＝{tails[0]}万元，"
        f"本月{buckets[3]}＋{buckets[4]}＝{tails[1]}万元，多出{tails[1] - tails[0]}万元",
        f"1–30天档{buckets[2]}÷{previous_left[1]}＝{percent[0]}%",
        f"31–60天档{buckets[3]}÷{previous_left[2]}＝{percent[1]}%",
        f"61–90天档的{previous_left[3]}万元有{rolled}万元滚进90天以上，是{percent[2]}%",
        f"原有的{previous_left[4]}万元收回{oldest_collected}万元，"
        f"{rolled}＋{previous_left[4] - oldest_collected}＝{buckets[4]}万元，对得上",
        f"{percent[0]}%×{percent[1]}%×{percent[2]}%＝{shown(chain * 100)}%",
        f"眼下逾期1–30天的{buckets[1]}万元，三个月后约有{shown(buckets[1] * chain)}万元落进90天以上",
        f"只报一个{shown(shares[1])}%",
    )
    assert len(rates) == 3  # 三个月后: one bucket a month

    long_term, short_term = 90, 30
    once(
        text,
        f"账期{long_term}天的好客户和账期{short_term}天、拖了{long_term - short_term}天的客户",
        f"科法斯在2025年4月公布的中国企业付款调查里说，拖过{ULTRA_LONG_DAYS}天、金额又超过供应商年营业额{ULTRA_LONG_SHARE}%的，"
        f"照它的经验约{tenths(NEVER_COLLECTED)}没收回",
        f"拆成91–{ULTRA_LONG_DAYS}天、{ULTRA_LONG_DAYS + 1}天–1年、1–3年、3年以上，三道线",
        f"- {ULTRA_LONG_DAYS}天：快到这条线的",
        "逾期满三年是一道，满一年而单笔金额小是另一道",  # FACTS 4.9
        "普通诉讼时效三年",  # FACTS 5.1
        f"附模板、算例和{NUMERALS[8]}项系统功能清单",
        f"拿自己的账试这{NUMERALS[8]}项",
    )
    assert listed(text, "拿自己的账试这") == 8
    assert listed(text, f"{NUMERALS[4]}步做出一张表") == 4
    once(
        text,
        f"按到期日排队：{names[0]}、{names[1]}、{'、'.join(name[2:] for name in names[2:])}，每户各占多少",
    )
    once(text, "国家税务总局公告2011年第25号第二十三条、第二十四条")  # FACTS 4.9
    assert len(buckets) == len(previous_left) == NUMERALS.index("五")


def test_overdue_collection_ladder(article: Article, shown: Shown) -> None:
    text = article("overdue-collection-ladder")
    customers, owed, large, large_owed = 40, 320, 8, 256
    large_hours, small_hours = 2, 0.25

    small, small_owed = customers - large, owed - large_owed
    large_time, small_time = large * large_hours, small * small_hours
    total_time = large_time + small_time
    even = total_time / customers
    assert even * large < large_time / 3  # 不到分层时的三分之一
    minutes = shown(small_hours * 60, 0)
    once(
        text,
        f"一家公司有{customers}户逾期，合计{owed}万元。前{large}户欠{large_owed}万元，"
        f"占{shown(large_owed / owed * 100, 0)}%；其余{small}户欠{small_owed}万元，"
        f"平均每户{shown(small_owed / small, 0)}万元",
        f"前{large}户由负责人跟，每户每周{large_hours}小时：{large}×{large_hours}＝{large_time}小时，"
        f"每小时对应{large_owed}÷{large_time}＝{shown(large_owed / large_time, 0)}万元",
        f"其余{small}户由财务跟，每户每周{small_hours}小时，即{minutes}分钟："
        f"{small}×{small_hours}＝{shown(small_time, 0)}小时，"
        f"每小时对应{small_owed}÷{shown(small_time, 0)}＝{shown(small_owed / small_time, 0)}万元",
        f"合计{large_time}＋{shown(small_time, 0)}＝{shown(total_time, 0)}小时",
        f"同样{shown(total_time, 0)}小时，若{customers}户平均分，每户{shown(even)}小时，"
        f"前{large}户一共只分到{shown(even * large)}小时，不到分层时的三分之一",
        f"{minutes}分钟够不够？",
        f"示例里{small}户合计{small_owed}万元，占{tenths(small_owed / owed)}",
        f"统一日子、每户{minutes}分钟",
        f"累计到{tenths(large_owed / owed)}左右画一条线",
        f"加到{tenths(large_owed / owed)}左右画线",
    )

    names = ["一级", "二级", "三级", "四级", "五级"]
    ends = [7, 15, 30, 60, 90]
    starts = [1, *(end + 1 for end in ends[:-1])]
    once(
        text,
        "| 预备 | 到期前3–5天 |",
        *(f"| {name} | {start}–{end}天 |" for name, start, end in zip(names, starts, ends, strict=True)),
        f"## {NUMERALS[len(names) + 1]}级动作表",
        f"这{NUMERALS[len(names) + 1]}级不是每户都要走完",
        # the same days in the summary, the key points, the lead and the questions
        f"到期前提醒，第{ends[1]}天书面催告，第{ends[2]}天前停发约谈，第45天前后发律师函，"
        f"第{ends[3]}天以后支付令或起诉",
        f"第{ends[1]}天发书面催告，大户小户都发",
        f"第{ends[1]}天发书面催告；第{starts[2]}–{ends[2]}天依约停发、负责人约谈；"
        f"第45天前后发律师函；第{ends[3]}天以后支付令、仲裁或者起诉",
        f"盖章对账；第{ends[1]}天发书面催告",
        "补齐卷宗，第45天前后委托律师",
        f"小户也在第{ends[1]}天发",
        f"第{ends[1]}天那封函因此不能省",
        f"第{ends[3]}天还没有书面还款计划",
        # the law
        "对方收到后15日内不付也不书面异议",  # FACTS 5.13
        "三年的诉讼时效",  # FACTS 5.1
        f"到期日之后只有{NUMERALS[GUARANTEE_MONTHS]}个月",
    )
    assert starts[3] < 45 < ends[3]  # the lawyer's letter belongs to 四级


def test_repayment_plan(article: Article, shown: Shown) -> None:
    text = article("repayment-plan")
    debt, down, instalments, rate, grace, daily_penalty = 60, 18, 6, 0.04, 5, 0.0003
    due, signed_on, first_due = date(2026, 9, 30), date(2026, 12, 10), date(2027, 1, 10)
    paid_instalments = 2

    rest = debt - down
    each = rest // instalments
    assert each * instalments == rest
    dates = [months_later(first_due, number) for number in range(instalments)]
    balances = [rest - each * number for number in range(instalments)]
    carried = sum(balances)
    cost = carried * rate / 12
    paid = down + each * paid_instalments
    owed = debt - paid
    once(
        text,
        f"客户丙欠货款{debt}万元，{full_date(due)}到期。{month_day(signed_on)}签计划：当天首付{down}万元，"
        f"余下{rest}万元分{instalments}期，从{first_due.year}年{first_due.month}月起"
        f"每月{first_due.day}日付{each}万元，{month_day(dates[-1])}付清",
        f"首付比例：{down}÷{debt}＝{shown(down / debt * 100, 0)}%；"
        f"合计：{down}＋{each}×{instalments}＝{down + each * instalments}万元",
        f"各月余额{'＋'.join(map(str, balances))}＝{carried}万元·月，资金成本假设年化{shown(rate * 100, 0)}%，"
        f"{carried}×{shown(rate * 100, 0)}%÷12≈{shown(cost)}万元",
        f"丙付了{dates[0].month}月、{dates[1].month}月两期后停了："
        f"已收{down}＋{each}×{paid_instalments}＝{paid}万元，还欠{debt}－{paid}＝{owed}万元",
        f"半年分期的利息不过{shown(cost)}万元，风险在那{owed}万元",
        f"示例用{tenths(down / debt)}",
    )

    missed = dates[paid_instalments]
    guarantee_end = months_later(due, GUARANTEE_MONTHS)
    grace_end = working_days_later(missed, grace)
    left_at_grace = (guarantee_end - grace_end).days
    once(
        text,
        f"{month_day(missed)}那天到期的只有{each}万元，余下{owed - each}万元要一期一期等；"
        f"写了，{owed}万元可以一次去追",
        f"按主债务到期日起{NUMERALS[GUARANTEE_MONTHS]}个月算，到{full_date(guarantee_end)}。"
        f"丙在{month_day(missed)}停付，离那天只剩{(guarantee_end - missed).days}天",
        f"本例在{month_day(missed)}停付，宽限{grace}个工作日到{month_day(grace_end)}，"
        f"离保证期间届满只剩{left_at_grace}天",
        f"这{left_at_grace}天里就要按保证方式起诉对方",
        f"任何一期逾期满{grace}个工作日，全部未付余额一次到期",
        f"截至某日尚欠本金{debt}万元，无异议",
        f"签约当日到账{down}万元，到账后计划生效",
        f"{NUMERALS[instalments]}个日期、{NUMERALS[instalments]}个金额、一个收款账户",
        f"只在微信里说“分{NUMERALS[instalments]}期还”",
        f"请对方把{NUMERALS[instalments]}个日期和金额发到约定邮箱",
    )

    late = (signed_on - due).days
    once(
        text,
        f"示例里{debt}万元逾期{late}天，即使约定了日万分之{NUMERALS[round(daily_penalty * 10_000)]}，"
        f"违约金也只有约{shown(debt * daily_penalty * late)}万元",
        # the law
        "三年的诉讼时效从头算",  # FACTS 5.1
        f"到期后{NUMERALS[GUARANTEE_MONTHS]}个月就满",
        "对方收到后15日内不付也不书面异议",  # FACTS 5.13
        "半年内被法院受理破产的",  # FACTS 5.16
    )


def test_shipping_hold(article: Article, shown: Shown) -> None:
    text = article("shipping-hold")
    limit, receivables, overdue, days_late, order = 100, 78, 20, 20, 30
    grace, contract_days, offered = 15, 7, 8

    exposure = receivables + order
    excess = exposure - limit
    still_overdue = overdue - offered
    cleared = exposure - overdue
    assert excess > 0
    assert days_late > grace > contract_days
    assert exposure - offered <= limit
    assert cleared <= limit
    once(
        text,
        f"宽限几天自己定，本文以{grace}天为例",
        f"客户戊额度{limit}万元，年度合同写明逾期超过{contract_days}天可以暂停供货",
        f"账上应收{receivables}万元，其中{overdue}万元逾期{days_late}天；已接未发的一张单{order}万元",
        f"敞口：{receivables}＋{order}＝{exposure}万元，超{excess}万元，额度关没过",
        f"逾期：{overdue}万元逾期{days_late}天，超过{grace}天的宽限，逾期关也没过",
        f"只收{offered}万元：敞口降到{exposure - offered}万元，额度刚够，仍有{still_overdue}万元逾期，不放行",
        f"收齐{overdue}万元：{receivables}＋{order}－{overdue}＝{cleared}万元，两道都过，放行；"
        f"发完后还剩{limit - cleared}万元的额度",
    )

    after_first = receivables - offered + offered
    second_lot = order - offered
    assert after_first == receivables
    assert after_first - still_overdue + second_lot == cleared
    once(
        text,
        f"如果客户说只能先付{offered}万元",
        f"付{offered}万元，发同等金额的货，应收仍是{after_first}万元；"
        f"再付清其余{still_overdue}万元，两道关都过了，发剩下的{second_lot}万元",
        f"| 逾期1–{grace}天 |",
        f"| 逾期超过{grace}天 |",
        f"到期货款逾期超过{contract_days}天，或者",
        f"合同里的{contract_days}天比内部宽限的{grace}天早",
        "单独拿出来，未必够得上“确切证据”",
        f"“晚付了{NUMERALS[days_late // 10]}十天”",
    )
    assert days_late % 10 == 0

    paid, made, resale = 10, 30, 6
    once(
        text,
        f"它付{paid}万元旧款，您发不超过{paid}万元的货，应收不涨",
        f"货值{made}万元已经做完，转卖只值{resale}万元：扣住得{resale}万元，发出去收得回得{made}万元，"
        f"门槛是{resale}÷{made}＝{shown(resale / made * 100, 0)}%",
    )
    assert listed(text, f"停发通知函写这{NUMERALS[7]}点") == 7
    for start, count in (("四处不能省：", 4), ("放行写四样：", 4), ("停发条款写四样：", 4)):
        sentence = re.split("[。；\n]", text.text.split(start)[1])[0]
        assert len(re.split("[，、]", sentence)) == count == NUMERALS.index("四"), start


def test_customer_concentration_stress_test(article: Article, shown: Shown) -> None:
    text = article("customer-concentration-stress-test")
    top, smalls = [40, 20, 10, 10], 20
    cut_top, newcomers = 30, 10
    receivables, months, payments, cash, recovered = 1200, 3, 400, 300, 0.1

    squares = [share**2 for share in top]
    hhi = sum(squares) + smalls
    assert sum(top) + smalls == 100
    assert top[0] - cut_top == newcomers  # ten points, one each
    cut_squares = [cut_top**2, *squares[1:]]
    cut_hhi = sum(cut_squares) + smalls + newcomers
    once(
        text,
        f"占比用百分数，{top[0]}%就记{top[0]}",
        f"应收{receivables}万元，前四户占{'、'.join(map(str, top))}，其余{smalls}户各占1",
        f"占比合计：{'＋'.join(map(str, top))}＋{smalls}×1＝{sum(top) + smalls}",
        f"HHI：{'＋'.join(map(str, squares))}＋{smalls}＝{hhi}，其中头号一户占{squares[0]}，"
        f"约{shown(squares[0] / hhi * 100)}%",
        f"头号降到{cut_top}，让出的{newcomers}分给{NUMERALS[newcomers]}家新客户各1："
        f"{'＋'.join(map(str, cut_squares))}＋{smalls + newcomers}＝{cut_hhi}",
        "美国2023年《合并指南》把 HHI 高于1800的市场称为高度集中，1000–1800为中度",  # FACTS 1.13
        "单一客户低于20%看作风险较低、高于50%看作风险较高",  # FACTS 7.6
    )

    first = receivables * top[0] // 100
    others = receivables - first
    monthly = others // months
    late_part = round(first * recovered)
    loss = first - late_part
    lasts = cash / (payments - monthly)
    assert monthly * months == others
    once(
        text,
        f"应收{receivables}万元，回款周期约三个月",
        f"头号客户{first}万元，其余{others}万元，每月各回{monthly}万元。每月付款{payments}万元，期初现金{cash}万元",
        f"只在第{months}个月收回一成，即{late_part}万元，损失{loss}万元",
        f"本例{cash}÷（{payments}－{monthly}）≈{shown(lasts)}个月",
        f"下文的例子是{shown(lasts)}个月",
    )
    assert tenths(recovered) == "一成"

    def cells(values: list[int]) -> list[str]:
        return [signed(value, str(value)) for value in values]

    back = [0, 0, late_part]
    opening, closing = [cash], []
    for income in back:
        closing.append(opening[-1] + monthly + income - payments)
        opening.append(closing[-1])
    all_paid = payments * months
    assert closing[-1] == cash + others + late_part - all_paid
    assert closing[0] > 0 > closing[1]  # 第2月月底就断了
    gap = -closing[-1]
    assert gap == loss - cash
    merely_late = cash + others - all_paid
    assert merely_late == closing[-1] - late_part
    once(
        text,
        row("期初现金", *cells(opening[:months]), str(cash)),
        row("其余客户回款", *cells([monthly] * months), str(others)),
        row("头号客户回款", *cells(back), str(sum(back))),
        row("付款", *cells([-payments] * months), signed(-all_paid, str(all_paid))),
        row("期末现金", *cells(closing), *cells(closing[-1:])),
        f"第2月月底就断了，到第{months}月月底缺{gap}万元，正好是损失{loss}减现金{cash}",
        f"第{months}月月底是{cash}＋{others}－{all_paid}＝{signed(merely_late, str(merely_late))}万元，"
        f"与上表只差那{late_part}万元",
        f"“只是晚付”的缺口是{-merely_late}万元，比只收回一成时还大",
    )
    assert -merely_late > gap

    stopped = 80
    second_end, third_end = closing[1] + stopped, closing[2] + 2 * stopped
    assert min(second_end, third_end) > 0
    once(
        text,
        f"从第2月起停备，每月少付{stopped}万元",
        f"第2月期末：{signed(closing[1], str(closing[1]))}＋{stopped}＝{second_end}万元",
        f"第3月期末：{signed(closing[2], str(closing[2]))}＋{2 * stopped}＝{third_end}万元",
        f"还剩{third_end}万元，前提是这{stopped}万元的采购真停得下来",
    )

    turns, margin, thick, thin = 12 // months, 0.05, 0.10, 0.03
    sales = receivables * turns
    profit = sales * margin
    percent = [shown(rate * 100, 0) for rate in (margin, thick, thin)]
    once(
        text,
        f"上例全年赊销约{sales}万元（{receivables}×{turns}），假设净利率{percent[0]}%，"
        f"全年净利{shown(profit, 0)}万元，{loss}万元相当于{shown(loss / profit)}年的利润",
        f"{loss}÷{percent[0]}%＝{shown(loss / margin, 0)}万元",
        f"同样亏{loss}万元，净利率{percent[1]}%的公司补回来要做{shown(loss / thick, 0)}万元生意，"
        f"净利率{percent[2]}%的要做{shown(loss / thin / 10_000, 2)}亿元",
        "2025年规模以上工业企业的营业收入利润率是5.31%",  # FACTS 2.5
    )
    old_term, new_term = 60, 45
    assert (old_term - new_term) / old_term == 1 / 4
    once(text, f"{old_term}天改{new_term}天，它的应收就少四分之一")


def test_customer_review_abc(article: Article, shown: Shown) -> None:
    text = article("customer-review-abc")
    counts = [20, 25, 15]
    times = [1, 2, 4]  # a year: once, every half-year, every quarter
    hours_each = [1, 1, 0.5]

    reviews = [count * per_year for count, per_year in zip(counts, times, strict=True)]
    hours = [number * each for number, each in zip(reviews, hours_each, strict=True)]
    customers, total = sum(counts), sum(reviews)
    quarterly = customers * times[2]
    extra_a = counts[0] * (times[2] - times[0])
    products = "＋".join(f"{count}×{per_year}" for count, per_year in zip(counts, times, strict=True))
    once(
        text,
        f"{customers}户赊销客户：A 级{counts[0]}户，B 级{counts[1]}户，C 级{counts[2]}户",
        f"次数：{products}＝{'＋'.join(map(str, reviews))}＝{total}次，一个月约{shown(total / 12, 0)}次",
        f"A 级、B 级每次{hours_each[0]}小时，C 级每次{hours_each[2]}小时，"
        f"{'＋'.join(shown(part, 0) for part in hours)}＝{shown(sum(hours), 0)}小时，"
        f"一个月约{shown(sum(hours) / 12)}小时",
        f"若{customers}户一律按季查：{customers}×{times[2]}＝{quarterly}次，"
        f"多出{quarterly - total}次，其中{extra_a}次花在 A 级身上",
        "A 级一年一查、B 级半年、C 级一季",
        "A 级一年，B 级半年，C 级一季",
    )
    assert hours_each[0] == hours_each[1]
    assert hours_each[2] == 0.5
    once(text, "C 级每次半小时")

    def half_year(name: str, amounts: list[int], late: list[int]) -> float:
        parts = [amount * days for amount, days in zip(amounts, late, strict=True)]
        average = sum(parts) / sum(amounts)
        payments = "，".join(f"{amount}万元晚{days}天" for amount, days in zip(amounts, late, strict=True))
        once(
            text,
            f"{name}：{payments}。合计{'＋'.join(str(part) for part in parts if part)}＝{sum(parts)}万元·天，"
            f"{sum(parts)}÷{sum(amounts)}＝{shown(average, 0)}天",
        )
        return average

    amounts = [20, 30, 10, 40]
    before = half_year("上半年", amounts, [0, 2, 6, 2])
    after = half_year("下半年", amounts, [0, 4, 30, 12])
    good, weak = 5, 20
    assert before < good <= after <= weak  # an A customer has become a B customer
    once(
        text,
        f"客户丙上、下半年各付{NUMERALS[len(amounts)]}笔，每半年都是{sum(amounts)}万元",
        f"从{shown(before, 0)}天到{shown(after, 0)}天，还没到催收的地步，已经够降到 B 级",
        f"会觉得{shown(after, 0)}天不算什么",
        f"平均晚付不到{good}天",
        f"平均晚付{good}–{weak}天",
        f"晚付超过{weak}天，或合作不满半年",
    )
