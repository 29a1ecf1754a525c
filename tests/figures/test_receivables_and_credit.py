"""The figures of the articles on receivables and on credit. Amounts are in 万元 unless a name says yuan."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from statistics import median
from typing import Any

import pytest

NUMERAL = dict(enumerate("零一二三四五六七八九十"))


def section(text: Any, heading: str) -> str:
    """What stands under one `##` heading."""
    return str(text.text).split(f"\n## {heading}\n")[1].split("\n## ")[0]


def listed(text: Any, heading: str) -> int:
    """How many entries the list under a heading has."""
    return len(re.findall(r"^(?:- |\d+\. )", section(text, heading), re.MULTILINE))


def table(text: Any, heading: str) -> list[list[str]]:
    """The body of the table under a heading, cell by cell."""
    lines = [line for line in section(text, heading).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_statements_and_delivery_notes(article: Callable[[str], Any], shown: Callable[..., str]) -> None:
    text = article("statements-and-delivery-notes")
    ours, theirs = 128.6, 121.4
    unsigned, returned, priced = 4.8, 1.9, 0.5
    gap = ours - theirs
    assert gap == pytest.approx(unsigned + returned + priced)
    ours_mended, theirs_mended = ours - returned, theirs + unsigned
    assert ours_mended - theirs_mended == pytest.approx(priced)
    text.says(
        f"## 差了{shown(gap)}万元，怎么拆",
        f"账面应收{ours}万元，客户盖章回函只认{theirs}万元，差{shown(gap)}万元。",
        f"- {unsigned}万元：",
        f"- {returned}万元：客户退的货",
        f"- {priced}万元：一张单的送货单价",
        f"{unsigned}＋{returned}＋{priced}＝{shown(gap)}万元，拆平了",
        f"我方{ours}－{returned}＝{shown(ours_mended)}万元",
        f"对方{theirs}＋{unsigned}＝{shown(theirs_mended)}万元，剩下的{priced}万元正是争议",
        f"没有分歧的是{shown(theirs_mended)}万元，其中{theirs}万元已经盖了章",
        f"别为{priced}万元退回整张回函，先收下，再请对方就{unsigned}万元补一份确认",
    )
    cutoff, delivered = date(2026, 6, 30), date(2026, 6, 28)
    assert delivered <= cutoff
    text.says(f"截至{cutoff.month}月{cutoff.day}日", f"{delivered.month}月{delivered.day}日送到的货")

    papers = NUMERAL[listed(text, "四张纸各管什么")]
    text.says(f"要说清{papers}件事", f"## {papers}张纸各管什么")
    text.says(f"逐单勾下来，是{NUMERAL[listed(text, f'差了{shown(gap)}万元，怎么拆')]}笔")
    text.says(f"十分钟内找齐这{NUMERAL[listed(text, '凭证归档清单')]}样")


def test_disputed_invoices(article: Callable[[str], Any], shown: Callable[..., str]) -> None:
    text = article("disputed-invoices")
    invoice, days, rate = 50.0, 45, 0.04
    short, price, looks = 2.0, 0.9, 0.6
    disputed = short + price + looks
    clear = invoice - disputed
    whole, split = (amount * rate * days / 365 for amount in (invoice, disputed))
    text.says(
        f"一张{shown(invoice, 0)}万元的发票，有问题的也许",
        f"## 一张{shown(invoice, 0)}万元的发票",
        f"发票{shown(invoice)}万元，到期日那天客户提出三处异议，合计{shown(disputed)}万元，"
        f"占{shown(disputed / invoice * 100, 0)}%",
        f"到三处全部结清，用了{days}天",
        f"不分流：{shown(invoice)}万元全部晚{days}天。资金成本假设为年化{shown(rate * 100, 0)}%，"
        f"{shown(invoice)}×{shown(rate * 100, 0)}%×{days}÷365≈{shown(whole, 2)}万元。",
        f"分流：{shown(clear)}万元按期收到，至多{shown(disputed)}万元晚{days}天，"
        f"{shown(disputed)}×{shown(rate * 100, 0)}%×{days}÷365≈{shown(split, 2)}万元。",
        f"利息差{shown(whole - split, 2)}万元",
        f"真正的差别是{shown(clear)}万元现金早到{days}天",
    )
    assert round(whole, 2) - round(split, 2) == pytest.approx(round(whole - split, 2))

    left, collected = invoice - short, clear + price + looks
    assert left == pytest.approx(collected)
    text.says(
        f"合计{shown(short)}＋{shown(price)}＋{shown(looks)}＝{shown(disputed)}万元",
        f"结清后应收{shown(invoice)}－{shown(short)}＝{shown(left)}万元",
        f"收回{shown(clear)}＋{shown(price)}＋{shown(looks)}＝{shown(collected)}万元，对得上",
    )
    reason_by, quantity_by, price_by, quality_by = 2, 3, 5, 10
    rows = table(text, "一张50万元的发票")
    assert [(row[0], row[3], row[4]) for row in rows] == [
        (f"短少{shown(short)}", f"{quantity_by}个工作日", f"属实，开红字发票{shown(short)}"),
        (f"价差{shown(price)}", f"{price_by}个工作日", f"合同价无误，驳回，收回{shown(price)}"),
        (f"外观不良{shown(looks)}", f"{quality_by}个工作日", f"换货验收后收回{shown(looks)}"),
    ]
    text.says(f"客户提出{NUMERAL[len(rows)]}处异议", f"{NUMERAL[len(rows)]}处异议是这样了结的")
    # The register's time limits keep within those of the list.
    assert quantity_by <= price_by < quality_by
    text.says(
        f"第{reason_by}个工作日：拿到对方的书面理由",
        f"第{price_by}个工作日：给出数量、价格、单据类的结论",
        f"第{quality_by}个工作日：给出质量类的结论",
        "第15个工作日：没结论的",
        "第30天：还没结的",
        "人工假设合800元",
    )
    text.says("请对方在两个工作日内")
    assert listed(text, "第一通电话问清四样") == listed(text, "分流四步") == 4
    assert section(text, "分流四步").count("\n3. 回函。") == 1  # the text goes on: “第三步要紧”
    text.says("争议大致分四类", "第三步要紧。它让对方承认争议只有这么大")
    text.says("每日万分之五（第十七条）", "三年的普通诉讼时效")  # facts 5.11, 5.1


def test_outstanding_balance_rising(article: Callable[[str], Any], shown: Callable[..., str]) -> None:
    text = article("outstanding-balance-rising")
    text.says("2025年7月末规模以上工业企业应收账款26.84万亿元，同比增长6.8%")  # fact 2.4

    sales_before, sales = 3600, 3960
    current_before, overdue_before, current, overdue = 555, 45, 655, 95
    before, now = current_before + overdue_before, current + overdue
    growth = sales / sales_before
    dso_before, dso = before / sales_before * 365, now / sales * 365
    due = before * growth
    surplus, daily = now - due, sales / 365
    text.says(
        f"赊销从{sales_before}万元增到{sales}万元，增{shown((growth - 1) * 100, 0)}%",
        f"应收从{before}万元增到{now}万元，增{shown((now / before - 1) * 100, 0)}%",
        f"上年 DSO：{before}÷{sales_before}×365≈{shown(dso_before)}天",
        f"本年 DSO：{now}÷{sales}×365≈{shown(dso)}天，多{shown(dso - dso_before)}天",
        f"本年该有{before}×{shown(growth, 2)}＝{shown(due, 0)}万元；多出{now}－{shown(due, 0)}＝{shown(surplus, 0)}万元",
        f"应收多了{now - before}万元，其中{shown(due - before, 0)}万元是生意做大带来的",
        f"要查的是{shown(surplus, 0)}万元。{shown(surplus, 0)}万元除以日均赊销{shown(daily, 2)}万元，"
        f"正是那{shown(surplus / daily)}天",
        f"{shown(due, 0)}万元这把尺子就偏长",
    )
    assert round(surplus / daily, 1) == round(dso - dso_before, 1)

    extra_current, extra_overdue = current - current_before * growth, overdue - overdue_before * growth
    assert extra_current + extra_overdue == pytest.approx(surplus)
    assert abs(extra_current / surplus - 0.5) < 0.05
    text.says(
        f"上年末的{before}万元里，未到期{current_before}万元、逾期{overdue_before}万元",
        f"本年末的{now}万元里，未到期{current}万元、逾期{overdue}万元。各自放大{shown((growth - 1) * 100, 0)}%",
        f"未到期：{current_before}×{shown(growth, 2)}＝{shown(current_before * growth)}万元，"
        f"实际{current}万元，超{shown(extra_current)}万元",
        f"逾期：{overdue_before}×{shown(growth, 2)}＝{shown(overdue_before * growth)}万元，"
        f"实际{overdue}万元，超{shown(extra_overdue)}万元",
        f"- 合计{shown(extra_current)}＋{shown(extra_overdue)}＝{shown(surplus)}万元，对得上",
        f"上年约{shown(current_before / sales_before * 365, 0)}天，本年约{shown(current / sales * 365, 0)}天；平均",
        f"平均逾期天数，上年约{shown(overdue_before / sales_before * 365, 0)}天，"
        f"本年约{shown(overdue / sales * 365, 0)}天",
        f"本例{shown(surplus, 0)}万元里，两者差不多各占一半",
    )

    terms_before, terms, monthly_supply = 60, 90, 26.0
    longer = monthly_supply * (terms - terms_before) / 30
    two_months, monthly = 678.5, sales / 12
    bunched = two_months - 2 * monthly
    unmatched, returns = 7.5, 4.5
    untidy = unmatched + returns
    slower = extra_overdue - untidy
    assert longer + bunched == pytest.approx(extra_current)
    rows = table(text, "四项排查")
    assert [row[3] for row in rows] == [shown(longer), shown(bunched), shown(slower), shown(untidy)]
    assert sum(float(row[3]) for row in rows) == pytest.approx(surplus)
    assert [row[2] for row in rows] == [
        f"两户由{terms_before}天改{terms}天，每月供货共{shown(monthly_supply)}",
        f"两月共{two_months}，按月均{shown(monthly, 0)}应为{shown(2 * monthly)}",
        "两户新转逾期",
        f"回款{unmatched}没对上单，退货{returns}没冲",
    ]
    text.says(
        f"前两项{shown(longer)}＋{shown(bunched)}＝{shown(extra_current)}万元，"
        f"后两项{shown(slower)}＋{shown(untidy)}＝{shown(extra_overdue)}万元，合计{shown(surplus)}万元",
        f"{shown(longer)}万元是多押的一个月货款",
        f"只有{shown(slower)}万元，却是四项里",
        f"{shown(untidy)}万元都挂在逾期单上",
        f"真正的逾期是{shown(overdue - untidy, 0)}万元，不是{overdue}万元；清完之前，别拿{overdue}万元去考核人",
        f"占多出金额的{shown(longer)}÷{shown(surplus, 0)}≈{shown(longer / surplus * 100)}%",
    )
    assert (terms - terms_before) / 30 == 1  # “一个月货款”

    start, sold = 740, 340
    collected, receivable = start + sold - now, start + sold - current
    cei = collected / receivable * 100
    assert collected + overdue == receivable
    text.says(
        f"取上月末应收，本例{start}万元",
        f"取本月赊销，本例{sold}万元",
        f"取本月末应收总额{now}万元，其中未到期{current}万元",
        f"分子{start}＋{sold}－{now}＝{collected}万元，分母{start}＋{sold}－{current}＝{receivable}万元，"
        f"CEI＝{collected}÷{receivable}×100≈{shown(cei)}",
        f"收回{collected}万元，仍逾期{overdue}万元，合计{receivable}万元",
    )
    start_before, sold_before = 608, 302
    collected_before = start_before + sold_before - before
    receivable_before = start_before + sold_before - current_before
    cei_before = collected_before / receivable_before * 100
    text.says(
        f"上年12月：月初{start_before}万元，赊销{sold_before}万元，月末{before}万元，"
        f"其中未到期{current_before}万元，CEI＝{collected_before}÷{receivable_before}×100≈{shown(cei_before)}",
        "一年掉了近10个点",
    )
    assert 9.5 <= cei_before - cei < 10
    year_top, year_bottom = before + monthly - now, before + monthly - current
    text.says(
        f"从年初的{before}万元起算，赊销取月均{shown(monthly, 0)}万元，"
        f"CEI＝{shown(year_top, 0)}÷{shown(year_bottom, 0)}×100≈{shown(year_top / year_bottom * 100)}。"
        f"它和单月的{shown(cei)}口径不同"
    )
    text.says("期初应收 ＋ 当期赊销额 － 期末未到期应收} × 100", "11、12月的赊销额")
    steps = section(text, "用 CEI 看收账的力道").split("照下面五步做")[1]
    assert len(re.findall(r"^\d\. ", steps, re.MULTILINE)) == 5


def test_bad_debt_accounting_and_tax(article: Callable[[str], Any], shown: Callable[..., str]) -> None:
    text = article("bad-debt-accounting-and-tax")
    ages = ("未到期", "逾期1–30天", "逾期31–60天", "逾期61–90天", "逾期90天以上")
    balances = (500, 120, 60, 30, 40)
    rates = (0.5, 2, 5, 10, 50)
    total = sum(balances)
    parts = [balance * rate / 100 for balance, rate in zip(balances, rates, strict=True)]
    provision = sum(parts)
    expected = [
        [age, str(balance), f"{rate}%", shown(part)]
        for age, balance, rate, part in zip(ages, balances, rates, parts, strict=True)
    ]
    rows = table(text, "损失率表怎么做")
    assert rows == [*expected, ["合计", str(total), "", shown(provision)]]
    text.says(
        f"年末应收{total}万元，{NUMERAL[len(ages)]}档和损失率如下",
        f"该档损失率，{NUMERAL[len(ages)]}档相加",
        f"{shown(provision)}万元占应收的{shown(provision / total * 100, 2)}%，"
        f"其中{shown(parts[-1])}万元来自后面的{balances[-1]}万元",
        "未逾期1%，逾期不到30天2%，30–90天3%，90–180天20%",  # fact 4.2
    )

    opening, written_off, tax_rate = 24.0, 3.2, 0.25
    left = opening - written_off
    added = provision - left
    taxable = added - written_off
    assert taxable == pytest.approx(provision - opening)
    text.says(
        f"年初准备{shown(opening)}万元，年内一笔{written_off}万元、逾期已满一年",
        f"年末应有{shown(provision)}万元",
        f"借坏账准备{written_off}，贷应收账款{written_off}。利润不动，准备剩{shown(left)}万元",
        f"补提：{shown(provision)}－{shown(left)}＝{shown(added)}万元，借信用减值损失，贷坏账准备，利润少{shown(added)}万元",
        f"补提的{shown(added)}万元一般要调增；核销的{written_off}万元符合条件",
        f"净调增{shown(taxable)}万元，正好是准备的增加额{shown(provision)}－{shown(opening)}",
        f"税率假设为{shown(tax_rate * 100, 0)}%，{written_off}万元的损失扣得下来，"
        f"少交税{shown(written_off * tax_rate)}万元",
        f"上例补提{shown(added)}万元当年不抵税，核销的{written_off}万元备齐资料后才可以扣",
    )

    ceiling, fraction = 5, 0.0001  # fact 4.9: 5万元 or 万分之一
    income, small, large, overdue_days = 3960, 4.2, 6.0, 400
    assert income * fraction < ceiling
    assert 365 < overdue_days < 3 * 365
    assert small <= ceiling < large
    assert written_off <= ceiling
    text.says(
        f"逾期一年以上，单笔不超过{ceiling}万元或者不超过年度收入总额万分之一的",
        "第二十三条：逾期三年以上的应收款项",
        f"年度收入总额{income}万元，万分之一是{shown(income * fraction * 10_000, 0)}元，所以看{ceiling}万元那条线",
        f"收入总额不到{shown(ceiling / fraction / 10_000, 0)}亿元的企业都一样",
        f"一笔{small}万元逾期{overdue_days}天，已在账上作损失",
        f"另一笔{shown(large)}万元也逾期{overdue_days}天，两条线都超了，又不到三年",
        "国家税务总局公告2011年第25号有两条",
        "25号公告以外的税务做法",
        "2017年修订的第22号改用预期信用损失模型",  # fact 4.5
        "满三年，或满一年且金额小，先做账才谈得上税前扣除",
        "把逾期满一年、满三年的单列出来",
        "证明逾期满一年或三年",
        "常用的是逾期三年以上，或者逾期一年以上且单笔金额小",
    )
    files = section(text, "留存备查清单")
    assert [line[:2] for line in files.splitlines() if re.match(r"\d\. ", line)] == [
        f"{place}." for place in range(1, 9)
    ]
    assert "\n2. 付款约定和到期日计算" in files
    assert "\n4. 历次催告函" in files
    text.says("第2到第4项过后很难补")


def test_new_customer_credit_check(article: Callable[[str], Any], shown: Callable[..., str]) -> None:
    text = article("new-customer-credit-check")
    minutes = (30, 30, 60, 30, 30)
    rows = table(text, "半天做完的准入表")
    assert [row[0] for row in rows] == [f"{spent}分钟" for spent in minutes]
    text.says(
        f"表：新客户准入表（全程约{NUMERAL[sum(minutes) // 60]}小时）",
        f"身份和旧债两项{NUMERAL[sum(minutes[:2]) // 60]}小时就能查完",
    )
    assert sum(minutes) % 60 == sum(minutes[:2]) % 60 == 0
    assert [row[1].split("：")[0] for row in rows[:2]] == ["身份", "旧债"]

    order, margin = 20, 0.15
    cost = order * (1 - margin)
    profit = order - cost

    def odds(prepaid: float) -> float:
        """The chance of being paid below which the order loses money, in per cent."""
        return (cost - prepaid) / (order - prepaid) * 100

    third, half = order * 0.3, order * 0.5
    assert odds(third) == pytest.approx((cost - third) / (cost - third + profit) * 100)
    text.says(
        f"## 一笔账：{order}万元的新单，预付三成换来什么",
        f"订单{order}万元，毛利率{shown(margin * 100, 0)}%，成本{shown(cost, 0)}万元，毛利{shown(profit, 0)}万元",
        f"全额赊：收得回赚{shown(profit, 0)}万元，收不回亏{shown(cost, 0)}万元，"
        f"{shown(cost, 0)}÷{order}＝{shown(odds(0))}%",
        f"预付三成，即{shown(third, 0)}万元：收不回亏{shown(cost, 0)}－{shown(third, 0)}＝{shown(cost - third, 0)}万元，"
        f"{shown(cost - third, 0)}÷{shown(order - third, 0)}≈{shown(odds(third))}%",
        f"预付五成，即{shown(half, 0)}万元：收不回亏{shown(cost - half, 0)}万元，"
        f"{shown(cost - half, 0)}÷{shown(order - half, 0)}＝{shown(odds(half))}%",
        f"拆成两单各{shown(order / 2, 0)}万元，付清一单再发一单：每单门槛仍是{shown(odds(0))}%，"
        f"头一单收不回，亏的从{shown(cost, 0)}万元减到{shown(cost / 2)}万元",
    )
    # 毛利率一成半, 八成五, 七成九, and 十七 of 二十家 say the same in words.
    assert margin == 0.15
    assert (shown(odds(0), 0), shown(odds(third), 0)) == ("85", "79")
    assert odds(0) == pytest.approx(17 / 20 * 100)
    text.says(
        "毛利率一成半的货全额赊出去，要有八成五的把握才不亏",
        "预付三成，起码的把握降到约七成九",
        "这样的客户来二十家，您信十七家会付吗",
        "不得超过合同额的20%",  # fact 5.6
    )
    verdicts = NUMERAL[listed(text, "结论只写四种")]
    text.says(f"## 结论只写{verdicts}种", f"结论只有{verdicts}种：放行、试单、预付或担保、不赊")


def test_credit_limit_methods(article: Callable[[str], Any], shown: Callable[..., str]) -> None:
    text = article("credit-limit-methods")
    worth, share = 800, 0.10  # the share is fact 8.5
    monthly, terms, late, season = 30, 60, 15, 1.2
    bearable = 50
    references = (40, 60, 100)

    def need(days: int) -> float:
        return monthly * (days + late) / 30 * season

    by_worth, by_need, by_bearing, by_peers = (
        worth * share,
        need(terms),
        bearable / (1 - 0),
        median(references),
    )
    limit = min(by_worth, by_need, by_bearing)
    rows = table(text, "三种算法和一个参照")
    assert [row[2] for row in rows] == [
        shown(value, 0) for value in (by_worth, by_need, by_bearing, by_peers)
    ]
    percent = shown(share * 100, 0)
    text.says(
        f"客户净资产×{percent}%",
        f"{percent}%是经验值",
        f"额度不高于客户净资产的{percent}%",
        f"也拿净资产的{percent}%作参照",
        f"净资产{worth}万元，每月向您采购{monthly}万元（含税），账期{terms}天，过去一年平均晚付{late}天，"
        f"旺季采购是平时的{season}倍。您自己定的单户损失上限是{bearable}万元",
        f"净资产法：{worth}×{percent}%＝{shown(by_worth, 0)}万元",
        f"需求法：{monthly}×（{terms}＋{late}）÷30×{season}＝{shown(by_need, 0)}万元",
        f"承受力法：{bearable}÷（1－0）＝{shown(by_bearing, 0)}万元",
        f"三家供货商给{references[0]}、{references[1]}、{references[2]}万元，中位数{shown(by_peers, 0)}万元",
        f"取低，{shown(limit, 0)}万元。客户要{shown(by_need, 0)}万元，差{shown(by_need - limit, 0)}万元",
        f"## 差的{shown(by_need - limit, 0)}万元，从条件里找",
        f"## 承受力的{bearable}万元从哪里来",
        "月均采购额 × {账期 ＋ 常见拖延 / 30} × 旺季系数",
        "月均采购×（账期＋拖延）÷30×旺季系数",
        "能承受的单户损失÷（1－保障比例）",
        "承受上限 ＝ {能承受的单户损失 / 1 － 保障比例}",
    )
    assert limit == by_bearing  # “只算前两个，出了事才会发现卡在第三个”

    shorter = 25
    assert need(shorter) <= limit
    prepaid = 1 - limit / by_need
    assert by_need * (1 - 0.45) <= limit  # “约四成半”
    covered = 0.30
    bearing = bearable / (1 - covered)
    assert bearing < by_worth < by_need
    granted = int(bearing)
    text.says(
        f"从{terms}天改到{shorter}天，{monthly}×（{shorter}＋{late}）÷30×{season}＝{shown(need(shorter), 0)}万元，"
        f"{shown(limit, 0)}万元够用",
        f"{shown(by_need, 0)}×（1－x）＝{shown(limit, 0)}，x≈{shown(prepaid * 100)}%，即旺季每单预付约四成半",
        "出事能补回三成",
        f"{bearable}÷（1－{shown(covered * 100, 0)}%）≈{shown(bearing)}万元，"
        f"仍低于{shown(by_worth, 0)}，也低于{shown(by_need, 0)}，"
        f"额度可到{granted}万元，其余{shown(by_need - granted, 0)}万元再靠预付",
    )
    factor_days = terms + late
    text.says(
        f"就按{shown(limit, 0)}万元做：{shown(limit, 0)}÷（{factor_days}÷30×{season}）"
        f"≈{shown(limit / (factor_days / 30 * season))}万元，"
        f"平均每月只接约{shown(limit / (factor_days / 30 * season))}万元的单"
    )
    text.says(
        f"额度算{NUMERAL[len(rows) - 1]}个数：客户扛得起的",
        f"给一家客户多少额度，算{NUMERAL[len(rows) - 1]}个数",
    )
    text.says(f"## {NUMERAL[len(rows) - 1]}种算法和一个参照")
    text.says(f"## 定额审批单写这{NUMERAL[listed(text, '定额审批单写这八行')]}行")
    text.says(f"同一家客户，有{NUMERAL[listed(text, '差的40万元，从条件里找')]}种补法")
    # The periods of validity are those of the two-page policy.
    text.says("A 级十二个月，B 级六个月，C 级三个月")
    article("credit-policy-for-small-firms").says("A 级一年、B 级半年、C 级一季")


def test_credit_policy_for_small_firms(article: Callable[[str], Any], shown: Callable[..., str]) -> None:
    text = article("credit-policy-for-small-firms")
    sales, profit, share = 4000, 200, 0.15
    ratio = profit / sales
    limit = profit * share
    text.says(
        f"年销售{sales}万元，净利润{profit}万元，净利率{shown(ratio * 100, 0)}%",
        f"年净利润的{shown(share * 100, 0)}%：{profit}×{shown(share * 100, 0)}%＝{shown(limit, 0)}万元",
        f"丢掉这{shown(limit, 0)}万元，按{shown(ratio * 100, 0)}%的净利率要多做{shown(limit / ratio, 0)}万元生意",
        f"{shown(share * 100, 0)}%是示例，不是标准",
    )

    customers, others = 30, 286
    big = (65, 52, 45, 38, 34)
    receivables = others + sum(big)
    over = [customer - limit for customer in big]
    assert min(over) > 0
    assert others / (customers - len(big)) <= limit
    text.says(
        f"{customers}户赊销客户，应收合计{receivables}万元",
        f"{customers - len(big)}户各自不超过{shown(limit, 0)}万元，合计{others}万元",
        f"{len(big)}户超过上限：{'、'.join(map(str, big))}万元，合计{sum(big)}万元，"
        f"占{shown(sum(big) / receivables * 100)}%",
        f"这{len(big)}户超出上限的部分：{'＋'.join(shown(part, 0) for part in over)}＝{shown(sum(over), 0)}万元",
        f"{customers}户左右的公司",
    )
    minutes = 20
    assert 60 < minutes * len(big) < 120  # “一个多小时”
    assert shown(sum(big) / receivables * 100, 0) == "45"
    text.says(f"一户{minutes}分钟，{len(big)}户一个多小时，一个月一次。这一个多小时，管住了应收的四成半")

    turnover_share, terms = 0.10, 60  # the share is fact 8.5
    business = sales * turnover_share
    outstanding = business / 365 * terms
    assert 2 < outstanding / limit < 2.5
    text.says(
        "做给任何一户的生意不超过全年的一成",
        f"本例一户可以做到{shown(business, 0)}万元，账期{terms}天，应收约{shown(outstanding)}万元，"
        f"是{shown(limit, 0)}万元的两倍多",
    )

    rules = table(text, "两页纸模板")
    assert [row[0] for row in rules] == ["谁能批", "查什么", "给多少", "何时停", "谁去催", "多久看"]
    small, large, hold, chase = 5, 30, 15, (3, 7, 15)
    assert large == limit  # the template's top band starts at the ceiling of the example
    assert rules[0][2] == (
        f"{small}万元以内财务批，{small}–{large}万元老板批，{large}万元以上老板批并写明理由"
    )
    text.says(
        f"写{NUMERAL[len(rules)]}件事：谁能批，查什么，给多少，何时停，谁去催，多久看",
        "账期只有15、30、60天三档",
        f"逾期超过{hold}天，依合同书面通知暂停",
        f"到期前{chase[0]}天财务发对账单，逾期{chase[1]}天内业务员电话，{chase[2]}天老板签催告函",
        "四个数半页纸",
        "目标是0",
    )
    checks = table(article("new-customer-credit-check"), "半天做完的准入表")
    text.says(f"查完准入表{NUMERAL[len(checks)]}项，截图存档", f"准入表{NUMERAL[len(checks)]}项怎么填")
    assert len(table(text, "四个人怎么分工")) == listed(text, "每月看四个数") == 4
    text.says(f"## 上线{NUMERAL[listed(text, '上线六步，一周办完')]}步，一周办完")


def zone(z: float, safe: float, distress: float) -> str:
    return "安全区" if z > safe else "灰区" if z >= distress else "险区"


def test_reading_customer_accounts(article: Callable[[str], Any], shown: Callable[..., str]) -> None:
    text = article("reading-customer-accounts")
    cash, receivables, stock, prepaid = 90, 420, 330, 60
    payables, loans, other, long_term = 400, 250, 100, 300
    assets, equity, retained, ebit = 1500, 450, 120, 75
    sales, purchases = 1825, 1460
    current = cash + receivables + stock + prepaid
    due = payables + loans + other
    debts = due + long_term
    assert debts + equity == assets
    text.says(
        f"年末资产总计{assets}万元。流动资产{current}万元：货币资金{cash}、应收账款{receivables}、"
        f"存货{stock}、预付款{prepaid}。",
        f"流动负债{due}万元：应付账款{payables}、短期借款{loans}、其他{other}；长期负债{long_term}万元。",
        f"净资产{equity}万元，其中留存收益{retained}万元。全年息税前利润{ebit}万元，"
        f"赊销{sales}万元、采购{purchases}万元",
    )

    quick = (current - stock - prepaid) / due
    dso, dpo = receivables / sales * 365, payables / purchases * 365
    rows = table(text, "一份报表：六行变成六个数")
    text.says(f"表：丙公司的{NUMERAL[len(rows)]}个数")
    assert [row[1:3] for row in rows] == [
        [f"{current}÷{due}", shown(current / due, 2)],
        [f"（{current}－{stock}－{prepaid}）÷{due}", shown(quick, 2)],
        [f"{cash}÷{due}", shown(cash / due, 2)],
        [f"{debts}÷{assets}", f"{shown(debts / assets * 100, 0)}%"],
        [f"{receivables}÷{sales}×365", f"{shown(dso, 0)}天"],
        [f"{payables}÷{purchases}×365", f"{shown(dpo, 0)}天"],
    ]
    assert quick < 1  # “不卖存货，还不清”
    assert shown(debts / assets * 100, 0) == "70"
    terms = 60
    assert 0.10 < cash / due < 0.15
    text.says(
        f"流动资产比流动负债多{current - due}万元",
        "现钱只够还一成多",
        "百元资产，七十元是欠着的",
        f"它的客户让它等{shown(dso, 0)}天",
        f"它让供应商等{shown(dpo, 0)}天",
        f"{shown(current / due, 2)}看着还行，到{shown(cash / due, 2)}就紧了，"
        f"中间隔着{receivables}万元应收和{stock}万元存货",
        f"货币资金{cash}万元对着短期借款{loans}万元，约{shown(cash / loans * 100, 0)}%",
        f"您打算给它{terms}天，它平均让别人等{shown(dpo, 0)}天",
        f"若也是{terms}天左右，您多半同样要等到{shown(dpo, 0)}天，报价和额度就按{shown(dpo, 0)}天来定",
    )

    weights, safe, distress = (6.56, 3.26, 6.72, 1.05), 2.6, 1.1  # fact 1.16

    def terms_of_z(working: float, kept: float, earned: float, own: float, total: float) -> list[float]:
        inputs = (working / total, kept / total, earned / total, own / debts)
        return [weight * x for weight, x in zip(weights, inputs, strict=True)]

    parts = terms_of_z(current - due, retained, ebit, equity, assets)
    z = sum(parts)
    assert sum(round(part, 3) for part in parts) == pytest.approx(round(z, 3))
    text.says(
        "Z″ ＝ " + " ＋ ".join(f"{weight}×X{place}" for place, weight in enumerate(weights, 1)),
        "X1＝（流动资产－流动负债）÷总资产；X2＝留存收益÷总资产；X3＝息税前利润÷总资产；X4＝账面净资产÷总负债",
        f"高于{safe}为安全区，{distress}–{safe}为灰区，低于{distress}为险区",
        "另有资料把分界写成2.9和1.23，X1 的系数写成6.5",  # fact 1.16
        "1968年按美国上市制造企业估出来的",  # fact 1.14
        f"X1＝{current - due}÷{assets}＝{shown((current - due) / assets, 2)}，"
        f"X2＝{retained}÷{assets}＝{shown(retained / assets, 2)}，"
        f"X3＝{ebit}÷{assets}＝{shown(ebit / assets, 2)}，X4＝{equity}÷{debts}≈{shown(equity / debts, 2)}。"
        f"Z″＝{'＋'.join(shown(part, 3) for part in parts)}＝{shown(z, 3)}，落在{zone(z, safe, distress)}",
    )

    lost = 100
    parts = terms_of_z(current - lost - due, retained - lost, ebit - lost, equity - lost, assets - lost)
    worse = sum(parts)
    assert sum(round(part, 3) for part in parts) == pytest.approx(round(worse, 3))
    assert ebit - lost < 0
    signed = "".join(("－" if part < 0 else "＋") + shown(abs(part), 3) for part in parts).removeprefix("＋")
    text.says(
        f"假设应收里有{lost}万元其实收不回",
        f"补提以后流动资产{current - lost}、总资产{assets - lost}、净资产{equity - lost}、"
        f"留存收益{retained - lost}、息税前利润－{lost - ebit}（",
        f"流动比率降到{shown((current - lost) / due, 2)}，Z″＝{signed}＝{shown(worse, 3)}，"
        f"进了{zone(worse, safe, distress)}",
    )
    assert dpo > terms * 1.5  # 丙 meets the rule “DPO 比您的账期长出一半” too
    assert zone(z, safe, distress) != zone(worse, safe, distress)  # “一笔坏账就能换一个区”
