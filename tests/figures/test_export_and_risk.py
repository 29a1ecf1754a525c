"""Every figure of the articles on export, risk transfer, industry and insolvency, recomputed from its inputs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

ARTICLES = Path(__file__).parent.parent.parent / "content" / "articles"
DIGITS = "零一二三四五六七八九十"


def tenths(share: float) -> str:
    """A share in words, as in 三成 or 八成五; twenty per cent reads 两成."""
    whole, half = divmod(round(share * 100), 10)
    word = "两" if (whole, half) == (2, 0) else DIGITS[whole]
    return f"{word}成{DIGITS[half] if half else ''}"


def day(when: date) -> str:
    return f"{when.month}月{when.day}日"


def signed(value: float) -> str:
    """A difference with the full-width sign the tables use; zero has none."""
    return f"{'＋' if value > 0 else '－' if value < 0 else ''}{abs(value):.0f}"


def months_later(when: date, months: int) -> date:
    years, month = divmod(when.month - 1 + months, 12)
    return when.replace(year=when.year + years, month=month + 1)


def test_customer_insolvency_claims(article: Callable[[str], Any], shown: Callable[..., str]) -> None:
    text = article("customer-insolvency-claims")
    owed, kept_title, rate, paid = 120, 30, 0.08, 15
    accepted, announced, deadline = date(2026, 9, 18), date(2026, 9, 25), date(2026, 11, 25)
    payment = date(2026, 6, 30)
    percent = shown(rate * 100, 0)

    assert timedelta(30) <= deadline - announced
    assert deadline <= months_later(announced, 3)
    assert months_later(payment, 6) > accepted > payment
    text.says(
        f"法院{accepted.year}年{day(accepted)}受理，{day(announced)}公告，申报截止日{day(deadline)}，"
        f"公告后{(deadline - announced).days}天",
        f"{day(payment)}，戊付过{paid}万元，在受理前六个月之内",
    )

    rest = owed - kept_title
    ordinary = rest * rate
    total = kept_title + ordinary
    unprotected = owed * rate
    text.says(
        f"## 一笔账：{owed}万元能回来多少",
        f"客户戊欠货款{owed}万元",
        f"其中一批价款{kept_title}万元",
        f"其余{rest}万元没有担保。假设这批货收回来值{kept_title}万元，普通债权清偿率假设{percent}%",
        f"取回货物：{shown(kept_title)}万元",
        f"普通债权：{rest}×{percent}%＝{shown(ordinary)}万元",
        f"合计：{shown(kept_title)}＋{shown(ordinary)}＝{shown(total)}万元",
        f"{owed}万元全是普通债权，只有{owed}×{percent}%＝{shown(unprotected)}万元，"
        f"差{shown(total - unprotected)}万元",
    )

    claim = rest + paid
    ordinary_after = claim * rate
    total_after = kept_title + ordinary_after
    total_before = total + paid
    text.says(
        f"若{paid}万元被要求退回",
        f"{rest}＋{paid}＝{claim}，{claim}×{percent}%＝{shown(ordinary_after)}，"
        f"合计{shown(kept_title)}＋{shown(ordinary_after)}＝{shown(total_after)}万元",
        f"原先连同{paid}万元是{shown(total_before)}万元，少了{shown(total_before - total_after)}万元",
        f"清偿率每案不同，{percent}%只是演示",
    )

    # the list of facts 3.4, 5.7, 5.8, 5.16, 5.17
    text.says(
        "不少于30日，不超过3个月（企业破产法第四十五条）",
        "已付到总价75%以上",
        "没约定的只有到期后六个月（民法典第六百九十二条）",
        "新增和修改160余条",
        "2024年全国法院审结破产案件超过3万件，其中重整、和解约占4.6%",
    )

    first, second = 0.05, 0.03
    assert first + second == pytest.approx(rate)
    text.says(
        f"若{percent}%分两次发，先{shown(first * 100, 0)}%后{shown(second * 100, 0)}%",
        f"{rest}万元就少了{shown(rest * first)}万元，只剩{shown(rest * second)}万元",
    )


def test_export_payment_methods(article: Callable[[str], Any], shown: Callable[..., str]) -> None:
    text = article("export-payment-methods")
    price, cost, discount, rerouting, prepaid_share, deposit_cap = 10.0, 8.5, 0.20, 0.6, 0.3, 0.20
    profit, prepaid = price - cost, price * prepaid_share
    text.says(
        f"## {shown(price, 0)}万美元的单，算一遍",
        f"{shown(price, 0)}万美元算例和交单前清单",
        f"合同价{shown(price)}万美元，含运费的全部成本{shown(cost)}万美元，毛利{shown(profit)}万美元",
        f"货折价{shown(discount * 100, 0)}%转卖，改港、仓租等另花{shown(rerouting)}万美元",
        f"定制货转卖不掉，折价远不止{shown(discount * 100, 0)}%",
    )

    exposure, loss = price - prepaid, cost - prepaid
    resale = price * (1 - discount)
    net = resale - rerouting
    gap = price - net
    text.says(
        f"O/A 60天：敞口{shown(price)}。收不回时一分不剩，亏{shown(cost)}。",
        f"{tenths(prepaid_share)}预付，余款 O/A：敞口{shown(exposure)}。"
        f"收不回，亏{shown(cost)}－{shown(prepaid)}＝{shown(loss)}。",
        f"拒收后转卖得{shown(resale)}，减去{shown(rerouting)}，到手{shown(net)}。"
        f"比合同价少{shown(gap)}，比成本少{shown(cost - net)}。",
        f"{tenths(prepaid_share)}预付加付款交单：差额{shown(gap)}，预付{shown(prepaid)}够抵，"
        f"余下{shown(prepaid - gap)}按合同结清。",
        f"预付收几成，就由这{shown(gap)}倒推出来",
        f"没有预付，就比合同价少收{shown(gap)}万美元",
        f"{tenths(prepaid_share)}预付不等于只担{tenths(1 - prepaid_share)}风险",
    )
    assert prepaid > gap

    deposit = price * deposit_cap
    assert deposit < gap
    text.says(
        f"超过合同额{shown(deposit_cap * 100, 0)}%的部分不产生定金的效力",
        f"本例只到{shown(deposit)}万美元，盖不住{shown(gap)}，还差{shown(gap - deposit)}。",
    )
    two_tenths = 0.2
    assert price * two_tenths < gap
    text.says(
        f"换成{tenths(two_tenths)}预付加付款交单，但{tenths(two_tenths)}在本例盖不住转卖差价",
    )

    sure, sure_prepaid = cost / (cost + profit), loss / (loss + profit)
    assert cost + profit == pytest.approx(price)
    assert loss + profit == pytest.approx(exposure)
    # the list of facts 7.1, 7.4
    text.says("至多五个银行工作日", "装运日后21个日历日之内交单", "Incoterms 2020列出11个术语")
    text.says(
        f"O/A 是{shown(cost)}÷{shown(price)}＝{shown(sure * 100)}%；"
        f"预付{tenths(prepaid_share)}后是{shown(loss)}÷{shown(exposure)}≈{shown(sure_prepaid * 100)}%",
        f"您说得出{tenths(sure)}的把握来自哪里",
        f"全赊要有{shown(sure * 100)}%的把握，收不回亏{shown(cost)}万美元",
    )


def test_country_risk(article: Callable[[str], Any], shown: Callable[..., str]) -> None:
    text = article("country-risk")
    first, second, third = 120, 80, 50
    caps = {"一级": 50, "二级": 35, "三级": 20, "四级": 0}
    order, due = 30, 20
    total = first + second + third
    cap = total * caps["三级"] / 100
    shares = "、".join(f"{shown(amount / total * 100)}%" for amount in (first, second, third))
    text.says(
        f"| 一级 | 汇兑自由，来款准时 | 额度内可赊销 | {caps['一级']} |",
        f"| 二级 | 付汇偶有排队，或等级近一年变差 | 预付加付款交单，或信用证 | {caps['二级']} |",
        f"| 三级 | 外汇审批常拖延，选举或冲突临近 | 保兑信用证，或提高预付 | {caps['三级']} |",
        f"| 四级 | 停止付汇、战争，或涉及制裁 | 先过合规，再谈全额预付 | {caps['四级']} |",
        f"## 一张{order}万元的新单，接不接",
        f"季初在途加应收共{total}万元：甲国{first}、乙国{second}、丙国{third}，占{shares}。",
        f"丙国自定三级，上限{caps['三级']}%，即{shown(cap, 0)}万元，正好用满",
        f"又要一单，货值{order}万元",
    )
    assert cap == third

    exposed = third + order
    new_total = total + order
    new_cap = new_total * caps["三级"] / 100
    text.says(
        f"照单全赊：{third}＋{order}＝{exposed}万元，超{shown(exposed - cap, 0)}万元。",
        f"总额变成{new_total}万元，{caps['三级']}%是{shown(new_cap, 0)}万元，"
        f"看上去只超{shown(exposed - new_cap, 0)}万元",
    )

    left = third - due
    text.says(
        f"丙国有{due}万元本月到期，收到后敞口降到{left}万元",
        f"到期的{due}万元进账之前不发货",
    )
    low, high = 0.3, 0.4
    over, room = left + order * (1 - low) - cap, cap - left - order * (1 - high)
    assert over > 0
    assert room > 0
    text.says(
        f"预付{tenths(low)}收{shown(order * low, 0)}万元，新增敞口{shown(order * (1 - low), 0)}万元，"
        f"合计{shown(left + order * (1 - low), 0)}万元，仍超{shown(over, 0)}万元",
        f"预付{tenths(high)}收{shown(order * high, 0)}万元，新增{shown(order * (1 - high), 0)}万元，"
        f"合计{shown(left + order * (1 - high), 0)}万元，留{shown(room, 0)}万元余量",
        f"新单预付{tenths(high)}。",
    )

    # the list of facts 7.5
    text.says("OECD 的国别风险分0–7级", "从 A1、A2、A3、A4到 B、C、D，[^coface-scale]")

    days, funding = 180, 0.04
    text.says(
        f"丙国{third}万元晚到{days}天，资金成本假设年化{shown(funding * 100, 0)}%，"
        f"约{shown(third * funding * days / 365)}万元",
        f"只汇出一半，损失{shown(third / 2)}万元",
        f"甲国虽是一级，{shown(first / total * 100)}%也已经贴近{caps['一级']}%",
    )


def test_trade_fraud_and_letter_of_credit_fraud(
    article: Callable[[str], Any], shown: Callable[..., str]
) -> None:
    text = article("trade-fraud-and-letter-of-credit-fraud")
    earlier, order, cost_share, net_margin = (3, 4), 60, 0.8, 0.05
    gain, loss = order * (1 - cost_share), order * cost_share
    times = order / earlier[-1]
    margin = shown((1 - cost_share) * 100, 0)
    text.says(
        f"## 第三单突然放大{shown(times, 0)}倍，怎么发",
        f"新客户前两单{earlier[0]}万元、{earlier[1]}万元，都按时付清。"
        f"第三单要{order}万元，赊60天，是上一单的{shown(times, 0)}倍。成本占货值{tenths(cost_share)}",
        f"赌赢：赚{order}×{margin}%＝{shown(gain, 0)}万元。赌输：亏成本{shown(loss, 0)}万元。"
        f"起码要有{tenths(loss / (loss + gain))}把握。",
        f"前两单一共只赚了{sum(earlier)}×{margin}%＝{shown(sum(earlier) * (1 - cost_share))}万元，"
        f"却换来了{shown(loss, 0)}万元的敞口",
        f"净利率假设{shown(net_margin * 100, 0)}%，补回{shown(loss, 0)}万元"
        f"要多做{shown(loss / net_margin, 0)}万元的生意",
        f"两张小单一共{sum(earlier)}万元，换一张{order}万元的赊账",
    )

    prepaid_share, batches = 0.3, ("首批", "次批", "末批")
    prepaid = order * prepaid_share
    batch, offset = order / len(batches), prepaid / len(batches)
    rest, batch_cost = batch - offset, batch * cost_share
    text.says(
        f"预付{tenths(prepaid_share)}{shown(prepaid, 0)}万元，按批抵扣，每批抵{shown(offset, 0)}万元；"
        f"货分{DIGITS[len(batches)]}批，每批{shown(batch, 0)}万元（成本{shown(batch_cost, 0)}万元）；"
        f"上一批余款{shown(rest, 0)}万元到账，才发下一批",
    )
    differences = []
    for number, name in enumerate(batches):
        received, spent = prepaid + rest * number, batch_cost * (number + 1)
        differences.append(received - spent)
        text.says(
            f"| {name} | {shown(received, 0)} | {shown(spent, 0)} | {signed(round(received - spent))} |"
        )
    assert prepaid + rest * len(batches) == pytest.approx(order)
    text.says(
        f"同一张{order}万元的单，可能亏掉的从{shown(loss, 0)}万元降到{shown(-min(differences), 0)}万元",
    )

    shipped, expiry, window = date(2026, 5, 10), date(2026, 5, 28), 21
    last = shipped + timedelta(window)
    assert min(last, expiry) == expiry
    handed_in, banking_days = date(2026, 5, 20), 5
    weekdays = [handed_in + timedelta(n) for n in range(1, 15) if (handed_in + timedelta(n)).weekday() < 5]
    assert weekdays[banking_days - 1] < expiry
    text.says(
        f"宜在{day(handed_in)}前后交，留出银行审单和改单的时间",
        # the list of facts 7.1
        f"每家审单银行有至多{DIGITS[banking_days]}个银行工作日；"
        f"含正本运输单据的，须在装运日后{window}个日历日之内交单",
    )
    text.says(
        f"{day(shipped)}装船，{window}日期满是{day(last)}；信用证{day(expiry)}到期。"
        f"交单的末一天是{day(min(last, expiry))}，不是{last.day}日",
    )


def test_insurance_factoring_or_letter_of_credit(
    article: Callable[[str], Any], shown: Callable[..., str]
) -> None:
    text = article("insurance-factoring-or-letter-of-credit")
    profit, tolerated = 150, 0.2
    biggest, near, small, others, each = 60, 28, 12, 20, 2
    bearable = profit * tolerated
    tail = others * each
    total = biggest + near + small + tail
    text.says(
        f"年净利润{profit}万元，自定单户损失不超过净利润的{tenths(tolerated)}，即{shown(bearable, 0)}万元",
        f"应收共{total}万元",
        f"甲：{biggest}万元，超过{shown(bearable, 0)}万元",
        f"乙：{near}万元，接近上限",
        f"丙：{small}万元。",
        f"其余{others}户各{each}万元，共{tail}万元",
        f"{biggest}＋{near}＋{small}＋{tail}＝{total}万元",
    )
    assert [amount for amount in (biggest, near, small, each) if amount > bearable] == [biggest]

    text.says("赔付比例在75–95%之间")  # the list of facts 6.1
    covered, disputed, late = 0.9, 12, 20
    percent = shown(covered * 100, 0)
    kept = [biggest - (biggest - out) * covered for out in (0, disputed, late)]
    assert kept == sorted(kept)
    assert kept[-1] < bearable
    text.says(
        f"假设甲欠的{biggest}万元到期不付，用的是信用保险，约定承担{tenths(covered)}",
        f"转移{biggest}×{percent}%＝{shown(biggest * covered)}万元，"
        f"自留{shown(kept[0])}万元，低于{shown(bearable, 0)}万元",
        f"其中{disputed}万元有质量争议：先只算（{biggest}－{disputed}）×{percent}%"
        f"＝{shown((biggest - disputed) * covered)}万元，自留{shown(kept[1])}万元；"
        f"争议了结之后，那{disputed}万元另论",
        f"其中{late}万元是额度取消之后发的货：（{biggest}－{late}）×{percent}%"
        f"＝{shown((biggest - late) * covered)}万元，自留{shown(kept[2])}万元",
        f"同一个{tenths(covered)}，自留从{shown(kept[0])}万元变到{shown(kept[2])}万元",
        f"同样约定{tenths(covered)}，自留多少取决于额度、争议和报告",
        f"能承受{shown(bearable, 0)}万元，自留{tenths(1 - covered)}，就敢赊{shown(bearable, 0)}÷（1－{percent}%）"
        f"＝{shown(bearable / (1 - covered), 0)}万元",
    )


def test_credit_insurance_scope(article: Callable[[str], Any], shown: Callable[..., str]) -> None:
    text = article("credit-insurance-scope")
    owed, covered, limit, disputed = 50, 0.9, 40, 4
    percent, kept_percent = shown(covered * 100, 0), shown((1 - covered) * 100, 0)
    over = owed - limit
    base = owed - over - disputed
    paid = base * covered
    kept, own_share = owed - paid, base * (1 - covered)
    ideal = owed * (1 - covered)
    assert kept == pytest.approx(over + disputed + own_share)
    text.says(
        f"## 一笔账：{owed}万元为什么只赔{shown(paid)}万元",
        f"买方丙欠{owed}万元到期不付，保单约定赔付比例{percent}%，对丙批的额度是{limit}万元",
        f"超过额度的{over}万元，不在保障之内：{owed}－{over}＝{owed - over}万元",
        f"其中{disputed}万元有数量争议，没有了结之前不算：{owed - over}－{disputed}＝{base}万元",
        f"赔付：{base}×{percent}%＝{shown(paid)}万元",
        f"自留：{owed}－{shown(paid)}＝{shown(kept)}万元，由超额{over}万元、争议{disputed}万元、"
        f"自留{tenths(1 - covered)}{shown(own_share)}万元组成",
        f"自留本该是{owed}×{kept_percent}%＝{shown(ideal)}万元",
    )
    assert kept - ideal == pytest.approx((over + disputed) * covered)
    text.says(
        f"多出的{shown(kept - ideal)}万元不怪比例：发货前没查额度，少赔{over}×{percent}%"
        f"＝{shown(over * covered)}万元；争议没有了结，少赔{disputed}×{percent}%"
        f"＝{shown(disputed * covered)}万元",
    )

    # the list of facts 6.1, 6.4, 6.5
    text.says(
        "赔付比例为发票金额的75–95%",
        "到期后常有约30天的宽限",
        "到期后三到六个月；核定以后，赔款常在30天内支付",
    )

    due, report_days, waiting_months, settle_days = date(2026, 3, 1), 30, 6, 30
    reported, waited = due + timedelta(report_days), months_later(due, waiting_months)
    decided = date(2026, 9, 30)
    received = decided + timedelta(settle_days)
    assert decided > waited
    months = round((received - due).days / (365 / 12))
    text.says(
        f"货款{due.year}年{day(due)}到期，假设保单要求逾期{report_days}天内报告，"
        f"等待期{DIGITS[waiting_months]}个月，核定后{settle_days}天内赔付",
        f"{day(reported)}：报告的截止日",
        f"{day(waited)}：等待期满",
        f"假设{day(decided)}核定：{day(received)}前收到赔款",
        f"从到期到拿钱，约{DIGITS[months]}个月",
    )


def test_invoice_finance_and_factoring(article: Callable[[str], Any], shown: Callable[..., str]) -> None:
    text = article("invoice-finance-and-factoring")
    # the list of facts 5.20
    text.says(
        "自2023年1月1日起，商业汇票的付款期限自出票日至到期日不超过六个月",
        "从票据到期日起只有两年",
        "从被拒绝承兑或者被拒绝付款之日起六个月（票据法第十七条）",
    )

    invoice, financed, rate, days = 100, 80, 0.06, 90
    interest = financed * rate * days / 365
    back = financed + interest
    percent = shown(rate * 100, 0)
    cost = shown(interest, 2)
    text.says(
        f"## 一张{invoice}万元的发票，四种结局",
        f"发票{invoice}万元，离付款日{days}天。融资{financed}万元，年利率{percent}%（假设），"
        f"到期付息：{financed}×{percent}%×{days}÷365≈{cost}万元",
        f"扣{financed}＋{cost}＝{shown(back, 2)}万元，再到手{shown(invoice - back, 2)}万元，"
        f"前后共{shown(invoice - interest, 2)}万元",
        f"有追索权：退{shown(back, 2)}万元。手里又是那张{invoice}万元的发票，"
        f"只是晚了{days}天，多花了{cost}万元",
    )

    deducted = 5
    paid = invoice - deducted
    unfinanced = invoice - financed
    text.says(
        f"买方扣下{deducted}万元质量款、付了{paid}万元，有追索权："
        f"{paid}－{shown(back, 2)}＝{shown(paid - back, 2)}万元，那{deducted}万元自己去谈",
        f"无追索权：{financed}万元不退。若合同只保到融资额，余下{unfinanced}万元和利息{cost}万元仍是损失，"
        f"共{shown(unfinanced + interest, 2)}万元",
    )

    fee_rate, late_days = 0.005, 30
    fee = invoice * fee_rate
    yearly = (interest + fee) / financed * 365 / days * 100
    text.says(
        f"另收发票额{shown(fee_rate * 100)}%的手续费，即{shown(fee)}万元",
        f"（{cost}＋{shown(fee)}）÷{financed}×365÷{days}≈{shown(yearly)}%",
        f"报出来的是{percent}%，合起来是{shown(yearly)}%",
        f"若买方晚付{late_days}天，利息再加{financed}×{percent}%×{late_days}÷365"
        f"≈{shown(financed * rate * late_days / 365, 2)}万元",
    )


def test_industry_cycle_and_credit_risk(article: Callable[[str], Any], shown: Callable[..., str]) -> None:
    text = article("industry-cycle-and-credit-risk")
    receivables, profit, bearable, loss_rate = 1000, 100, 30, 0.10
    materials, doors, works = 280, 110, 60
    group = materials + doors + works
    limit = bearable / loss_rate
    over = group - limit
    loss = group * loss_rate
    percent = shown(loss_rate * 100, 0)
    text.says(
        f"公司应收{receivables}万元，其中建材{materials}、门窗{doors}、工程{works}，"
        f"按终端需求并成“建材组”，合计{group}万元，占{shown(group / receivables * 100, 0)}%",
        f"年净利润{profit}万元，老板愿意为一个行业拿出{bearable}万元；假设转坏的一年，这一组收不回{percent}%",
        f"上限：{bearable}÷{percent}%＝{shown(limit, 0)}万元，"
        f"相当于现有应收的{shown(limit / receivables * 100, 0)}%",
        f"超限：{group}－{shown(limit, 0)}＝{shown(over, 0)}万元",
        f"照现状转坏：{group}×{percent}%＝{shown(loss, 0)}万元，吃掉净利润的{shown(loss / profit * 100, 0)}%",
        f"扛不扛得住那{shown(loss, 0)}万元",
        f"能亏{bearable}万元、假设损失率{percent}%，上限就是{shown(limit, 0)}万元。"
        f"同样的{shown(group / receivables * 100, 0)}%，净利润{profit}万元的公司",
    )

    sold, squeezed, margin = 150, 100, 0.18
    drop = sold - squeezed
    months = round(over / drop)
    assert months * drop == over
    text.says(
        f"这一组每月赊销{sold}万元，每月回款也是{sold}万元，余额才停在{group}万元",
        f"把每月新赊销压到{squeezed}万元，回款不变，余额每月降{drop}万元，"
        f"{DIGITS[months]}个月到{shown(group - months * drop, 0)}万元",
    )
    lower_total = receivables - over
    forgone = drop * months
    avoided = loss - limit * loss_rate
    assert forgone * margin > avoided
    text.says(
        f"应收总额降到{shown(lower_total, 0)}万元，"
        f"{shown(limit, 0)}万元占{shown(limit / lower_total * 100)}%，"
        f"看上去还超{shown(limit / receivables * 100, 0)}%",
        f"{DIGITS[months]}个月少赊{forgone}万元，若全部放弃，毛利率{shown(margin * 100, 0)}%，"
        f"少赚{shown(forgone * margin, 0)}万元，比压下来的损失"
        f"（{shown(loss, 0)}－{bearable}＝{shown(avoided, 0)}万元）还多",
    )

    # the list of facts 2.5, 2.10, 3.4
    text.says(
        "2025年全国规模以上工业企业利润总额比上年增长0.6%，营业收入利润率5.31%，而纺织业利润下降12.0%",
        "2023年建筑业平均拖欠84天",
        "2024年全国法院审结的破产案件超过3万件，约占注销企业的0.5%，审结案件里重整与和解占4.6%",
    )

    rates = (0.05, 0.10, 0.20)
    text.says(
        f"从{'、'.join(f'{shown(rate * 100, 0)}%' for rate in rates)}三档各算一遍",
        f"三档对应的损失是{'、'.join(f'{shown(group * rate)}万元' for rate in rates)}",
    )


def test_reading_payment_surveys(article: Callable[[str], Any], shown: Callable[..., str]) -> None:
    text = article("reading-payment-surveys")
    sales, terms, late_share, delay = 3650, 60, 0.25, 40
    daily = sales / 365
    on_time, late = shown((1 - late_share) * 100, 0), shown(late_share * 100, 0)
    late_day = terms + delay
    average = (1 - late_share) * terms + late_share * late_day
    balance = daily * average
    dso = balance / sales * 365
    assert dso == pytest.approx(terms + late_share * delay)
    text.says(
        f"全年赊销{sales}万元，日均{shown(daily, 0)}万元，合同账期都是{terms}天",
        f"四分之{DIGITS[round((1 - late_share) * 4)]}准时付，四分之{DIGITS[round(late_share * 4)]}拖{delay}天，也就是第{late_day}天才付",
        f"账面口径：{on_time}%×{terms}＋{late}%×{late_day}＝{shown(average, 0)}天，"
        f"应收余额{shown(daily, 0)}×{shown(average, 0)}＝{shown(balance, 0)}万元，"
        f"DSO＝{shown(balance, 0)}÷{sales}×365＝{shown(dso, 0)}天",
        f"账期加拖欠：{terms}＋{delay}＝{late_day}天",
        f"只看账期：{terms}天。",
        f"读数却是{shown(dso, 0)}、{late_day}、{terms}。"
        f"拿自己的{shown(dso, 0)}去和别人的“账期加拖欠”比，会以为自己管得好；拿{shown(dso, 0)}去和别人的账期比",
        f"本例{terms}＋{late}%×{delay}＝{shown(terms + late_share * delay, 0)}天",
        f"同一家公司前一种读数{late_day}天，后一种{shown(dso, 0)}天",
    )

    # The published parts, and the sums the article makes of them.
    book, coface, asia = 69.2, {2022: (81, 83), 2023: (70, 64), 2024: (76, 65)}, 48
    text.says(
        f"{shown(book, 0)}天是账面回收期，{sum(coface[2024])}天是账期加拖欠，{asia}天只是账期",
        f"{shown(book)}天是账面上的回收期，{sum(coface[2024])}天是账期加拖欠，{asia}天只是约定的账期",
        f"| 科法斯（Coface） | {sum(coface[2024])} | 平均账期{coface[2024][0]}天加平均拖欠{coface[2024][1]}天 |",
        f"| 国家统计局 | {shown(book)} |",
        f"| 安卓（Atradius） | {asia} |",
        f"安卓的{asia}天是八个市场合起来的账期",
    )
    chinese = {2022: 164, 2023: 133}
    assert sum(coface[2022]) == chinese[2022]
    text.says(
        f"中文摘要写{chinese[2022]}天、{chinese[2023]}天",
        f"2022年账期{coface[2022][0]}天、拖欠{coface[2022][1]}天，相加{sum(coface[2022])}天，与中文摘要一致",
        f"2023年{coface[2023][0]}＋{coface[2023][1]}＝{sum(coface[2023])}天，"
        f"与{chinese[2023]}天差{sum(coface[2023]) - chinese[2023]}天",
        f"2025年版沿用{chinese[2023]}天",
    )

    # the list of facts 2.1, 2.2, 2.7, 2.9, 2.11 to 2.14
    text.says(
        "规模以上工业企业，2025年9月末",
        f"{shown(book)}天同比增加3.3天",
        f"2024年10月末66.7天，[^nbs-2024-10]2025年9月末{shown(book)}天",
        "前者增3.9天，后者增3.3天",
        "2021年6月末是51.4天",
        "中国超过1000家企业，2024年情况",
        "英文新闻稿写合计天数2022年140天、2023年136天",
        "拖过180天、金额又超过供应商一年营业额2%的，约八成没有收回",
        "赊销付款占66.4%；账期30天以内的从八成以上降到五成出头，31–60天占33.9%，61–90天占11.7%；"
        "2015–2024年逾期金额占比在25%上下",
        "略多于三分之一的发票迟付，坏账约占赊销额的3%",
        "同一份调查说赊销额里有44%迟付",
        "它的亚洲调查说迟付占赊销额的44%",
    )
    title = f"title: 读懂几组付款数据：{shown(book, 0)}天、{sum(coface[2024])}天、{asia}天为什么不能并排"
    assert title in (ARTICLES / "reading-payment-surveys.md").read_text(encoding="utf-8").splitlines()

    mine, long_terms, short_terms = 85, 75, 45
    assert mine > book
    text.says(
        f"我的 DSO 是{mine}天，比{shown(book)}天高",
        f"{shown(book)}天是规模以上工业企业的平均",
        f"先看{mine}天里约定的账期是多少：账期{long_terms}天，平均逾期{mine - long_terms}天；"
        f"账期{short_terms}天，平均逾期{mine - short_terms}天",
    )


def test_car_supply_chain_sixty_days(article: Callable[[str], Any], shown: Callable[..., str]) -> None:
    text = article("car-supply-chain-sixty-days")
    supplied, before, after, bill_months = 3650, 120, 60, 6
    daily = supplied / 365
    tied_before, tied_after = daily * before, daily * after
    text.says(
        f"年供货{supplied}万元，日均{shown(daily, 0)}万元",
        f"原来{before}天电汇：占用{shown(daily, 0)}×{before}＝{shown(tied_before, 0)}万元",
        f"改成{after}天电汇：占用{shown(daily, 0)}×{after}＝{shown(tied_after, 0)}万元，"
        f"腾出{shown(tied_before - tied_after, 0)}万元",
    )

    bill_days = bill_months * 30
    cash_day = after + bill_days
    tied_bill, in_bills = daily * cash_day, daily * bill_days
    assert tied_bill == pytest.approx(tied_after + in_bills)
    text.says(
        f"改成{after}天付{DIGITS[bill_months]}个月商业承兑汇票：{after}＋{bill_days}＝{cash_day}天才见现金，"
        f"占用{shown(tied_bill, 0)}万元，其中应收{shown(tied_after, 0)}、票据{shown(in_bills, 0)}，"
        f"比原来还多{shown(tied_bill - tied_before, 0)}万元",
        f"应收从{shown(tied_before, 0)}降到{shown(tied_after, 0)}，应收账款周转天数（DSO）"
        f"从{before}天降到{after}天，好看了一半；现金却晚到{cash_day - before}天",
        f"{after}天后再收{DIGITS[bill_months]}个月票据，真正到账约在第{cash_day}天",
    )
    assert tied_after / tied_before == 0.5

    delivered, booked = date(2026, 3, 1), date(2026, 4, 1)
    due, due_booked = delivered + timedelta(after), booked + timedelta(after)
    lag = (due_booked - due).days
    text.says(
        f"{day(delivered)}交付，从交付起算{after}天，是{day(due)}；"
        f"合同写“月底对账、次月{booked.day}日入账后{after}天”，从{day(booked)}数，是{day(due_booked)}，"
        f"晚{lag}天，按日均{shown(daily, 0)}万元，多压{shown(lag * daily, 0)}万元",
    )

    # 2.20, 5.11 and 5.20 of the list of facts; the ministry's window is in the source only
    text.says(
        "2025年6月10日至11日，17家整车企业承诺对供应商的支付账期不超过60天",
        "12家头部车企2024年应付账款超过1.1万亿元，平均应付账款周转天数170天",
        "验收原则上不超过3个工作日",
        "工信部2025年7月9日在",
        "正式受理后10个工作日内转交，处理部门收到材料后30日内出结果，延长后也不超过90日",
        "没约定的每日万分之五",
        "2023年起，商业汇票从出票到到期不超过六个月",
    )

    owed, late_days, daily_rate = 100, 30, 0.0005
    text.says(
        f"{owed}万元晚{late_days}天，没有约定利率的，{owed}×{shown(daily_rate * 100, 2)}%×{late_days}"
        f"＝{shown(owed * daily_rate * late_days)}万元",
    )
