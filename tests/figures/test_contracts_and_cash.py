"""The figures of the articles on contract terms, cash planning and old debts.

Amounts are in 万元 unless a name says yuan. A rate of a law or survey stands here as the list of facts gives it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from itertools import accumulate
from typing import Any

import pytest

Article = Callable[[str], Any]
Shown = Callable[..., str]

WORDS = dict(enumerate("零一二三四五六七八九十"))
STATUTORY_DAILY = 0.0005  # 条例第十七条 (facts 5.11)
PENALTY_ALLOWANCE = 0.30  # above the loss: 过分高于 (facts 5.3)
LPR_MARKUP = (0.30, 0.50)  # 买卖合同解释第十八条 (facts 5.4)
RECOVERY_LIMIT = 0.75  # 买卖合同解释第二十六条 (facts 5.7)
DEPOSIT_LIMIT = 0.20  # 民法典第五百八十六条 (facts 5.6)
INSTALMENT_LINE = 1 / 5  # 民法典第六百三十四条
INSTALMENTS = 3  # 买卖合同解释第二十七条
STATUTORY_TERM = 60  # 条例第九条 (facts 5.11)
LIMITATION_YEARS = 3  # 民法典第一百八十八条 (facts 5.1)


def day(when: date) -> str:
    return f"{when.month}月{when.day}日"


def full_day(when: date) -> str:
    return f"{when.year}年{day(when)}"


def per_ten_thousand(rate: float) -> str:
    """A daily rate as contracts say it: 万分之三."""
    return f"万分之{WORDS[round(rate * 10_000)]}"


def signed(value: int) -> str:
    """A whole number with the minus sign of the tables."""
    return str(value) if value >= 0 else f"－{-value}"


def running(start: float, flows: Sequence[float]) -> list[float]:
    """The balances after each flow."""
    return list(accumulate(flows, initial=start))[1:]


def after_months(start: date, months: int) -> date:
    years, month = divmod(start.month - 1 + months, 12)
    return start.replace(year=start.year + years, month=month + 1)


FEE_STEPS = ((100_000, 0.025), (200_000, 0.02), (500_000, 0.015), (1_000_000, 0.01))  # facts 5.14


def court_fee_parts(claim_yuan: float) -> list[float]:
    """The fee of a suit by its steps; the scale here ends at one million."""
    assert claim_yuan <= FEE_STEPS[-1][0]
    parts, lower = [50.0], 10_000
    for upper, rate in FEE_STEPS:
        if claim_yuan > lower:
            parts.append((min(claim_yuan, upper) - lower) * rate)
        lower = upper
    return parts


def discount_cost(percent: float, discount_days: int, term: int) -> float:
    """What a cash discount costs in per cent a year, simple interest."""
    return percent / (100 - percent) * 365 / (term - discount_days) * 100


def test_credit_sale_contract_clauses(article: Article, shown: Shown) -> None:
    text = article("credit-sale-contract-clauses")
    price, days, agreed, lpr, provable = 100, 60, 0.0003, 0.03, 0.0002
    penalty = price * agreed * days
    yearly = [lpr * (1 + markup) for markup in LPR_MARKUP]
    losses = [price * rate * days / 365 for rate in yearly]
    low, high = (shown(loss, 2) for loss in losses)
    loss = price * provable * days
    line = loss * (1 + PENALTY_ALLOWANCE)
    assert penalty > line  # so the buyer may ask for a reduction

    text.says(
        f"货款{price}万元，晚付{days}天",
        f"按未付金额的{per_ten_thousand(agreed)}支付",
        f"合同约定每日{per_ten_thousand(agreed)}：{price}×{shown(agreed * 100, 2)}%×{days}＝{shown(penalty, 2)}万元，"
        f"合年化{shown(agreed * 365 * 100, 2)}%",
        f"一年期 LPR 作底，加计{LPR_MARKUP[0] * 100:.0f}–{LPR_MARKUP[1]:.0%}（",
        f"一年期 LPR 加计{LPR_MARKUP[0] * 100:.0f}–{LPR_MARKUP[1]:.0%}算损失",
        f"假设 LPR 是{shown(lpr * 100, 1)}%，年化就是{shown(yearly[0] * 100, 1)}–{shown(yearly[1] * 100, 1)}%，"
        f"得{low}–{high}万元",
        f"差了{shown(penalty - losses[1], 2)}–{shown(penalty - losses[0], 2)}万元",
        f"每日{per_ten_thousand(provable)}，{days}天是{shown(loss, 2)}万元，加三成是{shown(line, 2)}万元；"
        f"约定的{shown(penalty, 2)}万元超过了",
        f"违约金超过损失{PENALTY_ALLOWANCE:.0%}的",
    )
    # the question about a rate of five in a thousand
    wished = 0.005
    text.says(
        f"写每天千分之{WORDS[round(wished * 1000)]}，行不行",
        f"千分之{WORDS[round(wished * 1000)]}合年化{shown(wished * 365 * 100, 1)}%",
        f"按每日{per_ten_thousand(STATUTORY_DAILY)}（第十七条），[^order-802]"
        f"合年化{shown(STATUTORY_DAILY * 365 * 100, 2)}%",
    )
    # the lines of the law
    text.says(
        f"买方要在交付后{STATUTORY_TERM}日内付清",
        "2019年8月20日之后违约的",  # facts 5.4
        f"买方已付到总价款{RECOVERY_LIMIT:.0%}以上的",
        f"买方付到总价的{RECOVERY_LIMIT:.0%}，货就取不回来了",
        f"至少分{WORDS[INSTALMENTS]}次付的",
        f"约定分{WORDS[INSTALMENTS]}期以上付的",
        f"全部价款的{WORDS[round(1 / INSTALMENT_LINE)]}分之一",
        f"欠满{WORDS[round(1 / INSTALMENT_LINE)]}分之一的线",
    )
    clauses = ["付款日", "验收与异议", "违约金", "停发与提前到期", "所有权保留", "对账", "送达", "管辖与费用"]
    text.says(f"附{WORDS[len(clauses)]}条款写法", f"{WORDS[len(clauses)]}个条款，一页写完")
    text.says(*(f"| {clause} | " for clause in clauses))
    assert text.text.count("\n| ") == len(clauses) + 2


def test_security_clauses(article: Article, shown: Shown) -> None:
    text = article("security-clauses")
    price, signed_for = 100, date(2027, 1, 20)
    deposit, advance = 20, 10
    instalments, gap = [25, 20, 25], 30
    assert deposit == price * DEPOSIT_LIMIT
    assert deposit + advance + sum(instalments) == price
    paid = [round(total) for total in running(deposit + advance, instalments)]
    dates = [signed_for + timedelta(gap * (number + 1)) for number in range(len(instalments))]
    first = deposit + advance
    assert paid[1] == price * RECOVERY_LIMIT
    assert paid[0] < price * RECOVERY_LIMIT

    text.says(
        f"设备总价{price}万元，{full_day(signed_for)}签收。签约付{first}万元"
        f"（定金{deposit}万元、预付款{advance}万元），签收后"
        + "，".join(f"{gap * (number + 1)}天付{amount}万元" for number, amount in enumerate(instalments)),
        f"一笔账：{price}万元的设备",
        f"签收当天：累计{first}万元，敞口{price - first}万元，货物仍归卖方",
        f"{day(dates[0])}付第二笔：累计{paid[0]}万元，敞口{price - paid[0]}万元，货物仍归卖方",
        f"{day(dates[1])}付第三笔：累计{paid[1]}万元，敞口{price - paid[1]}万元，刚好踩到{RECOVERY_LIMIT:.0%}",
        f"{day(dates[2])}尾款{instalments[-1]}万元",
        f"六个月到{day(after_months(dates[2], 6))}届满",
        f"尾款占{WORDS[round(price / instalments[-1])]}分之一，又没有保证的，这{instalments[-1]}万元",
        f"“其中{DEPOSIT_LIMIT:.0%}为定金，其余{advance / price:.0%}为预付款",
        f"{price}万元的合同，{deposit}万元写定金，另外{first - deposit}万元写预付款",
        f"所以要{WORDS[first * 10 // price]}成首付款时",
        f"不超过合同额的{DEPOSIT_LIMIT:.0%}，多收的部分",
        f"不得超过合同标的额的{DEPOSIT_LIMIT:.0%}",
        f"定金不超过合同额{DEPOSIT_LIMIT:.0%} |",
        f"有定金效力的不超过合同额的{DEPOSIT_LIMIT:.0%}",
    )
    text.says(
        f"买方付到{RECOVERY_LIMIT:.0%}，取回这条路",
        f"付到{RECOVERY_LIMIT:.0%}以后取不回 |",
        f"再盯住{RECOVERY_LIMIT:.0%}",
        f"买方已付总价款的{RECOVERY_LIMIT:.0%}以上",
        f"付到{RECOVERY_LIMIT:.0%}之前开一次会",
    )
    # the two other ways to split the price
    small_tail, big_tail = [40, 25, 20, 15], [40, 15, 15, 30]
    assert sum(small_tail) == sum(big_tail) == price
    assert sum(small_tail[:3]) >= price * RECOVERY_LIMIT > sum(big_tail[:3])
    text.says(
        f"合计都是{price}万元",
        f"{'、'.join(map(str, small_tail))}万元：付完第三笔累计{sum(small_tail[:3])}万元，"
        f"没有货物兜底的只剩{price - sum(small_tail[:3])}万元",
        f"{'、'.join(map(str, big_tail))}万元：付完第三笔累计{sum(big_tail[:3])}万元，取回的权利还在，"
        f"尾款却有{price - sum(big_tail[:3])}万元",
    )
    # the fifth of the price that lets the seller claim all of it
    line = round(price * INSTALMENT_LINE)
    each, less = instalments[0], big_tail[1]
    assert each > line
    assert less < line <= 2 * less
    text.says(
        f"至少分{WORDS[INSTALMENTS]}次付的买卖",
        f"总价的{WORDS[round(1 / INSTALMENT_LINE)]}分之一",
        f"每期{each}万元，漏一期就过了{line}万元这条线；每期{less}万元，要漏满两期",
    )


def test_credit_terms_and_discounts(article: Article, shown: Shown) -> None:
    text = article("credit-terms-and-discounts")
    sales, term, wished, new_term = 1200, 60, 1350, 90
    margin, cost, worse = 0.18, 0.04, 0.005
    extra = wished - sales
    before, after = sales / 365 * term, wished / 365 * new_term
    profit, interest, losses = extra * margin, (after - before) * cost, wished * worse
    gain = profit - interest - losses
    money = f"{shown(profit)}－{shown(interest)}"

    def result_of(more: float) -> float:
        held = (sales + more) / 365 * new_term - before
        return more * margin - held * cost - (sales + more) * worse

    # result_of is a straight line, so two of its points give the sale that breaks even
    needed = -result_of(0) / (result_of(1) - result_of(0))
    assert abs(result_of(needed)) < 1e-9
    assert result_of(30) < 0
    assert result_of(50) < 0
    assert result_of(extra) == pytest.approx(gain)

    text.says(
        f"全年赊销{sales}万元，账期{term}天。业务员说，改成{new_term}天能做到{wished}万元。毛利率{margin:.0%}，"
        f"资金成本假设年化{cost:.0%}，放宽后坏账率假设增加{shown(worse * 100, 1)}个百分点",
        f"放宽{new_term - term}天：一笔账",
        f"多给{new_term - term}天值不值",
        f"账期放宽{new_term - term}天才不亏",
        f"账期是价格的一部分。放宽{new_term - term}天",
        f"原来占用：{sales}÷365×{term}≈{shown(before)}万元",
        f"放宽后占用：{wished}÷365×{new_term}≈{shown(after)}万元，多占{shown(after - before)}万元",
        f"新增毛利：{extra}×{margin:.0%}＝{shown(profit)}万元",
        f"资金成本：{shown(after - before)}×{cost:.0%}≈{shown(interest)}万元",
        f"新增坏账：{wished}×{shown(worse * 100, 1)}%≈{shown(losses)}万元",
        f"一年多赚：{money}－{shown(losses)}＝{shown(gain)}万元",
        f"赊销额至少要多{shown(needed)}万元，也就是增长约{shown(needed / sales * 100)}%，才不亏",
        f"赊销要多出约{shown(needed / sales * 100, 0)}%",
        "只多卖三五十万元，是倒贴",
        f"{money}＝{shown(profit - interest)}万元，除以{wished}万元，"
        f"坏账率只要多出{shown((profit - interest) / wished * 100)}个百分点",
        f"应收多压{shown(after - before)}万元",
    )
    # tightening
    shorter = 45
    freed = sales / 365 * (term - shorter)
    saved = freed * cost
    lost = saved / margin
    text.says(
        f"收紧{term - shorter}天：",
        f"账期从{term}天改成{shorter}天，应收少{sales}÷365×{term - shorter}≈{shown(freed)}万元，"
        f"一年省利息约{shown(saved)}万元。按{margin:.0%}的毛利率，丢掉{shown(lost)}万元的订单",
        f"只占全年赊销的{shown(lost / sales * 100)}%",
    )
    # discounts: per cent off, days to pay with it, the term without it
    usual, longer, one, half = (2, 10, 30), (2, 10, 60), (1, 10, 60), (0.5, 10, 60)
    early = usual[2] - usual[1]

    def sum_of(offer: tuple[float, int, int]) -> str:
        percent, soon, late = offer
        return f"{percent}÷{100 - percent}×365÷{late - soon}≈{shown(discount_cost(*offer))}%"

    text.says(
        f"“{usual[0]}/{usual[1]}，n/{usual[2]}”：{usual[1]}天内付减{usual[0]}%，否则{usual[2]}天付清，{sum_of(usual)}",
        f"改成{longer[2]}天账期，{longer[1]}天内付减{longer[0]}%：{sum_of(longer)}",
        f"{one[2]}天账期，{one[1]}天内付减{one[0]}%：{sum_of(one)}",
        f"{half[2]}天账期，{half[1]}天内付减{half[0]}%：{sum_of(half)}",
        f"减{usual[0]}%换客户早付{early}天，合年化约{shown(discount_cost(*usual))}%",
        f"反过来看：减{usual[0]}%换客户早付",
    )
    half_sales = sales // 2
    given = half_sales * longer[0] / 100
    less = half_sales / 365 * (term - longer[1])
    text.says(
        f"若有一半赊销额（{half_sales}万元）改为{longer[1]}天付、减{longer[0]}%，让出去{shown(given)}万元，"
        f"应收少{shown(less)}万元，按{cost:.0%}只省利息{shown(less * cost)}万元，净亏{shown(given - less * cost)}万元",
    )
    # the tip, the list and the questions
    slow_invoice, slow_payment, more_days = 10, 15, 30
    share = cost * more_days / 365
    text.says(
        f"谈判桌上争{more_days}天，开票慢{slow_invoice}天、对方惯常晚付{slow_payment}天，"
        f"已经送出去{slow_invoice + slow_payment}天",
        f"{term}天一个价，{new_term}天一个价，差价不低于{new_term - term}天的资金成本",
        f"按年化{cost:.0%}算，{more_days}天的资金成本约是货款的{shown(share * 100, 2)}%，"
        f"一万元约{shown(10_000 * share, 0)}元",
        f"多给{more_days}天，每万元货",
        "科法斯2025年4月公布的中国企业付款调查（受访企业一千多家）里，2024年平均账期是76天",  # facts 2.7
    )


def test_sixty_day_payment_rule(article: Article, shown: Shown) -> None:
    text = article("sixty-day-payment-rule")
    price, delivered, received = 80, date(2026, 3, 1), date(2026, 6, 29)
    due = delivered + timedelta(STATUTORY_TERM)
    late = (received - due).days
    interest = price * STATUTORY_DAILY * late
    text.says(
        f"货款{price}万元，{full_day(delivered)}交付",
        f"{day(received)}到账",
        f"从{day(delivered)}的次日数起，第{STATUTORY_TERM}日是{day(due)}",
        f"逾期：{day(due + timedelta(1))}到{day(received)}，共{late}天",
        f"利息：{price}×{shown(STATUTORY_DAILY * 100, 2)}%×{late}＝{shown(interest, 2)}万元，"
        f"合年化{shown(STATUTORY_DAILY * 365 * 100, 2)}%",
    )
    agreed = 0.0003
    text.says(
        f"逾期利率每日{per_ten_thousand(agreed)}：{price}×{shown(agreed * 100, 2)}%×{late}"
        f"＝{shown(price * agreed * late, 2)}万元",
        f"不能改要{per_ten_thousand(STATUTORY_DAILY)}",
        f"不写反而按{per_ten_thousand(STATUTORY_DAILY)}",
    )
    inspection = 15
    inspected = delivered + timedelta(inspection)
    then_due = inspected + timedelta(STATUTORY_TERM)
    then_late = (received - then_due).days
    text.says(
        f"交付后{inspection}日内验收、验收合格后{STATUTORY_TERM}日付款",
        f"验收期{day(inspected)}届满，{STATUTORY_TERM}日到{day(then_due)}，逾期{then_late}天；没约定利率的，"
        f"{price}×{shown(STATUTORY_DAILY * 100, 2)}%×{then_late}"
        f"＝{shown(price * STATUTORY_DAILY * then_late, 2)}万元",
    )
    # the numbers of the regulation (facts 5.11)
    public_term, handover, answer, longest = 30, 10, 30, 90
    in_force, agreed_term = date(2025, 6, 1), 90
    text.says(
        f"应当自交付之日起{STATUTORY_TERM}日内付款；晚付要给逾期利息，没约定利率的按每日{per_ten_thousand(STATUTORY_DAILY)}",
        f"没约定逾期利率按每日{per_ten_thousand(STATUTORY_DAILY)}",
        f"| 适用 | 交付起{STATUTORY_TERM}日内；",
        f"| 适用 | 交付起{public_term}日内；约定更长的，不得超过{STATUTORY_TERM}日",
        f'!!! warning "{STATUTORY_TERM}日不是封顶线',
        f"{STATUTORY_TERM}日是约定期限的上限；对大型企业，{STATUTORY_TERM}日是没有另外约定时的期限",
        f"{STATUTORY_TERM}日是没有另外约定时的期限，合同约定更长",
        f"{handover}个工作日内转交",
        f"收到材料之日起{answer}日内形成结果",
        f"总共不超过{longest}日",
        f"合同写了{agreed_term}天，不会自动变成{STATUTORY_TERM}天",
        f"合同写了{agreed_term}天，能直接要求{STATUTORY_TERM}天付吗",
        f"有材料说明{agreed_term}天不合理",
        f"再按交付或验收日数{STATUTORY_TERM}天，算出逾期利息",
        f"算准{STATUTORY_TERM}天从哪天起",
        f"## {STATUTORY_TERM}天从哪天数起",
        f"依据是{full_day(in_force)}起施行的",
        f"{full_day(in_force)}以前签的合同",
    )


def test_payable_days_too_long(article: Article, shown: Shown) -> None:
    text = article("payable-days-too-long")
    purchases, payable, term = 2800, 700, 60
    daily = purchases / 365
    usual = daily * term
    overdue = payable - usual
    days = payable / daily
    text.says(
        f"含税年采购{purchases}万元，年末应付{payable}万元，约定账期都是{term}天",
        f"日均采购：{purchases}÷365≈{shown(daily)}万元",
        f"DPO：{payable}÷{purchases}×365≈{shown(days)}天",
        f"一个例子：{shown(days)}天里",
        f"按{term}天应有的应付：{purchases}÷365×{term}≈{shown(usual)}万元",
        f"超期应付：{payable}－{shown(usual)}＝{shown(overdue)}万元，折合{shown(overdue / daily)}天",
        f"要处理的是{shown(overdue)}万元，不是{payable}万元",
    )
    # the table: stopping suppliers at once, penalties in months 2 and 3, small ones in month 4, the rest in six
    stopping, demanded, small, large = 55.0, 90.0, 34.7, 60.0
    assert shown(stopping + demanded + small + large) == shown(overdue)
    half, part, parts = demanded / 2, large / 6, 6
    text.says(
        f"收入断 | 当月付清 |\n| 2 | 已发催告函，合同有违约金 | {shown(demanded)} |",
        f"一停供就停产 | {shown(stopping)} |",
        f"第2、3个月各付{shown(half)} |",
        f"货款是它的工资钱 | {shown(small)} |",
        f"大供应商，肯谈 | {shown(large)} |",
        f"签{WORDS[parts]}期，每月{shown(part)} |",
        f"| 合计 | | {shown(stopping + demanded + small + large)} | | |",
    )
    months = [stopping, half, half, small, 0, 0]
    payments = [amount + part for amount in months]
    assert shown(sum(payments)) == shown(overdue)
    left = running(overdue, [-amount for amount in payments])
    dpo = [(usual + rest) / daily for rest in left]
    text.says(
        f"第1个月付{shown(stopping)}＋{shown(part)}＝{shown(payments[0])}万元，超期剩{shown(left[0])}万元，DPO 约{shown(dpo[0])}天",
        f"第2、3个月各付{shown(half)}＋{shown(part)}＝{shown(payments[1])}万元，三个月末剩{shown(left[2])}万元，约{shown(dpo[2])}天",
        f"第4个月付{shown(small)}＋{shown(part)}＝{shown(payments[3])}万元，剩{shown(left[3])}万元，约{shown(dpo[3])}天",
        f"第5、6个月各付{shown(payments[4])}万元，超期清零，回到{shown(dpo[5])}天",
        f"六个月合计付{shown(sum(payments))}万元，头三个月就要{shown(sum(payments[:3]))}万元",
        f"新到期的货款照常按{term}天付",
    )
    more_days = 30
    text.says(
        f"假如上例的{shown(overdue)}万元都属这种情形，又没约定利率，每多拖{more_days}天，"
        f"利息约{shown(overdue * STATUTORY_DAILY * more_days)}万元，合年化{shown(STATUTORY_DAILY * 365 * 100, 2)}%",
        f"交付后{STATUTORY_TERM}日内付清",
        f"利率没约定的按每日{per_ten_thousand(STATUTORY_DAILY)}",
    )
    agreed, actual = 60, 90
    text.says(
        f"账期谈成{actual}天，DPO 是{actual}天，没有问题；约定{agreed}天，DPO 却是{actual}天，"
        f"就有{actual - agreed}天是拖出来的",
    )
    # the survey figures (facts 2.20)
    text.says(
        "据经济通2025年8月18日报道，12家头部车企2024年平均应付账款周转天数达170天，17家车企6月承诺对供应商账期不超过60天",
    )


def test_thirteen_week_cash_forecast(article: Article, shown: Shown) -> None:
    text = article("thirteen-week-cash-forecast")
    opening, line, weeks = 180, 100, 13
    inflows = [40, 35, 45, 30, 40, 45, 25, 50, 45, 40, 45, 40, 40]
    outflows = [30, 62, 35, 60, 38, 70, 70, 30, 40, 45, 40, 45, 45]
    assert len(inflows) == len(outflows) == weeks

    def balances(received: Sequence[int], spent: Sequence[int]) -> list[int]:
        return [round(b) for b in running(opening, [i - o for i, o in zip(received, spent, strict=True)])]

    def moved(flows: Sequence[int], changes: dict[int, int]) -> list[int]:
        """The flows with an amount added to a week (weeks count from 1)."""
        return [flow + changes.get(week, 0) for week, flow in enumerate(flows, 1)]

    ends = balances(inflows, outflows)
    rows = zip(range(1, weeks + 1), inflows, outflows, ends, strict=True)
    text.says(
        f"第1周期初现金{opening}万元，安全线定为{line}万元",
        *(f"| {w} | {i} | {o} | {end} | {signed(end - line)} |" for w, i, o, end in rows),
        f"| 合计 | {sum(inflows)} | {sum(outflows)} | {ends[-1]} | |",
    )
    lowest = ends.index(min(ends)) + 1
    short = line - ends[lowest - 1]
    assert next(week for week, end in enumerate(ends, 1) if end < line) == lowest
    assert max(ends[lowest:]) == line
    early_in, early_out = sum(inflows[:lowest]), sum(outflows[:lowest])
    text.says(
        f"低点：前{lowest}周流入{early_in}万元、流出{early_out}万元，{opening}＋{early_in}－{early_out}"
        f"＝{ends[lowest - 1]}万元，第{lowest}周比安全线少{short}万元",
        f"终点：{opening}＋{sum(inflows)}－{sum(outflows)}＝{ends[-1]}万元。"
        f"{weeks}周净流出{sum(outflows) - sum(inflows)}万元",
        f"余地：第{lowest}周以后没有一周高出安全线",
    )
    fixed, cover = 25, 4
    assert fixed * cover == line
    text.says(f"平均每周{fixed}万元，撑{cover}周，{fixed}×{cover}＝{fixed * cover}万元")
    # the main customer pays two weeks later
    usual_week, amount = 6, 30
    delayed = moved(inflows, {usual_week: -amount, usual_week + 2: amount})
    then = balances(delayed, outflows)
    first, second, third = then[usual_week - 1 : usual_week + 2]
    assert first < line
    assert third == ends[usual_week + 1]
    text.says(
        f"假设第{usual_week}周流入的{inflows[usual_week - 1]}万元里，有{amount}万元来自头号客户，它晚到第{usual_week + 2}周",
        f"第{usual_week}周末：{ends[usual_week - 1]}－{amount}＝{first}万元，提前一周跌破安全线",
        f"第{lowest}周末：{ends[lowest - 1]}－{amount}＝{second}万元，缺口从{short}万元变成{line - second}万元",
        f"第{usual_week + 2}周末：钱到账，回到{third}万元，和原表一样",
        f"今天在第1周，还有{WORDS[lowest - 1]}周可用",
    )
    # what helps: an old debt received in week 6, a payment moved from week 7 to week 10
    old_debt, machine, new_week = 10, 20, 10
    better_in, better_out = moved(inflows, {6: old_debt}), moved(outflows, {7: -machine, new_week: machine})
    better = balances(better_in, better_out)
    assert min(better) >= line
    both = balances(moved(delayed, {6: old_debt}), better_out)
    assert min(both) == both[lowest - 1]
    text.says(
        f"逾期款{old_debt}万元，谈定第6周付",
        f"原定第7周付的设备尾款{machine}万元，和供应商书面改到第{new_week}周",
        f"结果：第7周末{ends[6]}＋{old_debt}＋{machine}＝{better[6]}万元，"
        f"第10周末{ends[9]}＋{old_debt}＝{better[9]}万元，第13周末{ends[12]}＋{old_debt}＝{better[12]}万元",
        f"第7周末是{second}＋{old_debt + machine}＝{both[6]}万元，还差{line - both[6]}万元。这{line - both[6]}万元",
    )
    # small sums in the text
    term, habit, single, discounted, loss, margin = 60, 15, 30, 0.7, 10, 5.31  # the margin: facts 2.5
    text.says(
        f"账期{term}天、一向晚{habit}天的客户，到账写在第{term + habit}天所在的那一周",
        f"{single}万元的一笔，要么来要么不来，写成七折的{shown(single * discounted, 0)}万元",
        f"2025年规模以上工业企业营业收入利润率为{margin}%，[^nbs-2025]照这个比率，丢掉{loss}万元要多卖约{shown(loss / margin * 100, 0)}万元",
        "不够应付27天的日常流出，餐饮业是16天",  # facts 7.7
    )


def test_cash_squeeze_order_of_actions(article: Article, shown: Shown) -> None:
    text = article("cash-squeeze-order-of-actions")
    cash, days = 80, 14
    wages, loan, others = 45, 50, 30
    due = wages + loan + others
    daily = due / days
    text.says(
        f"今天可动用现金{cash}万元，今后{days}天到期要付三笔",
        f"工资、社保、税款：{wages}万元",
        f"独家供应的原料款：{loan}万元",
        f"其余供应商货款：{others}万元",
        f"合计{wages}＋{loan}＋{others}＝{due}万元，日均约{shown(daily)}万元，可撑约{shown(cash / daily, 0)}天；"
        f"只出不进，{days}天缺{due - cash}万元",
    )
    owed, hoped, fewer = 60, 0.7, 0.5
    must = wages + loan
    received = round(owed * hoped)
    text.says(
        f"无争议的应收{owed}万元",
        f"收回{WORDS[round(hoped * 10)]}成，{owed}×{hoped:.0%}＝{received}万元。那{others}万元与供应商谈妥",
        f"期末现金＝{cash}＋{received}－（{wages}＋{loan}）＝{cash + received - must}万元",
        f"收回只有{WORDS[round(fewer * 10)]}成，期末是{cash + round(owed * fewer) - must}万元",
        f"一分没收回，是{cash}－{must}＝{signed(cash - must)}万元，所以备用额度少说要有{must - cash}万元",
        f"延付的{others}万元没有消失",
        f"两周里必付的就有{must}万元，账上{cash}万元，连两周都撑不满",
    )
    assert cash < must
    discount = (2, 10, 30)
    text.says(
        f"“{discount[0]}/{discount[1]}，n/{discount[2]}”折成年化约{shown(discount_cost(*discount))}%",
        "2024年三季度在中国的调查说，逾期影响到略多于三分之一的企业间发票，42%的受访企业",  # facts 2.13
        "法院受理破产申请前六个月内付出去的钱",  # facts 5.16
    )


def test_working_capital_requirement(article: Article, shown: Shown) -> None:
    text = article("working-capital-requirement")
    sales, cost = 5475, 3650
    stock, receivable, payable, cash, loan = 600, 1050, 450, 150, 400
    need = stock + receivable - payable
    per_day, cost_per_day = sales / 365, cost / 365
    in_days = need / per_day
    dso, dio, dpo = receivable / per_day, stock / cost_per_day, payable / cost_per_day
    cycle = dso + dio - dpo
    current, short = cash + receivable + stock, payable + loan
    capital = current - short

    def whole(value: float) -> str:
        assert value == pytest.approx(round(value))
        return shown(value, 0)

    text.says(
        f"年销售{sales}万元，全部赊销；销货成本{cost}万元。月末存货{stock}万元、应收账款{receivable}万元、"
        f"应付账款{payable}万元，另有现金{cash}万元、短期借款{loan}万元",
        f"WCR：{stock}＋{receivable}－{payable}＝{need}万元",
        f"日均销售{sales}÷365＝{whole(per_day)}万元，WCR 折合{need}÷{whole(per_day)}＝{whole(in_days)}天",
        f"DSO：{receivable}÷{whole(per_day)}＝{whole(dso)}天。日均成本{cost}÷365＝{whole(cost_per_day)}万元，"
        f"DIO：{stock}÷{whole(cost_per_day)}＝{whole(dio)}天，DPO：{payable}÷{whole(cost_per_day)}＝{whole(dpo)}天",
        f"CCC：{whole(dso)}＋{whole(dio)}－{whole(dpo)}＝{whole(cycle)}天，"
        f"比{whole(in_days)}天多{whole(cycle - in_days)}天",
        f"流动资产：{cash}＋{receivable}＋{stock}＝{current}万元；流动负债：{payable}＋{loan}＝{short}万元",
        f"流动比率：{current}÷{short}≈{shown(current / short, 2)}；营运资本：{current}－{short}＝{capital}万元",
        f"日常买卖要垫{need}万元，长期的钱只出了{capital}万元，差的{need - capital}万元靠短期借款减现金补上："
        f"{loan}－{cash}＝{loan - cash}万元",
    )
    assert need - capital == loan - cash
    assert current / short > 2
    text.says("流动比率超过2，看着宽裕", "流动比率超过2的厂")
    # growth
    ratio = need / sales
    margin, unit = 5, 100
    text.says(
        f"WCR÷年销售额＝{need}÷{sales}≈{shown(ratio, 3)}，意思是每多做{unit}万元的年销售，要先垫约{shown(unit * ratio)}万元",
        f"销售增长两成，到{whole(sales * 1.2)}万元：WCR 变成{whole(need * 1.2)}万元，多备{whole(need * 0.2)}万元",
        f"销售翻一倍，到{sales * 2}万元：WCR 变成{need * 2}万元，多备{need}万元",
        f"净利率{margin}%，每多卖{unit}万元，头一年留下{margin * unit // 100}万元，却要先垫{shown(unit * ratio)}万元，"
        f"缺{shown(unit * ratio - margin * unit / 100)}万元",
        f"别套用{shown(unit * ratio)}万元这个平均数",
    )
    # shortening
    faster, leaner, slower = 10, 6, 5
    parts = [faster * per_day, leaner * cost_per_day, slower * cost_per_day]
    reached = need - sum(parts)
    text.says(
        f"应收快{faster}天，DSO 从{whole(dso)}天到{whole(dso - faster)}天，"
        f"少垫{faster}×{whole(per_day)}＝{whole(parts[0])}万元",
        f"存货快{leaner}天，DIO 从{whole(dio)}天到{whole(dio - leaner)}天，"
        f"少垫{leaner}×{whole(cost_per_day)}＝{whole(parts[1])}万元",
        f"应付慢{slower}天，DPO 从{whole(dpo)}天到{whole(dpo + slower)}天，"
        f"少垫{slower}×{whole(cost_per_day)}＝{whole(parts[2])}万元",
        f"合计{whole(sum(parts))}万元，WCR 降到{whole(reached)}万元，折合约{shown(reached / per_day)}天，"
        f"够还上面那{loan - cash}万元",
        f"应收值{whole(per_day)}万元，存货和应付各值{whole(cost_per_day)}万元",
        f"交付后{STATUTORY_TERM}日内要付",
    )
    assert sum(parts) >= loan - cash
    season = 900
    text.says(
        f"存货若备到{season}万元，应收应付不变，WCR 就是{season + receivable - payable}万元",
        f"本例是{need}万元、{whole(in_days)}天；和业务、采购分派任务，用 CCC 拆开的三段，"
        f"{whole(dso)}天归销售，{whole(dio)}天归仓储和生产，{whole(dpo)}天归采购",
    )


def test_old_debts_limitation_payment_order(article: Article, shown: Shown) -> None:
    text = article("old-debts-limitation-payment-order")
    debt, paid = 60, 15
    rest = debt - paid
    due, demanded, part_paid = date(2022, 11, 30), date(2024, 5, 20), date(2026, 1, 15)

    def lapses(start: date) -> date:
        return start.replace(year=start.year + LIMITATION_YEARS)

    assert demanded < lapses(due)
    assert part_paid < lapses(demanded)
    assert part_paid > lapses(due)
    late = (part_paid - lapses(due)).days
    text.says(
        f"客户丁欠货款{debt}万元，付款日是{full_day(due)}。{full_day(demanded)}，丁在催告函上盖章签收；"
        f"{full_day(part_paid)}，丁付了{paid}万元，余{rest}万元",
        f"| {full_day(due)} | 付款日届满 | 合同、签收单 | {full_day(lapses(due))} |",
        f"| {full_day(demanded)} | 书面催告到达 | 盖章签收的催告函 | {full_day(lapses(demanded))} |",
        f"| {full_day(part_paid)} | 部分付款{paid}万元 | 银行回单，摘要写了单号 | {full_day(lapses(part_paid))} |",
        f"若{demanded.year}年那封函只有底稿",
        f"三年在{full_day(lapses(due))}已满，{full_day(part_paid)}的付款晚了{late}天",
        f"付了的{paid}万元不必退，余下{rest}万元算不算",
        f"普通诉讼时效{WORDS[LIMITATION_YEARS]}年",
    )
    # the fee of a payment order
    parts = court_fee_parts(rest * 10_000)
    fee = sum(parts)
    text.says(
        f"本例{rest}万元：{'＋'.join(shown(part, 0) for part in parts)}＝{shown(fee, 0)}元，"
        f"支付令约{shown(fee / 3, 0)}元，差{shown(fee - fee / 3, 0)}元",
        "不超过1万元交50元，1万–10万元2.5%，10万–20万元2%，20万–50万元1.5%，50万–100万元1%",
        "支付令收费是起诉的三分之一",
    )
    admitted = 30
    text.says(
        f"对方只认{admitted}万元，另外{rest - admitted}万元说有质量问题",
        f"{admitted}万元请对方盖章确认并约定付款日，{rest - admitted}万元单列",
    )
    # the periods of the law and the survey (facts 5.13, 5.15, 4.9, 2.9)
    text.says(
        "法院5日内通知是否受理，受理后15日内审查并发出支付令；对方收到后15日内",
        "申请执行的期间是二年",
        "满三年的应收款；满一年、单笔不超过5万元或者不超过企业年度收入总额万分之一的小额款",
        "拖过180天、金额又超过供应商年营业额2%的欠款，八成没有收回（2025年4月公布的",
        "自权利受到损害之日起超过二十年的",
    )


def test_electronic_dunning_evidence(article: Article, shown: Shown) -> None:
    text = article("electronic-dunning-evidence")
    sent, statement = date(2026, 11, 2), date(2026, 10, 31)
    pay_by, object_by = date(2026, 11, 13), date(2026, 11, 6)
    orders = {
        "A017": (12.4, date(2026, 9, 5)),
        "A021": (8.6, date(2026, 9, 20)),
        "A030": (5.0, date(2026, 10, 8)),
    }
    amounts = [amount for amount, _ in orders.values()]
    total, agreed = sum(amounts), sum(amounts[:2])
    assert statement < sent < object_by < pay_by
    late = {number: (sent - due).days for number, (_, due) in orders.items()}
    text.says(
        f"{day(sent)}，丙公司财务向甲公司",
        f"A017号订单货款{shown(amounts[0])}万元，{day(orders['A017'][1])}到期，至今{late['A017']}天；签收单",
        f"A021号订单{shown(amounts[1])}万元，{day(orders['A021'][1])}到期，至今{late['A021']}天；A030号订单"
        f"{shown(amounts[2])}万元，{day(orders['A030'][1])}到期，至今{late['A030']}天",
        f"{WORDS[len(orders)]}单合计{shown(total)}万元，与{day(statement)}双方盖章对账单一致，无争议。"
        f"请于{day(pay_by)}前付到合同账户",
        f"{shown(amounts[0])}＋{shown(amounts[1])}＝{shown(agreed)}万元有了付款承诺和时间，"
        f"{shown(amounts[2])}万元成了有边界的争议",
        f"A017、A021两单共{shown(agreed)}万元无异议",
        "“A030那单单价要核一下，另外两单下周付。”",
        f"A030的单价已在{day(statement)}对账单上盖章确认，如有不同意见，请于{day(object_by)}前书面",
        f"{'＋'.join(shown(amount) for amount in amounts)}＝{shown(total)}万元，消息里",
        f"“请于{day(pay_by)}前付到我司",
        f"确认欠款{shown(total)}万元，{day(pay_by)}付” |",
        f"“欠款{shown(total)}万元，{day(pay_by)}付，确认请回复",
        f"贵司欠我司{WORDS[len(orders)]}单货款",
    )
